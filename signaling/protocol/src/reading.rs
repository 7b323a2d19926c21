//! A measured value as it is told, kept and shown: with unit, quality, both clocks and where it
//! came from, so that nobody ever sees a bare number.

mod characteristic;
mod decimal;
mod device;
mod entered;
mod hex;
mod quality;
mod quantity;
mod wave;

pub use characteristic::Characteristic;
pub use decimal::{Decimal, DecimalInvalid};
pub use device::{
    Device, DeviceId, DeviceKind, RequestKey, SHORT_TEXT_BYTES_MAX, ShortTextInvalid, TransportKind,
};
pub use entered::{EnteredBy, TypedValue};
pub use hex::{Hex, HexBytes, HexInvalid};
pub use quality::Quality;
pub use quantity::{BodySite, Quantity, Unit};
pub use wave::{Samples, WAVE_MESSAGE_BYTES_MAX, WaveBlock, WaveKind};

use crate::{GatewayId, Span, Timestamp};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Names one measurement for ever: the first 16 bytes of a SHA-256 over the device, the
/// characteristic, the raw bytes, and the device's time (or, without a usable one, the gateway's
/// run and its count of frames, unless the bytes carry a number of the record). The same record sent
/// again has the same id; two equal live values have two.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
pub struct ReadingId(pub Hex<16>);

impl fmt::Display for ReadingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ReadingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReadingId({self})")
    }
}

impl FromStr for ReadingId {
    type Err = HexInvalid;
    fn from_str(text: &str) -> Result<Self, HexInvalid> {
        text.parse().map(Self)
    }
}

/// What a device sends where it has no number (IEEE 11073-20601).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Special {
    /// Not a number.
    NaN,
    /// Not at this resolution.
    NRes,
    /// Above what it can express.
    #[serde(rename = "+INF")]
    PlusInfinity,
    /// Below what it can express.
    #[serde(rename = "-INF")]
    MinusInfinity,
    /// Reserved by the standard.
    #[serde(rename = "reserved")]
    Reserved,
}

/// A number, or the reason why there is none to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum MeasuredValue {
    /// A number in the measurement's unit.
    Number {
        /// The number.
        value: Decimal,
    },
    /// The device sent a word instead of a number.
    Special {
        /// Which word.
        special: Special,
    },
    /// There was a number that is not the patient's; only the raw bytes still hold it.
    Withheld {
        /// Why.
        because: Quality,
    },
}

/// One quantity of a reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Measurement {
    /// What was measured.
    pub what: Quantity,
    /// How much, in `unit`.
    pub value: MeasuredValue,
    /// The unit to show.
    pub unit: Unit,
    /// What the device said, where it spoke in another unit.
    pub original: Option<Original>,
}

/// A number in the device's own unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Original {
    /// How much.
    pub value: Decimal,
    /// In which unit.
    pub unit: Unit,
}

/// When the device says that it measured. Devices know no time zone: the gateway's decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct DeviceTime {
    /// What the device's clock showed, `2026-11-22T08:00:00`.
    pub civil: String,
    /// The same moment in UTC, `correction` included.
    pub at: Timestamp,
    /// What was added because this device's clock is known to be off; 0 if nothing is known.
    pub correction: Span,
}

/// Where a value comes from, down to the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Provenance {
    /// The gateway that received it; 0 where it came through a page.
    pub gateway: GatewayId,
    /// How the bytes came.
    pub transport: TransportKind,
    /// Who typed it, where a person did.
    #[serde(default)]
    pub entered: Option<EnteredBy>,
    /// Which driver read them.
    pub driver: String,
    /// The frame as it came.
    pub raw: HexBytes,
    /// The gateway's run: a number drawn at each start.
    pub boot: Hex<8>,
    /// Count of frames from this device in this run.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub sequence: u64,
}

/// A measurement that gave at least one value worth showing, or a running one that says why it has
/// none (a finger out of the sensor).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Reading {
    /// Its name for ever.
    pub id: ReadingId,
    /// Who measured.
    pub device: Device,
    /// By which message.
    pub characteristic: Characteristic,
    /// What was measured, in the order of the frame.
    pub measurements: Vec<Measurement>,
    /// Remarks, each at most once.
    pub quality: Vec<Quality>,
    /// The device's own time, if it has a usable one.
    pub device_time: Option<DeviceTime>,
    /// When the gateway received it, by the gateway's clock.
    pub gateway_time: Timestamp,
    /// The user slot chosen on the device, if any. Not a person.
    pub device_user: Option<u8>,
    /// Where on the body, if the device says so.
    #[serde(default)]
    pub site: Option<BodySite>,
    /// Where it comes from.
    pub provenance: Provenance,
}

/// Nothing is measured after it was received: a device time later than the gateway's is not used.
fn measured_at(device_time: Option<&DeviceTime>, gateway_time: Timestamp) -> Timestamp {
    device_time.map_or(gateway_time, |device| device.at.min(gateway_time))
}

impl Reading {
    /// When it was measured: the device's corrected time, else when the gateway received it. To
    /// tell whether it is late (後着), compare it with the `sent_at` of the delivery, which is the
    /// same clock.
    pub fn measured_at(&self) -> Timestamp {
        measured_at(self.device_time.as_ref(), self.gateway_time)
    }

    /// The value of one quantity, if the frame had it.
    pub fn measurement(&self, what: Quantity) -> Option<&Measurement> {
        self.measurements.iter().find(|measurement| measurement.what == what)
    }

    /// The number of one quantity, if it may be shown.
    pub fn number(&self, what: Quantity) -> Option<Decimal> {
        match self.measurement(what)?.value {
            MeasuredValue::Number { value } => Some(value),
            MeasuredValue::Special { .. } | MeasuredValue::Withheld { .. } => None,
        }
    }

    /// Whether there is no number to show at all.
    pub fn is_error(&self) -> bool {
        self.measurements.iter().all(|measurement| self.number(measurement.what).is_none())
    }

    /// Whether it only shows a measurement under way (the pressure in the cuff): it moves a
    /// picture and belongs in no trend.
    pub fn is_intermediate(&self) -> bool {
        self.characteristic.is_intermediate()
    }
}

/// Why an attempt gave nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum FaultReason {
    /// The cuff sent no number for the blood pressure, whatever its status bits say.
    CuffError,
    /// The oximeter sent no number for a single measurement.
    OximeterError,
    /// Another device sent no number for what it measures.
    NoValue,
    /// The frame was not readable; its raw bytes are kept.
    FrameRefused,
}

/// An attempt to measure that failed. It has no numbers by construction. Staff see the reason and
/// the remarks; a patient sees 「もう一度はかります」.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Fault {
    /// Its name for ever.
    pub id: ReadingId,
    /// Who tried.
    pub device: Device,
    /// By which message.
    pub characteristic: Characteristic,
    /// Why there is nothing.
    pub reason: FaultReason,
    /// What the device says about it; may be empty although it failed.
    pub quality: Vec<Quality>,
    /// The device's own time, if it has a usable one.
    pub device_time: Option<DeviceTime>,
    /// When the gateway received it.
    pub gateway_time: Timestamp,
    /// Where it comes from.
    pub provenance: Provenance,
}

/// Older than this when it is sent, and a reading is late (後着): it belongs into the trend only.
pub const LATE_AFTER: Span = Span::seconds(15);

/// What came of one frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "MeasuredOutcome"))]
pub enum Outcome {
    /// Values.
    Reading(Reading),
    /// A failed attempt.
    Fault(Fault),
}

impl Outcome {
    /// Its name for ever; duplicates are known by it.
    pub fn id(&self) -> ReadingId {
        match self {
            Self::Reading(reading) => reading.id,
            Self::Fault(fault) => fault.id,
        }
    }

    /// Who measured.
    pub fn device(&self) -> &Device {
        match self {
            Self::Reading(reading) => &reading.device,
            Self::Fault(fault) => &fault.device,
        }
    }

    /// Whether it is late when it is sent: too old by the gateway's own clock, from a device's memory,
    /// or of a time that had to be corrected. One of a time still to come was measured before that
    /// clock was set back, and nobody knows how long before.
    pub fn is_late(&self, sent_at: Timestamp) -> bool {
        let quality = match self {
            Self::Reading(reading) => &reading.quality,
            Self::Fault(fault) => &fault.quality,
        };
        let is_old =
            |remark: &Quality| matches!(remark, Quality::FromStorage | Quality::ClockCorrected);
        let age = sent_at - self.measured_at();
        quality.iter().any(is_old) || age.0.abs() > LATE_AFTER.0
    }

    /// When it was measured; see [`Reading::measured_at`].
    pub fn measured_at(&self) -> Timestamp {
        match self {
            Self::Reading(reading) => reading.measured_at(),
            Self::Fault(fault) => measured_at(fault.device_time.as_ref(), fault.gateway_time),
        }
    }
}
