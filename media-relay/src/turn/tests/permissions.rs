//! Permissions and channels: their rules and bounds.

use super::*;

#[test]
fn a_permission_is_for_every_port_of_an_address() {
    let mut rig = Rig::usual();
    let (login, _) = rig.page(udp(1), Ask::allocate());
    let answer = rig.signed(udp(1), &login, &Ask::permission(&["203.0.113.9:0"]));
    assert_eq!((answer.code, answer.signed), (None, true));
    assert!(rig.comes_through(udp(1), "203.0.113.9:1"));
    assert!(rig.comes_through(udp(1), "203.0.113.9:65535"));
    assert!(!rig.comes_through(udp(1), "203.0.113.10:1"));
}

#[test]
fn of_several_peers_one_bad_one_refuses_all() {
    let mut rig = Rig::usual();
    let (login, _) = rig.page(udp(1), Ask::allocate());
    for (bad, code) in [("127.0.0.1:1", 403), (PEER_V6, 443)] {
        assert_eq!(rig.code(udp(1), &login, &Ask::permission(&[PEER, bad])), code);
        assert!(!rig.comes_through(udp(1), PEER));
    }
    let many = ["203.0.113.1:1", "203.0.113.2:1", "203.0.113.2:2"];
    assert_eq!(rig.code(udp(1), &login, &Ask::permission(&many)), 0);
    assert!(many.iter().all(|peer| rig.comes_through(udp(1), peer)));
}

#[test]
fn a_permission_for_nobody_is_a_bad_request() {
    let mut rig = Rig::usual();
    let (login, _) = rig.page(udp(1), Ask::allocate());
    assert_eq!(rig.code(udp(1), &login, &Ask::permission(&[])), 400);
}

#[test]
fn permissions_have_a_bound_and_room_again_when_old_ones_end() {
    let mut config = config();
    config.permissions_max = 2;
    let mut rig = Rig::new(config);
    let (login, _) = rig.page(udp(1), Ask::allocate());
    let three = ["203.0.113.1:1", "203.0.113.2:1", "203.0.113.3:1"];
    assert_eq!(rig.code(udp(1), &login, &Ask::permission(&three)), 508);
    assert!(!rig.comes_through(udp(1), three[0]), "all or none");
    assert_eq!(rig.code(udp(1), &login, &Ask::permission(&three[..2])), 0);
    assert_eq!(rig.code(udp(1), &login, &Ask::permission(&three[..2])), 0, "known ones go on");
    assert_eq!(rig.code(udp(1), &login, &Ask::permission(&three[2..])), 508);
    assert_eq!(rig.code(udp(1), &login, &Ask::bind(0x4000, three[2])), 508);
    rig.pass(300);
    assert_eq!(rig.code(udp(1), &login, &Ask::permission(&three[2..])), 0);
}

#[test]
fn channels_have_a_bound() {
    let mut config = config();
    config.channels_max = 2;
    let mut rig = Rig::new(config);
    let (login, _) = rig.page(udp(1), Ask::allocate());
    for (number, peer, code) in [
        (0x4000, "203.0.113.1:1", 0),
        (0x4001, "203.0.113.1:2", 0),
        (0x4002, "203.0.113.1:3", 508),
        (0x4001, "203.0.113.1:2", 0),
    ] {
        assert_eq!(rig.code(udp(1), &login, &Ask::bind(number, peer)), code);
    }
}

#[test]
fn a_number_stands_for_one_peer_and_a_peer_has_one_number() {
    let mut rig = Rig::usual();
    let (login, _) = rig.page(udp(1), Ask::allocate());
    assert_eq!(rig.code(udp(1), &login, &Ask::bind(0x4000, PEER)), 0);
    assert_eq!(rig.code(udp(1), &login, &Ask::bind(0x4000, PEER)), 0, "again is longer");
    assert_eq!(rig.code(udp(1), &login, &Ask::bind(0x4000, "203.0.113.9:5001")), 400);
    assert_eq!(rig.code(udp(1), &login, &Ask::bind(0x4001, PEER)), 400);
    assert_eq!(rig.code(udp(1), &login, &Ask::bind(0x4001, "203.0.113.9:5001")), 0);
    assert_eq!(rig.code(udp(1), &login, &Ask::bind(0x4000, "203.0.113.9:5001")), 400, "crossed");
}

#[test]
fn channel_numbers_have_a_range() {
    let mut rig = Rig::usual();
    let (login, _) = rig.page(udp(1), Ask::allocate());
    for (number, code) in
        [(0, 400), (0x3fff, 400), (0x8000, 400), (0xffff, 400), (0x4000, 0), (0x7fff, 0)]
    {
        let peer = format!("203.0.113.9:{}", number.max(1));
        assert_eq!(rig.code(udp(1), &login, &Ask::bind(number, &peer)), code, "{number:x}");
    }
}

#[test]
fn a_channel_needs_a_number_and_a_peer_of_its_family() {
    let mut rig = Rig::usual();
    let (login, _) = rig.page(udp(1), Ask::allocate());
    let whole = Ask::bind(0x4000, PEER);
    for missing in [attribute::CHANNEL_NUMBER, attribute::XOR_PEER_ADDRESS] {
        assert_eq!(rig.code(udp(1), &login, &whole.clone().without(missing)), 400);
    }
    assert_eq!(rig.code(udp(1), &login, &Ask::bind(0x4000, PEER_V6)), 443);
    assert_eq!(rig.code(udp(1), &login, &Ask::bind(0x4000, "203.0.113.9:0")), 403, "no port");
}
