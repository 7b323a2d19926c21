//! What a box says, broken in every way.

use super::parse;
use minato_protocol::reading::{
    Characteristic, Decimal, Device, DeviceKind, Hex, HexBytes, MeasuredValue, Measurement,
    Outcome, Provenance, Quality, Quantity, Reading, ReadingId, TransportKind, Unit,
};
use minato_protocol::squeeze::{Squeezer, Unsqueezer};
use minato_protocol::uplink::{
    Entry, FromGateway, OutboxEntry, RefusedCode, UPLINK_MESSAGE_BYTES_MAX,
};
use minato_protocol::{GatewayId, StaffId, SubjectId, Timestamp, VisitId};

fn seeds() -> Vec<String> {
    let device = || "C0:FF:EE:00:00:01".parse().expect("a device");
    let bound = Entry::Bound {
        key: "press-0001".parse().expect("a key"),
        device: device(),
        subject: SubjectId(3),
        since: Timestamp(5),
        by: StaffId(9),
    };
    let batch = (1..).zip([bound, reading()]);
    let batch = batch.map(|(seq, entry)| OutboxEntry { seq, at: Timestamp(5), entry });
    let said = [
        FromGateway::Hello {
            version: 1,
            gateway: GatewayId(1),
            boot: Hex([1; 8]),
            outbox: Hex([2; 8]),
            nonce: Hex([3; 32]),
        },
        FromGateway::Prove { signature: Hex([4; 64]) },
        FromGateway::Deliver { sent_at: Timestamp(6), batch: batch.collect() },
        FromGateway::Status { devices: Vec::new(), outbox_full: false, waiting: 0, lan: None },
        FromGateway::MediaLost { visit: VisitId(5) },
        FromGateway::Pong { nonce: 6 },
    ];
    said.iter().map(|said| serde_json::to_string(said).expect("JSON")).collect()
}

/// A blood pressure as a cuff sends it.
fn reading() -> Entry {
    let systolic = Measurement {
        what: Quantity::Systolic,
        value: MeasuredValue::Number { value: Decimal::whole(120) },
        unit: Unit::MmHg,
        original: None,
    };
    let id = "sim-cuff-1".parse().expect("a name");
    let reading = Reading {
        id: ReadingId(Hex([5; 16])),
        device: Device { id, kind: DeviceKind::Cuff, model: "HEM-7600T".into() },
        characteristic: Characteristic::BloodPressure,
        measurements: vec![systolic],
        quality: vec![Quality::TrailingBytes],
        device_time: None,
        gateway_time: Timestamp(5),
        device_user: None,
        site: None,
        provenance: Provenance {
            gateway: GatewayId(1),
            transport: TransportKind::Simulator,
            entered: None,
            driver: "cuff".into(),
            raw: HexBytes(vec![0, 0x78, 0, 0x50, 0, 0x5a, 0]),
            boot: Hex([1; 8]),
            sequence: 2,
        },
    };
    Entry::Measured { subject: Some(SubjectId(3)), outcome: Outcome::Reading(reading) }
}

#[test]
fn no_word_of_a_box_breaks_the_broker_and_what_is_understood_can_be_said_again() {
    let seeds = seeds();
    for seed in &seeds {
        assert!(parse(seed).is_ok(), "{seed}");
    }
    let long = seeds[0].clone() + &" ".repeat(UPLINK_MESSAGE_BYTES_MAX);
    assert_eq!(parse(&long), Err(RefusedCode::BadMessage));
    let deep = "[".repeat(UPLINK_MESSAGE_BYTES_MAX);
    assert_eq!(parse(&deep), Err(RefusedCode::BadMessage));
    let seeds: Vec<&[u8]> = seeds.iter().map(String::as_bytes).collect();
    minato_fuzz::feed_for("from_gateway", &seeds, 4, |bytes| {
        let Ok(said) = parse(&String::from_utf8_lossy(bytes)) else { return };
        let again = serde_json::to_string(&said).expect("JSON");
        assert_eq!(parse(&again), Ok(said), "{again}");
    });
}

#[test]
fn no_squeezed_word_of_a_box_breaks_the_broker_or_fills_its_memory() {
    let said = [seeds().concat(), " ".repeat(8 * UPLINK_MESSAGE_BYTES_MAX), String::new()];
    let squeezed = said.map(|said| Squeezer::default().squeeze(&said));
    let squeezed: Vec<&[u8]> = squeezed.iter().map(Vec::as_slice).collect();
    minato_fuzz::feed_for("squeezed", &squeezed, 4, |bytes| {
        let opened = Unsqueezer::default().open(bytes, UPLINK_MESSAGE_BYTES_MAX);
        assert!(opened.is_none_or(|text| text.len() <= UPLINK_MESSAGE_BYTES_MAX));
    });
}
