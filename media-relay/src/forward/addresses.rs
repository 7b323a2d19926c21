//! Which session a packet belongs to that came by UDP or by a connection: PURE.
//!
//! A STUN request names its session by the user name. Anything else counts only from an address
//! that ICE has verified for a session (RFC 8445 §7.2.5.3), so that a guessed DTLS ClientHello
//! goes nowhere.

use crate::net::{Sort, Way, sort};
use std::collections::HashMap;

/// Names a session inside the forwarding unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(pub(crate) u64);

/// Addresses that asked but are not verified yet. When full all are forgotten: an honest page
/// asks again within a second.
const CLAIMED_MAX: usize = 16_384;
/// Verified addresses of one session; a page that roams further loses its oldest.
const VERIFIED_MAX: usize = 8;

/// The local part of a STUN message's USERNAME (RFC 8489 §14.3).
pub(crate) fn local_user(message: &[u8]) -> Option<&str> {
    const USERNAME: u16 = 0x0006;
    let mut rest = message.get(20..)?;
    while let [a, b, c, d, body @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*c, *d]));
        let value = body.get(..length)?;
        if u16::from_be_bytes([*a, *b]) == USERNAME {
            return std::str::from_utf8(value).ok()?.split(':').next();
        }
        rest = body.get(length.next_multiple_of(4)..)?;
    }
    None
}

/// The address book of one relay.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    session_by_user: HashMap<String, Key>,
    session_by_claim: HashMap<Way, Key>,
    session_by_address: HashMap<Way, Key>,
    addresses_by_session: HashMap<Key, Vec<Way>>,
}

impl Addresses {
    /// A session answers to an ICE user name fragment.
    pub(crate) fn answers_to(&mut self, user: &str, session: Key) {
        self.session_by_user.insert(user.to_owned(), session);
    }

    /// Whose packet this is.
    pub(crate) fn route(&mut self, source: Way, bytes: &[u8]) -> Option<Key> {
        match sort(bytes) {
            Sort::Request => {
                let session = *self.session_by_user.get(local_user(bytes)?)?;
                if self.session_by_claim.len() >= CLAIMED_MAX {
                    self.session_by_claim.clear();
                }
                self.session_by_claim.insert(source, session);
                Some(session)
            }
            Sort::Stun => self
                .session_by_claim
                .get(&source)
                .or_else(|| self.session_by_address.get(&source))
                .copied(),
            Sort::Dtls | Sort::Media | Sort::Control => {
                self.session_by_address.get(&source).copied()
            }
            Sort::Unknown => None,
        }
    }

    /// The session that last asked from an address, verified or not.
    pub(crate) fn claimed_by(&self, source: Way) -> Option<Key> {
        self.session_by_claim.get(&source).copied()
    }

    /// Whether an address is known to belong to a session.
    pub(crate) fn is_verified(&self, source: Way, session: Key) -> bool {
        self.session_by_address.get(&source) == Some(&session)
    }

    /// ICE has verified an address for a session. A newer session takes an address over.
    pub(crate) fn verified(&mut self, source: Way, session: Key) {
        if let Some(before) = self.session_by_address.insert(source, session)
            && let Some(addresses) = self.addresses_by_session.get_mut(&before)
        {
            addresses.retain(|address| *address != source);
        }
        let addresses = self.addresses_by_session.entry(session).or_default();
        addresses.push(source);
        if addresses.len() > VERIFIED_MAX {
            let oldest = addresses.remove(0);
            self.session_by_address.remove(&oldest);
        }
    }

    /// Forgets all about a session.
    pub(crate) fn forget(&mut self, session: Key) {
        for address in self.addresses_by_session.remove(&session).unwrap_or_default() {
            self.session_by_address.remove(&address);
        }
        self.session_by_user.retain(|_, key| *key != session);
        self.session_by_claim.retain(|_, key| *key != session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn address(port: u16) -> Way {
        Way::udp(([127, 0, 0, 1], port).into())
    }

    fn request(user: &str) -> Vec<u8> {
        let mut message = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        message.extend([0; 12]);
        message.extend([0x80, 0x22, 0, 1, b'x', 0, 0, 0]);
        message.extend([0, 6, 0, u8::try_from(user.len()).expect("short")]);
        message.extend(user.bytes());
        message.resize(message.len().next_multiple_of(4), 0);
        message
    }

    const DTLS: [u8; 13] = [22; 13];

    #[test]
    fn a_request_finds_its_session_by_name() {
        let mut book = Addresses::default();
        book.answers_to("abcd", Key(1));
        assert_eq!(book.route(address(1), &request("abcd:page")), Some(Key(1)));
        assert_eq!(book.route(address(1), &request("other:page")), None);
    }

    #[test]
    fn a_client_hello_counts_only_from_a_verified_address() {
        let mut book = Addresses::default();
        book.answers_to("abcd", Key(1));
        book.route(address(1), &request("abcd:page"));
        assert_eq!(book.route(address(1), &DTLS), None);
        book.verified(address(1), Key(1));
        assert_eq!(book.route(address(1), &DTLS), Some(Key(1)));
        assert_eq!(book.route(address(2), &DTLS), None);
    }

    #[test]
    fn a_connection_is_verified_apart_from_udp_of_the_same_port() {
        let mut book = Addresses::default();
        book.verified(address(1), Key(1));
        assert_eq!(book.route(Way::tcp(address(1).address), &DTLS), None);
        book.verified(Way::tcp(address(1).address), Key(2));
        assert_eq!(book.route(address(1), &DTLS), Some(Key(1)));
        assert_eq!(book.route(Way::tcp(address(1).address), &DTLS), Some(Key(2)));
    }

    #[test]
    fn an_address_used_again_goes_to_the_session_that_verified_it_last() {
        let mut book = Addresses::default();
        book.verified(address(1), Key(1));
        book.verified(address(1), Key(2));
        assert_eq!(book.route(address(1), &DTLS), Some(Key(2)));
        book.forget(Key(1));
        assert_eq!(book.route(address(1), &DTLS), Some(Key(2)));
        book.forget(Key(2));
        assert_eq!(book.route(address(1), &DTLS), None);
    }

    #[test]
    fn a_session_cannot_collect_addresses_without_end() {
        let mut book = Addresses::default();
        for port in 1..100 {
            book.verified(address(port), Key(1));
        }
        assert_eq!(book.session_by_address.len(), VERIFIED_MAX);
        assert_eq!(book.route(address(99), &DTLS), Some(Key(1)));
    }

    proptest! {
        #[test]
        fn no_datagram_makes_the_book_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut book = Addresses::default();
            book.answers_to("abcd", Key(1));
            prop_assert_eq!(book.route(address(1), &bytes), None);
        }

        #[test]
        fn no_stun_attribute_makes_the_reader_panic(tail in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut message = vec![0, 1];
            message.resize(20, 0);
            message.extend(tail);
            let _ = local_user(&message);
        }
    }
}
