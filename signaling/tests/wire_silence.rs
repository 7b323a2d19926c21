//! A screen that says nothing any more: the broker gives it up, and only it. The heartbeat is a fast
//! one, so that a test waits seconds; what is asserted is counted in pings, not in time.

mod wire_support;

use minato_protocol::wire::ToScreen;
use minato_signaling::http::Heartbeat;
use minato_signaling::presence::Seat;
use std::time::Duration;
use wire_support::{Broker, Clinic, Raw, Seen};

/// Thirteen pings go out before a silence is too long: time enough for an answer on a busy machine.
const FAST: Heartbeat =
    Heartbeat { every: Duration::from_millis(200), silence_max: Duration::from_millis(2_500) };
const PINGS_MAX: usize = 15;

fn pings(seen: &Seen) -> usize {
    seen.transcript.matches(r#"{"type":"ping""#).count()
}

#[tokio::test]
async fn a_silent_screen_is_given_up_and_one_that_answers_is_not() {
    let clinic = Clinic::within(Broker::start_beating(FAST).await, 1).await;
    let answering = clinic.at_home(1).await;
    let link = clinic.invite(2).await;
    let cookie = clinic.join(&link.secret).await;
    let mut silent = Raw::greeted(&clinic.broker, &cookie).await;
    let seat = Seat::Ticket(link.ticket);
    assert!(clinic.broker.edge.presence.is_there(seat));

    let mut heard = 0;
    while let Some(message) = silent.next().await {
        if let ToScreen::Ping { .. } = message {
            heard += 1;
            assert!(heard <= PINGS_MAX, "it is asked on and on");
        }
    }
    assert!(heard > 0, "it was asked whether it is there");
    clinic.until_empty(seat).await;

    // Longer than the silence that was too long, and it is still there.
    let screen = &answering.screen;
    screen.until("it was asked often", |seen| pings(seen) > 2 * PINGS_MAX).await;
    assert!(screen.shows(|seen| !seen.over && seen.bye.is_none()));
    assert!(clinic.broker.edge.presence.is_there(Seat::Ticket(answering.ticket)));
}

#[test]
fn a_page_that_waits_for_three_heartbeats_reconnects_before_it_is_given_up() {
    let Heartbeat { every, silence_max } = Heartbeat::default();
    assert!(every * 3 < silence_max);
    assert_eq!((every, silence_max), (Duration::from_secs(5), Duration::from_secs(16)));
}
