//! A TURN client of our own making, small enough to read, that can also be rude: it says what it
//! is told to say and shows the code of every answer.

use aws_lc_rs::hmac;
use md5::{Digest as _, Md5};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

pub const ALLOCATE: u16 = 0x003;
pub const REFRESH: u16 = 0x004;
pub const CREATE_PERMISSION: u16 = 0x008;
pub const CHANNEL_BIND: u16 = 0x009;

const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const ERROR_CODE: u16 = 0x0009;
const CHANNEL_NUMBER: u16 = 0x000C;
const LIFETIME: u16 = 0x000D;
const XOR_PEER_ADDRESS: u16 = 0x0012;
const DATA: u16 = 0x0013;
const REALM: u16 = 0x0014;
const NONCE: u16 = 0x0015;
const XOR_RELAYED_ADDRESS: u16 = 0x0016;
const REQUESTED_ADDRESS_FAMILY: u16 = 0x0017;
const REQUESTED_TRANSPORT: u16 = 0x0019;
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// An answer is waited for as long as this, and asked for again every half second by UDP.
const PATIENCE: Duration = Duration::from_secs(20);
const AGAIN: Duration = Duration::from_millis(500);

/// By what the server is reached.
#[derive(Debug)]
pub enum Wire {
    Udp(UdpSocket),
    Tcp(TcpStream),
}

impl Wire {
    pub fn udp(server: SocketAddr) -> Self {
        let socket = UdpSocket::bind((server.ip(), 0)).unwrap();
        socket.connect(server).unwrap();
        socket.set_read_timeout(Some(AGAIN)).unwrap();
        Self::Udp(socket)
    }

    pub fn tcp(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self::Tcp(stream)
    }

    pub fn send(&mut self, message: &[u8]) {
        match self {
            Self::Udp(socket) => drop(socket.send(message).unwrap()),
            Self::Tcp(stream) => stream.write_all(message).unwrap(),
        }
    }

    /// The next message; `None`: none came within a while.
    pub fn receive(&mut self) -> Option<Vec<u8>> {
        let mut bytes = vec![0; 4_096];
        match self {
            Self::Udp(socket) => {
                let len = socket.recv(&mut bytes).ok()?;
                bytes.truncate(len);
            }
            Self::Tcp(stream) => {
                stream.read_exact(&mut bytes[..4]).ok()?;
                let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
                let is_stun = bytes[0] >> 6 == 0;
                let whole = if is_stun { 20 + length } else { 4 + length.next_multiple_of(4) };
                stream.read_exact(&mut bytes[4..whole]).ok()?;
                bytes.truncate(whole);
            }
        }
        Some(bytes)
    }
}

/// A client with a credential.
#[derive(Debug)]
pub struct Client {
    pub wire: Wire,
    name: String,
    password: String,
    realm: Vec<u8>,
    nonce: Vec<u8>,
    transaction: u64,
}

impl Client {
    pub fn new(wire: Wire, (name, password): (String, String)) -> Self {
        let (realm, nonce) = Default::default();
        Self { wire, name, password, realm, nonce, transaction: 0 }
    }

    /// Asks and answers with the attributes, or with the error's code.
    pub fn ask(&mut self, method: u16, attributes: &[(u16, Vec<u8>)]) -> Result<Vec<u8>, u16> {
        let message = self.request(method, attributes);
        let answer = self.answer_to(&message);
        if answer[0] & 1 == 1 && answer[1] & 0x10 == 0 {
            return Ok(answer);
        }
        let error = attribute(&answer, ERROR_CODE).unwrap();
        let code = u16::from(error[2]) * 100 + u16::from(error[3]);
        if matches!(code, 401 | 438) {
            self.realm = attribute(&answer, REALM).unwrap().to_vec();
            self.nonce = attribute(&answer, NONCE).unwrap().to_vec();
        }
        Err(code)
    }

    /// The first request of a client, which has no nonce yet, and then the real one.
    pub fn allocate(&mut self) -> Result<SocketAddr, u16> {
        let mut wish = vec![(REQUESTED_TRANSPORT, vec![17, 0, 0, 0])];
        if matches!(&self.wire, Wire::Udp(socket) if socket.local_addr().unwrap().is_ipv6()) {
            wish.push((REQUESTED_ADDRESS_FAMILY, vec![2, 0, 0, 0]));
        }
        if self.nonce.is_empty() {
            assert_eq!(self.ask(ALLOCATE, &wish), Err(401));
        }
        let answer = self.ask(ALLOCATE, &wish)?;
        Ok(address(attribute(&answer, XOR_RELAYED_ADDRESS).unwrap(), &answer))
    }

    pub fn refresh(&mut self, seconds: u32) -> Result<(), u16> {
        self.ask(REFRESH, &[(LIFETIME, seconds.to_be_bytes().into())]).map(drop)
    }

    pub fn permit(&mut self, peer: SocketAddr) -> Result<(), u16> {
        let peer = self.peer(peer);
        self.ask(CREATE_PERMISSION, &[peer]).map(drop)
    }

    pub fn bind(&mut self, channel: u16, peer: SocketAddr) -> Result<(), u16> {
        let [a, b] = channel.to_be_bytes();
        let peer = self.peer(peer);
        self.ask(CHANNEL_BIND, &[(CHANNEL_NUMBER, vec![a, b, 0, 0]), peer]).map(drop)
    }

    /// ChannelData, padded as streams want it.
    pub fn send_by_channel(&mut self, channel: u16, data: &[u8]) {
        let len = u16::try_from(data.len()).unwrap();
        let mut message = [channel.to_be_bytes(), len.to_be_bytes()].concat();
        message.extend_from_slice(data);
        message.resize(message.len().next_multiple_of(4), 0);
        self.wire.send(&message);
    }

    /// A Send indication.
    pub fn send_to(&mut self, peer: SocketAddr, data: &[u8]) {
        let peer = self.peer(peer);
        let message = self.message(0x0016, &[peer, (DATA, data.into())]);
        self.wire.send(&message);
    }

    /// The data of the next ChannelData or Data indication.
    pub fn receive_data(&mut self) -> Option<Vec<u8>> {
        loop {
            let message = self.wire.receive()?;
            if message[0] >> 6 == 1 {
                let len = usize::from(u16::from_be_bytes([message[2], message[3]]));
                return Some(message[4..4 + len].to_vec());
            }
            if message[..2] == [0, 0x17] {
                return attribute(&message, DATA).map(<[u8]>::to_vec);
            }
        }
    }

    fn answer_to(&mut self, message: &[u8]) -> Vec<u8> {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            self.wire.send(message);
            // What else comes meanwhile is of no interest.
            while let Some(answer) = self.wire.receive() {
                if answer.get(8..20) == Some(&message[8..20]) {
                    return answer;
                }
            }
        }
        panic!("the server answers")
    }

    fn request(&mut self, method: u16, attributes: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let mut message = self.message(method, attributes);
        if self.nonce.is_empty() {
            return message;
        }
        put(&mut message, USERNAME, self.name.as_bytes());
        put(&mut message, REALM, &self.realm);
        put(&mut message, NONCE, &self.nonce);
        let realm = String::from_utf8_lossy(&self.realm);
        let key = Md5::digest(format!("{}:{realm}:{}", self.name, self.password));
        integrity(&mut message, &key);
        message
    }

    fn message(&mut self, kind: u16, attributes: &[(u16, Vec<u8>)]) -> Vec<u8> {
        self.transaction += 1;
        let mut message = [&kind.to_be_bytes()[..], &[0, 0], &COOKIE, &[7; 4]].concat();
        message.extend(self.transaction.to_be_bytes());
        attributes.iter().for_each(|(kind, value)| put(&mut message, *kind, value));
        message
    }

    fn peer(&self, peer: SocketAddr) -> (u16, Vec<u8>) {
        let mut mask = [&COOKIE[..], &[7; 4]].concat();
        mask.extend((self.transaction + 1).to_be_bytes());
        let (family, ip) = match peer {
            SocketAddr::V4(v4) => (1, v4.ip().octets().to_vec()),
            SocketAddr::V6(v6) => (2, v6.ip().octets().to_vec()),
        };
        let mut value = vec![0, family];
        value.extend((peer.port() ^ 0x2112).to_be_bytes());
        value.extend(ip.iter().zip(&mask).map(|(byte, mask)| byte ^ mask));
        (XOR_PEER_ADDRESS, value)
    }
}

/// Signs a message (RFC 8489 section 14.5).
pub fn integrity(message: &mut Vec<u8>, key: &[u8]) {
    let length = u16::try_from(message.len() - 20 + 24).unwrap();
    message[2..4].copy_from_slice(&length.to_be_bytes());
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let tag = hmac::sign(&key, message);
    put(message, MESSAGE_INTEGRITY, tag.as_ref());
}

/// Adds an attribute.
pub fn put(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    message.extend(kind.to_be_bytes());
    message.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
    message.extend_from_slice(value);
    message.resize(message.len().next_multiple_of(4), 0);
    let length = u16::try_from(message.len() - 20).unwrap();
    message[2..4].copy_from_slice(&length.to_be_bytes());
}

/// The value of the first attribute of a kind.
pub fn attribute(message: &[u8], wanted: u16) -> Option<&[u8]> {
    let mut rest = message.get(20..)?;
    while let [a, b, high, low, body @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        if u16::from_be_bytes([*a, *b]) == wanted {
            return body.get(..length);
        }
        rest = body.get(length.next_multiple_of(4)..)?;
    }
    None
}

fn address(value: &[u8], message: &[u8]) -> SocketAddr {
    let port = u16::from_be_bytes([value[2], value[3]]) ^ 0x2112;
    let ip: Vec<u8> = value[4..].iter().zip(&message[4..20]).map(|(a, b)| a ^ b).collect();
    match <[u8; 4]>::try_from(&ip[..]) {
        Ok(v4) => (v4, port).into(),
        Err(_) => (<[u8; 16]>::try_from(&ip[..]).unwrap(), port).into(),
    }
}
