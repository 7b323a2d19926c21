//! A relay by itself with a key that everybody knows, for trying things out on one machine.
//!
//! `cargo run -p minato-relay --example solo -- [http address] [page.html]`, then
//! `GET /dev/token?participant=1&role=doctor` mints a media token for visit 1 (participants 1 to 9
//! are on its list) and `GET /dev/remove?participant=1` takes one off the list. Never put this in
//! service: whoever reaches it gets in.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use axum::Router;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use futures_util::{SinkExt, StreamExt};
use minato_protocol::media::{ControlClaims, MediaClaims, PartyRole, Rights, ToRelay};
use minato_protocol::{ParticipantId, Timestamp, VisitId};
use minato_relay::{Relay, RelayConfig, token};
use serde::Deserialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

const VISIT: VisitId = VisitId(1);
const SEED: [u8; 32] = [7; 32];

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug)]
struct Dev {
    key: Ed25519KeyPair,
    listed: watch::Sender<Vec<ParticipantId>>,
    minted: AtomicU64,
}

#[derive(Debug, Deserialize)]
struct Who {
    participant: u64,
    role: Option<PartyRole>,
}

fn wall() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

async fn mint(State(dev): State<Arc<Dev>>, Query(who): Query<Who>) -> String {
    let role = who.role.unwrap_or(PartyRole::Doctor);
    let face = role != PartyRole::Gateway;
    let claims = MediaClaims {
        visit: VISIT,
        participant: ParticipantId(who.participant),
        claim_epoch: 1,
        role,
        rights: Rights {
            publish_audio: face,
            publish_video: face,
            publish_waves: true,
            receive: true,
        },
        jti: format!("{}-{}", wall(), dev.minted.fetch_add(1, Ordering::Relaxed)),
        not_after: Timestamp(wall() + 60_000),
        generation: 1,
    };
    token::sign(&claims, &dev.key)
}

async fn take_off(State(dev): State<Arc<Dev>>, Query(who): Query<Who>) -> &'static str {
    dev.listed.send_modify(|listed| listed.retain(|p| p.0 != who.participant));
    "off the list"
}

/// Plays signaling: sends the list whenever it changes.
async fn signaling(address: String, dev: Arc<Dev>) -> Result<(), Failure> {
    let claims = ControlClaims { node: "solo".into(), not_after: Timestamp(wall() + 30_000) };
    let bearer = format!("Bearer {}", token::sign_control(&claims, &dev.key));
    let mut request = format!("ws://{address}/relay/control").into_client_request()?;
    request.headers_mut().insert(header::AUTHORIZATION, bearer.parse()?);
    let tcp = tokio::net::TcpStream::connect(&address).await?;
    let (socket, _) = tokio_tungstenite::client_async(request, tcp).await?;
    let (mut out, mut heard) = socket.split();
    let mut listed = dev.listed.subscribe();
    listed.mark_changed();
    for seq in 0.. {
        let message = tokio::select! {
            changed = listed.changed() => {
                changed?;
                let participants = listed.borrow_and_update().clone();
                ToRelay::Desired { visit: VISIT, seq, generation: 1, participants }
            }
            () = tokio::time::sleep(Duration::from_secs(10)) => ToRelay::Ping,
            said = heard.next() => match said {
                Some(Ok(said)) => { eprintln!("relay: {said}"); continue }
                Some(Err(_)) | None => return Ok(()),
            },
        };
        out.send(serde_json::to_string(&message)?.into()).await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8099".to_owned());
    let page = arguments.next();
    let key = Ed25519KeyPair::from_seed_unchecked(&SEED).map_err(|_| "the seed is no key")?;
    let public: [u8; 32] = key.public_key().as_ref().try_into()?;
    let mut config = RelayConfig::new(([127, 0, 0, 1], 0).into(), public);
    config.allowed_origins = vec!["http://127.0.0.1:8098".to_owned()];
    let (relay, router) = Relay::start(config)?;
    let everybody = (1..10).map(ParticipantId).collect();
    let dev = Arc::new(Dev { key, listed: watch::channel(everybody).0, minted: AtomicU64::new(0) });
    let dev_routes = Router::new()
        .route("/dev/token", get(mint))
        .route("/dev/remove", get(take_off))
        .with_state(dev.clone());
    let serve_page = move || async move {
        let text = page.and_then(|path| std::fs::read_to_string(path).ok());
        Html(text.unwrap_or_else(|| "no page was given".to_owned())).into_response()
    };
    let app = router.merge(dev_routes).route("/", get(serve_page));
    let listener = tokio::net::TcpListener::bind(&address).await?;
    eprintln!("http://{address}, media at {:?}", relay.media_addresses());
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    signaling(address, dev).await?;
    server.abort();
    relay.stop().await;
    Ok(())
}
