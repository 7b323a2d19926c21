//! Which peers may be reached: none but our own forwarding unit and opened ranges, however an
//! address is spelled. PURE.

use super::{Cidr, TurnConfig};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Addresses that mean something else than a host somewhere on the internet: this host, private
/// nets, links, groups, examples, translations (RFC 6890 and the IANA special-purpose registries).
/// A wide open range does not open them.
const SPECIAL: [Cidr; 38] = [
    Cidr::v4([0, 0, 0, 0], 8),
    Cidr::v4([10, 0, 0, 0], 8),
    Cidr::v4([100, 64, 0, 0], 10),
    Cidr::v4([127, 0, 0, 0], 8),
    Cidr::v4([169, 254, 0, 0], 16),
    Cidr::v4([172, 16, 0, 0], 12),
    Cidr::v4([192, 0, 0, 0], 24),
    Cidr::v4([192, 0, 2, 0], 24),
    Cidr::v4([192, 88, 99, 0], 24),
    Cidr::v4([192, 168, 0, 0], 16),
    Cidr::v4([198, 18, 0, 0], 15),
    Cidr::v4([198, 51, 100, 0], 24),
    Cidr::v4([203, 0, 113, 0], 24),
    Cidr::v4([224, 0, 0, 0], 4),
    Cidr::v4([240, 0, 0, 0], 4),
    // Within 2000::/3, the only part of IPv6 that is given to hosts.
    Cidr::v6([0x2001, 0], 23),
    Cidr::v6([0x2001, 0x0db8], 32),
    Cidr::v6([0x2002, 0], 16),
    Cidr::v6([0x3fff, 0], 20),
    // And all outside of it.
    Cidr::v6([0x0000, 0], 8),
    Cidr::v6([0x0100, 0], 8),
    Cidr::v6([0x0200, 0], 7),
    Cidr::v6([0x0400, 0], 6),
    Cidr::v6([0x0800, 0], 5),
    Cidr::v6([0x1000, 0], 4),
    Cidr::v6([0x4000, 0], 3),
    Cidr::v6([0x6000, 0], 3),
    Cidr::v6([0x8000, 0], 3),
    Cidr::v6([0xa000, 0], 3),
    Cidr::v6([0xc000, 0], 3),
    Cidr::v6([0xe000, 0], 4),
    Cidr::v6([0xf000, 0], 5),
    Cidr::v6([0xf800, 0], 6),
    Cidr::v6([0xfc00, 0], 7),
    Cidr::v6([0xfe00, 0], 9),
    Cidr::v6([0xfe80, 0], 10),
    Cidr::v6([0xfec0, 0], 10),
    Cidr::v6([0xff00, 0], 8),
];

/// What a peer is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Our own forwarding unit.
    Inside,
    /// An address in an opened range.
    Outside,
}

/// The rule about peers.
#[derive(Debug)]
pub(super) struct Peers {
    inside: Vec<SocketAddr>,
    /// Ranges that open ordinary addresses, and those that open special ones.
    open: Vec<Cidr>,
    open_special: Vec<Cidr>,
    forbidden: Vec<SocketAddr>,
    /// Addresses that an unspecified one in `forbidden` stands for, beside loopback.
    own: Vec<IpAddr>,
}

impl Peers {
    pub(super) fn new(config: &TurnConfig) -> Self {
        let is_special = |range: &Cidr| SPECIAL.iter().any(|special| special.covers(range));
        let (open_special, open) = config.allowed_peers.iter().partition(|range| is_special(range));
        let inside = config.inside.iter().map(|address| plain(*address)).collect();
        let own = config.advertised.iter().map(|ip| ip.to_canonical()).collect();
        let forbidden = config.forbidden.iter().map(|address| plain(*address)).collect();
        Self { inside, open, open_special, forbidden, own }
    }

    /// Whether anything at this IP can be a peer: permissions are by IP. What is sent or bound is
    /// judged by [`Self::reach`] again.
    pub(super) fn may_be_permitted(&self, ip: IpAddr) -> bool {
        self.inside.iter().any(|inside| inside.ip() == ip) || self.is_open(ip)
    }

    /// What the peer is to us; `None`: refused.
    pub(super) fn reach(&self, peer: SocketAddr) -> Option<Reach> {
        if self.inside.contains(&peer) {
            return Some(Reach::Inside);
        }
        let open = peer.port() != 0 && self.is_open(peer.ip()) && !self.is_forbidden(peer);
        open.then_some(Reach::Outside)
    }

    /// An IPv6 address that carries an IPv4 one is what it carries; each that it carries must be
    /// open.
    fn is_open(&self, ip: IpAddr) -> bool {
        match ip {
            IpAddr::V4(_) => self.opens(ip),
            IpAddr::V6(v6) => match carried(v6) {
                [None, None] => self.opens(ip),
                // A translator of local use may take other bits than the last: to be opened itself too.
                _ if v6.segments().starts_with(&[0x64, 0xff9b, 1]) && !self.opens(ip) => false,
                carried => carried.into_iter().flatten().all(|v4| self.opens(v4.into())),
            },
        }
    }

    fn opens(&self, ip: IpAddr) -> bool {
        let within = |ranges: &[Cidr]| ranges.iter().any(|range| range.contains(ip));
        if SPECIAL.iter().any(|special| special.contains(ip)) {
            within(&self.open_special)
        } else {
            within(&self.open) || within(&self.open_special)
        }
    }

    fn is_forbidden(&self, peer: SocketAddr) -> bool {
        let [first, second] = match peer.ip() {
            IpAddr::V4(_) => [None, None],
            IpAddr::V6(v6) => carried(v6).map(|v4| v4.map(IpAddr::V4)),
        };
        let spelled = [Some(peer.ip()), first, second];
        spelled.into_iter().flatten().any(|ip| self.forbids(ip, peer.port()))
    }

    fn forbids(&self, ip: IpAddr, port: u16) -> bool {
        let is_own = || ip.is_loopback() || ip.is_unspecified() || self.own.contains(&ip);
        self.forbidden.iter().any(|forbidden| {
            let same_ip = forbidden.ip() == ip || (forbidden.ip().is_unspecified() && is_own());
            forbidden.port() == port && same_ip
        })
    }
}

/// A configured address without IPv6 clothes, scope and flow.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// The IPv4 addresses that an IPv6 one stands for, at most two (Teredo names server and client).
fn carried(ip: Ipv6Addr) -> [Option<Ipv4Addr>; 2] {
    let bits = ip.to_bits();
    let words = ip.segments();
    let v4 = |shift: u32, flip: u32| {
        let [.., a, b, c, d] = (bits >> shift).to_be_bytes();
        Some(Ipv4Addr::from_bits(u32::from_be_bytes([a, b, c, d]) ^ flip))
    };
    match words {
        // Loopback and the unspecified address are themselves.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => [None, None],
        // Mapped and compatible.
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] => [v4(0, 0), None],
        // Mapped with a zero in between (RFC 2765).
        [0, 0, 0, 0, 0xffff, 0, ..] => [v4(0, 0), None],
        // NAT64, well known (RFC 6052) and of local use (RFC 8215).
        [0x64, 0xff9b, 0, 0, 0, 0, ..] | [0x64, 0xff9b, 1, ..] => [v4(0, 0), None],
        // 6to4 (RFC 3056).
        [0x2002, ..] => [v4(80, 0), None],
        // Teredo (RFC 4380): the server, and the client's address turned over.
        [0x2001, 0, ..] => [v4(64, 0), v4(0, u32::MAX)],
        // ISATAP (RFC 5214) in any prefix.
        [_, _, _, _, 0x0000 | 0x0200, 0x5efe, ..] => [v4(0, 0), None],
        _ => [None, None],
    }
}
