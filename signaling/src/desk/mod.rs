//! The only place that changes anything: load, decide, append, on a conflict reload, then tell.

mod bell;
mod claim;
mod keeper;
mod shelf;
mod watchman;

pub use bell::Bell;
pub use claim::Claimed;
pub use keeper::{Seen, Settled};
pub use shelf::{KEEPERS_MAX, Shelf};
pub use watchman::{give_back, watch};

use crate::access::{Account, Link, Secrets, Session};
use crate::aggregate::CommandKey;
use crate::clock::Clock;
use crate::gateway::Gateway;
use crate::kit::Kit;
use crate::log::{EventLog, Noun, StreamId};
use crate::room::{Command, Room, Ticket};
use crate::site::{Institution, Site};
use crate::staff::Staff;
use crate::subject::Subject;
use crate::visit::Visit;
use minato_protocol::{Code, RoomId, SubjectId, TicketId, Timestamp, VisitId};
use std::sync::{Arc, Mutex, PoisonError};

/// Every stream that this node has open, and the way to change it.
#[derive(Debug)]
pub struct Desk {
    /// Where it becomes durable.
    pub log: Arc<dyn EventLog>,
    /// What time it is.
    pub clock: Clock,
    /// The node's secret: links, codes and sessions are derived from it, never stored.
    pub secrets: Secrets,
    /// Rings after every change.
    pub bell: Bell,
    /// Waiting rooms.
    pub rooms: Shelf<Room>,
    /// Reservations.
    pub staff: Shelf<Staff>,
    /// Consultations.
    pub visits: Shelf<Visit>,
    /// Staff accounts.
    pub accounts: Shelf<Account>,
    /// Join links, spoken codes, transfer codes.
    pub links: Shelf<Link>,
    /// Browsers' sessions.
    pub sessions: Shelf<Session>,
    /// What is held back of people's readings.
    pub subjects: Shelf<Subject>,
    /// Boxes on the clinics' walls.
    pub boxes: Shelf<Gateway>,
    /// Home kits.
    pub kits: Shelf<Kit>,
    /// Where patients are cared for at the bedside.
    pub sites: Shelf<Site>,
    /// The responsible institution.
    pub clinics: Shelf<Institution>,
    room_ids: Mutex<Vec<RoomId>>,
}

impl Desk {
    /// A desk over a log. `find_rooms` tells it which rooms there are.
    pub fn new(log: Arc<dyn EventLog>, clock: Clock, secrets: Secrets) -> Self {
        let bell = Bell::default();
        let over = || (Arc::clone(&log), clock.clone(), bell.clone());
        fn shelf<A: crate::aggregate::Aggregate>(
            (log, clock, bell): (Arc<dyn EventLog>, Clock, Bell),
        ) -> Shelf<A> {
            Shelf::new(log, clock, bell)
        }
        Self {
            rooms: Shelf::unbounded(Arc::clone(&log), clock.clone(), bell.clone()),
            staff: shelf(over()),
            visits: shelf(over()),
            accounts: shelf(over()),
            links: shelf(over()),
            sessions: shelf(over()),
            subjects: shelf(over()),
            boxes: shelf(over()),
            kits: shelf(over()),
            sites: shelf(over()),
            clinics: shelf(over()),
            room_ids: Mutex::default(),
            log,
            clock,
            secrets,
            bell,
        }
    }

    /// Reads which rooms there are.
    pub async fn find_rooms(&self) -> Result<(), Code> {
        let streams = self.log.streams(Noun::Room.prefix()).await;
        let streams = streams.map_err(|error| {
            tracing::error!(%error, "the list of rooms cannot be read");
            Code::NotDurable
        })?;
        let found: Vec<RoomId> = streams.iter().filter_map(|id| id.key().parse().ok()).collect();
        for room in &found {
            self.room(*room).await?;
        }
        *self.room_ids.lock().unwrap_or_else(PoisonError::into_inner) = found;
        Ok(())
    }

    /// The rooms there are.
    pub fn room_ids(&self) -> Vec<RoomId> {
        self.room_ids.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A room was made.
    pub fn room_was_opened(&self, room: RoomId) {
        let mut known = self.room_ids.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains(&room) {
            known.push(room);
        }
    }

    /// The newest durable state of a room.
    pub async fn room(&self, room: RoomId) -> Result<Arc<Seen<Room>>, Code> {
        self.rooms.see(&StreamId::room(room)).await
    }

    /// Every room with its newest durable state.
    pub async fn all_rooms(&self) -> Result<Vec<(RoomId, Arc<Seen<Room>>)>, Code> {
        let mut all = Vec::new();
        for room in self.room_ids() {
            all.push((room, self.room(room).await?));
        }
        Ok(all)
    }

    /// Carries a command out in a room.
    pub async fn in_room(
        &self,
        room: RoomId,
        key: Option<CommandKey>,
        command: Command,
    ) -> Result<Settled<Room>, Code> {
        self.rooms.submit(&StreamId::room(room), key, command).await
    }

    /// Which room a ticket is in.
    pub async fn ticket(&self, ticket: TicketId) -> Result<(RoomId, Arc<Ticket>), Code> {
        self.find_ticket(|seen| seen.tickets.get(&ticket)).await.ok_or(Code::TicketUnknown)
    }

    /// The ticket whose visit this is, while it goes on.
    pub async fn ticket_of_visit(&self, visit: VisitId) -> Result<(RoomId, Arc<Ticket>), Code> {
        let found = self.find_ticket(|seen| {
            let mut all = seen.claimed().chain(seen.live());
            let of_visit = all.find(|ticket| ticket.visit() == Some(visit))?;
            seen.tickets.get(&of_visit.id)
        });
        found.await.ok_or(Code::VisitUnknown)
    }

    /// The ticket that a subject's readings belong to now.
    pub async fn ticket_of_subject(&self, subject: SubjectId) -> Option<(RoomId, Arc<Ticket>)> {
        self.find_ticket(|seen| seen.tickets.get(seen.ticket_by_subject.get(&subject)?)).await
    }

    /// When a subject's ticket was over. Nothing while it is not, or where it is over for so long that
    /// it was forgotten.
    pub async fn over_since(&self, subject: SubjectId) -> Option<Timestamp> {
        for room in self.room_ids() {
            let Ok(seen) = self.room(room).await else { continue };
            if let Some(at) = seen.state.over_since(subject) {
                return Some(at);
            }
        }
        None
    }

    async fn find_ticket(
        &self,
        mut find: impl FnMut(&Room) -> Option<&Arc<Ticket>>,
    ) -> Option<(RoomId, Arc<Ticket>)> {
        for room in self.room_ids() {
            let Ok(seen) = self.room(room).await else { continue };
            if let Some(ticket) = find(&seen.state) {
                return Some((room, Arc::clone(ticket)));
            }
        }
        None
    }
}
