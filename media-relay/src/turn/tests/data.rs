//! Data in both directions: indications, channels, padding, and what is dropped.

use super::*;

/// What reaches the client's socket.
fn wrapped(to: &ToClient, data: &[u8]) -> Vec<u8> {
    let mut bytes = to.prefix[..to.prefix_len].to_vec();
    bytes.extend(data);
    bytes.resize(bytes.len() + to.padding, 0);
    bytes
}

fn permitted(rig: &mut Rig, client: Client) -> (Login, AllocationId) {
    let (login, _) = rig.page(client, Ask::allocate().both_families());
    assert_eq!(rig.code(client, &login, &Ask::permission(&[PEER, PEER_V6])), 0);
    let id = rig.id(client);
    (login, id)
}

#[test]
fn what_is_sent_to_a_permitted_peer_gets_there() {
    let mut rig = Rig::usual();
    permitted(&mut rig, udp(1));
    for peer in [PEER, PEER_V6, "203.0.113.9:6"] {
        for data in [&b""[..], b"a", b"four", &[7; 1_400]] {
            let send = Ask::send(address(peer), data).plain();
            assert_eq!(rig.towards(udp(1), &send), Some((address(peer), data.to_vec())));
        }
    }
}

#[test]
fn what_is_sent_without_permission_peer_data_or_allocation_is_dropped() {
    let mut rig = Rig::usual();
    permitted(&mut rig, udp(1));
    let good = Ask::send(address(PEER), b"x");
    let unfragmented = good.clone().with(0x001A, &[]);
    let bad = [
        Ask::send(address("203.0.113.10:1"), b"x"),
        Ask::send(address("203.0.113.9:0"), b"x"),
        good.clone().without(attribute::DATA),
        good.clone().without(attribute::XOR_PEER_ADDRESS),
        unfragmented,
    ];
    for ask in bad {
        assert_eq!(rig.towards(udp(1), &ask.plain()), None, "{:?}", ask.attributes);
    }
    assert_eq!(rig.towards(udp(2), &good.plain()), None);
    assert!(rig.towards(udp(1), &good.plain()).is_some());
}

#[test]
fn what_comes_from_a_peer_is_told_with_its_address() {
    let mut rig = Rig::usual();
    for client in [udp(1), stream(1)] {
        let (_, id) = permitted(&mut rig, client);
        for peer in [PEER, PEER_V6] {
            for data in [&b""[..], b"a", b"four", b"seven77", &[7; 1_400]] {
                let to = rig.turn.from_peer(id, address(peer), data.len(), rig.at).unwrap();
                assert_eq!(to.client, client);
                let bytes = wrapped(&to, data);
                let message = Message::parse(&bytes).unwrap();
                assert_eq!((message.method, message.class), (method::DATA, Class::Indication));
                assert_eq!((message.peer, message.data), (Some(address(peer)), Some(data)));
            }
        }
    }
}

#[test]
fn every_indication_has_a_transaction_of_its_own() {
    let mut rig = Rig::usual();
    let (_, id) = permitted(&mut rig, udp(1));
    let ids: BTreeSet<Vec<u8>> = (0..100)
        .map(|_| rig.turn.from_peer(id, address(PEER), 1, rig.at).unwrap().prefix[8..20].to_vec())
        .collect();
    assert_eq!(ids.len(), 100);
}

#[test]
fn a_channel_carries_data_both_ways() {
    let mut rig = Rig::usual();
    let (login, id) = permitted(&mut rig, udp(1));
    for (number, peer) in [(0x4abc, PEER), (0x4abd, PEER_V6)] {
        assert_eq!(rig.code(udp(1), &login, &Ask::bind(number, peer)), 0);
        let to = rig.turn.from_peer(id, address(peer), 3, rig.at).unwrap();
        let bytes = wrapped(&to, b"abc");
        let [high, low] = number.to_be_bytes();
        assert_eq!(bytes, [high, low, 0, 3, b'a', b'b', b'c'], "over UDP without padding");
        assert_eq!(rig.towards(udp(1), &bytes), Some((address(peer), b"abc".to_vec())));
    }
}

#[test]
fn over_a_stream_channel_data_is_padded_and_cut_where_it_ends() {
    let mut rig = Rig::usual();
    let (login, id) = permitted(&mut rig, stream(1));
    assert_eq!(rig.code(stream(1), &login, &Ask::bind(0x4000, PEER)), 0);
    for data in [&b""[..], b"a", b"ab", b"abc", b"four", b"fives"] {
        let to = rig.turn.from_peer(id, address(PEER), data.len(), rig.at).unwrap();
        let bytes = wrapped(&to, data);
        assert_eq!(bytes.len() % 4, 0);
        assert_eq!(frame_len(&bytes), Framing::Length(bytes.len()));
        assert_eq!(rig.towards(stream(1), &bytes), Some((address(PEER), data.to_vec())));
    }
}

#[test]
fn channel_data_that_is_cut_off_unbound_or_a_strangers_is_dropped() {
    let mut rig = Rig::usual();
    let (login, _) = permitted(&mut rig, udp(1));
    assert_eq!(rig.code(udp(1), &login, &Ask::bind(0x4000, PEER)), 0);
    let whole = [0x40, 0, 0, 4, 1, 2, 3, 4];
    for length in 0..whole.len() {
        assert_eq!(rig.towards(udp(1), &whole[..length]), None);
    }
    assert_eq!(rig.towards(udp(1), &[0x40, 1, 0, 1, 1]), None);
    assert_eq!(rig.towards(udp(2), &whole), None);
    let longer = [&whole[..], &[0; 3]].concat();
    assert_eq!(rig.towards(udp(1), &longer), Some((address(PEER), vec![1, 2, 3, 4])));
}

#[test]
fn what_is_too_long_to_be_told_is_dropped() {
    let mut rig = Rig::usual();
    let (login, id) = permitted(&mut rig, udp(1));
    let told = |rig: &Rig, len| rig.turn.from_peer(id, address(PEER), len, rig.at).is_some();
    assert!(told(&rig, 65_000) && !told(&rig, 65_535) && !told(&rig, usize::MAX));
    assert_eq!(rig.code(udp(1), &login, &Ask::bind(0x4000, PEER)), 0);
    assert!(told(&rig, 65_535) && !told(&rig, 65_536) && !told(&rig, usize::MAX));
}

#[test]
fn nothing_comes_to_an_allocation_that_is_not_there_or_not_yet() {
    let mut rig = Rig::usual();
    assert_eq!(rig.turn.from_peer(AllocationId(77), address(PEER), 1, rig.at), None);
    let login = rig.login(udp(1), "sato", 600);
    rig.slow = true;
    rig.give(udp(1), &Ask::allocate().signed(&login));
    assert!(!rig.comes_through(udp(1), PEER));
    assert_eq!(rig.towards(udp(1), &Ask::send(address(PEER), b"x").plain()), None);
}

#[test]
fn the_state_of_an_allocation_is_small() {
    let bytes = size_of::<super::super::allocation::Allocation>();
    assert!(bytes <= 320, "{bytes} bytes");
}
