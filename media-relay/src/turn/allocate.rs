//! Allocate, from the request to the answer once its sockets are open (RFC 8656 section 7.2,
//! RFC 6156). PURE.

use super::access::Asker;
use super::allocation::{Allocation, Pending, State, Wanted};
use super::refusal::Refusal;
use super::requests::{Outcome, granted_s};
use super::table::{Reservation, Token};
use super::wire::{Class, Message, attribute, method};
use super::writer::Writer;
use super::{AllocationId, At, Client, Command, Family, OpenFailed, PortWish, Turn};
use std::net::SocketAddr;
use std::time::Duration;

/// A socket that is not there by then is given up: 508.
const OPEN_WAIT: Duration = Duration::from_secs(10);
/// REQUESTED-TRANSPORT of UDP; TCP (RFC 6062) is not served.
const UDP: u8 = 17;

/// What an Allocate asks for.
#[derive(Debug, Clone, Copy)]
struct Wish {
    port: PortWish,
    sockets: [Wanted; 2],
    /// Takes over the port kept aside under this token.
    token: Option<Token>,
}

impl Turn {
    /// An allocation, if nothing is in the way: its sockets are asked for and the answer waits.
    pub(super) fn allocate(
        &mut self,
        asker: &Asker<'_>,
        message: &Message<'_>,
        at: At,
        out: &mut Vec<Command>,
    ) -> Outcome {
        if let Some(id) = self.table.id_of(&asker.client) {
            return self.allocate_again(id, asker, message, out);
        }
        let wish = self.wish(asker, message)?;
        let room = if wish.port == PortWish::EvenAndReserveNext { 2 } else { 1 };
        match wish.token {
            // Its place is held already.
            Some(token) => drop(self.table.take_reserved(&token)),
            None => self.table.has_room(asker.user, room)?,
        }
        let pending = Pending {
            signed: asker.signed,
            fingerprint: message.fingerprint.is_some(),
            lifetime_s: granted_s(message.lifetime_s, asker, at),
            wish: wish.port,
            sockets: wish.sockets,
            abandoned: false,
        };
        let (transaction, deadline) = (message.transaction, at.now + OPEN_WAIT);
        let allocation = Allocation::new(asker.client, asker.name, transaction, pending, deadline);
        let allocation = self.table.add(allocation);
        for (family, wanted) in [Family::V4, Family::V6].into_iter().zip(wish.sockets) {
            if wanted == Wanted::Asked {
                out.push(Command::Open { allocation, family, port: wish.port });
            }
        }
        Ok(None)
    }

    /// The 5-tuple is in use: the same request again gets the same answer, or waits for it.
    fn allocate_again(
        &self,
        id: AllocationId,
        asker: &Asker<'_>,
        message: &Message<'_>,
        out: &mut Vec<Command>,
    ) -> Outcome {
        let allocation = self.table.allocation(id).ok_or(Refusal::AllocationMismatch)?;
        let same = allocation.transaction == message.transaction && &*allocation.name == asker.name;
        match &allocation.state {
            State::Live { answer } if same => {
                out.push(Command::Answer { client: asker.client, bytes: answer.to_vec() });
                Ok(None)
            }
            State::Pending(_) if same => Ok(None),
            State::Live { .. } | State::Pending(_) => Err(Refusal::AllocationMismatch),
        }
    }

    /// Reads what is wished; combinations that mean nothing are refused.
    fn wish(&self, asker: &Asker<'_>, message: &Message<'_>) -> Result<Wish, Refusal> {
        match message.transport {
            None => return Err(Refusal::BadRequest),
            Some(UDP) => {}
            Some(_) => return Err(Refusal::UnsupportedTransport),
        }
        let (family, additional) = (message.family, message.additional_family);
        let either = family.is_some() || additional.is_some();
        if let Some(token) = message.reservation {
            if message.even_port.is_some() || either {
                return Err(Refusal::BadRequest);
            }
            let socket = self.table.reserved(&token, asker.user);
            let socket = socket.ok_or(Refusal::InsufficientCapacity)?;
            let sockets = one(Family::of(socket));
            return Ok(Wish { port: PortWish::Reserved(socket), sockets, token: Some(token) });
        }
        let port = match message.even_port {
            None => PortWish::Any,
            Some(false) => PortWish::Even,
            Some(true) => PortWish::EvenAndReserveNext,
        };
        let second = additional.map(Family::from_number);
        let bad_second = second.is_some_and(|second| second != Some(Family::V6));
        let bad_port = second.is_some() && port == PortWish::EvenAndReserveNext;
        if bad_second || bad_port || (family.is_some() && additional.is_some()) {
            return Err(Refusal::BadRequest);
        }
        let sockets = match (second, family) {
            (Some(_), _) => [Wanted::Asked; 2],
            (None, None) => one(Family::V4),
            (None, Some(number)) => {
                one(Family::from_number(number).ok_or(Refusal::FamilyNotSupported)?)
            }
        };
        let sockets = self.of_served(sockets)?;
        Ok(Wish { port, sockets, token: None })
    }

    /// Families that have no address here fail; if none is left, the request does.
    fn of_served(&self, sockets: [Wanted; 2]) -> Result<[Wanted; 2], Refusal> {
        let mut served = sockets;
        for (family, wanted) in [Family::V4, Family::V6].into_iter().zip(&mut served) {
            let is_served = self.config.advertised.iter().any(|ip| family.has(ip.to_canonical()));
            if *wanted == Wanted::Asked && !is_served {
                *wanted = Wanted::Failed(Refusal::FamilyNotSupported);
            }
        }
        let some = served.contains(&Wanted::Asked);
        if some { Ok(served) } else { Err(Refusal::FamilyNotSupported) }
    }

    /// See [`Turn::opened`].
    pub(super) fn socket_opened(
        &mut self,
        id: AllocationId,
        family: Family,
        socket: Result<SocketAddr, OpenFailed>,
        at: At,
        out: &mut Vec<Command>,
    ) {
        let told = socket.ok().map(|socket| self.told(socket));
        let taken = told.is_none_or(|told| self.table.at(told).is_some());
        let close = Command::Close { allocation: id, family: Some(family) };
        let pending = match self.table.allocation_mut(id).map(|a| &mut a.state) {
            Some(State::Pending(pending)) if pending.asked(family) => pending,
            Some(State::Live { .. } | State::Pending(_)) => return,
            None => {
                // Given up already; so is what may have been kept aside with it.
                out.push(close);
                let next = socket.ok().map(next_port).filter(|next| !self.table.keeps_aside(*next));
                out.extend(next.map(|reserved| Command::Release { reserved }));
                return;
            }
        };
        let as_wished = |socket: &SocketAddr| {
            let even = matches!(pending.wish, PortWish::Even | PortWish::EvenAndReserveNext);
            !taken && Family::of(*socket) == family && !(even && socket.port() % 2 == 1)
        };
        *pending.socket(family) = match socket {
            Ok(socket) if as_wished(&socket) => Wanted::Bound(socket),
            Ok(_) => {
                out.push(close);
                Wanted::Failed(Refusal::InsufficientCapacity)
            }
            Err(OpenFailed) => Wanted::Failed(Refusal::InsufficientCapacity),
        };
        if !pending.sockets.contains(&Wanted::Asked) {
            self.settle(id, at, out);
        }
    }

    /// All sockets are there or not to be had: answers.
    fn settle(&mut self, id: AllocationId, at: At, out: &mut Vec<Command>) {
        let Some(allocation) = self.table.allocation(id) else {
            return;
        };
        let State::Pending(pending) = &allocation.state else {
            return;
        };
        let pending = pending.clone();
        let (client, transaction) = (allocation.client, allocation.transaction);
        let user = super::credential::Name::parse(&allocation.name)
            .map_or(Box::from(&*allocation.name), |name| Box::from(name.user));
        let bound = || pending.sockets.into_iter().filter_map(Wanted::bound);
        let aside = bound().next().filter(|_| pending.keeps_next_aside()).map(next_port);
        if pending.abandoned || bound().next().is_none() {
            return self.give_up(id, &pending, aside, out);
        }
        let token = self.nonces.token(id.0);
        let addresses: Vec<SocketAddr> = bound().map(|socket| self.told(socket)).collect();
        let writer = Writer::new(method::ALLOCATE, Class::Success, transaction);
        let writer = success(writer, &pending, &addresses, aside.map(|_| token), &client);
        let bytes = writer.finish(Some(&pending.signed), pending.fingerprint);
        let expires = at.now + Duration::from_secs(pending.lifetime_s.into());
        self.table.settle(id, &addresses, expires, &bytes);
        if let Some(socket) = aside {
            let expires = at.now + self.config.reservation_life;
            self.table.keep_aside(token, Reservation { socket, user, expires });
        }
        out.push(Command::Answer { client, bytes });
    }

    /// Nothing came of it, or nobody waits for it.
    fn give_up(
        &mut self,
        id: AllocationId,
        pending: &Pending,
        aside: Option<SocketAddr>,
        out: &mut Vec<Command>,
    ) {
        let Some(allocation) = self.table.remove(id) else {
            return;
        };
        out.push(Command::Close { allocation: id, family: None });
        // What was to be taken over and was not is nobody's now.
        let left = match pending.wish {
            PortWish::Reserved(socket) if !pending.sockets.contains(&Wanted::Bound(socket)) => {
                Some(socket)
            }
            PortWish::Reserved(_) => None,
            PortWish::Any | PortWish::Even | PortWish::EvenAndReserveNext => aside,
        };
        out.extend(left.map(|reserved| Command::Release { reserved }));
        if pending.abandoned {
            return;
        }
        let failed = pending.sockets.into_iter().find_map(Wanted::failed);
        let refusal = failed.unwrap_or(Refusal::InsufficientCapacity);
        self.refusals.add(refusal);
        let writer = Writer::new(method::ALLOCATE, Class::Error, allocation.transaction);
        let answer = writer.error(refusal.code());
        let bytes = answer.finish(Some(&pending.signed), pending.fingerprint);
        out.push(Command::Answer { client: allocation.client, bytes });
    }

    /// Sockets that never came.
    pub(super) fn open_is_late(&mut self, id: AllocationId, out: &mut Vec<Command>) {
        let state = self.table.allocation(id).map(|allocation| &allocation.state);
        if let Some(State::Pending(pending)) = state {
            let pending = pending.clone();
            let bound = pending.sockets.into_iter().find_map(Wanted::bound);
            let aside = bound.filter(|_| pending.keeps_next_aside()).map(next_port);
            self.give_up(id, &pending, aside, out);
        }
    }

    /// A relayed address as clients are told: ours to the world, with the socket's port.
    fn told(&self, bound: SocketAddr) -> SocketAddr {
        let own = || self.config.advertised.iter().map(|ip| ip.to_canonical());
        let exact = own().find(|ip| *ip == bound.ip());
        let ip = exact.or_else(|| own().find(|ip| Family::of(bound).has(*ip)));
        SocketAddr::new(ip.unwrap_or(bound.ip()), bound.port())
    }
}

fn success(
    mut answer: Writer,
    pending: &Pending,
    addresses: &[SocketAddr],
    token: Option<Token>,
    client: &Client,
) -> Writer {
    for &address in addresses {
        answer = answer.address(attribute::XOR_RELAYED_ADDRESS, address);
    }
    for (family, wanted) in [Family::V4, Family::V6].into_iter().zip(pending.sockets) {
        if let Wanted::Failed(refusal) = wanted {
            answer = answer.address_error(family.number(), refusal.code());
        }
    }
    answer = answer.number(attribute::LIFETIME, pending.lifetime_s);
    if let Some(token) = token {
        answer = answer.put(attribute::RESERVATION_TOKEN, &token);
    }
    answer.address(attribute::XOR_MAPPED_ADDRESS, client.address())
}

fn one(family: Family) -> [Wanted; 2] {
    match family {
        Family::V4 => [Wanted::Asked, Wanted::No],
        Family::V6 => [Wanted::No, Wanted::Asked],
    }
}

/// An even port has a next one.
fn next_port(even: SocketAddr) -> SocketAddr {
    SocketAddr::new(even.ip(), even.port() | 1)
}

impl Wanted {
    fn bound(self) -> Option<SocketAddr> {
        match self {
            Self::Bound(socket) => Some(socket),
            Self::No | Self::Asked | Self::Failed(_) => None,
        }
    }

    fn failed(self) -> Option<Refusal> {
        match self {
            Self::Failed(refusal) => Some(refusal),
            Self::No | Self::Asked | Self::Bound(_) => None,
        }
    }
}
