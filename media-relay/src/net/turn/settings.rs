//! How the TURN server is set up: what an operator says, and what follows from it.

use super::tls::TurnCertificate;
use crate::net::outward;
use crate::turn::{self, Cidr, Secret, TurnConfig};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Realm unless configured otherwise.
pub const TURN_REALM: &str = "minato";
/// Ports of relayed addresses unless configured otherwise: the dynamic range (RFC 6335 §6).
pub const TURN_RELAY_PORTS: RangeInclusive<u16> = 49_152..=65_535;
/// Allocations of one user name's user part unless configured otherwise; one more is answered 486.
/// A page holds one for each of its addresses and transports, and one that reloads leaves its old
/// ones behind for ten minutes.
pub const TURN_PER_USER_MAX: usize = 32;
/// Allocations of all unless configured otherwise; one more is answered 508.
pub const TURN_ALLOCATIONS_MAX: usize = 4_096;
/// A shorter secret could be guessed from one credential.
const SECRET_BYTES_MIN: usize = 16;

/// How a TURN server is set up.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TurnSettings {
    /// UDP listeners; port 0 takes a free one.
    pub udp: Vec<SocketAddr>,
    /// TCP listeners.
    pub tcp: Vec<SocketAddr>,
    /// TLS listeners with their certificate.
    pub tls: Option<TurnTls>,
    /// What time-limited passwords are made with.
    pub secret: TurnSecret,
    /// Realm of the credentials, at most 32 bytes.
    pub realm: String,
    /// Ranges of peers that are opened. The relay's own forwarding unit is always one.
    pub allowed_peers: Vec<PeerRange>,
    /// Addresses that are no peers even in an opened range, beside the listeners themselves.
    pub forbidden: Vec<SocketAddr>,
    /// The relay's own media addresses.
    pub inside: Vec<SocketAddr>,
    /// Ports of relayed addresses.
    pub relay_ports: RangeInclusive<u16>,
    /// Relayed addresses as told to clients, where they differ from the listeners'. A family
    /// without one is not relayed.
    pub advertised: Vec<IpAddr>,
    /// The host in the addresses that pages are told, as the certificate has it. Without: the
    /// listeners' IP addresses.
    pub host: Option<String>,
    /// Allocations of one user.
    pub per_user_max: usize,
    /// Allocations of all users.
    pub allocations_max: usize,
}

impl TurnSettings {
    /// The usual set-up; listeners are still to be named.
    pub fn new(secret: TurnSecret) -> Self {
        Self {
            udp: Vec::new(),
            tcp: Vec::new(),
            tls: None,
            secret,
            realm: TURN_REALM.to_owned(),
            allowed_peers: Vec::new(),
            forbidden: Vec::new(),
            inside: Vec::new(),
            relay_ports: TURN_RELAY_PORTS,
            advertised: Vec::new(),
            host: None,
            per_user_max: TURN_PER_USER_MAX,
            allocations_max: TURN_ALLOCATIONS_MAX,
        }
    }

    /// Every listener as asked for.
    fn asked(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        let tls = self.tls.iter().flat_map(|tls| &tls.listen);
        self.udp.iter().chain(&self.tcp).chain(tls).copied()
    }

    /// The IP to which relayed sockets are bound: a listener's, if all of the family have one.
    pub(super) fn relay_ip(&self, v6: bool) -> IpAddr {
        let any: IpAddr =
            if v6 { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
        let mut ips = self.asked().map(|address| address.ip()).filter(|ip| ip.is_ipv6() == v6);
        let first = ips.next().unwrap_or(any);
        if ips.all(|ip| ip == first) { first } else { any }
    }

    /// Relayed addresses as told to clients.
    pub(super) fn told(&self) -> Vec<IpAddr> {
        if !self.advertised.is_empty() {
            return self.advertised.iter().map(IpAddr::to_canonical).collect();
        }
        let mut told = Vec::new();
        for ip in self.asked().map(|address| address.ip()) {
            let ips = if ip.is_unspecified() { outward(ip.is_ipv6()) } else { vec![ip] };
            for ip in ips {
                if !told.contains(&ip) {
                    told.push(ip);
                }
            }
        }
        told
    }

    /// What the core has to know, with the listeners as they are bound.
    pub(super) fn core(&self, bound: impl Iterator<Item = SocketAddr>) -> TurnConfig {
        let mut config = TurnConfig::new(self.realm.clone(), self.secret.0.clone());
        config.advertised = self.told();
        config.inside = self.inside.clone();
        config.allowed_peers = self.allowed_peers.iter().map(|range| range.0).collect();
        config.forbidden = self.forbidden.iter().copied().chain(bound).collect();
        config.per_user_max = self.per_user_max;
        config.allocations_max = self.allocations_max;
        config
    }
}

/// TLS listeners (RFC 8656 §3.1; usually port 5349 or 443).
#[derive(Debug, Clone)]
pub struct TurnTls {
    /// Where TLS connections are accepted.
    pub listen: Vec<SocketAddr>,
    /// Can be replaced while connections go on.
    pub certificate: TurnCertificate,
}

/// The secret shared by those who give out credentials and this server; never printed.
#[derive(Clone)]
pub struct TurnSecret(Secret);

/// The secret is too short to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the TURN secret has to have at least {SECRET_BYTES_MIN} bytes")]
pub struct TurnSecretTooShort;

impl TurnSecret {
    /// Its bytes, as both sides have them: at least 16.
    pub fn new(bytes: &[u8]) -> Result<Self, TurnSecretTooShort> {
        if bytes.len() < SECRET_BYTES_MIN {
            return Err(TurnSecretTooShort);
        }
        Ok(Self(Secret::new(bytes)))
    }

    /// A user name that is good until a time in Unix seconds, and its password
    /// (`timestamp:user`, base64 of HMAC-SHA1).
    pub fn credential(&self, user: &str, expires_unix_s: u64) -> (String, String) {
        turn::credential(&self.0, user, expires_unix_s)
    }
}

impl fmt::Debug for TurnSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TurnSecret(…)")
    }
}

/// A range of addresses, as `192.0.2.0/24` or `2001:db8::/32`.
#[derive(Debug, Clone, Copy)]
pub struct PeerRange(Cidr);

/// Not an address with a prefix length.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a range of addresses is written as 192.0.2.0/24 or 2001:db8::/32: {0}")]
pub struct PeerRangeError(String);

impl FromStr for PeerRange {
    type Err = PeerRangeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|error| PeerRangeError(format!("{error}")))
    }
}
