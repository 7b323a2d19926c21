//! All allocations and ports kept aside, what each user holds, and what ends next. PURE.

use super::allocation::{Allocation, State};
use super::credential::Name;
use super::refusal::Refusal;
use super::{AllocationId, Client, Family, TurnConfig};
use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::time::Instant;

/// A RESERVATION-TOKEN.
pub(super) type Token = [u8; 8];

/// A port kept aside for whoever brings its token. It counts as an allocation of its user.
#[derive(Debug)]
pub(super) struct Reservation {
    /// Where its socket is bound.
    pub(super) socket: SocketAddr,
    /// Only the user who made it may take it.
    pub(super) user: Box<str>,
    pub(super) expires: Instant,
}

/// Something that ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    Allocation(AllocationId),
    Reservation(Token),
}

/// The state of the server. Law: `held` is the sum of `held_by_user`, and that is the places of
/// all allocations and reservations; both move only here.
#[derive(Debug)]
pub(super) struct Table {
    allocations: HashMap<AllocationId, Box<Allocation>>,
    by_client: HashMap<Client, AllocationId>,
    by_relayed: HashMap<SocketAddr, AllocationId>,
    reservations: HashMap<Token, Reservation>,
    held_by_user: HashMap<Box<str>, usize>,
    held: usize,
    deadlines: BTreeSet<(Instant, Due)>,
    last_id: u64,
    held_max: usize,
    per_user_max: usize,
    /// Nothing new is taken in.
    pub(super) draining: bool,
}

impl Table {
    pub(super) fn new(config: &TurnConfig) -> Self {
        Self {
            allocations: HashMap::new(),
            by_client: HashMap::new(),
            by_relayed: HashMap::new(),
            reservations: HashMap::new(),
            held_by_user: HashMap::new(),
            held: 0,
            deadlines: BTreeSet::new(),
            last_id: 0,
            held_max: config.allocations_max,
            per_user_max: config.per_user_max,
            draining: false,
        }
    }

    /// Whether the user may hold so many places more, and the server too.
    pub(super) fn has_room(&self, user: &str, places: usize) -> Result<(), Refusal> {
        let held = self.held_by_user.get(user).copied().unwrap_or(0);
        if held + places > self.per_user_max {
            return Err(Refusal::QuotaReached);
        }
        if self.draining || self.held + places > self.held_max {
            return Err(Refusal::InsufficientCapacity);
        }
        Ok(())
    }

    fn hold(&mut self, user: &str, places: usize) {
        self.held += places;
        match self.held_by_user.get_mut(user) {
            Some(held) => *held += places,
            None => drop(self.held_by_user.insert(user.into(), places)),
        }
    }

    fn let_go(&mut self, user: &str, places: usize) {
        self.held -= places;
        let Some(held) = self.held_by_user.get_mut(user) else {
            return;
        };
        *held -= places;
        if *held == 0 {
            self.held_by_user.remove(user);
        }
    }

    pub(super) fn add(&mut self, allocation: Allocation) -> AllocationId {
        self.last_id += 1;
        let id = AllocationId(self.last_id);
        self.hold(user_of(&allocation.name), allocation.places());
        self.by_client.insert(allocation.client, id);
        self.deadlines.insert((allocation.deadline, Due::Allocation(id)));
        self.allocations.insert(id, Box::new(allocation));
        id
    }

    /// Takes it out of everything.
    pub(super) fn remove(&mut self, id: AllocationId) -> Option<Box<Allocation>> {
        let allocation = self.allocations.remove(&id)?;
        self.let_go(user_of(&allocation.name), allocation.places());
        self.forget_client(&allocation.client, id);
        self.deadlines.remove(&(allocation.deadline, Due::Allocation(id)));
        for address in allocation.addresses() {
            self.by_relayed.remove(&address);
        }
        Some(allocation)
    }

    /// The client has gone, the allocation stays until its sockets are settled.
    pub(super) fn forget_client(&mut self, client: &Client, id: AllocationId) {
        if self.by_client.get(client) == Some(&id) {
            self.by_client.remove(client);
        }
    }

    pub(super) fn id_of(&self, client: &Client) -> Option<AllocationId> {
        self.by_client.get(client).copied()
    }

    pub(super) fn at(&self, relayed: SocketAddr) -> Option<AllocationId> {
        self.by_relayed.get(&relayed).copied()
    }

    pub(super) fn allocation(&self, id: AllocationId) -> Option<&Allocation> {
        self.allocations.get(&id).map(Box::as_ref)
    }

    pub(super) fn allocation_mut(&mut self, id: AllocationId) -> Option<&mut Allocation> {
        self.allocations.get_mut(&id).map(Box::as_mut)
    }

    /// The sockets are settled: it has these addresses until then, and this was its answer. The
    /// port that it kept aside is on its own from here on.
    pub(super) fn settle(
        &mut self,
        id: AllocationId,
        addresses: &[SocketAddr],
        expires: Instant,
        answer: &[u8],
    ) {
        let Some(allocation) = self.allocations.get_mut(&id) else {
            return;
        };
        let before = allocation.places();
        allocation.state = State::Live { answer: answer.into() };
        let aside = before - allocation.places();
        for &address in addresses {
            allocation.keep(address, expires);
            self.by_relayed.insert(address, id);
        }
        let user: Box<str> = user_of(&allocation.name).into();
        self.let_go(&user, aside);
        self.due_again(id);
    }

    /// Takes a family's address away.
    pub(super) fn drop_family(&mut self, id: AllocationId, family: Family) {
        let dropped = self.allocation_mut(id).and_then(|a| a.drop_family(family));
        if let Some(address) = dropped {
            self.by_relayed.remove(&address);
        }
    }

    /// After an address got another life: when it is due.
    pub(super) fn due_again(&mut self, id: AllocationId) {
        let Some(allocation) = self.allocations.get_mut(&id) else {
            return;
        };
        let Some(end) = allocation.next_end() else {
            return;
        };
        self.deadlines.remove(&(allocation.deadline, Due::Allocation(id)));
        allocation.deadline = end;
        self.deadlines.insert((end, Due::Allocation(id)));
    }

    pub(super) fn keep_aside(&mut self, token: Token, reservation: Reservation) {
        self.hold(&reservation.user, 1);
        self.deadlines.insert((reservation.expires, Due::Reservation(token)));
        self.reservations.insert(token, reservation);
    }

    /// Whether somebody may come for the socket bound there. Looks at all: for rare cases.
    pub(super) fn keeps_aside(&self, socket: SocketAddr) -> bool {
        self.reservations.values().any(|reservation| reservation.socket == socket)
    }

    /// The port behind a token, if it is this user's.
    pub(super) fn reserved(&self, token: &Token, user: &str) -> Option<SocketAddr> {
        self.reservations.get(token).filter(|r| &*r.user == user).map(|r| r.socket)
    }

    /// The port is no longer kept aside.
    pub(super) fn take_reserved(&mut self, token: &Token) -> Option<SocketAddr> {
        let reservation = self.reservations.remove(token)?;
        self.let_go(&reservation.user, 1);
        self.deadlines.remove(&(reservation.expires, Due::Reservation(*token)));
        Some(reservation.socket)
    }

    /// What ends first.
    pub(super) fn next_due(&self) -> Option<(Instant, Due)> {
        self.deadlines.first().copied()
    }

    /// Live ones, pending ones, ports kept aside.
    pub(super) fn counts(&self) -> (usize, usize, usize) {
        let pending = self.allocations.values().filter(|a| a.is_pending()).count();
        (self.allocations.len() - pending, pending, self.reservations.len())
    }
}

/// The part of a name that quotas count for.
fn user_of(name: &str) -> &str {
    Name::parse(name).map_or(name, |name| name.user)
}

#[cfg(test)]
impl Table {
    /// Panics where the laws do not hold.
    pub(super) fn assert_sound(&self) {
        let mut held: HashMap<&str, usize> = HashMap::new();
        for (id, allocation) in &self.allocations {
            *held.entry(user_of(&allocation.name)).or_default() += allocation.places();
            assert!(self.deadlines.contains(&(allocation.deadline, Due::Allocation(*id))));
            for address in allocation.addresses() {
                assert_eq!(self.by_relayed.get(&address), Some(id), "relayed addresses are known");
            }
        }
        for reservation in self.reservations.values() {
            *held.entry(&reservation.user).or_default() += 1;
        }
        let ours: HashMap<&str, usize> =
            self.held_by_user.iter().map(|(user, n)| (&**user, *n)).collect();
        assert_eq!(ours, held, "each user holds what is there");
        assert_eq!(self.held, held.values().sum::<usize>());
        assert!(self.held <= self.held_max);
        assert!(held.values().all(|n| *n <= self.per_user_max));
        for (client, id) in &self.by_client {
            assert_eq!(self.allocations[id].client, *client, "one allocation a 5-tuple");
        }
        let addresses = self.allocations.values().map(|a| a.addresses().count()).sum::<usize>();
        assert_eq!(self.by_relayed.len(), addresses);
        assert_eq!(self.deadlines.len(), self.allocations.len() + self.reservations.len());
    }
}
