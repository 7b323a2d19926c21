//! A node that lived through a busy day keeps what is used in memory, and nothing is lost by it.

use minato_protocol::{Code, RoomId, Span, TicketId};
use minato_signaling::access::{Principal, Secrets, SessionCommand, Why};
use minato_signaling::clock::Clock;
use minato_signaling::desk::{Desk, KEEPERS_MAX};
use minato_signaling::log::{EventLog, MemoryLog, StreamId};
use std::sync::Arc;

const SESSIONS: u64 = 10_000;

fn stream(number: u64) -> StreamId {
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&number.to_be_bytes());
    StreamId::session(&hash)
}

#[tokio::test]
async fn ten_thousand_sessions_do_not_keep_ten_thousand_keepers_and_the_first_still_works() {
    let log: Arc<dyn EventLog> = Arc::new(MemoryLog::default());
    let desk = Desk::new(log, Clock::start(), Secrets::from_bytes([7; 32]));
    let expires = desk.clock.now() + Span::minutes(60);
    let principal = |number| {
        let (room, ticket) = (RoomId(1), TicketId(number));
        Principal::Patient { room, ticket, generation: 0 }
    };
    for number in 0..SESSIONS {
        let open = SessionCommand::Open { principal: principal(number), expires };
        desk.sessions.submit(&stream(number), None, open).await.expect("opened");
    }
    assert!(desk.sessions.keepers() <= KEEPERS_MAX, "{} keepers", desk.sessions.keepers());

    let first = desk.sessions.see(&stream(0)).await.expect("readable");
    assert_eq!((first.version, first.state.opened), (1, Some((principal(0), expires))));
    let allowed = desk.sessions.submit(&stream(0), None, SessionCommand::Allow).await;
    assert_eq!(allowed.expect("it is as it was").seen.version, 2);
    let close = SessionCommand::Close(Why::Refused);
    desk.sessions.submit(&stream(1), None, close).await.expect("closed");
    // Pushed off the shelf again and again, what is closed stays closed.
    for number in 2..SESSIONS {
        desk.sessions.see(&stream(number)).await.expect("readable");
    }
    let again = SessionCommand::Open { principal: principal(1), expires };
    let reopened = desk.sessions.submit(&stream(1), None, again).await;
    assert_eq!(reopened.err(), Some(Code::NotAllowed));
    assert!(desk.sessions.keepers() <= KEEPERS_MAX);
}
