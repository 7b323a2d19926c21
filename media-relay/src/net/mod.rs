//! Sockets: what the forwarding thread reads from and writes to, and the addresses it is told to
//! the world by.

mod burst;
pub mod first_bytes;
#[cfg(test)]
mod fuzzed;
mod places;
mod ports;
mod sort;
mod tcp;
pub(crate) mod turn;
mod udp;
mod way;

pub use places::{Place, Places};
pub(crate) use ports::Ports;
pub(crate) use sort::{Sort, sort};
pub use tcp::IceTcp;
pub(crate) use tcp::{TcpPort, ice_tcp};
pub(crate) use turn::{TurnEnd, UnitEnd, passage};
pub(crate) use udp::bind;
pub(crate) use way::Way;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use str0m::net::Protocol;

/// The relay's own media addresses, at least one.
#[derive(Debug, Clone)]
pub(crate) struct Here {
    advertised: Vec<SocketAddr>,
    by_tcp: Vec<SocketAddr>,
}

impl Here {
    /// The addresses that pages are told: the configured ones, else the bound one, else (bound to
    /// all) those by which this machine reaches others.
    pub(crate) fn new(bound: SocketAddr, configured: &[IpAddr]) -> Self {
        Self { advertised: told(bound, configured), by_tcp: Vec::new() }
    }

    /// The same relay, reached by TCP too.
    pub(crate) fn and_by_tcp(self, by_tcp: Vec<SocketAddr>) -> Self {
        Self { by_tcp, ..self }
    }

    /// UDP addresses as told to pages.
    pub(crate) fn advertised(&self) -> &[SocketAddr] {
        &self.advertised
    }

    /// TCP addresses as told to pages (RFC 6544 §4.1, passive candidates).
    pub(crate) fn by_tcp(&self) -> &[SocketAddr] {
        &self.by_tcp
    }

    /// The address that a packet from there was most likely sent to.
    pub(crate) fn nearest(&self, from: Way) -> SocketAddr {
        let source = from.address;
        let told = if from.proto == Protocol::Udp { &self.advertised } else { &self.by_tcp };
        let family = |a: &&SocketAddr| a.is_ipv4() == source.is_ipv4();
        let near = |a: &&SocketAddr| a.ip().is_loopback() == source.ip().is_loopback();
        let mut own = told.iter().filter(family);
        let exact = own.clone().find(near);
        let fallback = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
        exact.or_else(|| own.next()).or(told.first()).copied().unwrap_or(fallback)
    }
}

/// What pages are told of a bound port.
pub(crate) fn told(bound: SocketAddr, configured: &[IpAddr]) -> Vec<SocketAddr> {
    let ips = if !configured.is_empty() {
        configured.to_vec()
    } else if !bound.ip().is_unspecified() {
        vec![bound.ip()]
    } else {
        outward(bound.is_ipv6())
    };
    ips.into_iter().map(|ip| SocketAddr::new(ip.to_canonical(), bound.port())).collect()
}

/// The source addresses of this machine's default routes, else loopback. Connecting a UDP socket
/// sends nothing; the addresses asked about are reserved for documentation (RFC 5737, RFC 3849).
fn outward(with_v6: bool) -> Vec<IpAddr> {
    let source = |any: IpAddr, far: &str| {
        let socket = UdpSocket::bind((any, 0)).ok()?;
        socket.connect((far.parse::<IpAddr>().ok()?, 9)).ok()?;
        Some(socket.local_addr().ok()?.ip())
    };
    let v4 = source(Ipv4Addr::UNSPECIFIED.into(), "192.0.2.1");
    let v6 = source(Ipv6Addr::UNSPECIFIED.into(), "2001:db8::1").filter(|_| with_v6);
    let found: Vec<IpAddr> = v4.into_iter().chain(v6).collect();
    if found.is_empty() { vec![Ipv4Addr::LOCALHOST.into()] } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_bound_to_one_address_advertises_it() {
        let here = Here::new(([127, 0, 0, 1], 7).into(), &[]);
        assert_eq!(here.advertised(), [SocketAddr::from(([127, 0, 0, 1], 7))]);
    }

    #[test]
    fn a_relay_bound_to_all_advertises_something_reachable() {
        let here = Here::new(([0, 0, 0, 0], 7).into(), &[]);
        assert!(!here.advertised().is_empty());
        assert!(here.advertised().iter().all(|a| !a.ip().is_unspecified() && a.port() == 7));
    }

    #[test]
    fn a_datagram_is_taken_for_sent_to_an_address_of_its_family() {
        let four: IpAddr = [203, 0, 113, 5].into();
        let six: IpAddr = Ipv6Addr::LOCALHOST.into();
        let here = Here::new(([0, 0, 0, 0], 7).into(), &[four, six]);
        let from = |ip: IpAddr| here.nearest(Way::udp(SocketAddr::new(ip, 9))).ip();
        assert_eq!(from([198, 51, 100, 1].into()), four);
        assert_eq!(from(Ipv6Addr::LOCALHOST.into()), six);
    }
}
