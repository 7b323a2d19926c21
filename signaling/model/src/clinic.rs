//! What is durable: two rooms, two doctors, one nurse, three patients, as the real rules fold them.

use minato_protocol::act::Duty;
use minato_protocol::view::Clinic as Institution;
use minato_protocol::{
    Code, Person, RoomId, SiteId, StaffId, SubjectId, TicketId, Timestamp, VisitId,
};
use minato_signaling::aggregate::Aggregate;
use minato_signaling::room::{Bedside, Command, Event, NewTicket, Room, Stage, Ticket};
use minato_signaling::staff::{self, Staff};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Time stands still in the model; order among equals comes from the tickets' numbers.
pub const NOW: Timestamp = Timestamp(1_000_000);
/// Two doctors.
pub const DOCTORS: [StaffId; 2] = [StaffId(0), StaffId(1)];
/// One nurse, beside two patients in two rooms.
pub const NURSE: StaffId = StaffId(2);
/// Everybody who can be reserved.
pub const STAFF: [StaffId; 3] = [DOCTORS[0], DOCTORS[1], NURSE];
/// Two rooms.
pub const ROOMS: [RoomId; 2] = [RoomId(0), RoomId(1)];
/// Three patients and their rooms: 0 is at the bedside, 1 at home, 2 at the bedside.
pub const TICKETS: [(TicketId, RoomId, bool); 3] =
    [(TicketId(0), ROOMS[0], true), (TicketId(1), ROOMS[0], false), (TicketId(2), ROOMS[1], true)];

/// Which room a ticket is in.
pub fn room_of(ticket: TicketId) -> RoomId {
    TICKETS[index(ticket.0)].1
}

fn index(id: u64) -> usize {
    usize::try_from(id).expect("ids of the model are small")
}

/// One room's state with a print of everything the protocol depends on.
#[derive(Clone)]
pub struct Seen {
    /// The real thing.
    pub room: Room,
    print: u64,
}

impl Seen {
    fn new(room: Room) -> Arc<Self> {
        let mut hasher = DefaultHasher::new();
        room.tickets.values().for_each(|ticket| print(ticket, &mut hasher));
        room.waiting().for_each(|ticket| ticket.id.hash(&mut hasher));
        Arc::new(Self { print: hasher.finish(), room })
    }
}

/// A ticket, projected to what the rules look at when time stands still.
fn print(ticket: &Ticket, hasher: &mut impl Hasher) {
    (ticket.id, ticket.epoch, ticket.ready, ticket.rank, ticket.owner()).hash(hasher);
    ticket.hand_over.map(|wish| (wish.to, wish.offered)).hash(hasher);
    std::mem::discriminant(&ticket.stage).hash(hasher);
    if let Stage::Waiting { preferred, .. } = &ticket.stage {
        preferred.hash(hasher);
    }
}

impl PartialEq for Seen {
    fn eq(&self, other: &Self) -> bool {
        self.print == other.print
    }
}

impl Eq for Seen {}

impl Hash for Seen {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.print.hash(hasher);
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for ticket in self.room.tickets.values() {
            let now = (ticket.state(), ticket.owner(), ticket.epoch);
            map.entry(&ticket.id.0, &now);
        }
        map.finish()
    }
}

/// What went wrong in a single event, kept for good: a law about steps, not about states.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Ghost {
    /// An owner changed otherwise than by the one event that may do it.
    pub owner_jumped: bool,
    /// An owner changed and the epoch did not rise.
    pub epoch_stood: bool,
}

/// Every stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Clinic {
    rooms: [Arc<Seen>; 2],
    staff: [Staff; 3],
    /// See [`Ghost`].
    pub ghost: Ghost,
}

impl Clinic {
    /// Everybody waits, the bedside patients are ready, both doctors are on duty in both rooms.
    pub fn at_opening() -> Self {
        let rooms = ROOMS.map(|id| Seen::new(opened(id)));
        Self { rooms, staff: [Staff::default(); 3], ghost: Ghost::default() }
    }

    /// The newest durable state of a room.
    pub fn room(&self, id: RoomId) -> &Arc<Seen> {
        &self.rooms[index(id.0)]
    }

    /// The newest durable reservation of somebody.
    pub fn staff(&self, id: StaffId) -> &Staff {
        &self.staff[index(id.0)]
    }

    /// A ticket as it stands.
    pub fn ticket(&self, id: TicketId) -> &Ticket {
        let room = self.room(room_of(id));
        room.room.ticket(id).expect("no ticket of the model is ever forgotten")
    }

    /// All tickets.
    pub fn tickets(&self) -> impl Iterator<Item = &Ticket> {
        TICKETS.iter().map(|(id, _, _)| self.ticket(*id))
    }

    /// A command to somebody's stream, as a guarded append does it: decided on what is durable.
    pub fn ask_staff(&mut self, id: StaffId, command: &staff::Command) -> Result<(), Code> {
        let who = &mut self.staff[index(id.0)];
        for event in who.decide(command, NOW)? {
            who.evolve(&event, NOW);
        }
        Ok(())
    }

    /// A command to a room, decided on what is durable.
    pub fn ask_room(&mut self, id: RoomId, command: &Command) -> Result<(), Code> {
        let events = self.room(id).room.decide(command, NOW)?;
        self.append(id, &events);
        Ok(())
    }

    /// Appends events whoever decided them, on whatever view.
    pub fn append(&mut self, id: RoomId, events: &[Event]) {
        if events.is_empty() {
            return;
        }
        let mut room = self.room(id).room.clone();
        for event in events {
            let before = owners(&room);
            room.evolve(event, NOW);
            self.ghost.watch(event, &before, &owners(&room));
        }
        self.rooms[index(id.0)] = Seen::new(room);
    }
}

type Owners = Vec<(Option<StaffId>, u32)>;

fn owners(room: &Room) -> Owners {
    room.tickets.values().map(|ticket| (ticket.owner(), ticket.epoch)).collect()
}

impl Ghost {
    fn watch(&mut self, event: &Event, before: &Owners, after: &Owners) {
        for ((old, old_epoch), (new, new_epoch)) in before.iter().zip(after) {
            let lawful = match (old, new) {
                (None, Some(_)) => matches!(event, Event::Called { .. }),
                (Some(_), None) => matches!(
                    event,
                    Event::Ended { .. }
                        | Event::Parked { .. }
                        | Event::ReturnedToFront { .. }
                        | Event::CallCancelled { .. }
                        | Event::Missed { .. }
                ),
                (Some(a), Some(b)) if a != b => matches!(
                    event,
                    Event::HandedOver { from, to, .. } if from == a && to == b
                ),
                (Some(_), Some(_)) => {
                    !matches!(event, Event::Called { .. }) || old_epoch == new_epoch
                }
                (None, None) => true,
            };
            self.owner_jumped |= !lawful;
            self.epoch_stood |= old != new && old_epoch >= new_epoch;
        }
    }
}

fn opened(id: RoomId) -> Room {
    let mut room = Room::default();
    let mut happen = |event: Event| room.evolve(&event, NOW);
    happen(Event::Opened { name: "m".into(), clinic: Institution::default() });
    happen(Event::RosterSet { doctors: DOCTORS.to_vec() });
    for doctor in DOCTORS {
        happen(Event::DutySet { doctor, duty: Duty::On });
    }
    for (ticket, _, bedside) in TICKETS.iter().filter(|(_, room, _)| *room == id) {
        let new = new_ticket(*ticket);
        if *bedside {
            let bedside = Bedside { site: SiteId(0), nurse: NURSE };
            happen(Event::Admitted { new, bedside });
            happen(Event::ReadySet { ticket: *ticket, ready: true });
        } else {
            happen(Event::Invited { new });
            happen(Event::Arrived { ticket: *ticket });
        }
    }
    room
}

fn new_ticket(ticket: TicketId) -> NewTicket {
    let subject = SubjectId(ticket.0);
    NewTicket::standard(ticket, subject, String::new(), Person::default())
}

/// The papers of a claim: in the model one visit a ticket is enough.
pub fn visit_of(ticket: TicketId) -> VisitId {
    VisitId(ticket.0)
}
