//! Nonces that need no memory: the end of their life, and an HMAC of it and the client's address
//! (RFC 8489 section 9.2). PURE.

use super::Client;
use aws_lc_rs::{constant_time, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::net::IpAddr;

/// Bytes of the HMAC that are kept: enough that nobody guesses one in its life.
const TAG_BYTES: usize = 12;
const NONCE_BYTES: usize = 4 + TAG_BYTES;

/// Makes and recognises nonces. Bound to the client's IP, not its port: what a NAT maps anew may
/// go on with the one it has.
#[derive(Debug)]
pub(super) struct Nonces {
    key: hmac::Key,
    life_s: u32,
}

impl Nonces {
    pub(super) fn new(key: [u8; 32], life_s: u32) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &key), life_s }
    }

    /// A fresh one for this client: 22 characters.
    pub(super) fn make(&self, client: &Client, unix_s: u64) -> String {
        URL_SAFE_NO_PAD.encode(self.of(client, wrapped(unix_s).wrapping_add(self.life_s)))
    }

    /// Whether we gave it to this client and its life is not over.
    pub(super) fn is_good(&self, nonce: &[u8], client: &Client, unix_s: u64) -> bool {
        // Some room more than needed: a longer text than ours is an error, not a cut-off nonce.
        let mut bytes = [0; NONCE_BYTES + 8];
        let Ok(NONCE_BYTES) = URL_SAFE_NO_PAD.decode_slice(nonce, &mut bytes) else {
            return false;
        };
        let bytes = &bytes[..NONCE_BYTES];
        let ends = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let left_s = ends.wrapping_sub(wrapped(unix_s));
        let ours = constant_time::verify_slices_are_equal(bytes, &self.of(client, ends)).is_ok();
        ours && left_s != 0 && left_s <= self.life_s
    }

    /// Eight bytes that nobody can guess, another for each number.
    pub(super) fn token(&self, number: u64) -> [u8; 8] {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(b"reservation");
        context.update(&number.to_be_bytes());
        let mut token = [0; 8];
        token.copy_from_slice(&context.sign().as_ref()[..8]);
        token
    }

    fn of(&self, client: &Client, ends: u32) -> [u8; NONCE_BYTES] {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&ends.to_be_bytes());
        match client.address().ip() {
            IpAddr::V4(ip) => context.update(&ip.octets()),
            IpAddr::V6(ip) => context.update(&ip.octets()),
        }
        let mut nonce = [0; NONCE_BYTES];
        nonce[..4].copy_from_slice(&ends.to_be_bytes());
        nonce[4..].copy_from_slice(&context.sign().as_ref()[..TAG_BYTES]);
        nonce
    }
}

/// Seconds as a number that goes round: only differences of it are used.
fn wrapped(unix_s: u64) -> u32 {
    let [_, _, _, _, a, b, c, d] = unix_s.to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE_S: u32 = 600;

    fn client(address: &str) -> Client {
        Client::Udp { listener: 0, address: address.parse().unwrap() }
    }

    #[test]
    fn a_nonce_is_good_until_its_life_ends_and_from_any_port() {
        let nonces = Nonces::new([7; 32], LIFE_S);
        let nonce = nonces.make(&client("192.0.2.1:1000"), 5_000);
        for (unix_s, good) in [(5_000, true), (5_599, true), (5_600, false), (9_000, false)] {
            let other_port = client("192.0.2.1:2000");
            assert_eq!(nonces.is_good(nonce.as_bytes(), &other_port, unix_s), good, "{unix_s}");
        }
    }

    #[test]
    fn a_nonce_is_of_no_use_to_another_address_or_after_a_restart() {
        let nonces = Nonces::new([7; 32], LIFE_S);
        let nonce = nonces.make(&client("192.0.2.1:1000"), 5_000);
        assert!(!nonces.is_good(nonce.as_bytes(), &client("192.0.2.2:1000"), 5_000));
        let restarted = Nonces::new([8; 32], LIFE_S);
        assert!(!restarted.is_good(nonce.as_bytes(), &client("192.0.2.1:1000"), 5_000));
    }

    #[test]
    fn a_nonce_changed_anywhere_is_none() {
        let nonces = Nonces::new([7; 32], LIFE_S);
        let here = client("[2001:db8::1]:1000");
        let nonce = nonces.make(&here, 5_000).into_bytes();
        for at in 0..nonce.len() {
            let mut forged = nonce.clone();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            assert!(!nonces.is_good(&forged, &here, 5_000), "byte {at}");
        }
        for other in [&b""[..], b"AAAA", &[b'A'; 22], &[b'A'; 128], &[0xff; 22]] {
            assert!(!nonces.is_good(other, &here, 5_000));
        }
    }

    #[test]
    fn a_nonce_from_far_ahead_is_not_believed() {
        let nonces = Nonces::new([7; 32], LIFE_S);
        let here = client("192.0.2.1:1000");
        let nonce = nonces.make(&here, 90_000);
        assert!(!nonces.is_good(nonce.as_bytes(), &here, 5_000), "the clock was stepped back");
    }
}
