//! Peers that must not be reached, in every spelling and by every way there is.

use super::super::peers::{Peers, Reach};
use super::*;

/// Loopback, zero, private, link-local, metadata, shared, test, multicast, reserved, broadcast.
const FORBIDDEN_V4: [&str; 14] = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "0.1.2.3",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.1.1",
    "169.254.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
];

/// Ways to write an IPv4 address as an IPv6 one.
const CLOTHES: [fn([u8; 4]) -> String; 11] = [
    |[a, b, c, d]| format!("::ffff:{a}.{b}.{c}.{d}"),
    |[a, b, c, d]| format!("::{a}.{b}.{c}.{d}"),
    |[a, b, c, d]| format!("::ffff:0:{a}.{b}.{c}.{d}"),
    |[a, b, c, d]| format!("64:ff9b::{a}.{b}.{c}.{d}"),
    |[a, b, c, d]| format!("64:ff9b:1::{a}.{b}.{c}.{d}"),
    |[a, b, c, d]| format!("2002:{a:02x}{b:02x}:{c:02x}{d:02x}::1"),
    |ip| {
        let [a, b, c, d] = ip.map(|byte| !byte);
        format!("2001:0:808:808:0:0:{a:02x}{b:02x}:{c:02x}{d:02x}")
    },
    |[a, b, c, d]| format!("2001:0:{a:02x}{b:02x}:{c:02x}{d:02x}:0:0:f7f7:f7f7"),
    |[a, b, c, d]| format!("2001:db8:2::5efe:{a}.{b}.{c}.{d}"),
    |[a, b, c, d]| format!("2001:db8:2::200:5efe:{a}.{b}.{c}.{d}"),
    |[a, b, c, d]| format!("fe80::5efe:{a}.{b}.{c}.{d}"),
];

const FORBIDDEN_V6: [&str; 13] = [
    "::",
    "::1",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "fc00::1",
    "fd00::1",
    "ff02::1",
    "ff0e::1",
    "100::1",
    "2001:db8::1",
    "2001:10::1",
    "3fff::1",
];

/// Every forbidden address in every spelling.
fn spellings() -> Vec<IpAddr> {
    let v4 = || FORBIDDEN_V4.iter().map(|ip| ip.parse::<std::net::Ipv4Addr>().unwrap());
    let dressed = v4().flat_map(|ip| CLOTHES.map(|dress| dress(ip.octets())));
    let plain = FORBIDDEN_V4.iter().chain(&FORBIDDEN_V6).map(|ip| (*ip).to_owned());
    plain.chain(dressed).map(|ip| ip.parse().unwrap_or_else(|_| panic!("{ip}"))).collect()
}

/// All of the internet opened, as an operator might in haste.
fn wide_open() -> TurnConfig {
    let mut wide = config();
    wide.allowed_peers =
        ["0.0.0.0/0", "::/0", "2001:db8:2::/48"].map(|r| r.parse().unwrap()).into();
    wide.permissions_max = 8;
    wide
}

/// A page with both families, and its login.
fn page(rig: &mut Rig) -> Login {
    let (login, _) = rig.page(udp(1), Ask::allocate().both_families());
    login
}

#[test]
fn no_spelling_of_a_forbidden_peer_is_permitted() {
    for config in [config(), wide_open()] {
        let mut rig = Rig::new(config);
        let login = page(&mut rig);
        let spellings = spellings();
        assert!(spellings.len() > 160);
        for ip in spellings {
            let ask = Ask::new(method::CREATE_PERMISSION).peer(SocketAddr::new(ip, 80));
            assert_eq!(rig.code(udp(1), &login, &ask), 403, "{ip}");
        }
    }
}

#[test]
fn no_spelling_of_a_forbidden_peer_gets_a_channel() {
    for config in [config(), wide_open()] {
        let mut rig = Rig::new(config);
        let login = page(&mut rig);
        for ip in spellings() {
            let ask = Ask::new(method::CHANNEL_BIND)
                .with(attribute::CHANNEL_NUMBER, &[0x40, 0, 0, 0])
                .peer(SocketAddr::new(ip, 80));
            assert_eq!(rig.code(udp(1), &login, &ask), 403, "{ip}");
        }
        assert_eq!(rig.towards(udp(1), &[0x40, 0, 0, 1, 9]), None);
    }
}

#[test]
fn nothing_is_sent_to_any_spelling_of_a_forbidden_peer() {
    let mut rig = Rig::new(wide_open());
    let login = page(&mut rig);
    for ip in spellings() {
        let ask = Ask::new(method::CREATE_PERMISSION).peer(SocketAddr::new(ip, 80));
        rig.code(udp(1), &login, &ask);
        let send = Ask::send(SocketAddr::new(ip, 80), b"secret").plain();
        assert_eq!(rig.towards(udp(1), &send), None, "{ip}");
    }
}

#[test]
fn nothing_comes_from_any_spelling_of_a_forbidden_peer() {
    let mut rig = Rig::new(wide_open());
    let login = page(&mut rig);
    let id = rig.id(udp(1));
    for ip in spellings() {
        let ask = Ask::new(method::CREATE_PERMISSION).peer(SocketAddr::new(ip, 80));
        rig.code(udp(1), &login, &ask);
        assert_eq!(rig.turn.from_peer(id, SocketAddr::new(ip, 80), 4, rig.at), None, "{ip}");
    }
}

#[test]
fn a_public_peer_is_refused_too_until_its_range_is_opened() {
    let mut rig = Rig::usual();
    let login = page(&mut rig);
    for peer in ["8.8.8.8:53", "[2606:4700::1]:53", "[64:ff9b::8.8.8.8]:53", "[2002:808:808::1]:53"]
    {
        assert_eq!(rig.code(udp(1), &login, &Ask::permission(&[peer])), 403, "{peer}");
    }
    let mut rig = Rig::new(wide_open());
    let login = page(&mut rig);
    for peer in ["8.8.8.8:53", "[2606:4700::1]:53", "[64:ff9b::8.8.8.8]:53", "[2002:808:808::1]:53"]
    {
        assert_eq!(rig.code(udp(1), &login, &Ask::permission(&[peer])), 0, "{peer}");
    }
}

#[test]
fn a_private_range_is_opened_by_its_own_name_only() {
    let mut config = config();
    config.allowed_peers =
        ["127.0.0.0/8", "::1/128", "10.9.0.0/16"].map(|r| r.parse().unwrap()).into();
    let peers = Peers::new(&config);
    for (peer, open) in [
        ("127.0.0.1:1", true),
        ("[::1]:1", true),
        ("10.9.1.1:1", true),
        ("[::ffff:127.0.0.1]:1", true),
        ("10.8.1.1:1", false),
        ("[::2]:1", false),
        ("8.8.8.8:1", false),
        ("169.254.169.254:80", false),
    ] {
        assert_eq!(peers.reach(address(peer)).is_some(), open, "{peer}");
        assert_eq!(peers.may_be_permitted(address(peer).ip()), open, "{peer}");
    }
}

#[test]
fn our_own_unit_is_a_peer_by_its_exact_address_only() {
    let mut config = config();
    let unit = "127.0.0.1:3478";
    config.inside = vec![address(unit)];
    let mut rig = Rig::new(config);
    let login = page(&mut rig);
    assert_eq!(rig.code(udp(1), &login, &Ask::permission(&["127.0.0.1:9"])), 0, "by IP");
    assert_eq!(rig.code(udp(1), &login, &Ask::permission(&["127.0.0.2:3478"])), 403);
    assert_eq!(rig.code(udp(1), &login, &Ask::permission(&["[::ffff:127.0.0.1]:3478"])), 403);

    let send = Ask::send(address(unit), b"media").plain();
    let mut out = Vec::new();
    let to = rig.turn.from_client(udp(1), &send, rig.at, &mut out).unwrap();
    assert!(to.inside && to.peer == address(unit));
    assert!(rig.comes_through(udp(1), unit));

    let next_door = "127.0.0.1:8080";
    assert_eq!(rig.towards(udp(1), &Ask::send(address(next_door), b"GET").plain()), None);
    assert!(!rig.comes_through(udp(1), next_door));
    assert_eq!(rig.code(udp(1), &login, &Ask::bind(0x4000, next_door)), 403);
    assert_eq!(rig.code(udp(1), &login, &Ask::bind(0x4000, unit)), 0);
    let to = rig.turn.from_client(udp(1), &[0x40, 0, 0, 0], rig.at, &mut out).unwrap();
    assert!(to.inside);
}

#[test]
fn our_own_doors_are_no_peers_even_in_an_opened_range() {
    let mut config = config();
    config.allowed_peers =
        ["127.0.0.0/8", "192.0.2.0/24", "203.0.113.0/24"].map(|r| r.parse().unwrap()).into();
    config.forbidden = vec![address("0.0.0.0:8080"), address("203.0.113.9:443")];
    config.inside = vec![address("127.0.0.1:3478")];
    config.forbidden.push(address("127.0.0.1:3478"));
    let peers = Peers::new(&config);
    for (peer, reach) in [
        ("127.0.0.1:8080", None),
        ("[::ffff:127.0.0.1]:8080", None),
        ("192.0.2.1:8080", None),
        ("192.0.2.2:8080", Some(Reach::Outside)),
        ("203.0.113.9:443", None),
        ("203.0.113.9:444", Some(Reach::Outside)),
        ("127.0.0.1:3478", Some(Reach::Inside)),
        ("127.0.0.1:0", None),
    ] {
        assert_eq!(peers.reach(address(peer)), reach, "{peer}");
    }
}
