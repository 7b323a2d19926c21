//! A broker small enough to be read at a glance: it enrols, checks the proof, keeps what it is
//! given, and can be told to forget, repeat and break off.

#![allow(dead_code, unreachable_pub, reason = "each test uses its part of the broker")]

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::routing::{get, post};
use axum::{Json, Router};
use minato_protocol::reading::{Hex, Outcome, Reading, ReadingId};
use minato_protocol::squeeze::Unsqueezer;
use minato_protocol::uplink::{
    EnrolRequest, Enrolled, Entry, FromBroker, FromGateway, OutboxEntry, UPLINK_MESSAGE_BYTES_MAX,
    proof_bytes,
};
use minato_protocol::{GatewayId, SiteId, SubjectId, Timestamp};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{broadcast, watch};

pub const GATEWAY: GatewayId = GatewayId(77);
pub const SITE: SiteId = SiteId(5);
pub const CODE: &str = "enrol-me";
/// Nothing in these tests takes so long; a condition that is still false then is a failure.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How the broker treats its gateway.
#[derive(Debug, Clone, Copy)]
pub struct Temper {
    /// Breaks off after so many deliveries, without acknowledging the last; 0: never.
    pub breaks_after: u32,
    /// Says every acknowledgement twice.
    pub stutters: bool,
    /// Keeps what it is given and says nothing of it.
    pub mute: bool,
}

pub const CALM: Temper = Temper { breaks_after: 0, stutters: false, mute: false };

/// What the broker has kept.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    pub public_key: Option<Hex<32>>,
    /// Every entry as it came, repetitions included.
    pub delivered: Vec<OutboxEntry>,
    /// Length of all deliveries as they came on the line.
    pub delivered_bytes: usize,
    /// Each reading once, in the order of first arrival, with the age it had when it was sent.
    pub once: Vec<(OutboxEntry, i64)>,
    pub ids: BTreeSet<ReadingId>,
    pub last_seq: u64,
    pub other: Vec<FromGateway>,
    pub connections: u32,
    pub refused_proofs: u32,
}

impl Kept {
    pub fn readings(&self) -> Vec<(Option<SubjectId>, Reading)> {
        let readings = self.once.iter().filter_map(|(kept, _)| match &kept.entry {
            Entry::Measured { subject, outcome: Outcome::Reading(reading) } => {
                Some((*subject, reading.clone()))
            }
            Entry::Measured { .. } | Entry::Bound { .. } | Entry::Unbound { .. } => None,
        });
        readings.collect()
    }

    fn keep(&mut self, entry: OutboxEntry, sent_at: Timestamp) {
        self.delivered.push(entry.clone());
        if entry.seq <= self.last_seq {
            return;
        }
        assert_eq!(entry.seq, self.last_seq + 1, "an entry is missing or out of order");
        self.last_seq = entry.seq;
        let mut age_ms = 0;
        if let Entry::Measured { outcome, .. } = &entry.entry {
            assert!(self.ids.insert(outcome.id()), "{} came under two numbers", outcome.id());
            age_ms = (sent_at - outcome.measured_at()).0;
        }
        self.once.push((entry, age_ms));
    }
}

#[derive(Clone)]
pub struct Broker {
    pub address: SocketAddr,
    temper: Arc<Mutex<Temper>>,
    kept: Arc<watch::Sender<Kept>>,
    /// Checks passes of pages; a broker of before has none.
    pub pass_key: Arc<Mutex<Option<Hex<32>>>>,
    say: broadcast::Sender<FromBroker>,
}

impl Broker {
    pub async fn start(temper: Temper) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let broker = Self {
            address: listener.local_addr().expect("an address"),
            temper: Arc::new(Mutex::new(temper)),
            kept: Arc::new(watch::Sender::new(Kept::default())),
            pass_key: Arc::default(),
            say: broadcast::channel(64).0,
        };
        let routes = Router::new()
            .route("/gateway/enrol", post(enrol))
            .route("/gateway", get(upgrade))
            .with_state(broker.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        broker
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn calm_down(&self) {
        self.becomes(CALM);
    }

    pub fn becomes(&self, temper: Temper) {
        *self.temper.lock().expect("unpoisoned") = temper;
    }

    /// Says something to whoever is connected.
    pub fn say(&self, message: FromBroker) {
        let _ = self.say.send(message);
    }

    pub fn kept(&self) -> Kept {
        self.kept.borrow().clone()
    }

    /// Devices are told of one after the other.
    pub async fn until_it_hangs(&self, device: &str) {
        let is_told = |message: &FromGateway| match message {
            FromGateway::Status { devices, .. } => {
                devices.iter().any(|one| one.device.as_str() == device)
            }
            _ => false,
        };
        self.until("the device", |kept| kept.other.iter().any(is_told)).await;
    }

    pub async fn until(&self, what: &str, condition: impl FnMut(&Kept) -> bool) -> Kept {
        let mut kept = self.kept.subscribe();
        let found = tokio::time::timeout(PATIENCE, kept.wait_for(condition)).await;
        let Ok(found) = found else {
            let kept = self.kept();
            panic!("{what}: it never came; last seq {}, other {:?}", kept.last_seq, kept.other)
        };
        found.expect("the broker lives").clone()
    }
}

async fn enrol(State(broker): State<Broker>, Json(body): Json<EnrolRequest>) -> Json<Enrolled> {
    assert_eq!(body.code, CODE);
    broker.kept.send_modify(|kept| kept.public_key = Some(body.public_key));
    Json(Enrolled { gateway: GATEWAY, site: SITE })
}

async fn upgrade(State(broker): State<Broker>, up: WebSocketUpgrade) -> axum::response::Response {
    up.on_upgrade(move |socket| serve(broker, socket))
}

async fn serve(broker: Broker, mut socket: WebSocket) {
    let mut says = broker.say.subscribe();
    let (mut deliveries, mut unsqueezer) = (0, Unsqueezer::default());
    if welcome(&broker, &mut socket, &mut unsqueezer).await.is_none() {
        return;
    }
    broker.kept.send_modify(|kept| kept.connections += 1);
    loop {
        let message = tokio::select! {
            message = receive(&mut socket, &mut unsqueezer) => message,
            said = says.recv() => {
                tell(&mut socket, &said.expect("the test speaks slowly")).await;
                continue;
            }
        };
        let Some((message, bytes)) = message else { return };
        let FromGateway::Deliver { sent_at, batch } = message else {
            broker.kept.send_modify(|kept| kept.other.push(message));
            continue;
        };
        let through = batch.last().expect("no empty batch").seq;
        broker.kept.send_modify(|kept| {
            kept.delivered_bytes += bytes;
            batch.into_iter().for_each(|entry| kept.keep(entry, sent_at));
        });
        deliveries += 1;
        let temper = *broker.temper.lock().expect("unpoisoned");
        if temper.breaks_after > 0 && deliveries >= temper.breaks_after {
            return;
        }
        let says = if temper.mute { 0 } else { 1 + u8::from(temper.stutters) };
        for _ in 0..says {
            tell(&mut socket, &FromBroker::Ack { through }).await;
        }
    }
}

async fn welcome(
    broker: &Broker,
    socket: &mut WebSocket,
    unsqueezer: &mut Unsqueezer,
) -> Option<()> {
    let (FromGateway::Hello { gateway, boot, nonce, .. }, _) = receive(socket, unsqueezer).await?
    else {
        panic!("a hello comes first");
    };
    let mine = Hex([9; 32]);
    tell(socket, &FromBroker::Challenge { nonce: mine }).await;
    let (FromGateway::Prove { signature }, _) = receive(socket, unsqueezer).await? else {
        panic!("a proof comes second");
    };
    let public = broker.kept.borrow().public_key.expect("enrolled before");
    let proof = proof_bytes(gateway, &boot, &nonce, &mine);
    UnparsedPublicKey::new(&ED25519, public.0).verify(&proof, &signature.0).expect("a good proof");
    let pass_key = *broker.pass_key.lock().expect("unpoisoned");
    tell(socket, &FromBroker::Welcome { site: SITE, now: Timestamp(0), pass_key }).await;
    Some(())
}

/// The next message, and how long it was on the line.
async fn receive(
    socket: &mut WebSocket,
    unsqueezer: &mut Unsqueezer,
) -> Option<(FromGateway, usize)> {
    loop {
        let (text, bytes) = match socket.recv().await?.ok()? {
            Message::Text(text) => (text.to_string(), text.len()),
            Message::Binary(squeezed) => {
                let text = unsqueezer.open(&squeezed, UPLINK_MESSAGE_BYTES_MAX);
                (text.expect("squeezed"), squeezed.len())
            }
            Message::Close(_) => return None,
            Message::Ping(_) | Message::Pong(_) => continue,
        };
        return Some((serde_json::from_str(&text).expect("a message"), bytes));
    }
}

async fn tell(socket: &mut WebSocket, message: &FromBroker) {
    let text = serde_json::to_string(message).expect("json");
    let _ = socket.send(Message::Text(text.into())).await;
}
