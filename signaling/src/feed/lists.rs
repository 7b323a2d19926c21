//! The lists of staff, brought up to date at the cost of what changed. Pure: made of states alone.

use super::told::{Rooms, Told};
use crate::room::{Room, Ticket};
use crate::views::{self, Cards, Change, Table, Viewer};
use minato_protocol::TicketId;
use minato_protocol::view::Row;
use std::collections::{BTreeMap, BTreeSet};

/// Rows of one message. More of them come in further messages, so that the largest room fits
/// through a socket's buffer and a slow link shows its beginning early.
pub(super) const ROWS_MAX: usize = 250;

/// What lists are made of.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// Every room as it is now.
    pub rooms: &'a Rooms,
    /// Staff by id.
    pub cards: &'a Cards,
    /// `YYYY-MM-DD`, for ages.
    pub today: &'a str,
}

/// One of the lists that staff have of all rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// The rooms.
    Rooms,
    /// The tickets that this viewer sees.
    Tickets,
    /// The doctors.
    Doctors,
    /// What this viewer should look at.
    Alerts,
}

/// The lists of one screen, as far as it was told of them.
#[derive(Debug)]
pub struct Lists {
    viewer: Viewer,
    tickets: Told,
    /// Of which day the ages in the list are.
    told_on: String,
    alerts: Told,
    alerts_by_ticket: BTreeMap<TicketId, Vec<String>>,
}

impl Lists {
    /// Nothing was told yet.
    pub fn new(viewer: Viewer) -> Self {
        Self {
            viewer,
            tickets: Told::default(),
            told_on: String::new(),
            alerts: Told::default(),
            alerts_by_ticket: BTreeMap::new(),
        }
    }

    /// Every row of a list; what comes later is told against these.
    pub fn whole(&mut self, list: List, around: Around<'_>) -> Vec<Row> {
        match list {
            List::Rooms => rooms(around),
            List::Doctors => views::doctors(&self.viewer, around.rooms, around.cards),
            List::Tickets => {
                self.tickets = Told::default();
                self.changed_tickets(around).0
            }
            List::Alerts => {
                self.alerts.all(around.rooms);
                self.alerts_by_ticket.clear();
                let mut rows = Vec::new();
                for (_, seen) in around.rooms {
                    for ticket in seen.state.live() {
                        rows.extend(self.alerts_of(&seen.state, ticket));
                    }
                }
                rows
            }
        }
    }

    /// What a table of this list lacks, in changes of at most [`ROWS_MAX`] rows.
    pub fn news(&mut self, list: List, table: &mut Table, around: Around<'_>) -> Vec<Change> {
        match list {
            // A row a room and a row a doctor: few.
            List::Rooms => table.replace(rooms(around)).into_iter().collect(),
            List::Doctors => table
                .replace(views::doctors(&self.viewer, around.rooms, around.cards))
                .into_iter()
                .collect(),
            List::Tickets => {
                let (rows, gone) = self.changed_tickets(around);
                in_parts(table, rows, gone)
            }
            List::Alerts => {
                let (rows, gone) = self.changed_alerts(around);
                in_parts(table, rows, gone)
            }
        }
    }

    /// Rows of changed tickets, and keys of those that are gone or not for these eyes any more.
    fn changed_tickets(&mut self, around: Around<'_>) -> (Vec<Row>, Vec<String>) {
        let (mut rows, mut gone) = (Vec::new(), Vec::new());
        if self.told_on != around.today {
            // A new day may change an age: every row is made anew, and who is gone is still told.
            self.tickets.news(around.rooms, |(_, id, ticket)| {
                gone.extend(ticket.is_none().then(|| id.to_string()));
            });
            self.tickets = Told::default();
            around.today.clone_into(&mut self.told_on);
        }
        let viewer = self.viewer;
        self.tickets.news(around.rooms, |(room, id, ticket)| {
            let row = ticket.and_then(|it| views::ticket_row(&viewer, room, it, around.today));
            match row {
                Some(row) => rows.push(row),
                None => gone.push(id.to_string()),
            }
        });
        (rows, gone)
    }

    /// Alerts of changed tickets, and of those that a doctor has: whether that doctor's screen is
    /// gone is no part of the ticket.
    fn changed_alerts(&mut self, around: Around<'_>) -> (Vec<Row>, Vec<String>) {
        let mut room_by_ticket = BTreeMap::new();
        for (room, seen) in around.rooms {
            room_by_ticket.extend(seen.state.claimed().map(|ticket| (ticket.id, *room)));
        }
        self.alerts.news(around.rooms, |(room, id, _)| {
            room_by_ticket.insert(id, room);
        });
        let (mut rows, mut gone) = (Vec::new(), Vec::new());
        for (id, room) in room_by_ticket {
            gone.extend(self.alerts_by_ticket.remove(&id).unwrap_or_default());
            let Some((_, seen)) = around.rooms.iter().find(|(other, _)| *other == room) else {
                continue;
            };
            let Ok(ticket) = seen.state.ticket(id) else { continue };
            rows.extend(self.alerts_of(&seen.state, ticket));
        }
        let stays: BTreeSet<String> = rows.iter().map(Row::key).collect();
        gone.retain(|key| !stays.contains(key));
        (rows, gone)
    }

    fn alerts_of(&mut self, room: &Room, ticket: &Ticket) -> Vec<Row> {
        let rows = views::alerts(&self.viewer, room, ticket);
        if !rows.is_empty() {
            self.alerts_by_ticket.insert(ticket.id, rows.iter().map(Row::key).collect());
        }
        rows
    }
}

fn rooms(around: Around<'_>) -> Vec<Row> {
    around.rooms.iter().map(|(id, seen)| views::room_row(*id, &seen.state)).collect()
}

/// A change of any size as changes of at most [`ROWS_MAX`] rows.
pub(super) fn in_parts(table: &mut Table, rows: Vec<Row>, gone: Vec<String>) -> Vec<Change> {
    let mut changes: Vec<_> = table.apply(Vec::new(), gone).into_iter().collect();
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        changes.extend(table.apply(rows.by_ref().take(ROWS_MAX).collect(), Vec::new()));
    }
    changes
}

#[cfg(test)]
#[path = "lists_tests.rs"]
mod tests;
