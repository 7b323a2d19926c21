//! Who comes through a port that HTTP and TURN share, by the first bytes: PURE.
//!
//! Networks that let nothing out but TCP 443 leave one door for pages and media. After TLS an HTTP
//! request begins with the letters of its method, a TURN client with a STUN message: two zero bits,
//! and the magic cookie in its place (RFC 8489 §5). A TURN client cannot begin with ChannelData,
//! whose first byte would be a letter too: it has to allocate first.

/// The fifth to eighth byte of every STUN message.
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
/// So many bytes settle it.
pub const FIRST_BYTES: usize = 8;

/// What a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guest {
    /// HTTP, version 1 or 2.
    Http,
    /// TURN, or STUN without it.
    Turn,
    /// Neither: the connection is closed.
    Stranger,
}

/// What a connection that began with these bytes speaks; `None`: more of them have to come.
pub fn guest(first: &[u8]) -> Option<Guest> {
    match first {
        [] => None,
        [b'A'..=b'Z', ..] => Some(Guest::Http),
        [0..=3, ..] => match first.get(4..FIRST_BYTES) {
            Some(cookie) if cookie == MAGIC_COOKIE => Some(Guest::Turn),
            Some(_) => Some(Guest::Stranger),
            None => None,
        },
        [..] => Some(Guest::Stranger),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_request_is_known_by_its_first_letter() {
        for method in ["GET / HTTP/1.1", "POST /api", "PRI * HTTP/2.0", "OPTIONS *"] {
            assert_eq!(guest(&method.as_bytes()[..1]), Some(Guest::Http));
        }
    }

    #[test]
    fn an_allocation_is_known_by_the_cookie_and_not_before() {
        let allocate = [0, 3, 0, 8, 0x21, 0x12, 0xa4, 0x42, 1, 2];
        assert_eq!(guest(&allocate[..7]), None);
        assert_eq!(guest(&allocate), Some(Guest::Turn));
    }

    #[test]
    fn a_second_tls_hello_and_a_foreign_protocol_are_strangers() {
        for bytes in [&[0x16, 3, 1][..], b"ssh-2.0", &[0, 1, 0, 0, 9, 9, 9, 9], &[0x80, 0x46, 1, 3]]
        {
            assert_eq!(guest(bytes), Some(Guest::Stranger), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn eight_bytes_always_settle_it_and_more_never_change_it(
            bytes in prop::collection::vec(any::<u8>(), FIRST_BYTES..40)
        ) {
            let settled = guest(&bytes[..FIRST_BYTES]);
            prop_assert!(settled.is_some());
            prop_assert_eq!(guest(&bytes), settled);
            for cut in 0..FIRST_BYTES {
                let early = guest(&bytes[..cut]);
                prop_assert!(early.is_none() || early == settled);
            }
        }
    }
}
