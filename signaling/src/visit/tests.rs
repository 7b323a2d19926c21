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

#[test]
fn no_order_before_the_doctor_knows_who_it_is() {
    let order = Command::WriteOrder { text: said("血圧をもう一度") };
    assert_eq!(given(&[]).decide(&order, T0), Err(Code::IdentityFirst));
    assert!(given(&[DOCTOR_KNOWS]).decide(&order, T0).is_ok());
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
    let visit = given(&[DOCTOR_KNOWS, written.clone()]);
    let done = Command::FinishOrder { order: 1 };
    assert_eq!(visit.decide(&done, T0), Err(Code::ReadBackFirst));
    let read = given(&[DOCTOR_KNOWS, written, Event::OrderReadBack { order: 1 }]);
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
