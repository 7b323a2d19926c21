//! Services and characteristics by their 128-bit numbers, of which Bluetooth assigns short ones.

use std::fmt;
use std::str::FromStr;

/// The number into which Bluetooth puts its 16-bit ones (Core specification, vol 3, part B, 2.5.1).
const BASE: u128 = 0x00000000_0000_1000_8000_00805F9B34FB;
const SHORT_SHIFT: u32 = 96;

/// A service or characteristic.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attribute(pub u128);

impl Attribute {
    /// What comes by a serial cable.
    pub const SERIAL: Self = Self(0);
    /// Percent, one byte.
    pub const BATTERY_LEVEL: Self = Self::assigned(0x2A19);
    /// Date Time: the clock of A&D's devices.
    pub const DATE_TIME: Self = Self::assigned(0x2A08);
    /// Current Time: the clock of Omron's and most other devices.
    pub const CURRENT_TIME: Self = Self::assigned(0x2A2B);
    /// Record Access Control Point: asks for stored records.
    pub const RECORD_ACCESS: Self = Self::assigned(0x2A52);
    /// Nonin's own running values, once a second.
    pub const NONIN_OXIMETRY: Self = Self(0x0AAD7EA0_0D60_11E2_8E3C_0002A5D5C51B);

    /// By the number that Bluetooth assigned.
    pub const fn assigned(number: u16) -> Self {
        Self(((number as u128) << SHORT_SHIFT) | BASE)
    }

    /// The assigned number, if it has one.
    pub fn number(self) -> Option<u16> {
        let number = u16::try_from(self.0 >> SHORT_SHIFT).ok()?;
        (Self::assigned(number) == self).then_some(number)
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(number) = self.number() {
            return write!(f, "{number:04X}");
        }
        let hex = format!("{:032X}", self.0);
        write!(f, "{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

impl fmt::Debug for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attribute({self})")
    }
}

/// The text was neither four hex digits nor a UUID of 36 characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an attribute is four hex digits, such as 2A35, or a UUID of 36 characters")]
pub struct AttributeInvalid;

impl FromStr for Attribute {
    type Err = AttributeInvalid;

    fn from_str(text: &str) -> Result<Self, AttributeInvalid> {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if text.len() == 4 && digits(text) {
            return u16::from_str_radix(text, 16).map(Self::assigned).map_err(|_| AttributeInvalid);
        }
        let dashed = |place| text.as_bytes().get(place) == Some(&b'-');
        let hex: String = text.chars().filter(|letter| *letter != '-').collect();
        let is_uuid = text.len() == 36 && [8, 13, 18, 23].into_iter().all(dashed);
        if !is_uuid || hex.len() != 32 || !digits(&hex) {
            return Err(AttributeInvalid);
        }
        u128::from_str_radix(&hex, 16).map(Self).map_err(|_| AttributeInvalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_number_and_its_long_form_are_the_same_attribute() {
        let long: Attribute = "00002a35-0000-1000-8000-00805f9b34fb".parse().expect("a uuid");
        assert_eq!(long, Attribute::assigned(0x2A35));
        assert_eq!("2A35".parse(), Ok(long));
        assert_eq!(long.to_string(), "2A35");
        assert_eq!(long.number(), Some(0x2A35));
    }

    #[test]
    fn a_makers_own_attribute_is_written_as_it_was_read() {
        let own = "0AAD7EA0-0D60-11E2-8E3C-0002A5D5C51B";
        let attribute: Attribute = own.parse().expect("a uuid");
        assert_eq!((attribute.to_string().as_str(), attribute.number()), (own, None));
        for bad in ["", "2A3", "2A3G", "0AAD7EA0_0D60_11E2_8E3C_0002A5D5C51B", "é2A"] {
            assert_eq!(bad.parse::<Attribute>(), Err(AttributeInvalid), "{bad}");
        }
    }
}
