use super::*;
use crate::aggregate::Aggregate;

const T0: Timestamp = Timestamp(1_000);

fn said(text: &str) -> Pii<String> {
    Pii::new(SubjectId(3), text.to_owned())
}

fn given(events: &[Event]) -> Visit {
    let opened = Event::Opened { room: RoomId(1), ticket: TicketId(2), subject: SubjectId(3) };
    let mut visit = Visit::default();
    std::iter::once(&opened).chain(events).for_each(|event| visit.evolve(event, T0));
    visit
}

fn screen(participant: u64) -> Party {
    Party {
        participant: ParticipantId(participant),
        role: Role::Nurse,
        staff: Some(StaffId(9)),
        shared: true,
        companion: false,
    }
}

const DOCTOR_KNOWS: Event =
    Event::IdentityConfirmed { side: Side::Doctor, method: IdentityMethod::AskedNameAndBirthDate };

const PATIENT_KNOWS: Event =
    Event::IdentityConfirmed { side: Side::Patient, method: IdentityMethod::AskedNameAndBirthDate };

fn agreed() -> Event {
    Event::Consented { version: 1, explained_by: said("阿部"), language: Some(Language::Ja) }
}

#[test]
fn no_order_before_the_doctor_knows_who_it_is() {
    let order = Command::WriteOrder { text: said("血圧をもう一度") };
    assert_eq!(given(&[]).decide(&order, T0), Err(Code::IdentityFirst));
    assert_eq!(given(&[PATIENT_KNOWS, agreed()]).decide(&order, T0), Err(Code::IdentityFirst));
    assert!(given(&[DOCTOR_KNOWS, PATIENT_KNOWS, agreed()]).decide(&order, T0).is_ok());
}

#[test]
fn no_order_before_the_patients_side_said_that_it_is_so() {
    let order = Command::WriteOrder { text: said("血圧をもう一度") };
    assert_eq!(given(&[DOCTOR_KNOWS, agreed()]).decide(&order, T0), Err(Code::IdentityFirst));
    let spoken = Event::IdentityConfirmed { side: Side::Patient, method: IdentityMethod::Spoken };
    assert!(given(&[DOCTOR_KNOWS, spoken, agreed()]).decide(&order, T0).is_ok());
}

#[test]
fn a_doctor_does_not_make_sure_by_somebody_elses_word() {
    let own = Command::ConfirmIdentity { side: Side::Doctor, method: IdentityMethod::Spoken };
    assert_eq!(given(&[]).decide(&own, T0), Err(Code::FieldWrong));
}

#[test]
fn no_order_before_the_patient_agreed() {
    let order = Command::WriteOrder { text: said("血圧をもう一度") };
    let known = given(&[DOCTOR_KNOWS, PATIENT_KNOWS]);
    assert_eq!(known.decide(&order, T0), Err(Code::ConsentFirst));
    let deferred = Event::Deferred { reason: said("家族に電話で確かめた") };
    assert!(given(&[DOCTOR_KNOWS, deferred]).decide(&order, T0).is_ok());
}

#[test]
fn in_an_emergency_the_patients_side_may_wait_and_the_doctor_makes_sure_or_says_why_not() {
    let order = Command::WriteOrder { text: said("酸素") };
    let emergency = given(&[DOCTOR_KNOWS, Event::EmergencyRaised]);
    assert!(emergency.decide(&order, T0).is_ok());
    assert_eq!(given(&[DOCTOR_KNOWS]).may_be_treated(true), Ok(()));
    let unknown = given(&[Event::EmergencyRaised, PATIENT_KNOWS, agreed()]);
    assert_eq!(unknown.may_be_treated(true), Err(Code::IdentityFirst));
    assert_eq!(unknown.decide(&order, T0), Err(Code::IdentityFirst));
}

#[test]
fn without_consent_people_talk_call_for_help_turn_away_and_leave() {
    let visit = given(&[Event::Entered(screen(1))]);
    let say = Command::Say { from: None, role: Role::Patient, text: said("痛いです") };
    for command in [
        say,
        Command::Enter(screen(2)),
        Command::Exit { participant: ParticipantId(1) },
        Command::GoAudioOnly { reason: said("回線") },
        Command::RaiseEmergency,
        Command::MarkWrongPatient,
        Command::Close { disposition: Some(Disposition::Refused), note: said("") },
    ] {
        assert!(visit.decide(&command, T0).is_ok(), "{command:?}");
    }
}

#[test]
fn once_it_was_another_person_nothing_is_settled_or_ordered_under_this_name() {
    let wrong = given(&[DOCTOR_KNOWS, PATIENT_KNOWS, agreed(), Event::WrongPatientMarked]);
    for command in [
        Command::WriteOrder { text: said("酸素") },
        Command::Defer { reason: said("急ぐ") },
        Command::ConfirmIdentity { side: Side::Doctor, method: IdentityMethod::CardShown },
        Command::Consent { version: 1, explained_by: said("阿部"), language: Some(Language::Ja) },
    ] {
        assert_eq!(wrong.decide(&command, T0), Err(Code::Quarantined), "{command:?}");
    }
    assert_eq!(wrong.may_be_treated(false), Err(Code::Quarantined));
    assert_eq!(wrong.decide(&Command::MarkWrongPatient, T0), Ok(vec![]));
}

#[test]
fn a_consent_keeps_its_text_its_language_and_who_explained_it() {
    for language in [Some(Language::En), None] {
        let consent = Command::Consent { version: 3, explained_by: said("阿部"), language };
        let events = given(&[]).decide(&consent, T0).expect("always possible");
        assert_eq!(events, [Event::Consented { version: 3, explained_by: said("阿部"), language }]);
    }
}

#[test]
fn a_consent_stored_without_its_language_is_still_one() {
    let explained_by = said("阿部");
    let stored = serde_json::json!({
        "event": "consented", "version": 1, "explained_by": explained_by
    });
    let event: Event = serde_json::from_value(stored).expect("an event of before");
    assert_eq!(event, Event::Consented { version: 1, explained_by, language: None });
    let visit = given(&[DOCTOR_KNOWS, PATIENT_KNOWS, event]);
    assert_eq!(visit.may_be_treated(false), Ok(()));
}

#[test]
fn an_emergency_may_defer_the_identity_with_a_reason() {
    let deferred = given(&[Event::Deferred { reason: said("意識がない") }]);
    assert!(deferred.decide(&Command::WriteOrder { text: said("酸素") }, T0).is_ok());
    let silent = given(&[]).decide(&Command::Defer { reason: said("  ") }, T0);
    assert_eq!(silent, Err(Code::FieldWrong));
}

#[test]
fn an_order_is_read_back_before_it_is_done() {
    let written = Event::OrderWritten { order: 1, text: said("酸素 2 L") };
    let visit = given(&[DOCTOR_KNOWS, PATIENT_KNOWS, agreed(), written.clone()]);
    let done = Command::FinishOrder { order: 1 };
    assert_eq!(visit.decide(&done, T0), Err(Code::ReadBackFirst));
    let read =
        given(&[DOCTOR_KNOWS, PATIENT_KNOWS, agreed(), written, Event::OrderReadBack { order: 1 }]);
    assert_eq!(read.decide(&done, T0), Ok(vec![Event::OrderFinished { order: 1 }]));
    assert_eq!(read.decide(&Command::FinishOrder { order: 0 }, T0), Err(Code::OrderUnknown));
}

#[test]
fn the_seventh_screen_is_told_that_the_visit_is_full() {
    let six: Vec<Event> = (0..6).map(|n| Event::Entered(screen(n))).collect();
    let visit = given(&six);
    assert_eq!(visit.decide(&Command::Enter(screen(6)), T0), Err(Code::VisitFull));
    assert_eq!(visit.decide(&Command::Enter(screen(5)), T0), Ok(vec![]));
}

#[test]
fn after_the_end_nothing_more_is_written() {
    let over = given(&[Event::Closed { disposition: None, note: said("") }]);
    assert_eq!(over.decide(&Command::RaiseEmergency, T0), Err(Code::VisitOver));
}

#[test]
fn a_line_longer_than_the_bound_is_refused() {
    let long = "あ".repeat(TEXT_CHARS_MAX + 1);
    let say = Command::Say { from: None, role: Role::Patient, text: said(&long) };
    assert_eq!(given(&[]).decide(&say, T0), Err(Code::FieldWrong));
}
