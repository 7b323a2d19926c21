//! One allocation: its relayed addresses, whom its client may reach, and by which channels
//! (RFC 8656 section 2). PURE.

use super::integrity::Signed;
use super::peers::Reach;
use super::refusal::Refusal;
use super::wire::Transaction;
use super::{Client, Family, PortWish};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// A permission's life (RFC 8656 section 9); asked for again it begins anew.
pub(super) const PERMISSION_LIFE: Duration = Duration::from_secs(300);
/// A channel's life (RFC 8656 section 12).
pub(super) const CHANNEL_LIFE: Duration = Duration::from_secs(600);

/// One allocation.
#[derive(Debug)]
pub(super) struct Allocation {
    pub(super) client: Client,
    /// The whole user name that made it; no other may touch it.
    pub(super) name: Box<str>,
    /// Of the Allocate: the same one again gets the same answer.
    pub(super) transaction: Transaction,
    pub(super) state: State,
    /// When something of it ends.
    pub(super) deadline: Instant,
    relayed: [Option<Relayed>; 2],
    permissions: Vec<Permission>,
    channels: Vec<Channel>,
}

/// Whether it is there yet.
#[derive(Debug)]
pub(super) enum State {
    /// Its sockets are being opened.
    Pending(Box<Pending>),
    /// Its answer has been sent.
    Live { answer: Box<[u8]> },
}

/// What is needed to answer once the sockets are there.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pub(super) signed: Signed,
    pub(super) fingerprint: bool,
    pub(super) lifetime_s: u32,
    pub(super) wish: PortWish,
    /// By family.
    pub(super) sockets: [Wanted; 2],
    /// The client has gone meanwhile.
    pub(super) abandoned: bool,
}

/// How far a family's socket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    No,
    Asked,
    /// Where it is bound.
    Bound(SocketAddr),
    Failed(Refusal),
}

#[derive(Debug, Clone, Copy)]
struct Relayed {
    /// As told to the client.
    address: SocketAddr,
    expires: Instant,
}

#[derive(Debug, Clone, Copy)]
struct Permission {
    ip: IpAddr,
    expires: Instant,
}

/// A number that stands for a peer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Channel {
    pub(super) number: u16,
    pub(super) peer: SocketAddr,
    pub(super) reach: Reach,
    expires: Instant,
}

/// How many of each an allocation may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) permissions_max: usize,
    pub(super) channels_max: usize,
}

fn index(family: Family) -> usize {
    match family {
        Family::V4 => 0,
        Family::V6 => 1,
    }
}

impl Pending {
    pub(super) fn socket(&mut self, family: Family) -> &mut Wanted {
        &mut self.sockets[index(family)]
    }

    pub(super) fn asked(&self, family: Family) -> bool {
        self.sockets[index(family)] == Wanted::Asked
    }

    pub(super) fn keeps_next_aside(&self) -> bool {
        self.wish == PortWish::EvenAndReserveNext
    }
}

impl Allocation {
    pub(super) fn new(
        client: Client,
        name: &str,
        transaction: Transaction,
        pending: Pending,
        deadline: Instant,
    ) -> Self {
        Self {
            client,
            name: name.into(),
            transaction,
            state: State::Pending(Box::new(pending)),
            deadline,
            relayed: [None; 2],
            permissions: Vec::new(),
            channels: Vec::new(),
        }
    }

    pub(super) fn is_pending(&self) -> bool {
        matches!(self.state, State::Pending(_))
    }

    /// What it counts for: itself, and a port that it is about to keep aside.
    pub(super) fn places(&self) -> usize {
        match &self.state {
            State::Pending(pending) if pending.keeps_next_aside() => 2,
            State::Pending(_) | State::Live { .. } => 1,
        }
    }

    pub(super) fn relayed(&self, family: Family) -> Option<SocketAddr> {
        self.relayed[index(family)].map(|relayed| relayed.address)
    }

    /// Its relayed addresses, IPv4 first.
    pub(super) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.relayed.iter().flatten().map(|relayed| relayed.address)
    }

    /// Whether it relays this family now.
    pub(super) fn serves(&self, family: Family, now: Instant) -> bool {
        self.relayed[index(family)].is_some_and(|relayed| relayed.expires > now)
    }

    /// Gives it an address, or a longer or shorter life to one that it has.
    pub(super) fn keep(&mut self, address: SocketAddr, expires: Instant) {
        self.relayed[index(Family::of(address))] = Some(Relayed { address, expires });
    }

    /// Prolongs the families that it has, of those asked for.
    pub(super) fn prolong(&mut self, family: Option<Family>, expires: Instant) {
        for relayed in self.relayed.iter_mut().flatten() {
            if family.is_none_or(|family| family == Family::of(relayed.address)) {
                relayed.expires = expires;
            }
        }
    }

    /// Takes a family's address away, with its permissions and channels.
    pub(super) fn drop_family(&mut self, family: Family) -> Option<SocketAddr> {
        let relayed = self.relayed[index(family)].take()?;
        let is_v4 = family == Family::V4;
        self.permissions.retain(|permission| permission.ip.is_ipv4() != is_v4);
        self.channels.retain(|channel| channel.peer.is_ipv4() != is_v4);
        Some(relayed.address)
    }

    /// The families whose time is over.
    pub(super) fn expired(&self, now: Instant) -> impl Iterator<Item = Family> + use<> {
        let over = self.relayed.map(|relayed| relayed.filter(|relayed| relayed.expires <= now));
        over.into_iter().flatten().map(|relayed| Family::of(relayed.address))
    }

    /// When the next of its addresses ends; `None`: it has none.
    pub(super) fn next_end(&self) -> Option<Instant> {
        self.relayed.iter().flatten().map(|relayed| relayed.expires).min()
    }

    /// Permits these peers, or none of them if one is too many.
    pub(super) fn permit(
        &mut self,
        peers: &[IpAddr],
        bounds: Bounds,
        now: Instant,
    ) -> Result<(), Refusal> {
        self.permissions.retain(|permission| permission.expires > now);
        let is_new = |ip: &&IpAddr| !self.permissions.iter().any(|known| known.ip == **ip);
        let new = peers.iter().filter(is_new).count();
        if self.permissions.len() + new > bounds.permissions_max {
            return Err(Refusal::InsufficientCapacity);
        }
        let expires = now + PERMISSION_LIFE;
        for &ip in peers {
            match self.permissions.iter_mut().find(|known| known.ip == ip) {
                Some(known) => known.expires = expires,
                None => self.permissions.push(Permission { ip, expires }),
            }
        }
        Ok(())
    }

    /// Whether data to and from this IP passes.
    pub(super) fn permits(&self, ip: IpAddr, now: Instant) -> bool {
        self.permissions.iter().any(|known| known.ip == ip && known.expires > now)
    }

    /// Binds a number to a peer, or binds it longer, and permits the peer. One number, one peer.
    pub(super) fn bind(
        &mut self,
        number: u16,
        peer: SocketAddr,
        reach: Reach,
        bounds: Bounds,
        now: Instant,
    ) -> Result<(), Refusal> {
        self.channels.retain(|channel| channel.expires > now);
        let bound = self.channels.iter().position(|c| c.number == number || c.peer == peer);
        let same = |c: &Channel| c.number == number && c.peer == peer;
        if bound.is_some_and(|at| !same(&self.channels[at])) {
            return Err(Refusal::BadRequest);
        }
        if bound.is_none() && self.channels.len() >= bounds.channels_max {
            return Err(Refusal::InsufficientCapacity);
        }
        self.permit(&[peer.ip()], bounds, now)?;
        let channel = Channel { number, peer, reach, expires: now + CHANNEL_LIFE };
        match bound {
            Some(at) => self.channels[at] = channel,
            None => self.channels.push(channel),
        }
        Ok(())
    }

    pub(super) fn channel(&self, number: u16, now: Instant) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.number == number && channel.expires > now)
    }

    pub(super) fn channel_of(&self, peer: SocketAddr, now: Instant) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.peer == peer && channel.expires > now)
    }
}
