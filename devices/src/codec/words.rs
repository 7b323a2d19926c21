//! The five words that are no numbers, the same in FLOAT and SFLOAT: the mantissas about the middle of
//! their range, with exponent 0 (IEEE 11073-20601, annexes F.7 and F.8).

use minato_protocol::reading::{Decimal, Special};

/// A number or a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Number(Decimal),
    /// One of the reserved words.
    Special(Special),
}

/// The middle of a mantissa's range: the first of its negative numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Middle(pub(super) u32);

impl Middle {
    /// The greatest number that is no word; the least is its opposite.
    pub(super) const fn mantissa_max(self) -> i32 {
        (self.0 - 3).cast_signed()
    }

    /// The word that these bits are.
    pub(super) const fn word(self, bits: u32) -> Option<Special> {
        match bits.wrapping_sub(self.0).cast_signed() {
            -2 => Some(Special::PlusInfinity),
            -1 => Some(Special::NaN),
            0 => Some(Special::NRes),
            1 => Some(Special::Reserved),
            2 => Some(Special::MinusInfinity),
            _ => None,
        }
    }

    /// The bits of a word.
    pub(super) const fn bits(self, word: Special) -> u32 {
        match word {
            Special::PlusInfinity => self.0 - 2,
            Special::NaN => self.0 - 1,
            Special::NRes => self.0,
            Special::Reserved => self.0 + 1,
            Special::MinusInfinity => self.0 + 2,
        }
    }
}
