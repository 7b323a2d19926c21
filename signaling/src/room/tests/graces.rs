//! What happens when somebody is gone, and what does not happen without a telephone call.

use super::support::*;

fn patient_present(present: bool) -> Command {
    Command::SetPatientPresent { ticket: SATO, present, heard: JUST_NOW }
}

fn doctor_present(present: bool) -> Command {
    Command::SetDoctorPresent { doctor: ABE, present, heard: JUST_NOW }
}

fn ringing() -> Room {
    given([invited(SATO), arrived(SATO), called(SATO, ABE, 1)])
}

/// Called twice, never answered.
fn unanswered() -> Room {
    let mut room = ringing();
    when(&mut room, Command::Expire, after(60));
    when(&mut room, call(SATO, ABE, 3), after(300));
    when(&mut room, Command::Expire, after(360));
    room
}

#[test]
fn a_call_rings_for_sixty_seconds_and_no_less() {
    let room = ringing();
    assert_eq!(room.next_deadline(), Some(after(60)));
    assert_eq!(room.decide(&Command::Expire, Timestamp(after(60).0 - 1)), Ok(vec![]));
    let missed = vec![Event::Missed { ticket: SATO, epoch: 2 }];
    assert_eq!(room.decide(&Command::Expire, after(60)), Ok(missed));
}

#[test]
fn a_missed_patient_keeps_the_place_and_next_leaves_them_out_for_a_while() {
    let mut room = waiting(&[SATO, ITO]);
    when(&mut room, call(SATO, ABE, 1), minutes(2));
    when(&mut room, Command::Expire, minutes(3));
    assert_eq!(queue(&room), [SATO, ITO]);
    assert_eq!(of(&room, SATO).why, Why::Missed);
    assert_eq!(room.next_for(ABE, &[], minutes(3)).map(|it| it.id), Ok(ITO));
    let later = minutes(3) + SKIP_AFTER_MISS;
    assert_eq!(room.next_for(ABE, &[], later).map(|it| it.id), Ok(SATO));
}

#[test]
fn who_missed_twice_is_telephoned_not_dropped() {
    let room = unanswered();
    assert_eq!(of(&room, SATO).stage, Stage::Unanswered);
    assert!(!of(&room, SATO).is_over());
    assert_eq!(room.next_for(ABE, &[], minutes(60)).map(|it| it.id), Err(Code::NobodyCallable));
    assert_eq!(room.next_deadline(), None, "no deadline ever drops somebody");
}

#[test]
fn an_answer_forgives_the_misses_before() {
    let mut room = ringing();
    when(&mut room, Command::Expire, after(60));
    when(&mut room, call(SATO, ABE, 3), after(300));
    when(&mut room, Command::Answer { ticket: SATO, epoch: 3 }, after(310));
    assert_eq!(of(&room, SATO).misses, 0);
}

#[test]
fn who_was_reached_by_telephone_comes_to_the_front() {
    let mut room = unanswered();
    for event in [invited(ITO), arrived(ITO)] {
        room.evolve(&event, T0);
    }
    let outcome = ContactOutcome::Ready;
    when(&mut room, Command::RecordContact { ticket: SATO, outcome }, after(500));
    assert_eq!(queue(&room), [SATO, ITO]);
    assert_eq!(of(&room, SATO).why, Why::ContactMade);
    assert_eq!(room.next_for(ABE, &[], after(500)).map(|it| it.id), Ok(SATO));
    assert_eq!(of(&room, SATO).misses, 0);
}

#[test]
fn who_was_not_reached_stays_on_the_list() {
    let mut room = unanswered();
    let outcome = ContactOutcome::NotReached;
    when(&mut room, Command::RecordContact { ticket: SATO, outcome }, after(500));
    assert_eq!(of(&room, SATO).stage, Stage::Unanswered);
}

#[test]
fn a_place_is_given_back_after_a_telephone_call_only() {
    for outcome in [ContactOutcome::GivesUp, ContactOutcome::HelpSent] {
        let mut room = unanswered();
        when(&mut room, Command::RecordContact { ticket: SATO, outcome }, after(500));
        assert_eq!(of(&room, SATO).stage, Stage::Left);
    }
}

#[test]
fn a_telephone_call_is_recorded_only_for_who_did_not_answer() {
    let outcome = ContactOutcome::GivesUp;
    let record = Command::RecordContact { ticket: SATO, outcome };
    assert_eq!(waiting(&[SATO]).decide(&record, T0), Err(Code::NotWaiting));
    assert_eq!(sato_with_abe().decide(&record, T0), Err(Code::NotWaiting));
}

#[test]
fn a_place_is_kept_for_thirty_minutes_without_a_screen() {
    let mut room = waiting(&[SATO]);
    when(&mut room, patient_present(false), minutes(5));
    assert_eq!(room.next_deadline(), Some(minutes(35)));
    assert_eq!(room.decide(&Command::Expire, minutes(34)), Ok(vec![]));
    when(&mut room, patient_present(true), minutes(34));
    assert_eq!(room.next_deadline(), None);
    assert_eq!(queue(&room), [SATO]);
}

#[test]
fn when_the_place_lapses_somebody_telephones() {
    let mut room = waiting(&[SATO]);
    when(&mut room, patient_present(false), T0);
    when(&mut room, Command::Expire, minutes(30));
    assert_eq!(of(&room, SATO).stage, Stage::Unanswered);
    assert_eq!(of(&room, SATO).why, Why::GraceOver);
    assert_eq!(room.waiting_len(), 0);
}

#[test]
fn a_second_lapse_of_the_lease_does_not_begin_the_grace_anew() {
    let mut room = waiting(&[SATO]);
    when(&mut room, patient_present(false), T0);
    assert_eq!(room.decide(&patient_present(false), minutes(20)), Ok(vec![]));
    assert_eq!(room.next_deadline(), Some(minutes(30)));
}

#[test]
fn a_doctor_whose_screen_is_gone_for_sixty_seconds_loses_the_patient_to_the_front() {
    let mut room = sato_with_abe();
    for event in [invited(ITO), arrived(ITO)] {
        room.evolve(&event, T0);
    }
    when(&mut room, doctor_present(false), after(100));
    assert_eq!(room.decide(&Command::Expire, after(159)), Ok(vec![]));
    when(&mut room, Command::Expire, after(160));
    assert_eq!(queue(&room), [SATO, ITO]);
    assert_eq!(of(&room, SATO).why, Why::DoctorGone);
    assert_eq!(room.decide(&end(SATO, ABE, 1), after(161)), Err(Code::NotYours));
}

#[test]
fn a_doctor_who_is_back_in_time_keeps_the_patient() {
    let mut room = sato_with_abe();
    when(&mut room, doctor_present(false), after(100));
    when(&mut room, doctor_present(true), after(159));
    assert_eq!(room.decide(&Command::Expire, after(1_000)), Ok(vec![]));
    assert_eq!(of(&room, SATO).owner(), Some(ABE));
}

#[test]
fn a_patient_whose_screen_is_gone_stays_in_the_visit_until_the_doctor_decides() {
    let mut room = sato_with_abe();
    when(&mut room, patient_present(false), after(100));
    assert_eq!(room.decide(&Command::Expire, minutes(120)), Ok(vec![]));
    assert_eq!(of(&room, SATO).owner(), Some(ABE));
}

#[test]
fn the_graces_of_doctor_and_patient_do_not_mix() {
    let mut room = waiting(&[SATO]);
    when(&mut room, doctor_present(false), T0);
    assert_eq!(room.next_deadline(), None, "a doctor without a patient has no deadline");
    when(&mut room, patient_present(false), T0);
    assert_eq!(room.next_deadline(), Some(T0 + PLACE_GRACE));
}

#[test]
fn a_parked_patient_who_is_back_comes_to_the_front_for_the_same_doctor() {
    let mut room = waiting(&[SATO, ITO]);
    when(&mut room, call(ITO, ABE, 1), minutes(2));
    when(
        &mut room,
        Command::SetPatientPresent { ticket: ITO, present: false, heard: JUST_NOW },
        minutes(3),
    );
    when(&mut room, Command::Park { ticket: ITO, doctor: ABE, epoch: 1 }, minutes(4));
    assert_eq!(queue(&room), [SATO]);
    when(
        &mut room,
        Command::SetPatientPresent { ticket: ITO, present: true, heard: JUST_NOW },
        minutes(5),
    );
    assert_eq!(queue(&room), [ITO, SATO]);
    assert_eq!(of(&room, ITO).why, Why::ResumedFromPark);
    assert_eq!(room.next_for(ABE, &[], minutes(5)).map(|it| it.id), Ok(ITO));
    assert_eq!(room.next_for(IDA, &[], minutes(5)).map(|it| it.id), Ok(SATO));
    let later = minutes(5) + PREFERENCE;
    assert_eq!(room.next_for(IDA, &[], later).map(|it| it.id), Ok(ITO));
}

#[test]
fn nobody_is_kept_for_a_doctor_who_is_off_or_whose_screen_is_gone() {
    let resumed = || {
        let mut room = sato_with_abe();
        when(&mut room, patient_present(false), after(1));
        when(&mut room, Command::Park { ticket: SATO, doctor: ABE, epoch: 1 }, after(2));
        when(&mut room, patient_present(true), after(3));
        assert_eq!(room.next_for(IDA, &[], after(3)).map(|it| it.id), Err(Code::NobodyCallable));
        room
    };
    for gone in [Command::SetDuty { doctor: ABE, duty: Duty::Break }, doctor_present(false)] {
        let mut room = resumed();
        when(&mut room, gone, after(4));
        assert_eq!(room.next_for(IDA, &[], after(4)).map(|it| it.id), Ok(SATO));
    }
}

#[test]
fn a_bedside_patient_is_resumed_when_the_nurse_says_ready() {
    let mut room = given([admitted(SATO), ready(SATO, true), called(SATO, ABE, 1)]);
    when(&mut room, Command::Park { ticket: SATO, doctor: ABE, epoch: 1 }, after(2));
    when(&mut room, Command::SetReady { ticket: SATO, ready: false }, after(3));
    assert_eq!(room.waiting_len(), 0);
    let events = when(&mut room, Command::SetReady { ticket: SATO, ready: true }, after(4));
    assert_eq!(events, [ready(SATO, true), Event::Resumed { ticket: SATO }]);
    assert_eq!(queue(&room), [SATO]);
}

#[test]
fn a_parked_patient_who_does_not_come_back_is_telephoned() {
    let mut room = sato_with_abe();
    when(&mut room, patient_present(false), after(1));
    when(&mut room, Command::Park { ticket: SATO, doctor: ABE, epoch: 1 }, after(2));
    when(&mut room, Command::Expire, after(1) + PLACE_GRACE);
    assert_eq!(of(&room, SATO).stage, Stage::Unanswered);
}

#[test]
fn no_grace_counts_time_in_which_the_service_was_away() {
    let away = Command::ExtendGraces { span: Span::minutes(10) };
    let mut room = ringing();
    when(&mut room, away.clone(), minutes(10));
    assert_eq!(room.next_deadline(), Some(after(60) + Span::minutes(10)));
    let mut room = waiting(&[SATO]);
    when(&mut room, patient_present(false), T0);
    when(&mut room, away.clone(), minutes(10));
    assert_eq!(room.next_deadline(), Some(minutes(40)));
    let mut room = sato_with_abe();
    when(&mut room, doctor_present(false), after(30));
    when(&mut room, away, minutes(10));
    assert_eq!(room.next_deadline(), Some(after(90) + Span::minutes(10)));
}

#[test]
fn a_service_that_was_not_away_extends_nothing() {
    for span in [Span(0), Span(-1), Span(i64::MIN)] {
        assert_eq!(ringing().decide(&Command::ExtendGraces { span }, T0), Ok(vec![]));
    }
}

#[test]
fn what_has_expired_expires_once() {
    let mut room = ringing();
    assert_eq!(when(&mut room, Command::Expire, after(60)).len(), 1);
    assert_eq!(when(&mut room, Command::Expire, after(60)), []);
    assert_eq!(room.decide(&Command::Expire, after(6_000)), Ok(vec![]));
}

#[test]
fn the_patient_may_say_that_the_doctor_does_not_answer_once_a_call() {
    let silent = Command::ReportDoctorSilent { ticket: SATO };
    let mut room = sato_with_abe();
    assert_eq!(when(&mut room, silent.clone(), after(9)), [Event::DoctorSilent { ticket: SATO }]);
    assert_eq!(room.decide(&silent, after(10)), Ok(vec![]));
    assert_eq!(of(&room, SATO).owner(), Some(ABE), "a person decides what follows");
    assert_eq!(waiting(&[SATO]).decide(&silent, T0), Err(Code::VisitUnknown));
}

#[test]
fn nobody_is_left_out_longer_after_a_miss_because_the_service_was_away() {
    let mut room = ringing();
    when(&mut room, Command::Expire, after(60));
    when(&mut room, Command::ExtendGraces { span: Span::minutes(120) }, minutes(121));
    assert_eq!(room.next_for(ABE, &[], minutes(121)).map(|it| it.id), Ok(SATO));
}

#[test]
fn a_screen_that_comes_back_after_the_grace_is_back_in_the_queue_before_anybody_telephones() {
    let mut room = given([invited(SATO), arrived(SATO)]);
    when(
        &mut room,
        Command::SetPatientPresent { ticket: SATO, present: false, heard: JUST_NOW },
        T0,
    );
    when(&mut room, Command::Expire, minutes(31));
    assert_eq!(of(&room, SATO).stage, Stage::Unanswered);
    when(
        &mut room,
        Command::SetPatientPresent { ticket: SATO, present: true, heard: JUST_NOW },
        minutes(40),
    );
    assert!(of(&room, SATO).is_callable(minutes(40)));
}

#[test]
fn the_minute_of_a_doctor_counts_from_the_last_sign_of_life() {
    let mut room = given([invited(SATO), arrived(SATO), called(SATO, ABE, 1), answered(SATO)]);
    let gone = Command::SetDoctorPresent { doctor: ABE, present: false, heard: after(100) };
    when(&mut room, gone, after(116));
    assert_eq!(room.next_deadline(), Some(after(160)));
    assert_eq!(when(&mut room, Command::Expire, Timestamp(after(160).0 - 1)), []);
    let returned = when(&mut room, Command::Expire, after(160));
    assert!(matches!(returned[..], [Event::ReturnedToFront { why: Why::DoctorGone, .. }]));
}

#[test]
fn a_place_is_kept_from_the_last_sign_of_life() {
    let mut room = given([invited(SATO), arrived(SATO)]);
    let gone = Command::SetPatientPresent { ticket: SATO, present: false, heard: after(100) };
    when(&mut room, gone, after(116));
    assert_eq!(room.next_deadline(), Some(after(100) + PLACE_GRACE));
}

#[test]
fn silence_in_which_nobody_looked_is_not_counted() {
    let mut room = given([invited(SATO), arrived(SATO), called(SATO, ABE, 1), answered(SATO)]);
    let gone = Command::SetDoctorPresent { doctor: ABE, present: false, heard: after(100) };
    when(&mut room, gone, after(400));
    assert_eq!(room.next_deadline(), Some(after(400) - UNHEARD_MAX + DOCTOR_GRACE));
}

#[test]
fn an_absence_stored_without_its_last_sign_of_life_counts_from_the_event() {
    let stored = serde_json::json!({ "event": "doctor_away", "doctor": ABE });
    let away: Event = serde_json::from_value(stored).expect("an event of before");
    assert_eq!(away, Event::DoctorAway { doctor: ABE, since: None });
    let mut room = given([invited(SATO), arrived(SATO), called(SATO, ABE, 1), answered(SATO)]);
    room.evolve(&away, after(50));
    assert_eq!(room.next_deadline(), Some(after(50) + DOCTOR_GRACE));
}
