//! Ranges of addresses, as an operator writes them. PURE.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A range of addresses, as `192.0.2.0/24` or `2001:db8::/32`; an address alone is itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cidr {
    base: IpAddr,
    bits: u8,
}

/// Why a text is no range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CidrError {
    #[error("no IP address before the slash")]
    Address,
    #[error("the prefix length is no number of 0 to 32, or 128 for IPv6")]
    Bits,
    #[error("bits are set after the prefix")]
    HostBits,
}

impl Cidr {
    pub(super) const fn v4([a, b, c, d]: [u8; 4], bits: u8) -> Self {
        Self { base: IpAddr::V4(Ipv4Addr::new(a, b, c, d)), bits }
    }

    /// By the first two words; the rest is zero.
    pub(super) const fn v6([a, b]: [u16; 2], bits: u8) -> Self {
        Self { base: IpAddr::V6(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0)), bits }
    }

    /// Whether an address of the same family lies in it.
    pub(crate) fn contains(&self, ip: IpAddr) -> bool {
        ip.is_ipv4() == self.base.is_ipv4() && head(ip, self.bits) == head(self.base, self.bits)
    }

    /// Whether the other range lies wholly in it.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.bits <= other.bits && self.contains(other.base)
    }
}

/// The first `bits` bits of an address as a number.
fn head(ip: IpAddr, bits: u8) -> u128 {
    let bits = u32::from(bits);
    match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits().checked_shr(32 - bits).unwrap_or(0)),
        IpAddr::V6(ip) => ip.to_bits().checked_shr(128 - bits).unwrap_or(0),
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let (ip, bits) = text.split_once('/').map_or((text, None), |(ip, bits)| (ip, Some(bits)));
        let base: IpAddr = ip.parse().map_err(|_| CidrError::Address)?;
        let bits_max = if base.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => bits_max,
            Some(bits) => bits.parse().ok().filter(|b| *b <= bits_max).ok_or(CidrError::Bits)?,
        };
        let zeros = match base {
            IpAddr::V4(ip) => ip.to_bits().trailing_zeros(),
            IpAddr::V6(ip) => ip.to_bits().trailing_zeros(),
        };
        let whole = zeros >= u32::from(bits_max - bits);
        if whole { Ok(Self { base, bits }) } else { Err(CidrError::HostBits) }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> Cidr {
        text.parse().unwrap()
    }

    #[test]
    fn a_range_holds_its_first_and_last_address_and_no_neighbour() {
        let range = range("172.16.0.0/12");
        for (ip, inside) in [
            ("172.16.0.0", true),
            ("172.31.255.255", true),
            ("172.15.255.255", false),
            ("172.32.0.0", false),
            ("::ac10:0", false),
        ] {
            assert_eq!(range.contains(ip.parse().unwrap()), inside, "{ip}");
        }
    }

    #[test]
    fn everything_and_a_single_address_are_ranges() {
        assert!(range("0.0.0.0/0").contains("255.255.255.255".parse().unwrap()));
        assert!(!range("0.0.0.0/0").contains("::".parse().unwrap()));
        assert!(range("::/0").contains("ffff::1".parse().unwrap()));
        assert_eq!(range("::1").to_string(), "::1/128");
        assert_eq!(range("192.0.2.7").to_string(), "192.0.2.7/32");
    }

    #[test]
    fn what_is_no_range_is_told_why() {
        let why = |text: &str| text.parse::<Cidr>().unwrap_err();
        assert_eq!(why("example.org/8"), CidrError::Address);
        assert_eq!(why("10.0.0.0/33"), CidrError::Bits);
        assert_eq!(why("10.0.0.0/"), CidrError::Bits);
        assert_eq!(why("::/129"), CidrError::Bits);
        assert_eq!(why("10.0.0.1/8"), CidrError::HostBits);
    }
}
