//! The configured relays: which of them serves a visit now, and what they say of themselves.

use super::assignment::{RelayNo, Seat, Settled, Table};
use super::{Dialer, RelayPlace, TurnDoor, TurnPasswords};
use crate::clock::Clock;
use minato_protocol::media::{FromRelay, TurnPlace};
use minato_protocol::{ParticipantId, VisitId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::Notify;

/// 2020-01-01T00:00:00Z. Generations count the seconds from there, so that they fit 32 bits for
/// longer than this program will run.
const STAMPS_FROM_S: i64 = 1_577_836_800;

/// What a page is told of the relay that serves its visit.
#[derive(Debug)]
pub struct Serving<'a> {
    /// Where it is.
    pub place: &'a RelayPlace,
    /// The visit's generation there.
    pub generation: u32,
    /// Its TURN server, as it registered it; that of a relay in this process is not among these.
    pub turn: Option<TurnDoor>,
}

/// All relays of this node.
#[derive(Debug)]
pub struct Fleet {
    places: Vec<RelayPlace>,
    table: Mutex<Table>,
    clock: Clock,
    pub(super) dialer: Dialer,
    turn: Option<TurnPasswords>,
    /// TURN servers, as their relays registered them with the running lease.
    turn_by_relay: Mutex<BTreeMap<RelayNo, TurnDoor>>,
    /// A relay said something that may change where visits are, or who is told of them.
    pub(super) news: Notify,
}

impl Fleet {
    /// Relays at these places. Without any, every call is told that the relay is away.
    pub fn new(places: Vec<RelayPlace>, clock: Clock) -> Self {
        let table = Mutex::new(Table::new(places.len(), instant()));
        Self {
            places,
            table,
            clock,
            dialer: Dialer::default(),
            turn: None,
            turn_by_relay: Mutex::default(),
            news: Notify::new(),
        }
    }

    /// Reaches relays by TLS whose authority this dialer trusts.
    #[must_use]
    pub fn dialed_by(self, dialer: Dialer) -> Self {
        Self { dialer, ..self }
    }

    /// Tells pages of the relays' TURN servers.
    #[must_use]
    pub fn with_turn(self, passwords: TurnPasswords) -> Self {
        Self { turn: Some(passwords), ..self }
    }

    /// Where pages find relays that are not at their own origin.
    pub fn page_urls(&self) -> impl Iterator<Item = &str> {
        self.places.iter().map(|place| place.page_url.as_str()).filter(|url| !url.is_empty())
    }

    /// The relay that takes a visit's participants now.
    pub fn serving(&self, visit: VisitId) -> Option<Serving<'_>> {
        let Seat { relay, generation, .. } = self.seat(visit)?;
        let turn = self.turn_doors().get(&relay).cloned();
        Some(Serving { place: self.places.get(relay.0)?, generation, turn })
    }

    /// The generation of a visit's place, for its row; 0 while none is known.
    pub fn generation(&self, visit: VisitId) -> u32 {
        self.with(|table| table.generation(visit))
    }

    pub(super) fn relays(&self) -> impl Iterator<Item = (RelayNo, &RelayPlace)> {
        self.places.iter().enumerate().map(|(no, place)| (RelayNo(no), place))
    }

    pub(super) fn place(&self, relay: RelayNo) -> Option<&RelayPlace> {
        self.places.get(relay.0)
    }

    pub(super) fn seat(&self, visit: VisitId) -> Option<Seat> {
        let stamp = self.stamp();
        self.with(|table| table.seat(visit, stamp, instant()))
    }

    pub(super) fn settle(&self, visits: &BTreeSet<VisitId>) -> Settled {
        let stamp = self.stamp();
        self.with(|table| table.settle(visits, stamp, instant()))
    }

    pub(super) fn is_told(&self, relay: RelayNo, visit: VisitId) -> bool {
        self.with(|table| table.is_told(relay, visit))
    }

    pub(super) fn is_present(&self, seat: Seat, visit: VisitId, who: ParticipantId) -> bool {
        self.with(|table| table.is_present(seat.relay, visit, who))
    }

    /// A relay said something: it is there, and perhaps more.
    pub(super) fn heard(&self, relay: RelayNo, said: Option<FromRelay>) {
        let now = instant();
        if let Some(FromRelay::Hello { turn, .. }) = &said {
            self.register_turn(relay, turn.as_ref());
        }
        let is_news = self.with(|table| {
            if let Some(FromRelay::Hello { present, .. }) = &said {
                table.hello(relay, present, now);
                return true;
            }
            table.word(relay, now);
            match said {
                Some(FromRelay::Joined { visit, participant }) => {
                    table.joined(relay, visit, participant);
                }
                Some(FromRelay::Left { visit, participant, .. }) => {
                    table.left(relay, visit, participant);
                }
                Some(FromRelay::Draining) => table.draining(relay),
                Some(FromRelay::Hello { .. } | FromRelay::Applied { .. } | FromRelay::Pong)
                | None => return false,
            }
            true
        });
        if is_news {
            self.news.notify_one();
        }
    }

    fn register_turn(&self, relay: RelayNo, place: Option<&TurnPlace>) {
        let door = place.zip(self.turn.as_ref()).and_then(|(place, turn)| turn.door(place));
        // A relay of this process is told by whoever started it, whatever it says here.
        let elsewhere = self.places.get(relay.0).is_some_and(|place| !place.page_url.is_empty());
        if elsewhere && place.is_some() && door.is_none() {
            tracing::warn!(
                relay = relay.0,
                "pages are not told of this relay's TURN server: it has another secret than this \
                 signaling, or this one has none"
            );
        }
        match door.filter(|_| elsewhere) {
            Some(door) => drop(self.turn_doors().insert(relay, door)),
            None => drop(self.turn_doors().remove(&relay)),
        }
    }

    fn turn_doors(&self) -> MutexGuard<'_, BTreeMap<RelayNo, TurnDoor>> {
        self.turn_by_relay.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, change: impl FnOnce(&mut Table) -> T) -> T {
        change(&mut self.table.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn stamp(&self) -> u32 {
        let seconds = self.clock.now_elsewhere().0.div_euclid(1_000) - STAMPS_FROM_S;
        // Never 0: that stands for a place that was found, not given.
        u32::try_from(seconds.max(1)).unwrap_or(u32::MAX)
    }
}

fn instant() -> Instant {
    tokio::time::Instant::now().into_std()
}
