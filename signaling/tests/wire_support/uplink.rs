//! A box on the wall as the broker's other end: signs, delivers, and does what it is told to.

use super::Broker;
use super::http::{Socket, dial};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use futures_util::{SinkExt as _, StreamExt as _};
use minato_protocol::reading::{
    Characteristic, Decimal, Device, DeviceId, DeviceKind, Hex, HexBytes, MeasuredValue,
    Measurement, Outcome, Provenance, Quantity, Reading, ReadingId, TransportKind, Unit,
};
use minato_protocol::uplink::{
    DeviceStatus, Entry, FromBroker, FromGateway, OutboxEntry, RefusedCode, UPLINK_VERSION,
    proof_bytes,
};
use minato_protocol::{GatewayId, SiteId, SubjectId, Timestamp};
use minato_signaling::gateway::Command;
use minato_signaling::http::Edge;
use minato_signaling::log::StreamId;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

pub(crate) const OUTBOX: Hex<8> = Hex([7; 8]);

/// One connection of one box.
#[derive(Debug)]
pub(crate) struct Wall {
    pub(crate) gateway: GatewayId,
    socket: Socket,
}

fn key_of(gateway: GatewayId) -> Ed25519KeyPair {
    let mut seed = [3; 32];
    seed[..8].copy_from_slice(&gateway.0.to_be_bytes());
    Ed25519KeyPair::from_seed_unchecked(&seed).expect("a seed")
}

impl Wall {
    /// A box is expected at a site and enrols with its code.
    pub(crate) async fn enrol(broker: &Broker, gateway: GatewayId, at: SiteId) {
        let code = format!("enrol-{gateway}");
        let told = code.clone();
        let expect = move |edge: Arc<Edge>| async move {
            let code_hash = edge.gateway_code_hash(&told);
            let expect = Command::Expect { site: at, code_hash };
            edge.desk.boxes.submit(&StreamId::gateway(gateway), None, expect).await.map(|_| ())
        };
        broker.inside(expect).await.expect("it is expected");
        let mut public = [0; 32];
        public.copy_from_slice(key_of(gateway).public_key().as_ref());
        let body = json!({ "code": code, "public_key": Hex(public).to_string() });
        let answer = broker.post("/gateway/enrol", body, None).await;
        assert_eq!(answer.body, json!({ "gateway": gateway, "site": at }), "{}", answer.status);
    }

    /// A box that nobody has said anything to yet.
    pub(crate) async fn dial(broker: &Broker, gateway: GatewayId) -> Self {
        let socket = dial(broker.address, "/gateway", None, None).await;
        Self { gateway, socket: socket.expect("the broker listens") }
    }

    /// Proved and welcomed.
    pub(crate) async fn connect(broker: &Broker, gateway: GatewayId) -> Self {
        let mut wall = Self::dial(broker, gateway).await;
        wall.hello(UPLINK_VERSION).await;
        wall.prove(gateway).await;
        let welcome = wall.next().await;
        assert!(matches!(welcome, Some(FromBroker::Welcome { .. })), "{welcome:?}");
        wall
    }

    pub(crate) async fn hello(&mut self, version: u32) {
        let (gateway, boot, nonce) = (self.gateway, Hex([1; 8]), Hex([2; 32]));
        self.send(&FromGateway::Hello { version, gateway, boot, outbox: OUTBOX, nonce }).await;
    }

    /// Answers the challenge as the box `signer` would.
    pub(crate) async fn prove(&mut self, signer: GatewayId) {
        let nonce = self.challenge().await;
        self.answer(signer, nonce).await;
    }

    pub(crate) async fn challenge(&mut self) -> Hex<32> {
        match self.next().await {
            Some(FromBroker::Challenge { nonce }) => nonce,
            other => panic!("no challenge: {other:?}"),
        }
    }

    pub(crate) async fn answer(&mut self, signer: GatewayId, nonce: Hex<32>) {
        let bytes = proof_bytes(self.gateway, &Hex([1; 8]), &Hex([2; 32]), &nonce);
        let mut signature = [0; 64];
        signature.copy_from_slice(key_of(signer).sign(&bytes).as_ref());
        self.send(&FromGateway::Prove { signature: Hex(signature) }).await;
    }

    pub(crate) async fn send(&mut self, message: &FromGateway) {
        self.send_text(serde_json::to_string(message).expect("plain")).await;
    }

    /// Sends; a broker that hung up in the middle of it is no failure.
    pub(crate) async fn send_text(&mut self, text: String) {
        self.send_message(Message::text(text)).await;
    }

    /// Sends something squeezed, or what pretends to be.
    pub(crate) async fn send_bytes(&mut self, bytes: Vec<u8>) {
        self.send_message(Message::binary(bytes)).await;
    }

    async fn send_message(&mut self, message: Message) {
        let _ = timeout(Duration::from_secs(5), self.socket.send(message)).await;
    }

    /// The next message that is no ping, or nothing once the connection is over.
    pub(crate) async fn next(&mut self) -> Option<FromBroker> {
        loop {
            let next = timeout(super::PATIENCE, self.socket.next()).await;
            match next.expect("it says something or ends")? {
                Ok(Message::Text(text)) => match serde_json::from_str(&text).expect("a message") {
                    FromBroker::Ping { nonce } => self.send(&FromGateway::Pong { nonce }).await,
                    other => return Some(other),
                },
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Reads to the end: why the broker closed, if it said so.
    pub(crate) async fn refusal(mut self) -> Option<RefusedCode> {
        let mut refused = None;
        while let Some(message) = self.next().await {
            if let FromBroker::Refused { code, .. } = message {
                refused = Some(code);
            }
        }
        refused
    }

    pub(crate) async fn deliver(&mut self, sent_at: Timestamp, batch: Vec<OutboxEntry>) {
        self.send(&FromGateway::Deliver { sent_at, batch }).await;
    }

    /// Delivers and waits until it is acknowledged.
    pub(crate) async fn deliver_all(&mut self, sent_at: Timestamp, batch: Vec<OutboxEntry>) {
        let through = batch.last().expect("not empty").seq;
        self.deliver(sent_at, batch).await;
        assert_eq!(self.next().await, Some(FromBroker::Ack { through }));
    }

    pub(crate) async fn status(&mut self, devices: Vec<DeviceStatus>) {
        self.send(&FromGateway::Status { devices, outbox_full: false, waiting: 0, lan: None })
            .await;
    }
}

pub(crate) fn cuff() -> DeviceId {
    "sim-cuff-1".parse().expect("a name")
}

pub(crate) fn cuff_status(device: DeviceId, bound: Option<SubjectId>) -> DeviceStatus {
    DeviceStatus {
        device,
        kind: DeviceKind::Cuff,
        model: "HEM-7600T".into(),
        connected: true,
        battery_percent: Some(80),
        bound,
        measuring: false,
        startable: true,
        last_frame_at: None,
        signal_dbm: None,
        clock_off: None,
        trouble: None,
    }
}

pub(crate) fn id_of(line: &OutboxEntry) -> ReadingId {
    match &line.entry {
        Entry::Measured { outcome, .. } => outcome.id(),
        Entry::Bound { .. } | Entry::Unbound { .. } => panic!("no reading"),
    }
}

/// One line of the outbox: a blood pressure of `subject`, its number in the raw bytes.
pub(crate) fn reading_of(subject: Option<SubjectId>, seq: u64, at: Timestamp) -> OutboxEntry {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&subject.map_or(0, |subject| subject.0).to_be_bytes());
    id[8..].copy_from_slice(&seq.to_be_bytes());
    let systolic = Measurement {
        what: Quantity::Systolic,
        value: MeasuredValue::Number { value: Decimal::whole(120) },
        unit: Unit::MmHg,
        original: None,
    };
    let reading = Reading {
        id: ReadingId(Hex(id)),
        device: Device { id: cuff(), kind: DeviceKind::Cuff, model: "HEM-7600T".into() },
        characteristic: Characteristic::BloodPressure,
        measurements: vec![systolic],
        quality: Vec::new(),
        device_time: None,
        gateway_time: at,
        device_user: None,
        site: None,
        provenance: Provenance {
            gateway: GatewayId(1),
            transport: TransportKind::Simulator,
            entered: None,
            driver: "cuff".into(),
            raw: HexBytes(seq.to_be_bytes().to_vec()),
            boot: Hex([1; 8]),
            sequence: seq,
        },
    };
    OutboxEntry { seq, at, entry: Entry::Measured { subject, outcome: Outcome::Reading(reading) } }
}
