//! SFLOAT: 4-bit exponent, 12-bit mantissa, both two's complement, and five words that are no
//! numbers (IEEE 11073-20601, annex F.8).

use super::words::{Middle, Value};
use minato_protocol::reading::{Decimal, Special};

const MIDDLE: Middle = Middle(0x0800);

/// Reads the 16 bits. A reserved mantissa is a word only with exponent 0: F7FF is 204.7.
pub const fn decode_sfloat(bits: u16) -> Value {
    if let Some(word) = MIDDLE.word(bits as u32) {
        return Value::Special(word);
    }
    let signed = bits.cast_signed();
    // Arithmetic shifts carry the signs of both parts.
    let mantissa = ((signed << 4) >> 4) as i32;
    let exponent = (signed >> 12) as i8;
    Value::Number(Decimal { mantissa, exponent })
}

/// Writes 16 bits, as a device would; a number that does not fit becomes an infinity.
pub const fn encode_sfloat(value: Value) -> u16 {
    let Decimal { mantissa, exponent } = match value {
        Value::Special(word) => return low_half(MIDDLE.bits(word)),
        Value::Number(number) => number,
    };
    if mantissa > MIDDLE.mantissa_max() || exponent > 7 {
        low_half(MIDDLE.bits(Special::PlusInfinity))
    } else if mantissa < -MIDDLE.mantissa_max() || exponent < -8 {
        low_half(MIDDLE.bits(Special::MinusInfinity))
    } else {
        let [exponent] = exponent.to_le_bytes();
        (low_half(mantissa.cast_unsigned()) & 0x0FFF) | ((exponent as u16 & 0x0F) << 12)
    }
}

const fn low_half(bits: u32) -> u16 {
    let [low, high, ..] = bits.to_le_bytes();
    u16::from_le_bytes([low, high])
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
            let fits =
                !matches!(value, Value::Number(n) if n.mantissa.abs() > MIDDLE.mantissa_max());
            if fits {
                assert_eq!(encode_sfloat(value), bits, "{value:?}");
            }
        }
    }
}
