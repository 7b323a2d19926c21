//! PURE: what a device says beside its values, as JSON: its clock, its battery, and what it answers
//! about its records.

use crate::codec::{
    FrameTime, RecordAccess, RecordAct, RecordMark, RecordResult, Records, Refused,
    decode_current_time, decode_datetime, decode_record_access,
};
use crate::driver::Attribute;
use minato_protocol::reading::Quality;
use serde_json::{Value, json};

/// Reads one message.
type Read = fn(&[u8]) -> Result<Value, Refused>;

/// Every message that is read here and has no values.
pub(super) const MESSAGES: [(Attribute, Read); 4] = [
    (Attribute::DATE_TIME, |bytes| decode_datetime(bytes).map(clock)),
    (Attribute::BATTERY_LEVEL, battery),
    (Attribute::CURRENT_TIME, |bytes| decode_current_time(bytes).map(clock)),
    (Attribute::RECORD_ACCESS, |bytes| decode_record_access(bytes).map(record_access)),
];

fn clock((time, trailing): (FrameTime, bool)) -> Value {
    let unknown = (time == FrameTime::Unusable).then_some(Quality::ClockUnknown);
    let quality: Vec<_> = remarks(trailing).into_iter().chain(unknown).collect();
    json!({ "time": civil(time), "quality": quality })
}

/// A clock as text, or nothing.
pub(super) fn civil(time: FrameTime) -> Value {
    match time {
        FrameTime::Civil(time) => Value::String(time.to_string()),
        FrameTime::Absent | FrameTime::Unusable => Value::Null,
    }
}

/// Battery Level is one byte, 0 to 100 (Battery Service 1.1, 3.1).
fn battery(bytes: &[u8]) -> Result<Value, Refused> {
    let field = "the battery's level";
    match bytes {
        [] => Err(Refused::Truncated { field, missing: 1 }),
        [percent @ 0..=100, behind @ ..] => Ok(json!({
            "battery": { "value": percent, "unit": "%" },
            "quality": remarks(!behind.is_empty()),
        })),
        [value, ..] => Err(Refused::Undefined { field, value: u16::from(*value) }),
    }
}

fn remarks(trailing: bool) -> Vec<Quality> {
    trailing.then_some(Quality::TrailingBytes).into_iter().collect()
}

fn record_access((message, trailing): (RecordAccess, bool)) -> Value {
    let mut shown = match message {
        RecordAccess::Request(act, which) => json!({ "ask": ask(act), "records": records(which) }),
        RecordAccess::Abort => json!({ "ask": "abort" }),
        RecordAccess::Number(number) => json!({ "number_of_records": number }),
        RecordAccess::Answer { request, result } => {
            json!({ "answer": outcome(result), "to_code": request })
        }
    };
    shown["quality"] = json!(remarks(trailing));
    shown
}

const fn ask(act: RecordAct) -> &'static str {
    match act {
        RecordAct::Report => "report",
        RecordAct::Delete => "delete",
        RecordAct::Count => "count",
    }
}

fn records(which: Records) -> Value {
    match which {
        Records::All => json!("all"),
        Records::First => json!("first"),
        Records::Last => json!("last"),
        Records::AtMost(last) => json!({ "through": mark(last) }),
        Records::AtLeast(first) => json!({ "from": mark(first) }),
        Records::Within(first, last) => json!({ "from": mark(first), "through": mark(last) }),
    }
}

fn mark(mark: RecordMark) -> Value {
    match mark {
        RecordMark::Sequence(number) => json!({ "sequence_number": number }),
        RecordMark::Time(time) => json!({ "time": civil(time) }),
    }
}

fn outcome(result: RecordResult) -> Value {
    match result {
        RecordResult::Success => json!("success"),
        RecordResult::ActNotSupported => json!("code_not_supported"),
        RecordResult::ChoiceInvalid => json!("operator_invalid"),
        RecordResult::ChoiceNotSupported => json!("operator_not_supported"),
        RecordResult::MarkInvalid => json!("operand_invalid"),
        RecordResult::NoRecords => json!("no_records"),
        RecordResult::AbortFailed => json!("abort_failed"),
        RecordResult::NotCompleted => json!("not_completed"),
        RecordResult::MarkNotSupported => json!("operand_not_supported"),
        RecordResult::Undefined(number) => json!({ "undefined": number }),
    }
}
