//! The real gateway on a private message bus, with BlueZ's service played by python-dbusmock:
//! devices are found, asked, listened to, refuse and go away, and what they say arrives at a broker.

#[path = "bluez/ward.rs"]
mod ward;

mod common;

use common::{Broker, CALM, Kept};
use minato_devices::transport::replay::Line;
use minato_protocol::reading::{DeviceId, Quantity, Reading, TransportKind};
use minato_protocol::uplink::Trouble;
use serde_json::json;
use ward::{Box, Ward};

const CUFF: &str = "C4:11:22:33:44:55";
const OXIMETER: &str = "0a:bb:cc:dd:ee:01";
/// 120 / 80 mmHg, mean 90.
const PRESSURE: &str = "00780050005a00";
/// 97 %, 60 a minute.
const SPOT: &str = "0061003c00";

fn id(address: &str) -> DeviceId {
    address.to_ascii_lowercase().parse().expect("an id")
}

fn cuff() -> serde_json::Value {
    json!({
        "do": "device", "address": CUFF, "name": "A&D_UA-651BLE_123456", "advertises": ["1810"],
        "service": "1810", "battery": 80,
        "characteristics": [
            {"uuid": "2A35"}, {"uuid": "2A36"},
            // Noon on 28 November 2026, by its own clock.
            {"uuid": "2A08", "value": "ea070b1c0c0000"},
        ],
    })
}

fn systolics(kept: &Kept) -> Vec<Reading> {
    let readings = kept.readings().into_iter().map(|(_, reading)| reading);
    readings.filter(|reading| reading.number(Quantity::Systolic).is_some()).collect()
}

fn obstructed(line: &Line, by: Option<Trouble>) -> bool {
    matches!(line, Line::Obstructed { by: now, .. } if *now == by)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cuff_is_found_and_asked_and_its_pressure_arrives() {
    let broker = Broker::start(CALM).await;
    let mut ward = Ward::open();
    ward.order(json!({"do": "adapter"}));
    let mut gateway = Box::start(&ward, &broker, &["--bluetooth"]);
    ward.order(cuff());
    gateway.until("the cuff", |line| matches!(line, Line::Appeared { .. })).await;
    ward.until_notifying(CUFF, "2A35").await;
    ward.order(json!({"do": "notify", "address": CUFF, "uuid": "2A35", "hex": PRESSURE}));
    let kept = broker.until("a pressure", |kept| !systolics(kept).is_empty()).await;
    let provenance = systolics(&kept).remove(0).provenance;
    assert_eq!(provenance.transport, TransportKind::Bluetooth);
    assert_eq!(systolics(&kept)[0].device.id, id(CUFF));
    let heard = gateway.heard();
    let battery = Line::Bytes {
        at_ms: 0,
        device: id(CUFF),
        attribute: "2A19".parse().expect("a number"),
        hex: "50".parse().expect("hex"),
    };
    assert!(heard.iter().any(|line| ward::same(line, &battery)), "{heard:#?}");
}
