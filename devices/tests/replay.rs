//! A capture is played through the gateway to a broker, and a wrong one is refused by its line.

mod common;

use common::{Broker, CALM, CODE, Kept};
use minato_devices::clock::Clock;
use minato_devices::gateway::{Gateway, GatewayConfig};
use minato_protocol::reading::{Quantity, Reading, TransportKind};
use std::path::Path;
use tokio::sync::oneshot;

/// A cuff sends three records from its memory; then an oximeter says one value.
const CAPTURE: &str = r#"
{"what": "appeared", "at_ms": 0, "device": "cuff", "name": "", "attributes": ["1810", "2A35"]}
{"what": "bytes", "at_ms": 1, "device": "cuff", "attribute": "2A35", "hex": "02780050005a00ea070b1c0b0001"}
{"what": "bytes", "at_ms": 2, "device": "cuff", "attribute": "2A35", "hex": "02780050005a00ea070b1c0b0002"}
{"what": "bytes", "at_ms": 3, "device": "cuff", "attribute": "2A35", "hex": "027a0051005b00ea070b1c0b0003"}
{"what": "gone", "at_ms": 4, "device": "cuff"}
{"what": "appeared", "at_ms": 5, "device": "oximeter", "attributes": ["2A5F"]}
{"what": "bytes", "at_ms": 6, "device": "oximeter", "attribute": "2A5F", "hex": "0061003c00"}
"#;

fn config(broker: &Broker, folder: &Path, capture: &Path) -> GatewayConfig {
    GatewayConfig {
        data_dir: folder.join("data"),
        broker_url: broker.url(),
        enrol_code: Some(CODE.into()),
        zone: "Asia/Tokyo".into(),
        simulate: None,
        bluetooth: None,
        replay: Some(capture.to_owned()),
        capture_to: None,
        serial: Vec::new(),
        status_listen: None,
        lan: None,
        ca_file: None,
    }
}

fn having(kept: &Kept, what: Quantity) -> Vec<Reading> {
    let readings = kept.readings().into_iter().map(|(_, reading)| reading);
    readings.filter(|reading| reading.number(what).is_some()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capture_that_is_played_three_times_shows_each_stored_record_once() {
    let broker = Broker::start(CALM).await;
    let folder = tempfile::tempdir().expect("a folder");
    let capture = folder.path().join("capture");
    std::fs::write(&capture, CAPTURE).expect("a file");
    for times in 1..=3 {
        let config = config(&broker, folder.path(), &capture);
        let gateway = Gateway::open(config, Clock::system()).await.expect("it opens");
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(gateway.run(async move { drop(stopped.await) }));
        // The value that the oximeter says is a new one each time, and comes last.
        let played = |kept: &Kept| having(kept, Quantity::Spo2).len() == times;
        let kept = broker.until("the last value", played).await;
        let records = having(&kept, Quantity::Systolic);
        let raw: Vec<_> = records.iter().map(|one| one.provenance.raw.to_string()).collect();
        assert_eq!(raw.len(), 3, "after {times}: {raw:?}");
        assert!(records.iter().all(|one| one.provenance.transport == TransportKind::Replay));
        stop.send(()).expect("it runs");
        running.await.expect("it ends").expect("in order");
    }
}

#[tokio::test]
async fn a_capture_with_a_wrong_line_is_refused_before_anything_is_played() {
    let broker = Broker::start(CALM).await;
    let folder = tempfile::tempdir().expect("a folder");
    let capture = folder.path().join("capture");
    std::fs::write(&capture, CAPTURE.replace("\"2A5F\", \"hex\"", "\"2A5\", \"hex\""))
        .expect("a file");
    let refused = Gateway::open(config(&broker, folder.path(), &capture), Clock::system()).await;
    let words = refused.expect_err("it is wrong").to_string();
    assert!(words.starts_with("line 8 of the capture"), "{words}");
}
