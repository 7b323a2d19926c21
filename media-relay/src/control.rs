//! The control socket: signaling's lists in, comings and goings out.

use crate::clock;
use crate::forward::Command;
use crate::http::{Desk, bearer};
use crate::refusal::Refused;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::HeaderMap;
use axum::response::Response;
use minato_protocol::media::{FromRelay, RelayCode, ToRelay};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Longest message of signaling: a list of 32 has about 700 bytes.
const MESSAGE_BYTES_MAX: usize = 16 * 1024;
/// tungstenite takes 128 KiB for each by default.
const BUFFER_BYTES: usize = 4 * 1024;
const WRITE_BYTES_MAX: usize = 512 * 1024;
/// Messages that wait for one signaling. When full it is dropped; it connects again.
const OUT_MAX: usize = 1_024;
/// Signaling pings at least this often, or is taken for gone.
const IDLE_MAX: Duration = Duration::from_secs(30);

static LAST_LINK: AtomicU64 = AtomicU64::new(0);

/// `GET /relay/control`.
pub(crate) async fn control(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Refused> {
    let token = bearer(&headers).ok_or(RelayCode::TokenMalformed)?;
    let claims = desk.key.control(token, clock::wall())?;
    Ok(upgrade
        .max_message_size(MESSAGE_BYTES_MAX)
        .max_frame_size(MESSAGE_BYTES_MAX)
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_write_buffer_size(WRITE_BYTES_MAX)
        .on_upgrade(move |socket| async move {
            let link = next_link();
            tracing::info!(link, node = claims.node, "signaling is connected");
            serve(&desk, link, socket).await;
            tracing::info!(link, "signaling is gone");
        }))
}

fn next_link() -> u64 {
    LAST_LINK.fetch_add(1, Ordering::Relaxed) + 1
}

/// Returns once no media is up any more.
pub(crate) async fn empty(commands: &mpsc::Sender<Command>) {
    let link = next_link();
    let (out, mut heard) = mpsc::channel(OUT_MAX);
    if commands.send(Command::LinkUp { link, out }).await.is_err() {
        return;
    }
    let mut here = HashSet::new();
    while let Some(message) = heard.recv().await {
        match message {
            FromRelay::Hello { present, .. } => {
                here = present.iter().map(|one| (one.visit, one.participant)).collect();
            }
            FromRelay::Joined { visit, participant } => drop(here.insert((visit, participant))),
            FromRelay::Left { visit, participant, .. } => drop(here.remove(&(visit, participant))),
            FromRelay::Applied { .. } | FromRelay::Draining | FromRelay::Pong => {}
        }
        if here.is_empty() {
            break;
        }
    }
    let _ = commands.send(Command::LinkDown { link }).await;
}

async fn serve(desk: &Desk, link: u64, mut socket: WebSocket) {
    let (commands, mut draining) = (&desk.commands, desk.draining.clone());
    let (out, mut outbox) = mpsc::channel(OUT_MAX);
    if commands.send(Command::LinkUp { link, out }).await.is_err() {
        return;
    }
    let (mut has_said_hello, mut has_said_draining) = (false, false);
    loop {
        tokio::select! {
            said = tokio::time::timeout(IDLE_MAX, socket.recv()) => {
                let Ok(Some(Ok(said))) = said else { break };
                let message = match said {
                    Message::Text(text) => serde_json::from_str::<ToRelay>(&text),
                    Message::Binary(bytes) => serde_json::from_slice(&bytes),
                    Message::Ping(_) | Message::Pong(_) => continue,
                    Message::Close(_) => break,
                };
                let Ok(message) = message else {
                    refuse(&mut socket).await;
                    break;
                };
                if commands.send(Command::LinkSays { link, message }).await.is_err() {
                    break;
                }
            }
            message = outbox.recv() => {
                let Some(mut message) = message else { break };
                if let FromRelay::Hello { turn, .. } = &mut message {
                    turn.clone_from(&desk.turn);
                }
                has_said_hello = true;
                if !send(&mut socket, &message).await {
                    break;
                }
            }
            // After the hello, which would be taken for a relay that begins.
            drains = is_draining(&mut draining), if has_said_hello && !has_said_draining => {
                has_said_draining = true;
                if drains && !send(&mut socket, &FromRelay::Draining).await {
                    break;
                }
            }
        }
    }
    // A forwarding thread that has ended needs no word of it.
    let _ = commands.send(Command::LinkDown { link }).await;
}

/// Waits for it; `false` if it cannot come any more.
async fn is_draining(draining: &mut watch::Receiver<bool>) -> bool {
    draining.wait_for(|drains| *drains).await.is_ok()
}

async fn send(socket: &mut WebSocket, message: &FromRelay) -> bool {
    let Ok(text) = serde_json::to_string(message) else { return false };
    let sent = tokio::time::timeout(IDLE_MAX, socket.send(Message::Text(text.into()))).await;
    matches!(sent, Ok(Ok(())))
}

async fn refuse(socket: &mut WebSocket) {
    let reason = "not a message this relay knows: compare the versions".into();
    let close = CloseFrame { code: close_code::POLICY, reason };
    let _ = socket.send(Message::Close(Some(close))).await;
}
