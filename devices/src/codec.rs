//! PURE: bytes of a profile's message become a [`Frame`], or the reason why they are none. No
//! clock, no device, no judgement: what the frame says and nothing else.

mod blood_pressure;
mod body_composition;
mod cursor;
mod datetime;
mod float;
mod glucose;
mod heart_rate;
mod nonin;
mod oximeter;
mod record_access;
mod sfloat;
mod steps;
mod temperature;
mod weight;
mod words;

pub mod serial;

pub use cursor::Refused;
pub use datetime::{
    FrameTime, decode_current_time, decode_datetime, encode_current_time, encode_datetime,
};
pub use float::{decode_float, encode_float};
pub use record_access::{
    REPORT_ALL_RECORDS, RecordAccess, RecordAct, RecordMark, RecordResult, Records,
    decode_record_access, encode_record_access,
};
pub use sfloat::{decode_sfloat, encode_sfloat};
pub use words::Value;

use cursor::Cursor;
use minato_protocol::reading::{BodySite, Characteristic, Quality, Quantity, Unit};
use steps::Resolution;

/// Longest attribute value that Bluetooth carries (Core specification, vol 3, part F, 3.2.9).
pub const FRAME_BYTES_MAX: usize = 512;

/// The messages of Bluetooth that are read here and have a number there.
pub const NUMBERED: [Characteristic; 10] = [
    Characteristic::BloodPressure,
    Characteristic::IntermediateCuffPressure,
    Characteristic::OximeterSpot,
    Characteristic::OximeterContinuous,
    Characteristic::Temperature,
    Characteristic::IntermediateTemperature,
    Characteristic::HeartRate,
    Characteristic::Weight,
    Characteristic::BodyComposition,
    Characteristic::Glucose,
];

/// A device's user slot that says nothing.
const USER_UNKNOWN: u8 = 0xFF;

/// What one frame says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Which message it was.
    pub characteristic: Characteristic,
    /// The values in the order of the frame.
    pub values: Vec<FrameValue>,
    /// Remarks, sorted, each once.
    pub quality: Vec<Quality>,
    /// The device's time.
    pub time: FrameTime,
    /// The user slot, unless the device does not know it.
    pub user: Option<u8>,
    /// Where on the body, if the message says so.
    pub site: Option<BodySite>,
}

impl Frame {
    /// A frame that says nothing yet.
    fn begin(characteristic: Characteristic) -> Self {
        let (values, quality) = (Vec::new(), Vec::new());
        let time = FrameTime::Absent;
        Self { characteristic, values, quality, time, user: None, site: None }
    }

    /// Remarks that bits were set which the layout leaves undefined.
    fn reserved(&mut self, set: bool) {
        if set {
            self.quality.push(Quality::ReservedBits);
        }
    }

    /// Adds what is known of the value beside the frame, in its place.
    pub fn remark(&mut self, remark: Quality) {
        if let Err(place) = self.quality.binary_search(&remark) {
            self.quality.insert(place, remark);
        }
    }

    /// Sets the device's time, and remarks one that is none.
    fn timed(&mut self, time: FrameTime) {
        self.time = time;
        if time == FrameTime::Unusable {
            self.quality.push(Quality::ClockUnknown);
        }
    }

    /// Adds a value that the device counts in steps.
    fn count(&mut self, what: Quantity, resolution: Resolution, steps: u16) {
        self.push(what, resolution.of(steps), resolution.unit);
    }

    /// Adds a value.
    fn push(&mut self, what: Quantity, value: Value, unit: Unit) {
        self.values.push(FrameValue { what, value, unit });
    }
}

/// One quantity as the device said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameValue {
    /// What.
    pub what: Quantity,
    /// How much.
    pub value: Value,
    /// In which unit the device speaks.
    pub unit: Unit,
}

/// Reads one frame. Reserved bits and bytes behind the known end keep the values and add a remark;
/// a frame that is shorter than its own flags say is refused.
pub fn decode(characteristic: Characteristic, bytes: &[u8]) -> Result<Frame, Refused> {
    if bytes.len() > FRAME_BYTES_MAX {
        return Err(Refused::TooLong { bytes: bytes.len() });
    }
    let mut cursor = Cursor::new(bytes);
    let mut frame = match characteristic {
        Characteristic::BloodPressure => blood_pressure::final_result(&mut cursor)?,
        Characteristic::IntermediateCuffPressure => blood_pressure::intermediate(&mut cursor)?,
        Characteristic::OximeterSpot => oximeter::spot(&mut cursor)?,
        Characteristic::OximeterContinuous => oximeter::continuous(&mut cursor)?,
        Characteristic::Temperature | Characteristic::IntermediateTemperature => {
            temperature::measurement(&mut cursor, characteristic)?
        }
        Characteristic::HeartRate => heart_rate::measurement(&mut cursor)?,
        Characteristic::Weight => weight::measurement(&mut cursor)?,
        Characteristic::BodyComposition => body_composition::measurement(&mut cursor)?,
        Characteristic::Glucose => glucose::measurement(&mut cursor)?,
        Characteristic::NoninOximetry => nonin::continuous(&mut cursor)?,
        Characteristic::SerialBci
        | Characteristic::SerialEmay
        | Characteristic::SerialNonin
        | Characteristic::Other
        | Characteristic::Typed => return Err(Refused::NoCodec),
    };
    if !cursor.is_empty() {
        frame.quality.push(Quality::TrailingBytes);
    }
    frame.quality.sort_unstable();
    frame.quality.dedup();
    Ok(frame)
}

/// The 16-bit number by which Bluetooth names the message. Messages of other kinds have numbers
/// that Bluetooth will not give to a characteristic; they stand in names of readings and never change.
pub const fn assigned_number(characteristic: Characteristic) -> u16 {
    match characteristic {
        Characteristic::BloodPressure => 0x2A35,
        Characteristic::IntermediateCuffPressure => 0x2A36,
        Characteristic::OximeterSpot => 0x2A5E,
        Characteristic::OximeterContinuous => 0x2A5F,
        Characteristic::Temperature => 0x2A1C,
        Characteristic::IntermediateTemperature => 0x2A1E,
        Characteristic::HeartRate => 0x2A37,
        Characteristic::Weight => 0x2A9D,
        Characteristic::BodyComposition => 0x2A9C,
        Characteristic::Glucose => 0x2A18,
        Characteristic::NoninOximetry => 0x0001,
        Characteristic::SerialBci => 0x0002,
        Characteristic::SerialEmay => 0x0003,
        Characteristic::SerialNonin => 0x0004,
        Characteristic::Typed => 0x0005,
        Characteristic::Other => 0x0006,
    }
}

/// The message of a Bluetooth number, if it is one that is read here.
pub fn by_assigned_number(number: u16) -> Option<Characteristic> {
    NUMBERED.into_iter().find(|known| assigned_number(*known) == number)
}

/// Names the bits that are set, by a table of (bit, remark).
fn remarks(bits: u32, table: &[(u32, Quality)]) -> impl Iterator<Item = Quality> {
    table.iter().filter(move |(bit, _)| bits & (1 << bit) != 0).map(|(_, remark)| *remark)
}

#[cfg(test)]
mod fuzzed;
#[cfg(test)]
mod laws;
