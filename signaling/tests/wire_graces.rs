//! Who is gone, for how long, and what happens then: on the clinic's clock, over the wire.

mod wire_support;

use minato_protocol::act::{Act, ContactOutcome, Duty, Outcome};
use minato_protocol::view::{AlertKind, TicketState, Why};
use minato_protocol::{Code, Span, TicketId};
use minato_signaling::http::Edge;
use minato_signaling::log::{MemoryLog, StreamId};
use minato_signaling::presence::Seat;
use std::sync::Arc;
use wire_support::{Clinic, Screen, Seen, doctor_id, person};

const LEASE: Span = Span(15_100);
const MINUTE: Span = Span(60_100);

async fn patient_leaves_the_page(clinic: &Clinic, ticket: TicketId, screen: Screen) {
    drop(screen);
    clinic.until_empty(Seat::Ticket(ticket)).await;
}

async fn doctor_leaves_the_page(clinic: &Clinic, number: u64, screen: Screen) {
    drop(screen);
    clinic.until_empty(Seat::Staff(doctor_id(number))).await;
}

fn is_away(seen: &Seen, ticket: TicketId) -> bool {
    seen.ticket(ticket).is_some_and(|row| row.away_since.is_some())
}

fn why(seen: &Seen, ticket: TicketId) -> Option<Why> {
    seen.ticket(ticket).map(|row| row.why)
}

#[tokio::test]
async fn a_reload_within_fifteen_seconds_is_no_event() {
    let clinic = Clinic::open(1).await;
    let (doctor, patient) = (clinic.doctor(1).await, clinic.at_home(1).await);
    let (ito, kato) = (clinic.at_home(2).await, clinic.at_home(3).await);
    clinic.visit(&doctor, &patient.screen, patient.ticket).await;
    let doctors_cookie = clinic.broker.sign_in(doctor_id(1)).await;
    patient_leaves_the_page(&clinic, patient.ticket, patient.screen).await;
    doctor_leaves_the_page(&clinic, 1, doctor).await;
    clinic.advance(Span::seconds(14));
    let _doctor = Screen::open(&clinic.broker, &doctors_cookie).await;
    let screen = Screen::open(&clinic.broker, &patient.cookie).await;
    assert_eq!(screen.shows(|seen| seen.place().map(|row| row.state)), Some(TicketState::InVisit));
    // Two others go for good: the watchman has looked at everybody once Kato is noted after Ito.
    for other in [ito, kato] {
        patient_leaves_the_page(&clinic, other.ticket, other.screen).await;
        clinic.advance(LEASE);
        clinic.board.until("the other one is away", |seen| is_away(seen, other.ticket)).await;
    }
    let room = clinic.room;
    let absences = move |edge: Arc<Edge>| async move {
        let events = edge.desk.log.read_after(&StreamId::room(room), 0, 10_000).await;
        let events = events.expect("readable").into_iter();
        let away = events.filter(|event| ["patient_away", "doctor_away"].contains(&&*event.kind));
        away.map(|event| event.body.to_string()).collect::<Vec<String>>()
    };
    let absences = clinic.broker.inside(absences).await;
    assert_eq!(absences.len(), 2, "{absences:?}");
    assert!(!absences.concat().contains(&patient.ticket.to_string()));
}

#[tokio::test]
async fn a_doctor_whose_screen_is_gone_for_a_minute_loses_the_patient_to_the_front() {
    let clinic = Clinic::open(2).await;
    let (doctor, patient) = (clinic.doctor(1).await, clinic.at_home(1).await);
    let second = clinic.at_home(2).await;
    let ticket = patient.ticket;
    clinic.visit(&doctor, &patient.screen, ticket).await;
    doctor_leaves_the_page(&clinic, 1, doctor).await;
    clinic.advance(LEASE);
    let told = |seen: &Seen| seen.has_alert(AlertKind::DoctorGone, ticket);
    clinic.board.until("the coordinator is told", told).await;
    clinic.until(ticket, TicketState::InVisit).await;
    // A minute after the screen was last heard, not a minute after somebody was told.
    clinic.advance(Span(MINUTE.0 - LEASE.0));
    clinic.until(ticket, TicketState::Waiting).await;
    assert_eq!(clinic.board.shows(|seen| why(seen, ticket)), Some(Why::DoctorGone));
    let explained = |seen: &Seen| {
        seen.place().is_some_and(|row| row.why == Why::DoctorGone && row.ahead == Some(0))
    };
    patient.screen.until("the patient is told why", explained).await;

    // At the front: before who came earlier to the queue than she came back to it.
    let other = clinic.doctor(2).await;
    let called = other.must(Act::CallNext { room: clinic.room }).await;
    let Outcome::Called { ticket: called, .. } = called else { panic!("{called:?}") };
    assert_eq!(called, ticket);
    // The doctor who comes back is free.
    let back = clinic.staff(doctor_id(1)).await;
    let next = back.must(Act::CallNext { room: clinic.room }).await;
    let Outcome::Called { ticket: next, .. } = next else { panic!("{next:?}") };
    assert_eq!(next, second.ticket);
}

#[tokio::test]
async fn a_patient_who_is_gone_keeps_the_place_for_half_an_hour_and_is_then_telephoned() {
    let clinic = Clinic::open(1).await;
    let doctor = clinic.doctor(1).await;
    let patient = clinic.at_home(1).await;
    let ticket = patient.ticket;
    patient_leaves_the_page(&clinic, ticket, patient.screen).await;
    clinic.advance(LEASE);
    clinic.board.until("the board shows it", |seen| is_away(seen, ticket)).await;
    let next = || Act::CallNext { room: clinic.room };
    assert_eq!(doctor.refused(next()).await, Code::NobodyCallable);
    clinic.advance(Span::minutes(29));
    assert_eq!(doctor.refused(next()).await, Code::NobodyCallable);
    let again = Screen::open(&clinic.broker, &patient.cookie).await;
    clinic.board.until("back in time", |seen| !is_away(seen, ticket)).await;
    assert_eq!(again.shows(|seen| seen.place().map(|row| row.ahead)), Some(Some(0)));

    patient_leaves_the_page(&clinic, ticket, again).await;
    clinic.advance(LEASE);
    clinic.board.until("gone again", |seen| is_away(seen, ticket)).await;
    clinic.advance(Span::minutes(31));
    clinic.until(ticket, TicketState::Unanswered).await;
    let alert = |seen: &Seen| seen.has_alert(AlertKind::Unanswered, ticket);
    clinic.board.until("somebody has to telephone", alert).await;
    // Nobody is ever dropped without a telephone call, however long it takes.
    clinic.advance(Span::minutes(9 * 60));
    clinic.board.must(Act::RecordContact { ticket, outcome: ContactOutcome::NotReached }).await;
    clinic.until(ticket, TicketState::Unanswered).await;
    clinic.board.must(Act::RecordContact { ticket, outcome: ContactOutcome::Ready }).await;
    clinic.until(ticket, TicketState::Waiting).await;
    let called = doctor.must(next()).await;
    assert!(matches!(called, Outcome::Called { ticket: called, .. } if called == ticket));
}

#[tokio::test]
async fn a_call_that_is_not_answered_for_a_minute_is_missed_and_twice_is_telephoned() {
    let clinic = Clinic::open(1).await;
    let (doctor, patient) = (clinic.doctor(1).await, clinic.at_home(1).await);
    let ticket = patient.ticket;
    let next = || Act::CallNext { room: clinic.room };
    doctor.must(next()).await;
    clinic.advance(Span::seconds(58));
    clinic.until(ticket, TicketState::Called).await;
    clinic.advance(Span::seconds(3));
    clinic.until(ticket, TicketState::Waiting).await;
    assert_eq!(clinic.board.shows(|seen| why(seen, ticket)), Some(Why::Missed));
    assert_eq!(doctor.refused(next()).await, Code::NobodyCallable);
    clinic.advance(Span::minutes(3));
    doctor.must(next()).await;
    clinic.advance(MINUTE);
    clinic.until(ticket, TicketState::Unanswered).await;
    let alert = |seen: &Seen| seen.has_alert(AlertKind::Unanswered, ticket);
    clinic.board.until("somebody has to telephone", alert).await;
    // The doctor is free at once.
    let other = clinic.at_home(2).await;
    let (called, _) = (doctor.must(next()).await, other);
    assert!(matches!(called, Outcome::Called { .. }));
}

#[tokio::test]
async fn a_patient_gone_in_the_visit_is_parked_and_comes_back_to_the_same_doctor() {
    let clinic = Clinic::open(2).await;
    let (doctor, other) = (clinic.doctor(1).await, clinic.doctor(2).await);
    let patient = clinic.at_home(1).await;
    let ticket = patient.ticket;
    let (visit, epoch) = clinic.visit(&doctor, &patient.screen, ticket).await;
    patient_leaves_the_page(&clinic, ticket, patient.screen).await;
    clinic.advance(LEASE);
    let gone = |seen: &Seen| seen.has_alert(AlertKind::PatientGone, ticket);
    doctor.until("the doctor is told", gone).await;
    doctor.must(Act::Park { ticket, epoch }).await;
    let second = clinic.at_home(2).await;
    let (_, ended) = clinic.call(&doctor, second.ticket).await;
    clinic.end(&doctor, second.ticket, ended).await;

    let _back = Screen::open(&clinic.broker, &patient.cookie).await;
    clinic.until(ticket, TicketState::Waiting).await;
    let next = || Act::CallNext { room: clinic.room };
    assert_eq!(other.refused(next()).await, Code::NobodyCallable);
    let called = doctor.must(next()).await;
    let Outcome::Called { visit: resumed, .. } = called else { panic!("{called:?}") };
    assert_eq!(resumed, visit, "the same papers go on");
}

#[tokio::test]
async fn a_doctor_who_does_not_answer_is_reported_to_the_board() {
    let clinic = Clinic::open(1).await;
    let (doctor, patient) = (clinic.doctor(1).await, clinic.at_home(1).await);
    let ticket = patient.ticket;
    clinic.visit(&doctor, &patient.screen, ticket).await;
    patient.screen.must(Act::DoctorSilent { ticket }).await;
    let alert = |seen: &Seen| seen.has_alert(AlertKind::DoctorSilent, ticket);
    clinic.board.until("the board is told", alert).await;
}

#[tokio::test]
async fn a_log_that_was_away_is_said_honestly_and_goes_on_where_it_was() {
    let log = Arc::new(MemoryLog::default());
    let clinic = Clinic::over(Arc::clone(&log) as _, 1).await;
    let doctor = clinic.doctor(1).await;
    let patient = clinic.at_home(1).await;
    let duty = |duty| Act::SetDuty { room: clinic.room, duty };
    log.set_away(true);
    assert_eq!(doctor.refused(duty(Duty::Break)).await, Code::NotDurable);
    assert_eq!(doctor.refused(Act::CallNext { room: clinic.room }).await, Code::NotDurable);
    assert_eq!(
        patient.screen.refused(Act::Leave { ticket: patient.ticket }).await,
        Code::NotDurable
    );
    log.set_away(false);
    doctor.must(duty(Duty::Break)).await;
    doctor.must(duty(Duty::On)).await;
    clinic.visit(&doctor, &patient.screen, patient.ticket).await;
    let shown =
        |seen: &Seen| seen.visits().first().is_some_and(|row| row.person == Some(person(1)));
    patient.screen.until("the visit goes on", shown).await;
}
