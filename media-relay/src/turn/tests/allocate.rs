//! Allocations: what is given, what is refused, and what is counted meanwhile.

use super::*;

#[test]
fn an_allocation_is_told_its_address_as_the_world_sees_it() {
    let mut rig = Rig::usual();
    let (_, answer) = rig.page(udp(1), Ask::allocate());
    assert!(answer.signed);
    assert_eq!(answer.relayed().ip(), IpAddr::from([192, 0, 2, 1]), "not the socket's 10.0.0.5");
    assert_eq!(answer.addresses(attribute::XOR_MAPPED_ADDRESS), [address("192.0.2.77:1")]);
    assert_eq!(answer.lifetime_s(), 600);
    let id = rig.id(udp(1));
    assert_eq!(rig.turn.allocation_at(answer.relayed()), Some(id));
    assert_eq!(rig.turn.relayed(id, Family::V4), Some(answer.relayed()));
    assert_eq!(rig.turn.relayed(id, Family::V6), None);
}

#[test]
fn a_request_that_comes_twice_gets_the_same_answer() {
    let mut rig = Rig::usual();
    let login = rig.login(udp(1), "sato", 600);
    let ask = Ask::allocate().even(true);
    let first = rig.signed(udp(1), &login, &ask);
    rig.pass(20);
    assert_eq!(rig.signed(udp(1), &login, &ask), first);
    assert_eq!(rig.open.len(), 1);
}

#[test]
fn a_request_that_comes_twice_before_its_socket_is_answered_once() {
    let mut rig = Rig::usual();
    let login = rig.login(udp(1), "sato", 600);
    rig.slow = true;
    let ask = Ask::allocate();
    assert_eq!(rig.give(udp(1), &ask.signed(&login)), None);
    assert_eq!(rig.give(udp(1), &ask.signed(&login)), None);
    assert_eq!(rig.waiting.len(), 1);
    let other = Ask::allocate();
    assert_eq!(rig.code(udp(1), &login, &other), 437, "another one is too much");
    assert_eq!(rig.code(udp(1), &login, &Ask::refresh(600)), 437, "not there yet");
    let before = rig.answers.len();
    let (id, family, port) = rig.waiting.remove(0);
    rig.open_now(id, family, port);
    assert_eq!(rig.answers.len(), before + 1);
}

#[test]
fn a_second_allocation_on_one_path_is_refused() {
    let mut rig = Rig::usual();
    let (login, _) = rig.page(udp(1), Ask::allocate());
    assert_eq!(rig.code(udp(1), &login, &Ask::allocate()), 437);
    let other_listener = Client::Udp { listener: 1, address: udp(1).address() };
    assert_eq!(rig.code(other_listener, &login, &Ask::allocate()), 0, "that is another path");
}

#[test]
fn nonsense_is_a_bad_request() {
    let mut rig = Rig::usual();
    let login = rig.login(udp(1), "sato", 600);
    let token = |ask: Ask| ask.with(attribute::RESERVATION_TOKEN, &[1; 8]);
    let nonsense = [
        Ask::new(method::ALLOCATE),
        Ask::new(method::ALLOCATE).with(attribute::REQUESTED_TRANSPORT, &[17]),
        Ask::allocate().with(attribute::LIFETIME, &[1, 2, 3]),
        Ask::allocate().with(attribute::EVEN_PORT, &[0, 0, 0, 0]),
        Ask::allocate().with(attribute::RESERVATION_TOKEN, &[1; 7]),
        Ask::allocate().with(attribute::XOR_PEER_ADDRESS, &[0, 3, 0, 0, 1, 2, 3, 4]),
        Ask::allocate().with(attribute::XOR_PEER_ADDRESS, &[0, 2, 0, 0, 1, 2, 3, 4]),
        token(Ask::allocate().even(false)),
        token(Ask::allocate().family(1)),
        token(Ask::allocate().both_families()),
        Ask::allocate().both_families().family(1),
        Ask::allocate().both_families().even(true),
        Ask::allocate().with(attribute::ADDITIONAL_ADDRESS_FAMILY, &[1, 0, 0, 0]),
    ];
    for ask in nonsense {
        let answer = rig.signed(udp(1), &login, &ask);
        assert_eq!((answer.code, answer.signed), (Some(400), true), "{:?}", ask.attributes);
    }
}

#[test]
fn a_transport_other_than_udp_is_not_served() {
    let mut rig = Rig::usual();
    let login = rig.login(udp(1), "sato", 600);
    let tcp = Ask::new(method::ALLOCATE).with(attribute::REQUESTED_TRANSPORT, &[6, 0, 0, 0]);
    assert_eq!(rig.code(udp(1), &login, &tcp), 442);
}

#[test]
fn unfragmented_sending_and_unknown_wishes_are_named_as_not_understood() {
    let mut rig = Rig::usual();
    let login = rig.login(udp(1), "sato", 600);
    let ask = Ask::allocate().with(0x001A, &[]).with(0x0021, &[]);
    let answer = rig.signed(udp(1), &login, &ask);
    assert_eq!((answer.code, answer.signed), (Some(420), true));
    assert_eq!(answer.value(attribute::UNKNOWN_ATTRIBUTES), Some(&[0, 0x1A, 0, 0x21][..]));
}

#[test]
fn a_family_without_an_address_here_is_refused() {
    let mut only_v4 = config();
    only_v4.advertised.truncate(1);
    let mut rig = Rig::new(only_v4);
    let login = rig.login(udp(1), "sato", 600);
    assert_eq!(rig.code(udp(1), &login, &Ask::allocate().family(2)), 440);
    assert_eq!(rig.code(udp(1), &login, &Ask::allocate().family(3)), 440);
    assert_eq!(rig.code(udp(1), &login, &Ask::allocate().family(1)), 0);
}

#[test]
fn both_families_come_in_one_allocation() {
    let mut rig = Rig::usual();
    let (_, answer) = rig.page(udp(1), Ask::allocate().both_families());
    let relayed = answer.addresses(attribute::XOR_RELAYED_ADDRESS);
    assert!(relayed[0].is_ipv4() && relayed[1].is_ipv6() && relayed.len() == 2);
    assert_eq!(answer.value(attribute::ADDRESS_ERROR_CODE), None);
    let id = rig.id(udp(1));
    assert!(relayed.iter().all(|relayed| rig.turn.allocation_at(*relayed) == Some(id)));
    assert_eq!((rig.open.len(), rig.turn.counts().allocations), (2, 1));
}

#[test]
fn of_both_families_one_may_be_missing() {
    let mut rig = Rig::usual();
    rig.broken = vec![Family::V6];
    let (_, answer) = rig.page(udp(1), Ask::allocate().both_families());
    assert!(answer.relayed().is_ipv4());
    assert_eq!(answer.value(attribute::ADDRESS_ERROR_CODE), Some(&[2, 0, 5, 8][..]));

    let mut only_v6 = config();
    only_v6.advertised.remove(0);
    let mut rig = Rig::new(only_v6);
    let (_, answer) = rig.page(udp(1), Ask::allocate().both_families());
    assert!(answer.relayed().is_ipv6());
    assert_eq!(answer.value(attribute::ADDRESS_ERROR_CODE), Some(&[1, 0, 4, 40][..]));
}

#[test]
fn without_any_socket_there_is_no_capacity_and_nothing_stays_counted() {
    let mut rig = Rig::usual();
    let login = rig.login(udp(1), "sato", 600);
    rig.broken = vec![Family::V4, Family::V6];
    for ask in [Ask::allocate(), Ask::allocate().both_families(), Ask::allocate().even(true)] {
        let answer = rig.signed(udp(1), &login, &ask);
        assert_eq!((answer.code, answer.signed), (Some(508), true));
    }
    let counts = rig.turn.counts();
    assert_eq!((counts.allocations, counts.pending, rig.turn.next_deadline()), (0, 0, None));
    rig.broken.clear();
    assert_eq!(rig.code(udp(1), &login, &Ask::allocate()), 0);
}

#[test]
fn a_socket_that_never_comes_is_given_up() {
    let mut rig = Rig::usual();
    let login = rig.login(udp(1), "sato", 600);
    rig.slow = true;
    assert_eq!(rig.give(udp(1), &Ask::allocate().signed(&login)), None);
    rig.pass(10);
    let answer = Answer::read(rig.answers.last().unwrap().1.clone(), Some(&login));
    assert_eq!(answer.code, Some(508));
    let (id, family, _) = rig.waiting[0];
    let mut out = Vec::new();
    rig.turn.opened(id, family, Ok(address("10.0.0.5:50001")), rig.at, &mut out);
    assert_eq!(out[0], Command::Close { allocation: id, family: Some(family) });
}

#[test]
fn two_requests_at_once_cannot_both_take_the_last_place() {
    let mut rig = Rig::usual();
    let login = rig.login(udp(1), "sato", 600);
    rig.slow = true;
    for port in 1..=4 {
        assert_eq!(rig.give(udp(port), &Ask::allocate().signed(&login)), None);
    }
    assert_eq!(rig.code(udp(5), &login, &Ask::allocate()), 486, "all four are on their way");
    let other = rig.login(udp(6), "ito", 600);
    assert_eq!(rig.give(udp(6), &Ask::allocate().signed(&other)), None, "another user is not");
    for (id, family, port) in std::mem::take(&mut rig.waiting) {
        rig.open_now(id, family, port);
    }
    assert_eq!(rig.turn.counts().allocations, 5);
    assert_eq!(rig.code(udp(1), &login, &Ask::refresh(0)), 0);
    rig.slow = false;
    assert_eq!(rig.code(udp(5), &login, &Ask::allocate()), 0, "a place came free");
    assert!(rig.turn.counts().refusals.contains(&(486, 1)));
}

#[test]
fn another_credential_of_the_same_user_gives_no_more_places() {
    let mut rig = Rig::usual();
    for port in 1..=4 {
        let login = rig.login(udp(port), "sato", 600 + u64::from(port));
        assert_eq!(rig.code(udp(port), &login, &Ask::allocate()), 0);
    }
    let login = rig.login(udp(5), "sato", 900);
    assert_eq!(rig.code(udp(5), &login, &Ask::allocate()), 486);
}

#[test]
fn a_full_server_has_no_capacity_for_anybody() {
    let mut config = config();
    config.allocations_max = 2;
    let mut rig = Rig::new(config);
    for (port, user, code) in [(1, "a", 0), (2, "b", 0), (3, "c", 508)] {
        let login = rig.login(udp(port), user, 600);
        assert_eq!(rig.code(udp(port), &login, &Ask::allocate()), code);
    }
}

#[test]
fn a_server_that_is_to_end_takes_nobody_new_and_goes_on_for_the_others() {
    let mut rig = Rig::usual();
    let (login, _) = rig.page(udp(1), Ask::allocate());
    rig.turn.drain();
    assert_eq!(rig.code(udp(2), &login, &Ask::allocate()), 508);
    assert_eq!(rig.code(udp(1), &login, &Ask::refresh(600)), 0);
    assert_eq!(rig.code(udp(1), &login, &Ask::bind(0x4000, PEER)), 0);
}

#[test]
fn an_even_port_is_even() {
    let mut rig = Rig::usual();
    let (_, answer) = rig.page(udp(1), Ask::allocate().even(false));
    assert_eq!(answer.relayed().port() % 2, 0);
    assert_eq!(answer.value(attribute::RESERVATION_TOKEN), None);
}

#[test]
fn a_socket_other_than_wished_is_closed_and_refused() {
    let mut rig = Rig::usual();
    let login = rig.login(udp(1), "sato", 600);
    rig.slow = true;
    for socket in ["10.0.0.5:50001", "[fd00::5]:50000"] {
        rig.give(udp(1), &Ask::allocate().even(false).signed(&login));
        let (id, family, _) = rig.waiting.remove(0);
        let mut out = Vec::new();
        rig.turn.opened(id, family, Ok(address(socket)), rig.at, &mut out);
        assert_eq!(out[0], Command::Close { allocation: id, family: Some(family) });
        rig.run(out);
        let answer = Answer::read(rig.answers.last().unwrap().1.clone(), Some(&login));
        assert_eq!(answer.code, Some(508));
    }
}

#[test]
fn a_port_kept_aside_is_had_with_its_token_once() {
    let mut rig = Rig::usual();
    let (login, first) = rig.page(udp(1), Ask::allocate().even(true));
    let token = first.value(attribute::RESERVATION_TOKEN).unwrap().to_vec();
    assert_eq!((first.relayed().port() % 2, rig.turn.counts().reservations), (0, 1));
    let with_token = || Ask::allocate().with(attribute::RESERVATION_TOKEN, &token);
    let second = rig.signed(udp(2), &login, &with_token());
    assert_eq!(second.relayed().port(), first.relayed().port() + 1);
    assert_eq!((rig.turn.counts().reservations, rig.aside.len()), (0, 0));
    assert_eq!(rig.code(udp(3), &login, &with_token()), 508);
}

#[test]
fn a_port_kept_aside_is_not_given_to_another_user() {
    let mut rig = Rig::usual();
    let (_, first) = rig.page(udp(1), Ask::allocate().even(true));
    let token = first.value(attribute::RESERVATION_TOKEN).unwrap().to_vec();
    let other = rig.login(udp(2), "ito", 600);
    let ask = Ask::allocate().with(attribute::RESERVATION_TOKEN, &token);
    assert_eq!(rig.code(udp(2), &other, &ask), 508);
}

#[test]
fn a_port_kept_aside_is_let_go_after_its_time() {
    let mut rig = Rig::usual();
    let (login, first) = rig.page(udp(1), Ask::allocate().even(true));
    let token = first.value(attribute::RESERVATION_TOKEN).unwrap().to_vec();
    rig.pass(29);
    assert_eq!(rig.aside.len(), 1);
    rig.pass(1);
    assert_eq!(rig.aside.len(), 0);
    let ask = Ask::allocate().with(attribute::RESERVATION_TOKEN, &token);
    assert_eq!(rig.code(udp(2), &login, &ask), 508);
}

#[test]
fn a_port_kept_aside_counts_for_its_user() {
    let mut rig = Rig::usual();
    let (login, first) = rig.page(udp(1), Ask::allocate().even(true));
    assert_eq!(rig.code(udp(2), &login, &Ask::allocate().even(true)), 0);
    assert_eq!(rig.code(udp(3), &login, &Ask::allocate()), 486, "two and two kept aside");
    let token = first.value(attribute::RESERVATION_TOKEN).unwrap().to_vec();
    let ask = Ask::allocate().with(attribute::RESERVATION_TOKEN, &token);
    assert_eq!(rig.code(udp(3), &login, &ask), 0, "what is kept for me is mine");
    rig.pass(30);
    assert_eq!(rig.code(udp(4), &login, &Ask::allocate()), 0, "the other one was let go");
}

#[test]
fn a_stream_that_closes_takes_its_allocation_along() {
    let mut rig = Rig::usual();
    rig.page(stream(1), Ask::allocate().both_families());
    let mut out = Vec::new();
    rig.turn.gone(stream(1), &mut out);
    rig.turn.gone(stream(1), &mut out);
    rig.turn.gone(stream(2), &mut out);
    rig.run(out);
    assert_eq!((rig.open.len(), rig.turn.counts().allocations), (0, 0));
}

#[test]
fn a_stream_that_closes_before_its_sockets_come_leaves_none_behind() {
    let mut rig = Rig::usual();
    let login = rig.login(stream(1), "sato", 600);
    rig.slow = true;
    rig.give(stream(1), &Ask::allocate().even(true).signed(&login));
    let mut out = Vec::new();
    rig.turn.gone(stream(1), &mut out);
    rig.run(out);
    let answers = rig.answers.len();
    for (id, family, port) in std::mem::take(&mut rig.waiting) {
        rig.open_now(id, family, port);
    }
    assert_eq!((rig.open.len(), rig.aside.len()), (0, 0));
    assert_eq!(rig.answers.len(), answers, "nobody is there to be answered");
    assert_eq!((rig.turn.counts().pending, rig.turn.next_deadline()), (0, None));
}
