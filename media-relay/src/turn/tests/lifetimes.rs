//! What ends when, and who may end it.

use super::*;

#[test]
fn an_allocation_that_nobody_prolongs_ends() {
    let mut rig = Rig::usual();
    let (login, answer) = rig.page(udp(1), Ask::allocate());
    assert_eq!(rig.turn.next_deadline(), Some(rig.at.now + Duration::from_secs(600)));
    rig.pass(599);
    assert_eq!(rig.open.len(), 1);
    rig.pass(1);
    assert_eq!((rig.open.len(), rig.turn.counts().allocations), (0, 0));
    assert_eq!(rig.turn.allocation_at(answer.relayed()), None);
    assert_eq!(rig.code(udp(1), &login, &Ask::refresh(600)), 437);
}

#[test]
fn an_allocation_ends_in_time_even_if_nobody_looked() {
    let mut rig = Rig::usual();
    let (login, _) = rig.page(udp(1), Ask::allocate());
    assert_eq!(rig.code(udp(1), &login, &Ask::bind(0x4000, PEER)), 0);
    rig.pass(200);
    assert_eq!(rig.code(udp(1), &login, &Ask::bind(0x4000, PEER)), 0);
    rig.pass(299);
    assert_eq!(rig.code(udp(1), &login, &Ask::bind(0x4000, PEER)), 0);
    // The edge is late with `expire`.
    rig.at.now += Duration::from_secs(101);
    rig.at.unix_s += 101;
    assert_eq!(rig.towards(udp(1), &[0x40, 0, 0, 1, 9]), None);
    assert!(!rig.comes_through(udp(1), PEER));
    assert_eq!(rig.code(udp(1), &login, &Ask::refresh(600)), 437);
    assert_eq!(rig.open.len(), 0);
}

#[test]
fn a_refresh_gives_a_new_life_of_the_usual_bounds() {
    let mut rig = Rig::usual();
    let (login, _) = rig.page(udp(1), Ask::allocate());
    for (wish_s, granted_s) in [(1, 600), (777, 777), (3_600, 3_600), (u32::MAX, 3_600)] {
        let answer = rig.signed(udp(1), &login, &Ask::refresh(wish_s));
        assert_eq!((answer.code, answer.lifetime_s()), (None, granted_s));
        let ends = rig.at.now + Duration::from_secs(granted_s.into());
        assert_eq!(rig.turn.next_deadline(), Some(ends));
    }
    let silent = rig.signed(udp(1), &login, &Ask::new(method::REFRESH));
    assert_eq!(silent.lifetime_s(), 600);
}

#[test]
fn a_refresh_of_zero_gives_back_at_once() {
    let mut rig = Rig::usual();
    let (login, _) = rig.page(udp(1), Ask::allocate().both_families());
    let answer = rig.signed(udp(1), &login, &Ask::refresh(0));
    assert_eq!((answer.code, answer.lifetime_s()), (None, 0));
    assert_eq!((rig.open.len(), rig.turn.next_deadline()), (0, None));
    assert_eq!(rig.code(udp(1), &login, &Ask::refresh(0)), 437, "it is gone already");
    assert_eq!(rig.code(udp(1), &login, &Ask::allocate()), 0, "and can be had again");
}

#[test]
fn one_of_two_families_can_be_given_back() {
    let mut rig = Rig::usual();
    let (login, answer) = rig.page(udp(1), Ask::allocate().both_families());
    let relayed = answer.addresses(attribute::XOR_RELAYED_ADDRESS);
    assert_eq!(rig.code(udp(1), &login, &Ask::permission(&[PEER, PEER_V6])), 0);
    assert_eq!(rig.code(udp(1), &login, &Ask::refresh(0).family(1)), 0);
    assert_eq!(rig.open.len(), 1);
    assert_eq!(rig.turn.allocation_at(relayed[0]), None);
    assert!(!rig.comes_through(udp(1), PEER) && rig.comes_through(udp(1), PEER_V6));
    assert_eq!(rig.code(udp(1), &login, &Ask::refresh(600).family(1)), 443, "not any more");
    assert_eq!(rig.code(udp(1), &login, &Ask::permission(&[PEER])), 443);
    assert_eq!(rig.code(udp(1), &login, &Ask::refresh(0).family(2)), 0);
    assert_eq!((rig.open.len(), rig.turn.counts().allocations), (0, 0));
}

#[test]
fn one_of_two_families_can_live_longer() {
    let mut rig = Rig::usual();
    let (login, _) = rig.page(udp(1), Ask::allocate().both_families());
    assert_eq!(rig.code(udp(1), &login, &Ask::refresh(1_000).family(2)), 0);
    rig.pass(600);
    assert_eq!(rig.open.keys().map(|(_, family)| *family).collect::<Vec<_>>(), [2]);
    rig.pass(400);
    assert_eq!((rig.open.len(), rig.turn.counts().allocations), (0, 0));
}

#[test]
fn a_refresh_of_a_family_that_is_not_there_is_refused() {
    let mut rig = Rig::usual();
    let (login, _) = rig.page(udp(1), Ask::allocate());
    for family in [2, 0, 7] {
        assert_eq!(rig.code(udp(1), &login, &Ask::refresh(600).family(family)), 443);
    }
    assert_eq!(rig.code(udp(1), &login, &Ask::refresh(600).family(1)), 0);
}

#[test]
fn only_its_owner_touches_an_allocation() {
    let mut rig = Rig::usual();
    rig.page(udp(1), Ask::allocate());
    let other = rig.login(udp(1), "ito", 600);
    let asks =
        [Ask::refresh(0), Ask::refresh(600), Ask::permission(&[PEER]), Ask::bind(0x4000, PEER)];
    for ask in asks {
        let answer = rig.signed(udp(1), &other, &ask);
        assert_eq!((answer.code, answer.signed), (Some(441), true));
    }
    assert_eq!(rig.open.len(), 1);
}

#[test]
fn without_an_allocation_there_is_nothing_to_ask_for() {
    let mut rig = Rig::usual();
    let login = rig.login(udp(1), "sato", 600);
    for ask in [Ask::refresh(600), Ask::permission(&[PEER]), Ask::bind(0x4000, PEER)] {
        assert_eq!(rig.code(udp(1), &login, &ask), 437);
    }
}

#[test]
fn a_permission_lasts_five_minutes_and_data_does_not_prolong_it() {
    let mut rig = Rig::usual();
    let (login, _) = rig.page(udp(1), Ask::allocate());
    assert_eq!(rig.code(udp(1), &login, &Ask::permission(&[PEER])), 0);
    rig.pass(299);
    assert!(rig.comes_through(udp(1), PEER));
    let send = Ask::send(address(PEER), b"x").plain();
    assert!(rig.towards(udp(1), &send).is_some());
    rig.pass(1);
    assert!(!rig.comes_through(udp(1), PEER));
    assert_eq!(rig.towards(udp(1), &send), None);
    assert_eq!(rig.code(udp(1), &login, &Ask::permission(&[PEER])), 0);
    assert!(rig.comes_through(udp(1), PEER));
}

#[test]
fn a_channel_lasts_ten_minutes_and_its_permission_five() {
    let mut rig = Rig::usual();
    let (login, _) = rig.page(udp(1), Ask::allocate().lifetime(3_600));
    assert_eq!(rig.code(udp(1), &login, &Ask::bind(0x4000, PEER)), 0);
    let data = [0x40, 0, 0, 1, 9];
    rig.pass(299);
    assert!(rig.towards(udp(1), &data).is_some());
    rig.pass(1);
    assert_eq!(rig.towards(udp(1), &data), None, "the permission is over");
    assert_eq!(rig.code(udp(1), &login, &Ask::permission(&[PEER])), 0);
    assert!(rig.towards(udp(1), &data).is_some(), "the channel is not");
    rig.pass(299);
    assert!(rig.towards(udp(1), &data).is_some());
    rig.pass(1);
    assert_eq!(rig.code(udp(1), &login, &Ask::permission(&[PEER])), 0);
    assert_eq!(rig.towards(udp(1), &data), None, "now it is");
    let id = rig.id(udp(1));
    let to = rig.turn.from_peer(id, address(PEER), 1, rig.at).unwrap();
    assert_eq!(to.prefix[..2], [0x00, 0x17], "what comes is told as an indication");
    assert_eq!(rig.code(udp(1), &login, &Ask::bind(0x4001, PEER)), 0, "the peer is free again");
}
