//! Temperature Measurement (2A1C) and Intermediate Temperature (2A1E), Health Thermometer Service
//! 1.0, 3.1 and 3.3. Both have the same layout.

use super::Frame;
use super::cursor::{Cursor, Refused};
use super::datetime::take_datetime;
use super::float::decode_float;
use minato_protocol::reading::{BodySite, Characteristic, Quantity, Unit};

const FLAG_FAHRENHEIT: u8 = 1 << 0;
const FLAG_TIME: u8 = 1 << 1;
const FLAG_TYPE: u8 = 1 << 2;
const FLAGS_RESERVED: u8 = 0b1111_1000;

/// 2A1C and 2A1E.
pub(super) fn measurement(
    cursor: &mut Cursor<'_>,
    characteristic: Characteristic,
) -> Result<Frame, Refused> {
    let mut frame = Frame::begin(characteristic);
    let flags = cursor.u8("the flags")?;
    frame.reserved(flags & FLAGS_RESERVED != 0);
    let unit = if flags & FLAG_FAHRENHEIT != 0 { Unit::Fahrenheit } else { Unit::Celsius };
    frame.push(Quantity::Temperature, decode_float(cursor.u32("the temperature")?), unit);
    if flags & FLAG_TIME != 0 {
        frame.timed(take_datetime(cursor)?);
    }
    if flags & FLAG_TYPE != 0 {
        frame.site = site(cursor.u8("the temperature type")?);
        frame.reserved(frame.site.is_none());
    }
    Ok(frame)
}

/// Temperature Type (2A1D).
const fn site(byte: u8) -> Option<BodySite> {
    match byte {
        1 => Some(BodySite::Armpit),
        2 => Some(BodySite::Body),
        3 => Some(BodySite::Ear),
        4 => Some(BodySite::Finger),
        5 => Some(BodySite::Gastrointestinal),
        6 => Some(BodySite::Mouth),
        7 => Some(BodySite::Rectum),
        8 => Some(BodySite::Toe),
        9 => Some(BodySite::Tympanum),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FrameTime, Value, decode};
    use super::*;
    use jiff::civil::datetime;
    use minato_protocol::reading::{Decimal, Quality, Special};

    fn read(bytes: &[u8]) -> Frame {
        decode(Characteristic::Temperature, bytes).expect("a frame")
    }

    #[test]
    fn fahrenheit_time_and_place_are_read() {
        // 98.6 degrees, 2026-11-22 08:00:00, the ear drum.
        let frame = read(&[7, 0xda, 3, 0, 0xff, 0xea, 7, 11, 22, 8, 0, 0, 9]);
        let value = Value::Number(Decimal { mantissa: 986, exponent: -1 });
        assert_eq!((frame.values[0].value, frame.values[0].unit), (value, Unit::Fahrenheit));
        assert_eq!(frame.time, FrameTime::Civil(datetime(2026, 11, 22, 8, 0, 0, 0)));
        assert_eq!((frame.site, frame.quality), (Some(BodySite::Tympanum), vec![]));
    }

    #[test]
    fn a_place_that_nobody_has_defined_keeps_the_value() {
        for undefined in [0, 10, 0xff] {
            let frame = read(&[4, 0x6e, 1, 0, 0xff, undefined]);
            assert_eq!((frame.site, frame.values.len()), (None, 1));
            assert_eq!(frame.quality, [Quality::ReservedBits]);
        }
    }

    #[test]
    fn a_thermometer_without_a_value_says_so() {
        let frame = read(&[0, 0xff, 0xff, 0x7f, 0]);
        assert_eq!(frame.values[0].value, Value::Special(Special::NaN));
    }
}
