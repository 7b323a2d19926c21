//! The waiting room: tickets, their one owner and epoch, the order of the queue, who is on duty.
//!
//! Pure. Owner and epoch exist in this stream and nowhere else; the reservation of a doctor or a
//! bedside nurse is in `staff`. `docs` of [`Command`] and [`Event`] are the vocabulary.

mod code;
mod command;
mod deadline;
mod decide;
mod event;
mod evolve;
mod order;
mod raised;
mod ticket;
mod wait;

pub use code::free_code;
pub use command::Command;
pub use event::{Bedside, Event, KitOrigin, NewTicket};
pub use order::Rank;
pub use raised::{FIRED_MAX, Raised};
pub use ticket::{Claim, Stage, Ticket};

use crate::aggregate::Aggregate;
use crate::sorted::Sorted;
use minato_protocol::act::Duty;
use minato_protocol::view::{Clinic, Wait};
use minato_protocol::{Code, Span, StaffId, SubjectId, TicketId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// A ring lasts so long.
pub const RING: Span = Span::seconds(60);
/// A patient's or a site's place is kept so long.
pub const PLACE_GRACE: Span = Span::minutes(30);
/// A doctor's screen may be gone so long before the patient goes back to the front.
pub const DOCTOR_GRACE: Span = Span::seconds(60);
/// A screen's grace began at most so long before its absence was written down.
pub const UNHEARD_MAX: Span = Span::seconds(30);
/// After a miss Next leaves a ticket out for so long.
pub const SKIP_AFTER_MISS: Span = Span::minutes(3);
/// So many misses, then a coordinator telephones.
pub const MISSES_MAX: u8 = 2;
/// The doctor who had a patient before is preferred for so long.
pub const PREFERENCE: Span = Span::minutes(10);
/// A ticket that is over stays to be looked at for so long; the log keeps it for good.
pub const OVER_KEPT: Span = Span::minutes(24 * 60);
/// A room holds at most so many tickets that are not over; further ones are told to telephone.
pub const TICKETS_MAX: usize = 5_000;
/// So many second devices may ask for one ticket at a time; a further one is told to wait.
pub const DEVICE_REQUESTS_MAX: usize = 8;

/// A doctor as this room knows one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnRoster {
    /// On duty, break, off: in this room.
    pub duty: Duty,
    /// The screen is gone since.
    pub away_since: Option<Timestamp>,
}

/// Tickets by id. Each stands behind an `Arc`: by the pointer it is seen which ones changed. Runs are
/// short, because copying one counts each of its tickets.
pub type Tickets = Sorted<TicketId, Arc<Ticket>, 64>;

/// The state of one waiting room: the fold of its events. A copy shares what did not change, because
/// screens are given one after every append.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Room {
    /// Its name; empty until it is opened.
    pub name: String,
    /// The responsible institution.
    pub clinic: Clinic,
    /// Nobody more is taken in.
    pub intake_closed: bool,
    /// Doctors who may appear.
    pub roster: BTreeMap<StaffId, OnRoster>,
    /// Those that are not over, and those over for less than [`OVER_KEPT`].
    pub tickets: Tickets,
    /// Whose readings belong to which ticket that is not over.
    #[serde(skip)]
    pub ticket_by_subject: Sorted<SubjectId, TicketId>,
    #[serde(skip)]
    queue: order::Queue,
    /// Tickets that are not over.
    #[serde(skip)]
    live: Sorted<TicketId, ()>,
    /// Those in the queue, by arrival.
    #[serde(skip)]
    arrivals: Sorted<(Timestamp, TicketId), ()>,
    /// Those that a doctor has.
    #[serde(skip)]
    claimed: BTreeSet<TicketId>,
    serial: u32,
    /// Tickets that are over, in the order in which they will be forgotten.
    over: VecDeque<(Timestamp, TicketId)>,
    service: wait::Service,
}

impl Room {
    /// Makes anew what follows from the tickets.
    fn index(&mut self) {
        for (id, ticket) in self.tickets.clone().iter() {
            if ticket.is_waiting() {
                self.queue.insert(ticket.rank, *id);
            }
            if !ticket.is_over() {
                self.live.insert(*id, ());
                self.ticket_by_subject.insert(ticket.subject, *id);
            }
            self.list(*id);
        }
    }

    /// Notes a ticket under what is true of it now: who waits since when, whom a doctor has.
    fn list(&mut self, id: TicketId) {
        let Some(ticket) = self.tickets.get(&id) else { return };
        if let Some(arrived) = ticket.arrived.filter(|_| ticket.is_waiting()) {
            self.arrivals.insert((arrived, id), ());
        }
        if ticket.claim().is_some() {
            self.claimed.insert(id);
        }
    }

    /// Undoes [`Self::list`], before the ticket changes.
    fn unlist(&mut self, id: TicketId) {
        if let Some(arrived) = self.tickets.get(&id).and_then(|ticket| ticket.arrived) {
            self.arrivals.remove(&(arrived, id));
        }
        self.claimed.remove(&id);
    }

    /// Whether the room was opened.
    pub fn is_open(&self) -> bool {
        !self.name.is_empty()
    }

    /// Tickets in the queue, the first one first.
    pub fn waiting(&self) -> impl Iterator<Item = &Ticket> {
        self.queue.values().filter_map(|id| self.tickets.get(id)).map(Arc::as_ref)
    }

    /// How many wait.
    pub fn waiting_len(&self) -> usize {
        self.queue.len()
    }

    /// Tickets that are not over.
    pub fn live(&self) -> impl Iterator<Item = &Ticket> {
        self.live.keys().filter_map(|id| self.tickets.get(id)).map(Arc::as_ref)
    }

    /// Tickets that a doctor has: at most one a doctor.
    pub fn claimed(&self) -> impl Iterator<Item = &Ticket> {
        self.claimed.iter().filter_map(|id| self.tickets.get(id)).map(Arc::as_ref)
    }

    /// Since when the one waits who came first of all that wait.
    pub fn oldest_wait(&self) -> Option<Timestamp> {
        self.arrivals.keys().next().map(|(arrived, _)| *arrived)
    }

    /// How many come before a waiting ticket.
    pub fn ahead_of(&self, ticket: &Ticket) -> usize {
        self.queue.before(&ticket.rank)
    }

    /// How many doctors take patients now.
    pub fn on_duty(&self) -> usize {
        self.with_duty(Duty::On).count()
    }

    fn with_duty(&self, duty: Duty) -> impl Iterator<Item = &StaffId> {
        let is_here = move |entry: &OnRoster| entry.duty == duty && entry.away_since.is_none();
        self.roster.iter().filter(move |(_, entry)| is_here(entry)).map(|(doctor, _)| doctor)
    }

    /// How long a waiting ticket may wait.
    pub fn wait_of(&self, ticket: &Ticket) -> Wait {
        let (ahead, on_duty) = (self.ahead_of(ticket), self.on_duty());
        // Whoever is on a break comes back; with nobody else here nobody can tell when.
        let doctors = if on_duty > 0 { on_duty + self.with_duty(Duty::Break).count() } else { 0 };
        // Only for the first ones can it matter who has nobody; the others need not be counted.
        let free = if ahead < doctors { self.idle() } else { 0 };
        self.service.range(ahead, doctors, free)
    }

    /// How many doctors on duty have no patient of this room.
    fn idle(&self) -> usize {
        let owners = self.claimed().filter_map(Ticket::owner);
        let busy: BTreeSet<StaffId> = owners.collect();
        self.with_duty(Duty::On).filter(|doctor| !busy.contains(doctor)).count()
    }

    /// The ticket that Next would take for a doctor, leaving out `skip` (their nurse was busy).
    pub fn next_for(
        &self,
        doctor: StaffId,
        skip: &[TicketId],
        now: Timestamp,
    ) -> Result<&Ticket, Code> {
        self.roster_entry(doctor)?;
        let callable = |ticket: &&Ticket| {
            ticket.is_callable(now)
                && !skip.contains(&ticket.id)
                && !self.is_kept_for_another(ticket, doctor, now)
        };
        self.waiting().find(callable).ok_or(Code::NobodyCallable)
    }

    fn is_kept_for_another(&self, ticket: &Ticket, doctor: StaffId, now: Timestamp) -> bool {
        let Stage::Waiting { preferred: Some(preferred), .. } = ticket.stage else { return false };
        let takes = self
            .roster
            .get(&preferred)
            .is_some_and(|entry| entry.duty == Duty::On && entry.away_since.is_none());
        preferred != doctor && takes && now - ticket.rank.1 < PREFERENCE
    }

    fn roster_entry(&self, doctor: StaffId) -> Result<&OnRoster, Code> {
        let entry = self.roster.get(&doctor).ok_or(Code::DoctorNotNamed)?;
        if entry.duty == Duty::On { Ok(entry) } else { Err(Code::DoctorOffDuty) }
    }

    /// When the last ticket of a subject was over, if that is remembered.
    pub fn over_since(&self, subject: SubjectId) -> Option<Timestamp> {
        let is_of = |id| self.tickets.get(id).is_some_and(|ticket| ticket.subject == subject);
        let (at, _) = self.over.iter().rev().find(|(_, ticket)| is_of(ticket))?;
        Some(*at)
    }

    /// A ticket of this room.
    pub fn ticket(&self, id: TicketId) -> Result<&Ticket, Code> {
        self.tickets.get(&id).map(Arc::as_ref).ok_or(Code::TicketUnknown)
    }

    /// A ticket that a doctor owns under an epoch.
    pub fn owned(&self, id: TicketId, doctor: StaffId, epoch: u32) -> Result<&Ticket, Code> {
        let ticket = self.ticket(id)?;
        if ticket.is_over() {
            return Err(Code::TicketOver);
        }
        if ticket.owner() != Some(doctor) {
            return Err(Code::NotYours);
        }
        if ticket.epoch == epoch { Ok(ticket) } else { Err(Code::StaleEpoch) }
    }

    /// Whether a doctor owns a ticket under this epoch or, when a half-done hand-over to somebody
    /// else was burnt since, under a later one.
    pub fn holds(&self, id: TicketId, doctor: StaffId, epoch: u32) -> bool {
        self.tickets
            .get(&id)
            .is_some_and(|ticket| ticket.owner() == Some(doctor) && ticket.epoch >= epoch)
    }
}

impl Aggregate for Room {
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command, now: Timestamp) -> Result<Vec<Event>, Code> {
        decide::decide(self, command, now)
    }

    fn evolve(&mut self, event: &Event, at: Timestamp) {
        evolve::evolve(self, event, at);
    }

    fn concerns(event: &Event) -> Option<TicketId> {
        event.ticket()
    }

    /// Raised with every change of what the fold of the same events gives.
    const FOLD: Option<u32> = Some(3);

    fn to_snapshot(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    fn from_snapshot(body: serde_json::Value) -> Option<Self> {
        let mut room: Self = serde_json::from_value(body).ok()?;
        room.index();
        Some(room)
    }
}

#[cfg(test)]
mod tests;
