//! PLX Spot-Check (2A5E) and PLX Continuous (2A5F) Measurement, Pulse Oximeter Service 1.0.1, 3.1
//! and 3.2.

use super::cursor::{Cursor, Refused};
use super::datetime::{FrameTime, take_datetime};
use super::sfloat::decode_sfloat;
use super::{Frame, FrameValue, remarks};
use minato_protocol::reading::{Characteristic, Quality, Quantity, Unit};

const SPOT_TIME: u8 = 1 << 0;
const SPOT_MEASUREMENT: u8 = 1 << 1;
const SPOT_SENSOR: u8 = 1 << 2;
const SPOT_AMPLITUDE: u8 = 1 << 3;
const SPOT_CLOCK_NOT_SET: u8 = 1 << 4;

const CONTINUOUS_FAST: u8 = 1 << 0;
const CONTINUOUS_SLOW: u8 = 1 << 1;
const CONTINUOUS_MEASUREMENT: u8 = 1 << 2;
const CONTINUOUS_SENSOR: u8 = 1 << 3;
const CONTINUOUS_AMPLITUDE: u8 = 1 << 4;

/// The same in both messages.
const FLAGS_RESERVED: u8 = 0b1110_0000;

const MEASUREMENT: [(u32, Quality); 11] = [
    (5, Quality::Ongoing),
    (6, Quality::Early),
    (7, Quality::Validated),
    (8, Quality::FullyQualified),
    (9, Quality::FromStorage),
    (10, Quality::Demo),
    (11, Quality::Test),
    (12, Quality::Calibrating),
    (13, Quality::Unavailable),
    (14, Quality::Questionable),
    (15, Quality::Invalid),
];
const MEASUREMENT_RESERVED: u16 = 0x001F;

const SENSOR: [(u32, Quality); 16] = [
    (0, Quality::SlowDisplay),
    (1, Quality::EquipmentMalfunction),
    (2, Quality::SignalIrregularity),
    (3, Quality::InadequateSignal),
    (4, Quality::PoorSignal),
    (5, Quality::LowPerfusion),
    (6, Quality::ErraticSignal),
    (7, Quality::NonPulsatile),
    (8, Quality::QuestionablePulse),
    (9, Quality::SignalAnalysis),
    (10, Quality::Interference),
    (11, Quality::SensorOff),
    (12, Quality::SensorUnknown),
    (13, Quality::SensorDisplaced),
    (14, Quality::SensorMalfunction),
    (15, Quality::SensorDisconnected),
];
const SENSOR_RESERVED: u32 = 0xFF_0000;

/// 2A5E.
pub(super) fn spot(cursor: &mut Cursor<'_>) -> Result<Frame, Refused> {
    let mut frame = Frame::begin(Characteristic::OximeterSpot);
    let flags = cursor.u8("the flags")?;
    frame.reserved(flags & FLAGS_RESERVED != 0);
    pair(cursor, Quantity::Spo2, Quantity::PulseRate, &mut frame)?;
    if flags & SPOT_TIME != 0 {
        frame.time = take_datetime(cursor)?;
    }
    if flags & SPOT_MEASUREMENT != 0 {
        measurement_status(cursor, &mut frame)?;
    }
    if flags & SPOT_SENSOR != 0 {
        sensor_status(cursor, &mut frame)?;
    }
    if flags & SPOT_AMPLITUDE != 0 {
        amplitude(cursor, &mut frame)?;
    }
    if flags & SPOT_CLOCK_NOT_SET != 0 {
        frame.time = FrameTime::Unusable;
    }
    if frame.time == FrameTime::Unusable {
        frame.quality.push(Quality::ClockUnknown);
    }
    Ok(frame)
}

/// 2A5F.
pub(super) fn continuous(cursor: &mut Cursor<'_>) -> Result<Frame, Refused> {
    let mut frame = Frame::begin(Characteristic::OximeterContinuous);
    let flags = cursor.u8("the flags")?;
    frame.reserved(flags & FLAGS_RESERVED != 0);
    pair(cursor, Quantity::Spo2, Quantity::PulseRate, &mut frame)?;
    if flags & CONTINUOUS_FAST != 0 {
        pair(cursor, Quantity::Spo2Fast, Quantity::PulseRateFast, &mut frame)?;
    }
    if flags & CONTINUOUS_SLOW != 0 {
        pair(cursor, Quantity::Spo2Slow, Quantity::PulseRateSlow, &mut frame)?;
    }
    if flags & CONTINUOUS_MEASUREMENT != 0 {
        measurement_status(cursor, &mut frame)?;
    }
    if flags & CONTINUOUS_SENSOR != 0 {
        sensor_status(cursor, &mut frame)?;
    }
    if flags & CONTINUOUS_AMPLITUDE != 0 {
        amplitude(cursor, &mut frame)?;
    }
    Ok(frame)
}

fn pair(
    cursor: &mut Cursor<'_>,
    saturation: Quantity,
    pulse: Quantity,
    frame: &mut Frame,
) -> Result<(), Refused> {
    let value = decode_sfloat(cursor.u16("the saturation")?);
    frame.values.push(FrameValue { what: saturation, value, unit: Unit::Percent });
    let value = decode_sfloat(cursor.u16("the pulse")?);
    frame.values.push(FrameValue { what: pulse, value, unit: Unit::PerMinute });
    Ok(())
}

fn measurement_status(cursor: &mut Cursor<'_>, frame: &mut Frame) -> Result<(), Refused> {
    let bits = cursor.u16("the measurement status")?;
    frame.quality.extend(remarks(u32::from(bits), &MEASUREMENT));
    frame.reserved(bits & MEASUREMENT_RESERVED != 0);
    Ok(())
}

fn sensor_status(cursor: &mut Cursor<'_>, frame: &mut Frame) -> Result<(), Refused> {
    let bits = cursor.u24("the device and sensor status")?;
    frame.quality.extend(remarks(bits, &SENSOR));
    frame.reserved(bits & SENSOR_RESERVED != 0);
    Ok(())
}

fn amplitude(cursor: &mut Cursor<'_>, frame: &mut Frame) -> Result<(), Refused> {
    let value = decode_sfloat(cursor.u16("the pulse amplitude index")?);
    let what = Quantity::PulseAmplitudeIndex;
    frame.values.push(FrameValue { what, value, unit: Unit::Percent });
    Ok(())
}
