//! Bytes that people may have to compare by eye are written as lower-case hex.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{fmt, str::FromStr};

/// The text was not hex of the right length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HexInvalid;

impl fmt::Display for HexInvalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not hex digits of the expected length")
    }
}

impl std::error::Error for HexInvalid {}

/// `N` bytes, as `2 * N` hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
pub struct Hex<const N: usize>(pub [u8; N]);

/// Any number of bytes as hex digits, such as a frame as it came from the device.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
pub struct HexBytes(pub Vec<u8>);

fn write_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

fn parse_hex(text: &str) -> Result<Vec<u8>, HexInvalid> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    if !text.len().is_multiple_of(2) {
        return Err(HexInvalid);
    }
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| Some(digit(pair[0])? * 16 + digit(pair[1])?))
        .collect::<Option<_>>()
        .ok_or(HexInvalid)
}

impl<const N: usize> FromStr for Hex<N> {
    type Err = HexInvalid;
    fn from_str(text: &str) -> Result<Self, HexInvalid> {
        // The length is checked before anything is allocated for it.
        if text.len() != 2 * N {
            return Err(HexInvalid);
        }
        parse_hex(text)?.try_into().map(Self).map_err(|_| HexInvalid)
    }
}

impl FromStr for HexBytes {
    type Err = HexInvalid;
    fn from_str(text: &str) -> Result<Self, HexInvalid> {
        parse_hex(text).map(Self)
    }
}

impl<const N: usize> fmt::Display for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Display for HexBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl<const N: usize> fmt::Debug for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hex({self})")
    }
}

impl fmt::Debug for HexBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HexBytes({self})")
    }
}

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl Serialize for HexBytes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for HexBytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_reads_back_what_it_wrote_and_refuses_the_rest() {
        let bytes = Hex([0, 1, 0xab, 0xff]);
        assert_eq!(bytes.to_string(), "0001abff");
        assert_eq!("0001ABff".parse(), Ok(bytes));
        for text in ["", "0001abf", "0001abfg", "+001abff", "0001abff00", "ああabff"] {
            assert_eq!(text.parse::<Hex<4>>(), Err(HexInvalid), "{text}");
        }
    }
}
