//! A patient's own place, and nothing of anybody else.

use super::{Cards, card_of};
use crate::room::{Room, Stage, Ticket};
use minato_protocol::act::Duty;
use minato_protocol::view::{PlaceRow, Row, Wait};

/// The one row of a patient's page.
pub fn place(room: &Room, ticket: &Ticket, cards: &Cards) -> Row {
    let waiting = ticket.is_waiting();
    let (disposition, note) = match &ticket.stage {
        Stage::Ended { disposition, note, .. } => {
            let note = note.reveal().filter(|note| !note.is_empty()).cloned();
            (Some(*disposition), note)
        }
        Stage::Invited
        | Stage::Waiting { .. }
        | Stage::Called(_)
        | Stage::InVisit(_)
        | Stage::Parked { .. }
        | Stage::Unanswered
        | Stage::Left => (None, None),
    };
    let ahead = u32::try_from(room.ahead_of(ticket)).unwrap_or(u32::MAX);
    let on_duty = room.roster.iter().filter(|(_, entry)| entry.duty != Duty::Off);
    Row::Place(Box::new(PlaceRow {
        ticket: ticket.id,
        code: ticket.code.clone(),
        state: ticket.state(),
        ahead: waiting.then_some(ahead),
        wait: if waiting { room.wait_of(ticket) } else { Wait::CannotTell },
        why: ticket.why,
        epoch: ticket.epoch,
        doctor: ticket.owner().map(|owner| card_of(cards, owner)),
        may_appear: on_duty.map(|(doctor, _)| card_of(cards, *doctor)).collect(),
        clinic: room.clinic.clone(),
        visit: ticket.visit(),
        disposition,
        note,
    }))
}
