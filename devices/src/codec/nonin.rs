//! Nonin's Continuous Oximetry (0AAD7EA0-0D60-11E2-8E3C-0002A5D5C51B), once a second, big-endian.
//! The layout is that of Nonin's own example for the 3230 (2013, revision 1.0), which agrees with
//! what others read by Nonin's document 113142-000-02.

use super::cursor::{Cursor, Refused};
use super::words::Value;
use super::{Frame, remarks};
use minato_protocol::reading::{Characteristic, Decimal, Quality, Quantity, Special, Unit};

/// Bytes of the known layout, the length itself included.
const LENGTH: u8 = 10;
const SATURATION_MISSING: u16 = 127;
const PULSE_MISSING: u16 = 511;

/// Bit 0 (the display shows the same) and bit 6 (the link is encrypted) say nothing of the value.
const STATUS: [(u32, Quality); 4] = [
    (1, Quality::LowPerfusion),
    (2, Quality::Validated),
    (3, Quality::SignalAnalysis),
    (5, Quality::BatteryLow),
];
const STATUS_WELL_PLACED: u8 = 1 << 4;
const STATUS_RESERVED: u8 = 1 << 7;

/// The frame begins with its own length; a longer one keeps what is known.
pub(super) fn continuous(cursor: &mut Cursor<'_>) -> Result<Frame, Refused> {
    let mut frame = Frame::begin(Characteristic::NoninOximetry);
    let length = cursor.u8("the length")?;
    if length < LENGTH {
        return Err(Refused::Undefined { field: "the length", value: u16::from(length) });
    }
    let missing = usize::from(length - 1).saturating_sub(cursor.len());
    if missing > 0 {
        return Err(Refused::Truncated { field: "its own length", missing });
    }
    let status = cursor.u8("the status")?;
    frame.quality.extend(remarks(u32::from(status), &STATUS));
    frame.reserved(status & STATUS_RESERVED != 0);
    if status & STATUS_WELL_PLACED == 0 {
        frame.quality.push(Quality::SensorDisplaced);
    }
    cursor.u8("the battery's voltage")?;
    let amplitude = cursor.u16_be("the pulse amplitude index")?;
    cursor.u16_be("the counter")?;
    let saturation = cursor.u8("the saturation")?;
    let pulse = cursor.u16_be("the pulse")?;
    let saturation = number(u16::from(saturation), SATURATION_MISSING);
    frame.push(Quantity::Spo2, saturation, Unit::Percent);
    frame.push(Quantity::PulseRate, number(pulse, PULSE_MISSING), Unit::PerMinute);
    // In hundredths; it has no word for "missing".
    let amplitude = Value::Number(Decimal { mantissa: i32::from(amplitude), exponent: -2 });
    frame.push(Quantity::PulseAmplitudeIndex, amplitude, Unit::Percent);
    Ok(frame)
}

fn number(number: u16, missing: u16) -> Value {
    if number == missing {
        return Value::Special(Special::NaN);
    }
    Value::Number(Decimal::whole(i32::from(number)))
}

#[cfg(test)]
mod tests {
    use super::super::decode;
    use super::*;

    /// Well placed and past SmartPoint, 2.5 V, 3.21 %, 97 %, 75 a minute.
    const GOOD: [u8; 10] = [10, 0b0001_0101, 25, 0x01, 0x41, 0, 42, 97, 0, 75];

    fn read(bytes: &[u8]) -> Result<Frame, Refused> {
        decode(Characteristic::NoninOximetry, bytes)
    }

    #[test]
    fn the_values_are_read_big_endian() {
        let frame = read(&GOOD).expect("a frame");
        let number = |mantissa, exponent| Value::Number(Decimal { mantissa, exponent });
        let values: Vec<_> = frame.values.iter().map(|said| (said.what, said.value)).collect();
        let expected = [
            (Quantity::Spo2, number(97, 0)),
            (Quantity::PulseRate, number(75, 0)),
            (Quantity::PulseAmplitudeIndex, number(321, -2)),
        ];
        assert_eq!((values.as_slice(), frame.quality), (&expected[..], vec![Quality::Validated]));
    }

    #[test]
    fn a_finger_that_is_missing_is_no_number() {
        let mut bytes = GOOD;
        bytes[1] = 0b0000_1000;
        bytes[7..].copy_from_slice(&[127, 1, 0xff]);
        let frame = read(&bytes).expect("a frame");
        assert!(frame.values[..2].iter().all(|said| said.value == Value::Special(Special::NaN)));
        assert_eq!(frame.quality, [Quality::SignalAnalysis, Quality::SensorDisplaced]);
    }

    #[test]
    fn a_frame_that_belies_its_own_length_is_refused() {
        let mut bytes = GOOD;
        bytes[0] = 9;
        let refused = Refused::Undefined { field: "the length", value: 9 };
        assert_eq!(read(&bytes), Err(refused));
        bytes[0] = 12;
        let refused = Refused::Truncated { field: "its own length", missing: 2 };
        assert_eq!(read(&bytes), Err(refused));
        let longer = read(&[bytes.as_slice(), &[0, 0]].concat()).expect("a frame");
        assert!(longer.quality.contains(&Quality::TrailingBytes));
    }
}
