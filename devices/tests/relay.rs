//! Waves through the relay itself: the gateway joins, is seen by signaling, and learns when it was
//! put out.

mod common;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use common::{Broker, CALM, CODE, Kept, PATIENCE};
use futures_util::{SinkExt, StreamExt};
use minato_devices::clock::Clock;
use minato_devices::gateway::{Gateway, GatewayConfig, SimulateConfig};
use minato_protocol::media::{ControlClaims, FromRelay, MediaClaims, PartyRole, Rights, ToRelay};
use minato_protocol::uplink::{Entry, FromBroker, FromGateway};
use minato_protocol::{ParticipantId, StaffId, SubjectId, VisitId};
use minato_protocol::{Span, Timestamp};
use minato_relay::{Relay, RelayConfig, token};
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

const SATO: SubjectId = SubjectId(1);
const VISIT: VisitId = VisitId(3);
const BOX: ParticipantId = ParticipantId(8);

struct Signaling(WebSocketStream<TcpStream>);

impl Signaling {
    async fn connect(relay: SocketAddr, key: &Ed25519KeyPair) -> Self {
        let not_after = Clock::system().now() + Span::seconds(30);
        let claims = ControlClaims { node: "test".into(), not_after };
        let bearer = format!("Bearer {}", token::sign_control(&claims, key));
        let mut request =
            format!("ws://{relay}/relay/control").into_client_request().expect("a request");
        request.headers_mut().insert("authorization", bearer.parse().expect("ascii"));
        let tcp = TcpStream::connect(relay).await.expect("it listens");
        Self(tokio_tungstenite::client_async(request, tcp).await.expect("it upgrades").0)
    }

    async fn desire(&mut self, seq: u64, participants: Vec<ParticipantId>) {
        let list = ToRelay::Desired { visit: VISIT, seq, generation: 1, participants };
        let text = serde_json::to_string(&list).expect("json");
        self.0.send(text.into()).await.expect("it reads");
        self.until(|said| *said == FromRelay::Applied { visit: VISIT, seq }).await;
    }

    async fn until(&mut self, wanted: impl Fn(&FromRelay) -> bool) {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("in time");
            let message = message.expect("open").expect("a message");
            let Ok(text) = message.to_text() else { continue };
            if wanted(&serde_json::from_str(text).expect("a known message")) {
                return;
            }
        }
    }
}

fn grant(relay: SocketAddr, key: &Ed25519KeyPair, jti: &str, not_after: Timestamp) -> FromBroker {
    let claims = MediaClaims {
        visit: VISIT,
        participant: BOX,
        claim_epoch: 1,
        role: PartyRole::Gateway,
        rights: Rights { publish_waves: true, ..Rights::default() },
        jti: jti.into(),
        not_after,
        generation: 1,
    };
    let (relay_url, token) = (format!("http://{relay}"), token::sign(&claims, key));
    FromBroker::MediaGrant { visit: VISIT, subject: SATO, relay_url, token }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_relay_lets_the_gateway_in_and_the_gateway_notices_when_it_is_put_out() {
    let key = Ed25519KeyPair::from_seed_unchecked(&[3; 32]).expect("a seed of 32 bytes");
    let public = key.public_key().as_ref().try_into().expect("32 bytes");
    let config = RelayConfig::new(([127, 0, 0, 1], 0).into(), public);
    let (_relay, router) = Relay::start(config).expect("a relay on loopback");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let relay = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    let mut signaling = Signaling::connect(relay, &key).await;
    signaling.desire(1, vec![BOX]).await;

    let broker = Broker::start(CALM).await;
    let data = tempfile::tempdir().expect("a folder");
    let config = GatewayConfig {
        data_dir: data.path().to_path_buf(),
        broker_url: broker.url(),
        enrol_code: Some(CODE.into()),
        zone: "Asia/Tokyo".into(),
        simulate: Some(SimulateConfig::default()),
        bluetooth: None,
        replay: None,
        capture_to: None,
        serial: Vec::new(),
        status_listen: None,
        lan: None,
        ca_file: None,
    };
    let gateway = Gateway::open(config, Clock::system()).await.expect("it opens");
    tokio::spawn(gateway.run(std::future::pending()));
    broker.until_it_hangs("sim-oximeter-1").await;
    let (bind, device) = ("k1".parse().expect("a key"), "sim-oximeter-1".parse().expect("an id"));
    broker.say(FromBroker::Bind {
        key: bind,
        device,
        subject: SATO,
        by: StaffId(9),
        takes_over: false,
    });
    let bound =
        |kept: &Kept| kept.once.iter().any(|(kept, _)| matches!(kept.entry, Entry::Bound { .. }));
    broker.until("the binding", bound).await;

    let soon = Clock::system().now() + Span::seconds(30);
    broker.say(grant(relay, &key, "once", soon));
    let joined = FromRelay::Joined { visit: VISIT, participant: BOX };
    signaling.until(|said| *said == joined).await;
    signaling.desire(2, Vec::new()).await;
    let lost = |kept: &Kept| {
        kept.other.iter().any(|m| matches!(m, FromGateway::MediaLost { visit } if *visit == VISIT))
    };
    broker.until("a report", lost).await;
}
