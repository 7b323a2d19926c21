//! Body Composition Measurement (2A9C), Body Composition Service 1.0.0, 3.2.

use super::cursor::{Cursor, Refused};
use super::datetime::take_datetime;
use super::steps::Resolution;
use super::{Frame, USER_UNKNOWN};
use minato_protocol::reading::{Characteristic, Quality, Quantity};

const FLAG_IMPERIAL: u16 = 1 << 0;
const FLAG_TIME: u16 = 1 << 1;
const FLAG_USER: u16 = 1 << 2;
const FLAG_IN_PARTS: u16 = 1 << 12;
const FLAGS_RESERVED: u16 = 0b1110_0000_0000_0000;

/// 2A9C.
pub(super) fn measurement(cursor: &mut Cursor<'_>) -> Result<Frame, Refused> {
    let mut frame = Frame::begin(Characteristic::BodyComposition);
    let flags = cursor.u16("the flags")?;
    frame.reserved(flags & FLAGS_RESERVED != 0);
    if flags & FLAG_IN_PARTS != 0 {
        frame.quality.push(Quality::InParts);
    }
    frame.count(Quantity::BodyFat, Resolution::SHARE, cursor.u16("the body fat")?);
    if flags & FLAG_TIME != 0 {
        frame.timed(take_datetime(cursor)?);
    }
    if flags & FLAG_USER != 0 {
        frame.user = Some(cursor.u8("the user")?).filter(|user| *user != USER_UNKNOWN);
    }
    for (bit, what, field, resolution) in optional(flags & FLAG_IMPERIAL != 0) {
        if flags & (1 << bit) != 0 {
            frame.count(what, resolution, cursor.u16(field)?);
        }
    }
    Ok(frame)
}

/// What may follow, in the order of the frame, with its flag.
const fn optional(imperial: bool) -> [(u16, Quantity, &'static str, Resolution); 9] {
    let mass = Resolution::mass(imperial);
    [
        (3, Quantity::BasalMetabolism, "the basal metabolism", Resolution::ENERGY),
        (4, Quantity::MusclePercentage, "the muscle percentage", Resolution::SHARE),
        (5, Quantity::MuscleMass, "the muscle mass", mass),
        (6, Quantity::FatFreeMass, "the fat free mass", mass),
        (7, Quantity::SoftLeanMass, "the soft lean mass", mass),
        (8, Quantity::BodyWaterMass, "the body water mass", mass),
        (9, Quantity::Impedance, "the impedance", Resolution::IMPEDANCE),
        (10, Quantity::Weight, "the weight", mass),
        (11, Quantity::Height, "the height", Resolution::height(imperial)),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::{Value, decode};
    use super::*;
    use minato_protocol::reading::{Special, Unit};

    /// Everything that a message may have: 1 to 10 steps in the order of the frame.
    fn whole_frame(flags: u16) -> Vec<u8> {
        let mut bytes = [(flags | 0b1111_1111_1110).to_le_bytes(), 1u16.to_le_bytes()].concat();
        bytes.extend([0xea, 7, 11, 22, 8, 0, 0, 3]);
        bytes.extend((2..=10u16).flat_map(u16::to_le_bytes));
        bytes
    }

    fn read(bytes: &[u8]) -> Frame {
        decode(Characteristic::BodyComposition, bytes).expect("a frame")
    }

    #[test]
    fn every_field_is_read_with_its_unit_and_resolution() {
        let frame = read(&whole_frame(0));
        let text = |value| match value {
            Value::Number(number) => number.to_string(),
            Value::Special(special) => panic!("{special:?}"),
        };
        let found: Vec<_> =
            frame.values.iter().map(|said| (said.what, text(said.value), said.unit)).collect();
        let expected = [
            (Quantity::BodyFat, "0.1", Unit::Percent),
            (Quantity::BasalMetabolism, "2", Unit::Kilojoule),
            (Quantity::MusclePercentage, "0.3", Unit::Percent),
            (Quantity::MuscleMass, "0.020", Unit::Kilogram),
            (Quantity::FatFreeMass, "0.025", Unit::Kilogram),
            (Quantity::SoftLeanMass, "0.030", Unit::Kilogram),
            (Quantity::BodyWaterMass, "0.035", Unit::Kilogram),
            (Quantity::Impedance, "0.8", Unit::Ohm),
            (Quantity::Weight, "0.045", Unit::Kilogram),
            (Quantity::Height, "0.010", Unit::Metre),
        ];
        assert_eq!(found, expected.map(|(what, text, unit)| (what, text.to_owned(), unit)));
        assert_eq!((frame.user, frame.quality), (Some(3), vec![]));
    }

    #[test]
    fn pounds_and_inches_go_with_one_bit() {
        let units: Vec<_> = read(&whole_frame(1)).values.iter().map(|said| said.unit).collect();
        assert_eq!(units[3..7], [Unit::Pound; 4]);
        assert_eq!(units[8..], [Unit::Pound, Unit::Inch]);
    }

    #[test]
    fn one_part_of_several_is_told() {
        assert_eq!(read(&whole_frame(FLAG_IN_PARTS)).quality, [Quality::InParts]);
    }

    #[test]
    fn an_analysis_that_failed_is_never_a_number() {
        let frame = read(&[0, 0, 0xff, 0xff]);
        assert_eq!(frame.values[0].value, Value::Special(Special::NaN));
    }
}
