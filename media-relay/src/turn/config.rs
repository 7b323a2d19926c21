//! How the TURN server is set up, with every bound it has.

use super::{Cidr, Secret};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// A longer realm would let a 401 exceed 100 bytes, to whoever is named as its sender.
pub(crate) const REALM_BYTES_MAX: usize = 32;
/// Allocations and ports kept aside at once. One more is answered 508.
const ALLOCATIONS_MAX: usize = 4_096;
/// Of one user name's user part. One more is answered 486. A page holds one for each of its
/// addresses and transports, and a page that reloads leaves its old ones behind for ten minutes.
const PER_USER_MAX: usize = 32;
/// Peer addresses permitted in one allocation. One more is answered 508.
const PERMISSIONS_MAX: usize = 32;
/// Channels bound in one allocation. One more is answered 508.
const CHANNELS_MAX: usize = 32;

/// How the TURN server is set up.
#[derive(Debug, Clone)]
pub(crate) struct TurnConfig {
    /// Realm of the long-term credentials, at most [`REALM_BYTES_MAX`].
    pub(crate) realm: String,
    /// What time-limited passwords are made with.
    pub(crate) secret: Secret,
    /// Relayed addresses as told to clients. A family without one is refused with 440.
    pub(crate) advertised: Vec<IpAddr>,
    /// Our own media addresses: allowed as peers whatever the lists say.
    pub(crate) inside: Vec<SocketAddr>,
    /// Ranges of peers that are opened. A range opens private or otherwise special addresses only
    /// if it lies wholly within one such range: `0.0.0.0/0` opens public ones only.
    pub(crate) allowed_peers: Vec<Cidr>,
    /// Addresses that are no peers even in an opened range: our own signaling and listeners. An
    /// unspecified IP stands for loopback and every advertised IP.
    pub(crate) forbidden: Vec<SocketAddr>,
    pub(crate) allocations_max: usize,
    pub(crate) per_user_max: usize,
    pub(crate) permissions_max: usize,
    pub(crate) channels_max: usize,
    /// How long a port is kept aside for a RESERVATION-TOKEN.
    pub(crate) reservation_life: Duration,
    /// How long a nonce is good.
    pub(crate) nonce_life_s: u32,
}

impl TurnConfig {
    /// The usual bounds; no relayed address and no peer yet.
    pub(crate) fn new(realm: impl Into<String>, secret: Secret) -> Self {
        Self {
            realm: realm.into(),
            secret,
            advertised: Vec::new(),
            inside: Vec::new(),
            allowed_peers: Vec::new(),
            forbidden: Vec::new(),
            allocations_max: ALLOCATIONS_MAX,
            per_user_max: PER_USER_MAX,
            permissions_max: PERMISSIONS_MAX,
            channels_max: CHANNELS_MAX,
            reservation_life: Duration::from_secs(30),
            nonce_life_s: 3_600,
        }
    }
}
