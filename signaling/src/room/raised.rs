//! Tickets that a home kit opened: what changed, in the order in which it did.

use super::{Event, KitOrigin, NewTicket, Room, TICKETS_MAX, Ticket};
use minato_protocol::kit::Fired;
use minato_protocol::{Code, Pii, SubjectId};
use serde::{Deserialize, Serialize};

/// What changed is kept beside a ticket up to so many; what comes then is in the log and in the trend.
pub const FIRED_MAX: usize = 32;

/// What a ticket has from a kit.
///
/// Law: **a firing is on one ticket, once.** A kit numbers its firings and hands them over in that
/// order; the ticket knows the last one that it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raised {
    /// Which kit.
    pub kit: KitOrigin,
    /// The last firing that the ticket has.
    pub up_to: u32,
    /// What changed, oldest first; each piece as it came.
    pub fired: Vec<Pii<Vec<Fired>>>,
}

impl Raised {
    pub(super) fn new(kit: KitOrigin, up_to: u32, fired: &Pii<Vec<Fired>>) -> Self {
        Self { kit, up_to, fired: vec![fired.clone()] }
    }

    pub(super) fn further(&mut self, up_to: u32, fired: &Pii<Vec<Fired>>) {
        self.up_to = self.up_to.max(up_to);
        if self.fired.len() < FIRED_MAX {
            self.fired.push(fired.clone());
        }
    }

    /// All of it that may still be told.
    pub fn told(&self) -> Vec<Fired> {
        let known = self.fired.iter().filter_map(Pii::reveal).flatten();
        known.take(FIRED_MAX).copied().collect()
    }
}

/// Intake may be closed: nobody at home chose the hour. Only a room that is full takes nobody.
pub(super) fn raise(
    room: &Room,
    new: &NewTicket,
    kit: KitOrigin,
    up_to: u32,
    fired: &[Fired],
) -> Result<Vec<Event>, Code> {
    let Ok(known) = room.ticket(new.ticket) else {
        if room.live().count() >= TICKETS_MAX {
            return Err(Code::RoomFull);
        }
        let fired = sealed(new.subject, fired, 0);
        return Ok(vec![Event::Raised { new: new.clone(), kit, up_to, fired }]);
    };
    let had = known.raised.as_ref().map_or(0, |raised| raised.up_to);
    if up_to <= had {
        return Ok(Vec::new());
    }
    if known.is_over() {
        return Err(Code::TicketOver);
    }
    let fired = sealed(known.subject, fired, had);
    Ok(vec![Event::RaisedFurther { ticket: known.id, up_to, fired }])
}

fn sealed(of: SubjectId, fired: &[Fired], had: u32) -> Pii<Vec<Fired>> {
    Pii::new(of, fired.iter().filter(|one| one.firing > had).copied().collect())
}

impl Ticket {
    /// The home kit that it came from.
    pub fn kit(&self) -> Option<KitOrigin> {
        self.raised.as_ref().map(|raised| raised.kit)
    }
}
