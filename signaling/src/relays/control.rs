//! Tells a relay who belongs into each visit, and gateways where to send waves, whenever it
//! changes; tells everything again after each connection.

use super::{MediaKey, Pass, RelayPlace, Wishes};
use crate::desk::Desk;
use crate::gateway::Gateways;
use futures_util::{SinkExt, StreamExt};
use minato_protocol::media::{FromRelay, PartyRole, ToRelay};
use minato_protocol::uplink::FromBroker;
use minato_protocol::{ParticipantId, VisitId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

const RETRY: Duration = Duration::from_millis(500);
/// A relay that says nothing for so long is away.
const SILENCE_MAX: Duration = Duration::from_secs(5);
const BEAT: Duration = Duration::from_secs(1);

/// What this node needs to steer a relay.
#[derive(Debug)]
pub struct Helm {
    /// States.
    pub desk: Arc<Desk>,
    /// Gateways that can be told where to send waves.
    pub gateways: Arc<Gateways>,
    /// Signs tokens.
    pub key: Arc<MediaKey>,
    /// Where the relay is.
    pub place: RelayPlace,
}

/// Keeps one relay informed until the task is dropped. `alive` says whether it answers.
pub async fn follow(helm: Helm, alive: tokio::sync::watch::Sender<bool>) {
    loop {
        match connect(&helm).await {
            Ok(socket) => {
                tracing::info!(relay = %helm.place.control_url, "relay follows");
                alive.send_replace(true);
                if let Err(error) = steer(&helm, socket).await {
                    tracing::warn!(%error, "relay lost");
                }
                alive.send_replace(false);
            }
            Err(error) => tracing::debug!(%error, "relay does not answer"),
        }
        tokio::time::sleep(RETRY).await;
    }
}

async fn connect(helm: &Helm) -> Result<Socket, tungstenite::Error> {
    let mut request = helm.place.control_url.as_str().into_client_request()?;
    let bearer = format!("Bearer {}", helm.key.control_token(helm.desk.clock.now_elsewhere()));
    let bearer = HeaderValue::from_str(&bearer).map_err(tungstenite::http::Error::from)?;
    request.headers_mut().insert("authorization", bearer);
    // Without waiting to fill a packet: a removal acts within two seconds on any link.
    let (socket, _) = tokio_tungstenite::connect_async_with_config(request, None, true).await?;
    Ok(socket)
}

/// What the relay and the gateways were told in this connection, and what the relay said.
#[derive(Debug, Default)]
struct Told {
    lists: BTreeMap<VisitId, (u32, Vec<ParticipantId>)>,
    waves: BTreeMap<VisitId, super::WaveParty>,
    /// Whose media is up; absent until the relay has said so.
    present: Option<BTreeSet<(VisitId, ParticipantId)>>,
}

async fn steer(helm: &Helm, mut socket: Socket) -> Result<(), tungstenite::Error> {
    let mut bell = helm.desk.bell.listen();
    let mut told = Told::default();
    let mut beat = tokio::time::interval(BEAT);
    let mut heard = tokio::time::Instant::now();
    loop {
        for message in news(helm, &mut told).await {
            let text = serde_json::to_string(&message).unwrap_or_default();
            socket.send(Message::text(text)).await?;
        }
        tokio::select! {
            changed = bell.changed() => if changed.is_err() { return Ok(()) },
            _ = beat.tick() => {
                if heard.elapsed() > SILENCE_MAX {
                    return Err(tungstenite::Error::ConnectionClosed);
                }
                let ping = serde_json::to_string(&ToRelay::Ping).unwrap_or_default();
                socket.send(Message::text(ping)).await?;
            }
            message = socket.next() => {
                heard = tokio::time::Instant::now();
                let message = message.ok_or(tungstenite::Error::ConnectionClosed)??;
                hear(&message, &mut told);
            }
        }
    }
}

fn hear(message: &Message, told: &mut Told) {
    let Ok(text) = message.to_text() else { return };
    match serde_json::from_str(text) {
        Ok(FromRelay::Hello { version, present, .. }) => {
            tracing::info!(version, present = present.len(), "relay says who is there");
            let named = present.iter().map(|one| (one.visit, one.participant));
            told.present = Some(named.collect());
        }
        Ok(FromRelay::Joined { visit, participant }) => {
            told.present.get_or_insert_default().insert((visit, participant));
        }
        Ok(FromRelay::Left { visit, participant, reason }) => {
            tracing::debug!(%visit, ?reason, "a participant left the relay");
            told.present.get_or_insert_default().remove(&(visit, participant));
        }
        Ok(FromRelay::Applied { .. } | FromRelay::Pong) | Err(_) => {}
    }
}

/// Lists that changed since the last round; gateways are told on the way.
async fn news(helm: &Helm, told: &mut Told) -> Vec<ToRelay> {
    let wishes = Wishes::now(&helm.desk, &helm.gateways).await;
    let mut messages = Vec::new();
    let gone: BTreeSet<VisitId> =
        told.lists.keys().filter(|visit| !wishes.lists.contains_key(visit)).copied().collect();
    for visit in gone {
        told.lists.remove(&visit);
        messages.push(ToRelay::Close { visit });
    }
    for (visit, list) in &wishes.lists {
        let news = (list.generation, list.participants.clone());
        if told.lists.get(visit) != Some(&news) {
            told.lists.insert(*visit, news);
            messages.extend(wishes.message(*visit));
        }
    }
    tell_gateways(helm, told, &wishes);
    messages
}

fn tell_gateways(helm: &Helm, told: &mut Told, wishes: &Wishes) {
    let Some(present) = &told.present else { return };
    let mut before = std::mem::take(&mut told.waves);
    for (gateway, visit) in helm.gateways.take_lost() {
        if before.get(&visit).is_some_and(|party| party.gateway == gateway) {
            before.remove(&visit);
        }
    }
    for (visit, party) in &before {
        if wishes.waves.get(visit) != Some(party) {
            // A gateway that is away has left the visit by itself.
            let _ = helm.gateways.tell(party.gateway, FromBroker::MediaRevoke { visit: *visit });
        }
    }
    for (visit, party) in &wishes.waves {
        let known = before.get(visit) == Some(party);
        let is_there = present.contains(&(*visit, party.participant));
        if known || grant(helm, *visit, party, is_there).is_ok() {
            told.waves.insert(*visit, *party);
        }
    }
}

/// Gives a gateway the right to send waves into a visit. One that the relay knows nothing of may
/// still believe itself there, since a relay that begins anew says no goodbye: it is sent out first.
fn grant(
    helm: &Helm,
    visit: VisitId,
    party: &super::WaveParty,
    is_there: bool,
) -> Result<(), minato_protocol::Code> {
    if !is_there {
        helm.gateways.tell(party.gateway, FromBroker::MediaRevoke { visit })?;
    }
    let pass = Pass {
        visit,
        participant: party.participant,
        epoch: party.epoch,
        role: PartyRole::Gateway,
    };
    let token = helm.key.media_token(&pass, helm.desk.clock.now_elsewhere());
    let relay_url = helm.place.gateway_url.clone();
    let message = FromBroker::MediaGrant { visit, subject: party.subject, relay_url, token };
    helm.gateways.tell(party.gateway, message)
}
