//! Who may come in, on which device, and how a place ends.

use super::support::*;

fn invite(ticket: TicketId) -> Command {
    Command::Invite { tickets: vec![patient(ticket, Triage::Standard)] }
}

fn admit(ticket: TicketId) -> Command {
    Command::Admit { new: patient(ticket, Triage::Standard), bedside: BEDSIDE }
}

#[test]
fn a_room_is_opened_once_and_has_a_name() {
    let open = |name: &str| Command::Open { name: name.into(), clinic: Clinic::default() };
    assert_eq!(Room::default().decide(&open("  "), T0), Err(Code::FieldWrong));
    assert!(matches!(
        Room::default().decide(&open("a"), T0).as_deref(),
        Ok([Event::Opened { .. }])
    ));
    assert_eq!(given([]).decide(&open("b"), T0), Ok(vec![]));
}

#[test]
fn who_is_invited_holds_no_place_before_arriving() {
    let mut room = given([invited(SATO)]);
    assert_eq!(room.waiting_len(), 0);
    when(&mut room, Command::Arrive { ticket: SATO }, T0);
    assert_eq!(queue(&room), [SATO]);
    assert_eq!(room.decide(&Command::Arrive { ticket: SATO }, T0), Ok(vec![]));
}

#[test]
fn the_nurse_admits_at_the_bedside_straight_into_the_queue() {
    let mut room = given([]);
    when(&mut room, admit(SATO), T0);
    assert_eq!(queue(&room), [SATO]);
    assert!(!of(&room, SATO).ready);
}

#[test]
fn a_closed_room_takes_nobody_more_but_lets_in_whom_it_invited() {
    let mut room = given([invited(SATO)]);
    when(&mut room, Command::SetIntake { closed: true }, T0);
    assert_eq!(room.decide(&invite(ITO), T0), Err(Code::IntakeClosed));
    assert_eq!(room.decide(&admit(ITO), T0), Err(Code::IntakeClosed));
    when(&mut room, Command::Arrive { ticket: SATO }, T0);
    assert_eq!(queue(&room), [SATO]);
    assert_eq!(room.decide(&Command::SetIntake { closed: true }, T0), Ok(vec![]));
    when(&mut room, Command::SetIntake { closed: false }, T0);
    assert!(room.decide(&invite(ITO), T0).is_ok());
}

#[test]
fn a_full_room_says_so_and_takes_again_when_a_place_is_free() {
    let tickets = (1..=TICKETS_MAX as u64).map(|id| patient(TicketId(id), Triage::Standard));
    let mut room = given([]);
    when(&mut room, Command::Invite { tickets: tickets.collect() }, T0);
    assert_eq!(room.decide(&invite(TicketId(9_999)), T0), Err(Code::RoomFull));
    when(&mut room, Command::Leave { ticket: SATO }, T0);
    assert!(room.decide(&invite(TicketId(9_999)), T0).is_ok());
}

#[test]
fn an_id_in_use_takes_nobodys_place() {
    let mut room = waiting(&[SATO]);
    assert_eq!(room.decide(&invite(SATO), T0), Err(Code::Busy));
    assert_eq!(room.decide(&admit(SATO), T0), Err(Code::Busy));
    let twice = Command::Invite { tickets: vec![patient(ITO, Triage::Urgent); 2] };
    assert_eq!(room.decide(&twice, T0), Err(Code::Busy));
    when(&mut room, invite(ITO), T0);
    assert_eq!(queue(&room), [SATO]);
}

#[test]
fn a_patient_may_give_the_place_up_but_not_vanish_from_a_call() {
    let mut room = waiting(&[SATO]);
    when(&mut room, Command::Leave { ticket: SATO }, T0);
    assert_eq!((of(&room, SATO).stage.clone(), room.waiting_len()), (Stage::Left, 0));
    assert_eq!(of(&room, SATO).why, Why::GaveUp);
    let leave = Command::Leave { ticket: SATO };
    assert_eq!(sato_with_abe().decide(&leave, T0), Err(Code::NotWaiting));
}

#[test]
fn a_ticket_that_is_over_can_be_looked_at_for_a_day() {
    let mut room = waiting(&[SATO, ITO, KATO]);
    when(&mut room, Command::Leave { ticket: SATO }, T0);
    when(&mut room, Command::Leave { ticket: ITO }, T0 + OVER_KEPT);
    assert!(room.ticket(SATO).is_ok());
    when(&mut room, Command::Leave { ticket: KATO }, Timestamp(T0.0 + OVER_KEPT.0 + 1));
    assert_eq!(room.ticket(SATO).map(|it| it.id), Err(Code::TicketUnknown));
    assert!(room.ticket(ITO).is_ok());
}

#[test]
fn withdrawn_links_are_of_an_older_generation() {
    let mut room = waiting(&[SATO]);
    let events = when(&mut room, Command::RevokeLinks { ticket: SATO }, T0);
    assert_eq!(events, [Event::LinksRevoked { ticket: SATO, generation: 1 }]);
    when(&mut room, Command::RevokeLinks { ticket: SATO }, T0);
    assert_eq!(of(&room, SATO).link_generation, 2);
    assert_eq!(queue(&room), [SATO], "the place is kept");
}

#[test]
fn a_second_device_asks_once_and_is_settled_once() {
    let ask = Command::AskDevice { ticket: SATO, request: "r1".into() };
    let settle = |yes| Command::SettleDevice { ticket: SATO, request: "r1".into(), yes };
    let mut room = waiting(&[SATO]);
    assert_eq!(room.decide(&settle(true), T0), Err(Code::DeviceUnknown));
    assert_eq!(when(&mut room, ask.clone(), T0).len(), 1);
    assert_eq!(room.decide(&ask, T0), Ok(vec![]));
    assert_eq!(of(&room, SATO).device_requests, ["r1"]);
    when(&mut room, settle(false), T0);
    assert!(of(&room, SATO).device_requests.is_empty());
    assert_eq!(room.decide(&settle(false), T0), Err(Code::DeviceUnknown));
}

#[test]
fn withdrawing_the_links_forgets_the_devices_that_asked() {
    let mut room = waiting(&[SATO]);
    when(&mut room, Command::AskDevice { ticket: SATO, request: "r1".into() }, T0);
    when(&mut room, Command::RevokeLinks { ticket: SATO }, T0);
    assert!(of(&room, SATO).device_requests.is_empty());
}

#[test]
fn a_link_that_is_shared_around_cannot_fill_the_list_of_devices() {
    let ask = |n: usize| Command::AskDevice { ticket: SATO, request: n.to_string() };
    let mut room = waiting(&[SATO]);
    for n in 0..DEVICE_REQUESTS_MAX {
        when(&mut room, ask(n), T0);
    }
    assert_eq!(room.decide(&ask(DEVICE_REQUESTS_MAX), T0), Err(Code::TooMany));
    assert_eq!(room.decide(&ask(0), T0), Ok(vec![]), "who asked already is told nothing new");
}
