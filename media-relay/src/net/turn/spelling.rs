//! An IPv4 address as a socket of IPv6 spells it, and back.

use std::net::{IpAddr, SocketAddr};

/// IPv4 is IPv4, also where a socket of IPv6 received it (RFC 4291 §2.5.5.2).
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        ip @ IpAddr::V4(_) => SocketAddr::new(ip, address.port()),
        // As it is: a link-local address is of no use without its scope.
        IpAddr::V6(_) => address,
    }
}

/// A socket of IPv6 reaches IPv4 by mapped addresses.
pub(super) fn reachable(to: SocketAddr, is_v6: bool) -> SocketAddr {
    match to.ip() {
        IpAddr::V4(ip) if is_v6 => SocketAddr::new(ip.to_ipv6_mapped().into(), to.port()),
        IpAddr::V4(_) | IpAddr::V6(_) => to,
    }
}
