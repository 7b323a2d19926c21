//! Messages of devices, broken in every way: each codec is fed by itself.

use super::laws::{assert_says_no_other, assert_sound};
use super::{
    Characteristic, assigned_number, decode, decode_current_time, decode_datetime,
    decode_record_access, encode_current_time, encode_record_access,
};
use jiff::civil::datetime;
use minato_protocol::reading::HexBytes;

const VECTORS: &str = include_str!("../../tests/vectors/devices.json");

/// Whole frames with every field, of which the vectors have few; each behind its characteristic's
/// number.
const COMPOSED: &[(u16, &str)] = &[
    (0x2A1C, "076e0100ffea070b1608000009"),
    (0x2A1E, "036e0100ffea070b16080000"),
    (0x2A37, "1f2c01100000040a03"),
    (0x2A9D, "0ec832ea070b1608000001e100a606"),
    (0x2A9D, "0ffa37ea070b1608000001e1009e02"),
    (0x2A9C, "fe1fe100ea070b1608000003701750014c1d004b60486d38881300320a28"),
    (0x2A9C, "ffff"),
    (0x2A18, "0b0100ea070b16080000a6ff64b0110010"),
    (0x2A18, "1f0200ea070b160800003c0038c0fa01f0"),
    (0x0001, "0a15190141002a61004b"),
];

/// Real and composed frames, each behind the place of its characteristic among these.
fn seeds(of: &[Characteristic]) -> Vec<Vec<u8>> {
    let vectors: serde_json::Value = serde_json::from_str(VECTORS).expect("JSON");
    let frames = vectors["gatt"].as_array().expect("a list");
    let known = frames.iter().filter_map(|frame| {
        let number = frame["char"].as_str()?.trim_start_matches("0x");
        Some((u16::from_str_radix(number, 16).ok()?, frame["hex"].as_str()?))
    });
    let seed = |(number, hex): (u16, &str)| {
        let place = of.iter().position(|known| assigned_number(*known) == number)?;
        let bytes: HexBytes = hex.parse().expect("hex");
        Some([&[u8::try_from(place).ok()?], bytes.0.as_slice()].concat())
    };
    let seeds: Vec<_> = known.chain(COMPOSED.iter().copied()).filter_map(seed).collect();
    for (place, characteristic) in of.iter().enumerate() {
        let has_one = seeds.iter().any(|seed| usize::from(seed[0]) == place);
        assert!(has_one, "no seed for {characteristic:?}");
    }
    seeds
}

fn feed(name: &str, of: &[Characteristic]) {
    let seeds = seeds(of);
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    minato_fuzz::feed(name, &seeds, |bytes| {
        let Some((which, bytes)) = bytes.split_first() else { return };
        let characteristic = of[usize::from(*which) % of.len()];
        let Ok(frame) = decode(characteristic, bytes) else { return };
        assert_sound(&frame, characteristic, bytes);
        let Some((_, shorter)) = bytes.split_last() else { return };
        if let Ok(part) = decode(characteristic, shorter) {
            assert_says_no_other(&part, &frame);
        }
    });
}

#[test]
fn no_message_of_a_cuff_breaks_its_codec() {
    let both = [Characteristic::BloodPressure, Characteristic::IntermediateCuffPressure];
    feed("codec-blood-pressure", &both);
}

#[test]
fn no_message_of_an_oximeter_breaks_its_codec() {
    feed("codec-oximeter", &[Characteristic::OximeterSpot, Characteristic::OximeterContinuous]);
}

#[test]
fn no_message_of_a_thermometer_breaks_its_codec() {
    let both = [Characteristic::Temperature, Characteristic::IntermediateTemperature];
    feed("codec-temperature", &both);
}

#[test]
fn no_message_of_a_heart_monitor_breaks_its_codec() {
    feed("codec-heart-rate", &[Characteristic::HeartRate]);
}

#[test]
fn no_message_of_a_scale_breaks_its_codec() {
    feed("codec-weight", &[Characteristic::Weight]);
}

#[test]
fn no_message_of_a_body_analyser_breaks_its_codec() {
    feed("codec-body-composition", &[Characteristic::BodyComposition]);
}

#[test]
fn no_record_of_a_glucose_meter_breaks_its_codec() {
    feed("codec-glucose", &[Characteristic::Glucose]);
}

#[test]
fn no_message_of_nonins_own_breaks_its_codec() {
    feed("codec-nonin", &[Characteristic::NoninOximetry]);
}

#[test]
fn no_answer_about_records_breaks_its_codec() {
    let seeds: [&[u8]; 6] = [
        &[1, 1],
        &[1, 3, 1, 2, 1],
        &[1, 4, 2, 0xea, 7, 11, 22, 8, 0, 0, 0xea, 7, 11, 23, 8, 0, 0],
        &[3, 0],
        &[5, 0, 3, 0],
        &[6, 0, 1, 1],
    ];
    minato_fuzz::feed("codec-record-access", &seeds, |bytes| {
        let Ok((message, trailing)) = decode_record_access(bytes) else { return };
        let again = encode_record_access(message);
        assert_eq!(again.len() < bytes.len(), trailing);
        assert_eq!(decode_record_access(&again), Ok((message, false)));
        let Some((_, shorter)) = bytes.split_last() else { return };
        if let Ok((part, _)) = decode_record_access(shorter) {
            assert!(trailing && part == message, "{bytes:02x?}");
        }
    });
}

#[test]
fn no_clock_of_a_device_breaks_its_codec() {
    let seed = encode_current_time(datetime(2026, 11, 22, 8, 0, 59, 0));
    minato_fuzz::feed("codec-clock", &[&seed, &seed[..7]], |bytes| {
        let [short, long] = [decode_datetime(bytes), decode_current_time(bytes)];
        if let Ok((time, trailing)) = long {
            // The first seven bytes are the same, and three are behind them for sure.
            assert_eq!(short, Ok((time, true)));
            assert_eq!(trailing, bytes.len() > 10);
        }
        assert_eq!((short.is_ok(), long.is_ok()), (bytes.len() >= 7, bytes.len() >= 10));
    });
}
