//! Blood Pressure Measurement (2A35) and Intermediate Cuff Pressure (2A36), Blood Pressure Service
//! 1.1.1, 3.1 and 3.2. Both have the same layout.

use super::cursor::{Cursor, Refused};
use super::datetime::{FrameTime, take_datetime};
use super::sfloat::decode_sfloat;
use super::{Frame, FrameValue, USER_UNKNOWN, remarks};
use minato_protocol::reading::{Characteristic, Quality, Quantity, Unit};

const FLAG_KPA: u8 = 1 << 0;
const FLAG_TIME: u8 = 1 << 1;
const FLAG_PULSE: u8 = 1 << 2;
const FLAG_USER: u8 = 1 << 3;
const FLAG_STATUS: u8 = 1 << 4;
const FLAGS_RESERVED: u8 = 0b1110_0000;

const STATUS: [(u32, Quality); 4] = [
    (0, Quality::BodyMovement),
    (1, Quality::CuffLoose),
    (2, Quality::IrregularPulse),
    (5, Quality::ImproperPosition),
];
const STATUS_RESERVED: u16 = 0xFFC0;

/// 2A35: systolic, diastolic, mean.
pub(super) fn final_result(cursor: &mut Cursor<'_>) -> Result<Frame, Refused> {
    let pressures = [Quantity::Systolic, Quantity::Diastolic, Quantity::MeanArterial];
    read(cursor, Characteristic::BloodPressure, &pressures)
}

/// 2A36: the first pressure is the cuff's, the two others mean nothing.
pub(super) fn intermediate(cursor: &mut Cursor<'_>) -> Result<Frame, Refused> {
    read(cursor, Characteristic::IntermediateCuffPressure, &[Quantity::CuffPressure])
}

fn read(
    cursor: &mut Cursor<'_>,
    characteristic: Characteristic,
    pressures: &[Quantity],
) -> Result<Frame, Refused> {
    let flags = cursor.u8("the flags")?;
    let mut quality = Vec::new();
    if flags & FLAGS_RESERVED != 0 {
        quality.push(Quality::ReservedBits);
    }
    let unit = if flags & FLAG_KPA != 0 { Unit::KPa } else { Unit::MmHg };
    let compound =
        [cursor.u16("the systolic")?, cursor.u16("the diastolic")?, cursor.u16("the mean")?];
    let mut values: Vec<_> = pressures
        .iter()
        .zip(compound)
        .map(|(what, bits)| FrameValue { what: *what, value: decode_sfloat(bits), unit })
        .collect();
    let time = if flags & FLAG_TIME != 0 { take_datetime(cursor)? } else { FrameTime::Absent };
    if time == FrameTime::Unusable {
        quality.push(Quality::ClockUnknown);
    }
    if flags & FLAG_PULSE != 0 {
        let value = decode_sfloat(cursor.u16("the pulse")?);
        values.push(FrameValue { what: Quantity::PulseRate, value, unit: Unit::PerMinute });
    }
    let user = if flags & FLAG_USER != 0 { Some(cursor.u8("the user")?) } else { None };
    if flags & FLAG_STATUS != 0 {
        quality.extend(status(cursor.u16("the measurement status")?));
    }
    let user = user.filter(|user| *user != USER_UNKNOWN);
    Ok(Frame { characteristic, values, quality, time, user, site: None })
}

/// The status bits tell how the measurement went. That they are all zero says nothing: a real
/// cuff's error is NaN with a clean status.
fn status(bits: u16) -> Vec<Quality> {
    let mut found: Vec<_> = remarks(u32::from(bits), &STATUS).collect();
    match (bits >> 3) & 0b11 {
        0b01 => found.push(Quality::PulseAboveRange),
        0b10 => found.push(Quality::PulseBelowRange),
        0b11 => found.push(Quality::ReservedBits),
        _ => {}
    }
    if bits & STATUS_RESERVED != 0 {
        found.push(Quality::ReservedBits);
    }
    found
}
