//! Verbs about readings of a ticket: what people type, and what they say of what is there.

use super::{Acted, Press};
use crate::readers::TypedEntry;
use crate::room::Ticket;
use crate::subject::{Command, Item};
use minato_protocol::act::Outcome;
use minato_protocol::reading::{
    EnteredBy, Hex, Outcome as Measured, Quality, Quantity, ReadingId, TypedValue,
};
use minato_protocol::{Code, Pii, Span, StaffId, SubjectId, TicketId, Timestamp};

/// Two numbers of one measurement.
const PRESSURE: [Quantity; 2] = [Quantity::Systolic, Quantity::Diastolic];
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
        let outcomes = self.typed(&typed, entered)?;
        let named = named(&outcomes);
        let correction = match (typed.corrects, entered) {
            (None, _) if known.is_over() => return Err(Code::TicketOver.into()),
            (None, _) => None,
            (Some(_), EnteredBy::Patient) => return Err(Code::NotAllowed.into()),
            (Some(reading), EnteredBy::Staff { staff }) => {
                Some((reading, staff, Self::reason(&typed.reason, true)?))
            }
        };
        if let Some((reading, ..)) = &correction {
            self.may_be_corrected(&known, *reading, named).await?;
        }
        self.keep_typed(known.subject, outcomes).await?;
        if let Some((reading, by, reason)) = correction {
            // The new value is there first: cut off here, both show until the press is repeated.
            let reason = self.private(&known, reason);
            let withdraw = Command::Withdraw { reading, by, reason, replaced_by: Some(named) };
            let edge = self.edge;
            edge.readings.note(&edge.desk, known.subject, Some(self.key), withdraw).await?;
        }
        Ok(Outcome::Entered { reading: named })
    }

    /// What was typed together is one reading, but for what no living person shows: that waits by
    /// itself for somebody to look again, and the others do not wait with it. A correction is whole.
    pub(super) fn typed(&self, typed: &Typed, entered: EnteredBy) -> Result<Vec<Measured>, Code> {
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
        let read = |part: u8, values: &[TypedValue]| {
            let entry = TypedEntry { id: self.typed_id(part), values, entered, at };
            (self.edge.readers.typed)(&entry).ok_or(Code::FieldWrong)
        };
        let whole = read(0, values)?;
        if typed.corrects.is_some() || !is_doubtful(&whole) {
            return Ok(vec![whole]);
        }
        let (mut sure, mut parts) = (Vec::new(), Vec::new());
        for group in groups(values) {
            if is_doubtful(&read(0, &group)?) { parts.push(group) } else { sure.extend(group) }
        }
        parts.insert(0, sure);
        let parts = (0..).zip(parts.into_iter().filter(|part| !part.is_empty()));
        parts.map(|(number, part)| read(number, &part)).collect()
    }

    /// Drawn from the press: pressed again, it is the same reading.
    fn typed_id(&self, part: u8) -> ReadingId {
        let secrets = &self.edge.desk.secrets;
        let mut from = self.key.id.to_be_bytes().to_vec();
        // Most presses have one part, whose name is as old as typing.
        from.extend((part > 0).then_some(part));
        let half = |which: &str| secrets.derive_id(which, &from).to_be_bytes();
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

    /// All in one append. The same press may have said other values before: then nothing is kept.
    pub(super) async fn keep_typed(
        &self,
        of: SubjectId,
        outcomes: Vec<Measured>,
    ) -> Result<(), Code> {
        let edge = self.edge;
        for outcome in &outcomes {
            match edge.readings.find(&edge.desk, of, outcome.id()).await {
                Ok(before) if raw(&before.outcome) == raw(outcome) => {}
                Ok(_) => return Err(Code::KeyReused),
                Err(Code::ReadingUnknown) => {}
                Err(code) => return Err(code),
            }
        }
        let now = edge.desk.clock.now();
        let items = outcomes.into_iter().map(|outcome| Item::sent(outcome, now, now)).collect();
        edge.readings.keep(&edge.desk, of, items).await.map(drop)
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
        let by = self.nurse_around(&known).or_else(|_| self.owner(&known))?;
        self.edge.readings.find(&self.edge.desk, known.subject, reading).await?;
        Ok((known.subject, by))
    }
}

/// The reading that a picture of the display belongs to: the pressure, where there is one.
fn named(outcomes: &[Measured]) -> ReadingId {
    let is_pressure = |outcome: &&Measured| match outcome {
        Measured::Reading(reading) => PRESSURE.iter().any(|it| reading.measurement(*it).is_some()),
        Measured::Fault(_) => false,
    };
    let found = outcomes.iter().find(is_pressure).or(outcomes.first());
    found.expect("what was typed is at least one value").id()
}

fn is_doubtful(outcome: &Measured) -> bool {
    match outcome {
        Measured::Reading(reading) => reading.quality.contains(&Quality::Implausible),
        Measured::Fault(_) => false,
    }
}

/// Values that are judged together: a pressure's two numbers, and every other one by itself.
fn groups(values: &[TypedValue]) -> Vec<Vec<TypedValue>> {
    let is_pressure = |value: &TypedValue| PRESSURE.contains(&value.what);
    let (pressure, others): (Vec<TypedValue>, Vec<_>) =
        values.iter().copied().partition(is_pressure);
    let pressure = Some(pressure).filter(|pressure| !pressure.is_empty());
    pressure.into_iter().chain(others.into_iter().map(|value| vec![value])).collect()
}

fn raw(outcome: &Measured) -> &[u8] {
    match outcome {
        Measured::Reading(reading) => &reading.provenance.raw.0,
        Measured::Fault(fault) => &fault.provenance.raw.0,
    }
}
