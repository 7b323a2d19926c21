//! Reads STUN messages (RFC 8489 section 5 and 14, RFC 8656 section 18). PURE, allocates nothing.

use super::Family;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Bytes of a message before its attributes.
pub(super) const HEADER_BYTES: usize = 20;
/// Tells STUN from everything else.
pub(super) const COOKIE: u32 = 0x2112_A442;
/// Its upper half, which hides ports.
const COOKIE_HIGH: u16 = 0x2112;
/// Unknown attributes kept for the answer. More are counted as unknown, not listed: the answer to
/// a nobody stays small.
pub(super) const UNKNOWN_MAX: usize = 8;
/// Bytes of a user name, a realm, a nonce (RFC 8489 section 14.3, 14.9, 14.10).
const TEXT_BYTES_MAX: usize = 763;

/// Attribute types. Those below 0x8000 must be understood.
pub(super) mod attribute {
    pub(crate) const USERNAME: u16 = 0x0006;
    pub(crate) const MESSAGE_INTEGRITY: u16 = 0x0008;
    pub(crate) const ERROR_CODE: u16 = 0x0009;
    pub(crate) const UNKNOWN_ATTRIBUTES: u16 = 0x000A;
    pub(crate) const CHANNEL_NUMBER: u16 = 0x000C;
    pub(crate) const LIFETIME: u16 = 0x000D;
    pub(crate) const XOR_PEER_ADDRESS: u16 = 0x0012;
    pub(crate) const DATA: u16 = 0x0013;
    pub(crate) const REALM: u16 = 0x0014;
    pub(crate) const NONCE: u16 = 0x0015;
    pub(crate) const XOR_RELAYED_ADDRESS: u16 = 0x0016;
    pub(crate) const REQUESTED_ADDRESS_FAMILY: u16 = 0x0017;
    pub(crate) const EVEN_PORT: u16 = 0x0018;
    pub(crate) const REQUESTED_TRANSPORT: u16 = 0x0019;
    pub(crate) const MESSAGE_INTEGRITY_SHA256: u16 = 0x001C;
    pub(crate) const PASSWORD_ALGORITHM: u16 = 0x001D;
    pub(crate) const USERHASH: u16 = 0x001E;
    pub(crate) const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    pub(crate) const RESERVATION_TOKEN: u16 = 0x0022;
    pub(crate) const ADDITIONAL_ADDRESS_FAMILY: u16 = 0x8000;
    pub(crate) const ADDRESS_ERROR_CODE: u16 = 0x8001;
    pub(crate) const FINGERPRINT: u16 = 0x8028;
    /// Part of the standards but with nothing to say in a request: read over. DONT-FRAGMENT is
    /// not among them, for it asks for something that is not done here.
    pub(crate) const READ_OVER: [u16; 6] = [
        0x0001,
        ERROR_CODE,
        UNKNOWN_ATTRIBUTES,
        PASSWORD_ALGORITHM,
        XOR_RELAYED_ADDRESS,
        XOR_MAPPED_ADDRESS,
    ];
}

/// Methods.
pub(super) mod method {
    pub(crate) const BINDING: u16 = 0x001;
    pub(crate) const ALLOCATE: u16 = 0x003;
    pub(crate) const REFRESH: u16 = 0x004;
    pub(crate) const SEND: u16 = 0x006;
    pub(crate) const DATA: u16 = 0x007;
    pub(crate) const CREATE_PERMISSION: u16 = 0x008;
    pub(crate) const CHANNEL_BIND: u16 = 0x009;
}

/// The four classes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Request,
    Indication,
    Success,
    Error,
}

/// The message type of a method and class: M11..M7 C1 M6..M4 C0 M3..M0.
pub(super) fn message_type(method: u16, class: Class) -> u16 {
    let class = match class {
        Class::Request => 0x000,
        Class::Indication => 0x010,
        Class::Success => 0x100,
        Class::Error => 0x110,
    };
    (method & 0xF80) << 2 | (method & 0x070) << 1 | (method & 0x00F) | class
}

/// Method and class of a message type.
pub(super) fn method_and_class(kind: u16) -> (u16, Class) {
    let class = match kind & 0x110 {
        0x000 => Class::Request,
        0x010 => Class::Indication,
        0x100 => Class::Success,
        _ => Class::Error,
    };
    ((kind & 0x3E00) >> 2 | (kind & 0x00E0) >> 1 | (kind & 0x000F), class)
}

/// An attribute whose own place matters, as it covers the bytes before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placed<'a> {
    /// Where its type begins.
    pub(super) at: usize,
    pub(super) value: &'a [u8],
}

/// A transaction id.
pub(super) type Transaction = [u8; 12];

/// A message with the first of each attribute that this server knows.
#[derive(Debug, Clone)]
pub(super) struct Message<'a> {
    /// The whole message, without what a datagram may carry behind it.
    pub(super) bytes: &'a [u8],
    pub(super) method: u16,
    pub(super) class: Class,
    pub(super) transaction: Transaction,
    pub(super) username: Option<&'a [u8]>,
    pub(super) userhash: bool,
    pub(super) realm: Option<&'a [u8]>,
    pub(super) nonce: Option<&'a [u8]>,
    pub(super) integrity: Option<Placed<'a>>,
    pub(super) integrity_sha256: Option<Placed<'a>>,
    pub(super) fingerprint: Option<Placed<'a>>,
    pub(super) transport: Option<u8>,
    pub(super) lifetime_s: Option<u32>,
    /// EVEN-PORT and its R bit.
    pub(super) even_port: Option<bool>,
    pub(super) reservation: Option<[u8; 8]>,
    pub(super) family: Option<u8>,
    pub(super) additional_family: Option<u8>,
    pub(super) channel: Option<u16>,
    /// The first XOR-PEER-ADDRESS.
    pub(super) peer: Option<SocketAddr>,
    pub(super) data: Option<&'a [u8]>,
    /// A known attribute has a form that it cannot have.
    pub(super) malformed: bool,
    unknown: [u16; UNKNOWN_MAX],
    unknown_count: usize,
}

impl<'a> Message<'a> {
    /// `None`: not a STUN message, so nothing is to be answered.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (header, _) = bytes.split_first_chunk::<HEADER_BYTES>()?;
        let kind = u16::from_be_bytes([header[0], header[1]]);
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let whole =
            kind < 0x4000 && length.is_multiple_of(4) && bytes.len() == HEADER_BYTES + length;
        if !whole || header[4..8] != COOKIE.to_be_bytes() {
            return None;
        }
        let (method, class) = method_and_class(kind);
        let mut transaction = Transaction::default();
        transaction.copy_from_slice(&header[8..]);
        let mut message = Self::empty(bytes, method, class, transaction);
        for (at, kind, value) in Attributes::of(bytes) {
            message.take(at, kind, value?);
        }
        Some(message)
    }

    fn empty(bytes: &'a [u8], method: u16, class: Class, transaction: Transaction) -> Self {
        Self {
            bytes,
            method,
            class,
            transaction,
            username: None,
            userhash: false,
            realm: None,
            nonce: None,
            integrity: None,
            integrity_sha256: None,
            fingerprint: None,
            transport: None,
            lifetime_s: None,
            even_port: None,
            reservation: None,
            family: None,
            additional_family: None,
            channel: None,
            peer: None,
            data: None,
            malformed: false,
            unknown: [0; UNKNOWN_MAX],
            unknown_count: 0,
        }
    }

    /// What comes behind an integrity is not covered by it and not believed.
    fn covered(&self, kind: u16) -> bool {
        let after = match kind {
            attribute::FINGERPRINT => self.fingerprint.is_some(),
            attribute::MESSAGE_INTEGRITY_SHA256 => {
                self.integrity_sha256.is_some() || self.fingerprint.is_some()
            }
            _ => {
                self.integrity.is_some()
                    || self.integrity_sha256.is_some()
                    || self.fingerprint.is_some()
            }
        };
        !after
    }

    fn take(&mut self, at: usize, kind: u16, value: &'a [u8]) {
        use attribute::*;
        if !self.covered(kind) {
            return;
        }
        let placed = Placed { at, value };
        match kind {
            USERNAME => self.text(value, |m| &mut m.username),
            REALM => self.text(value, |m| &mut m.realm),
            NONCE => self.text(value, |m| &mut m.nonce),
            USERHASH => self.userhash = true,
            MESSAGE_INTEGRITY => self.integrity = Some(placed),
            MESSAGE_INTEGRITY_SHA256 => self.integrity_sha256 = Some(placed),
            FINGERPRINT => self.fingerprint = Some(placed),
            REQUESTED_TRANSPORT => self.word(value, |m, [n, ..]| first(&mut m.transport, n)),
            LIFETIME => self.word(value, |m, n| first(&mut m.lifetime_s, u32::from_be_bytes(n))),
            REQUESTED_ADDRESS_FAMILY => self.word(value, |m, [n, ..]| first(&mut m.family, n)),
            ADDITIONAL_ADDRESS_FAMILY => {
                self.word(value, |m, [n, ..]| first(&mut m.additional_family, n));
            }
            CHANNEL_NUMBER => {
                self.word(value, |m, [a, b, ..]| first(&mut m.channel, u16::from_be_bytes([a, b])));
            }
            EVEN_PORT => match value {
                [flags] => first(&mut self.even_port, flags & 0x80 != 0),
                _ => self.malformed = true,
            },
            RESERVATION_TOKEN => match value.try_into() {
                Ok(token) => first(&mut self.reservation, token),
                Err(_) => self.malformed = true,
            },
            XOR_PEER_ADDRESS => match xor_address(value, &self.transaction) {
                Some(peer) => first(&mut self.peer, peer),
                None => self.malformed = true,
            },
            DATA => first(&mut self.data, value),
            _ if kind >= 0x8000 || READ_OVER.contains(&kind) => {}
            _ => self.not_known(kind),
        }
    }

    fn text(&mut self, value: &'a [u8], of: fn(&mut Self) -> &mut Option<&'a [u8]>) {
        self.malformed |= value.len() > TEXT_BYTES_MAX;
        first(of(self), value);
    }

    fn word(&mut self, value: &[u8], take: impl FnOnce(&mut Self, [u8; 4])) {
        match value.try_into() {
            Ok(word) => take(self, word),
            Err(_) => self.malformed = true,
        }
    }

    fn not_known(&mut self, kind: u16) {
        if let Some(free) = self.unknown.get_mut(self.unknown_count) {
            *free = kind;
        }
        self.unknown_count = (self.unknown_count + 1).min(UNKNOWN_MAX);
    }

    /// Types that had to be understood and are not; at most [`UNKNOWN_MAX`].
    pub(super) fn unknown(&self) -> &[u16] {
        &self.unknown[..self.unknown_count]
    }

    /// Every XOR-PEER-ADDRESS that its integrity covers.
    pub(super) fn peers(&self) -> impl Iterator<Item = SocketAddr> {
        let end = [self.integrity, self.integrity_sha256, self.fingerprint]
            .into_iter()
            .flatten()
            .map(|placed| placed.at)
            .min()
            .unwrap_or(self.bytes.len());
        Attributes::of(self.bytes)
            .take_while(move |(at, ..)| *at < end)
            .filter(|(_, kind, _)| *kind == attribute::XOR_PEER_ADDRESS)
            .filter_map(|(.., value)| xor_address(value?, &self.transaction))
    }
}

/// Of several attributes of a type the first counts (RFC 8489 section 14).
fn first<T>(place: &mut Option<T>, value: T) {
    place.get_or_insert(value);
}

/// Where each attribute begins, its type, and its value or `None` where it is cut off.
struct Attributes<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Attributes<'a> {
    fn of(message: &'a [u8]) -> Self {
        Self { bytes: message, at: HEADER_BYTES }
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (usize, u16, Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.at;
        let rest = self.bytes.get(at..)?;
        let (&[a, b, high, low], rest) = rest.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        self.at = at + 4 + length.next_multiple_of(4);
        Some((at, u16::from_be_bytes([a, b]), rest.get(..length)))
    }
}

/// The key that hides an address: cookie, then transaction id.
fn mask(transaction: &Transaction) -> u128 {
    transaction.iter().fold(u128::from(COOKIE), |mask, byte| mask << 8 | u128::from(*byte))
}

/// Reads an XOR-...-ADDRESS; a v4 address in IPv6 clothes stays in them.
pub(super) fn xor_address(value: &[u8], transaction: &Transaction) -> Option<SocketAddr> {
    let (&[_, family, high, low], ip) = value.split_first_chunk::<4>()?;
    let port = u16::from_be_bytes([high, low]) ^ COOKIE_HIGH;
    let ip = match family {
        1 => Ipv4Addr::from_bits(u32::from_be_bytes(ip.try_into().ok()?) ^ COOKIE).into(),
        2 => {
            let bits = u128::from_be_bytes(ip.try_into().ok()?);
            Ipv6Addr::from_bits(bits ^ mask(transaction)).into()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// Writes an XOR-...-ADDRESS value; returns how many of the 20 bytes it takes.
pub(super) fn write_xor_address(
    address: SocketAddr,
    transaction: &Transaction,
    into: &mut [u8; 20],
) -> usize {
    let port = (address.port() ^ COOKIE_HIGH).to_be_bytes();
    into[2..4].copy_from_slice(&port);
    match address.ip() {
        IpAddr::V4(ip) => {
            into[..2].copy_from_slice(&[0, 1]);
            into[4..8].copy_from_slice(&(ip.to_bits() ^ COOKIE).to_be_bytes());
            8
        }
        IpAddr::V6(ip) => {
            into[..2].copy_from_slice(&[0, 2]);
            into[4..].copy_from_slice(&(ip.to_bits() ^ mask(transaction)).to_be_bytes());
            20
        }
    }
}

impl Family {
    /// As attributes tell it.
    pub(super) fn number(self) -> u8 {
        match self {
            Self::V4 => 1,
            Self::V6 => 2,
        }
    }

    pub(super) fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::V4),
            2 => Some(Self::V6),
            _ => None,
        }
    }

    pub(super) fn of(address: SocketAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }
}
