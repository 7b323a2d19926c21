//! Measured numbers are decimal: 16.0 kPa stays 16.0, with the digits that the device sent.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{fmt, str::FromStr};

/// Beyond this many places the text is written with an exponent.
const PLAIN_PLACES_MAX: u8 = 12;
/// No text of a decimal is longer than this.
const TEXT_BYTES_MAX: usize = 32;

/// `mantissa * 10^exponent`, exactly as the device said it. On the wire it is text (`"16.0"`), so
/// that no reader rounds it and the number of digits is kept; `Number(text)` reads it in a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
pub struct Decimal {
    /// The digits.
    pub mantissa: i32,
    /// The power of ten.
    pub exponent: i8,
}

impl Decimal {
    /// A whole number.
    pub const fn whole(mantissa: i32) -> Self {
        Self { mantissa, exponent: 0 }
    }

    /// The nearest binary number, for drawing and for comparing.
    pub fn to_f64(self) -> f64 {
        let power = 10f64.powi(i32::from(self.exponent.unsigned_abs()));
        if self.exponent < 0 {
            f64::from(self.mantissa) / power
        } else {
            f64::from(self.mantissa) * power
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = self.exponent.unsigned_abs();
        if places > PLAIN_PLACES_MAX {
            return write!(f, "{}e{}", self.mantissa, self.exponent);
        }
        let places = usize::from(places);
        if self.exponent >= 0 {
            let zeros = if self.mantissa == 0 { 0 } else { places };
            return write!(f, "{}{:0<zeros$}", self.mantissa, "");
        }
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", self.mantissa.unsigned_abs(), width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        write!(f, "{sign}{whole}.{fraction}")
    }
}

/// The text was no decimal number that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecimalInvalid;

impl fmt::Display for DecimalInvalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a measured number is digits with at most one point, such as 16.0")
    }
}

impl std::error::Error for DecimalInvalid {}

impl FromStr for Decimal {
    type Err = DecimalInvalid;

    fn from_str(text: &str) -> Result<Self, DecimalInvalid> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(DecimalInvalid);
        }
        let (number, power) = text.split_once('e').unwrap_or((text, "0"));
        let power: i16 = power.parse().map_err(|_| DecimalInvalid)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let only_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let unsigned = whole.strip_prefix('-').unwrap_or(whole);
        if unsigned.is_empty() || !only_digits(unsigned) || !only_digits(fraction) {
            return Err(DecimalInvalid);
        }
        let mut mantissa: i128 =
            format!("{whole}{fraction}").parse().map_err(|_| DecimalInvalid)?;
        let places = i16::try_from(fraction.len()).map_err(|_| DecimalInvalid)?;
        let mut exponent = power - places;
        // "20470000000" was written from 2047e7: give the zeros back to the exponent.
        while i32::try_from(mantissa).is_err() && mantissa % 10 == 0 {
            mantissa /= 10;
            exponent += 1;
        }
        Ok(Self {
            mantissa: mantissa.try_into().map_err(|_| DecimalInvalid)?,
            exponent: exponent.try_into().map_err(|_| DecimalInvalid)?,
        })
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(mantissa: i32, exponent: i8) -> String {
        Decimal { mantissa, exponent }.to_string()
    }

    #[test]
    fn the_digits_of_the_device_are_kept() {
        assert_eq!(text(120, 0), "120");
        assert_eq!(text(160, -1), "16.0");
        assert_eq!(text(-5, -2), "-0.05");
        assert_eq!(text(2047, 7), "20470000000");
        assert_eq!(text(0, 3), "0");
        assert_eq!(text(3, -100), "3e-100");
    }

    #[test]
    fn a_decimal_reads_back_the_same_number() {
        for mantissa in [0, 1, -1, 9, 1200, -2048, 2047, i32::MAX, i32::MIN] {
            for exponent in i8::MIN..=i8::MAX {
                let written = Decimal { mantissa, exponent };
                let read: Decimal = written.to_string().parse().expect("own text");
                let (a, b) = (read.to_f64(), written.to_f64());
                assert!((a - b).abs() <= a.abs() * 1e-12, "{written} {read:?}");
            }
        }
    }

    #[test]
    fn a_text_that_is_no_number_is_refused() {
        for text in ["", "-", ".5", "1.2.3", "NaN", "1e", "1e999", "--1", "99999999999999999999"] {
            assert_eq!(text.parse::<Decimal>(), Err(DecimalInvalid), "{text}");
        }
    }
}
