//! Weight Measurement (2A9D), Weight Scale Service 1.0.0, 3.2.

use super::cursor::{Cursor, Refused};
use super::datetime::take_datetime;
use super::steps::Resolution;
use super::{Frame, USER_UNKNOWN};
use minato_protocol::reading::{Characteristic, Quantity};

const FLAG_IMPERIAL: u8 = 1 << 0;
const FLAG_TIME: u8 = 1 << 1;
const FLAG_USER: u8 = 1 << 2;
const FLAG_INDEX_AND_HEIGHT: u8 = 1 << 3;
const FLAGS_RESERVED: u8 = 0b1111_0000;

/// 2A9D.
pub(super) fn measurement(cursor: &mut Cursor<'_>) -> Result<Frame, Refused> {
    let mut frame = Frame::begin(Characteristic::Weight);
    let flags = cursor.u8("the flags")?;
    frame.reserved(flags & FLAGS_RESERVED != 0);
    let imperial = flags & FLAG_IMPERIAL != 0;
    frame.count(Quantity::Weight, Resolution::mass(imperial), cursor.u16("the weight")?);
    if flags & FLAG_TIME != 0 {
        frame.timed(take_datetime(cursor)?);
    }
    if flags & FLAG_USER != 0 {
        frame.user = Some(cursor.u8("the user")?).filter(|user| *user != USER_UNKNOWN);
    }
    if flags & FLAG_INDEX_AND_HEIGHT != 0 {
        let index = cursor.u16("the body mass index")?;
        frame.count(Quantity::BodyMassIndex, Resolution::BODY_MASS_INDEX, index);
        frame.count(Quantity::Height, Resolution::height(imperial), cursor.u16("the height")?);
    }
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use super::super::{Value, decode};
    use super::*;
    use minato_protocol::reading::{Special, Unit};

    fn read(bytes: &[u8]) -> Vec<(Quantity, String, Unit)> {
        let frame = decode(Characteristic::Weight, bytes).expect("a frame");
        let text = |value| match value {
            Value::Number(number) => number.to_string(),
            Value::Special(special) => format!("{special:?}"),
        };
        frame.values.iter().map(|said| (said.what, text(said.value), said.unit)).collect()
    }

    fn said(what: Quantity, text: &str, unit: Unit) -> (Quantity, String, Unit) {
        (what, text.to_owned(), unit)
    }

    #[test]
    fn metric_steps_keep_their_digits() {
        // 13,001 steps of 5 g; 22.5; 1.702 m.
        let expected = [
            said(Quantity::Weight, "65.005", Unit::Kilogram),
            said(Quantity::BodyMassIndex, "22.5", Unit::KilogramPerSquareMetre),
            said(Quantity::Height, "1.702", Unit::Metre),
        ];
        assert_eq!(read(&[0b1000, 0xc9, 0x32, 0xe1, 0x00, 0xa6, 0x06]), expected);
    }

    #[test]
    fn imperial_steps_are_pounds_and_inches() {
        let expected = [
            said(Quantity::Weight, "143.30", Unit::Pound),
            said(Quantity::BodyMassIndex, "22.5", Unit::KilogramPerSquareMetre),
            said(Quantity::Height, "67.0", Unit::Inch),
        ];
        assert_eq!(read(&[0b1001, 0xfa, 0x37, 0xe1, 0x00, 0x9e, 0x02]), expected);
    }

    #[test]
    fn a_weighing_that_failed_is_never_a_number() {
        for flags in [0, 1] {
            let unit = if flags == 0 { Unit::Kilogram } else { Unit::Pound };
            let nan = format!("{:?}", Special::NaN);
            assert_eq!(read(&[flags, 0xff, 0xff]), [said(Quantity::Weight, &nan, unit)]);
        }
    }

    #[test]
    fn the_scales_user_is_kept_unless_it_is_unknown() {
        let user = |byte| decode(Characteristic::Weight, &[4, 0xc8, 0x32, byte]).expect("ok").user;
        assert_eq!((user(2), user(0xff)), (Some(2), None));
    }
}
