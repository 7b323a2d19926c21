//! PURE: one frame as JSON, for anybody who wants to check what was read from it.

pub mod serial;

use crate::codec::{Frame, FrameTime, Refused, assigned_number, by_assigned_number, decode};
use crate::reading::{failure, measurement};
use minato_protocol::reading::{Decimal, HexBytes, HexInvalid, MeasuredValue, Measurement};
use serde_json::{Map, Number, Value, json};
use thiserror::Error;

/// Why there is nothing to print.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum InspectError {
    /// No message that is read here.
    #[error("{0} is no message that is read here; known are 2A35, 2A36, 2A5E and 2A5F")]
    Characteristic(String),
    /// Not bytes.
    #[error("the bytes are {0}")]
    Hex(#[from] HexInvalid),
    /// Bytes, but no frame.
    #[error(transparent)]
    Frame(#[from] Refused),
}

/// Reads a frame given as text. Values are `{"value": 120, "unit": "mmHg"}` or
/// `{"special": "NaN"}`, or `{"withheld": "demo"}` where the number is not a patient's.
pub fn frame(characteristic: &str, hex: &str) -> Result<Value, InspectError> {
    let unknown = || InspectError::Characteristic(characteristic.to_owned());
    let digits = characteristic.trim_start_matches("0x").trim_start_matches("0X");
    let number = u16::from_str_radix(digits, 16).map_err(|_| unknown())?;
    let characteristic = by_assigned_number(number).ok_or_else(unknown)?;
    let packed: String = hex.chars().filter(|c| !c.is_whitespace()).collect();
    let frame = decode(characteristic, &packed.parse::<HexBytes>()?.0)?;
    Ok(shown(&frame))
}

/// A frame that was read, in the form of [`frame`].
pub fn shown(frame: &Frame) -> Value {
    let withheld = frame.quality.iter().copied().find(|remark| remark.withholds());
    let values: Map<String, Value> = frame
        .values
        .iter()
        .map(|said| (name(said.what), value(&measurement(said, withheld))))
        .collect();
    let time = match frame.time {
        FrameTime::Civil(time) => Value::String(time.to_string()),
        FrameTime::Absent | FrameTime::Unusable => Value::Null,
    };
    json!({
        "characteristic": format!("{:04X}", assigned_number(frame.characteristic)),
        "values": values,
        "quality": frame.quality,
        "error": failure(frame, withheld.is_some()),
        "time": time,
        "user": frame.user,
    })
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
    fn what_is_no_frame_is_refused_with_its_reason() {
        assert!(matches!(frame("2A99", "00"), Err(InspectError::Characteristic(_))));
        assert!(matches!(frame("2A35", "0"), Err(InspectError::Hex(_))));
        let refused = frame("2A35", "04780050005a00").expect_err("too short");
        assert_eq!(refused.to_string(), "the frame ends within the pulse: 2 more bytes are needed");
    }
}
