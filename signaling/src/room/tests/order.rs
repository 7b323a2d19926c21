//! Who comes first, and why a place changed.

use super::support::*;

fn came(minute: i64, ticket: TicketId, triage: Triage) -> [(Timestamp, Event); 2] {
    let new = patient(ticket, triage);
    [(minutes(minute), Event::Invited { new }), (minutes(minute), arrived(ticket))]
}

#[test]
fn who_comes_first_is_called_first() {
    assert_eq!(queue(&waiting(&[SATO, ITO, KATO])), [SATO, ITO, KATO]);
}

#[test]
fn an_emergency_comes_before_everybody_however_late() {
    let room = given_at(
        [
            came(0, SATO, Triage::Urgent),
            came(1, ITO, Triage::Standard),
            came(600, KATO, Triage::Emergency),
        ]
        .concat(),
    );
    assert_eq!(queue(&room), [KATO, SATO, ITO]);
}

#[test]
fn an_emergency_raised_while_waiting_comes_before_who_was_put_to_the_front() {
    let mut room = waiting(&[SATO, ITO]);
    when(&mut room, call(SATO, ABE, 1), minutes(2));
    let back =
        Command::ReturnToFront { ticket: SATO, doctor: ABE, epoch: 1, why: Why::ReturnedByDoctor };
    when(&mut room, back, minutes(3));
    assert_eq!(queue(&room), [SATO, ITO]);
    when(&mut room, Command::RaiseEmergency { ticket: ITO }, minutes(4));
    assert_eq!(queue(&room), [ITO, SATO]);
    assert_eq!(of(&room, ITO).why, Why::Emergency);
}

#[test]
fn an_emergency_raised_before_arrival_keeps_its_lane_on_arrival() {
    let mut room = given_at(came(0, SATO, Triage::Urgent));
    when(&mut room, Command::Invite { tickets: vec![patient(ITO, Triage::Revisit)] }, minutes(1));
    when(&mut room, Command::RaiseEmergency { ticket: ITO }, minutes(2));
    when(&mut room, Command::Arrive { ticket: ITO }, minutes(3));
    assert_eq!(queue(&room), [ITO, SATO]);
}

#[test]
fn a_standard_patient_who_waited_long_enough_is_passed_by_nobody_but_emergencies() {
    let room = given_at(
        [
            came(0, SATO, Triage::Revisit),
            came(39, ITO, Triage::Urgent),
            came(41, KATO, Triage::Urgent),
        ]
        .concat(),
    );
    assert_eq!(queue(&room), [ITO, SATO, KATO]);
}

#[test]
fn waiting_alone_changes_no_place() {
    let room = waiting(&[SATO, ITO]);
    assert_eq!(room.next_for(ABE, &[], minutes(1)).unwrap().id, SATO);
    assert_eq!(room.next_for(ABE, &[], minutes(10_000)).unwrap().id, SATO);
    assert_eq!(room.ahead_of(of(&room, ITO)), 1);
}

#[test]
fn another_judgement_moves_the_place_and_says_so() {
    let mut room = waiting(&[SATO, ITO]);
    when(&mut room, Command::SetTriage { ticket: ITO, triage: Triage::Urgent }, minutes(5));
    assert_eq!(queue(&room), [ITO, SATO]);
    assert_eq!(of(&room, ITO).why, Why::TriageChanged);
    assert_eq!(of(&room, SATO).why, Why::Arrived);
}

#[test]
fn the_same_judgement_again_is_no_change() {
    let room = waiting(&[SATO]);
    let same = Command::SetTriage { ticket: SATO, triage: Triage::Standard };
    assert_eq!(room.decide(&same, T0), Ok(vec![]));
}

#[test]
fn a_more_urgent_judgement_never_moves_somebody_away_from_the_front() {
    let mut room = waiting(&[SATO, ITO, KATO]);
    when(&mut room, call(KATO, ABE, 1), minutes(3));
    let why = Why::ReturnedByDoctor;
    let back = Command::ReturnToFront { ticket: KATO, doctor: ABE, epoch: 1, why };
    when(&mut room, back, minutes(4));
    assert_eq!(queue(&room), [KATO, SATO, ITO]);
    when(&mut room, Command::SetTriage { ticket: KATO, triage: Triage::Urgent }, minutes(5));
    assert_eq!(queue(&room), [KATO, SATO, ITO]);
}

#[test]
fn those_put_to_the_front_stand_in_the_order_of_their_return() {
    let mut room = waiting(&[SATO, ITO, KATO]);
    when(&mut room, call(SATO, ABE, 1), minutes(3));
    when(&mut room, call(ITO, IDA, 1), minutes(3));
    let back = |ticket, doctor| Command::ReturnToFront {
        ticket,
        doctor,
        epoch: 1,
        why: Why::ReturnedByDoctor,
    };
    when(&mut room, back(ITO, IDA), minutes(4));
    when(&mut room, back(SATO, ABE), minutes(5));
    assert_eq!(queue(&room), [ITO, SATO, KATO]);
}

#[test]
fn an_emergency_that_comes_back_is_an_emergency_still() {
    let mut room =
        given_at([came(0, SATO, Triage::Emergency), came(1, ITO, Triage::Emergency)].concat());
    when(&mut room, call(SATO, ABE, 1), minutes(2));
    let why = Why::ReturnedByDoctor;
    when(
        &mut room,
        Command::ReturnToFront { ticket: SATO, doctor: ABE, epoch: 1, why },
        minutes(9),
    );
    assert_eq!(queue(&room), [SATO, ITO]);
}

#[test]
fn a_cancelled_call_leaves_the_place_where_it_was() {
    let mut room = waiting(&[SATO, ITO]);
    when(&mut room, call(SATO, ABE, 1), minutes(2));
    when(&mut room, Command::Cancel { ticket: SATO, doctor: ABE, epoch: 1 }, minutes(3));
    assert_eq!(queue(&room), [SATO, ITO]);
    assert_eq!(of(&room, SATO).why, Why::CallCancelled);
}

#[test]
fn a_call_that_was_answered_can_only_be_ended_not_cancelled() {
    let cancel = Command::Cancel { ticket: SATO, doctor: ABE, epoch: 1 };
    assert_eq!(sato_with_abe().decide(&cancel, T0), Err(Code::NotWaiting));
}

#[test]
fn the_wait_comes_from_what_this_room_did() {
    let mut room = waiting(&[SATO]);
    assert_eq!(room.wait_of(of(&room, SATO)), Wait::CannotTell);
    for (ticket, minute) in (10..14).map(TicketId).zip((10..).step_by(10)) {
        for event in [invited(ticket), arrived(ticket), called(ticket, ABE, 1), answered(ticket)] {
            room.evolve(&event, minutes(minute));
        }
        when(&mut room, end(ticket, ABE, 1), minutes(minute + 8));
    }
    let Wait::Range { from_min, to_min } = room.wait_of(of(&room, SATO)) else {
        panic!("four visits were seen")
    };
    assert!(from_min < to_min && to_min <= 12, "{from_min} to {to_min}");
}
