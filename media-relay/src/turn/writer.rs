//! Writes STUN answers: attributes, then integrity and fingerprint over them. PURE.

use super::integrity::{Signed, fingerprint};
use super::wire::{
    COOKIE, Class, HEADER_BYTES, Message, Transaction, attribute, message_type, write_xor_address,
};
use std::net::SocketAddr;

/// An answer being written.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    bytes: Vec<u8>,
    transaction: Transaction,
}

impl Writer {
    /// An answer of this method in this transaction.
    pub(super) fn new(method: u16, class: Class, transaction: Transaction) -> Self {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend(message_type(method, class).to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(COOKIE.to_be_bytes());
        bytes.extend(transaction);
        Self { bytes, transaction }
    }

    /// The answer to a request.
    pub(super) fn answer(request: &Message<'_>, class: Class) -> Self {
        Self::new(request.method, class, request.transaction)
    }

    /// Any attribute of at most 65,535 bytes; all of ours are of a known small size.
    pub(super) fn put(mut self, kind: u16, value: &[u8]) -> Self {
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        self.bytes.extend(kind.to_be_bytes());
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend(&value[..usize::from(length)]);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self
    }

    pub(super) fn address(self, kind: u16, address: SocketAddr) -> Self {
        let mut value = [0; 20];
        let length = write_xor_address(address, &self.transaction, &mut value);
        self.put(kind, &value[..length])
    }

    pub(super) fn number(self, kind: u16, value: u32) -> Self {
        self.put(kind, &value.to_be_bytes())
    }

    /// ERROR-CODE without words: the code says it, and the answer stays small.
    pub(super) fn error(self, code: u16) -> Self {
        self.put(attribute::ERROR_CODE, &[0, 0, hundreds(code), rest(code)])
    }

    /// ADDRESS-ERROR-CODE: one family of two was not to be had (RFC 8656 section 18.12).
    pub(super) fn address_error(self, family: u8, code: u16) -> Self {
        self.put(attribute::ADDRESS_ERROR_CODE, &[family, 0, hundreds(code), rest(code)])
    }

    pub(super) fn unknown(self, kinds: &[u16]) -> Self {
        let list: Vec<u8> = kinds.iter().flat_map(|kind| kind.to_be_bytes()).collect();
        self.put(attribute::UNKNOWN_ATTRIBUTES, &list)
    }

    /// The finished message.
    pub(super) fn finish(mut self, signed: Option<&Signed>, with_fingerprint: bool) -> Vec<u8> {
        if let Some(signed) = signed {
            let (kind, length) = signed.kind.attribute();
            self.tell_length(4 + length);
            let tag = signed.tag(&[&self.bytes]);
            self = self.put(kind, tag.as_ref());
        }
        if with_fingerprint {
            self.tell_length(8);
            let value = fingerprint(&[&self.bytes]);
            self = self.number(attribute::FINGERPRINT, value);
        }
        self.tell_length(0);
        self.bytes
    }

    /// The header's length, with `more` bytes that are about to be added.
    fn tell_length(&mut self, more: usize) {
        let length = u16::try_from(self.bytes.len() - HEADER_BYTES + more).unwrap_or(u16::MAX);
        self.bytes[2..4].copy_from_slice(&length.to_be_bytes());
    }
}

/// An error code's class.
fn hundreds(code: u16) -> u8 {
    (code / 100).to_le_bytes()[0]
}

/// An error code's number within its class.
fn rest(code: u16) -> u8 {
    (code % 100).to_le_bytes()[0]
}
