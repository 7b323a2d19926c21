//! A relay on loopback with a signaling that does as it is told, for the tests of the call.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use minato_protocol::media::{
    ControlClaims, FromRelay, MediaClaims, PartyRole, RelayCode, RelayRefusal, Rights, ToRelay,
};
use minato_protocol::{ParticipantId, Timestamp, VisitId};
use minato_relay::{Relay, RelayConfig, token};
use serde::de::DeserializeOwned;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::TcpStream;
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

pub(crate) const VISIT: VisitId = VisitId(77);
pub(crate) const ABE: ParticipantId = ParticipantId(1);
pub(crate) const SATO: ParticipantId = ParticipantId(2);
pub(crate) const ITO: ParticipantId = ParticipantId(3);
pub(crate) const GATEWAY: ParticipantId = ParticipantId(9);
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const FACE: Rights =
    Rights { publish_audio: true, publish_video: true, publish_waves: false, receive: true };
pub(crate) const BOX: Rights =
    Rights { publish_audio: false, publish_video: false, publish_waves: true, receive: false };

pub(crate) fn wall() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_millis()).expect("this era")
}

pub(crate) fn claims(participant: ParticipantId, role: PartyRole, rights: Rights) -> MediaClaims {
    static LAST: AtomicU64 = AtomicU64::new(0);
    MediaClaims {
        visit: VISIT,
        participant,
        claim_epoch: 1,
        role,
        rights,
        jti: format!("jti-{}", LAST.fetch_add(1, Ordering::Relaxed)),
        not_after: Timestamp(wall() + 30_000),
        generation: 1,
    }
}

/// A relay and the key it trusts.
pub(crate) struct TestRelay {
    pub(crate) relay: Relay,
    pub(crate) http: SocketAddr,
    pub(crate) key: Ed25519KeyPair,
    _turn: Turn,
}

/// Whoever floods does so alone: others count milliseconds.
static TURNS: LazyLock<Arc<RwLock<()>>> = LazyLock::new(Arc::default);

/// Held as long as a relay runs.
#[expect(dead_code, reason = "it is held and not read")]
enum Turn {
    Among(OwnedRwLockReadGuard<()>),
    Alone(OwnedRwLockWriteGuard<()>),
}

/// An answer over HTTP.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).expect("the JSON that was promised")
    }

    pub(crate) fn refusal(&self) -> RelayCode {
        let refusal: RelayRefusal = self.json();
        assert!(!refusal.message.is_empty(), "a refusal has a sentence");
        refusal.code
    }
}

impl TestRelay {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// With a set-up other than the usual one.
    pub(crate) async fn with(change: impl FnOnce(&mut RelayConfig)) -> Self {
        Self::make(change, Turn::Among(TURNS.clone().read_owned().await)).await
    }

    /// While no other relay runs. It does not stand in line: a test may start a second relay.
    pub(crate) async fn alone() -> Self {
        loop {
            if let Ok(turn) = TURNS.clone().try_write_owned() {
                return Self::make(|_| {}, Turn::Alone(turn)).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn make(change: impl FnOnce(&mut RelayConfig), turn: Turn) -> Self {
        let key = Ed25519KeyPair::from_seed_unchecked(&[3; 32]).expect("a seed of 32 bytes");
        let public = key.public_key().as_ref().try_into().expect("32 bytes");
        let mut config = RelayConfig::new(([127, 0, 0, 1], 0).into(), public);
        change(&mut config);
        let (relay, router) = Relay::start(config).expect("a relay on loopback");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let http = listener.local_addr().expect("bound");
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { relay, http, key, _turn: turn }
    }

    pub(crate) fn token(&self, claims: &MediaClaims) -> String {
        token::sign(claims, &self.key)
    }

    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        bearer: &str,
        content: &str,
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.http))
            .header(header::AUTHORIZATION, format!("Bearer {bearer}"))
            .header(header::CONTENT_TYPE, content)
            .body(Full::new(bytes::Bytes::from(body.into())))
            .expect("a request");
        let client = Client::builder(TokioExecutor::new()).build_http();
        let response = client.request(request).await.expect("the relay answers");
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes().to_vec();
        Answer { status: head.status, headers: head.headers, body }
    }

    pub(crate) async fn post(&self, claims: &MediaClaims, body: impl Into<Vec<u8>>) -> Answer {
        let token = self.token(claims);
        self.ask(Method::POST, "/relay/sessions", &token, "application/json", body).await
    }

    /// Connects a signaling.
    pub(crate) async fn signaling(&self) -> Signaling {
        let claims = ControlClaims { node: "test".into(), not_after: Timestamp(wall() + 30_000) };
        let bearer = format!("Bearer {}", token::sign_control(&claims, &self.key));
        let url = format!("ws://{}/relay/control", self.http);
        let mut request = url.into_client_request().expect("a request");
        let bearer = bearer.parse().expect("ascii");
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
        let tcp = TcpStream::connect(self.http).await.expect("the relay listens");
        let (socket, _) =
            tokio_tungstenite::client_async(request, tcp).await.expect("the relay upgrades");
        Signaling { socket, seq: 0 }
    }
}

/// The other end of a control socket.
pub(crate) struct Signaling {
    socket: WebSocketStream<TcpStream>,
    seq: u64,
}

impl Signaling {
    pub(crate) async fn say(&mut self, message: &ToRelay) {
        let text = serde_json::to_string(message).expect("JSON");
        self.socket.send(text.into()).await.expect("the relay reads");
    }

    /// Sends a list and waits until it is in force.
    pub(crate) async fn desire(&mut self, participants: &[ParticipantId]) {
        self.seq += 1;
        let (seq, participants) = (self.seq, participants.to_vec());
        self.say(&ToRelay::Desired { visit: VISIT, seq, generation: 1, participants }).await;
        self.until(|said| *said == FromRelay::Applied { visit: VISIT, seq }).await;
    }

    /// Reads until the relay says what is waited for; answers with everything it said.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&FromRelay) -> bool) -> Vec<FromRelay> {
        let mut said = Vec::new();
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next()).await;
            let message = message.expect("the relay says it in time");
            let message = message.expect("the socket is open").expect("a message");
            let Ok(text) = message.to_text() else { continue };
            let message: FromRelay = serde_json::from_str(text).expect("a known message");
            let found = wanted(&message);
            said.push(message);
            if found {
                return said;
            }
        }
    }
}
