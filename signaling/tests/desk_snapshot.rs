//! A room's snapshot is a cache: with it, without it or with a spoilt one the room is the same.

use minato_protocol::act::Duty;
use minato_protocol::view::{Clinic, Why};
use minato_protocol::{Person, RoomId, Span, StaffId, SubjectId, TicketId, VisitId};
use minato_signaling::access::Secrets;
use minato_signaling::aggregate::Aggregate as _;
use minato_signaling::clock::Clock;
use minato_signaling::desk::Desk;
use minato_signaling::log::{EventLog, MemoryLog, StreamId};
use minato_signaling::room::{Command, NewTicket, Room};
use minato_signaling::vault::Vault;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const ROOM: RoomId = RoomId(1);
const DOCTOR: StaffId = StaffId(1);
const PATIENTS: u64 = 20;

fn desk(log: &Arc<MemoryLog>) -> Desk {
    let log: Arc<dyn EventLog> = Arc::clone(log) as Arc<dyn EventLog>;
    Desk::new(log, Clock::start(), Secrets::from_bytes([7; 32]))
}

fn ticket(id: u64) -> NewTicket {
    let person =
        Person { name: "佐藤".into(), birth_date: "1944-12-01".into(), ..Person::default() };
    NewTicket::standard(TicketId(id), SubjectId(id), format!("K-{id}"), person)
}

async fn live_through_an_evening(desk: &Desk) {
    let clinic = Clinic::default();
    let mut commands = vec![
        Command::Open { name: "room".into(), clinic },
        Command::SetRoster { doctors: vec![DOCTOR] },
        Command::SetDuty { doctor: DOCTOR, duty: Duty::On },
        Command::Invite { tickets: (0..PATIENTS).map(ticket).collect() },
    ];
    commands.extend((0..PATIENTS).map(|id| Command::Arrive { ticket: TicketId(id) }));
    for command in commands {
        desk.in_room(ROOM, None, command).await.expect("accepted");
    }
    for step in 0..600u64 {
        let seen = desk.room(ROOM).await.expect("a room");
        let ticket = TicketId(step * 7 % PATIENTS);
        let epoch = seen.state.ticket(ticket).expect("a ticket").epoch + 1;
        let call = Command::Call { ticket, doctor: DOCTOR, epoch, visit: VisitId(step) };
        desk.in_room(ROOM, None, call).await.expect("called");
        let why = Why::ReturnedByDoctor;
        let back = Command::ReturnToFront { ticket, doctor: DOCTOR, epoch, why };
        desk.in_room(ROOM, None, back).await.expect("returned");
    }
}

fn order(room: &Room) -> Vec<TicketId> {
    room.waiting().map(|ticket| ticket.id).collect()
}

fn fold() -> u32 {
    Room::FOLD.expect("rooms have snapshots")
}

async fn snapshot_is_there(log: &MemoryLog) {
    let stream = StreamId::room(ROOM);
    let wait = async {
        while log.snapshot(&stream, fold()).await.expect("readable").is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.expect("a snapshot is put away");
}

#[tokio::test]
async fn a_room_is_the_same_with_its_snapshot_and_without() {
    let log = Arc::new(MemoryLog::new(Vault::in_memory()));
    let first = desk(&log);
    live_through_an_evening(&first).await;
    snapshot_is_there(&log).await;
    let lived = first.room(ROOM).await.expect("a room");

    let with = desk(&log).room(ROOM).await.expect("a room");
    assert_eq!(with.version, lived.version);
    assert_eq!(order(&with.state), order(&lived.state));
    assert_eq!(json!(with.state), json!(lived.state));

    let stream = StreamId::room(ROOM);
    let spoilt = json!({ "state": 7, "keys": [] });
    log.put_snapshot(&stream, fold(), 5, spoilt).await.expect("put");
    let without = desk(&log).room(ROOM).await.expect("a room");
    assert_eq!(json!(without.state), json!(lived.state));
    assert_eq!(order(&without.state), order(&lived.state));
}

#[tokio::test]
async fn a_grace_goes_on_after_a_start_from_a_snapshot() {
    let log = Arc::new(MemoryLog::new(Vault::in_memory()));
    let first = desk(&log);
    live_through_an_evening(&first).await;
    let heard = first.clock.now();
    let away = Command::SetPatientPresent { ticket: TicketId(3), present: false, heard };
    first.in_room(ROOM, None, away).await.expect("away");
    snapshot_is_there(&log).await;
    let again = desk(&log);
    again.clock.advance(Span::minutes(31));
    let settled = again.in_room(ROOM, None, Command::Expire).await.expect("looked at");
    assert_eq!(settled.events.len(), 1, "the place's grace is over exactly once");
}
