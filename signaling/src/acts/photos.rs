//! Who may put a picture beside a typed value, and who may see it. They come by HTTP, not as verbs.

use super::{Actor, Press, Refusal};
use crate::aggregate::CommandKey;
use crate::feed::may_read;
use crate::http::Edge;
use crate::log::StreamId;
use crate::photos::Of;
use minato_protocol::photo::PhotoId;
use minato_protocol::reading::{Characteristic, EnteredBy, Outcome as Measured, ReadingId};
use minato_protocol::{Code, StaffId, TicketId};

/// Somebody who may put a picture beside a reading.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Photographer {
    pub(crate) of: Of,
    /// Nobody of the staff: the patient.
    pub(crate) by: Option<StaffId>,
}

/// The nurse, beside any typed value of her patient; the patient, beside an own one. Asked before a
/// byte of the picture is read.
pub(crate) async fn may_photograph(
    edge: &Edge,
    actor: &Actor,
    ticket: TicketId,
    reading: ReadingId,
) -> Result<Photographer, Refusal> {
    // No verb is pressed here: the picture's own name says whether it is a repetition.
    let press = Press { edge, actor, key: CommandKey { id: 0, command: 0 } };
    let (room, known) = press.ticket(ticket).await?;
    press.at_the_bed(room, &known)?;
    let by = press.nurse_of(&known).ok();
    let of = Of { subject: known.subject, reading };
    let entered = shown(edge, of).await?.ok_or(Code::FieldWrong)?;
    if by.is_none() && entered != EnteredBy::Patient {
        return Err(Code::NotAllowed.into());
    }
    Ok(Photographer { of, by })
}

/// Whoever sees the reading sees its pictures, and nobody else.
pub(crate) async fn may_see(
    edge: &Edge,
    actor: &Actor,
    of: Of,
    photo: PhotoId,
) -> Result<(), Code> {
    if !may_read(edge, &actor.viewer, of.subject).await {
        return Err(Code::NotAllowed);
    }
    shown(edge, of).await?;
    let seen = edge.desk.subjects.see(&StreamId::subject(of.subject)).await?;
    let is_named = seen.state.photos(of.reading).contains(&photo);
    if is_named { Ok(()) } else { Err(Code::ReadingUnknown) }
}

/// Who typed a reading that is shown; nothing for a device's. `ReadingUnknown`: it is not there, or
/// held back.
async fn shown(edge: &Edge, of: Of) -> Result<Option<EnteredBy>, Code> {
    let item = edge.readings.find(&edge.desk, of.subject, of.reading).await?;
    let seen = edge.desk.subjects.see(&StreamId::subject(of.subject)).await?;
    if seen.state.hides(&item) {
        return Err(Code::ReadingUnknown);
    }
    let Measured::Reading(reading) = &item.outcome else { return Ok(None) };
    let is_typed = reading.characteristic == Characteristic::Typed;
    Ok(reading.provenance.entered.filter(|_| is_typed))
}
