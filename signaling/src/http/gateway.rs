//! The gateways' WebSocket: proves who it is, stores what it delivers, acknowledges only what is
//! durable.

use super::Edge;
use crate::access::random_id;
use crate::gateway::Command;
use crate::log::{Item, Noun, StreamId};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::StreamExt;
use minato_protocol::reading::{DeviceId, Hex, Outcome};
use minato_protocol::uplink::{
    EnrolRequest, Enrolled, Entry, FromBroker, FromGateway, OutboxEntry, RefusedCode,
    UPLINK_BATCH_ENTRIES_MAX, UPLINK_MESSAGE_BYTES_MAX, UPLINK_PING_SECONDS, UPLINK_VERSION,
    proof_bytes,
};
use minato_protocol::{Code, GatewayId, SiteId, SubjectId, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
const PING_EVERY: Duration = Duration::from_secs(UPLINK_PING_SECONDS as u64);
const READ_BUFFER_BYTES: usize = 8 * 1024;
/// Read to the end and then refused with a word; whatever is longer ends the connection at once.
const READ_BYTES_MAX: usize = 2 * UPLINK_MESSAGE_BYTES_MAX;

pub(super) fn router() -> Router<Arc<Edge>> {
    Router::new().route("/gateway", get(upgrade))
}

pub(super) fn enrolment() -> Router<Arc<Edge>> {
    Router::new().route("/gateway/enrol", post(enrol))
}

/// A one-time code becomes an identity; asked again with the same key it is the same one.
async fn enrol(State(edge): State<Arc<Edge>>, Json(request): Json<EnrolRequest>) -> Response {
    match try_enrol(&edge, request).await {
        Ok(enrolled) => Json(enrolled).into_response(),
        Err(code) => {
            let message = code.sentence().to_owned();
            let refusal = minato_protocol::entry::HttpRefusal { code, message };
            (StatusCode::FORBIDDEN, Json(refusal)).into_response()
        }
    }
}

async fn try_enrol(edge: &Edge, request: EnrolRequest) -> Result<Enrolled, Code> {
    let desk = &edge.desk;
    let code_hash = edge.gateway_code_hash(&request.code);
    let streams = desk.log.streams(Noun::Gateway.prefix()).await.map_err(|_| Code::NotDurable)?;
    for stream in streams {
        let seen = desk.boxes.see(&stream).await?;
        let Some(site) = seen.state.site.filter(|_| seen.state.code_hash == code_hash) else {
            continue;
        };
        let gateway = stream.key().parse().map_err(|_| Code::CodeWrong)?;
        let enrol = Command::Enrol { public_key: request.public_key };
        desk.boxes.submit(&stream, None, enrol).await?;
        tracing::info!(%gateway, "gateway enrolled");
        return Ok(Enrolled { gateway, site });
    }
    Err(Code::CodeWrong)
}

async fn upgrade(State(edge): State<Arc<Edge>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(4 * UPLINK_MESSAGE_BYTES_MAX)
        .max_message_size(READ_BYTES_MAX)
        .max_frame_size(READ_BYTES_MAX)
        .on_upgrade(move |socket| async move {
            let mut wire = Wire(socket);
            if let Err(Ended::Refused(code)) = serve(&edge, &mut wire).await {
                let message = format!("{code:?}");
                tracing::info!(?code, "gateway refused");
                drop(wire.send(&FromBroker::Refused { code, message }).await);
            }
        })
}

/// Why a connection ends.
#[derive(Debug)]
enum Ended {
    /// It is gone.
    Gone,
    /// It is told why.
    Refused(RefusedCode),
}

struct Wire(WebSocket);

impl Wire {
    async fn send(&mut self, message: &FromBroker) -> Result<(), Ended> {
        let text = serde_json::to_string(message).unwrap_or_default();
        self.0.send(Message::text(text)).await.map_err(|_| Ended::Gone)
    }

    async fn receive(&mut self) -> Result<FromGateway, Ended> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => {
                    if text.len() > UPLINK_MESSAGE_BYTES_MAX {
                        return Err(Ended::Refused(RefusedCode::BadMessage));
                    }
                    let bad = |_| Ended::Refused(RefusedCode::BadMessage);
                    return serde_json::from_str(&text).map_err(bad);
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Binary(_))) => {
                    return Err(Ended::Refused(RefusedCode::BadMessage));
                }
                Some(Err(error)) => {
                    let refused = Ended::Refused(RefusedCode::BadMessage);
                    return Err(if super::is_too_large(&error) { refused } else { Ended::Gone });
                }
                Some(Ok(Message::Close(_))) | None => return Err(Ended::Gone),
            }
        }
    }
}

/// A gateway that proved who it is.
struct Proven {
    gateway: GatewayId,
    site: SiteId,
    boot: Hex<8>,
    outbox: Hex<8>,
}

async fn serve(edge: &Arc<Edge>, wire: &mut Wire) -> Result<(), Ended> {
    let proven = timeout(HANDSHAKE_WITHIN, shake_hands(edge, wire)).await;
    let proven = proven.map_err(|_| Ended::Gone)??;
    let (connection, outbox) = edge.gateways.connect(proven.gateway, proven.site, proven.boot);
    tracing::info!(gateway = %proven.gateway, "gateway connected");
    let ended = converse(edge, wire, &proven, outbox).await;
    edge.gateways.disconnect(proven.gateway, connection);
    ended
}

async fn shake_hands(edge: &Edge, wire: &mut Wire) -> Result<Proven, Ended> {
    let FromGateway::Hello { version, gateway, boot, outbox, nonce } = wire.receive().await? else {
        return Err(Ended::Refused(RefusedCode::BadMessage));
    };
    if version != UPLINK_VERSION {
        return Err(Ended::Refused(RefusedCode::Version));
    }
    let unavailable = |_| Ended::Refused(RefusedCode::Unavailable);
    let stream = StreamId::gateway(gateway);
    // Anybody can make up names: only a box that was expected here is kept in memory.
    let first = edge.desk.log.read_after(&stream, 0, 1).await;
    if first.map_err(|_| Ended::Refused(RefusedCode::Unavailable))?.is_empty() {
        return Err(Ended::Refused(RefusedCode::UnknownGateway));
    }
    let seen = edge.desk.boxes.see(&stream).await.map_err(unavailable)?;
    let known = seen.state.site.zip(seen.state.public_key);
    let (site, key) = known.ok_or(Ended::Refused(RefusedCode::UnknownGateway))?;
    let ours = fresh_nonce();
    wire.send(&FromBroker::Challenge { nonce: ours }).await?;
    let FromGateway::Prove { signature } = wire.receive().await? else {
        return Err(Ended::Refused(RefusedCode::BadMessage));
    };
    UnparsedPublicKey::new(&ED25519, key.0)
        .verify(&proof_bytes(gateway, &boot, &nonce, &ours), &signature.0)
        .map_err(|_| Ended::Refused(RefusedCode::BadProof))?;
    wire.send(&FromBroker::Welcome { site, now: edge.desk.clock.now() }).await?;
    Ok(Proven { gateway, site, boot, outbox })
}

fn fresh_nonce() -> Hex<32> {
    let mut bytes = [0; 32];
    for part in bytes.chunks_exact_mut(8) {
        part.copy_from_slice(&random_id().to_be_bytes());
    }
    Hex(bytes)
}

async fn converse(
    edge: &Arc<Edge>,
    wire: &mut Wire,
    proven: &Proven,
    mut outbox: mpsc::Receiver<FromBroker>,
) -> Result<(), Ended> {
    let mut ping = tokio::time::interval(PING_EVERY);
    let mut nonce = 0u32;
    let mut heard = Instant::now();
    loop {
        tokio::select! {
            message = wire.receive() => {
                heard = Instant::now();
                hear(edge, wire, proven, message?).await?;
            }
            message = outbox.recv() => match message {
                Some(message) => wire.send(&message).await?,
                // A newer connection of the same gateway took the place.
                None => return Err(Ended::Refused(RefusedCode::Superseded)),
            },
            _ = ping.tick() => {
                if heard.elapsed() > 3 * PING_EVERY {
                    return Err(Ended::Gone);
                }
                nonce = nonce.wrapping_add(1);
                wire.send(&FromBroker::Ping { nonce }).await?;
            }
        }
    }
}

async fn hear(
    edge: &Arc<Edge>,
    wire: &mut Wire,
    proven: &Proven,
    message: FromGateway,
) -> Result<(), Ended> {
    let gateway = proven.gateway;
    match message {
        FromGateway::Deliver { sent_at, batch } => {
            if batch.len() > UPLINK_BATCH_ENTRIES_MAX {
                return Err(Ended::Refused(RefusedCode::BadMessage));
            }
            let Some(through) = batch.last().map(|entry| entry.seq) else { return Ok(()) };
            let stored = store(edge, proven, sent_at, &batch).await;
            stored.map_err(|_| Ended::Refused(RefusedCode::Unavailable))?;
            tell_bindings(edge, gateway, &batch);
            wire.send(&FromBroker::Ack { through }).await
        }
        FromGateway::Status { devices, outbox_full, waiting } => {
            metrics::gauge!("minato_gateway_outbox_entries").set(waiting);
            if outbox_full {
                tracing::warn!(%gateway, "a gateway's disk is over its bound");
            }
            edge.gateways.set_devices(gateway, devices);
            Ok(())
        }
        FromGateway::RequestRefused { key, code } => {
            edge.gateways.answer(gateway, &key, Err(code));
            Ok(())
        }
        FromGateway::MediaLost { visit } => {
            edge.gateways.media_lost(gateway, visit);
            Ok(())
        }
        FromGateway::Pong { .. } => Ok(()),
        FromGateway::Hello { .. } | FromGateway::Prove { .. } => {
            Err(Ended::Refused(RefusedCode::BadMessage))
        }
    }
}

/// Everything of a delivery, durably: readings to their subjects, the rest (bindings, readings of
/// nobody) to the gateway's own stream.
async fn store(
    edge: &Edge,
    proven: &Proven,
    sent_at: Timestamp,
    batch: &[OutboxEntry],
) -> Result<(), Code> {
    let mut by_subject: BTreeMap<SubjectId, Vec<Outcome>> = BTreeMap::new();
    let mut own = Vec::new();
    for line in batch {
        match &line.entry {
            Entry::Measured { subject: Some(subject), outcome } => {
                by_subject.entry(*subject).or_default().push(outcome.clone());
            }
            Entry::Measured { subject: None, .. } | Entry::Bound { .. } | Entry::Unbound { .. } => {
                own.push(Item {
                    dedupe_id: line_id(&proven.outbox, line.seq),
                    at: edge.desk.clock.now(),
                    body: serde_json::to_value(line).unwrap_or_default(),
                });
            }
        }
    }
    if !own.is_empty() {
        let stream = StreamId::gateway(proven.gateway);
        let stored = edge.desk.log.append_unordered(&stream, own).await;
        stored.map_err(|_| Code::NotDurable)?;
    }
    for (subject, device, since) in batch.iter().filter_map(bound) {
        edge.readings.note_binding(&edge.desk, subject, device, since).await?;
    }
    for (subject, outcomes) in by_subject {
        edge.readings.store(&edge.desk, subject, sent_at, outcomes).await?;
    }
    Ok(())
}

fn bound(line: &OutboxEntry) -> Option<(SubjectId, DeviceId, Timestamp)> {
    match &line.entry {
        Entry::Bound { subject, device, since, .. } => Some((*subject, device.clone(), *since)),
        Entry::Measured { .. } | Entry::Unbound { .. } => None,
    }
}

fn line_id(outbox: &Hex<8>, seq: u64) -> [u8; 16] {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&outbox.0);
    id[8..].copy_from_slice(&seq.to_be_bytes());
    id
}

fn tell_bindings(edge: &Edge, gateway: GatewayId, batch: &[OutboxEntry]) {
    for line in batch {
        match &line.entry {
            Entry::Bound { key, device, subject, .. } => {
                edge.gateways.set_bound(gateway, device, Some(*subject));
                edge.gateways.answer(gateway, key, Ok(()));
            }
            Entry::Unbound { key, device, .. } => {
                edge.gateways.set_bound(gateway, device, None);
                edge.gateways.answer(gateway, key, Ok(()));
            }
            Entry::Measured { .. } => {}
        }
    }
}
