//! One consultation: who was present, who is who, consent, orders, notes, what was said.
//!
//! Pure. It never says whose patient it is: owner and epoch are the room's.

mod rules;

use crate::aggregate::Aggregate;
use minato_protocol::act::{Disposition, IdentityMethod, Language};
use minato_protocol::{
    Code, ParticipantId, Pii, Role, RoomId, StaffId, SubjectId, TicketId, Timestamp,
};
use serde::{Deserialize, Serialize};

/// At most so many are in one visit.
pub const PARTIES_MAX: usize = 6;
/// A visit keeps at most so many chat lines; the next is refused, nothing is forgotten.
pub const LINES_MAX: usize = 2_000;
/// And at most so many orders.
pub const ORDERS_MAX: usize = 200;
/// The longest text of an order, a line, a reason, in characters.
pub const TEXT_CHARS_MAX: usize = 2_000;

/// Somebody, or a screen, in the visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// This endpoint's name in the visit.
    pub participant: ParticipantId,
    /// Role of whoever holds it.
    pub role: Role,
    /// Which member of staff; none for a patient's own screen.
    pub staff: Option<StaffId>,
    /// One tablet that carries nurse and patient.
    pub shared: bool,
    /// A second screen of the same room.
    pub companion: bool,
}

/// One side of the identity check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The doctor's.
    Doctor,
    /// The nurse's or the patient's.
    Patient,
}

/// Imperative. `by` is checked before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// The papers of a new consultation.
    Open { room: RoomId, ticket: TicketId, subject: SubjectId },
    /// A screen came.
    Enter(Party),
    /// A screen went.
    Exit { participant: ParticipantId },
    /// Who is who, from one side.
    ConfirmIdentity { side: Side, method: IdentityMethod },
    /// Goes on before it is settled.
    Defer { reason: Pii<String> },
    /// Yes to this way of being treated.
    Consent { version: u32, explained_by: Pii<String>, language: Option<Language> },
    /// An order for the nurse.
    WriteOrder { text: Pii<String> },
    /// Read back.
    ReadBack { order: u32 },
    /// Done.
    FinishOrder { order: u32 },
    /// A line.
    Say { from: Option<StaffId>, role: Role, text: Pii<String> },
    /// Without video.
    GoAudioOnly { reason: Pii<String> },
    /// 急変.
    RaiseEmergency,
    /// 別の方です.
    MarkWrongPatient,
    /// Over.
    Close { disposition: Option<Disposition>, note: Pii<String> },
}

/// Past tense.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The papers exist.
    Opened { room: RoomId, ticket: TicketId, subject: SubjectId },
    /// Present from here on.
    Entered(Party),
    /// Not present any more.
    Exited { participant: ParticipantId },
    /// Who is who.
    IdentityConfirmed { side: Side, method: IdentityMethod },
    /// Put off.
    Deferred { reason: Pii<String> },
    /// Consent.
    Consented {
        version: u32,
        explained_by: Pii<String>,
        /// In which language the text was read; none where no page said so.
        #[serde(default)]
        language: Option<Language>,
    },
    /// An order, numbered 1, 2, 3.
    OrderWritten { order: u32, text: Pii<String> },
    /// Read back.
    OrderReadBack { order: u32 },
    /// Done.
    OrderFinished { order: u32 },
    /// A line, numbered 1, 2, 3.
    Said { seq: u32, from: Option<StaffId>, role: Role, text: Pii<String> },
    /// Without video.
    WentAudioOnly { reason: Pii<String> },
    /// 急変.
    EmergencyRaised,
    /// 別の方です.
    WrongPatientMarked,
    /// Over.
    Closed { disposition: Option<Disposition>, note: Pii<String> },
}

/// An order as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// What.
    pub text: Pii<String>,
    /// Written.
    pub at: Timestamp,
    /// Read back.
    pub read_back: Option<Timestamp>,
    /// Done.
    pub done: Option<Timestamp>,
}

/// A line of the chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Which member of staff; none for a patient.
    pub from: Option<StaffId>,
    /// In which role.
    pub role: Role,
    /// When.
    pub at: Timestamp,
    /// What.
    pub text: Pii<String>,
}

/// The state of one consultation.
#[derive(Debug, Clone, Default)]
pub struct Visit {
    /// Room, ticket and subject, once opened.
    pub papers: Option<(RoomId, TicketId, SubjectId)>,
    /// Since when.
    pub started: Timestamp,
    /// Everyone present.
    pub parties: Vec<Party>,
    /// The doctor's confirmation.
    pub identity_doctor: Option<(IdentityMethod, Timestamp)>,
    /// The other side's.
    pub identity_patient: Option<(IdentityMethod, Timestamp)>,
    /// Why it was put off.
    pub deferred: Option<Pii<String>>,
    /// Version and time of the consent.
    pub consent: Option<(u32, Timestamp)>,
    /// Orders, the first one first.
    pub orders: Vec<Order>,
    /// Lines, the first one first.
    pub lines: Vec<Line>,
    /// Why there is no video.
    pub audio_only: Option<Pii<String>>,
    /// 急変 since.
    pub emergency: Option<Timestamp>,
    /// 別の方です.
    pub wrong_patient: bool,
    /// How it ended.
    pub closed: bool,
}

impl Visit {
    /// Whether this patient may be given orders and sent home as treated: `Quarantined`,
    /// `IdentityFirst` or `ConsentFirst` say what is missing. Seeing, hearing, measuring, 急変 and
    /// every other ending wait for none of it. `emergency` is 急変 that these papers may not have.
    pub fn may_be_treated(&self, emergency: bool) -> Result<(), Code> {
        rules::may_be_treated(self, emergency)
    }
}

impl Aggregate for Visit {
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command, _now: Timestamp) -> Result<Vec<Event>, Code> {
        rules::decide(self, command)
    }

    fn evolve(&mut self, event: &Event, at: Timestamp) {
        rules::evolve(self, event, at);
    }
}

#[cfg(test)]
mod tests;
