//! A page's TURN client and the edge's sockets, small enough to read, and what they show.

mod access;
mod allocate;
mod data;
mod fuzzed;
mod lifetimes;
mod peers;
mod permissions;
mod properties;
mod vectors;

use super::credential::{Secret, credential};
use super::integrity::{Kind, Signed, fingerprint_is_right, is_right, long_term_key};
use super::wire::{Class, Message, Transaction, attribute, method, xor_address};
use super::writer::Writer;
use super::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub(super) const REALM: &str = "minato";
pub(super) const UNIX_S: u64 = 1_700_000_000;
/// Our own forwarding unit.
pub(super) const UNIT: &str = "198.51.100.7:3478";
/// A peer in an opened range.
pub(super) const PEER: &str = "203.0.113.9:5000";
pub(super) const PEER_V6: &str = "[2001:db8:2::9]:5000";

pub(super) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub(super) fn secret() -> Secret {
    Secret::new(*b"north-secret")
}

pub(super) fn config() -> TurnConfig {
    let mut config = TurnConfig::new(REALM, secret());
    config.advertised = vec!["192.0.2.1".parse().unwrap(), "2001:db8:1::1".parse().unwrap()];
    config.inside = vec![address(UNIT)];
    config.allowed_peers =
        vec!["203.0.113.0/24".parse().unwrap(), "2001:db8:2::/48".parse().unwrap()];
    config.per_user_max = 4;
    config
}

pub(super) fn udp(port: u16) -> Client {
    Client::Udp { listener: 0, address: SocketAddr::new([192, 0, 2, 77].into(), port) }
}

pub(super) fn stream(connection: u64) -> Client {
    Client::Stream { connection, address: address("192.0.2.77:4000") }
}

/// A request being built.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) method: u16,
    pub(super) class: Class,
    pub(super) transaction: Transaction,
    pub(super) attributes: Vec<(u16, Vec<u8>)>,
    pub(super) kind: Kind,
    pub(super) fingerprint: bool,
}

impl Ask {
    pub(super) fn new(method: u16) -> Self {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let mut transaction = [7; 12];
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        transaction[4..].copy_from_slice(&number.to_be_bytes());
        let kind = Kind::Sha1;
        let (class, attributes) = (Class::Request, Vec::new());
        Self { method, class, transaction, attributes, kind, fingerprint: true }
    }

    pub(super) fn allocate() -> Self {
        Self::new(method::ALLOCATE).with(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0])
    }

    pub(super) fn refresh(lifetime_s: u32) -> Self {
        Self::new(method::REFRESH).lifetime(lifetime_s)
    }

    pub(super) fn permission(peers: &[&str]) -> Self {
        let ask = Self::new(method::CREATE_PERMISSION);
        peers.iter().fold(ask, |ask, peer| ask.peer(address(peer)))
    }

    pub(super) fn bind(number: u16, peer: &str) -> Self {
        let [a, b] = number.to_be_bytes();
        Self::new(method::CHANNEL_BIND)
            .with(attribute::CHANNEL_NUMBER, &[a, b, 0, 0])
            .peer(address(peer))
    }

    pub(super) fn send(peer: SocketAddr, data: &[u8]) -> Self {
        let mut ask = Self::new(method::SEND);
        (ask.class, ask.fingerprint) = (Class::Indication, false);
        ask.peer(peer).with(attribute::DATA, data)
    }

    pub(super) fn with(mut self, kind: u16, value: &[u8]) -> Self {
        self.attributes.push((kind, value.to_vec()));
        self
    }

    pub(super) fn without(mut self, kind: u16) -> Self {
        self.attributes.retain(|(known, _)| *known != kind);
        self
    }

    pub(super) fn lifetime(self, seconds: u32) -> Self {
        self.with(attribute::LIFETIME, &seconds.to_be_bytes())
    }

    pub(super) fn family(self, number: u8) -> Self {
        self.with(attribute::REQUESTED_ADDRESS_FAMILY, &[number, 0, 0, 0])
    }

    pub(super) fn both_families(self) -> Self {
        self.with(attribute::ADDITIONAL_ADDRESS_FAMILY, &[2, 0, 0, 0])
    }

    pub(super) fn even(self, and_next: bool) -> Self {
        self.with(attribute::EVEN_PORT, &[if and_next { 0x80 } else { 0 }])
    }

    pub(super) fn peer(self, peer: SocketAddr) -> Self {
        let mut value = [0; 20];
        let length = super::wire::write_xor_address(peer, &self.transaction, &mut value);
        self.with(attribute::XOR_PEER_ADDRESS, &value[..length])
    }

    pub(super) fn sha256(mut self) -> Self {
        self.kind = Kind::Sha256;
        self
    }

    fn writer(&self) -> Writer {
        let writer = Writer::new(self.method, self.class, self.transaction);
        self.attributes.iter().fold(writer, |writer, (kind, value)| writer.put(*kind, value))
    }

    pub(super) fn plain(&self) -> Vec<u8> {
        self.writer().finish(None, self.fingerprint)
    }

    pub(super) fn signed(&self, login: &Login) -> Vec<u8> {
        let writer = self
            .writer()
            .put(attribute::USERNAME, login.name.as_bytes())
            .put(attribute::REALM, login.realm.as_bytes())
            .put(attribute::NONCE, login.nonce.as_bytes());
        writer.finish(Some(&login.key(self.kind)), self.fingerprint)
    }
}

/// What a page signs with.
#[derive(Debug, Clone)]
pub(super) struct Login {
    pub(super) name: String,
    pub(super) password: String,
    pub(super) realm: String,
    pub(super) nonce: String,
}

impl Login {
    fn key(&self, kind: Kind) -> Signed {
        Signed { kind, key: long_term_key(&self.name, &self.realm, &self.password) }
    }
}

/// An answer, read and its signature checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) bytes: Vec<u8>,
    pub(super) code: Option<u16>,
    pub(super) signed: bool,
    pub(super) attributes: Vec<(u16, Vec<u8>)>,
    pub(super) transaction: Transaction,
}

impl Answer {
    fn read(bytes: Vec<u8>, login: Option<&Login>) -> Self {
        let message = Message::parse(&bytes).expect("an answer is a STUN message");
        assert!(fingerprint_is_right(&message));
        let mut attributes = Vec::new();
        let mut at = 20;
        while at < bytes.len() {
            let kind = u16::from_be_bytes([bytes[at], bytes[at + 1]]);
            let length = usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
            attributes.push((kind, bytes[at + 4..at + 4 + length].to_vec()));
            at += 4 + length.next_multiple_of(4);
        }
        let signs = [(Kind::Sha1, message.integrity), (Kind::Sha256, message.integrity_sha256)];
        let sign = signs.into_iter().find_map(|(kind, placed)| Some((kind, placed?)));
        if let (Some((kind, placed)), Some(login)) = (sign, login) {
            let key = login.key(kind).key;
            assert!(is_right(&message, kind, placed, &key), "the answer is signed rightly");
        }
        let error = attributes.iter().find(|(kind, _)| *kind == attribute::ERROR_CODE);
        let code = error.map(|(_, value)| u16::from(value[2]) * 100 + u16::from(value[3]));
        assert_eq!(code.is_some(), message.class == Class::Error);
        let (signed, transaction) = (sign.is_some(), message.transaction);
        Self { bytes, code, signed, attributes, transaction }
    }

    pub(super) fn value(&self, kind: u16) -> Option<&[u8]> {
        self.attributes.iter().find(|(known, _)| *known == kind).map(|(_, value)| &**value)
    }

    pub(super) fn text(&self, kind: u16) -> String {
        String::from_utf8(self.value(kind).expect("the attribute").to_vec()).unwrap()
    }

    pub(super) fn addresses(&self, kind: u16) -> Vec<SocketAddr> {
        let of_kind = self.attributes.iter().filter(|(known, _)| *known == kind);
        of_kind.map(|(_, value)| xor_address(value, &self.transaction).unwrap()).collect()
    }

    pub(super) fn relayed(&self) -> SocketAddr {
        self.addresses(attribute::XOR_RELAYED_ADDRESS)[0]
    }

    pub(super) fn lifetime_s(&self) -> u32 {
        u32::from_be_bytes(self.value(attribute::LIFETIME).unwrap().try_into().unwrap())
    }
}

/// The server with the edge's sockets: opens what is asked for, keeps what is answered.
#[derive(Debug)]
pub(super) struct Rig {
    pub(super) turn: Turn,
    pub(super) at: At,
    pub(super) open: BTreeMap<(AllocationId, u8), SocketAddr>,
    pub(super) aside: BTreeSet<SocketAddr>,
    pub(super) answers: Vec<(Client, Vec<u8>)>,
    /// Opens wait here while `slow`.
    pub(super) waiting: Vec<(AllocationId, Family, PortWish)>,
    pub(super) slow: bool,
    /// Families that get no sockets.
    pub(super) broken: Vec<Family>,
    next_port: u16,
}

impl Rig {
    pub(super) fn new(config: TurnConfig) -> Self {
        Self {
            turn: Turn::new(config, [9; 32]),
            at: At { now: Instant::now(), unix_s: UNIX_S },
            open: BTreeMap::new(),
            aside: BTreeSet::new(),
            answers: Vec::new(),
            waiting: Vec::new(),
            slow: false,
            broken: Vec::new(),
            next_port: 50_000,
        }
    }

    pub(super) fn usual() -> Self {
        Self::new(config())
    }

    pub(super) fn pass(&mut self, seconds: u64) {
        self.at.now += Duration::from_secs(seconds);
        self.at.unix_s += seconds;
        let mut out = Vec::new();
        self.turn.expire(self.at, &mut out);
        self.run(out);
    }

    pub(super) fn run(&mut self, commands: Vec<Command>) {
        for command in commands {
            match command {
                Command::Answer { client, bytes } => self.answers.push((client, bytes)),
                Command::Open { allocation, family, port } if self.slow => {
                    self.waiting.push((allocation, family, port));
                }
                Command::Open { allocation, family, port } => {
                    self.open_now(allocation, family, port);
                }
                Command::Close { allocation, family } => self.open.retain(|(id, of), _| {
                    *id != allocation || family.is_some_and(|family| family.number() != *of)
                }),
                Command::Release { reserved } => drop(self.aside.take(&reserved)),
            }
        }
        self.turn.table.assert_sound();
    }

    pub(super) fn open_now(&mut self, id: AllocationId, family: Family, port: PortWish) {
        let socket = self.socket(family, port);
        if let Ok(socket) = socket {
            assert!(self.open.insert((id, family.number()), socket).is_none());
        }
        let mut out = Vec::new();
        self.turn.opened(id, family, socket, self.at, &mut out);
        self.run(out);
    }

    fn socket(&mut self, family: Family, port: PortWish) -> Result<SocketAddr, OpenFailed> {
        if self.broken.contains(&family) {
            return Err(OpenFailed);
        }
        if let PortWish::Reserved(socket) = port {
            return if self.aside.remove(&socket) { Ok(socket) } else { Err(OpenFailed) };
        }
        // Sockets are bound to another address than the one that clients are told.
        let ip: IpAddr = match family {
            Family::V4 => [10, 0, 0, 5].into(),
            Family::V6 => "fd00::5".parse().unwrap(),
        };
        self.next_port = self.next_port.next_multiple_of(2) + 2;
        let odd = u16::from(port == PortWish::Any);
        let socket = SocketAddr::new(ip, self.next_port + odd);
        if port == PortWish::EvenAndReserveNext {
            self.aside.insert(SocketAddr::new(ip, socket.port() + 1));
        }
        Ok(socket)
    }

    /// Hands bytes over; the answer that came at once, if one did.
    pub(super) fn give(&mut self, client: Client, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let before = self.answers.len();
        assert_eq!(self.turn.from_client(client, bytes, self.at, &mut out), None);
        self.run(out);
        assert!(self.answers.len() <= before + 1, "at most one answer to a message");
        let (to, answer) = self.answers.get(before).cloned()?;
        assert_eq!(to, client);
        Some(answer)
    }

    /// A user's credential with a fresh nonce.
    pub(super) fn login(&mut self, client: Client, user: &str, ttl_s: u64) -> Login {
        let answer = self.plain(client, &Ask::allocate());
        assert_eq!(answer.code, Some(401));
        let (name, password) = credential(&secret(), user, self.at.unix_s + ttl_s);
        let (realm, nonce) = (answer.text(attribute::REALM), answer.text(attribute::NONCE));
        Login { name, password, realm, nonce }
    }

    pub(super) fn plain(&mut self, client: Client, ask: &Ask) -> Answer {
        Answer::read(self.give(client, &ask.plain()).expect("an answer"), None)
    }

    pub(super) fn signed(&mut self, client: Client, login: &Login, ask: &Ask) -> Answer {
        let bytes = self.give(client, &ask.signed(login)).expect("an answer");
        Answer::read(bytes, Some(login))
    }

    /// The code of an answer, or 0 for success.
    pub(super) fn code(&mut self, client: Client, login: &Login, ask: &Ask) -> u16 {
        self.signed(client, login, ask).code.unwrap_or(0)
    }

    /// A page with an allocation.
    pub(super) fn page(&mut self, client: Client, ask: Ask) -> (Login, Answer) {
        let login = self.login(client, "sato", 7_200);
        let answer = self.signed(client, &login, &ask);
        assert_eq!(answer.code, None);
        (login, answer)
    }

    pub(super) fn id(&self, client: Client) -> AllocationId {
        self.turn.table.id_of(&client).expect("an allocation")
    }

    /// What a Send indication or ChannelData means for a peer.
    pub(super) fn towards(
        &mut self,
        client: Client,
        bytes: &[u8],
    ) -> Option<(SocketAddr, Vec<u8>)> {
        let mut out = Vec::new();
        let to = self.turn.from_client(client, bytes, self.at, &mut out);
        assert_eq!(out, [], "data is not answered");
        to.map(|to| (to.peer, to.data.to_vec()))
    }

    /// Whether bytes of this peer reach the client.
    pub(super) fn comes_through(&self, client: Client, peer: &str) -> bool {
        self.turn.from_peer(self.id(client), address(peer), 10, self.at).is_some()
    }
}

/// A server with something to find: an allocation, a permission, a channel.
fn lived_in() -> (Rig, Login) {
    let mut rig = Rig::usual();
    let (login, _) = rig.page(udp(1), Ask::allocate().both_families());
    assert_eq!(rig.code(udp(1), &login, &Ask::permission(&[PEER, PEER_V6])), 0);
    assert_eq!(rig.code(udp(1), &login, &Ask::bind(0x4000, PEER)), 0);
    (rig, login)
}
