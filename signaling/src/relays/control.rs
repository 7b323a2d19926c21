//! Tells one relay who belongs into each visit whenever it changes, and everything again after each
//! connection; hears whether it is there.

use super::assignment::{LEASE, RelayNo};
use super::dial::Connection;
use super::{Helm, List, Wishes};
use futures_util::{SinkExt, StreamExt};
use minato_protocol::media::{FromRelay, ToRelay};
use minato_protocol::{ParticipantId, VisitId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

type Socket = WebSocketStream<Box<dyn Connection>>;

const RETRY: Duration = Duration::from_millis(500);
/// A relay with a lease answers a question at least this often.
const BEAT: Duration = Duration::from_secs(1);

/// Who is told what.
#[derive(Debug, Default)]
pub(super) struct Orders {
    pub(super) wishes: Arc<Wishes>,
    /// Visits by the relays that serve them, stand by for them, or still have somebody of them.
    pub(super) told: BTreeMap<RelayNo, BTreeSet<VisitId>>,
}

pub(super) type OrdersHeard = watch::Receiver<Option<Arc<Orders>>>;

/// Keeps one relay informed until the task is dropped.
pub(super) async fn follow(helm: Arc<Helm>, relay: RelayNo, mut orders: OrdersHeard) {
    loop {
        match connect(&helm, relay).await {
            Ok(socket) => {
                tracing::info!(relay = relay.0, "relay follows");
                if let Err(error) = steer(&helm, relay, &mut orders, socket).await {
                    tracing::warn!(relay = relay.0, %error, "relay lost");
                }
            }
            Err(error) => tracing::debug!(relay = relay.0, %error, "relay does not answer"),
        }
        tokio::time::sleep(RETRY).await;
    }
}

async fn connect(helm: &Helm, relay: RelayNo) -> Result<Socket, Error> {
    let place = helm.fleet.place(relay).ok_or(Error::ConnectionClosed)?;
    let mut request = place.control_url.as_str().into_client_request()?;
    let bearer = format!("Bearer {}", helm.key.control_token(helm.desk.clock.now_elsewhere()));
    let bearer = HeaderValue::from_str(&bearer)
        .map_err(tokio_tungstenite::tungstenite::http::Error::from)?;
    request.headers_mut().insert("authorization", bearer);
    let connected = async {
        let stream = helm.fleet.dialer.connect(request.uri()).await.map_err(Error::Io)?;
        client_async(request, stream).await
    };
    let (socket, _) = within_lease(connected).await?;
    Ok(socket)
}

/// A relay that takes longer for anything has no lease left.
async fn within_lease<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    timeout(LEASE, work).await.unwrap_or(Err(Error::ConnectionClosed))
}

/// What the relay was told in this connection.
type Told = BTreeMap<VisitId, (u32, Vec<ParticipantId>)>;

async fn steer(
    helm: &Helm,
    relay: RelayNo,
    orders: &mut OrdersHeard,
    mut socket: Socket,
) -> Result<(), Error> {
    let mut told = Told::new();
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut unanswered = 0;
    loop {
        let newest = orders.borrow_and_update().clone();
        for message in newest.map(|orders| news(&orders, relay, &mut told)).unwrap_or_default() {
            say(&mut socket, &message).await?;
        }
        tokio::select! {
            // What was said while this node did not look counts before its silence does.
            biased;
            message = socket.next() => {
                let message = message.ok_or(Error::ConnectionClosed)??;
                unanswered = 0;
                helm.fleet.heard(relay, read(&message));
            }
            changed = orders.changed() => if changed.is_err() { return Ok(()) },
            _ = beat.tick() => {
                if BEAT * unanswered > LEASE {
                    return Err(Error::ConnectionClosed);
                }
                unanswered += 1;
                say(&mut socket, &ToRelay::Ping).await?;
            }
        }
    }
}

async fn say(socket: &mut Socket, message: &ToRelay) -> Result<(), Error> {
    let text = serde_json::to_string(message).unwrap_or_default();
    within_lease(socket.send(Message::text(text))).await
}

/// What a newer relay says beyond our words is a sign of life all the same.
fn read(message: &Message) -> Option<FromRelay> {
    let said = serde_json::from_str(message.to_text().ok()?).ok()?;
    match &said {
        FromRelay::Hello { version, present, .. } => {
            tracing::info!(version, present = present.len(), "relay says who is there");
        }
        FromRelay::Left { visit, reason, .. } => {
            tracing::debug!(%visit, ?reason, "a participant left the relay");
        }
        FromRelay::Draining => tracing::warn!("the relay stops soon"),
        FromRelay::Joined { .. } | FromRelay::Applied { .. } | FromRelay::Pong => {}
    }
    Some(said)
}

/// What a relay has to be told since the last round. A visit that goes on elsewhere gets an empty
/// list, since it may come back under the same claim; only one that is over is closed.
fn news(orders: &Orders, relay: RelayNo, told: &mut Told) -> Vec<ToRelay> {
    let lists = &orders.wishes.lists;
    let mut messages = Vec::new();
    told.retain(|visit, _| {
        let goes_on = lists.contains_key(visit);
        if !goes_on {
            messages.push(ToRelay::Close { visit: *visit });
        }
        goes_on
    });
    let here = orders.told.get(&relay);
    for (visit, list) in lists {
        let is_told = here.is_some_and(|visits| visits.contains(visit));
        let participants = if is_told { list.participants.clone() } else { Vec::new() };
        let news = (list.generation, participants);
        let is_known = told.get(visit) == Some(&news);
        if is_known || !(is_told || told.contains_key(visit)) {
            continue;
        }
        messages.push(desired(*visit, list, news.1.clone()));
        told.insert(*visit, news);
    }
    messages
}

fn desired(visit: VisitId, list: &List, participants: Vec<ParticipantId>) -> ToRelay {
    ToRelay::Desired { visit, seq: list.seq, generation: list.generation, participants }
}

#[cfg(test)]
mod tests {
    use super::*;
    use minato_protocol::TicketId;

    const VISIT: VisitId = VisitId(1);
    const HERE: RelayNo = RelayNo(0);
    const SATO: ParticipantId = ParticipantId(2);

    fn orders(goes_on: bool, is_told: bool) -> Orders {
        let list = List { ticket: TicketId(1), generation: 3, seq: 9, participants: vec![SATO] };
        let lists = goes_on.then_some((VISIT, list)).into_iter().collect();
        let wishes = Arc::new(Wishes { lists, ..Wishes::default() });
        let told = is_told.then_some((HERE, BTreeSet::from([VISIT]))).into_iter().collect();
        Orders { wishes, told }
    }

    fn list(participants: &[ParticipantId]) -> Vec<ToRelay> {
        let participants = participants.to_vec();
        vec![ToRelay::Desired { visit: VISIT, seq: 9, generation: 3, participants }]
    }

    #[test]
    fn a_relay_hears_of_its_own_visits_only_and_once() {
        let mut told = Told::new();
        assert_eq!(news(&orders(true, false), HERE, &mut told), []);
        assert_eq!(news(&orders(true, true), HERE, &mut told), list(&[SATO]));
        assert_eq!(news(&orders(true, true), HERE, &mut told), []);
    }

    #[test]
    fn a_visit_that_moved_away_may_come_back_under_the_same_claim() {
        let mut told = Told::new();
        news(&orders(true, true), HERE, &mut told);
        assert_eq!(news(&orders(true, false), HERE, &mut told), list(&[]));
        assert_eq!(news(&orders(true, false), HERE, &mut told), []);
        assert_eq!(news(&orders(true, true), HERE, &mut told), list(&[SATO]));
    }

    #[test]
    fn a_visit_that_is_over_is_closed_wherever_it_was() {
        let mut told = Told::new();
        news(&orders(true, true), HERE, &mut told);
        news(&orders(true, false), HERE, &mut told);
        assert_eq!(news(&orders(false, false), HERE, &mut told), [ToRelay::Close { visit: VISIT }]);
        assert_eq!(news(&orders(false, false), HERE, &mut told), []);
    }
}
