//! MESSAGE-INTEGRITY and FINGERPRINT (RFC 8489 sections 14.5 to 14.7, 9.2.2). PURE.

use super::wire::{HEADER_BYTES, Message, Placed, attribute};
use aws_lc_rs::hmac;
use crc::{CRC_32_ISO_HDLC, Crc, Table};
use md5::{Digest, Md5};

/// FINGERPRINT's CRC, its table made when this is built.
static CRC: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);
const FINGERPRINT_XOR: u32 = 0x5354_554E;

/// The long-term key: MD5 of name, realm and password.
pub(super) type Key = [u8; 16];

/// Makes the key. The texts are taken as they are: our names and passwords are ASCII.
pub(super) fn long_term_key(name: &str, realm: &str, password: &str) -> Key {
    let mut md5 = Md5::new();
    for part in [name, ":", realm, ":", password] {
        md5.update(part.as_bytes());
    }
    md5.finalize().into()
}

/// Which of the two integrities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Sha1,
    Sha256,
}

impl Kind {
    /// Attribute type and length of the value that is written.
    pub(super) fn attribute(self) -> (u16, usize) {
        match self {
            Self::Sha1 => (attribute::MESSAGE_INTEGRITY, 20),
            Self::Sha256 => (attribute::MESSAGE_INTEGRITY_SHA256, 32),
        }
    }
}

/// How a transaction is signed: answers in the way of their requests.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Signed {
    pub(super) kind: Kind,
    pub(super) key: Key,
}

impl std::fmt::Debug for Signed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signed").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Signed {
    pub(super) fn tag(&self, parts: &[&[u8]]) -> hmac::Tag {
        tag(self.kind, &self.key, parts)
    }
}

fn tag(kind: Kind, key: &[u8], parts: &[&[u8]]) -> hmac::Tag {
    let algorithm = match kind {
        Kind::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Kind::Sha256 => hmac::HMAC_SHA256,
    };
    let mut context = hmac::Context::with_key(&hmac::Key::new(algorithm, key));
    for part in parts {
        context.update(part);
    }
    context.sign()
}

/// Whether the message's integrity of this kind is right. SHA-256 may be cut off to 16 bytes or
/// more (RFC 8489 section 14.6).
pub(super) fn is_right(message: &Message<'_>, kind: Kind, placed: Placed<'_>, key: &[u8]) -> bool {
    let length = placed.value.len();
    let fits = match kind {
        Kind::Sha1 => length == 20,
        Kind::Sha256 => (16..=32).contains(&length) && length.is_multiple_of(4),
    };
    if !fits {
        return false;
    }
    let (kind_and_cookie, length) = head(message.bytes, placed.at + 4 + length);
    let before = &message.bytes[4..placed.at];
    let tag = tag(kind, key, &[&kind_and_cookie, &length, before]);
    let wanted = &tag.as_ref()[..placed.value.len()];
    aws_lc_rs::constant_time::verify_slices_are_equal(wanted, placed.value).is_ok()
}

/// Whether there is no fingerprint or a right one, last of all.
pub(super) fn fingerprint_is_right(message: &Message<'_>) -> bool {
    let Some(placed) = message.fingerprint else {
        return true;
    };
    let end = placed.at + 8;
    let (kind, length) = head(message.bytes, end);
    let value = fingerprint(&[&kind, &length, &message.bytes[4..placed.at]]);
    end == message.bytes.len() && placed.value == value.to_be_bytes()
}

/// FINGERPRINT's value over these bytes.
pub(super) fn fingerprint(parts: &[&[u8]]) -> u32 {
    let mut digest = CRC.digest();
    for part in parts {
        digest.update(part);
    }
    digest.finalize() ^ FINGERPRINT_XOR
}

/// The first four bytes of a message that ends at `end`: its type, and its length then.
fn head(bytes: &[u8], end: usize) -> ([u8; 2], [u8; 2]) {
    let length = u16::try_from(end - HEADER_BYTES).unwrap_or(u16::MAX);
    ([bytes[0], bytes[1]], length.to_be_bytes())
}
