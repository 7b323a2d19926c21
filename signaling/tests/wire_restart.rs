//! The broker is gone at once and comes back over the same file: nobody lost anything, nobody is
//! punished for the time it was away, and what was half done is settled.

mod wire_support;

use minato_protocol::act::{Act, Outcome};
use minato_protocol::view::TicketState;
use minato_protocol::{Code, RoomId, Span, StaffId, TicketId};
use minato_signaling::access::Secrets;
use minato_signaling::clock::Clock;
use minato_signaling::http::Edge;
use minato_signaling::log::{Draft, EventLog, SqliteLog, StreamId};
use minato_signaling::presence::Seat;
use minato_signaling::staff::{Event as StaffEvent, Reservation};
use minato_signaling::vault::Vault;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wire_support::{Broker, Clinic, Screen, Seen, doctor_id, nurse_id, until};

/// What stays when the process is gone.
struct Disk {
    folder: tempfile::TempDir,
    secrets: Secrets,
}

impl Disk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), secrets: Secrets::random() }
    }

    /// The file is free once the last of the old process is gone.
    async fn log(&self) -> Arc<dyn EventLog> {
        let deadline = Instant::now() + wire_support::PATIENCE;
        loop {
            let vault = Vault::open(&self.folder.path().join("keys.db"));
            let opened =
                vault.map(|vault| SqliteLog::open(&self.folder.path().join("log.db"), vault));
            match opened {
                Ok(Ok(log)) => return Arc::new(log),
                Ok(Err(error)) | Err(error) => {
                    assert!(Instant::now() < deadline, "the file stays taken: {error}");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }

    async fn start(&self, clock: Clock) -> Broker {
        Broker::start(self.log().await, clock, self.secrets.clone()).await
    }
}

fn later(than: &Clock, span: Span) -> Clock {
    let clock = Clock::start();
    clock.advance(than.now() - clock.now());
    clock.advance(span);
    clock
}

async fn the_service_noted_that_it_was_there(clinic: &Clinic) {
    let edge = Arc::clone(&clinic.broker.edge);
    until("a beat", || async {
        let beat = edge.desk.log.last_beat().await.expect("readable");
        beat.is_some_and(|beat| edge.desk.clock.now() - beat < Span::seconds(5))
    })
    .await;
}

async fn board_until(board: &Screen, ticket: TicketId, state: TicketState) {
    let what = format!("{ticket} is {state:?}");
    let holds = |seen: &Seen| seen.ticket(ticket).is_some_and(|row| row.state == state);
    board.until(&what, holds).await;
}

#[tokio::test]
async fn time_in_which_the_service_was_away_counts_against_nobody() {
    let disk = Disk::new();
    let clinic = Clinic::within(disk.start(Clock::start()).await, 2).await;
    let cookies = [
        clinic.broker.sign_in(StaffId(1)).await,
        clinic.broker.sign_in(doctor_id(1)).await,
        clinic.broker.sign_in(doctor_id(2)).await,
    ];
    let (one, two) = (clinic.doctor(1).await, clinic.doctor(2).await);
    let (sato, ito, kato) =
        (clinic.at_home(1).await, clinic.at_home(2).await, clinic.at_home(3).await);
    // Kato is gone for twenty minutes, Sato is in a visit, Ito's telephone rings.
    let (kato_ticket, room) = (kato.ticket, clinic.room);
    drop(kato);
    clinic.until_empty(Seat::Ticket(kato_ticket)).await;
    let away = |seen: &Seen| seen.ticket(kato_ticket).is_some_and(|row| row.away_since.is_some());
    clinic.advance(Span::seconds(16));
    clinic.board.until("Kato is away", away).await;
    clinic.advance(Span::minutes(20));
    clinic.visit(&one, &sato.screen, sato.ticket).await;
    clinic.call(&two, ito.ticket).await;
    the_service_noted_that_it_was_there(&clinic).await;
    let sato_has = sato.screen.shows(Seen::have);

    let clock = later(&clinic.broker.edge.desk.clock, Span::minutes(120));
    let Clinic { broker, board, .. } = clinic;
    broker.kill().await;
    drop((board, one, two));
    let broker = disk.start(clock.clone()).await;
    let board = Screen::open(&broker, &cookies[0]).await;
    let one = Screen::open(&broker, &cookies[1]).await;
    let _two = Screen::open(&broker, &cookies[2]).await;
    // Another run counts its versions anew: the page is sent everything.
    let sato_again = Screen::resume(&broker, &sato.cookie, sato_has).await;
    assert_eq!(sato_again.shows(|seen| (seen.unchanged.len(), seen.whole.len())), (0, 2));
    let _ito = Screen::open(&broker, &ito.cookie).await;
    for (ticket, state) in [
        (sato.ticket, TicketState::InVisit),
        (ito.ticket, TicketState::Called),
        (kato_ticket, TicketState::Waiting),
    ] {
        board_until(&board, ticket, state).await;
    }
    // Sato's doctor is still reserved for Sato.
    let reserved = |edge: Arc<Edge>| async move {
        let seen = edge.desk.staff.see(&StreamId::staff(doctor_id(1))).await;
        seen.expect("readable").state.reserved.map(|(reservation, _)| reservation.ticket)
    };
    assert_eq!(broker.inside(reserved).await, Some(sato.ticket));
    let free = Act::CallOne { room, ticket: kato_ticket };
    assert_eq!(one.refused(free).await, Code::DoctorBusy);

    clock.advance(Span::minutes(9));
    board_until(&board, ito.ticket, TicketState::Waiting).await;
    board_until(&board, kato_ticket, TicketState::Waiting).await;
    clock.advance(Span::minutes(2));
    board_until(&board, kato_ticket, TicketState::Unanswered).await;
    board_until(&board, sato.ticket, TicketState::InVisit).await;
}

/// What a process leaves behind that died between the reservation and the call.
async fn reserve_only(disk: &Disk, clock: &Clock, staff: StaffId, reservation: Reservation) {
    let log = disk.log().await;
    let stream = StreamId::staff(staff);
    let version = log.verify_chain(&stream).await.expect("whole").version;
    let event = serde_json::to_value(StaffEvent::Reserved(reservation)).expect("plain");
    let draft = Draft { kind: "reserved".into(), at: clock.now(), body: json!({ "is": event }) };
    log.append(&stream, version, vec![draft]).await.expect("appended");
}

#[tokio::test]
async fn a_claim_that_was_cut_between_reservation_and_call_is_settled_within_seconds() {
    let disk = Disk::new();
    let clinic = Clinic::within(disk.start(Clock::start()).await, 1).await;
    let (doctor, nurse) = (clinic.doctor(1).await, clinic.nurse(1).await);
    let ticket = clinic.in_bed(&nurse, 1).await;
    let cookies =
        [clinic.broker.sign_in(doctor_id(1)).await, clinic.broker.sign_in(nurse_id(1)).await];
    let room: RoomId = clinic.room;
    let clock = later(&clinic.broker.edge.desk.clock, Span(0));
    clinic.broker.kill().await;
    drop((clinic.board, doctor, nurse));
    let reservation = Reservation { room, ticket, epoch: 1 };
    for staff in [doctor_id(1), nurse_id(1)] {
        reserve_only(&disk, &clock, staff, reservation).await;
    }

    let broker = disk.start(clock.clone()).await;
    let begun = clock.now();
    let doctor = Screen::open(&broker, &cookies[0]).await;
    let _nurse = Screen::open(&broker, &cookies[1]).await;
    let edge = Arc::clone(&broker.edge);
    until("doctor and nurse are free again", || async {
        // Ten times as fast as people's.
        clock.advance(Span(100));
        let mut free = true;
        for staff in [doctor_id(1), nurse_id(1)] {
            let head = edge.desk.log.verify_chain(&StreamId::staff(staff)).await;
            // Reserved and released.
            free &= head.expect("whole").version == 2;
        }
        free
    })
    .await;
    let took = clock.now() - begun;
    assert!(took < Span::seconds(15), "it took {took:?}");
    let called = doctor.must(Act::CallNext { room }).await;
    // The epoch that the cut claim had reserved was burnt: it can never come any more.
    let Outcome::Called { ticket: called, epoch, .. } = called else { panic!("{called:?}") };
    assert_eq!((called, epoch), (ticket, 2));
}

#[tokio::test]
async fn a_press_repeated_after_the_restart_is_the_same_press() {
    let disk = Disk::new();
    let clinic = Clinic::within(disk.start(Clock::start()).await, 1).await;
    let cookie = clinic.broker.sign_in(doctor_id(1)).await;
    let doctor = Screen::open(&clinic.broker, &cookie).await;
    let room = clinic.room;
    let duty = minato_protocol::act::Duty::On;
    doctor.must(Act::SetDuty { room, duty }).await;
    let patient = clinic.at_home(1).await;
    let called = doctor.press_as("the-one-press", Act::CallNext { room }).await;
    assert!(called.is_ok(), "{called:?}");
    let clock = later(&clinic.broker.edge.desk.clock, Span::seconds(1));
    clinic.broker.kill().await;
    drop((clinic.board, doctor));
    let broker = disk.start(clock).await;
    let doctor = Screen::open(&broker, &cookie).await;
    let _patient = Screen::open(&broker, &patient.cookie).await;
    let again = doctor.press_as("the-one-press", Act::CallNext { room }).await;
    assert!(again == called, "first {called:?}, again {again:?}");
    let other = doctor.press_as("the-one-press", Act::SetDuty { room, duty }).await;
    assert_eq!(other, Err((Code::KeyReused, None)));
}
