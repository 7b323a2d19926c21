//! Commands that fit nothing, and numbers at the ends of their types.

use super::support::*;

fn about(ticket: TicketId) -> Vec<Command> {
    let doctor = ABE;
    let epoch = 1;
    vec![
        Command::Arrive { ticket },
        Command::SetReady { ticket, ready: true },
        Command::SetTriage { ticket, triage: Triage::Urgent },
        Command::RaiseEmergency { ticket },
        call(ticket, doctor, epoch),
        Command::BurnClaim { ticket, epoch },
        Command::Answer { ticket, epoch },
        Command::Cancel { ticket, doctor, epoch },
        Command::ReturnToFront { ticket, doctor, epoch, why: Why::WrongPatient },
        Command::Park { ticket, doctor, epoch },
        end(ticket, doctor, epoch),
        Command::OfferHandOver { ticket, from: doctor, to: IDA, epoch },
        Command::AskHandOver { ticket, to: IDA },
        Command::DropHandOver { ticket, by: IDA },
        Command::HandOver { ticket, from: doctor, to: IDA, epoch },
        Command::Leave { ticket },
        Command::RecordContact { ticket, outcome: ContactOutcome::Ready },
        Command::ReportDoctorSilent { ticket },
        Command::SetPatientPresent { ticket, present: false, heard: JUST_NOW },
        Command::RevokeLinks { ticket },
        Command::AskDevice { ticket, request: "r".into() },
        Command::SettleDevice { ticket, request: "r".into(), yes: true },
    ]
}

fn about_the_room() -> Vec<Command> {
    vec![
        Command::SetRoster { doctors: vec![ABE] },
        Command::SetIntake { closed: true },
        Command::Invite { tickets: vec![patient(SATO, Triage::Standard)] },
        Command::Admit { new: patient(SATO, Triage::Standard), bedside: BEDSIDE },
        Command::SetDuty { doctor: ABE, duty: Duty::On },
        Command::SetDoctorPresent { doctor: ABE, present: false, heard: JUST_NOW },
        Command::Expire,
        Command::ExtendGraces { span: Span::seconds(1) },
    ]
}

#[test]
fn a_room_that_was_not_opened_knows_nothing() {
    for command in about(SATO).into_iter().chain(about_the_room()) {
        let answer = Room::default().decide(&command, T0);
        assert_eq!(answer, Err(Code::RoomUnknown), "{command:?}");
    }
}

#[test]
fn an_unknown_ticket_is_unknown_to_every_verb() {
    for command in about(KATO) {
        let answer = waiting(&[SATO]).decide(&command, T0);
        assert_eq!(answer, Err(Code::TicketUnknown), "{command:?}");
    }
}

#[test]
fn an_unknown_doctor_changes_nothing() {
    let room = given([]);
    let duty = Command::SetDuty { doctor: STRANGER, duty: Duty::On };
    assert_eq!(room.decide(&duty, T0), Err(Code::DoctorNotNamed));
    let present = Command::SetDoctorPresent { doctor: STRANGER, present: false, heard: JUST_NOW };
    assert_eq!(room.decide(&present, T0), Ok(vec![]));
}

#[test]
fn events_about_unknown_tickets_change_nothing() {
    let mut room = waiting(&[SATO]);
    let before = room.clone();
    for event in [
        arrived(KATO),
        called(KATO, ABE, 1),
        answered(KATO),
        Event::Missed { ticket: KATO, epoch: 1 },
        Event::Resumed { ticket: KATO },
        Event::Left { ticket: KATO, why: Why::GaveUp },
        Event::HandedOver { ticket: KATO, from: ABE, to: IDA, epoch: 1 },
    ] {
        room.evolve(&event, T0);
    }
    assert_eq!(queue(&room), queue(&before));
    assert_eq!(room.tickets.len(), before.tickets.len());
}

/// A whole day of one patient, every event and question at the same extreme moment.
fn live_through(at: Timestamp) {
    let mut room = Room::default();
    let open = Command::Open { name: "x".into(), clinic: Clinic::default() };
    let mut ask = |command: Command| {
        if let Ok(events) = room.decide(&command, at) {
            events.iter().for_each(|event| room.evolve(event, at));
        }
        let _ = (room.next_deadline(), room.decide(&Command::Expire, at));
        let _ = (room.decide(&Command::Expire, Timestamp(i64::MAX)), room.on_duty());
        let _ = room.decide(&Command::Expire, Timestamp(i64::MIN));
        for ticket in room.live() {
            let _ = (room.wait_of(ticket), room.ahead_of(ticket));
        }
        let _ = room.next_for(ABE, &[], Timestamp(i64::MAX)).map(|ticket| ticket.id);
    };
    ask(open);
    about_the_room().into_iter().for_each(&mut ask);
    for _ in 0..5 {
        about(SATO).into_iter().for_each(&mut ask);
        ask(Command::ExtendGraces { span: Span(i64::MAX) });
        ask(Command::Expire);
    }
}

#[test]
fn no_moment_is_too_early_or_too_late() {
    for at in [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX] {
        live_through(Timestamp(at));
    }
}

#[test]
fn a_clock_that_jumps_makes_no_visit_of_years() {
    let mut room = waiting(&[KATO]);
    for (ticket, (began, ended)) in (10..).map(TicketId).zip([
        (i64::MIN, i64::MAX),
        (i64::MAX, i64::MIN),
        (0, i64::MAX),
        (T0.0, T0.0 + 60_000),
    ]) {
        room.evolve(&invited(ticket), Timestamp(began));
        room.evolve(&arrived(ticket), Timestamp(began));
        room.evolve(&called(ticket, ABE, 1), Timestamp(began));
        room.evolve(&answered(ticket), Timestamp(began));
        when(&mut room, end(ticket, ABE, 1), Timestamp(ended));
    }
    let Wait::Range { from_min, to_min } = room.wait_of(of(&room, KATO)) else {
        panic!("four visits were seen")
    };
    assert!(from_min < to_min && to_min <= 24 * 60, "{from_min} to {to_min}");
}

#[test]
fn at_the_last_epoch_a_ticket_stands_still_and_no_old_claim_is_right_again() {
    let mut room = waiting(&[SATO]);
    when(&mut room, Command::BurnClaim { ticket: SATO, epoch: u32::MAX }, T0);
    for epoch in [0, 1, u32::MAX - 1, u32::MAX] {
        assert_eq!(room.decide(&call(SATO, ABE, epoch), T0), Err(Code::StaleEpoch));
    }
}

#[test]
fn verbs_under_the_last_epoch_do_not_overflow() {
    for ticket in [SATO, KATO] {
        for command in [
            call(ticket, ABE, u32::MAX),
            end(ticket, ABE, u32::MAX),
            Command::Park { ticket, doctor: ABE, epoch: u32::MAX },
            Command::HandOver { ticket, from: ABE, to: IDA, epoch: u32::MAX },
            Command::Answer { ticket, epoch: u32::MAX },
        ] {
            assert!(sato_with_abe().decide(&command, T0).is_err(), "{command:?}");
        }
    }
}

#[test]
fn a_ticket_called_under_the_last_epoch_can_be_ended() {
    let mut room = waiting(&[SATO]);
    when(&mut room, Command::BurnClaim { ticket: SATO, epoch: u32::MAX - 1 }, T0);
    when(&mut room, call(SATO, ABE, u32::MAX), T0);
    when(&mut room, end(SATO, ABE, u32::MAX), T0);
    assert!(of(&room, SATO).is_over());
}
