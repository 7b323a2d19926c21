//! Verbs about readings of a ticket: what a page hands in, what people type, and what they say of
//! what is there.

use super::{Acted, Press};
use crate::gateway::{HeldByPage, hold_for_page};
use crate::log::StreamId;
use crate::readers::{PageFrame, TypedEntry};
use crate::room::Ticket;
use crate::subject::{Command, Item};
use minato_protocol::act::{HandedFrame, Outcome};
use minato_protocol::reading::{
    DeviceId, EnteredBy, Hex, Outcome as Measured, Quality, ReadingId, TypedValue,
};
use minato_protocol::{Code, Pii, Span, StaffId, SubjectId, TicketId, Timestamp};
use std::collections::BTreeMap;

/// Frames of one press.
const FRAMES_MAX: usize = 64;
/// The longest attribute that Bluetooth carries.
const FRAME_BYTES_MAX: usize = 512;
/// Characters of a maker's model name.
const MODEL_CHARS_MAX: usize = 40;
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
    /// The nurse holds the device: its frames are this patient's from the moment at which her page
    /// connected to it. What the device had measured before, and sends from its memory, is nobody's
    /// until she says whose.
    pub(super) async fn hand_frames(
        &self,
        ticket: TicketId,
        device: DeviceId,
        model: String,
        frames: Vec<HandedFrame>,
    ) -> Acted {
        let (_, known) = self.ticket(ticket).await?;
        let by = self.nurse_of(&known)?;
        if known.is_over() {
            return Err(Code::TicketOver.into());
        }
        let site = self.actor.viewer.site.ok_or(Code::NotAllowed)?;
        let outcomes = self.read(&device, &model, &frames)?;
        let (edge, subject) = (self.edge, known.subject);
        for (run, since) in runs(&frames, edge.desk.clock.now()) {
            let device = device.clone();
            let bind = Command::NoteBinding { device, by, since, run: Some(run) };
            edge.readings.note(&edge.desk, subject, None, bind).await?;
        }
        let since_by_run = self.connected(subject, &frames).await?;
        let lines = frames.iter().zip(outcomes);
        let (own, before): (Vec<_>, Vec<_>) =
            lines.partition(|(frame, outcome)| is_from_now_on(outcome, since_by_run[&frame.boot]));
        let before = before.into_iter().map(|(frame, outcome)| HeldByPage {
            run: frame.boot,
            sequence: frame.sequence,
            at: frame.at,
            outcome,
        });
        let into = (&*edge.desk, &edge.readings, &*edge.gateways, &edge.held);
        hold_for_page(into, site, before.collect()).await?;
        let own = own.into_iter().map(|(_, outcome)| outcome).collect();
        edge.readings.store(&edge.desk, subject, edge.desk.clock.now(), own).await?;
        Ok(Outcome::Done)
    }

    /// Since when the device hangs at the page, by each of the page's runs: an earlier press may have
    /// said so.
    async fn connected(
        &self,
        subject: SubjectId,
        frames: &[HandedFrame],
    ) -> Result<BTreeMap<Hex<8>, Timestamp>, Code> {
        let seen = self.edge.desk.subjects.see(&StreamId::subject(subject)).await?;
        let mut since_by_run = runs(frames, self.edge.desk.clock.now());
        for known in seen.state.attachments.iter() {
            if let Some(since) = known.run.and_then(|run| since_by_run.get_mut(&run)) {
                *since = known.since.min(*since);
            }
        }
        Ok(since_by_run)
    }

    /// All frames or none.
    fn read(
        &self,
        device: &DeviceId,
        model: &str,
        frames: &[HandedFrame],
    ) -> Result<Vec<Measured>, Code> {
        let now = self.edge.desk.clock.now();
        let fits = |frame: &HandedFrame| frame.bytes.0.len() <= FRAME_BYTES_MAX;
        let is_line =
            model.chars().count() <= MODEL_CHARS_MAX && !model.chars().any(char::is_control);
        if !(1..=FRAMES_MAX).contains(&frames.len()) || !frames.iter().all(fits) || !is_line {
            return Err(Code::FieldWrong);
        }
        let one = |frame: &HandedFrame| {
            let read = (self.edge.readers.frame)(&PageFrame {
                device,
                model,
                characteristic: &frame.characteristic,
                bytes: &frame.bytes.0,
                boot: frame.boot,
                sequence: frame.sequence,
                // A page's clock may run ahead; nothing was received in the future.
                at: frame.at.min(now),
            });
            read.ok_or(Code::FrameRefused)
        };
        frames.iter().map(one).collect()
    }

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
        self.keep_typed(known.subject, outcome).await?;
        if let Some((reading, by, reason)) = correction {
            // The new value is there first: cut off here, both show until the press is repeated.
            let reason = self.private(&known, reason);
            let withdraw = Command::Withdraw { reading, by, reason, replaced_by: Some(id) };
            let edge = self.edge;
            edge.readings.note(&edge.desk, known.subject, Some(self.key), withdraw).await?;
        }
        Ok(Outcome::Done)
    }

    pub(super) fn typed(&self, typed: &Typed, entered: EnteredBy) -> Result<Measured, Code> {
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

    pub(super) async fn keep_typed(&self, of: SubjectId, outcome: Measured) -> Result<(), Code> {
        let edge = self.edge;
        let (id, said) = (outcome.id(), raw(&outcome).to_vec());
        let item = Item::sent(outcome, edge.desk.clock.now());
        let known = edge.readings.keep(&edge.desk, of, vec![item]).await?;
        if known.is_empty() {
            return Ok(());
        }
        // The same press said other values before.
        let before = edge.readings.find(&edge.desk, of, id).await?;
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
        let by = self.nurse_around(&known).or_else(|_| self.owner(&known))?;
        self.edge.readings.find(&self.edge.desk, known.subject, reading).await?;
        Ok((known.subject, by))
    }
}

/// Whether something was measured after the page had connected: what comes from a memory without a
/// usable time may have been measured at any time.
fn is_from_now_on(outcome: &Measured, since: Timestamp) -> bool {
    let (quality, characteristic) = match outcome {
        Measured::Reading(reading) => (&reading.quality, reading.characteristic),
        Measured::Fault(fault) => (&fault.quality, fault.characteristic),
    };
    let untold = [Quality::ClockUnknown, Quality::ClockAhead, Quality::FromStorage];
    let tells = characteristic.is_running() || !quality.iter().any(|it| untold.contains(it));
    tells && since <= outcome.measured_at()
}

fn raw(outcome: &Measured) -> &[u8] {
    match outcome {
        Measured::Reading(reading) => &reading.provenance.raw.0,
        Measured::Fault(fault) => &fault.provenance.raw.0,
    }
}

/// Since when the device hangs at the page, for each of the page's runs.
fn runs(frames: &[HandedFrame], now: Timestamp) -> BTreeMap<Hex<8>, Timestamp> {
    let mut since_by_run = BTreeMap::new();
    for frame in frames {
        let since = since_by_run.entry(frame.boot).or_insert(now);
        *since = frame.at.min(*since);
    }
    since_by_run
}
