//! FLOAT: 8-bit exponent, 24-bit mantissa, both two's complement, and five words that are no
//! numbers (IEEE 11073-20601, annex F.7).

use super::sfloat::Value;
use minato_protocol::reading::{Decimal, Special};

const NAN: u32 = 0x007F_FFFF;
const NRES: u32 = 0x0080_0000;
const PLUS_INFINITY: u32 = 0x007F_FFFE;
const MINUS_INFINITY: u32 = 0x0080_0002;
const RESERVED: u32 = 0x0080_0001;
const MANTISSA_MAX: i32 = 0x007F_FFFD;

/// Reads the 32 bits. A reserved mantissa is a word only with exponent 0, as in a
/// [SFLOAT](super::decode_sfloat).
pub const fn decode_float(bits: u32) -> Value {
    match bits {
        NAN => Value::Special(Special::NaN),
        NRES => Value::Special(Special::NRes),
        PLUS_INFINITY => Value::Special(Special::PlusInfinity),
        MINUS_INFINITY => Value::Special(Special::MinusInfinity),
        RESERVED => Value::Special(Special::Reserved),
        _ => {
            let [low, middle, high, exponent] = bits.to_le_bytes();
            // The arithmetic shift carries the mantissa's sign.
            let mantissa = i32::from_le_bytes([0, low, middle, high]) >> 8;
            Value::Number(Decimal { mantissa, exponent: exponent.cast_signed() })
        }
    }
}

/// Writes 32 bits, as a device would; a mantissa that does not fit becomes an infinity.
pub const fn encode_float(value: Value) -> u32 {
    match value {
        Value::Special(Special::NaN) => NAN,
        Value::Special(Special::NRes) => NRES,
        Value::Special(Special::PlusInfinity) => PLUS_INFINITY,
        Value::Special(Special::MinusInfinity) => MINUS_INFINITY,
        Value::Special(Special::Reserved) => RESERVED,
        Value::Number(Decimal { mantissa, exponent }) => {
            if mantissa > MANTISSA_MAX {
                PLUS_INFINITY
            } else if mantissa < -MANTISSA_MAX {
                MINUS_INFINITY
            } else {
                let [low, middle, high, _] = mantissa.to_le_bytes();
                u32::from_le_bytes([low, middle, high, exponent.cast_unsigned()])
            }
        }
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
        assert_eq!(encode_float(number(MANTISSA_MAX + 1, 0)), PLUS_INFINITY);
        assert_eq!(encode_float(number(-MANTISSA_MAX - 1, 0)), MINUS_INFINITY);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn what_fits_is_written_as_it_was_read(bits in any::<u32>()) {
            let value = decode_float(bits);
            let fits = !matches!(value, Value::Number(n) if n.mantissa.abs() > MANTISSA_MAX);
            prop_assert!(!fits || encode_float(value) == bits, "{:08x} {:?}", bits, value);
        }
    }
}
