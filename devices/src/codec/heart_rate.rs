//! Heart Rate Measurement (2A37), Heart Rate Service 1.0, 3.1.

use super::cursor::{Cursor, Refused};
use super::{Frame, Value};
use minato_protocol::reading::{Characteristic, Decimal, Quality, Quantity, Unit};

const FLAG_WIDE: u8 = 1 << 0;
const FLAG_CONTACT: u8 = 1 << 1;
const FLAG_KNOWS_CONTACT: u8 = 1 << 2;
const FLAG_ENERGY: u8 = 1 << 3;
const FLAG_INTERVALS: u8 = 1 << 4;
const FLAGS_RESERVED: u8 = 0b1110_0000;

/// 2A37. The frame does not say how many intervals it has: they go to its end. A byte that is left
/// over is no interval; some straps announce intervals and have none at that moment.
pub(super) fn measurement(cursor: &mut Cursor<'_>) -> Result<Frame, Refused> {
    let mut frame = Frame::begin(Characteristic::HeartRate);
    let flags = cursor.u8("the flags")?;
    frame.reserved(flags & FLAGS_RESERVED != 0);
    let rate = if flags & FLAG_WIDE != 0 {
        cursor.u16("the heart rate")?
    } else {
        u16::from(cursor.u8("the heart rate")?)
    };
    frame.push(Quantity::HeartRate, whole(rate), Unit::PerMinute);
    if flags & FLAG_KNOWS_CONTACT != 0 && flags & FLAG_CONTACT == 0 {
        frame.quality.push(Quality::NoContact);
    }
    if flags & FLAG_ENERGY != 0 {
        let energy = cursor.u16("the energy")?;
        frame.push(Quantity::EnergyExpended, whole(energy), Unit::Kilojoule);
    }
    if flags & FLAG_INTERVALS != 0 {
        while cursor.len() >= 2 {
            let interval = cursor.u16("an interval")?;
            frame.push(Quantity::RrInterval, whole(interval), Unit::Per1024Second);
        }
    }
    Ok(frame)
}

fn whole(number: u16) -> Value {
    Value::Number(Decimal::whole(i32::from(number)))
}

#[cfg(test)]
mod tests {
    use super::super::decode;
    use super::*;

    fn read(bytes: &[u8]) -> Frame {
        decode(Characteristic::HeartRate, bytes).expect("a frame")
    }

    fn numbers(frame: &Frame, what: Quantity) -> Vec<f64> {
        let of = |value: &super::super::FrameValue| match value.value {
            Value::Number(number) if value.what == what => Some(number.to_f64()),
            _ => None,
        };
        frame.values.iter().filter_map(of).collect()
    }

    #[test]
    fn a_wide_rate_with_energy_and_intervals_is_read() {
        let frame = read(&[0x1f, 0x2c, 0x01, 0x10, 0x00, 0x00, 0x04, 0x0a, 0x03]);
        assert_eq!(numbers(&frame, Quantity::HeartRate), [300.0]);
        assert_eq!(numbers(&frame, Quantity::EnergyExpended), [16.0]);
        assert_eq!(numbers(&frame, Quantity::RrInterval), [1024.0, 778.0]);
        assert_eq!(frame.quality, []);
    }

    #[test]
    fn a_strap_without_contact_is_told_only_by_a_strap_that_knows() {
        assert_eq!(read(&[0b100, 72]).quality, [Quality::NoContact]);
        for knows_nothing_or_has_contact in [0b000, 0b010, 0b110] {
            assert_eq!(read(&[knows_nothing_or_has_contact, 72]).quality, []);
        }
    }

    #[test]
    fn half_an_interval_at_the_end_is_none_and_is_remarked() {
        let frame = read(&[0x10, 72, 0x00, 0x04, 0x0a]);
        assert_eq!(numbers(&frame, Quantity::RrInterval), [1024.0]);
        assert_eq!(frame.quality, [Quality::TrailingBytes]);
        assert_eq!(read(&[0x10, 72]).values.len(), 1);
    }
}
