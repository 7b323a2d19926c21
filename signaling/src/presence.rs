//! Who is there: leases outside the log. Only a lapse, and a return, become events.

use crate::desk::Desk;
use crate::room::{Command, Room, Stage, Ticket};
use minato_protocol::act::Duty;
use minato_protocol::{Code, KitId, ParticipantId, SiteId, Span, StaffId, TicketId, Timestamp};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// A screen may be unheard so long (a reload, a tunnel) before anybody is told. Graces count from
/// the last sign of life all the same.
pub const LEASE: Span = Span::seconds(15);

/// What a connected screen keeps alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Seat {
    /// A patient's own screen.
    Ticket(TicketId),
    /// A home kit's page, whether or not a ticket is open.
    Kit(KitId),
    /// A doctor's.
    Staff(StaffId),
    /// A nurse's, for all bedside patients of the site.
    Site(SiteId),
    /// A party of a visit.
    Party(ParticipantId),
}

#[derive(Debug, Clone, Copy, Default)]
struct Lease {
    screens: u32,
    /// When any of its screens was last heard.
    heard: Timestamp,
}

/// All seats of this node.
#[derive(Debug, Clone)]
pub struct Presence(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    leases: Mutex<HashMap<Seat, Lease>>,
    changed: watch::Sender<()>,
    clock: crate::clock::Clock,
    booted: Timestamp,
}

/// A screen sits until this is dropped.
#[derive(Debug)]
pub struct Sitting {
    presence: Presence,
    seat: Seat,
    heard: Timestamp,
}

impl Presence {
    /// Nobody is there yet; leases count from now at the earliest.
    pub fn new(clock: crate::clock::Clock) -> Self {
        let booted = clock.now();
        let leases = Mutex::default();
        Self(Arc::new(Inner { leases, changed: watch::Sender::new(()), clock, booted }))
    }

    fn with<T>(&self, change: impl FnOnce(&mut HashMap<Seat, Lease>) -> T) -> T {
        change(&mut self.0.leases.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A screen takes a seat.
    pub fn sit(&self, seat: Seat) -> Sitting {
        let heard = self.0.clock.now();
        self.with(|leases| {
            let lease = leases.entry(seat).or_default();
            lease.screens += 1;
            lease.heard = lease.heard.max(heard);
        });
        self.0.changed.send_replace(());
        Sitting { presence: self.clone(), seat, heard }
    }

    /// Whether a screen sits there now.
    pub fn is_there(&self, seat: Seat) -> bool {
        self.with(|leases| leases.get(&seat).is_some_and(|lease| lease.screens > 0))
    }

    /// Parties of visits whose screens are connected.
    pub fn parties(&self) -> BTreeSet<ParticipantId> {
        self.with(|leases| {
            let seated = leases.iter().filter(|(_, lease)| lease.screens > 0);
            seated
                .filter_map(|(seat, _)| match seat {
                    Seat::Party(participant) => Some(*participant),
                    Seat::Ticket(_) | Seat::Kit(_) | Seat::Staff(_) | Seat::Site(_) => None,
                })
                .collect()
        })
    }

    /// The last sign of life of a seat whose lease has lapsed. Before this node started nobody was
    /// listening, so it is its start at the earliest.
    fn lapsed(&self, seat: Seat, now: Timestamp) -> Option<Timestamp> {
        let lease = self.with(|leases| leases.get(&seat).copied().unwrap_or_default());
        let heard = lease.heard.max(self.0.booted);
        (lease.screens == 0 && now - heard > LEASE).then_some(heard)
    }

    /// Forgets seats that were left long ago.
    fn tidy(&self, now: Timestamp) {
        let keep = |lease: &Lease| lease.screens > 0 || now - lease.heard < Span::minutes(60);
        self.with(|leases| leases.retain(|_, lease| keep(lease)));
    }
}

impl Sitting {
    /// The screen gave a sign of life.
    pub fn heard(&mut self) {
        self.heard = self.presence.0.clock.now();
    }
}

impl Drop for Sitting {
    /// A connection that breaks in silence is noticed late; it counts from when it was last heard.
    fn drop(&mut self) {
        self.presence.with(|leases| {
            if let Some(lease) = leases.get_mut(&self.seat) {
                lease.screens = lease.screens.saturating_sub(1);
                lease.heard = lease.heard.max(self.heard);
            }
        });
        self.presence.0.changed.send_replace(());
    }
}

/// Writes lapses and returns down, until the task is dropped.
pub async fn watch(desk: Arc<Desk>, presence: Presence) {
    let mut changed = presence.0.changed.subscribe();
    loop {
        let now = desk.clock.now();
        if let Err(code) = look(&desk, &presence, now).await {
            tracing::warn!(?code, "presence waits");
        }
        presence.tidy(now);
        tokio::select! {
            () = desk.clock.tick() => {}
            _ = changed.changed() => {}
        }
    }
}

async fn look(desk: &Desk, presence: &Presence, now: Timestamp) -> Result<(), Code> {
    for (room, seen) in desk.all_rooms().await? {
        for command in findings(&seen.state, presence, now) {
            desk.in_room(room, None, command).await?;
        }
    }
    Ok(())
}

fn findings(room: &Room, presence: &Presence, now: Timestamp) -> Vec<Command> {
    let tickets = room.live().filter(|ticket| ticket.stage != Stage::Invited);
    let of_tickets = tickets.filter_map(|ticket| {
        let is_away = ticket.away_since.is_some();
        let (present, heard) = verdict(presence, seat_of(ticket), is_away, now)?;
        Some(Command::SetPatientPresent { ticket: ticket.id, present, heard })
    });
    let on_roster = room.roster.iter().filter(|(_, entry)| entry.duty != Duty::Off);
    let of_doctors = on_roster.filter_map(|(doctor, entry)| {
        let seat = Seat::Staff(*doctor);
        let (present, heard) = verdict(presence, seat, entry.away_since.is_some(), now)?;
        Some(Command::SetDoctorPresent { doctor: *doctor, present, heard })
    });
    of_tickets.chain(of_doctors).collect()
}

fn seat_of(ticket: &Ticket) -> Seat {
    let own = ticket.kit().map_or(Seat::Ticket(ticket.id), |kit| Seat::Kit(kit.kit));
    ticket.bedside.map_or(own, |bedside| Seat::Site(bedside.site))
}

/// Whether something has to be written down, and what: there or not, and last heard when.
fn verdict(
    presence: &Presence,
    seat: Seat,
    is_away: bool,
    now: Timestamp,
) -> Option<(bool, Timestamp)> {
    match is_away {
        true => presence.is_there(seat).then_some((true, now)),
        false => presence.lapsed(seat, now).map(|heard| (false, heard)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn a_seat_lapses_only_after_the_lease() {
        let clock = Clock::start();
        let presence = Presence::new(clock.clone());
        let seat = Seat::Ticket(TicketId(1));
        drop(presence.sit(seat));
        assert_eq!(presence.lapsed(seat, clock.now()), None);
        clock.advance(Span(LEASE.0 + 1));
        assert!(presence.lapsed(seat, clock.now()).is_some());
    }

    #[test]
    fn a_second_screen_keeps_the_seat() {
        let clock = Clock::start();
        let presence = Presence::new(clock.clone());
        let seat = Seat::Staff(StaffId(1));
        let first = presence.sit(seat);
        let second = presence.sit(seat);
        drop(first);
        clock.advance(Span(LEASE.0 * 2));
        assert!(presence.is_there(seat) && presence.lapsed(seat, clock.now()).is_none());
        drop(second);
        assert!(!presence.is_there(seat));
    }

    #[test]
    fn after_a_start_everybody_has_a_lease_to_come_back() {
        let clock = Clock::start();
        clock.advance(Span::minutes(60));
        let presence = Presence::new(clock.clone());
        assert_eq!(presence.lapsed(Seat::Ticket(TicketId(1)), clock.now()), None);
    }

    #[test]
    fn a_connection_that_broke_in_silence_counts_from_when_it_was_last_heard() {
        let clock = Clock::start();
        let presence = Presence::new(clock.clone());
        let seat = Seat::Staff(StaffId(1));
        let mut sitting = presence.sit(seat);
        clock.advance(Span::seconds(100));
        sitting.heard();
        let before = clock.now();
        clock.advance(Span::seconds(20));
        drop(sitting);
        let heard = presence.lapsed(seat, clock.now()).expect("twenty seconds of silence");
        assert!(before - heard < Span::seconds(1), "{heard:?} and not {:?}", clock.now());
    }
}
