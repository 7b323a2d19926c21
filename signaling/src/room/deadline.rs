//! What is due by when. Every node looks; whoever sends `Expire` first is enough.

use super::{
    Claim, Command, DOCTOR_GRACE, Event, MISSES_MAX, PLACE_GRACE, RING, Room, Stage, Ticket,
};
use minato_protocol::Timestamp;
use minato_protocol::view::Why;

impl Room {
    /// The earliest moment at which [`Command::Expire`] would do something.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.live().filter_map(|ticket| self.deadline_of(ticket)).min()
    }

    fn deadline_of(&self, ticket: &Ticket) -> Option<Timestamp> {
        match &ticket.stage {
            Stage::Called(claim) => {
                let ring = claim.since + RING;
                Some(self.doctor_gone_at(claim).map_or(ring, |gone| ring.min(gone)))
            }
            Stage::InVisit(claim) => self.doctor_gone_at(claim),
            // Nobody with a kit sits at its page: the ticket waits for a doctor, however long.
            Stage::Waiting { .. } | Stage::Parked { .. } if ticket.raised.is_some() => None,
            Stage::Waiting { .. } | Stage::Parked { .. } => {
                ticket.away_since.map(|since| since + PLACE_GRACE)
            }
            Stage::Invited | Stage::Unanswered | Stage::Ended { .. } | Stage::Left => None,
        }
    }

    /// The grace begins with this claim at the earliest: who was away before and now took or was
    /// given a patient has all of it.
    fn doctor_gone_at(&self, claim: &Claim) -> Option<Timestamp> {
        let away_since = self.roster.get(&claim.doctor)?.away_since?;
        Some(away_since.max(claim.since) + DOCTOR_GRACE)
    }

    /// Everything that is due, as events. The answer to [`Command::Expire`].
    pub(super) fn due(&self, now: Timestamp) -> Vec<Event> {
        self.live()
            .filter(|ticket| self.deadline_of(ticket).is_some_and(|deadline| deadline <= now))
            .filter_map(|ticket| self.expired(ticket, now))
            .collect()
    }

    fn expired(&self, ticket: &Ticket, now: Timestamp) -> Option<Event> {
        let id = ticket.id;
        let epoch = ticket.next_epoch();
        match &ticket.stage {
            Stage::Called(claim) | Stage::InVisit(claim)
                if self.doctor_gone_at(claim).is_some_and(|gone| gone <= now) =>
            {
                Some(Event::ReturnedToFront { ticket: id, epoch, why: Why::DoctorGone })
            }
            Stage::Called(_) => Some(Event::Missed { ticket: id, epoch }),
            // Silence may be a collapse: nobody is dropped without a telephone call.
            Stage::Waiting { .. } | Stage::Parked { .. } => {
                Some(Event::Unanswered { ticket: id, why: Why::GraceOver })
            }
            Stage::InVisit(_)
            | Stage::Invited
            | Stage::Unanswered
            | Stage::Ended { .. }
            | Stage::Left => None,
        }
    }

    /// Whether one more miss sends a coordinator to the telephone.
    pub(super) fn misses_too_often(ticket: &Ticket) -> bool {
        ticket.misses.saturating_add(1) >= MISSES_MAX
    }

    /// The command that every node sends when a deadline has come.
    pub const fn expiry() -> Command {
        Command::Expire
    }
}
