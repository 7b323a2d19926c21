//! Takes fields off the front of a frame, little-endian, and says which one was missing.

use thiserror::Error;

/// Why bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refused {
    /// The flags promise a field that is not there.
    #[error("the frame ends within {field}: {missing} more bytes are needed")]
    Truncated {
        /// Which field.
        field: &'static str,
        /// How many bytes it lacks.
        missing: usize,
    },
    /// A field on which everything behind it depends has a value that the layout does not define.
    #[error("the layout defines no {value} for {field}")]
    Undefined {
        /// Which field.
        field: &'static str,
        /// What it says.
        value: u16,
    },
    /// Nothing reads this message from one frame.
    #[error("no codec reads this message from one frame")]
    NoCodec,
    /// No Bluetooth attribute is so long.
    #[error("the frame has {bytes} bytes, more than a Bluetooth attribute can have")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
}

/// What is left of a frame.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn take<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], Refused> {
        let Some((head, rest)) = self.rest.split_first_chunk::<N>() else {
            return Err(Refused::Truncated { field, missing: N - self.rest.len() });
        };
        self.rest = rest;
        Ok(*head)
    }

    pub(super) fn u8(&mut self, field: &'static str) -> Result<u8, Refused> {
        self.take::<1>(field).map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self, field: &'static str) -> Result<u16, Refused> {
        self.take(field).map(u16::from_le_bytes)
    }

    pub(super) fn u16_be(&mut self, field: &'static str) -> Result<u16, Refused> {
        self.take(field).map(u16::from_be_bytes)
    }

    pub(super) fn u24(&mut self, field: &'static str) -> Result<u32, Refused> {
        self.take::<3>(field).map(|[low, middle, high]| u32::from_le_bytes([low, middle, high, 0]))
    }

    pub(super) fn u32(&mut self, field: &'static str) -> Result<u32, Refused> {
        self.take(field).map(u32::from_le_bytes)
    }
}
