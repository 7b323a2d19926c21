//! A capture: what transports heard, one JSON object a line, and the same played again through the
//! same path. So a third party can send in what a new device said, and a gateway without hardware
//! can be shown it.
//!
//! ```json
//! {"what": "appeared", "at_ms": 0, "device": "cuff-1", "name": "UA-651BLE", "attributes": ["1810"]}
//! {"what": "bytes", "at_ms": 1200, "device": "cuff-1", "attribute": "2A35", "hex": "00780050005a00"}
//! {"what": "gone", "at_ms": 1300, "device": "cuff-1"}
//! ```
//!
//! Beside these there are `clock_set` and `obstructed`. **A capture holds the values of whoever wore
//! the device.**

pub mod keep;
pub(crate) mod play;

#[cfg(test)]
mod fuzzed;

use super::{Found, Heard};
use crate::codec::FRAME_BYTES_MAX;
use crate::driver::{Attribute, Offer};
use minato_protocol::Timestamp;
use minato_protocol::reading::{DeviceId, HexBytes, TransportKind};
use minato_protocol::uplink::Trouble;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Longest line: a frame of the longest kind in hex, with its words around it.
pub const LINE_BYTES_MAX: usize = 4_096;
/// Most lines that are played: an hour of a whole ward.
pub const LINES_MAX: usize = 100_000;
/// Longest capture; what would go beyond it is not written.
pub const CAPTURE_BYTES_MAX: u64 = 16 * 1_024 * 1_024;
/// A capture is of one day at most.
const AT_MS_MAX: u32 = 24 * 60 * 60 * 1_000;
const NAME_CHARS_MAX: usize = 100;
const ATTRIBUTES_MAX: usize = 64;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
pub enum Line {
    /// A device was found, or is back.
    Appeared {
        /// Milliseconds since the capture began.
        at_ms: u32,
        /// Which one.
        device: DeviceId,
        /// The name that it advertises.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        name: String,
        /// Services and characteristics that it is known to have.
        #[serde(default, with = "attributes")]
        attributes: Vec<Attribute>,
    },
    /// It sent bytes, or answered a read.
    Bytes {
        /// See `Appeared`.
        at_ms: u32,
        /// Which one.
        device: DeviceId,
        /// From where: four hex digits, a UUID, or `serial`.
        #[serde(with = "attribute")]
        attribute: Attribute,
        /// The bytes.
        hex: HexBytes,
    },
    /// Its clock was set to the gateway's.
    ClockSet {
        /// See `Appeared`.
        at_ms: u32,
        /// Which one.
        device: DeviceId,
    },
    /// Something stands in its way, or no longer does.
    Obstructed {
        /// See `Appeared`.
        at_ms: u32,
        /// Which one.
        device: DeviceId,
        /// What.
        by: Option<Trouble>,
    },
    /// It does not answer any more.
    Gone {
        /// See `Appeared`.
        at_ms: u32,
        /// Which one.
        device: DeviceId,
    },
}

/// Why a capture is not played.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line} of the capture: {why}")]
pub struct Refused {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: Why,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Why {
    /// See [`LINE_BYTES_MAX`].
    #[error("it is longer than {LINE_BYTES_MAX} bytes")]
    TooLong,
    /// See [`LINES_MAX`].
    #[error("there are more than {LINES_MAX} lines")]
    TooMany,
    /// It is no JSON object of the kind, in the parser's words.
    #[error("{0}")]
    Unreadable(String),
    /// A message, a name or a list that no device has.
    #[error("its {0} is longer than a device's")]
    Oversized(&'static str),
    /// Lines stand in the order of time, within a day.
    #[error("its time lies before that of the line above, or more than a day after the first")]
    OutOfOrder,
}

impl Line {
    /// When, in milliseconds since the capture began.
    pub fn at_ms(&self) -> u32 {
        match self {
            Self::Appeared { at_ms, .. }
            | Self::Bytes { at_ms, .. }
            | Self::ClockSet { at_ms, .. }
            | Self::Obstructed { at_ms, .. }
            | Self::Gone { at_ms, .. } => *at_ms,
        }
    }

    /// The line of what was heard, if it is one that a capture keeps: a wave that a simulator drew
    /// came from no device.
    pub fn of(heard: &Heard, at_ms: u32) -> Option<Self> {
        Some(match heard.clone() {
            Heard::Appeared(Found { device, offer: Offer { name, attributes }, .. }) => {
                Self::Appeared { at_ms, device, name, attributes }
            }
            Heard::Bytes { device, from, bytes, .. } => {
                Self::Bytes { at_ms, device, attribute: from, hex: HexBytes(bytes) }
            }
            Heard::ClockSet { device, .. } => Self::ClockSet { at_ms, device },
            Heard::Obstructed { device, by } => Self::Obstructed { at_ms, device, by },
            Heard::Gone { device } => Self::Gone { at_ms, device },
            Heard::Wave(_) => return None,
        })
    }

    /// The same, heard now.
    pub fn heard(self, at: Timestamp) -> Heard {
        match self {
            Self::Appeared { device, name, attributes, .. } => Heard::Appeared(Found {
                device,
                offer: Offer { name, attributes },
                transport: TransportKind::Replay,
                battery_percent: None,
                signal_dbm: None,
                startable: false,
            }),
            Self::Bytes { device, attribute, hex, .. } => {
                Heard::Bytes { device, from: attribute, bytes: hex.0, at }
            }
            Self::ClockSet { device, .. } => Heard::ClockSet { device, at },
            Self::Obstructed { device, by, .. } => Heard::Obstructed { device, by },
            Self::Gone { device, .. } => Heard::Gone { device },
        }
    }

    fn is_oversized(&self) -> Option<&'static str> {
        match self {
            Self::Appeared { name, .. } if name.chars().count() > NAME_CHARS_MAX => Some("name"),
            Self::Appeared { attributes, .. } if attributes.len() > ATTRIBUTES_MAX => {
                Some("list of attributes")
            }
            Self::Bytes { hex, .. } if hex.0.len() > FRAME_BYTES_MAX => Some("message"),
            Self::Appeared { .. }
            | Self::Bytes { .. }
            | Self::ClockSet { .. }
            | Self::Obstructed { .. }
            | Self::Gone { .. } => None,
        }
    }
}

/// Reads a capture. Empty lines are passed over; the first line that is wrong refuses all of it.
pub fn read(text: &str) -> Result<Vec<Line>, Refused> {
    let mut lines: Vec<Line> = Vec::new();
    for (before, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let refused = |why| Refused { line: before + 1, why };
        if lines.len() >= LINES_MAX {
            return Err(refused(Why::TooMany));
        }
        let least_ms = lines.last().map_or(0, Line::at_ms);
        lines.push(read_line(line, least_ms).map_err(refused)?);
    }
    Ok(lines)
}

fn read_line(line: &str, least_ms: u32) -> Result<Line, Why> {
    if line.len() > LINE_BYTES_MAX {
        return Err(Why::TooLong);
    }
    let read: Line =
        serde_json::from_str(line).map_err(|error| Why::Unreadable(error.to_string()))?;
    if let Some(part) = read.is_oversized() {
        return Err(Why::Oversized(part));
    }
    if !(least_ms..=AT_MS_MAX).contains(&read.at_ms()) {
        return Err(Why::OutOfOrder);
    }
    Ok(read)
}

/// What comes by a cable has no number.
const SERIAL: &str = "serial";

mod attribute {
    use super::{Attribute, SERIAL};
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn written(attribute: Attribute) -> String {
        if attribute == Attribute::SERIAL { SERIAL.to_owned() } else { attribute.to_string() }
    }

    pub(super) fn read<E: serde::de::Error>(text: &str) -> Result<Attribute, E> {
        if text == SERIAL { Ok(Attribute::SERIAL) } else { text.parse().map_err(E::custom) }
    }

    pub(super) fn serialize<S: Serializer>(of: &Attribute, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&written(*of))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Attribute, D::Error> {
        let text = String::deserialize(from).map_err(D::Error::custom)?;
        read(&text)
    }
}

mod attributes {
    use super::{Attribute, attribute};
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(of: &[Attribute], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(of.iter().map(|one| attribute::written(*one)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<Attribute>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        texts.iter().map(|text| attribute::read(text)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) const CAPTURE: &str = r#"
{"what": "appeared", "at_ms": 0, "device": "cuff-1", "name": "UA-651BLE", "attributes": ["1810"]}
{"what": "bytes", "at_ms": 5, "device": "cuff-1", "attribute": "2A08", "hex": "ea070b1c0a0000"}
{"what": "clock_set", "at_ms": 6, "device": "cuff-1"}

{"what": "bytes", "at_ms": 6, "device": "cuff-1", "attribute": "serial", "hex": "80"}
{"what": "obstructed", "at_ms": 7, "device": "cuff-1", "by": "not_paired"}
{"what": "obstructed", "at_ms": 8, "device": "cuff-1", "by": null}
{"what": "gone", "at_ms": 86400000, "device": "cuff-1"}
"#;

    fn refused(text: &str) -> (usize, Why) {
        let refused = read(text).expect_err("it is wrong");
        (refused.line, refused.why)
    }

    #[test]
    fn what_was_heard_is_heard_again() {
        let lines = read(CAPTURE).expect("a capture");
        assert_eq!(lines.len(), 7);
        for line in lines {
            let again = Line::of(&line.clone().heard(Timestamp(9)), line.at_ms());
            assert_eq!(again.as_ref(), Some(&line));
            let written = serde_json::to_string(&line).expect("JSON");
            assert_eq!(read(&written).expect("a line"), [line]);
        }
    }

    #[test]
    fn the_first_wrong_line_is_named() {
        let gone = r#"{"what": "gone", "at_ms": 7, "device": "a"}"#;
        let early = r#"{"what": "gone", "at_ms": 6, "device": "a"}"#;
        assert_eq!(refused(&format!("{gone}\n\n{early}")), (3, Why::OutOfOrder));
        let late = gone.replace('7', "86400001");
        assert_eq!(refused(&late), (1, Why::OutOfOrder));
        let long = format!("{gone}\n{}", gone.replace('7', &" ".repeat(LINE_BYTES_MAX)));
        assert_eq!(refused(&long), (2, Why::TooLong));
        let bytes = |hex: &str| {
            format!(r#"{{"what":"bytes","at_ms":7,"device":"a","attribute":"2A35","hex":"{hex}"}}"#)
        };
        let long = bytes(&"00".repeat(FRAME_BYTES_MAX + 1));
        assert_eq!(refused(&long), (1, Why::Oversized("message")));
        for wrong in [bytes("0"), bytes("00").replace("2A35", "2A3"), "{".into(), "7".into()] {
            let (line, why) = refused(&format!("{gone}\n{wrong}"));
            assert!(line == 2 && matches!(why, Why::Unreadable(_)), "{wrong}: {line} {why}");
        }
        let unknown = gone.replace("\"device\"", "\"patient\": \"a\", \"device\"");
        assert!(matches!(refused(&unknown), (1, Why::Unreadable(_))));
    }

    #[test]
    fn a_capture_of_too_many_lines_is_refused() {
        let gone = "{\"what\": \"gone\", \"at_ms\": 7, \"device\": \"a\"}\n";
        assert_eq!(refused(&gone.repeat(LINES_MAX + 1)), (LINES_MAX + 1, Why::TooMany));
    }
}
