//! Verbs about readings of nobody: whose they are, and that they are no patient's.

use super::{Acted, Press};
use crate::gateway::{Word, dismiss, settle};
use crate::room::Ticket;
use minato_protocol::act::Outcome;
use minato_protocol::reading::ReadingId;
use minato_protocol::{Code, Role, SiteId, Span, StaffId, TicketId};

/// Whoever says later than this whose a reading is says also why.
const REASON_AFTER: Span = Span::minutes(30);

/// Two things that identify a person, as they were read from a wristband or said.
pub(super) struct Identifiers {
    pub(super) code: String,
    pub(super) birth_date: String,
}

impl Identifiers {
    fn are_of(&self, ticket: &Ticket) -> bool {
        let code = self.code.trim().eq_ignore_ascii_case(&ticket.code);
        let person = ticket.person.reveal();
        code && person.is_some_and(|person| person.birth_date == self.birth_date.trim())
    }
}

impl Press<'_> {
    /// A nurse says whose a reading is that hangs at her site, of a patient at the bedside there.
    pub(super) async fn settle_reading(
        &self,
        reading: ReadingId,
        ticket: TicketId,
        identifiers: &Identifiers,
        reason: String,
    ) -> Acted {
        let (_, known) = self.ticket(ticket).await?;
        let by = self.nurse_of(&known)?;
        let site = self.actor.viewer.site.ok_or(Code::NotAllowed)?;
        let reason = Self::reason(&reason, false)?;
        self.identified(by, identifiers, &known)?;
        let edge = self.edge;
        let measured_at = edge.held.measured_at(site, reading);
        let is_old = measured_at.is_some_and(|at| edge.desk.clock.now() - at > REASON_AFTER);
        if is_old && reason.is_empty() {
            return Err(Code::ReasonFirst.into());
        }
        let word = self.word(site, reading, by, reason);
        settle((&edge.desk, &edge.readings, &edge.held), word, known.subject).await?;
        Ok(Outcome::Done)
    }

    /// Wrong tries are counted, so that a birth date is not found by trying.
    fn identified(
        &self,
        by: StaffId,
        identifiers: &Identifiers,
        ticket: &Ticket,
    ) -> Result<(), Code> {
        let one_try = self.edge.limits.identifiers(by.0, self.edge.desk.clock.now())?;
        if !identifiers.are_of(ticket) {
            return Err(Code::IdentifiersWrong);
        }
        one_try.was_right();
        Ok(())
    }

    pub(super) async fn dismiss_reading(&self, reading: ReadingId, reason: String) -> Acted {
        let by = self.staff_in(Role::Nurse)?;
        let site = self.actor.viewer.site.ok_or(Code::NotAllowed)?;
        let reason = Self::reason(&reason, true)?;
        let word = self.word(site, reading, by, reason);
        dismiss((&self.edge.desk, &self.edge.held), word).await?;
        Ok(Outcome::Done)
    }

    fn word(&self, site: SiteId, reading: ReadingId, by: StaffId, reason: String) -> Word {
        Word { site, reading, by, reason, key: self.key }
    }
}
