//! The frames of thermometers, heart monitors, scales and glucose meters, what independent decoders
//! read from them, and the readings made of them in the units that a clinic says.

use super::{Vector, by_id, raw, read_bytes, reading_of, vectors};
use minato_devices::codec::{
    Frame, FrameTime, RecordAccess, RecordAct, Records, Value, decode, decode_datetime,
    decode_record_access,
};
use minato_protocol::Timestamp;
use minato_protocol::reading::{
    BodySite, Characteristic, FaultReason, MeasuredValue, Outcome, Quality, Quantity, Reading, Unit,
};
use serde_json::Value as Json;

fn of(characteristic: Characteristic) -> Vec<(Vector, Frame)> {
    let read = |vector: Vector| {
        let frame = decode(vector.characteristic, &vector.bytes).ok()?;
        (vector.characteristic == characteristic).then_some((vector, frame))
    };
    vectors().into_iter().filter_map(read).collect()
}

fn values(frame: &Frame, what: Quantity) -> Vec<Value> {
    frame.values.iter().filter(|said| said.what == what).map(|said| said.value).collect()
}

/// A number, or nothing where the device has none.
fn assert_number(id: &str, frame: &Frame, what: Quantity, expected: &Json) {
    match (values(frame, what).as_slice(), expected.as_f64()) {
        ([], None) | ([Value::Special(_)], None) => {}
        ([Value::Number(number)], Some(expected)) => {
            assert!((number.to_f64() - expected).abs() < 1e-9, "{id} {what:?} {number}");
        }
        (found, expected) => panic!("{id} {what:?}: {found:?} and not {expected:?}"),
    }
}

#[test]
fn every_temperature_is_what_an_independent_decoder_reads() {
    let frames = of(Characteristic::Temperature);
    assert_eq!(frames.len(), 3);
    for (vector, frame) in frames {
        let labmcp = &vector.labmcp;
        assert_number(&vector.id, &frame, Quantity::Temperature, &labmcp["value"]["value"]);
        let special = matches!(values(&frame, Quantity::Temperature)[..], [Value::Special(_)]);
        assert_eq!(special, labmcp["value"]["special"] == "NaN", "{}", vector.id);
        assert_eq!((labmcp["unit"].as_str(), frame.values[0].unit), (Some("C"), Unit::Celsius));
        assert_eq!((frame.time, frame.site, frame.quality), (FrameTime::Absent, None, vec![]));
    }
}

/// `hr-06` announces intervals and has half a one. One decoder rejects it, the other reads the
/// rate: the rate is there, whole and first, so it is kept and the byte is remarked.
#[test]
fn every_heart_rate_is_what_independent_decoders_read() {
    let frames = of(Characteristic::HeartRate);
    assert_eq!(frames.len(), 3);
    for (vector, frame) in frames {
        let labmcp = &vector.labmcp;
        assert_number(&vector.id, &frame, Quantity::HeartRate, &labmcp["bpm"]);
        let energy = &labmcp["energy_expended_kj"];
        assert_number(&vector.id, &frame, Quantity::EnergyExpended, energy);
        let seconds = |value| match value {
            Value::Number(ticks) => Json::from(ticks.to_f64() / 1_024.0),
            Value::Special(special) => panic!("{special:?}"),
        };
        let intervals = values(&frame, Quantity::RrInterval).into_iter().map(seconds);
        assert_eq!(Json::Array(intervals.collect()), labmcp["rr_intervals_s"], "{}", vector.id);
        let lost_contact = frame.quality.contains(&Quality::NoContact);
        assert_eq!(lost_contact, labmcp["sensor_contact"] == Json::Bool(false), "{}", vector.id);
        let cut = frame.quality.contains(&Quality::TrailingBytes);
        assert_eq!(cut, vector.malformed, "{}", vector.id);
    }
}

#[test]
fn every_weight_is_what_independent_decoders_read() {
    let frames = of(Characteristic::Weight);
    assert_eq!(frames.len(), 2);
    for (vector, frame) in frames {
        let labmcp = &vector.labmcp;
        assert_number(&vector.id, &frame, Quantity::Weight, &labmcp["weight"]);
        assert_number(&vector.id, &frame, Quantity::BodyMassIndex, &labmcp["bmi_kg_m2"]);
        assert_number(&vector.id, &frame, Quantity::Height, &labmcp["height"]);
        assert_eq!((frame.values[0].unit, labmcp["unit"].as_str()), (Unit::Kilogram, Some("kg")));
        assert_eq!((frame.user, &labmcp["user_id"]), (None, &Json::Null));
    }
    let failed = reading_of(&by_id("ws-03"));
    assert!(matches!(failed, Outcome::Fault(fault) if fault.reason == FaultReason::NoValue));
}

#[test]
fn the_glucose_record_is_what_wireshark_reads() {
    let [(vector, frame)] = &of(Characteristic::Glucose)[..] else { panic!("one record") };
    let shown = |key: &str| {
        let key = format!("glucose_measurement.{key}");
        let text = vector.wireshark[key.as_str()].as_str().expect("a text");
        let hex = text.strip_prefix("0x").map(|hex| u8::from_str_radix(hex, 16).expect("hex"));
        hex.map_or_else(|| text.parse().expect("a number"), f64::from)
    };
    let [Value::Number(mg_dl)] = values(frame, Quantity::Glucose)[..] else { panic!("{frame:?}") };
    assert!((mg_dl.to_f64() / 1e5 - shown("glucose_concentration.kg_per_l")).abs() < 1e-9);
    assert_eq!(shown("flags.glucose_concentration_units"), 0.0);
    assert_eq!(shown("type_and_sample_location.sample_location"), 1.0);
    assert_eq!((frame.values[0].unit, frame.site), (Unit::MgPerDl, Some(BodySite::Finger)));
    assert_eq!(f64::from(vector.bytes[1]), shown("sequence_number"));
    assert_eq!(frame.quality, []);
    let time = ["year", "month", "day", "hours", "minutes", "seconds"];
    let time = time.map(|key| vector.wireshark[key].as_str().and_then(|text| text.parse().ok()));
    assert_eq!(civil(frame.time).map(Some), time);
}

fn civil(time: FrameTime) -> [i16; 6] {
    let FrameTime::Civil(time) = time else { panic!("{time:?}") };
    let rest = [time.month(), time.day(), time.hour(), time.minute(), time.second()];
    let [month, day, hour, minute, second] = rest.map(i16::from);
    [time.year(), month, day, hour, minute, second]
}

#[test]
fn a_request_for_all_records_and_a_clock_are_what_wireshark_reads() {
    let (bytes, wireshark) = raw("racp-01");
    assert_eq!(wireshark["record_access_control_point.opcode"], "1");
    assert_eq!(wireshark["record_access_control_point.operator"], "1");
    let request = RecordAccess::Request(RecordAct::Report, Records::All);
    assert_eq!(decode_record_access(&bytes), Ok((request, false)));
    let (bytes, wireshark) = raw("dt-01");
    let time = ["year", "month", "day", "hours", "minutes", "seconds"];
    let time = time.map(|key| wireshark[key].as_str().and_then(|text| text.parse().ok()));
    let (read, trailing) = decode_datetime(&bytes).expect("a clock");
    assert_eq!((civil(read).map(Some), trailing), (time, false));
}

#[test]
fn no_prefix_of_a_clock_or_a_request_is_taken_for_it() {
    let (clock, _) = raw("dt-01");
    assert!((0..clock.len()).all(|end| decode_datetime(&clock[..end]).is_err()));
    let (request, _) = raw("racp-01");
    assert!((0..request.len()).all(|end| decode_record_access(&request[..end]).is_err()));
}

fn reading(characteristic: Characteristic, bytes: &[u8]) -> Reading {
    match read_bytes(characteristic, bytes, Timestamp(1_795_400_000_000), 1) {
        Outcome::Reading(reading) => reading,
        Outcome::Fault(fault) => panic!("{fault:?}"),
    }
}

/// What is shown, and what the device said.
fn shown(reading: &Reading, what: Quantity) -> [(String, Unit); 2] {
    let found = reading.measurement(what).expect("a value");
    let MeasuredValue::Number { value } = found.value else { panic!("{found:?}") };
    let original = found.original.expect("what the device said");
    [(value.to_string(), found.unit), (original.value.to_string(), original.unit)]
}

fn pair(shown: (&str, Unit), said: (&str, Unit)) -> [(String, Unit); 2] {
    [shown, said].map(|(number, unit)| (number.to_owned(), unit))
}

#[test]
fn fahrenheit_is_shown_as_celsius_and_kept_as_it_came() {
    let reading = reading(Characteristic::Temperature, &[1, 0xf7, 3, 0, 0xff]);
    let expected = pair(("38.6", Unit::Celsius), ("101.5", Unit::Fahrenheit));
    assert_eq!(shown(&reading, Quantity::Temperature), expected);
    assert!(!reading.quality.contains(&Quality::Implausible));
}

#[test]
fn a_thermometer_in_the_rooms_air_asks_nobody_until_it_says_a_result() {
    let air = [0, 0xdc, 0, 0, 0xff];
    assert_eq!(reading(Characteristic::IntermediateTemperature, &air).quality, []);
    let result = reading(Characteristic::Temperature, &air);
    assert_eq!(result.quality, [Quality::Implausible]);
}

#[test]
fn pounds_and_inches_are_shown_as_kilograms_and_metres() {
    let reading = reading(Characteristic::Weight, &[0b1001, 0xfa, 0x37, 0xe1, 0, 0x9e, 2]);
    let weight = pair(("65.00", Unit::Kilogram), ("143.30", Unit::Pound));
    assert_eq!(shown(&reading, Quantity::Weight), weight);
    let height = pair(("1.702", Unit::Metre), ("67.0", Unit::Inch));
    assert_eq!(shown(&reading, Quantity::Height), height);
    assert_eq!(reading.quality, []);
}

#[test]
fn a_pulse_interval_is_shown_in_milliseconds() {
    let reading = reading(Characteristic::HeartRate, &[0x10, 72, 0x0a, 0x03]);
    let expected = pair(("760", Unit::Millisecond), ("778", Unit::Per1024Second));
    assert_eq!(shown(&reading, Quantity::RrInterval), expected);
}

const RECORD: [u8; 10] = [0, 1, 0, 0xea, 7, 11, 22, 8, 0, 0];

fn record(flags: u8, rest: [u8; 3]) -> Vec<u8> {
    let mut bytes = [RECORD.as_slice(), &rest].concat();
    bytes[0] = flags;
    bytes
}

#[test]
fn millimoles_are_shown_as_milligrams_and_kept_as_they_came() {
    // 5.6 mmol/L at the finger.
    let reading = reading(Characteristic::Glucose, &record(0b110, [0x38, 0xc0, 0x11]));
    let expected = pair(("101", Unit::MgPerDl), ("5.6", Unit::MmolPerL));
    assert_eq!(shown(&reading, Quantity::Glucose), expected);
    assert_eq!(reading.site, Some(BodySite::Finger));
}

#[test]
fn a_control_solution_never_shows_a_number() {
    for sample in [0x1a, 0x41] {
        let bytes = record(0b010, [0x64, 0xb0, sample]);
        let read = read_bytes(Characteristic::Glucose, &bytes, Timestamp(0), 1);
        let Outcome::Fault(fault) = read else { panic!("a number that is nobody's") };
        assert!(fault.quality.contains(&Quality::ControlSolution));
        assert_eq!((fault.reason, fault.provenance.raw.0), (FaultReason::NoValue, bytes));
    }
}

#[test]
fn a_meters_record_without_a_time_is_known_again_by_its_number() {
    let mut bytes = record(0b010, [0x64, 0xb0, 0x11]);
    bytes[3..10].fill(0);
    let id = |bytes: &[u8], sequence| {
        read_bytes(Characteristic::Glucose, bytes, Timestamp(sequence), sequence.unsigned_abs())
            .id()
    };
    let first = id(&bytes, 1);
    assert_eq!(id(&bytes, 2), first);
    bytes[1] += 1;
    assert_ne!(id(&bytes, 1), first);
}

#[test]
fn a_meter_that_reads_high_says_so_instead_of_a_number() {
    let mut bytes = [RECORD.as_slice(), &[0x20, 0]].concat();
    bytes[0] = 0b1000;
    let read = read_bytes(Characteristic::Glucose, &bytes, Timestamp(0), 1);
    let Outcome::Fault(fault) = read else { panic!("a number") };
    assert!(fault.quality.contains(&Quality::AboveRange));
}

#[test]
fn a_strap_without_contact_shows_no_heart_rate_and_is_no_failed_attempt() {
    let reading = reading(Characteristic::HeartRate, &[0x14, 31, 0, 4]);
    assert!(reading.is_error() && reading.quality.contains(&Quality::NoContact));
    let because = Quality::NoContact;
    let values = reading.measurements.iter().map(|measurement| measurement.value);
    assert_eq!(values.collect::<Vec<_>>(), [MeasuredValue::Withheld { because }; 2]);
}

#[test]
fn nonins_own_values_become_a_running_reading() {
    let worn = [10, 0b0001_0100, 25, 0x01, 0x41, 0, 42, 97, 0, 75];
    let found = reading(Characteristic::NoninOximetry, &worn);
    assert_eq!(found.number(Quantity::Spo2).map(|n| n.to_string()).as_deref(), Some("97"));
    let mut lost = worn;
    lost[7..].copy_from_slice(&[127, 1, 0xff]);
    let found = reading(Characteristic::NoninOximetry, &lost);
    assert_eq!((found.number(Quantity::Spo2), found.number(Quantity::PulseRate)), (None, None));
    assert!(found.quality.contains(&Quality::Incomplete));
}
