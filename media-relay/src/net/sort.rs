//! What a datagram is, by its first bytes: PURE.

/// The kinds of packets (RFC 7983).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    /// A STUN binding request.
    Request,
    /// Another STUN message.
    Stun,
    /// A DTLS record.
    Dtls,
    /// SRTP.
    Media,
    /// SRTCP.
    Control,
    /// None of them.
    Unknown,
}

impl Sort {
    /// Why one that belongs to no session is dropped, as an operator reads it.
    pub(crate) fn of_nobody(self) -> &'static str {
        match self {
            Self::Request => "user_unknown",
            Self::Stun => "stun_unknown",
            Self::Dtls => "dtls_unverified",
            Self::Media | Self::Control => "media_unverified",
            Self::Unknown => "malformed",
        }
    }
}

/// What a packet claims to be.
pub(crate) fn sort(bytes: &[u8]) -> Sort {
    match bytes {
        [0, 1, ..] if bytes.len() >= 20 => Sort::Request,
        [0 | 1, ..] if bytes.len() >= 20 => Sort::Stun,
        [20..=63, ..] => Sort::Dtls,
        // RFC 5761 §4: which payload types RTP leaves to RTCP.
        [128..=191, 192..=223, ..] if bytes.len() >= 8 => Sort::Control,
        [128..=191, ..] if bytes.len() >= 8 => Sort::Media,
        _ => Sort::Unknown,
    }
}
