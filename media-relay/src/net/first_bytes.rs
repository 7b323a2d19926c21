//! Who comes through a port that HTTP, TURN and media share, by the first bytes: PURE.
//!
//! Networks that let nothing out but TCP 443 leave one door for pages and media. Media comes
//! without TLS: each packet behind its length, a STUN Binding request first (RFC 6544 §3, RFC 4571
//! §2). TLS begins with a handshake record, which would be a packet far too long. After TLS an HTTP
//! request begins with the letters of its method, a TURN client with a STUN message: two zero bits,
//! and the magic cookie in its place (RFC 8489 §5). A TURN client cannot begin with ChannelData,
//! whose first byte would be a letter too: it has to allocate first.

/// The fifth to eighth byte of every STUN message.
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
/// So many bytes settle who comes, before TLS and after it.
pub const FIRST_BYTES: usize = 10;
/// The content type of a TLS handshake record and the first byte of its version (RFC 8446 §5.1).
const TLS_HANDSHAKE: [u8; 2] = [22, 3];
/// A STUN Binding request's type.
const BINDING_REQUEST: [u8; 2] = [0, 1];

/// What a connection begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Newcomer {
    /// A TLS handshake.
    Tls,
    /// Media: ICE-TCP.
    IceTcp,
    /// Neither: the connection is closed.
    Stranger,
}

/// Who began with these bytes before any TLS; `None`: more of them have to come.
pub fn newcomer(first: &[u8]) -> Option<Newcomer> {
    // A length of at most 2303, some more than is taken: nothing else begins so.
    const LENGTH_HIGH_MAX: u8 = 8;
    match first {
        [] => None,
        [22, ..] => settled(begins(first, 0, &TLS_HANDSHAKE), Newcomer::Tls),
        [0..=LENGTH_HIGH_MAX, ..] => {
            let request = begins(first, 2, &BINDING_REQUEST);
            let cookie = begins(first, 6, &MAGIC_COOKIE);
            settled(request.and_then(|is| if is { cookie } else { Some(false) }), Newcomer::IceTcp)
        }
        [..] => Some(Newcomer::Stranger),
    }
}

fn settled(is: Option<bool>, who: Newcomer) -> Option<Newcomer> {
    Some(if is? { who } else { Newcomer::Stranger })
}

/// Whether these bytes stand at a place; `None`: they have not come yet.
fn begins(first: &[u8], at: usize, bytes: &[u8]) -> Option<bool> {
    Some(first.get(at..at + bytes.len())? == bytes)
}

/// What a connection speaks after TLS.
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
        [0..=3, ..] => {
            begins(first, 4, &MAGIC_COOKIE).map(|is| if is { Guest::Turn } else { Guest::Stranger })
        }
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

    #[test]
    fn tls_and_media_are_known_and_nothing_else_is() {
        let media = [0, 104, 0, 1, 0, 84, 0x21, 0x12, 0xa4, 0x42];
        assert_eq!(newcomer(&[22, 3, 1]), Some(Newcomer::Tls));
        assert_eq!(newcomer(&media), Some(Newcomer::IceTcp));
        assert_eq!(newcomer(&media[..9]), None);
        let allocate = [0, 3, 0, 8, 0x21, 0x12, 0xa4, 0x42, 1, 2];
        for bytes in [&allocate[..], b"GET / HTTP", &[22, 9], &[0x80, 0x46, 1, 3], b"SSH-2.0"] {
            assert_eq!(newcomer(bytes), Some(Newcomer::Stranger), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn ten_bytes_always_settle_who_comes_and_more_never_change_it(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0u8..2, Just(22u8)], FIRST_BYTES..40)
        ) {
            let settled = newcomer(&bytes[..FIRST_BYTES]);
            prop_assert!(settled.is_some());
            prop_assert_eq!(newcomer(&bytes), settled);
            for cut in 0..FIRST_BYTES {
                let early = newcomer(&bytes[..cut]);
                prop_assert!(early.is_none() || early == settled);
            }
        }

        #[test]
        fn ten_bytes_always_settle_it_and_more_never_change_it(
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
