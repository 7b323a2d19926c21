//! The least that carries the same packets: it believes everybody, checks nothing, and takes and
//! sends one packet a system call. What a TURN server costs beyond it is TURN.

use super::client::attribute;
use anyhow::Context as _;
use rustix::event::epoll;
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};

const ALLOCATE: u8 = 0x03;
const CHANNEL_BIND: u8 = 0x09;
const CHANNEL_NUMBER: u16 = 0x000C;
const LIFETIME: u16 = 0x000D;
const XOR_PEER_ADDRESS: u16 = 0x0012;
const XOR_RELAYED_ADDRESS: u16 = 0x0016;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const COOKIE: u32 = 0x2112_a442;

struct Relayed {
    socket: UdpSocket,
    client: SocketAddr,
    channel_by_peer: HashMap<SocketAddr, [u8; 2]>,
}

struct Bare {
    port: UdpSocket,
    poll: rustix::fd::OwnedFd,
    relayed: Vec<Relayed>,
    number_by_client: HashMap<SocketAddr, usize>,
    peer_by_channel: HashMap<(usize, [u8; 2]), SocketAddr>,
}

/// Serves for ever.
pub(crate) fn serve(address: &str) -> anyhow::Result<()> {
    let port = UdpSocket::bind(address)?;
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&poll, &port, epoll::EventData::new_u64(0), epoll::EventFlags::IN)?;
    let (relayed, number_by_client, peer_by_channel) = Default::default();
    let mut bare = Bare { port, poll, relayed, number_by_client, peer_by_channel };
    let (mut events, mut bytes) = (Vec::with_capacity(128), [0; 2_048]);
    loop {
        events.clear();
        epoll::wait(&bare.poll, rustix::buffer::spare_capacity(&mut events), None)?;
        for event in &events {
            match usize::try_from(event.data.u64())? {
                0 => bare.relay_from_client(&mut bytes)?,
                number => bare.relay_from_peer(number - 1, &mut bytes)?,
            }
        }
    }
}

impl Bare {
    fn relay_from_peer(&mut self, number: usize, bytes: &mut [u8; 2_048]) -> anyhow::Result<()> {
        let relayed = self.relayed.get(number).context("a relayed socket")?;
        let (len, peer) = relayed.socket.recv_from(&mut bytes[4..])?;
        let Some(channel) = relayed.channel_by_peer.get(&peer) else { return Ok(()) };
        bytes[..2].copy_from_slice(channel);
        bytes[2..4].copy_from_slice(&u16::try_from(len)?.to_be_bytes());
        self.port.send_to(&bytes[..len + 4], relayed.client)?;
        Ok(())
    }

    fn relay_from_client(&mut self, bytes: &mut [u8; 2_048]) -> anyhow::Result<()> {
        let (len, client) = self.port.recv_from(bytes)?;
        let message = bytes.get(..len).filter(|bytes| bytes.len() >= 4).context("a message")?;
        if message[0] >> 6 == 0 {
            return self.answer(message, client);
        }
        let number = *self.number_by_client.get(&client).context("an allocation")?;
        let channel = [message[0], message[1]];
        let peer = self.peer_by_channel.get(&(number, channel)).context("a channel")?;
        let end = 4 + usize::from(u16::from_be_bytes([message[2], message[3]]));
        let data = message.get(4..end).context("whole data")?;
        self.relayed.get(number).context("a socket")?.socket.send_to(data, peer)?;
        Ok(())
    }

    fn answer(&mut self, request: &[u8], client: SocketAddr) -> anyhow::Result<()> {
        let mut attributes = Vec::new();
        match request[1] {
            ALLOCATE => {
                let number = self.allocate(client)?;
                let relayed = self.relayed[number].socket.local_addr()?;
                put(&mut attributes, XOR_RELAYED_ADDRESS, &xor(relayed));
            }
            CHANNEL_BIND => {
                let number = *self.number_by_client.get(&client).context("an allocation")?;
                let channel = attribute(request, CHANNEL_NUMBER).context("a number")?;
                let channel = [channel[0], channel[1]];
                let peer = peer(attribute(request, XOR_PEER_ADDRESS).context("a peer")?)?;
                self.peer_by_channel.insert((number, channel), peer);
                self.relayed[number].channel_by_peer.insert(peer, channel);
            }
            _ => {}
        }
        put(&mut attributes, LIFETIME, &600_u32.to_be_bytes());
        put(&mut attributes, XOR_MAPPED_ADDRESS, &xor(client));
        let mut answer = vec![1, request[1]];
        answer.extend(u16::try_from(attributes.len())?.to_be_bytes());
        answer.extend_from_slice(request.get(4..20).context("a header")?);
        answer.extend(attributes);
        self.port.send_to(&answer, client)?;
        Ok(())
    }

    fn allocate(&mut self, client: SocketAddr) -> anyhow::Result<usize> {
        if let Some(number) = self.number_by_client.get(&client) {
            return Ok(*number);
        }
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        let number = self.relayed.len();
        let token = epoll::EventData::new_u64(number as u64 + 1);
        epoll::add(&self.poll, &socket, token, epoll::EventFlags::IN)?;
        self.relayed.push(Relayed { socket, client, channel_by_peer: HashMap::new() });
        self.number_by_client.insert(client, number);
        Ok(number)
    }
}

fn put(attributes: &mut Vec<u8>, kind: u16, value: &[u8]) {
    attributes.extend(kind.to_be_bytes());
    // Values here are 8 bytes at most.
    attributes.extend([0, value.len().to_le_bytes()[0]]);
    attributes.extend_from_slice(value);
}

/// Only IPv4: it is a loop on loopback.
fn xor(address: SocketAddr) -> [u8; 8] {
    let SocketAddr::V4(address) = address else { return [0; 8] };
    let [a, b] = (address.port() ^ 0x2112).to_be_bytes();
    let [c, d, e, f] = (address.ip().to_bits() ^ COOKIE).to_be_bytes();
    [0, 1, a, b, c, d, e, f]
}

fn peer(value: &[u8]) -> anyhow::Result<SocketAddr> {
    let &[_, _, a, b, c, d, e, f] = value else { anyhow::bail!("an address of IPv4") };
    let ip = Ipv4Addr::from_bits(u32::from_be_bytes([c, d, e, f]) ^ COOKIE);
    Ok(SocketAddrV4::new(ip, u16::from_be_bytes([a, b]) ^ 0x2112).into())
}
