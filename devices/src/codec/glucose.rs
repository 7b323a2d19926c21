//! Glucose Measurement (2A18), Glucose Service 1.0.1, 3.1.

use super::cursor::{Cursor, Refused};
use super::datetime::{FrameTime, take_datetime};
use super::sfloat::decode_sfloat;
use super::words::Value;
use super::{Frame, remarks};
use jiff::ToSpan as _;
use minato_protocol::reading::{BodySite, Characteristic, Decimal, Quality, Quantity, Unit};

const FLAG_TIME_OFFSET: u8 = 1 << 0;
const FLAG_CONCENTRATION: u8 = 1 << 1;
const FLAG_MOLES: u8 = 1 << 2;
const FLAG_STATUS: u8 = 1 << 3;
// Bit 4 announces a message of its own with the circumstances, which is not read here.
const FLAGS_RESERVED: u8 = 0b1110_0000;

/// From the device's kg/L to mg/dL, and from its mol/L to mmol/L, in powers of ten.
const MG_DL_IN_KG_L: i8 = 5;
const MMOL_IN_MOL: i8 = 3;

/// The offset has run over or under what it can express: the user's time is not known.
const OFFSETS_UNKNOWN: [i16; 2] = [i16::MAX, i16::MIN];

const TYPE_CONTROL_SOLUTION: u8 = 10;
const LOCATION_CONTROL_SOLUTION: u8 = 4;
const LOCATION_UNKNOWN: u8 = 15;

const STATUS: [(u32, Quality); 12] = [
    (0, Quality::BatteryLow),
    (1, Quality::SensorMalfunction),
    (2, Quality::SampleTooSmall),
    (3, Quality::StripInsertion),
    (4, Quality::StripType),
    (5, Quality::AboveRange),
    (6, Quality::BelowRange),
    (7, Quality::TooHot),
    (8, Quality::TooCold),
    (9, Quality::Interrupted),
    (10, Quality::DeviceFault),
    (11, Quality::ClockFault),
];
const STATUS_RESERVED: u16 = 0xF000;

/// 2A18. The sequence number stays in the raw bytes, where it makes two equal records differ.
pub(super) fn measurement(cursor: &mut Cursor<'_>) -> Result<Frame, Refused> {
    let mut frame = Frame::begin(Characteristic::Glucose);
    let flags = cursor.u8("the flags")?;
    frame.reserved(flags & FLAGS_RESERVED != 0);
    cursor.u16("the sequence number")?;
    let mut time = take_datetime(cursor)?;
    if flags & FLAG_TIME_OFFSET != 0 {
        let offset = cursor.u16("the time offset")?.cast_signed();
        time = moved(time, offset);
    }
    frame.timed(time);
    if flags & FLAG_CONCENTRATION != 0 {
        let bits = cursor.u16("the concentration")?;
        let (unit, power) = if flags & FLAG_MOLES != 0 {
            (Unit::MmolPerL, MMOL_IN_MOL)
        } else {
            (Unit::MgPerDl, MG_DL_IN_KG_L)
        };
        frame.push(Quantity::Glucose, scaled(decode_sfloat(bits), power), unit);
        sample(cursor.u8("the type and place of the sample")?, &mut frame);
    }
    if flags & FLAG_STATUS != 0 {
        let bits = cursor.u16("the sensor status")?;
        frame.quality.extend(remarks(u32::from(bits), &STATUS));
        frame.reserved(bits & STATUS_RESERVED != 0);
    }
    Ok(frame)
}

/// The user sets the meter's clock by an offset in minutes, so that records keep their order.
fn moved(base: FrameTime, offset_minutes: i16) -> FrameTime {
    let FrameTime::Civil(base) = base else { return base };
    if OFFSETS_UNKNOWN.contains(&offset_minutes) {
        return FrameTime::Unusable;
    }
    let time = base.checked_add(i64::from(offset_minutes).minutes());
    time.map_or(FrameTime::Unusable, FrameTime::Civil)
}

fn scaled(value: Value, power: i8) -> Value {
    match value {
        // The exponent has four bits of its own, so the sum always fits.
        Value::Number(Decimal { mantissa, exponent }) => {
            Value::Number(Decimal { mantissa, exponent: exponent + power })
        }
        Value::Special(_) => value,
    }
}

/// What the drop was, in the low half of the byte, and where it came from, in the high one.
fn sample(byte: u8, frame: &mut Frame) {
    let (kind, location) = (byte & 0x0F, byte >> 4);
    if kind == TYPE_CONTROL_SOLUTION || location == LOCATION_CONTROL_SOLUTION {
        frame.quality.push(Quality::ControlSolution);
    }
    frame.reserved(!(1..=TYPE_CONTROL_SOLUTION).contains(&kind));
    frame.site = match location {
        1 => Some(BodySite::Finger),
        2 => Some(BodySite::AlternateSite),
        3 => Some(BodySite::Ear),
        _ => None,
    };
    let named = [LOCATION_CONTROL_SOLUTION, LOCATION_UNKNOWN].contains(&location);
    frame.reserved(frame.site.is_none() && !named);
}

#[cfg(test)]
mod tests {
    use super::super::decode;
    use super::*;
    use jiff::civil::datetime;

    const TIME: [u8; 7] = [0xea, 7, 11, 22, 8, 0, 0];

    fn read(flags: u8, rest: &[u8]) -> Frame {
        let bytes = [&[flags, 1, 0], TIME.as_slice(), rest].concat();
        decode(Characteristic::Glucose, &bytes).expect("a frame")
    }

    fn number(frame: &Frame) -> (f64, Unit) {
        let Value::Number(number) = frame.values[0].value else { panic!("{frame:?}") };
        (number.to_f64(), frame.values[0].unit)
    }

    #[test]
    fn kilograms_and_moles_a_litre_become_what_a_clinic_says() {
        let by_mass = read(0b010, &[0x64, 0xb0, 0x11]);
        assert_eq!(number(&by_mass), (100.0, Unit::MgPerDl));
        assert_eq!((by_mass.site, by_mass.quality), (Some(BodySite::Finger), vec![]));
        // 56e-4 mol/L.
        assert_eq!(number(&read(0b110, &[0x38, 0xc0, 0xf1])), (5.6, Unit::MmolPerL));
    }

    #[test]
    fn the_offset_moves_the_meters_time() {
        let time = |minutes: i16| read(1, &minutes.to_le_bytes()).time;
        assert_eq!(time(-90), FrameTime::Civil(datetime(2026, 11, 22, 6, 30, 0, 0)));
        assert_eq!(time(24 * 60), FrameTime::Civil(datetime(2026, 11, 23, 8, 0, 0, 0)));
    }

    #[test]
    fn an_offset_that_ran_over_leaves_the_value_without_a_time() {
        for minutes in OFFSETS_UNKNOWN {
            let [low, high] = minutes.to_le_bytes();
            let frame = read(0b011, &[low, high, 0x64, 0xb0, 0x11]);
            assert_eq!((frame.time, number(&frame).0), (FrameTime::Unusable, 100.0));
            assert_eq!(frame.quality, [Quality::ClockUnknown]);
        }
    }

    #[test]
    fn a_control_solution_is_told_by_its_type_and_by_its_place() {
        for byte in [0x1a, 0x41, 0x4a, 0xfa] {
            let frame = read(0b010, &[0x64, 0xb0, byte]);
            assert_eq!(frame.quality, [Quality::ControlSolution], "{byte:02x}");
        }
    }

    #[test]
    fn undefined_types_and_places_keep_the_value() {
        for byte in [0x10, 0x1b, 0x01, 0x51, 0xe1] {
            let frame = read(0b010, &[0x64, 0xb0, byte]);
            assert_eq!(frame.quality, [Quality::ReservedBits], "{byte:02x}");
            assert_eq!(number(&frame).0, 100.0);
        }
    }

    #[test]
    fn the_meters_status_is_told_by_name() {
        for (bit, remark) in STATUS {
            let [low, high] = (1u16 << bit).to_le_bytes();
            assert_eq!(read(0b1000, &[low, high]).quality, [remark]);
        }
        assert_eq!(read(0b1000, &[0, 0x80]).quality, [Quality::ReservedBits]);
    }
}
