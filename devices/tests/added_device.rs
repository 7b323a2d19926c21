//! The device that `docs/adding-a-device.md` adds: its very files are built and run here, and what the
//! page shows of them is what they say.

#[path = "../../docs/adding-a-device/example.rs"]
mod example;

use jiff::tz::TimeZone;
use minato_devices::codec::assigned_number;
use minato_devices::device_clock::ClockHistory;
use minato_devices::driver::{Attribute, Message, Offer, Said, Step, Way};
use minato_devices::inspect::shown;
use minato_devices::reading::{Received, outcome};
use minato_protocol::reading::{
    Characteristic, Device, Hex, HexBytes, Outcome, Quantity, TransportKind,
};
use minato_protocol::{GatewayId, Timestamp};
use serde_json::Value;

const PAGE: &str = include_str!("../../docs/adding-a-device.md");
const CODE: &str = include_str!("../../docs/adding-a-device/example.rs");
const FRAMES: &str = include_str!("../../docs/adding-a-device/example.json");
/// A family is less than a hundred lines.
const LINES_MAX: usize = 99;

fn attribute() -> Attribute {
    let Way::Bluetooth(&[Step::Subscribe(attribute)]) = example::FAMILY.way else {
        panic!("one subscription");
    };
    attribute
}

fn bytes_of(frame: &Value) -> Vec<u8> {
    let packed: String = frame["hex"].as_str().expect("hex").split_whitespace().collect();
    packed.parse::<HexBytes>().expect("hex").0
}

/// What the driver says of one message.
fn hear(bytes: &[u8]) -> (Message, Vec<Said>) {
    let (mut driver, mut said) = ((example::FAMILY.make)(), Vec::new());
    driver.on_bytes(attribute(), bytes, Timestamp(5), &mut said);
    let Some(Said::Frame(message)) = said.pop() else { panic!("{said:?}") };
    (message, said)
}

fn frames() -> Vec<Value> {
    serde_json::from_str(FRAMES).expect("a list")
}

#[test]
fn each_message_of_the_fixture_says_what_is_expected() {
    let frames = frames();
    assert!(frames.len() >= 4);
    for frame in frames {
        let note = &frame["note"];
        let (message, _) = hear(&bytes_of(&frame));
        match message.frame {
            Ok(read) => assert_eq!(shown(&read), frame["expected"], "{note}"),
            Err(refused) => assert_eq!(frame["refused"], refused.to_string(), "{note}"),
        }
    }
}

#[test]
fn every_prefix_of_a_message_is_refused() {
    let whole = bytes_of(&frames()[0]);
    for end in 0..whole.len() {
        assert!(hear(&whole[..end]).0.frame.is_err(), "{end} bytes");
    }
}

#[test]
fn a_message_becomes_a_reading_with_its_bytes() {
    let bytes = bytes_of(&frames()[0]);
    let (message, others) = hear(&bytes);
    assert_eq!(others, [Said::Battery(87)]);
    let meta = (example::FAMILY.make)().meta();
    let id = "00:00:5e:00:53:09".parse().expect("an id");
    let device = Device { id, kind: meta.kind, model: "Kumo-T1".into() };
    let received = Received {
        device: &device,
        gateway: GatewayId(1),
        transport: TransportKind::Bluetooth,
        driver: meta.name,
        characteristic: message.characteristic,
        raw: &message.raw,
        boot: Hex([7; 8]),
        sequence: 1,
        at: Timestamp(5),
        live: message.live,
        clock: ClockHistory::default(),
    };
    let made = outcome(&received, message.frame, &TimeZone::UTC);
    let Outcome::Reading(reading) = made else { panic!("{made:?}") };
    let number = reading.number(Quantity::Temperature).map(|number| number.to_string());
    assert_eq!(number.as_deref(), Some("36.72"));
    assert_eq!(reading.provenance.raw.0, bytes);
    assert_eq!(reading.provenance.driver, "kumo-thermometer");
}

#[test]
fn the_family_is_found_by_its_characteristic_and_by_its_name() {
    let named = Offer { name: "Kumo-T1".into(), attributes: Vec::new() };
    let offering = Offer { name: String::new(), attributes: vec![attribute()] };
    assert!((example::FAMILY.matches)(&named) && (example::FAMILY.matches)(&offering));
    assert!(!(example::FAMILY.matches)(&Offer::default()));
    assert_eq!(assigned_number(Characteristic::Other), 0x0006);
}

#[test]
fn a_device_is_added_in_less_than_a_hundred_lines() {
    let lines = CODE.lines().count();
    assert!(lines <= LINES_MAX, "{lines} lines");
}

#[test]
fn what_the_page_shows_is_what_the_files_say() {
    let mut blocks = 0;
    for block in PAGE.split("```").skip(1).step_by(2) {
        let (_, shown) = block.split_once('\n').expect("a language");
        assert!(CODE.contains(shown) || FRAMES.contains(shown), "in no file:\n{shown}");
        blocks += 1;
    }
    assert!(blocks >= 4, "{blocks} blocks");
    assert_eq!(PAGE.matches("```").count(), 2 * blocks, "every block ends");
}
