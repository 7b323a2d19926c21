//! The frames of `vectors/devices.json`, with what two independent decoders read from them, against
//! the codecs and the readings made of them.

#[path = "vectors/profiles.rs"]
mod profiles;

use jiff::tz::TimeZone;
use minato_devices::codec::{Frame, FrameTime, Value, by_assigned_number, decode};
use minato_devices::device_clock::ClockHistory;
use minato_devices::reading::{Received, outcome};
use minato_protocol::reading::{
    Characteristic, Device, DeviceKind, FaultReason, Hex, HexBytes, MeasuredValue, Outcome,
    Quality, Quantity, Special, TransportKind, Unit,
};
use minato_protocol::{GatewayId, Timestamp};
use serde_json::Value as Json;

struct Vector {
    id: String,
    characteristic: Characteristic,
    bytes: Vec<u8>,
    malformed: bool,
    labmcp: Json,
    wireshark: Json,
}

fn vectors() -> Vec<Vector> {
    let all: Json = serde_json::from_str(include_str!("vectors/devices.json")).expect("json");
    let read = |vector: &Json| {
        let text = |key: &str| vector[key].as_str().unwrap_or_default().to_owned();
        let number = u16::from_str_radix(text("char").trim_start_matches("0x"), 16).ok()?;
        Some(Vector {
            id: text("id"),
            characteristic: by_assigned_number(number)?,
            bytes: text("hex").parse::<HexBytes>().expect("hex").0,
            malformed: vector["wireshark_malformed"] == Json::Bool(true),
            labmcp: vector["expected_labmcp_ble_health_0_1_3"].clone(),
            wireshark: vector["expected_wireshark_4_0_17"].clone(),
        })
    };
    let found: Vec<_> = all["gatt"].as_array().expect("a list").iter().filter_map(read).collect();
    // Beside them a clock and a request for records, which have no values.
    assert_eq!(found.len(), all["gatt"].as_array().map_or(0, Vec::len) - 2);
    found
}

/// A frame of any kind.
fn raw(id: &str) -> (Vec<u8>, Json) {
    let all: Json = serde_json::from_str(include_str!("vectors/devices.json")).expect("json");
    let mut frames = all["gatt"].as_array().expect("a list").iter();
    let found = frames.find(|frame| frame["id"] == id).expect("a known vector");
    let bytes: HexBytes = found["hex"].as_str().expect("text").parse().expect("hex");
    (bytes.0, found["expected_wireshark_4_0_17"].clone())
}

fn by_id(id: &str) -> Vector {
    vectors().into_iter().find(|vector| vector.id == id).expect("a known vector")
}

fn reading_of(vector: &Vector) -> Outcome {
    read_bytes(vector.characteristic, &vector.bytes, Timestamp(1_795_300_000_000), 1)
}

fn read_bytes(characteristic: Characteristic, raw: &[u8], at: Timestamp, sequence: u64) -> Outcome {
    let id = "00:00:5e:00:53:01".parse().expect("an id");
    let device = Device { id, kind: DeviceKind::Cuff, model: "any".into() };
    let received = Received {
        device: &device,
        gateway: GatewayId(1),
        transport: TransportKind::Replay,
        driver: "generic-cuff",
        characteristic,
        raw,
        boot: Hex([7; 8]),
        sequence,
        at,
        live: false,
        clock: ClockHistory::default(),
    };
    let zone = TimeZone::get("Asia/Tokyo").expect("a zone");
    outcome(&received, decode(characteristic, raw), &zone)
}

fn assert_value(id: &str, frame: &Frame, what: Quantity, expected: &Json) {
    let found = frame.values.iter().find(|value| value.what == what).map(|value| value.value);
    match (found, expected) {
        (None, Json::Null) => {}
        (Some(Value::Number(number)), expected) => {
            let expected = expected["value"].as_f64();
            let expected = expected.unwrap_or_else(|| panic!("{id} {what:?}: {number} unexpected"));
            assert!((number.to_f64() - expected).abs() < 1e-9, "{id} {what:?} {number}");
        }
        (Some(Value::Special(special)), expected) => {
            let said = serde_json::to_value(special).expect("json");
            assert_eq!(said, expected["special"], "{id} {what:?}");
        }
        (None, expected) => panic!("{id} {what:?} is missing: {expected}"),
    }
}

fn labmcp_names(quality: &[Quality]) -> Vec<&'static str> {
    let name = |remark: &Quality| match remark {
        Quality::BodyMovement => Some("body_movement_detected"),
        Quality::CuffLoose => Some("cuff_too_loose"),
        Quality::IrregularPulse => Some("irregular_pulse_detected"),
        Quality::PulseAboveRange => Some("pulse_rate_exceeds_upper_limit"),
        Quality::Unavailable => Some("measurement_unavailable"),
        Quality::Invalid => Some("invalid_measurement_detected"),
        Quality::SensorDisconnected => Some("sensor_disconnected"),
        Quality::ReservedBits | Quality::ClockUnknown => None,
        other => panic!("{other:?} stands in no vector"),
    };
    let mut names: Vec<_> = quality.iter().filter_map(name).collect();
    names.sort_unstable();
    names
}

fn strings(json: &Json) -> Vec<&str> {
    json.as_array().into_iter().flatten().filter_map(Json::as_str).collect()
}

#[test]
fn what_both_decoders_reject_is_refused_and_nothing_else() {
    let refused: Vec<_> = vectors()
        .iter()
        .filter(|vector| decode(vector.characteristic, &vector.bytes).is_err())
        .map(|vector| vector.id.clone())
        .collect();
    let both = |vector: &Vector| vector.malformed && vector.labmcp.get("error").is_some();
    let rejected: Vec<_> = vectors().into_iter().filter(both).map(|vector| vector.id).collect();
    assert_eq!(refused, rejected);
    assert_eq!(refused, ["bp-12", "ht-07"]);
}

#[test]
fn every_pressure_and_saturation_is_what_independent_decoders_read() {
    for vector in vectors() {
        let decoded = decode(vector.characteristic, &vector.bytes);
        if vector.malformed {
            continue;
        }
        let frame = decoded.unwrap_or_else(|refused| panic!("{}: {refused}", vector.id));
        let (id, labmcp) = (vector.id.as_str(), &vector.labmcp);
        let pairs = match vector.characteristic {
            Characteristic::BloodPressure => vec![
                (Quantity::Systolic, "systolic"),
                (Quantity::Diastolic, "diastolic"),
                (Quantity::MeanArterial, "mean_arterial"),
                (Quantity::PulseRate, "pulse_rate_bpm"),
            ],
            Characteristic::IntermediateCuffPressure => vec![(Quantity::CuffPressure, "systolic")],
            Characteristic::OximeterSpot | Characteristic::OximeterContinuous => vec![
                (Quantity::Spo2, "spo2_pct"),
                (Quantity::PulseRate, "pulse_rate_bpm"),
                (Quantity::Spo2Fast, "spo2_fast_pct"),
                (Quantity::Spo2Slow, "spo2_slow_pct"),
                (Quantity::PulseAmplitudeIndex, "pulse_amplitude_index_pct"),
            ],
            // See `profiles`.
            _ => continue,
        };
        for (what, key) in pairs {
            assert_value(id, &frame, what, &labmcp[key]);
        }
        let time = match frame.time {
            FrameTime::Civil(time) => Json::String(time.to_string()),
            FrameTime::Absent | FrameTime::Unusable => Json::Null,
        };
        assert_eq!(time, labmcp["timestamp"], "{id}");
        let mut expected = strings(&labmcp["status"]);
        expected.extend(strings(&labmcp["measurement_status"]));
        expected.extend(strings(&labmcp["device_sensor_status"]));
        expected.sort_unstable();
        assert_eq!(labmcp_names(&frame.quality), expected, "{id}");
    }
}

#[test]
fn units_and_users_are_those_that_wireshark_shows() {
    for vector in vectors().iter().filter(|vector| !vector.malformed) {
        let frame = decode(vector.characteristic, &vector.bytes).expect("a good frame");
        let shown = &vector.wireshark["blood_pressure_measurement.flags.unit"];
        if let Some(shown) = shown.as_str() {
            let unit = if shown == "0x01" { Unit::KPa } else { Unit::MmHg };
            assert_eq!(frame.values[0].unit, unit, "{}", vector.id);
        }
        if vector.characteristic != Characteristic::BloodPressure {
            continue;
        }
        let user = vector.wireshark["blood_pressure_measurement.user_id"].as_str();
        let user = user.and_then(|user| u8::from_str_radix(user.trim_start_matches("0x"), 16).ok());
        assert_eq!(frame.user, user.filter(|user| *user != 0xff), "{}", vector.id);
    }
}

/// A heart rate's intervals go to the end of the frame: a cut among them cannot be seen, so there
/// what is left says the first of the whole's values, each as it was. Of every other frame only
/// bytes behind its end can be cut without a refusal.
#[test]
fn every_prefix_of_every_frame_is_refused_or_says_nothing_else() {
    for vector in vectors() {
        let Ok(whole) = decode(vector.characteristic, &vector.bytes) else { continue };
        for end in 0..vector.bytes.len() {
            let Ok(part) = decode(vector.characteristic, &vector.bytes[..end]) else { continue };
            assert_eq!(vector.characteristic, Characteristic::HeartRate, "{}", vector.id);
            assert!(whole.values.starts_with(&part.values), "{}: {part:?}", vector.id);
            assert_eq!((part.time, part.site, part.user), (whole.time, whole.site, whole.user));
        }
    }
}

#[test]
fn a_frame_with_bytes_behind_its_end_keeps_its_values_and_says_so() {
    for vector in vectors().iter().filter(|vector| !vector.malformed) {
        let whole = decode(vector.characteristic, &vector.bytes).expect("a good frame");
        // Where a list of intervals goes to the end, two bytes would be one more.
        let is_list = whole.values.iter().any(|value| value.what == Quantity::RrInterval);
        let behind: &[u8] = if is_list { &[0xee] } else { &[0xee, 0xff] };
        let longer = [vector.bytes.as_slice(), behind].concat();
        let longer = decode(vector.characteristic, &longer).expect("still readable");
        assert_eq!(longer.values, whole.values);
        assert!(longer.quality.contains(&Quality::TrailingBytes));
    }
}

#[test]
fn a_real_cuffs_error_is_an_error_and_never_a_number() {
    let Outcome::Fault(fault) = reading_of(&by_id("bp-03")) else { panic!("a reading") };
    assert_eq!(fault.reason, FaultReason::CuffError);
    assert_eq!(fault.quality, []);
    assert!(!serde_json::to_string(&fault).expect("json").contains("2047"));
}

#[test]
fn infinities_and_unresolved_pressures_are_errors_too() {
    for id in ["bp-16", "bp-17", "plx-s-03"] {
        assert!(matches!(reading_of(&by_id(id)), Outcome::Fault(_)), "{id}");
    }
}

#[test]
fn a_running_oximeter_without_a_finger_shows_no_number_and_says_why() {
    let Outcome::Reading(reading) = reading_of(&by_id("plx-c-03")) else { panic!("a fault") };
    assert!(reading.is_error());
    assert!(reading.quality.contains(&Quality::SensorDisconnected));
}

#[test]
fn kilopascals_are_shown_as_mmhg_and_kept_as_they_came() {
    let Outcome::Reading(reading) = reading_of(&by_id("bp-05")) else { panic!("a fault") };
    let systolic = reading.measurement(Quantity::Systolic).expect("a systolic");
    assert_eq!(reading.number(Quantity::Systolic).map(|n| n.to_string()).as_deref(), Some("120"));
    assert_eq!(systolic.unit, Unit::MmHg);
    let original = systolic.original.expect("the original");
    assert_eq!((original.value.to_string().as_str(), original.unit), ("16.0", Unit::KPa));
    assert_eq!(reading.number(Quantity::Diastolic).map(|n| n.to_string()).as_deref(), Some("80"));
}

#[test]
fn a_mean_without_a_number_leaves_the_pressure_readable() {
    let Outcome::Reading(reading) = reading_of(&by_id("bp-06")) else { panic!("a fault") };
    let mean = reading.measurement(Quantity::MeanArterial).map(|mean| mean.value);
    assert_eq!(mean, Some(MeasuredValue::Special { special: Special::NaN }));
    assert!(reading.number(Quantity::Systolic).is_some());
}

#[test]
fn demonstration_test_and_invalid_values_are_withheld() {
    let demo = |bit: u16| {
        let [low, high] = (1u16 << bit).to_le_bytes();
        [0x04, 0x62, 0x00, 0x48, 0x00, low, high]
    };
    for (bit, because) in [(10, Quality::Demo), (11, Quality::Test), (15, Quality::Invalid)] {
        let running = Characteristic::OximeterContinuous;
        let read = read_bytes(running, &demo(bit), Timestamp(0), 1);
        let Outcome::Reading(reading) = read else { panic!("a fault") };
        assert!(reading.is_error() && reading.quality.contains(&because));
        let withheld = MeasuredValue::Withheld { because };
        assert!(reading.measurements.iter().all(|measurement| measurement.value == withheld));
        assert_eq!(reading.provenance.raw, HexBytes(demo(bit).to_vec()));
        let mut spot = demo(bit);
        spot[0] = 0x02;
        let read = read_bytes(Characteristic::OximeterSpot, &spot, Timestamp(0), 1);
        assert!(matches!(read, Outcome::Fault(fault) if fault.quality.contains(&because)));
    }
}

#[test]
fn the_gateways_zone_tells_when_the_device_measured() {
    let Outcome::Reading(reading) = reading_of(&by_id("bp-02")) else { panic!("a fault") };
    let time = reading.device_time.as_ref().expect("a time");
    assert_eq!(time.civil, "2026-11-22T08:00:00");
    // 2026-11-21T23:00:00Z.
    assert_eq!(time.at, Timestamp(1_795_302_000_000));
    assert!(reading.quality.contains(&Quality::ClockAhead));
    assert_eq!(reading.measured_at(), reading.gateway_time, "nothing is measured after it came");
}

#[test]
fn the_same_record_again_has_the_same_id_and_two_equal_live_values_have_two() {
    let with_time = by_id("bp-02");
    let (cuff, bytes) = (with_time.characteristic, with_time.bytes.as_slice());
    let first = read_bytes(cuff, bytes, Timestamp(0), 1).id();
    assert_eq!(read_bytes(cuff, bytes, Timestamp(9), 2).id(), first);
    let live = by_id("plx-c-01");
    let (oximeter, bytes) = (live.characteristic, live.bytes.as_slice());
    let first = read_bytes(oximeter, bytes, Timestamp(0), 1).id();
    assert_ne!(read_bytes(oximeter, bytes, Timestamp(0), 2).id(), first);
    assert_eq!(read_bytes(oximeter, bytes, Timestamp(0), 1).id(), first);
}

#[test]
fn a_time_of_zeros_keeps_the_values_with_the_clock_unknown() {
    let Outcome::Reading(reading) = reading_of(&by_id("bp-14")) else { panic!("a fault") };
    assert_eq!(reading.device_time, None);
    assert!(reading.quality.contains(&Quality::ClockUnknown));
    assert!(reading.number(Quantity::Systolic).is_some());
}

#[test]
fn a_frame_that_nobody_can_read_is_kept_as_a_fault_with_its_bytes() {
    let vector = by_id("bp-12");
    let Outcome::Fault(fault) = reading_of(&vector) else { panic!("a reading") };
    assert_eq!(fault.reason, FaultReason::FrameRefused);
    assert_eq!(fault.provenance.raw.0, vector.bytes);
}
