//! PURE: one frame as JSON, for anybody who wants to check what was read from it.

mod beside;
pub mod serial;

use crate::codec::{Frame, NUMBERED, Refused, assigned_number, decode};
use crate::driver::{Attribute, by_attribute};
use crate::reading::{failure, measurement};
use minato_protocol::reading::{
    Characteristic, Decimal, HexBytes, HexInvalid, MeasuredValue, Measurement,
};
use serde_json::{Map, Number, Value, json};
use thiserror::Error;

/// Why there is nothing to print.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum InspectError {
    /// No message that is read here.
    #[error("{0} is no message that is read here; known are {list}", list = known())]
    Characteristic(String),
    /// Not bytes.
    #[error("the bytes are {0}")]
    Hex(#[from] HexInvalid),
    /// Bytes, but no frame.
    #[error(transparent)]
    Frame(#[from] Refused),
}

/// Reads a frame given as text. Values are `{"value": 120, "unit": "mmHg"}` or
/// `{"special": "NaN"}`, or `{"withheld": "demo"}` where the number is not a patient's; several of
/// one quantity are a list. What a device says beside its values has keys of its own.
pub fn frame(characteristic: &str, hex: &str) -> Result<Value, InspectError> {
    let unknown = || InspectError::Characteristic(characteristic.to_owned());
    let digits = characteristic.trim_start_matches("0x").trim_start_matches("0X");
    let attribute: Attribute = digits.parse().map_err(|_| unknown())?;
    let packed: String = hex.chars().filter(|c| !c.is_whitespace()).collect();
    let bytes = || packed.parse::<HexBytes>().map(|HexBytes(bytes)| bytes);
    if let Some(characteristic) = by_attribute(attribute) {
        return Ok(shown(&decode(characteristic, &bytes()?)?));
    }
    let mut messages = beside::MESSAGES.into_iter();
    let (_, read) = messages.find(|(known, _)| *known == attribute).ok_or_else(unknown)?;
    let mut shown = read(&bytes()?)?;
    shown["characteristic"] = Value::String(attribute.to_string());
    Ok(shown)
}

/// Everything that can be asked for.
fn known() -> String {
    let beside = beside::MESSAGES.into_iter().map(|(attribute, _)| attribute);
    let mut all: Vec<_> = NUMBERED.into_iter().map(attribute_of).chain(beside).collect();
    all.push(Attribute::NONIN_OXIMETRY);
    all.sort_unstable();
    all.iter().map(Attribute::to_string).collect::<Vec<_>>().join(", ")
}

const fn attribute_of(characteristic: Characteristic) -> Attribute {
    match characteristic {
        Characteristic::NoninOximetry => Attribute::NONIN_OXIMETRY,
        other => Attribute::assigned(assigned_number(other)),
    }
}

/// A frame that was read, in the form of [`frame`].
pub fn shown(frame: &Frame) -> Value {
    let withheld = frame.quality.iter().copied().find(|remark| remark.withholds());
    let mut values = Map::new();
    for said in &frame.values {
        add(&mut values, name(said.what), value(&measurement(said, withheld)));
    }
    json!({
        "characteristic": attribute_of(frame.characteristic).to_string(),
        "values": values,
        "quality": frame.quality,
        "error": failure(frame, withheld.is_some()),
        "time": beside::civil(frame.time),
        "user": frame.user,
        "site": frame.site,
    })
}

/// The first value of a quantity stands alone; with a second one they are a list.
fn add(values: &mut Map<String, Value>, name: String, value: Value) {
    match values.get_mut(&name) {
        None => {
            values.insert(name, value);
        }
        Some(Value::Array(list)) => list.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
    }
}

fn name(of: impl serde::Serialize) -> String {
    match serde_json::to_value(of) {
        Ok(Value::String(name)) => name,
        other => format!("{other:?}"),
    }
}

fn value(measured: &Measurement) -> Value {
    let mut shown = match measured.value {
        MeasuredValue::Special { special } => return json!({ "special": special }),
        MeasuredValue::Withheld { because } => return json!({ "withheld": because }),
        MeasuredValue::Number { value } => json!({ "value": number(value), "unit": measured.unit }),
    };
    if let Some(original) = measured.original {
        shown["original"] = json!({ "value": number(original.value), "unit": original.unit });
    }
    shown
}

/// A JSON number with the device's digits, as far as JSON numbers keep them.
fn number(decimal: Decimal) -> Value {
    let text = decimal.to_string();
    let whole = text.parse::<i64>().ok().map(Number::from);
    let number = whole.or_else(|| text.parse::<f64>().ok().and_then(Number::from_f64));
    number.map_or(Value::String(text), Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_result_is_printed_with_its_units() {
        let json = frame("2A35", "00780050005a00").expect("a frame");
        assert_eq!(json["values"]["systolic"], json!({ "value": 120, "unit": "mmHg" }));
        assert_eq!(json["error"], Value::Null);
    }

    #[test]
    fn a_cuffs_error_is_printed_as_words() {
        let json = frame("0x2a35", "16ff07ff07ff07e80706170e230aff070000").expect("a frame");
        assert_eq!(json["values"]["systolic"], json!({ "special": "NaN" }));
        assert_eq!(json["error"], json!("cuff_error"));
    }

    #[test]
    fn kilopascals_are_printed_with_what_is_shown() {
        let json = frame("2A35", "01a0f06af07cf0").expect("a frame");
        let original = json!({ "value": 16.0, "unit": "kPa" });
        let expected = json!({ "value": 120, "unit": "mmHg", "original": original });
        assert_eq!(json["values"]["systolic"], expected);
    }

    #[test]
    fn several_intervals_are_a_list_and_one_is_none() {
        let ms = |value, original| {
            let original = json!({ "value": original, "unit": "1/1024 s" });
            json!({ "value": value, "unit": "ms", "original": original })
        };
        let json = frame("2A37", "164800040a03").expect("a frame");
        assert_eq!(json["values"]["heart_rate"], json!({ "value": 72, "unit": "/min" }));
        assert_eq!(json["values"]["rr_interval"], json!([ms(1000, 1024), ms(760, 778)]));
        let json = frame("2A37", "16480004").expect("a frame");
        assert_eq!(json["values"]["rr_interval"], ms(1000, 1024));
        let three = frame("2A37", "1648000400040004").expect("a frame");
        assert_eq!(three["values"]["rr_interval"].as_array().map(Vec::len), Some(3));
    }

    #[test]
    fn what_is_not_a_patients_is_printed_without_its_number() {
        let json = frame("2A18", "020100ea070b1608000064b04a").expect("a record");
        assert_eq!(json["values"]["glucose"], json!({ "withheld": "control_solution" }));
        assert_eq!(json["error"], json!("no_value"));
    }

    #[test]
    fn every_profile_is_printed_by_name() {
        let cases = [
            ("2A1C", "046e0100ff01", "temperature", json!({ "value": 36.6, "unit": "°C" })),
            ("2A1E", "006e0100ff", "temperature", json!({ "value": 36.6, "unit": "°C" })),
            ("2A9D", "00c832", "weight", json!({ "value": 65.0, "unit": "kg" })),
            ("2A9D", "00ffff", "weight", json!({ "special": "NaN" })),
            ("2A9C", "0000e100", "body_fat", json!({ "value": 22.5, "unit": "%" })),
            (
                "2A18",
                "020100ea070b1608000064b011",
                "glucose",
                json!({ "value": 100, "unit": "mg/dL" }),
            ),
            (
                "0AAD7EA0-0D60-11E2-8E3C-0002A5D5C51B",
                "0a15190141002a61004b",
                "spo2",
                json!({ "value": 97, "unit": "%" }),
            ),
        ];
        for (characteristic, hex, what, expected) in cases {
            let json = frame(characteristic, hex).expect("a frame");
            assert_eq!(json["values"][what], expected, "{characteristic}");
            assert_eq!(json["characteristic"], json!(characteristic));
        }
        assert_eq!(frame("2A1C", "046e0100ff01").expect("ok")["site"], json!("armpit"));
    }

    #[test]
    fn clocks_batteries_and_record_requests_are_printed_too() {
        let time = "2026-11-22T08:00:00";
        let cases = [
            ("2A08", "ea070b16080000", json!({ "time": time, "quality": [] })),
            ("2A2B", "ea070b16080000070001", json!({ "time": time, "quality": [] })),
            ("2A08", "00000000000000", json!({ "time": null, "quality": ["clock_unknown"] })),
            ("2A19", "57", json!({ "battery": { "value": 87, "unit": "%" }, "quality": [] })),
            ("2A52", "0101", json!({ "ask": "report", "records": "all", "quality": [] })),
            (
                "2A52",
                "0103010201",
                json!({
                    "ask": "report",
                    "records": { "from": { "sequence_number": 258 } },
                    "quality": [],
                }),
            ),
            ("2A52", "05000300", json!({ "number_of_records": 3, "quality": [] })),
            (
                "2A52",
                "0600010600",
                json!({ "answer": "no_records", "to_code": 1, "quality": ["trailing_bytes"] }),
            ),
        ];
        for (characteristic, hex, mut expected) in cases {
            expected["characteristic"] = json!(characteristic);
            assert_eq!(frame(characteristic, hex), Ok(expected));
        }
        for (characteristic, hex) in [("2A19", "65"), ("2A19", ""), ("2A2B", "ea070b16080000")] {
            assert!(matches!(frame(characteristic, hex), Err(InspectError::Frame(_))), "{hex}");
        }
    }

    #[test]
    fn what_is_not_known_is_told_with_what_is() {
        let refused = frame("2A99", "00").expect_err("unknown").to_string();
        assert_eq!(
            refused,
            "2A99 is no message that is read here; known are 2A08, 2A18, 2A19, 2A1C, 2A1E, 2A2B, \
             2A35, 2A36, 2A37, 2A52, 2A5E, 2A5F, 2A9C, 2A9D, 0AAD7EA0-0D60-11E2-8E3C-0002A5D5C51B"
        );
    }

    #[test]
    fn what_is_no_frame_is_refused_with_its_reason() {
        assert!(matches!(frame("2A99", "00"), Err(InspectError::Characteristic(_))));
        assert!(matches!(frame("2A35", "0"), Err(InspectError::Hex(_))));
        let refused = frame("2A35", "04780050005a00").expect_err("too short");
        assert_eq!(refused.to_string(), "the frame ends within the pulse: 2 more bytes are needed");
    }
}
