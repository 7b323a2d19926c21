//! What a standing reservation is worth, seen from the room that owns the ticket.

use super::Reservation;
use crate::room::Room;
use minato_protocol::StaffId;

/// What has to happen to a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Its claim stands: keep it.
    Stands,
    /// Its claim stands under a later epoch: renew it to this one. Until then it guards as well.
    Renew(Reservation),
    /// Its claim may still be on the way: make it impossible by `BurnClaim` in the room, then
    /// judge again with the room as it is after that.
    BurnFirst,
    /// Its claim is over or can never come: release exactly this reservation.
    Release,
}

/// Judges the reservation of a doctor or of a bedside nurse. Pure.
///
/// Law: **a reservation is released on a verdict only, whoever releases it and why.** Two claims
/// on one ticket reckon with the same epoch and so share the nurse's reservation; one doctor at
/// two screens shares the doctor's. Whoever loses must not free what the winner holds, and what is
/// free must not be claimed by somebody slow; so the room is asked, and an epoch that nobody
/// reached is burnt before.
///
/// `room` has to be seen after the reservation was read. An older view is judged too strictly or
/// burns in vain, but never frees what stands: an epoch that was passed without this claim stays
/// passed.
pub fn judge(room: &Room, staff: StaffId, standing: Reservation) -> Verdict {
    let Ok(ticket) = room.ticket(standing.ticket) else { return Verdict::Release };
    if ticket.epoch < standing.epoch {
        return Verdict::BurnFirst;
    }
    let Some(owner) = ticket.owner() else { return Verdict::Release };
    let is_nurse = ticket.bedside.is_some_and(|bedside| bedside.nurse == staff);
    if owner != staff && !is_nurse {
        return Verdict::Release;
    }
    if ticket.epoch == standing.epoch {
        Verdict::Stands
    } else {
        Verdict::Renew(Reservation { epoch: ticket.epoch, ..standing })
    }
}

#[cfg(test)]
#[path = "settle_tests.rs"]
mod tests;
