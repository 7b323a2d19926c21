//! Entries of the outbox are sealed with a key that is derived from the gateway's own: whoever copies
//! the outbox without the key file reads nothing. Whoever has both reads all.

use crate::key::GatewayKey;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use std::fmt;

/// What is bound beside an entry.
const TAG: &[u8] = b"minato.outbox.2";

/// Seals and opens entries: AES-256-GCM, a random nonce each.
pub(crate) struct Seal(RandomizedNonceKey);

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(…)")
    }
}

impl Seal {
    /// With the key that belongs to this gateway's.
    pub(crate) fn of(key: &GatewayKey) -> Self {
        let key = RandomizedNonceKey::new(&AES_256_GCM, &key.derive(TAG));
        Self(key.expect("a key of 32 bytes"))
    }

    /// Nonce ‖ ciphertext ‖ tag. An entry opens at its own place only: number and time are bound.
    pub(crate) fn seal(&self, seq: i64, at: i64, text: &str) -> Vec<u8> {
        let mut sealed = text.as_bytes().to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::from(place(seq, at)), &mut sealed);
        let nonce = nonce.expect("an entry is far below what one nonce may seal");
        [nonce.as_ref().as_slice(), &sealed].concat()
    }

    /// Nothing for what this key did not seal at this place.
    pub(crate) fn open(&self, seq: i64, at: i64, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = sealed.to_vec();
        let open = self.0.open_in_place(nonce, Aad::from(place(seq, at)), &mut text);
        let length = open.ok()?.len();
        text.truncate(length);
        Some(text)
    }
}

fn place(seq: i64, at: i64) -> Vec<u8> {
    [TAG, &seq.to_be_bytes(), &at.to_be_bytes()].concat()
}
