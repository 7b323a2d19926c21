//! The real gateway on a private message bus, with BlueZ's service played by python-dbusmock:
//! devices are found, asked, listened to, refuse and go away, and what they say arrives at a broker.

#[path = "bluez/ward.rs"]
mod ward;

mod common;

use common::{Broker, CALM, Kept};
use jiff::{Timestamp, ToSpan as _};
use minato_devices::codec::{FrameTime, decode_datetime};
use minato_devices::transport::replay::Line;
use minato_protocol::reading::{DeviceId, HexBytes, Quantity, Reading, TransportKind};
use minato_protocol::uplink::{DeviceStatus, FromGateway, Trouble};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use ward::{WallBox, Ward};

const CUFF: &str = "C4:11:22:33:44:55";
const OXIMETER: &str = "0A:BB:CC:DD:EE:01";
/// 97 %, 60 a minute.
const SATURATION: &str = "0061003c00";
/// Noon on 28 November 2026, by the cuff's own clock.
const NOON: &str = "ea070b1c0c0000";

fn id(address: &str) -> DeviceId {
    address.to_ascii_lowercase().parse().expect("an id")
}

/// An A&D, which sends what it has as soon as it is listened to, and hangs up.
fn cuff(records: &[String]) -> Value {
    json!({
        "do": "device", "address": CUFF, "name": "A&D_UA-651BLE_123456", "advertises": ["1810"],
        "service": "1810", "battery": 80,
        "characteristics": [
            {"uuid": "2A35", "records": records, "hangs_up": !records.is_empty()},
            {"uuid": "2A08", "value": NOON},
        ],
    })
}

/// Measured at so many seconds past eleven of that day: 120 / 80 mmHg, mean 90, with a time.
fn record(second: u8) -> String {
    format!("02780050005a00ea070b1c0b00{second:02x}")
}

fn oximeter() -> Value {
    json!({
        "do": "device", "address": OXIMETER, "name": "Oxi", "advertises": ["1822"],
        "paired": true, "service": "1822", "characteristics": [{"uuid": "2A5F"}],
    })
}

fn having(kept: &Kept, what: Quantity) -> Vec<Reading> {
    let readings = kept.readings().into_iter().map(|(_, reading)| reading);
    readings.filter(|reading| reading.number(what).is_some()).collect()
}

fn status(kept: &Kept, address: &str) -> Option<DeviceStatus> {
    let devices = kept.other.iter().rev().find_map(|message| match message {
        FromGateway::Status { devices, .. } => Some(devices),
        _ => None,
    });
    devices?.iter().find(|device| device.device == id(address)).cloned()
}

fn is_in_trouble(kept: &Kept, address: &str, trouble: Option<Trouble>) -> bool {
    status(kept, address).is_some_and(|device| device.trouble == trouble)
}

fn place(lines: &[Line], of: impl Fn(&Line) -> bool) -> usize {
    lines.iter().position(of).unwrap_or_else(|| panic!("it was never heard: {lines:#?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cuff_that_sends_its_records_at_once_and_hangs_up_has_its_clock_set_and_loses_nothing() {
    let broker = Broker::start(CALM).await;
    let mut ward = Ward::open();
    ward.order(json!({"do": "adapter"}));
    let records: Vec<_> = (0..30).map(record).collect();
    ward.order(cuff(&records));
    let gateway = WallBox::start(&ward, &broker, &["--bluetooth"]);
    let all = |kept: &Kept| having(kept, Quantity::Systolic).len() >= records.len();
    let kept = broker.until("all records", all).await;
    let readings = having(&kept, Quantity::Systolic);
    let raw: BTreeSet<_> = readings.iter().map(|one| one.provenance.raw.to_string()).collect();
    assert_eq!(raw, records.iter().cloned().collect());
    assert!(readings.iter().all(|one| {
        one.provenance.transport == TransportKind::Bluetooth && one.device.id == id(CUFF)
    }));
    gateway.until("its end", |line| matches!(line, Line::Gone { .. })).await;
    let heard = gateway.heard();
    let clock = |line: &Line| {
        let noon: HexBytes = NOON.parse().expect("hex");
        matches!(line, Line::Bytes { attribute, hex, .. }
            if attribute.to_string() == "2A08" && *hex == noon)
    };
    let set = |line: &Line| matches!(line, Line::ClockSet { .. });
    let pressure = |line: &Line| matches!(line, Line::Bytes { attribute, .. } if attribute.to_string() == "2A35");
    let gone = |line: &Line| matches!(line, Line::Gone { .. });
    let places = [place(&heard, clock), place(&heard, set), place(&heard, pressure)];
    assert!(places.is_sorted() && places[2] + records.len() == place(&heard, gone), "{heard:#?}");
    let battery = |line: &Line| {
        matches!(line, Line::Bytes { attribute, hex, .. }
            if attribute.to_string() == "2A19" && hex.0 == [80])
    };
    place(&heard, battery);
    was_set_to_now(&ward.order(json!({"do": "written"})));
}

/// In the clinic's zone, to the minute.
fn was_set_to_now(answer: &Value) {
    let written: HexBytes = answer["written"][0]["hex"]
        .as_str()
        .and_then(|hex| hex.parse().ok())
        .unwrap_or_else(|| panic!("nothing was written: {answer}"));
    let Ok((FrameTime::Civil(time), _)) = decode_datetime(&written.0) else { panic!("{written}") };
    let zoned = time.in_tz("Asia/Tokyo").expect("a zone");
    let now = Timestamp::now();
    assert!(zoned.timestamp() <= now && zoned.timestamp() > now - 1.minute(), "{zoned}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paired_device_that_does_not_say_what_it_is_is_known_once_connected_and_comes_back() {
    let broker = Broker::start(CALM).await;
    let mut ward = Ward::open();
    ward.order(json!({"do": "adapter"}));
    let gateway = WallBox::start(&ward, &broker, &["--bluetooth"]);
    ward.order(oximeter());
    ward.until_notifying(OXIMETER, "2A5F").await;
    let say = json!({"do": "notify", "address": OXIMETER, "uuid": "2A5F", "hex": SATURATION});
    ward.order(say.clone());
    ward.order(say.clone());
    let twice = |kept: &Kept| having(kept, Quantity::Spo2).len() == 2;
    broker.until("both values, though they are the same", twice).await;
    ward.order(json!({"do": "tell", "address": OXIMETER, "on_air": false}));
    ward.order(json!({"do": "hang_up", "address": OXIMETER}));
    gateway.until("its end", |line| matches!(line, Line::Gone { .. })).await;
    let missed = |kept: &Kept| is_in_trouble(kept, OXIMETER, Some(Trouble::OutOfRange));
    broker.until("that it is missed", missed).await;
    ward.order(json!({"do": "tell", "address": OXIMETER, "on_air": true}));
    gateway.until_times(2, "its return", |line| matches!(line, Line::Appeared { .. })).await;
    let back = |kept: &Kept| {
        is_in_trouble(kept, OXIMETER, None)
            && status(kept, OXIMETER).is_some_and(|one| one.connected)
    };
    broker.until("that it is back", back).await;
    ward.until_notifying(OXIMETER, "2A5F").await;
    ward.order(say);
    let thrice = |kept: &Kept| having(kept, Quantity::Spo2).len() == 3;
    broker.until("a third value", thrice).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_wants_a_bond_is_named_as_not_paired() {
    let broker = Broker::start(CALM).await;
    let mut ward = Ward::open();
    ward.order(json!({"do": "adapter"}));
    let mut cuff = cuff(&[record(1)]);
    cuff["wants_bond"] = json!(true);
    ward.order(cuff);
    let _gateway = WallBox::start(&ward, &broker, &["--bluetooth"]);
    let named = |kept: &Kept| is_in_trouble(kept, CUFF, Some(Trouble::NotPaired));
    let kept = broker.until("its trouble", named).await;
    assert!(having(&kept, Quantity::Systolic).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_wants_a_bond_gets_one_while_pairing_is_allowed() {
    let broker = Broker::start(CALM).await;
    let mut ward = Ward::open();
    ward.order(json!({"do": "adapter"}));
    let mut cuff = cuff(&[record(1)]);
    cuff["wants_bond"] = json!(true);
    ward.order(cuff);
    let gateway = WallBox::start(&ward, &broker, &["--bluetooth", "--pair"]);
    broker.until("its record", |kept| having(kept, Quantity::Systolic).len() == 1).await;
    gateway.until_logged("paired", 1).await;
    assert!(is_in_trouble(&broker.kept(), CUFF, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_another_host_holds_is_named_so_and_heard_when_it_is_free() {
    let broker = Broker::start(CALM).await;
    let mut ward = Ward::open();
    ward.order(json!({"do": "adapter"}));
    let mut cuff = cuff(&[record(1)]);
    cuff["refuses"] = json!(["Failed", "le-connection-refused"]);
    ward.order(cuff);
    let _gateway = WallBox::start(&ward, &broker, &["--bluetooth"]);
    let held = |kept: &Kept| is_in_trouble(kept, CUFF, Some(Trouble::HeldElsewhere));
    broker.until("its trouble", held).await;
    ward.order(json!({"do": "tell", "address": CUFF, "refuses": null}));
    broker.until("its record", |kept| having(kept, Quantity::Systolic).len() == 1).await;
    let free = |kept: &Kept| is_in_trouble(kept, CUFF, None);
    broker.until("that it is free", free).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_ends_is_waited_for_with_one_line_in_the_log() {
    let broker = Broker::start(CALM).await;
    let mut ward = Ward::open();
    ward.order(json!({"do": "adapter"}));
    let gateway = WallBox::start(&ward, &broker, &["--bluetooth"]);
    ward.order(oximeter());
    ward.until_notifying(OXIMETER, "2A5F").await;
    ward.stop_service();
    gateway.until("its end", |line| matches!(line, Line::Gone { .. })).await;
    ward.start_service();
    // A service without its radio is not enough.
    gateway.until_logged("Bluetooth is still away", 1).await;
    ward.order(json!({"do": "adapter"}));
    ward.order(oximeter());
    ward.until_notifying(OXIMETER, "2A5F").await;
    ward.order(json!({"do": "notify", "address": OXIMETER, "uuid": "2A5F", "hex": SATURATION}));
    broker.until("a value", |kept| having(kept, Quantity::Spo2).len() == 1).await;
    let log = gateway.log();
    assert_eq!(log.matches("Bluetooth is away").count(), 1, "{log}");
    assert_eq!(log.matches("Bluetooth devices are heard").count(), 2, "{log}");
}
