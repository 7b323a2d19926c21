//! SFLOAT: 4-bit exponent, 12-bit mantissa, both two's complement, and five words that are no
//! numbers (IEEE 11073-20601, annex F.8).

use minato_protocol::reading::{Decimal, Special};

/// A number or a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Number(Decimal),
    /// One of the reserved words.
    Special(Special),
}

const NAN: u16 = 0x07FF;
const NRES: u16 = 0x0800;
const PLUS_INFINITY: u16 = 0x07FE;
const MINUS_INFINITY: u16 = 0x0802;
const RESERVED: u16 = 0x0801;
const MANTISSA_MAX: i32 = 0x07FD;

/// Reads the 16 bits. A reserved mantissa is a word only with exponent 0: F7FF is 204.7.
pub const fn decode_sfloat(bits: u16) -> Value {
    match bits {
        NAN => Value::Special(Special::NaN),
        NRES => Value::Special(Special::NRes),
        PLUS_INFINITY => Value::Special(Special::PlusInfinity),
        MINUS_INFINITY => Value::Special(Special::MinusInfinity),
        RESERVED => Value::Special(Special::Reserved),
        _ => {
            let signed = bits.cast_signed();
            // Arithmetic shifts carry the signs of both parts.
            let mantissa = ((signed << 4) >> 4) as i32;
            let exponent = (signed >> 12) as i8;
            Value::Number(Decimal { mantissa, exponent })
        }
    }
}

/// Writes 16 bits, as a device would; a number that does not fit becomes an infinity.
pub const fn encode_sfloat(value: Value) -> u16 {
    match value {
        Value::Special(Special::NaN) => NAN,
        Value::Special(Special::NRes) => NRES,
        Value::Special(Special::PlusInfinity) => PLUS_INFINITY,
        Value::Special(Special::MinusInfinity) => MINUS_INFINITY,
        Value::Special(Special::Reserved) => RESERVED,
        Value::Number(Decimal { mantissa, exponent }) => {
            if mantissa > MANTISSA_MAX || exponent > 7 {
                PLUS_INFINITY
            } else if mantissa < -MANTISSA_MAX || exponent < -8 {
                MINUS_INFINITY
            } else {
                let [low, high, ..] = mantissa.to_le_bytes();
                let mantissa = u16::from_le_bytes([low, high]) & 0x0FFF;
                let [exponent] = exponent.to_le_bytes();
                mantissa | ((exponent as u16 & 0x0F) << 12)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(mantissa: i32, exponent: i8) -> Value {
        Value::Number(Decimal { mantissa, exponent })
    }

    #[test]
    fn numbers_and_words_are_told_apart() {
        assert_eq!(decode_sfloat(0x0078), number(120, 0));
        assert_eq!(decode_sfloat(0xF0A0), number(160, -1));
        assert_eq!(decode_sfloat(0xF4B0), number(1200, -1));
        assert_eq!(decode_sfloat(0x0FFF), number(-1, 0));
        assert_eq!(decode_sfloat(0x8001), number(1, -8));
        assert_eq!(decode_sfloat(0xF7FF), number(2047, -1));
        assert_eq!(decode_sfloat(0x07FF), Value::Special(Special::NaN));
        assert_eq!(decode_sfloat(0x07FE), Value::Special(Special::PlusInfinity));
        assert_eq!(decode_sfloat(0x0800), Value::Special(Special::NRes));
        assert_eq!(decode_sfloat(0x0801), Value::Special(Special::Reserved));
        assert_eq!(decode_sfloat(0x0802), Value::Special(Special::MinusInfinity));
    }

    #[test]
    fn every_word_of_16_bits_is_written_as_it_was_read() {
        for bits in 0..=u16::MAX {
            let value = decode_sfloat(bits);
            let fits = !matches!(value, Value::Number(n) if n.mantissa.abs() > MANTISSA_MAX);
            if fits {
                assert_eq!(encode_sfloat(value), bits, "{value:?}");
            }
        }
    }
}
