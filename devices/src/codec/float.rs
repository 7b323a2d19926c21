//! FLOAT: 8-bit exponent, 24-bit mantissa, both two's complement, and five words that are no
//! numbers (IEEE 11073-20601, annex F.7).

use super::words::{Middle, Value};
use minato_protocol::reading::{Decimal, Special};

const MIDDLE: Middle = Middle(0x0080_0000);

/// Reads the 32 bits. A reserved mantissa is a word only with exponent 0, as in a
/// [SFLOAT](super::decode_sfloat).
pub const fn decode_float(bits: u32) -> Value {
    if let Some(word) = MIDDLE.word(bits) {
        return Value::Special(word);
    }
    let [low, middle, high, exponent] = bits.to_le_bytes();
    // The arithmetic shift carries the mantissa's sign.
    let mantissa = i32::from_le_bytes([0, low, middle, high]) >> 8;
    Value::Number(Decimal { mantissa, exponent: exponent.cast_signed() })
}

/// Writes 32 bits, as a device would; a mantissa that does not fit becomes an infinity.
pub const fn encode_float(value: Value) -> u32 {
    let Decimal { mantissa, exponent } = match value {
        Value::Special(word) => return MIDDLE.bits(word),
        Value::Number(number) => number,
    };
    if mantissa > MIDDLE.mantissa_max() {
        MIDDLE.bits(Special::PlusInfinity)
    } else if mantissa < -MIDDLE.mantissa_max() {
        MIDDLE.bits(Special::MinusInfinity)
    } else {
        let [low, middle, high, _] = mantissa.to_le_bytes();
        u32::from_le_bytes([low, middle, high, exponent.cast_unsigned()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(mantissa: i32, exponent: i8) -> Value {
        Value::Number(Decimal { mantissa, exponent })
    }

    #[test]
    fn numbers_and_words_are_told_apart() {
        assert_eq!(decode_float(0xFF00_016E), number(366, -1));
        assert_eq!(decode_float(0xFE00_0E48), number(3656, -2));
        assert_eq!(decode_float(0x00FF_FFFF), number(-1, 0));
        assert_eq!(decode_float(0x0200_0001), number(1, 2));
        assert_eq!(decode_float(0xFF7F_FFFF), number(0x007F_FFFF, -1));
        assert_eq!(decode_float(0x007F_FFFF), Value::Special(Special::NaN));
        assert_eq!(decode_float(0x007F_FFFE), Value::Special(Special::PlusInfinity));
        assert_eq!(decode_float(0x0080_0000), Value::Special(Special::NRes));
        assert_eq!(decode_float(0x0080_0001), Value::Special(Special::Reserved));
        assert_eq!(decode_float(0x0080_0002), Value::Special(Special::MinusInfinity));
    }

    #[test]
    fn a_number_that_does_not_fit_becomes_an_infinity() {
        assert_eq!(
            encode_float(number(MIDDLE.mantissa_max() + 1, 0)),
            MIDDLE.bits(Special::PlusInfinity)
        );
        assert_eq!(
            encode_float(number(-MIDDLE.mantissa_max() - 1, 0)),
            MIDDLE.bits(Special::MinusInfinity)
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn what_fits_is_written_as_it_was_read(bits in any::<u32>()) {
            let value = decode_float(bits);
            let fits = !matches!(value, Value::Number(n) if n.mantissa.abs() > MIDDLE.mantissa_max());
            prop_assert!(!fits || encode_float(value) == bits, "{:08x} {:?}", bits, value);
        }
    }
}
