//! The gateways' WebSocket: proves who it is, stores what it delivers, acknowledges only what is
//! durable.

use super::Edge;
use super::entry::{Refusal, client};
use crate::access::random_id;
use crate::gateway::{Command, Origin, PassKey, take_in};
use crate::log::{Noun, StreamId};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use axum::extract::rejection::JsonRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequest as _, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::StreamExt;
use minato_protocol::reading::Hex;
use minato_protocol::squeeze::Unsqueezer;
use minato_protocol::uplink::{
    EnrolRequest, Enrolled, FromBroker, FromGateway, OutboxEntry, RefusedCode,
    UPLINK_BATCH_ENTRIES_MAX, UPLINK_MESSAGE_BYTES_MAX, UPLINK_PING_SECONDS, UPLINK_VERSION,
    proof_bytes,
};
use minato_protocol::{Code, Timestamp};
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

/// A one-time code becomes an identity; asked again with the same key it is the same one. Wrong
/// codes are counted together with the other doors' codes.
async fn enrol(State(edge): State<Arc<Edge>>, request: Request) -> Response {
    let from = client(&request);
    let read: Result<Json<EnrolRequest>, JsonRejection> = Json::from_request(request, &()).await;
    let asked = match read {
        Ok(Json(asked)) => asked,
        Err(rejection) => return rejection.into_response(),
    };
    let one_try = match edge.limits.code(from, edge.desk.clock.now()) {
        Ok(one_try) => one_try,
        Err(code) => return Refusal(code).into_response(),
    };
    match try_enrol(&edge, asked).await {
        Ok(enrolled) => {
            one_try.was_right();
            Json(enrolled).into_response()
        }
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
            let mut wire = Wire { socket, unsqueezer: None };
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

/// What a box says, or why it is not listened to any longer.
fn parse(text: &str) -> Result<FromGateway, RefusedCode> {
    if text.len() > UPLINK_MESSAGE_BYTES_MAX {
        return Err(RefusedCode::BadMessage);
    }
    serde_json::from_str(text).map_err(|_| RefusedCode::BadMessage)
}

struct Wire {
    socket: WebSocket,
    /// From the welcome on.
    unsqueezer: Option<Unsqueezer>,
}

impl Wire {
    async fn send(&mut self, message: &FromBroker) -> Result<(), Ended> {
        let text = serde_json::to_string(message).unwrap_or_default();
        self.socket.send(Message::text(text)).await.map_err(|_| Ended::Gone)
    }

    async fn receive(&mut self) -> Result<FromGateway, Ended> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return parse(&text).map_err(Ended::Refused),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Binary(squeezed))) => {
                    let opened = self.unsqueezer.as_mut().and_then(|unsqueezer| {
                        unsqueezer.open(&squeezed, UPLINK_MESSAGE_BYTES_MAX)
                    });
                    let text = opened.ok_or(Ended::Refused(RefusedCode::BadMessage))?;
                    return parse(&text).map_err(Ended::Refused);
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

/// A gateway that proved who it is, on one connection.
struct Proven {
    origin: Origin,
    boot: Hex<8>,
    connection: u64,
}

async fn serve(edge: &Arc<Edge>, wire: &mut Wire) -> Result<(), Ended> {
    let connection = edge.gateways.dialled();
    let proven = timeout(HANDSHAKE_WITHIN, shake_hands(edge, wire, connection)).await;
    let proven = proven.map_err(|_| Ended::Gone)??;
    let Origin { gateway, site, .. } = proven.origin;
    let outbox = edge.gateways.connect(gateway, connection, site, proven.boot);
    let outbox = outbox.ok_or(Ended::Refused(RefusedCode::Superseded))?;
    tracing::info!(%gateway, "gateway connected");
    let ended = converse(edge, wire, &proven, outbox).await;
    edge.gateways.disconnect(gateway, connection);
    ended
}

async fn shake_hands(edge: &Edge, wire: &mut Wire, connection: u64) -> Result<Proven, Ended> {
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
    let (now, pass_key) = (edge.desk.clock.now(), PassKey::of(&edge.desk.secrets).public());
    wire.send(&FromBroker::Welcome { site, now, pass_key: Some(pass_key) }).await?;
    wire.unsqueezer = Some(Unsqueezer::default());
    Ok(Proven { origin: Origin { gateway, site, outbox }, boot, connection })
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
    let gateway = proven.origin.gateway;
    let turn = edge.gateways.turn(gateway, proven.connection).await;
    let turn = turn.ok_or(Ended::Refused(RefusedCode::Superseded))?;
    match message {
        FromGateway::Deliver { sent_at, batch } => {
            let through = deliver(edge, &proven.origin, sent_at, &batch).await?;
            drop(turn);
            match through {
                Some(through) => wire.send(&FromBroker::Ack { through }).await,
                None => Ok(()),
            }
        }
        FromGateway::Status { devices, outbox_full, waiting, lan } => {
            metrics::gauge!("minato_gateway_outbox_entries").set(waiting);
            if outbox_full {
                tracing::warn!(%gateway, "a gateway's disk is over its bound");
            }
            edge.gateways.set_lan(gateway, lan);
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

/// Up to where it is durable.
async fn deliver(
    edge: &Edge,
    origin: &Origin,
    sent_at: Timestamp,
    batch: &[OutboxEntry],
) -> Result<Option<u64>, Ended> {
    if batch.len() > UPLINK_BATCH_ENTRIES_MAX {
        return Err(Ended::Refused(RefusedCode::BadMessage));
    }
    let Some(last) = batch.last() else { return Ok(None) };
    let Edge { desk, readings, gateways, held, .. } = edge;
    let taken_in = take_in((desk, readings, gateways, held), origin, sent_at, batch).await;
    taken_in.map_err(|_| Ended::Refused(RefusedCode::Unavailable))?;
    Ok(Some(last.seq))
}

#[cfg(test)]
#[path = "gateway_fuzzed.rs"]
mod fuzzed;
