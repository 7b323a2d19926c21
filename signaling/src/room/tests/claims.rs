//! One owner, and an epoch that fences whoever is late.

use super::support::*;

#[test]
fn next_takes_the_first_one_and_makes_the_doctor_the_owner() {
    let mut room = waiting(&[SATO, ITO]);
    let next = room.next_for(ABE, &[], minutes(2)).unwrap();
    let (ticket, epoch) = (next.id, next.next_epoch());
    when(&mut room, call(ticket, ABE, epoch), minutes(2));
    assert_eq!(of(&room, SATO).owner(), Some(ABE));
    assert_eq!(queue(&room), [ITO]);
    assert!(room.holds(SATO, ABE, 1));
}

#[test]
fn of_two_doctors_with_the_same_epoch_the_second_is_told_that_it_is_taken() {
    let mut room = waiting(&[SATO]);
    when(&mut room, call(SATO, ABE, 1), minutes(1));
    assert_eq!(room.decide(&call(SATO, IDA, 1), minutes(1)), Err(Code::AlreadyTaken));
}

#[test]
fn a_claim_whose_epoch_was_burnt_comes_too_late() {
    let mut room = waiting(&[SATO]);
    when(&mut room, Command::BurnClaim { ticket: SATO, epoch: 1 }, minutes(1));
    assert_eq!(room.decide(&call(SATO, ABE, 1), minutes(1)), Err(Code::StaleEpoch));
    assert!(room.decide(&call(SATO, ABE, 2), minutes(1)).is_ok());
    assert_eq!(queue(&room), [SATO]);
}

#[test]
fn burning_twice_or_what_has_passed_changes_nothing() {
    let mut room = waiting(&[SATO]);
    let burn = Command::BurnClaim { ticket: SATO, epoch: 1 };
    when(&mut room, burn.clone(), minutes(1));
    assert_eq!(room.decide(&burn, minutes(1)), Ok(vec![]));
}

#[test]
fn a_burnt_hand_over_leaves_the_owner_with_the_patient() {
    let mut room = sato_with_abe();
    let offer = Command::OfferHandOver { ticket: SATO, from: ABE, to: IDA, epoch: 1 };
    when(&mut room, offer, T0);
    when(&mut room, Command::BurnClaim { ticket: SATO, epoch: 2 }, T0);
    let late = Command::HandOver { ticket: SATO, from: ABE, to: IDA, epoch: 2 };
    assert_eq!(room.decide(&late, T0), Err(Code::StaleEpoch));
    assert_eq!(of(&room, SATO).owner(), Some(ABE));
    assert!(room.holds(SATO, ABE, 1), "the reservation of the first claim stands");
    when(&mut room, end(SATO, ABE, 2), T0);
}

#[test]
fn every_verb_of_an_owner_is_refused_under_an_old_epoch() {
    let mut room = sato_with_abe();
    when(&mut room, Command::Park { ticket: SATO, doctor: ABE, epoch: 1 }, after(1));
    when(&mut room, call(SATO, ABE, 3), after(2));
    let why = Why::ReturnedByDoctor;
    let verbs = [
        Command::Cancel { ticket: SATO, doctor: ABE, epoch: 1 },
        Command::ReturnToFront { ticket: SATO, doctor: ABE, epoch: 1, why },
        Command::Park { ticket: SATO, doctor: ABE, epoch: 1 },
        end(SATO, ABE, 1),
        Command::OfferHandOver { ticket: SATO, from: ABE, to: IDA, epoch: 1 },
        Command::Answer { ticket: SATO, epoch: 1 },
    ];
    for verb in verbs {
        assert_eq!(room.decide(&verb, after(3)), Err(Code::StaleEpoch), "{verb:?}");
    }
}

#[test]
fn every_verb_of_an_owner_is_refused_to_another_doctor() {
    let room = sato_with_abe();
    let why = Why::ReturnedByDoctor;
    let verbs = [
        Command::Cancel { ticket: SATO, doctor: IDA, epoch: 1 },
        Command::ReturnToFront { ticket: SATO, doctor: IDA, epoch: 1, why },
        Command::Park { ticket: SATO, doctor: IDA, epoch: 1 },
        end(SATO, IDA, 1),
        Command::OfferHandOver { ticket: SATO, from: IDA, to: MORI, epoch: 1 },
    ];
    for verb in verbs {
        assert_eq!(room.decide(&verb, after(3)), Err(Code::NotYours), "{verb:?}");
    }
}

#[test]
fn every_change_of_owner_raises_the_epoch() {
    let mut room = waiting(&[SATO]);
    let why = Why::ReturnedByDoctor;
    let steps = [
        call(SATO, ABE, 1),
        Command::Cancel { ticket: SATO, doctor: ABE, epoch: 1 },
        call(SATO, ABE, 3),
        Command::ReturnToFront { ticket: SATO, doctor: ABE, epoch: 3, why },
        call(SATO, IDA, 5),
        Command::Park { ticket: SATO, doctor: IDA, epoch: 5 },
        call(SATO, IDA, 7),
        end(SATO, IDA, 7),
    ];
    for (step, epoch) in steps.into_iter().zip(1..) {
        when(&mut room, step, minutes(5));
        assert_eq!(of(&room, SATO).epoch, epoch);
    }
}

#[test]
fn answering_twice_is_no_mistake() {
    let mut room = waiting(&[SATO]);
    when(&mut room, call(SATO, ABE, 1), minutes(1));
    let answer = Command::Answer { ticket: SATO, epoch: 1 };
    assert_eq!(when(&mut room, answer.clone(), minutes(1)), [answered(SATO)]);
    assert_eq!(room.decide(&answer, minutes(1)), Ok(vec![]));
}

#[test]
fn nobody_answers_who_was_not_called() {
    let answer = Command::Answer { ticket: SATO, epoch: 0 };
    assert_eq!(waiting(&[SATO]).decide(&answer, minutes(1)), Err(Code::NotWaiting));
}

#[test]
fn a_bedside_patient_is_callable_only_when_the_nurse_says_so() {
    let mut room = given([admitted(SATO)]);
    assert_eq!(room.next_for(ABE, &[], T0).map(|it| it.id), Err(Code::NobodyCallable));
    assert_eq!(room.decide(&call(SATO, ABE, 1), T0), Err(Code::NotReady));
    when(&mut room, Command::SetReady { ticket: SATO, ready: true }, T0);
    assert_eq!(room.next_for(ABE, &[], T0).map(|it| it.id), Ok(SATO));
    when(&mut room, Command::SetReady { ticket: SATO, ready: false }, T0);
    assert_eq!(room.decide(&call(SATO, ABE, 1), T0), Err(Code::NotReady));
}

#[test]
fn a_patient_at_home_is_ready_on_arrival() {
    assert!(of(&waiting(&[SATO]), SATO).ready);
}

#[test]
fn next_leaves_out_whom_the_nurse_cannot_attend_and_the_place_is_kept() {
    let room = given([admitted(SATO), ready(SATO, true), invited(ITO), arrived(ITO)]);
    assert_eq!(room.next_for(ABE, &[SATO], T0).map(|it| it.id), Ok(ITO));
    assert_eq!(queue(&room), [SATO, ITO]);
}

#[test]
fn next_leaves_out_who_is_away_but_a_doctor_may_pick_them() {
    let mut room = waiting(&[SATO, ITO]);
    when(
        &mut room,
        Command::SetPatientPresent { ticket: SATO, present: false, heard: JUST_NOW },
        minutes(1),
    );
    assert_eq!(room.next_for(ABE, &[], minutes(1)).map(|it| it.id), Ok(ITO));
    assert!(room.decide(&call(SATO, ABE, 1), minutes(1)).is_ok());
    assert_eq!(queue(&room), [SATO, ITO]);
}

#[test]
fn who_is_not_on_duty_calls_nobody() {
    let mut room = waiting(&[SATO]);
    when(&mut room, Command::SetDuty { doctor: ABE, duty: Duty::Break }, minutes(1));
    assert_eq!(room.decide(&call(SATO, ABE, 1), minutes(1)), Err(Code::DoctorOffDuty));
    assert_eq!(room.next_for(ABE, &[], T0).map(|it| it.id), Err(Code::DoctorOffDuty));
    assert_eq!(room.decide(&call(SATO, STRANGER, 1), minutes(1)), Err(Code::DoctorNotNamed));
    assert_eq!(room.next_for(STRANGER, &[], T0).map(|it| it.id), Err(Code::DoctorNotNamed));
}

#[test]
fn who_was_only_invited_cannot_be_called() {
    assert_eq!(given([invited(SATO)]).decide(&call(SATO, ABE, 1), T0), Err(Code::NotWaiting));
}

#[test]
fn a_doctor_with_a_patient_may_take_a_break_but_not_go_off_duty() {
    let room = sato_with_abe();
    let duty = |duty| Command::SetDuty { doctor: ABE, duty };
    assert_eq!(room.decide(&duty(Duty::Off), T0), Err(Code::DoctorBusy));
    assert!(room.decide(&duty(Duty::Break), T0).is_ok());
    assert_eq!(room.decide(&duty(Duty::On), T0), Ok(vec![]));
}

#[test]
fn a_doctor_with_a_patient_stays_on_the_roster() {
    let mut room = sato_with_abe();
    let without = Command::SetRoster { doctors: vec![IDA, MORI] };
    assert_eq!(room.decide(&without, T0), Err(Code::DoctorBusy));
    when(&mut room, end(SATO, ABE, 1), T0);
    when(&mut room, without, T0);
    assert_eq!(room.next_for(ABE, &[], T0).map(|it| it.id), Err(Code::DoctorNotNamed));
}

#[test]
fn a_new_roster_leaves_the_duty_of_those_who_stay() {
    let mut room = given([]);
    when(&mut room, Command::SetRoster { doctors: vec![ABE, STRANGER] }, T0);
    assert_eq!(room.roster[&ABE].duty, Duty::On);
    assert_eq!(room.roster[&STRANGER].duty, Duty::Off);
    assert_eq!(room.on_duty(), 1);
}

#[test]
fn a_parked_patient_may_be_picked_again_and_keeps_the_papers() {
    let mut room = sato_with_abe();
    when(&mut room, Command::Park { ticket: SATO, doctor: ABE, epoch: 1 }, after(9));
    assert_eq!(of(&room, SATO).visit(), Some(VisitId(SATO.0)));
    when(&mut room, call(SATO, ABE, 3), after(10));
    assert_eq!(of(&room, SATO).owner(), Some(ABE));
}

#[test]
fn after_the_end_nothing_more_is_asked_of_a_ticket() {
    let mut room = sato_with_abe();
    when(&mut room, end(SATO, ABE, 1), after(60));
    let verbs = [
        call(SATO, IDA, 3),
        end(SATO, ABE, 2),
        Command::SetTriage { ticket: SATO, triage: Triage::Urgent },
        Command::RaiseEmergency { ticket: SATO },
        Command::Arrive { ticket: SATO },
        Command::SetReady { ticket: SATO, ready: true },
        Command::AskHandOver { ticket: SATO, to: IDA },
        Command::ReportDoctorSilent { ticket: SATO },
    ];
    for verb in verbs {
        assert_eq!(room.decide(&verb, after(61)), Err(Code::TicketOver), "{verb:?}");
    }
    assert_eq!(room.decide(&Command::Leave { ticket: SATO }, after(61)), Ok(vec![]));
}

#[test]
fn an_emergency_at_the_bedside_is_callable_before_anybody_marks_it_ready() {
    let mut room = given([admitted(SATO)]);
    assert_eq!(room.next_for(ABE, &[], T0).err(), Some(Code::NobodyCallable));
    when(&mut room, Command::RaiseEmergency { ticket: SATO }, T0);
    assert_eq!(room.next_for(ABE, &[], T0).map(|ticket| ticket.id), Ok(SATO));
}
