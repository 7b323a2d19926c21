//! The relayed UDP sockets: one for each allocation and family, from a range of ports.

use crate::turn::{AllocationId, Family, OpenFailed, PortWish};
use aws_lc_rs::rand;
use rustix::event::epoll;
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::os::fd::OwnedFd;

/// Kernel buffer for what peers send. It is a bound, not memory taken: half a second of a picture
/// at a megabit a second. When it is full the kernel drops what comes.
const RECEIVE_BYTES: usize = 64 * 1024;
/// Ports tried for one allocation, from a random one on. With 64 taken in a row the machine is as
/// good as full.
const TRIES: u32 = 64;

/// A relayed socket.
#[derive(Debug)]
pub(super) struct RelayedSocket {
    pub(super) socket: UdpSocket,
    pub(super) allocation: AllocationId,
    pub(super) is_v6: bool,
    /// Its address as its client knows it, once the client does.
    pub(super) told: Option<SocketAddr>,
    /// The last round in which something was there.
    round: u64,
}

impl RelayedSocket {
    /// Whether something was there in the round before this one too: then more may wait.
    pub(super) fn is_busy(&mut self, round: u64) -> bool {
        let before = std::mem::replace(&mut self.round, round);
        before + 1 == round
    }
}

/// All of them. A socket is known by its number, which the poll tells with each event.
#[derive(Debug)]
pub(super) struct Relayed {
    sockets: Vec<Option<RelayedSocket>>,
    free: Vec<usize>,
    number_by_allocation: HashMap<(AllocationId, Family), usize>,
    /// Kept aside for a client that comes with a reservation token.
    reserved: HashMap<SocketAddr, UdpSocket>,
    ports: RangeInclusive<u16>,
    ips: [IpAddr; 2],
}

impl Relayed {
    /// `ips`: where sockets of IPv4 and of IPv6 are bound.
    pub(super) fn new(ports: RangeInclusive<u16>, ips: [IpAddr; 2]) -> Self {
        Self {
            sockets: Vec::new(),
            free: Vec::new(),
            number_by_allocation: HashMap::new(),
            reserved: HashMap::new(),
            ports,
            ips,
        }
    }

    pub(super) fn get(&self, number: usize) -> Option<&RelayedSocket> {
        self.sockets.get(number)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, number: usize) -> Option<&mut RelayedSocket> {
        self.sockets.get_mut(number)?.as_mut()
    }

    /// The number of an allocation's socket of a family.
    pub(super) fn number(&self, allocation: AllocationId, family: Family) -> Option<usize> {
        self.number_by_allocation.get(&(allocation, family)).copied()
    }

    /// Opens a socket as wished and has it polled: its events carry `token(number)`.
    pub(super) fn open(
        &mut self,
        poll: &OwnedFd,
        token: impl Fn(usize) -> epoll::EventData,
        allocation: AllocationId,
        family: Family,
        wish: PortWish,
    ) -> Result<SocketAddr, OpenFailed> {
        let socket = self.take(family, wish).ok_or(OpenFailed)?;
        let address = socket.local_addr().map_err(|_| OpenFailed)?;
        let number = self.free.pop().unwrap_or_else(|| {
            self.sockets.push(None);
            self.sockets.len() - 1
        });
        let added = epoll::add(poll, &socket, token(number), epoll::EventFlags::IN);
        let place = self.sockets.get_mut(number).ok_or(OpenFailed)?;
        if let Err(error) = added {
            tracing::warn!(%error, "a relayed socket cannot be polled");
            self.free.push(number);
            return Err(OpenFailed);
        }
        let is_v6 = family == Family::V6;
        *place = Some(RelayedSocket { socket, allocation, is_v6, told: None, round: 0 });
        self.number_by_allocation.insert((allocation, family), number);
        Ok(address)
    }

    /// Closes an allocation's socket of one family, or all; which addresses clients knew. A closed
    /// socket leaves the poll.
    pub(super) fn close(
        &mut self,
        allocation: AllocationId,
        family: Option<Family>,
    ) -> Vec<SocketAddr> {
        let mut told = Vec::new();
        for each in [Family::V4, Family::V6] {
            if family.is_some_and(|one| one != each) {
                continue;
            }
            let Some(number) = self.number_by_allocation.remove(&(allocation, each)) else {
                continue;
            };
            if let Some(place) = self.sockets.get_mut(number) {
                told.extend(place.take().and_then(|relayed| relayed.told));
                self.free.push(number);
            }
        }
        told
    }

    /// Nobody came for it.
    pub(super) fn release(&mut self, reserved: SocketAddr) {
        self.reserved.remove(&reserved);
    }

    fn take(&mut self, family: Family, wish: PortWish) -> Option<UdpSocket> {
        let ip = match family {
            Family::V4 => self.ips[0],
            Family::V6 => self.ips[1],
        };
        if let PortWish::Reserved(address) = wish {
            return self.reserved.remove(&address);
        }
        let even = wish != PortWish::Any;
        for port in ports_from(random()?, &self.ports, even) {
            let socket = match bind(SocketAddr::new(ip, port)) {
                Ok(socket) => socket,
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => continue,
                Err(error) => {
                    tracing::warn!(%error, "no relayed socket");
                    return None;
                }
            };
            if wish != PortWish::EvenAndReserveNext {
                return Some(socket);
            }
            let next = port.checked_add(1).filter(|port| self.ports.contains(port));
            let Some(next) = next.map(|port| SocketAddr::new(ip, port)) else { continue };
            if let Ok(kept) = bind(next) {
                self.reserved.insert(next, kept);
                return Some(socket);
            }
        }
        None
    }
}

/// At most [`TRIES`] ports of the range, from a random one on.
fn ports_from(
    random: u32,
    ports: &RangeInclusive<u16>,
    even: bool,
) -> impl Iterator<Item = u16> + use<> {
    let (first, last) = (u32::from(*ports.start()), u32::from(*ports.end()));
    let count = (last + 1).saturating_sub(first).max(1);
    let step = if even { 2 } else { 1 };
    (0..count.min(TRIES))
        .map(move |i| first + (random % count + i * step) % count)
        .map(move |port| if even { port & !1 } else { port })
        .filter(move |port| (first..=last).contains(port))
        .filter_map(|port| u16::try_from(port).ok())
}

/// A port that cannot be foreseen is harder to send to without having been told (RFC 6056).
fn random() -> Option<u32> {
    let mut bytes = [0; 4];
    rand::fill(&mut bytes).ok()?;
    Some(u32::from_ne_bytes(bytes))
}

fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::DGRAM.nonblocking().cloexec(), Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_recv_buffer_size(RECEIVE_BYTES)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_stay_in_their_range_and_even_ones_are_even() {
        for random in [0, 1, 7, 99, u32::MAX] {
            assert!(
                ports_from(random, &(40_001..=40_010), false)
                    .all(|p| (40_001..=40_010).contains(&p))
            );
            let even: Vec<u16> = ports_from(random, &(40_001..=40_010), true).collect();
            assert!(
                !even.is_empty()
                    && even.iter().all(|p| p % 2 == 0 && (40_001..=40_010).contains(p))
            );
        }
    }

    #[test]
    fn a_range_of_one_port_is_that_port() {
        assert_eq!(ports_from(5, &(40_000..=40_000), false).collect::<Vec<_>>(), [40_000]);
        assert_eq!(ports_from(5, &(65_535..=65_535), true).count(), 0);
    }
}
