//! Settling: how any process brings somebody's reservation into line with the room.

use crate::clinic::{Clinic, STAFF};
use crate::plan::Guards;
use minato_protocol::StaffId;
use minato_signaling::room::Command;
use minato_signaling::staff::{self, Reservation, Verdict, judge};

/// Whose reservations are still to be settled, and how far the first one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Settling {
    rest: [bool; 3],
    at: At,
    only: Only,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Only {
    /// Whatever stands.
    Any,
    /// Only what this claim reserved. Two refused claims that burnt whatever stands would burn
    /// each other's next try for ever.
    Own(Reservation),
    /// Without the guard: releases exactly this and asks nobody.
    Unasked(Reservation),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum At {
    /// Reads the reservation.
    Look,
    /// Sees the room and judges.
    Judge(Reservation),
    /// Makes the claim impossible.
    Burn(Reservation),
    /// Gives back.
    Release(Reservation),
    /// Follows the patient to another epoch.
    Renew(Reservation),
}

impl Settling {
    /// These people, the nurse first, then the doctors.
    pub fn of(people: impl IntoIterator<Item = StaffId>) -> Self {
        let mut rest = [false; 3];
        for who in people {
            rest[STAFF.iter().position(|other| *other == who).expect("staff of the model")] = true;
        }
        Self { rest, at: At::Look, only: Only::Any }
    }

    /// What a claim does to its own reservation when it is refused.
    pub fn undo(
        people: impl IntoIterator<Item = StaffId>,
        own: Reservation,
        guards: Guards,
    ) -> Self {
        let only = match (guards.undo_asks_the_room, guards.undo_only_its_own) {
            (false, _) => Only::Unasked(own),
            (true, false) => Only::Any,
            (true, true) => Only::Own(own),
        };
        Self { only, ..Self::of(people) }
    }

    fn now(&self) -> Option<StaffId> {
        self.rest.iter().rposition(|wanted| *wanted).map(|place| STAFF[place])
    }

    fn next(mut self) -> Option<Self> {
        if let Some(place) = self.rest.iter().rposition(|wanted| *wanted) {
            self.rest[place] = false;
        }
        self.at = At::Look;
        self.now().map(|_| self)
    }

    /// One step; nothing when everybody is settled. What is refused is left to the next round.
    pub fn step(mut self, clinic: &mut Clinic, guards: Guards) -> Option<Self> {
        let who = self.now()?;
        match self.at {
            At::Look => match (self.only, clinic.staff(who).reserved) {
                (Only::Unasked(own), _) => self.at = At::Release(own),
                (Only::Own(own), Some((standing, _))) if own != standing => return self.next(),
                (Only::Own(_) | Only::Any, Some((standing, _))) => self.at = At::Judge(standing),
                (Only::Own(_) | Only::Any, None) => return self.next(),
            },
            At::Judge(standing) => {
                let seen = clinic.room(standing.room);
                match verdict(judge(&seen.room, who, standing), guards) {
                    Verdict::Stands => return self.next(),
                    Verdict::Renew(later) => self.at = At::Renew(later),
                    Verdict::BurnFirst => self.at = At::Burn(standing),
                    Verdict::Release => self.at = At::Release(standing),
                }
            }
            At::Burn(standing) => {
                let Reservation { room, ticket, epoch } = standing;
                if clinic.ask_room(room, &Command::BurnClaim { ticket, epoch }).is_err() {
                    return self.next();
                }
                self.at = At::Judge(standing);
            }
            At::Release(standing) => {
                let _refused = clinic.ask_staff(who, &staff::Command::Release(standing));
                return self.next();
            }
            At::Renew(later) => {
                let _refused = clinic.ask_staff(who, &staff::Command::Renew(later));
                return self.next();
            }
        }
        Some(self)
    }
}

/// The real verdict, or what is left of it without a guard.
fn verdict(real: Verdict, guards: Guards) -> Verdict {
    match real {
        Verdict::BurnFirst if !guards.burn_before_release => Verdict::Release,
        Verdict::Renew(_) if !guards.renew => Verdict::Release,
        Verdict::Stands | Verdict::Renew(_) | Verdict::BurnFirst | Verdict::Release => real,
    }
}
