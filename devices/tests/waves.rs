//! Waves over a real data channel to a relay small enough to be read at a glance: it answers the
//! offer with an independent peer and keeps what arrives.

mod common;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{delete, post};
use axum::{Json, Router};
use common::{Broker, CALM, CODE, Kept, PATIENCE, Temper};
use minato_devices::clock::Clock;
use minato_devices::gateway::{Gateway, GatewayConfig, SimulateConfig};
use minato_protocol::media::{JoinAnswer, JoinOffer, WAVES_CHANNEL};
use minato_protocol::reading::WaveBlock;
use minato_protocol::uplink::{Entry, FromBroker, FromGateway};
use minato_protocol::{StaffId, SubjectId, VisitId};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use webrtc::data_channel::{DataChannel, DataChannelEvent};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceGatheringState,
    RTCSessionDescription, SettingEngineBuilder,
};

const SATO: SubjectId = SubjectId(1);
const ITO: SubjectId = SubjectId(2);
const VISIT: VisitId = VisitId(3);
/// Nothing for so long is no accident on loopback; ten seconds of samples are missing then.
const QUIET: Duration = Duration::from_secs(2);
const HOLE: u64 = 750;
const TOKEN: &str = "a-token";
const SECRET: &str = "a-secret";

#[derive(Clone)]
struct Relay {
    blocks: mpsc::Sender<WaveBlock>,
    gathered: Arc<watch::Sender<bool>>,
    left: Arc<watch::Sender<u32>>,
    peers: mpsc::Sender<Arc<dyn PeerConnection>>,
}

impl PeerConnectionEventHandler for Relay {
    fn on_ice_gathering_state_change<'me, 'future>(
        &'me self,
        state: RTCIceGatheringState,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'future>>
    where
        'me: 'future,
        Self: 'future,
    {
        if state == RTCIceGatheringState::Complete {
            self.gathered.send_replace(true);
        }
        Box::pin(async {})
    }

    fn on_data_channel<'me, 'future>(
        &'me self,
        channel: Arc<dyn DataChannel>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'future>>
    where
        'me: 'future,
        Self: 'future,
    {
        let blocks = self.blocks.clone();
        Box::pin(async move {
            tokio::spawn(async move {
                let waves = channel.label().await.is_ok_and(|label| label == WAVES_CHANNEL);
                if waves {
                    assert!(!channel.ordered().await.expect("open"));
                }
                while let Some(event) = channel.poll().await {
                    let DataChannelEvent::OnMessage(message) = event else { continue };
                    assert!(waves && message.data.len() <= 1_024);
                    let block = serde_json::from_slice(&message.data).expect("a block");
                    let _ = blocks.send(block).await;
                }
            });
        })
    }
}

async fn join(
    State(relay): State<Relay>,
    headers: HeaderMap,
    Json(offer): Json<JoinOffer>,
) -> (StatusCode, Json<JoinAnswer>) {
    assert_eq!(headers["authorization"], format!("Bearer {TOKEN}"));
    let mut gathered = relay.gathered.subscribe();
    let peer = PeerConnectionBuilder::new()
        .with_setting_engine(
            SettingEngineBuilder::new().with_include_loopback_candidate(true).build(),
        )
        .with_handler(Arc::new(relay.clone()))
        .with_udp_addrs(vec!["127.0.0.1:0"])
        .build();
    let peer: Arc<dyn PeerConnection> = Arc::new(Box::pin(peer).await.expect("a peer"));
    let offer = RTCSessionDescription::offer(offer.sdp).expect("an offer");
    peer.set_remote_description(offer).await.expect("taken");
    let answer = peer.create_answer(None).await.expect("an answer");
    peer.set_local_description(answer).await.expect("taken");
    gathered.wait_for(|gathered| *gathered).await.expect("candidates");
    let sdp = peer.local_description().await.expect("a description").sdp;
    relay.peers.send(peer).await.expect("the test keeps it");
    let answer = JoinAnswer { sdp, session: "s1".into(), secret: SECRET.into(), slots: 0 };
    (StatusCode::CREATED, Json(answer))
}

async fn leave(State(relay): State<Relay>, headers: HeaderMap) -> StatusCode {
    assert_eq!(headers["authorization"], format!("Bearer {SECRET}"));
    relay.left.send_modify(|left| *left += 1);
    StatusCode::NO_CONTENT
}

struct Listening {
    address: SocketAddr,
    relay: Relay,
    blocks: mpsc::Receiver<WaveBlock>,
    _peers: mpsc::Receiver<Arc<dyn PeerConnection>>,
}

async fn relay() -> Listening {
    let (blocks, received) = mpsc::channel(256);
    let (peers, kept_peers) = mpsc::channel(8);
    let (gathered, left) = (Arc::new(watch::Sender::new(false)), Arc::new(watch::Sender::new(0)));
    let relay = Relay { blocks, gathered, left, peers };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let routes = Router::new()
        .route("/relay/sessions", post(join))
        .route("/relay/sessions/s1", delete(leave))
        .with_state(relay.clone());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Listening { address, relay, blocks: received, _peers: kept_peers }
}

fn bind(key: &str, on: &str, subject: SubjectId) -> FromBroker {
    let (key, device) = (key.parse().expect("a key"), on.parse().expect("an id"));
    FromBroker::Bind { key, device, subject, by: StaffId(9), takes_over: false }
}

fn grant(relay_url: String) -> FromBroker {
    FromBroker::MediaGrant { visit: VISIT, subject: SATO, relay_url, token: TOKEN.into() }
}

async fn with_two_patients(broker: &Broker) -> tempfile::TempDir {
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
    broker.until_it_hangs("sim-oximeter-2").await;
    broker.say(bind("k1", "sim-oximeter-1", SATO));
    broker.say(bind("k2", "sim-oximeter-2", ITO));
    let bound = |kept: &Kept| {
        kept.once.iter().filter(|(kept, _)| matches!(kept.entry, Entry::Bound { .. })).count()
    };
    broker.until("both bindings", |kept| bound(kept) == 2).await;
    data
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_gets_its_own_patients_wave_without_gaps_and_nobody_elses() {
    let broker = Broker::start(CALM).await;
    let mut relay = relay().await;
    let _data = with_two_patients(&broker).await;
    broker.say(grant(format!("http://{}", relay.address)));
    let mut expected = None;
    for _ in 0..12 {
        let block = tokio::time::timeout(PATIENCE, relay.blocks.recv()).await.expect("in time");
        let block = block.expect("a block");
        assert_eq!(block.device.as_str(), "sim-oximeter-1");
        assert_eq!((block.rate_num, block.rate_den), (75, 1));
        if let Some(expected) = expected {
            assert_eq!(block.first_sample, expected, "a gap on loopback");
        }
        expected = Some(block.first_sample + block.samples.0.len() as u64);
    }
    broker.say(FromBroker::MediaRevoke { visit: VISIT });
    let mut left = relay.relay.left.subscribe();
    let goodbye = tokio::time::timeout(PATIENCE, left.wait_for(|left| *left == 1)).await;
    goodbye.expect("in time").expect("a goodbye");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_cannot_be_joined_is_reported_and_a_new_grant_is_used() {
    let broker = Broker::start(CALM).await;
    let mut relay = relay().await;
    let _data = with_two_patients(&broker).await;
    // Nobody listens on a port that was just given back.
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let nobody = gone.local_addr().expect("an address");
    drop(gone);
    broker.say(grant(format!("http://{nobody}")));
    let lost = |kept: &Kept| {
        kept.other.iter().any(|m| matches!(m, FromGateway::MediaLost { visit } if *visit == VISIT))
    };
    broker.until("a report", lost).await;
    broker.say(grant(format!("http://{}", relay.address)));
    let block = tokio::time::timeout(PATIENCE, relay.blocks.recv()).await.expect("in time");
    assert_eq!(block.expect("a block").device.as_str(), "sim-oximeter-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn waves_rest_while_the_broker_is_late_with_numbers_and_go_on_when_it_is_not() {
    let broker = Broker::start(CALM).await;
    let mut relay = relay().await;
    let _data = with_two_patients(&broker).await;
    broker.say(grant(format!("http://{}", relay.address)));
    let mut next = async || tokio::time::timeout(PATIENCE, relay.blocks.recv()).await;
    next().await.expect("in time").expect("a block");
    broker.becomes(Temper { mute: true, ..CALM });
    // Blocks come several times a second; a hole of seconds is told by what is missing in them.
    let mut expected = None;
    loop {
        let mut blocks = Box::pin(next());
        let block = tokio::select! {
            block = &mut blocks => block,
            () = tokio::time::sleep(QUIET) => {
                // Whatever it was not told of is told now, again and again.
                broker.calm_down();
                broker.say(FromBroker::Ack { through: broker.kept().last_seq });
                blocks.await
            }
        };
        let block = block.expect("in time").expect("a block");
        if expected.is_some_and(|expected| block.first_sample > expected + HOLE) {
            return;
        }
        expected = Some(block.first_sample + block.samples.0.len() as u64);
    }
}
