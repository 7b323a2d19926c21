//! Why a request is refused, and how often each was. PURE.

/// The codes of RFC 8489 section 14.8 and RFC 8656 section 19 that are answered here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    BadRequest,
    /// No credential, a wrong or an expired one; the answer says how to get in.
    Unauthenticated,
    /// The peer is not to be reached.
    Forbidden,
    UnknownAttribute,
    /// There is no such allocation, or there is one already.
    AllocationMismatch,
    /// The nonce is not ours or its life is over; the answer carries a new one.
    StaleNonce,
    FamilyNotSupported,
    /// The allocation is somebody else's.
    WrongCredentials,
    UnsupportedTransport,
    PeerFamilyMismatch,
    QuotaReached,
    InsufficientCapacity,
}

const ALL: [Refusal; 12] = [
    Refusal::BadRequest,
    Refusal::Unauthenticated,
    Refusal::Forbidden,
    Refusal::UnknownAttribute,
    Refusal::AllocationMismatch,
    Refusal::StaleNonce,
    Refusal::FamilyNotSupported,
    Refusal::WrongCredentials,
    Refusal::UnsupportedTransport,
    Refusal::PeerFamilyMismatch,
    Refusal::QuotaReached,
    Refusal::InsufficientCapacity,
];

impl Refusal {
    pub(super) fn code(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::UnknownAttribute => 420,
            Self::AllocationMismatch => 437,
            Self::StaleNonce => 438,
            Self::FamilyNotSupported => 440,
            Self::WrongCredentials => 441,
            Self::UnsupportedTransport => 442,
            Self::PeerFamilyMismatch => 443,
            Self::QuotaReached => 486,
            Self::InsufficientCapacity => 508,
        }
    }
}

/// How often each was answered.
#[derive(Debug, Default)]
pub(super) struct Tally([u64; ALL.len()]);

impl Tally {
    pub(super) fn add(&mut self, refusal: Refusal) {
        self.0[refusal as usize] += 1;
    }

    /// Codes and counts, all of them.
    pub(super) fn by_code(&self) -> Vec<(u16, u64)> {
        ALL.iter().map(|refusal| refusal.code()).zip(self.0).collect()
    }
}
