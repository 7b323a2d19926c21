//! Which relay serves which visit: PURE. Time is an argument.

use minato_protocol::media::Present;
use minato_protocol::{ParticipantId, VisitId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// A relay that says nothing for longer has no lease any more.
pub const LEASE: Duration = Duration::from_secs(3);
/// [`Table::settle`] is called at least this often; a longer pause was this node's own.
pub const LOOK: Duration = Duration::from_millis(250);
/// A seat that was asked for and never came up among the visits that go on is given up.
const UNLISTED_MAX: Duration = Duration::from_secs(10);

/// A configured relay, by its place in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelayNo(pub usize);

/// Where a visit's media is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat {
    /// The relay that everybody joins.
    pub relay: RelayNo,
    /// Grows with each move. Whoever holds a grant of a lower one joins anew.
    pub generation: u32,
    /// Knows the list too and admits at once when the other one is gone.
    pub standby: Option<RelayNo>,
}

/// What a look at the leases changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Relays whose lease ended with this look.
    pub ended: Vec<RelayNo>,
    /// Visits with a new relay or a new generation.
    pub moved: Vec<VisitId>,
    /// Visits that were given to a relay for the first time.
    pub seated: Vec<VisitId>,
    /// Visits at a relay without a lease, because there is no other.
    pub stranded: usize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Lease {
    #[default]
    Unheard,
    Held {
        heard: Instant,
    },
    /// It stops soon: as good as ended, although it still speaks.
    Draining,
    Over,
}

#[derive(Debug, Default)]
struct Relay {
    lease: Lease,
    /// Whose media is up there, as it said.
    present: BTreeSet<(VisitId, ParticipantId)>,
}

#[derive(Debug)]
struct Held {
    seat: Seat,
    /// The relay said that it has forgotten this visit's people.
    lost: bool,
    /// Seen among the visits that go on; until then only asked for.
    listed: bool,
    made: Instant,
}

/// The law of moving:
///
/// - A visit moves when its relay has no lease (3 s of silence, or it drains) or has begun anew
///   without the visit's people, and for no other reason. Its generation then rises.
/// - It moves to a relay with a lease, the standby first. If there is none it stays where it is.
/// - A relay that comes back gets visits to come, none of those that are elsewhere now.
/// - Nothing is given away before every relay has said whom it has, or had [`LEASE`] to do so: a
///   call does not move because signaling was started anew. A visit that is found at exactly one
///   relay has generation 0 there, so that no page takes it for a move.
#[derive(Debug)]
pub struct Table {
    relays: Vec<Relay>,
    seats: BTreeMap<VisitId, Held>,
    /// Moved because somebody asked, and not yet told by [`Table::settle`].
    untold: Vec<VisitId>,
    started: Instant,
    looked: Instant,
}

impl Table {
    /// A table of so many relays, none of which has been heard.
    pub fn new(relays: usize, now: Instant) -> Self {
        let relays = std::iter::repeat_with(Relay::default).take(relays).collect();
        let (seats, untold) = (BTreeMap::new(), Vec::new());
        Self { relays, seats, untold, started: now, looked: now }
    }

    /// A relay is connected and says whom it has.
    pub fn hello(&mut self, relay: RelayNo, present: &[Present], now: Instant) {
        let Some(known) = self.relays.get_mut(relay.0) else { return };
        let was_away = !matches!(known.lease, Lease::Held { .. });
        known.lease = Lease::Held { heard: now };
        let said = present.iter().map(|one| (one.visit, one.participant)).collect();
        let before = std::mem::replace(&mut known.present, said);
        for (visit, held) in self.seats.iter_mut().filter(|(_, held)| held.seat.relay == relay) {
            let had_people = was_away || somebody(&before, *visit);
            held.lost |= had_people && !somebody(&known.present, *visit);
        }
    }

    /// A relay said anything at all.
    pub fn word(&mut self, relay: RelayNo, now: Instant) {
        let Some(known) = self.relays.get_mut(relay.0) else { return };
        match known.lease {
            Lease::Held { .. } | Lease::Over => known.lease = Lease::Held { heard: now },
            Lease::Unheard | Lease::Draining => {}
        }
    }

    /// A relay stops soon.
    pub fn draining(&mut self, relay: RelayNo) {
        if let Some(known) = self.relays.get_mut(relay.0) {
            known.lease = Lease::Draining;
        }
    }

    /// Somebody's media is up at a relay.
    pub fn joined(&mut self, relay: RelayNo, visit: VisitId, participant: ParticipantId) {
        if let Some(known) = self.relays.get_mut(relay.0) {
            known.present.insert((visit, participant));
        }
    }

    /// Somebody's media at a relay is gone.
    pub fn left(&mut self, relay: RelayNo, visit: VisitId, participant: ParticipantId) {
        if let Some(known) = self.relays.get_mut(relay.0) {
            known.present.remove(&(visit, participant));
        }
    }

    /// Ends leases, forgets visits that are over, gives each visit its relay. `visits` are those
    /// that go on; `stamp` is the time of day in seconds, below which no new generation lies: so
    /// it lies above those of an earlier run too.
    pub fn settle(&mut self, visits: &BTreeSet<VisitId>, stamp: u32, now: Instant) -> Settled {
        let ended = self.end_leases(now);
        let moved = std::mem::take(&mut self.untold);
        let mut settled = Settled { ended, moved, ..Settled::default() };
        self.seats.retain(|visit, held| {
            visits.contains(visit)
                || (!held.listed && now.saturating_duration_since(held.made) < UNLISTED_MAX)
        });
        for visit in visits {
            if !self.seats.contains_key(visit) && self.seat(*visit, stamp, now).is_some() {
                settled.seated.push(*visit);
            }
            // From here on it is gone as soon as it is over.
            if let Some(held) = self.seats.get_mut(visit) {
                held.listed = true;
            }
        }
        let listed: Vec<VisitId> = self.seats.keys().copied().collect();
        for visit in listed {
            self.keep(visit, stamp, &mut settled);
        }
        settled
    }

    /// Where a visit's media is, unless its relay has no lease now and there is no other. A visit
    /// without a place gets one.
    pub fn seat(&mut self, visit: VisitId, stamp: u32, now: Instant) -> Option<Seat> {
        if self.seats.contains_key(&visit) {
            let mut settled = Settled::default();
            self.keep(visit, stamp, &mut settled);
            self.untold.append(&mut settled.moved);
            let seat = self.seats.get(&visit).map(|held| held.seat);
            return seat.filter(|seat| self.is_leased(seat.relay));
        }
        if !self.has_heard_everybody(now) {
            return None;
        }
        let there: Vec<RelayNo> = self.leased().filter(|relay| self.has(*relay, visit)).collect();
        let (relay, generation) = match there.as_slice() {
            [] => (self.idlest(None)?, stamp),
            [only] => (*only, 0),
            // Cut off in the middle of a move: everybody comes together at the fullest.
            [first, ..] => {
                let fullest = there.iter().rev().max_by_key(|relay| self.heads(**relay, visit));
                (*fullest.unwrap_or(first), stamp)
            }
        };
        let seat = Seat { relay, generation, standby: self.idlest(Some(relay)) };
        self.seats.insert(visit, Held { seat, lost: false, listed: false, made: now });
        Some(seat)
    }

    /// The generation that pages are shown; 0 while none is known.
    pub fn generation(&self, visit: VisitId) -> u32 {
        self.seats.get(&visit).map_or(0, |held| held.seat.generation)
    }

    /// Whether a relay is told who may be in a visit: it serves it, it may have to, or somebody is
    /// still there.
    pub fn is_told(&self, relay: RelayNo, visit: VisitId) -> bool {
        let seat = self.seats.get(&visit).map(|held| held.seat);
        let named = seat.is_some_and(|seat| seat.relay == relay || seat.standby == Some(relay));
        named || self.has(relay, visit)
    }

    /// Whether somebody's media is up at a relay, as it said.
    pub fn is_present(&self, relay: RelayNo, visit: VisitId, participant: ParticipantId) -> bool {
        self.relays.get(relay.0).is_some_and(|known| known.present.contains(&(visit, participant)))
    }

    /// Silence in which this node itself did not look is nobody's silence.
    fn end_leases(&mut self, now: Instant) -> Vec<RelayNo> {
        let away = now.saturating_duration_since(self.looked).saturating_sub(2 * LOOK);
        self.looked = now;
        let mut ended = Vec::new();
        for (no, relay) in self.relays.iter_mut().enumerate() {
            let Lease::Held { heard } = &mut relay.lease else { continue };
            *heard = (*heard + away).min(now);
            if now.duration_since(*heard) > LEASE {
                relay.lease = Lease::Over;
                ended.push(RelayNo(no));
            }
        }
        ended
    }

    fn keep(&mut self, visit: VisitId, stamp: u32, settled: &mut Settled) {
        let Some(held) = self.seats.get(&visit) else { return };
        let (mut seat, lost) = (held.seat, held.lost);
        if lost || !self.is_leased(seat.relay) {
            let standby = seat.standby.filter(|standby| self.is_leased(*standby));
            let other = standby.or_else(|| self.idlest(Some(seat.relay)));
            let Some(relay) = other.or(Some(seat.relay).filter(|own| self.is_leased(*own))) else {
                settled.stranded += 1;
                return;
            };
            seat.relay = relay;
            seat.generation = seat.generation.saturating_add(1).max(stamp);
            settled.moved.push(visit);
        }
        let fits = |standby: &RelayNo| *standby != seat.relay && self.is_leased(*standby);
        seat.standby = seat.standby.filter(fits).or_else(|| self.idlest(Some(seat.relay)));
        if let Some(held) = self.seats.get_mut(&visit) {
            held.seat = seat;
            held.lost = false;
        }
    }

    fn has_heard_everybody(&self, now: Instant) -> bool {
        let heard = self.relays.iter().all(|relay| relay.lease != Lease::Unheard);
        heard || now.saturating_duration_since(self.started) > LEASE
    }

    fn is_leased(&self, relay: RelayNo) -> bool {
        self.relays.get(relay.0).is_some_and(|known| matches!(known.lease, Lease::Held { .. }))
    }

    fn leased(&self) -> impl Iterator<Item = RelayNo> {
        (0..self.relays.len()).map(RelayNo).filter(|relay| self.is_leased(*relay))
    }

    fn has(&self, relay: RelayNo, visit: VisitId) -> bool {
        self.relays.get(relay.0).is_some_and(|known| somebody(&known.present, visit))
    }

    fn heads(&self, relay: RelayNo, visit: VisitId) -> usize {
        self.relays.get(relay.0).map_or(0, |known| of_visit(&known.present, visit).count())
    }

    /// The leased relay with the fewest visits, the first of equals.
    fn idlest(&self, except: Option<RelayNo>) -> Option<RelayNo> {
        let others: Vec<RelayNo> = self.leased().filter(|relay| Some(*relay) != except).collect();
        if others.len() < 2 {
            return others.first().copied();
        }
        let mut visits = vec![0_usize; self.relays.len()];
        for held in self.seats.values() {
            if let Some(count) = visits.get_mut(held.seat.relay.0) {
                *count += 1;
            }
        }
        others.into_iter().min_by_key(|relay| visits.get(relay.0).copied())
    }
}

fn of_visit(
    present: &BTreeSet<(VisitId, ParticipantId)>,
    visit: VisitId,
) -> impl Iterator<Item = &(VisitId, ParticipantId)> {
    present.range((visit, ParticipantId(0))..=(visit, ParticipantId(u64::MAX)))
}

fn somebody(present: &BTreeSet<(VisitId, ParticipantId)>, visit: VisitId) -> bool {
    of_visit(present, visit).next().is_some()
}

#[cfg(test)]
mod tests;
