//! The states that a screen was told of, and which tickets changed since.

use crate::desk::Seen;
use crate::room::{Room, Ticket};
use minato_protocol::{RoomId, TicketId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Every room with its newest durable state.
pub type Rooms = [(RoomId, Arc<Seen<Room>>)];

/// A ticket that is not the very same value as before; without one, it is gone.
pub(super) type Changed<'a> = (RoomId, TicketId, Option<&'a Arc<Ticket>>);

/// What a list was last made of.
#[derive(Debug, Default)]
pub(super) struct Told {
    by_room: BTreeMap<RoomId, Arc<Seen<Room>>>,
}

impl Told {
    /// Takes these states for told.
    pub(super) fn all(&mut self, rooms: &Rooms) {
        self.by_room = rooms.iter().cloned().collect();
    }

    /// Hands over what changed and takes it for told. Cost: the tickets that changed.
    pub(super) fn news<'a>(&mut self, rooms: &'a Rooms, mut tell: impl FnMut(Changed<'a>)) {
        for (room, seen) in rooms {
            let before = self.by_room.insert(*room, Arc::clone(seen)).unwrap_or_default();
            let changed = seen.state.tickets.changes_since(&before.state.tickets, Arc::ptr_eq);
            changed.into_iter().for_each(|(id, ticket)| tell((*room, id, ticket)));
        }
    }
}
