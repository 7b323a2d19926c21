//! The rows of the big list, made anew only for tickets that changed.

use crate::desk::Seen;
use crate::room::{Room, Ticket};
use crate::views::{Viewer, ticket_row};
use minato_protocol::view::Row;
use minato_protocol::{RoomId, TicketId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The tickets that a screen was told of, as they were then.
#[derive(Debug, Default)]
pub(super) struct Told {
    by_id: BTreeMap<TicketId, (RoomId, Arc<Ticket>)>,
    today: String,
}

impl Told {
    /// Rows of tickets that are not the very same value as before, and keys of those that are
    /// gone or not for these eyes any more.
    pub(super) fn news(
        &mut self,
        viewer: &Viewer,
        rooms: &[(RoomId, Arc<Seen<Room>>)],
        today: &str,
    ) -> (Vec<Row>, Vec<String>) {
        if self.today != today {
            // A new day may change an age.
            self.by_id.clear();
            today.clone_into(&mut self.today);
        }
        let (mut rows, mut gone) = (Vec::new(), Vec::new());
        for (room, seen) in rooms {
            for (id, ticket) in &seen.state.tickets {
                if self.by_id.get(id).is_some_and(|(_, known)| Arc::ptr_eq(known, ticket)) {
                    continue;
                }
                self.by_id.insert(*id, (*room, Arc::clone(ticket)));
                match ticket_row(viewer, *room, ticket, today) {
                    Some(row) => rows.push(row),
                    None => gone.push(id.to_string()),
                }
            }
        }
        self.forget_gone(rooms, &mut gone);
        (rows, gone)
    }

    fn forget_gone(&mut self, rooms: &[(RoomId, Arc<Seen<Room>>)], gone: &mut Vec<String>) {
        let total: usize = rooms.iter().map(|(_, seen)| seen.state.tickets.len()).sum();
        if total == self.by_id.len() {
            return;
        }
        let stays = |room: &RoomId, id: &TicketId| {
            rooms.iter().any(|(other, seen)| other == room && seen.state.tickets.contains_key(id))
        };
        self.by_id.retain(|id, (room, _)| {
            let kept = stays(room, id);
            if !kept {
                gone.push(id.to_string());
            }
            kept
        });
    }
}
