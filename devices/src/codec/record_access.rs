//! Record Access Control Point (2A52): asks a glucose meter for its records and reads what it
//! answers (Glucose Service 1.0.1, 3.4; GATT Specification Supplement).

use super::cursor::{Cursor, Refused};
use super::datetime::{FrameTime, encode_datetime, take_datetime};

const REPORT: u8 = 1;
const DELETE: u8 = 2;
const ABORT: u8 = 3;
const REPORT_NUMBER: u8 = 4;
const NUMBER: u8 = 5;
const ANSWER: u8 = 6;

const NONE: u8 = 0;
const ALL: u8 = 1;
const AT_MOST: u8 = 2;
const AT_LEAST: u8 = 3;
const WITHIN: u8 = 4;
const FIRST: u8 = 5;
const LAST: u8 = 6;

const BY_SEQUENCE: u8 = 1;
const BY_TIME: u8 = 2;

/// "Report all stored records", as it is written.
pub const REPORT_ALL_RECORDS: &[u8] = &[REPORT, ALL];

/// What passes through the control point, in either direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordAccess {
    /// To the meter: do this with these records.
    Request(RecordAct, Records),
    /// To the meter: stop what is under way.
    Abort,
    /// From the meter: so many records.
    Number(u16),
    /// From the meter: what became of a request, by its number.
    Answer {
        /// The number of the request.
        request: u8,
        /// How it went.
        result: RecordResult,
    },
}

/// What is to be done with records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordAct {
    /// Sends them.
    Report,
    /// Deletes them. The gateway never asks for it.
    Delete,
    /// Counts them.
    Count,
}

/// Which records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Records {
    /// All.
    All,
    /// Up to this one.
    AtMost(RecordMark),
    /// From this one on.
    AtLeast(RecordMark),
    /// From the first to the second, both included.
    Within(RecordMark, RecordMark),
    /// The oldest.
    First,
    /// The newest.
    Last,
}

/// By what a record is told from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordMark {
    /// Its number.
    Sequence(u16),
    /// Its time with the offset.
    Time(FrameTime),
}

/// How a request went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordResult {
    /// Done.
    Success,
    /// There is no such act.
    ActNotSupported,
    /// The act does not go with this choice of records.
    ChoiceInvalid,
    /// The meter does not know this choice of records.
    ChoiceNotSupported,
    /// The marks do not go with the choice.
    MarkInvalid,
    /// There are no such records.
    NoRecords,
    /// It could not be stopped.
    AbortFailed,
    /// It was not brought to its end.
    NotCompleted,
    /// The meter does not know such marks.
    MarkNotSupported,
    /// A number that the layout leaves undefined.
    Undefined(u8),
}

/// Reads one message, and whether bytes stand behind its end.
pub fn decode_record_access(bytes: &[u8]) -> Result<(RecordAccess, bool), Refused> {
    let mut cursor = Cursor::new(bytes);
    let (code, operator) = (cursor.u8("the code")?, cursor.u8("the operator")?);
    let message = match (code, operator) {
        (REPORT, _) => RecordAccess::Request(RecordAct::Report, records(operator, &mut cursor)?),
        (DELETE, _) => RecordAccess::Request(RecordAct::Delete, records(operator, &mut cursor)?),
        (REPORT_NUMBER, _) => {
            RecordAccess::Request(RecordAct::Count, records(operator, &mut cursor)?)
        }
        (ABORT, NONE) => RecordAccess::Abort,
        (NUMBER, NONE) => RecordAccess::Number(cursor.u16("the number of records")?),
        (ANSWER, NONE) => RecordAccess::Answer {
            request: cursor.u8("the request")?,
            result: result(cursor.u8("the result")?),
        },
        (ABORT | NUMBER | ANSWER, _) => return Err(undefined("the operator", operator)),
        _ => return Err(undefined("the code", code)),
    };
    Ok((message, !cursor.is_empty()))
}

/// Writes one message.
pub fn encode_record_access(message: RecordAccess) -> Vec<u8> {
    match message {
        RecordAccess::Request(act, which) => {
            let mut bytes = vec![match act {
                RecordAct::Report => REPORT,
                RecordAct::Delete => DELETE,
                RecordAct::Count => REPORT_NUMBER,
            }];
            encode_records(which, &mut bytes);
            bytes
        }
        RecordAccess::Abort => vec![ABORT, NONE],
        RecordAccess::Number(number) => [&[NUMBER, NONE][..], &number.to_le_bytes()].concat(),
        RecordAccess::Answer { request, result } => {
            vec![ANSWER, NONE, request, result_number(result)]
        }
    }
}

fn undefined(field: &'static str, value: u8) -> Refused {
    Refused::Undefined { field, value: u16::from(value) }
}

fn records(operator: u8, cursor: &mut Cursor<'_>) -> Result<Records, Refused> {
    match operator {
        ALL => Ok(Records::All),
        FIRST => Ok(Records::First),
        LAST => Ok(Records::Last),
        AT_MOST | AT_LEAST | WITHIN => {
            let by = cursor.u8("the kind of mark")?;
            let first = mark(by, cursor)?;
            match operator {
                AT_MOST => Ok(Records::AtMost(first)),
                AT_LEAST => Ok(Records::AtLeast(first)),
                _ => Ok(Records::Within(first, mark(by, cursor)?)),
            }
        }
        _ => Err(undefined("the operator", operator)),
    }
}

fn mark(by: u8, cursor: &mut Cursor<'_>) -> Result<RecordMark, Refused> {
    match by {
        BY_SEQUENCE => cursor.u16("the record's number").map(RecordMark::Sequence),
        BY_TIME => take_datetime(cursor).map(RecordMark::Time),
        _ => Err(undefined("the kind of mark", by)),
    }
}

fn encode_records(which: Records, to: &mut Vec<u8>) {
    match which {
        Records::All => to.push(ALL),
        Records::First => to.push(FIRST),
        Records::Last => to.push(LAST),
        Records::AtMost(mark) => encode_marks(AT_MOST, &[mark], to),
        Records::AtLeast(mark) => encode_marks(AT_LEAST, &[mark], to),
        Records::Within(first, last) => encode_marks(WITHIN, &[first, last], to),
    }
}

/// The kind stands once; the two ends of a range are of one kind.
fn encode_marks(operator: u8, marks: &[RecordMark], to: &mut Vec<u8>) {
    let by_time = marks.iter().any(|mark| matches!(mark, RecordMark::Time(_)));
    to.extend([operator, if by_time { BY_TIME } else { BY_SEQUENCE }]);
    for mark in marks {
        match mark {
            RecordMark::Sequence(number) => to.extend(number.to_le_bytes()),
            RecordMark::Time(FrameTime::Civil(time)) => to.extend(encode_datetime(*time)),
            RecordMark::Time(FrameTime::Absent | FrameTime::Unusable) => to.extend([0; 7]),
        }
    }
}

const fn result(number: u8) -> RecordResult {
    match number {
        1 => RecordResult::Success,
        2 => RecordResult::ActNotSupported,
        3 => RecordResult::ChoiceInvalid,
        4 => RecordResult::ChoiceNotSupported,
        5 => RecordResult::MarkInvalid,
        6 => RecordResult::NoRecords,
        7 => RecordResult::AbortFailed,
        8 => RecordResult::NotCompleted,
        9 => RecordResult::MarkNotSupported,
        other => RecordResult::Undefined(other),
    }
}

const fn result_number(result: RecordResult) -> u8 {
    match result {
        RecordResult::Success => 1,
        RecordResult::ActNotSupported => 2,
        RecordResult::ChoiceInvalid => 3,
        RecordResult::ChoiceNotSupported => 4,
        RecordResult::MarkInvalid => 5,
        RecordResult::NoRecords => 6,
        RecordResult::AbortFailed => 7,
        RecordResult::NotCompleted => 8,
        RecordResult::MarkNotSupported => 9,
        RecordResult::Undefined(number) => number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_the_gateway_asks_is_written_as_the_service_says() {
        let from = Records::AtLeast(RecordMark::Sequence(0x0102));
        let request = |act, which| encode_record_access(RecordAccess::Request(act, which));
        assert_eq!(request(RecordAct::Report, Records::All), REPORT_ALL_RECORDS);
        assert_eq!(request(RecordAct::Report, from), [1, 3, 1, 2, 1]);
        assert_eq!(request(RecordAct::Count, Records::All), [4, 1]);
    }

    #[test]
    fn what_a_meter_answers_is_read() {
        let read = |bytes: &[u8]| decode_record_access(bytes).expect("an answer").0;
        assert_eq!(read(&[5, 0, 3, 0]), RecordAccess::Number(3));
        let answer = |result| RecordAccess::Answer { request: REPORT, result };
        assert_eq!(read(&[6, 0, 1, 1]), answer(RecordResult::Success));
        assert_eq!(read(&[6, 0, 1, 6]), answer(RecordResult::NoRecords));
        assert_eq!(read(&[6, 0, 1, 99]), answer(RecordResult::Undefined(99)));
    }

    #[test]
    fn codes_that_nobody_has_defined_are_refused() {
        for bytes in [[0, 1], [7, 0], [1, 0], [1, 7], [3, 1], [5, 1], [6, 2]] {
            assert!(matches!(decode_record_access(&bytes), Err(Refused::Undefined { .. })));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn what_is_read_is_written_the_same_and_a_prefix_is_refused_or_the_same(
            bytes in proptest::collection::vec(0u8..8, 0..20),
        ) {
            let Ok((message, trailing)) = decode_record_access(&bytes) else { return Ok(()) };
            let again = encode_record_access(message);
            prop_assert_eq!(again.len() < bytes.len(), trailing);
            prop_assert_eq!(decode_record_access(&again), Ok((message, false)));
            for end in 0..again.len() {
                prop_assert!(decode_record_access(&again[..end]).is_err());
            }
        }
    }
}
