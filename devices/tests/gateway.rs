//! The gateway against a broker that breaks off, repeats itself, and asks for things.

mod common;

use common::{Broker, CALM, CODE, GATEWAY, Kept, PATIENCE, Temper};
use minato_devices::clock::Clock;
use minato_devices::gateway::{Gateway, GatewayConfig, GatewayError, SimulateConfig};
use minato_devices::status::Buttons;
use minato_protocol::reading::{DeviceId, FaultReason, Outcome, Quality, Quantity};
use minato_protocol::uplink::{Entry, FromBroker, FromGateway, RequestRefusal, SimulatedFault};
use minato_protocol::{Span, StaffId, SubjectId};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const SATO: SubjectId = SubjectId(1);
const ITO: SubjectId = SubjectId(2);
const NURSE: StaffId = StaffId(9);

fn device(name: &str) -> DeviceId {
    name.parse().expect("an id")
}

fn bind(key: &str, on: &str, subject: SubjectId) -> FromBroker {
    let key = key.parse().expect("a key");
    FromBroker::Bind { key, device: device(on), subject, by: NURSE, takes_over: false }
}

fn unbind(key: &str, from: &str) -> FromBroker {
    FromBroker::Unbind {
        key: key.parse().expect("a key"),
        device: device(from),
        by: NURSE,
        subject: None,
    }
}

struct Running {
    buttons: Buttons,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), GatewayError>>,
    status: std::net::SocketAddr,
    data: TempDir,
}

fn config(broker: &Broker, data: &TempDir) -> GatewayConfig {
    GatewayConfig {
        data_dir: data.path().to_path_buf(),
        broker_url: broker.url(),
        enrol_code: Some(CODE.into()),
        zone: "Asia/Tokyo".into(),
        simulate: Some(SimulateConfig::default()),
        bluetooth: None,
        replay: None,
        capture_to: None,
        serial: Vec::new(),
        status_listen: Some("127.0.0.1:0".parse().expect("an address")),
        lan: None,
        ca_file: None,
    }
}

/// A gateway that the broker has welcomed and whose devices it knows.
async fn running(broker: &Broker) -> Running {
    let data = tempfile::tempdir().expect("a folder");
    let gateway = Gateway::open(config(broker, &data), Clock::system()).await.expect("it opens");
    let buttons = gateway.buttons().expect("a rehearsal");
    let status = gateway.status_addr().expect("a status page");
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(gateway.run(async move { drop(stopped.await) }));
    broker.until("the devices", |kept| devices_told(kept) == 9).await;
    Running { buttons, stop, task, status, data }
}

fn devices_told(kept: &Kept) -> usize {
    let told = kept.other.iter().rev().find_map(|message| match message {
        FromGateway::Status { devices, .. } => Some(devices.len()),
        _ => None,
    });
    told.unwrap_or(0)
}

fn refusal(kept: &Kept, wanted: &str) -> Option<RequestRefusal> {
    kept.other.iter().find_map(|message| match message {
        FromGateway::RequestRefused { key, code } if key.as_str() == wanted => Some(*code),
        _ => None,
    })
}

fn is_bound(kept: &Kept, to: SubjectId) -> bool {
    let bound = |entry: &Entry| matches!(entry, Entry::Bound { subject, .. } if *subject == to);
    kept.once.iter().any(|(kept, _)| bound(&kept.entry))
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_minutes_over_a_link_that_breaks_and_stutters_arrive_once_and_in_order() {
    let broker = Broker::start(Temper { breaks_after: 3, stutters: true, mute: false }).await;
    let gateway = running(&broker).await;
    broker.say(bind("k1", "sim-oximeter-1", SATO));
    broker.until("the binding", |kept| is_bound(kept, SATO)).await;
    gateway.buttons.advance(Span::minutes(10));
    let kept = broker.until("600 values", |kept| kept.readings().len() >= 600).await;
    broker.calm_down();
    assert!(kept.connections >= 3, "the link broke {} times", kept.connections);
    assert!(kept.delivered.len() > kept.once.len(), "something was repeated");
    let times: Vec<_> = kept.readings().iter().map(|(_, reading)| reading.gateway_time).collect();
    assert!(times.windows(2).all(|pair| (pair[1] - pair[0]).0 == 1_000), "every second once");
    assert!(kept.readings().iter().all(|(subject, _)| *subject == Some(SATO)));
    let (_, oldest_age_ms) = kept.once.iter().max_by_key(|(_, age_ms)| *age_ms).expect("some");
    assert!(*oldest_age_ms > 9 * 60_000, "the first of them are late: {oldest_age_ms}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pulled_cable_loses_nothing_and_what_was_measured_meanwhile_is_late() {
    let broker = Broker::start(CALM).await;
    let gateway = running(&broker).await;
    broker.say(bind("k1", "sim-oximeter-1", SATO));
    broker.until("a first value", |kept| !kept.readings().is_empty()).await;
    gateway.buttons.plug(false);
    let before = broker.kept().readings().len();
    gateway.buttons.advance(Span::minutes(10));
    six_hundred_wait(&gateway).await;
    gateway.buttons.plug(true);
    let kept = broker.until("the backlog", |kept| kept.readings().len() >= before + 600).await;
    let times: Vec<_> = kept.readings().iter().map(|(_, reading)| reading.gateway_time).collect();
    assert!(times.windows(2).all(|pair| (pair[1] - pair[0]).0 == 1_000), "every second once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_brings_no_word_back_is_given_a_little_of_a_backlog_and_not_all() {
    let broker = Broker::start(CALM).await;
    let gateway = running(&broker).await;
    broker.say(bind("k1", "sim-oximeter-1", SATO));
    broker.until("a first value", |kept| !kept.readings().is_empty()).await;
    gateway.buttons.plug(false);
    gateway.buttons.advance(Span::minutes(10));
    six_hundred_wait(&gateway).await;
    let connections = broker.kept().connections;
    broker.becomes(Temper { mute: true, ..CALM });
    let before = broker.kept().delivered_bytes;
    gateway.buttons.plug(true);
    let kept = broker
        .until("a delivery", |kept| kept.connections > connections && kept.delivered_bytes > before)
        .await;
    let bytes = kept.delivered_bytes - before;
    assert!(bytes < 4_096, "{bytes} bytes");
    broker.calm_down();
    broker.say(FromBroker::Ack { through: kept.last_seq });
    broker.until("all of it", |kept| kept.readings().len() >= 600).await;
}

async fn six_hundred_wait(gateway: &Running) {
    // The status page answers without a broker.
    let waiting = async {
        while status(gateway.status).await["waiting"].as_u64() < Some(600) {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("600 entries wait");
}

async fn status(at: std::net::SocketAddr) -> serde_json::Value {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(at).await.expect("it listens");
    let request = format!("GET /status HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("text");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    serde_json::from_str(body).expect("json")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cuffs_error_arrives_as_a_fault_and_the_next_try_as_a_reading() {
    let broker = Broker::start(CALM).await;
    let gateway = running(&broker).await;
    let cuff = device("sim-cuff-1");
    broker.say(bind("k1", "sim-cuff-1", SATO));
    broker.until("the binding", |kept| is_bound(kept, SATO)).await;
    gateway.buttons.fail(cuff.clone(), SimulatedFault::CuffError).await.expect("its fault");
    broker.say(FromBroker::Measure { key: "m1".parse().expect("a key"), device: cuff.clone() });
    broker.until("a pressure", |kept| !kept.readings().is_empty()).await;
    // Said twice, it is neither started twice nor refused as busy.
    broker.say(FromBroker::Measure { key: "m1".parse().expect("a key"), device: cuff.clone() });
    gateway.buttons.advance(Span::seconds(20));
    let is_fault = |entry: &Entry| {
        matches!(entry, Entry::Measured { subject: Some(SATO), outcome: Outcome::Fault(fault) }
            if fault.reason == FaultReason::CuffError)
    };
    let has_fault = |kept: &Kept| kept.once.iter().any(|(e, _)| is_fault(&e.entry));
    let kept = broker.until("the fault", has_fault).await;
    assert_eq!(refusal(&kept, "m1"), None);
    gateway.buttons.measure(cuff).await.expect("it is free");
    gateway.buttons.advance(Span::seconds(20));
    let has_result = |kept: &Kept| {
        let number = |r: &minato_protocol::reading::Reading| r.number(Quantity::Systolic).is_some();
        kept.readings().iter().any(|(subject, r)| *subject == Some(SATO) && number(r))
    };
    broker.until("the result", has_result).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cuff_moved_to_another_patient_halfway_gives_a_result_that_is_nobodys() {
    let broker = Broker::start(CALM).await;
    let gateway = running(&broker).await;
    broker.say(bind("k1", "sim-cuff-1", SATO));
    broker.until("the binding", |kept| is_bound(kept, SATO)).await;
    gateway.buttons.measure(device("sim-cuff-1")).await.expect("it is free");
    broker.until("a pressure", |kept| !kept.readings().is_empty()).await;
    broker.say(bind("k2", "sim-cuff-1", ITO));
    let kept = broker.until("a refusal", |kept| refusal(kept, "k2").is_some()).await;
    assert_eq!(refusal(&kept, "k2"), Some(RequestRefusal::BoundElsewhere));
    broker.say(unbind("k3", "sim-cuff-1"));
    broker.say(bind("k4", "sim-cuff-1", ITO));
    broker.until("the new binding", |kept| is_bound(kept, ITO)).await;
    gateway.buttons.advance(Span::seconds(20));
    let result =
        |kept: &Kept| kept.readings().into_iter().find(|(_, reading)| !reading.is_intermediate());
    let kept = broker.until("the result", |kept| result(kept).is_some()).await;
    assert_eq!(result(&kept).map(|(subject, _)| subject), Some(None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_repeated_changes_nothing_and_an_unknown_device_is_refused() {
    let broker = Broker::start(CALM).await;
    let _gateway = running(&broker).await;
    broker.say(bind("k1", "sim-oximeter-1", SATO));
    broker.say(bind("k1", "sim-oximeter-1", SATO));
    broker.say(bind("k2", "no-such-device", SATO));
    let kept = broker.until("a refusal", |kept| refusal(kept, "k2").is_some()).await;
    assert_eq!(refusal(&kept, "k2"), Some(RequestRefusal::UnknownDevice));
    let kept = broker.until("a value", |kept| !kept.readings().is_empty()).await;
    let bound = kept.once.iter().filter(|(kept, _)| matches!(kept.entry, Entry::Bound { .. }));
    assert_eq!(bound.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slipped_sensor_is_told_with_each_value() {
    let broker = Broker::start(CALM).await;
    let gateway = running(&broker).await;
    broker.say(bind("k1", "sim-oximeter-2", ITO));
    broker.until("the binding", |kept| is_bound(kept, ITO)).await;
    broker.say(FromBroker::SimulateFault {
        key: "f1".parse().expect("a key"),
        device: device("sim-oximeter-2"),
        fault: SimulatedFault::SensorDisplaced,
    });
    gateway.buttons.advance(Span::seconds(5));
    let slipped = |kept: &Kept| {
        let said = |reading: &minato_protocol::reading::Reading| {
            reading.quality.contains(&Quality::SensorDisplaced)
        };
        kept.readings().iter().any(|(_, reading)| said(reading))
    };
    broker.until("a questionable value", slipped).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_gateway_started_again_is_the_same_and_remembers_its_bindings() {
    let broker = Broker::start(CALM).await;
    let Running { stop, task, data, .. } = {
        let gateway = running(&broker).await;
        broker.say(bind("k1", "sim-oximeter-1", SATO));
        broker.until("a value", |kept| !kept.readings().is_empty()).await;
        gateway
    };
    stop.send(()).expect("it runs");
    task.await.expect("it ends").expect("in order");
    let before = broker.kept();
    let again = GatewayConfig { enrol_code: None, ..config(&broker, &data) };
    let gateway = Gateway::open(again, Clock::system()).await.expect("it opens again");
    tokio::spawn(gateway.run(std::future::pending()));
    let more = |kept: &Kept| kept.readings().len() > before.readings().len();
    let kept = broker.until("another value", more).await;
    assert!(kept.readings().iter().all(|(subject, reading)| {
        *subject == Some(SATO) && reading.provenance.gateway == GATEWAY
    }));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_gateways_cannot_share_a_folder_and_a_first_start_needs_a_code() {
    let broker = Broker::start(CALM).await;
    let gateway = running(&broker).await;
    let second = Gateway::open(config(&broker, &gateway.data), Clock::system()).await;
    let words = second.expect_err("the folder is taken").to_string();
    assert!(words.contains("another gateway"), "{words}");
    let empty = tempfile::tempdir().expect("a folder");
    let uncoded = GatewayConfig { enrol_code: None, ..config(&broker, &empty) };
    let gateway = Gateway::open(uncoded, Clock::system()).await.expect("it opens");
    let words = gateway.run(std::future::pending()).await.expect_err("no code").to_string();
    assert!(words.contains("--code"), "{words}");
}

#[tokio::test]
async fn the_status_page_is_never_offered_to_others() {
    let data = tempfile::tempdir().expect("a folder");
    let broker = Broker::start(CALM).await;
    let open = GatewayConfig {
        status_listen: Some("0.0.0.0:0".parse().expect("an address")),
        ..config(&broker, &data)
    };
    let refused = Gateway::open(open, Clock::system()).await;
    assert!(matches!(refused, Err(GatewayError::NotLoopback(_))));
}
