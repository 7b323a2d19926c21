//! The one reservation of a doctor or a bedside nurse, wherever they are on duty.
//!
//! Pure. A claim reserves here first (the doctor, then the ticket's nurse), then appends `Called`
//! in the room under the same epoch. This stream never says who owns a ticket: it only makes sure
//! that nobody is in two calls.

mod settle;

pub use settle::{Verdict, judge};

use crate::aggregate::Aggregate;
use minato_protocol::{Code, RoomId, TicketId, Timestamp};
use serde::{Deserialize, Serialize};

/// What somebody is reserved for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reservation {
    /// The room that owns the ticket.
    pub room: RoomId,
    /// The ticket.
    pub ticket: TicketId,
    /// The claim's epoch.
    pub epoch: u32,
}

/// Imperative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Reserves a doctor. Refused while any reservation stands, whatever it is for.
    ReserveDoctor(Reservation),
    /// Reserves a nurse.
    ReserveNurse(Reservation),
    /// Gives exactly this reservation back; another one stays.
    Release(Reservation),
    /// The same patient under the next epoch, after a hand-over that kept the nurse.
    Renew(Reservation),
}

/// Past tense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// In one call from here on.
    Reserved(Reservation),
    /// Free again.
    Released(Reservation),
}

/// One member of staff: free, or reserved for one ticket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Staff {
    /// The one reservation and since when.
    pub reserved: Option<(Reservation, Timestamp)>,
}

impl Staff {
    fn reserve(self, wanted: Reservation, busy: Code) -> Result<Vec<Event>, Code> {
        match self.reserved {
            None => Ok(vec![Event::Reserved(wanted)]),
            Some((standing, _)) if standing == wanted => Ok(Vec::new()),
            Some(_) => Err(busy),
        }
    }
}

impl Aggregate for Staff {
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command, _now: Timestamp) -> Result<Vec<Event>, Code> {
        let standing = self.reserved.map(|(reservation, _)| reservation);
        match command {
            Command::ReserveDoctor(wanted) => self.reserve(*wanted, Code::DoctorBusy),
            Command::ReserveNurse(wanted) => self.reserve(*wanted, Code::NurseBusy),
            Command::Release(given) if standing == Some(*given) => {
                Ok(vec![Event::Released(*given)])
            }
            Command::Release(_) => Ok(Vec::new()),
            Command::Renew(next) => match standing {
                Some(old)
                    if (old.room, old.ticket) == (next.room, next.ticket)
                        && old.epoch < next.epoch =>
                {
                    Ok(vec![Event::Released(old), Event::Reserved(*next)])
                }
                Some(old) if old == *next => Ok(Vec::new()),
                Some(_) | None => Err(Code::StaleEpoch),
            },
        }
    }

    fn evolve(&mut self, event: &Event, at: Timestamp) {
        self.reserved = match event {
            Event::Reserved(reservation) => Some((*reservation, at)),
            Event::Released(_) => None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn for_ticket(ticket: u64, epoch: u32) -> Reservation {
        Reservation { room: RoomId(1), ticket: TicketId(ticket), epoch }
    }

    fn reserved(reservation: Reservation) -> Staff {
        let mut staff = Staff::default();
        staff.evolve(&Event::Reserved(reservation), Timestamp(0));
        staff
    }

    #[test]
    fn a_doctor_with_a_patient_cannot_be_reserved_for_another() {
        let busy = reserved(for_ticket(1, 1));
        let second = Command::ReserveDoctor(for_ticket(2, 1));
        assert_eq!(busy.decide(&second, Timestamp(0)), Err(Code::DoctorBusy));
    }

    #[test]
    fn reserving_twice_for_the_same_claim_changes_nothing() {
        let again = Command::ReserveDoctor(for_ticket(1, 1));
        assert_eq!(reserved(for_ticket(1, 1)).decide(&again, Timestamp(0)), Ok(vec![]));
    }

    #[test]
    fn a_late_release_of_an_old_claim_leaves_the_new_one_alone() {
        let now = reserved(for_ticket(1, 3));
        assert_eq!(now.decide(&Command::Release(for_ticket(1, 1)), Timestamp(0)), Ok(vec![]));
    }

    #[test]
    fn a_nurse_follows_her_patient_to_the_next_epoch_and_not_back() {
        let nurse = reserved(for_ticket(1, 2));
        let next = nurse.decide(&Command::Renew(for_ticket(1, 3)), Timestamp(0));
        assert_eq!(
            next,
            Ok(vec![Event::Released(for_ticket(1, 2)), Event::Reserved(for_ticket(1, 3))])
        );
        let back = nurse.decide(&Command::Renew(for_ticket(1, 1)), Timestamp(0));
        assert_eq!(back, Err(Code::StaleEpoch));
    }

    #[test]
    fn a_nurse_in_a_call_cannot_be_reserved_for_another_and_is_free_afterwards() {
        let mut nurse = reserved(for_ticket(1, 1));
        let second = Command::ReserveNurse(for_ticket(2, 1));
        assert_eq!(nurse.decide(&second, Timestamp(0)), Err(Code::NurseBusy));
        nurse.evolve(&Event::Released(for_ticket(1, 1)), Timestamp(1));
        assert_eq!(
            nurse.decide(&second, Timestamp(2)),
            Ok(vec![Event::Reserved(for_ticket(2, 1))])
        );
    }

    #[test]
    fn the_same_ticket_under_another_epoch_is_another_reservation() {
        let busy = reserved(for_ticket(1, 1));
        let next = Command::ReserveDoctor(for_ticket(1, 2));
        assert_eq!(busy.decide(&next, Timestamp(0)), Err(Code::DoctorBusy));
    }

    #[test]
    fn nobody_free_is_renewed_or_released() {
        let free = Staff::default();
        let renew = Command::Renew(for_ticket(1, 2));
        assert_eq!(free.decide(&renew, Timestamp(0)), Err(Code::StaleEpoch));
        assert_eq!(free.decide(&Command::Release(for_ticket(1, 2)), Timestamp(0)), Ok(vec![]));
    }
}
