//! What can be asked of a home kit, and what happened to it. The format is stored: variants and
//! fields are only added.

use minato_protocol::kit::{ChangeRule, Fired};
use minato_protocol::{Person, Pii, RoomId, SiteId, Span, StaffId, SubjectId, TicketId, Timestamp};
use serde::{Deserialize, Serialize};

/// A kit as it is set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewKit {
    /// Whose readings: without a ticket until something changes.
    pub subject: SubjectId,
    /// Who.
    pub person: Pii<Person>,
    /// Where its tickets open.
    pub room: RoomId,
    /// Whose nurses look after it.
    pub site: SiteId,
    /// Who set it up.
    pub by: StaffId,
}

/// Imperative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Makes it. Made before: nothing happens.
    SetUp(NewKit),
    /// Kills every link and session made so far, for a new link.
    RenewLink { expires: Timestamp, by: StaffId },
    /// The link was opened by a browser, whose session lasts until then.
    NoteOpened { generation: u32, until: Timestamp },
    /// A new rule, perhaps in the place of another.
    SetRule { is: ChangeRule, replaces: Option<u32>, by: StaffId },
    /// A rule that does not stand any more.
    TakeRule { rule: u32, by: StaffId },
    /// The kit comes back to the clinic.
    TakeBack { by: StaffId },
    /// A rule has seen something; `armed_since` is what whoever judged believed in.
    Fire { rule: u32, armed_since: Timestamp, saw: Fired },
    /// A rule that fired on a value of then is back to normal since `at`.
    Settle { rule: u32, fired: Timestamp, at: Timestamp },
    /// The ticket that takes what is pending, where none is open.
    ChooseTicket { room: RoomId, ticket: TicketId },
    /// The room has the firings up to this number.
    NoteCarried { ticket: TicketId, up_to: u32 },
    /// The room says that the ticket is over.
    NoteTicketOver { ticket: TicketId },
    /// The service was away for so long; nobody was awaited meanwhile.
    ExtendGraces { span: Span },
}

/// Past tense.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It stands.
    SetUp(NewKit),
    /// A new link; every one made before is dead.
    LinkRenewed { generation: u32, expires: Timestamp, by: StaffId },
    /// A browser opened the link; its page lasts until then.
    LinkOpened { generation: u32, until: Timestamp },
    /// A rule stands.
    RuleSet { rule: u32, is: ChangeRule, by: StaffId },
    /// It does not any more.
    RuleTaken { rule: u32, by: StaffId },
    /// The kit is not in use any more.
    TakenBack { by: StaffId },
    /// A rule fired on a value measured then.
    Fired { rule: u32, on: Timestamp, fired: Pii<Fired> },
    /// It is back to normal: what is measured after this fires it again.
    BackToNormal { rule: u32, at: Timestamp },
    /// What fires from here on goes to this ticket.
    TicketChosen { room: RoomId, ticket: TicketId },
    /// The room has what fired up to this number.
    Carried { ticket: TicketId, up_to: u32 },
    /// The ticket is over: the next firing opens another one.
    TicketOver { ticket: TicketId },
    /// Nobody is awaited while the service itself is away.
    ServiceWasAway { span: Span },
}
