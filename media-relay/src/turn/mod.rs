//! TURN server (RFC 8656, RFC 8489, RFC 6156): PURE. Bytes, times and opened sockets come in,
//! commands come out; `net` owns the sockets and the clock.
//!
//! Laws, each kept in one place:
//! - A peer is refused unless it is our own forwarding unit or in an opened range, in whatever
//!   spelling it comes ([`peers`]).
//! - An allocation counts for its user from the moment its socket is asked for until it is gone
//!   ([`table`]), so that two requests at once cannot both take the last place.
//! - Nothing is remembered of a client that has not proved its credential ([`nonce`]).

mod access;
mod allocate;
mod allocation;
mod cidr;
mod config;
mod credential;
mod data;
mod framing;
mod integrity;
mod nonce;
mod peers;
mod refusal;
mod requests;
mod table;
#[cfg(test)]
mod tests;
mod wire;
mod writer;

pub(crate) use cidr::Cidr;
pub(crate) use config::REALM_BYTES_MAX;

pub(crate) use config::TurnConfig;
pub(crate) use credential::{Secret, credential};
pub(crate) use framing::{Framing, frame_len};

use allocation::State;
use nonce::Nonces;
use peers::Peers;
use refusal::Tally;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::AtomicU64;
use std::time::Instant;
use table::{Due, Table};
use wire::{Class, Message, method};

/// The client's side of the 5-tuple.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Client {
    /// A datagram's source at one of our UDP listeners (numbered by the edge).
    Udp { listener: u16, address: SocketAddr },
    /// A TCP or TLS connection (numbered by the edge, never twice the same).
    Stream { connection: u64, address: SocketAddr },
}

/// One allocation; never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct AllocationId(pub(crate) u64);

/// The clocks as the edge read them: steady time for lifetimes, Unix seconds for credentials.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    pub(crate) now: Instant,
    pub(crate) unix_s: u64,
}

/// Address family of a relayed address; its peers are of the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Family {
    V4,
    V6,
}

/// What port a relayed socket shall have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PortWish {
    Any,
    /// An even one.
    Even,
    /// An even one, and the next higher is bound too and kept aside. `opened` is told the even
    /// one only; if the higher cannot be had, the whole wish has failed.
    EvenAndReserveNext,
    /// The socket kept aside before at this address (the one told to `opened`, port + 1).
    Reserved(SocketAddr),
}

/// Control path: what the edge has to do. Rare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    /// Send to the client; over a stream as it is.
    Answer { client: Client, bytes: Vec<u8> },
    /// Open a relayed UDP socket (IPv6: V6ONLY) and call `opened`, also on failure.
    Open { allocation: AllocationId, family: Family, port: PortWish },
    /// Close the relayed socket of a family, or all (`None`). Harmless if there is none.
    Close { allocation: AllocationId, family: Option<Family> },
    /// Nobody takes the socket kept aside at this address: close it. Harmless if there is none.
    Release { reserved: SocketAddr },
}

/// The system gave no socket as wished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no relayed socket to be had")]
pub(crate) struct OpenFailed;

/// Data path, towards a peer: send `data` from the allocation's socket of the peer's family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ToPeer<'a> {
    pub(crate) allocation: AllocationId,
    pub(crate) peer: SocketAddr,
    pub(crate) data: &'a [u8],
    /// The peer is our own forwarding unit: hand over inside the process.
    pub(crate) inside: bool,
}

/// Data path, towards a client: send `prefix[..prefix_len]`, the data, then `padding` zero bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ToClient {
    pub(crate) client: Client,
    pub(crate) prefix: [u8; PREFIX_BYTES_MAX],
    pub(crate) prefix_len: usize,
    pub(crate) padding: usize,
}

/// A Data indication's header, an IPv6 XOR-PEER-ADDRESS and the head of DATA.
pub(crate) const PREFIX_BYTES_MAX: usize = 48;

/// What the server did so far and holds now; no names in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Answered with success and alive.
    pub(crate) allocations: usize,
    /// Waiting for their sockets.
    pub(crate) pending: usize,
    /// Ports kept aside.
    pub(crate) reservations: usize,
    /// Error code and how often it was answered.
    pub(crate) refusals: Vec<(u16, u64)>,
}

impl Client {
    /// Where it comes from, without IPv6 clothes.
    fn address(&self) -> SocketAddr {
        let (Self::Udp { address, .. } | Self::Stream { address, .. }) = self;
        SocketAddr::new(address.ip().to_canonical(), address.port())
    }
}

impl Family {
    fn has(self, ip: IpAddr) -> bool {
        match self {
            Self::V4 => ip.is_ipv4(),
            Self::V6 => ip.is_ipv6(),
        }
    }
}

/// The server.
#[derive(Debug)]
pub(crate) struct Turn {
    config: TurnConfig,
    peers: Peers,
    nonces: Nonces,
    table: Table,
    refusals: Tally,
    /// Numbers Data indications; not atomic for other threads but for `&self`.
    indications: AtomicU64,
}

#[expect(clippy::wrong_self_convention, reason = "not conversions: where bytes come from")]
impl Turn {
    /// `nonce_key`: random for each process.
    pub(crate) fn new(config: TurnConfig, nonce_key: [u8; 32]) -> Self {
        Self {
            peers: Peers::new(&config),
            nonces: Nonces::new(nonce_key, config.nonce_life_s),
            table: Table::new(&config),
            refusals: Tally::default(),
            indications: AtomicU64::new(0),
            config,
        }
    }

    /// A whole STUN message or ChannelData of a client: a datagram, or a frame as [`frame_len`]
    /// cuts it. What it means for a peer is returned, everything else is told to `out`.
    pub(crate) fn from_client<'a>(
        &mut self,
        client: Client,
        bytes: &'a [u8],
        at: At,
        out: &mut Vec<Command>,
    ) -> Option<ToPeer<'a>> {
        match bytes.first()? >> 6 {
            0 => {}
            1 => return self.channel_data(client, bytes, at),
            _ => return None,
        }
        let message = Message::parse(bytes)?;
        if !integrity::fingerprint_is_right(&message) {
            return None;
        }
        match (message.class, message.method) {
            (Class::Indication, method::SEND) => self.send(client, &message, at),
            (Class::Request, _) => {
                self.expire(at, out);
                self.request(client, &message, at, out);
                None
            }
            (Class::Indication | Class::Success | Class::Error, _) => None,
        }
    }

    /// Whose relayed address (as told to clients) this is.
    pub(crate) fn allocation_at(&self, relayed: SocketAddr) -> Option<AllocationId> {
        self.table.at(relayed)
    }

    /// The allocation's relayed address (as told to its client) of a family.
    pub(crate) fn relayed(&self, allocation: AllocationId, family: Family) -> Option<SocketAddr> {
        self.table.allocation(allocation)?.relayed(family)
    }

    /// The answer to [`Command::Open`]: where the socket is bound, or that it is not.
    pub(crate) fn opened(
        &mut self,
        allocation: AllocationId,
        family: Family,
        socket: Result<SocketAddr, OpenFailed>,
        at: At,
        out: &mut Vec<Command>,
    ) {
        self.socket_opened(allocation, family, socket, at, out);
    }

    /// A stream has closed: its allocation is gone at once.
    pub(crate) fn gone(&mut self, client: Client, out: &mut Vec<Command>) {
        let Some(id) = self.table.id_of(&client) else {
            return;
        };
        self.table.forget_client(&client, id);
        let state = self.table.allocation_mut(id).map(|allocation| &mut allocation.state);
        match state {
            // Its sockets are on their way: they are closed when they come.
            Some(State::Pending(pending)) => pending.abandoned = true,
            Some(State::Live { .. }) => self.give_back(id, None, out),
            None => {}
        }
    }

    /// Ends what has outlived its time. To be called at [`Self::next_deadline`].
    pub(crate) fn expire(&mut self, at: At, out: &mut Vec<Command>) {
        while let Some((due, what)) = self.table.next_due()
            && due <= at.now
        {
            match what {
                Due::Reservation(token) => {
                    let reserved = self.table.take_reserved(&token);
                    out.extend(reserved.map(|reserved| Command::Release { reserved }));
                }
                Due::Allocation(id) => self.expire_allocation(id, at, out),
            }
        }
    }

    fn expire_allocation(&mut self, id: AllocationId, at: At, out: &mut Vec<Command>) {
        let Some(allocation) = self.table.allocation(id) else {
            return;
        };
        if allocation.is_pending() {
            return self.open_is_late(id, out);
        }
        for family in allocation.expired(at.now) {
            self.give_back(id, Some(family), out);
        }
    }

    /// Gives back a family's address, or all; without any the allocation is no more.
    fn give_back(&mut self, id: AllocationId, family: Option<Family>, out: &mut Vec<Command>) {
        if let Some(family) = family {
            self.table.drop_family(id, family);
        }
        let left = self.table.allocation(id).and_then(|allocation| allocation.next_end());
        if family.is_some() && left.is_some() {
            self.table.due_again(id);
            out.push(Command::Close { allocation: id, family });
        } else if self.table.remove(id).is_some() {
            out.push(Command::Close { allocation: id, family: None });
        }
    }

    /// When [`Self::expire`] has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.table.next_due().map(|(due, _)| due)
    }

    /// From now on there is no capacity for new allocations (508); those that are there go on.
    /// Not 300: of another server that would be better signaling knows, and not this one.
    pub(crate) fn drain(&mut self) {
        self.table.draining = true;
    }

    /// For metrics.
    pub(crate) fn counts(&self) -> Counts {
        let (allocations, pending, reservations) = self.table.counts();
        Counts { allocations, pending, reservations, refusals: self.refusals.by_code() }
    }
}
