//! Verbs about readings of a ticket: what people type, and what they say of what is there.

use super::{Acted, Press};
use crate::readers::TypedEntry;
use crate::room::Ticket;
use crate::subject::{Command, Item};
use minato_protocol::act::Outcome;
use minato_protocol::reading::{EnteredBy, Hex, Outcome as Measured, ReadingId, TypedValue};
use minato_protocol::{Code, Pii, Span, StaffId, SubjectId, TicketId, Timestamp};

/// Values of one press.
const VALUES_MAX: usize = 8;
/// Nobody types more digits than this, nor a power of ten beyond it.
const MANTISSA_MAX: u32 = 999_999;
const EXPONENT_MAX: u8 = 6;
/// What was measured earlier than this is not typed in any more.
const TYPED_AGE_MAX: Span = Span::minutes(24 * 60);

/// What somebody typed.
pub(super) struct Typed {
    pub(super) values: Vec<TypedValue>,
    pub(super) measured_at: Option<Timestamp>,
    pub(super) corrects: Option<ReadingId>,
    pub(super) reason: String,
}

impl Press<'_> {
    /// The nurse, or the patient's own page.
    pub(super) async fn enter_reading(&self, ticket: TicketId, typed: Typed) -> Acted {
        let (room, known) = self.ticket(ticket).await?;
        self.at_the_bed(room, &known)?;
        let entered = match self.nurse_of(&known) {
            Ok(staff) => EnteredBy::Staff { staff },
            Err(_) => EnteredBy::Patient,
        };
        let outcome = self.typed(&typed, entered)?;
        let correction = match (typed.corrects, entered) {
            (None, _) if known.is_over() => return Err(Code::TicketOver.into()),
            (None, _) => None,
            (Some(_), EnteredBy::Patient) => return Err(Code::NotAllowed.into()),
            (Some(reading), EnteredBy::Staff { staff }) => {
                Some((reading, staff, Self::reason(&typed.reason, true)?))
            }
        };
        if let Some((reading, ..)) = &correction {
            self.may_be_corrected(&known, *reading, outcome.id()).await?;
        }
        let id = outcome.id();
        self.keep_typed(&known, outcome).await?;
        if let Some((reading, by, reason)) = correction {
            // The new value is there first: cut off here, both show until the press is repeated.
            let reason = self.private(&known, reason);
            let withdraw = Command::Withdraw { reading, by, reason, replaced_by: Some(id) };
            let edge = self.edge;
            edge.readings.note(&edge.desk, known.subject, Some(self.key), withdraw).await?;
        }
        Ok(Outcome::Entered { reading: id })
    }

    fn typed(&self, typed: &Typed, entered: EnteredBy) -> Result<Measured, Code> {
        let Typed { values, measured_at, .. } = typed;
        let now = self.edge.desk.clock.now();
        let at = measured_at.unwrap_or(now);
        let is_number = |typed: &TypedValue| {
            typed.value.mantissa.unsigned_abs() <= MANTISSA_MAX
                && typed.value.exponent.unsigned_abs() <= EXPONENT_MAX
        };
        let is_once = |typed: &TypedValue| {
            values.iter().filter(|other| other.what == typed.what).count() == 1
        };
        let fits = (1..=VALUES_MAX).contains(&values.len())
            && values.iter().all(|typed| is_number(typed) && is_once(typed))
            && at <= now
            && now - at <= TYPED_AGE_MAX;
        if !fits {
            return Err(Code::FieldWrong);
        }
        let entry = TypedEntry { id: self.typed_id(), values, entered, at };
        (self.edge.readers.typed)(&entry).ok_or(Code::FieldWrong)
    }

    /// Drawn from the press: pressed again, it is the same reading.
    fn typed_id(&self) -> ReadingId {
        let secrets = &self.edge.desk.secrets;
        let half = |which: &str| secrets.derive_id(which, &self.key.id.to_be_bytes()).to_be_bytes();
        let mut id = [0; 16];
        id[..8].copy_from_slice(&half("typed reading"));
        id[8..].copy_from_slice(&half("typed reading, second half"));
        ReadingId(Hex(id))
    }

    /// A reading is corrected once; then its successor is. The press that did it may be repeated.
    async fn may_be_corrected(
        &self,
        ticket: &Ticket,
        reading: ReadingId,
        by: ReadingId,
    ) -> Result<(), Code> {
        let edge = self.edge;
        edge.readings.find(&edge.desk, ticket.subject, reading).await?;
        let successor = edge.readings.successor(&edge.desk, ticket.subject, reading).await?;
        match successor {
            Some(known) if known != Some(by) => Err(Code::ReadingUnknown),
            Some(_) | None => Ok(()),
        }
    }

    async fn keep_typed(&self, ticket: &Ticket, outcome: Measured) -> Result<(), Code> {
        let edge = self.edge;
        let (id, said) = (outcome.id(), raw(&outcome).to_vec());
        let now = edge.desk.clock.now();
        let item = Item::sent(outcome, now, now);
        let known = edge.readings.keep(&edge.desk, ticket.subject, vec![item]).await?;
        if known.is_empty() {
            return Ok(());
        }
        // The same press said other values before.
        let before = edge.readings.find(&edge.desk, ticket.subject, id).await?;
        if raw(&before.outcome) == said { Ok(()) } else { Err(Code::KeyReused) }
    }

    pub(super) async fn confirm_reading(&self, ticket: TicketId, reading: ReadingId) -> Acted {
        let (known, by) = self.checks(ticket, reading).await?;
        let confirm = Command::Confirm { reading, by };
        self.edge.readings.note(&self.edge.desk, known, Some(self.key), confirm).await?;
        Ok(Outcome::Done)
    }

    pub(super) async fn withdraw_reading(
        &self,
        ticket: TicketId,
        reading: ReadingId,
        reason: String,
    ) -> Acted {
        let (subject, by) = self.checks(ticket, reading).await?;
        let reason = Pii::new(subject, Self::reason(&reason, true)?);
        let withdraw = Command::Withdraw { reading, by, reason, replaced_by: None };
        self.edge.readings.note(&self.edge.desk, subject, Some(self.key), withdraw).await?;
        Ok(Outcome::Done)
    }

    /// Whose nurse or doctor says something of a reading, which is there.
    async fn checks(
        &self,
        ticket: TicketId,
        reading: ReadingId,
    ) -> Result<(SubjectId, StaffId), Code> {
        let (_, known) = self.ticket(ticket).await?;
        let by = self.nurse_of(&known).or_else(|_| self.owner(&known))?;
        self.edge.readings.find(&self.edge.desk, known.subject, reading).await?;
        Ok((known.subject, by))
    }
}

fn raw(outcome: &Measured) -> &[u8] {
    match outcome {
        Measured::Reading(reading) => &reading.provenance.raw.0,
        Measured::Fault(fault) => &fault.provenance.raw.0,
    }
}
