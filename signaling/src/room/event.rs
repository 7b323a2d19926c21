//! What happened in a waiting room. The format is stored: variants and fields are only added.

use minato_protocol::act::{ContactOutcome, Disposition, Duty, Triage};
use minato_protocol::kit::Fired;
use minato_protocol::view::{Clinic, Why};
use minato_protocol::{
    KitId, Person, Pii, SiteId, Span, StaffId, SubjectId, TicketId, Timestamp, VisitId,
};
use serde::{Deserialize, Serialize};

/// A ticket as it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTicket {
    /// Its id, drawn at random at the edge.
    pub ticket: TicketId,
    /// The short code people say aloud.
    pub code: String,
    /// Whose readings will belong to it.
    pub subject: SubjectId,
    /// Who.
    pub person: Pii<Person>,
    /// How urgent.
    pub triage: Triage,
    /// First visit or unknown history.
    pub first_visit: bool,
}

impl NewTicket {
    /// A ticket of the usual urgency, of a person whose history is known.
    pub fn standard(ticket: TicketId, subject: SubjectId, code: String, person: Person) -> Self {
        let person = Pii::new(subject, person);
        Self { ticket, code, subject, person, triage: Triage::Standard, first_visit: false }
    }
}

/// Whose side of the island a ticket is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bedside {
    /// Which clinic.
    pub site: SiteId,
    /// The nurse beside the patient.
    pub nurse: StaffId,
}

/// Which home kit a ticket came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitOrigin {
    /// The kit.
    pub kit: KitId,
    /// Whose nurses look after it.
    pub site: SiteId,
}

/// Past tense, in the order in which it became durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The room exists.
    Opened { name: String, clinic: Clinic },
    /// Doctors who may appear here, named beforehand.
    RosterSet { doctors: Vec<StaffId> },
    /// Nobody more is taken in, or again.
    IntakeSet { closed: bool },
    /// A ticket with a link.
    Invited { new: NewTicket },
    /// A patient at home came in.
    Arrived { ticket: TicketId },
    /// 受付 at the bedside.
    Admitted { new: NewTicket, bedside: Bedside },
    /// Values changed at home: a ticket nobody asked for, in the queue at once.
    Raised { new: NewTicket, kit: KitOrigin, up_to: u32, fired: Pii<Vec<Fired>> },
    /// Something further changed.
    RaisedFurther { ticket: TicketId, up_to: u32, fired: Pii<Vec<Fired>> },
    /// The nurse marked the patient callable, or not.
    ReadySet { ticket: TicketId, ready: bool },
    /// Another level of urgency.
    TriageSet { ticket: TicketId, triage: Triage },
    /// 急変.
    EmergencyRaised { ticket: TicketId },
    /// A doctor's duty here.
    DutySet { doctor: StaffId, duty: Duty },
    /// 呼び入れ: the doctor owns the ticket from here on.
    Called { ticket: TicketId, doctor: StaffId, epoch: u32, visit: VisitId },
    /// A claim that was half done cannot be completed any more.
    ClaimBurned { ticket: TicketId, epoch: u32 },
    /// The visit began.
    Answered { ticket: TicketId },
    /// Nobody answered for 60 seconds; the place is kept.
    Missed { ticket: TicketId, epoch: u32 },
    /// Missed twice, or the place's grace is over: somebody telephones.
    Unanswered { ticket: TicketId, why: Why },
    /// The telephone call brought this.
    ContactRecorded { ticket: TicketId, outcome: ContactOutcome },
    /// Back in the queue where it was.
    CallCancelled { ticket: TicketId, epoch: u32 },
    /// Back at the front.
    ReturnedToFront { ticket: TicketId, epoch: u32, why: Why },
    /// Interrupted; the same doctor is preferred.
    Parked { ticket: TicketId, epoch: u32 },
    /// Back from an interruption, at the front.
    Resumed { ticket: TicketId },
    /// A hand-over is offered (push) or wished for (pull).
    HandOverProposed { ticket: TicketId, to: StaffId, offered: bool },
    /// The proposal is off.
    HandOverDropped { ticket: TicketId },
    /// The owner changed; at no instant were there none or two.
    HandedOver { ticket: TicketId, from: StaffId, to: StaffId, epoch: u32 },
    /// The visit is over.
    Ended { ticket: TicketId, epoch: u32, disposition: Disposition, note: Pii<String> },
    /// The patient gave the place up.
    Left { ticket: TicketId, why: Why },
    /// The patient's screen is gone.
    PatientAway {
        ticket: TicketId,
        /// Its last sign of life; where none is written it counts from the event.
        #[serde(default)]
        since: Option<Timestamp>,
    },
    /// It is back.
    PatientBack { ticket: TicketId },
    /// The doctor's screen is gone.
    DoctorAway {
        doctor: StaffId,
        /// Its last sign of life; where none is written it counts from the event.
        #[serde(default)]
        since: Option<Timestamp>,
    },
    /// It is back.
    DoctorBack { doctor: StaffId },
    /// 先生の応答がありません.
    DoctorSilent { ticket: TicketId },
    /// Every link and session made before is dead.
    LinksRevoked { ticket: TicketId, generation: u32 },
    /// Somebody who does not have the patient looked at name and birth date.
    PersonOpened { ticket: TicketId, by: StaffId },
    /// A second device asks for a ticket.
    DeviceAsked { ticket: TicketId, request: String },
    /// It was let in, or not.
    DeviceSettled { ticket: TicketId, request: String, yes: bool },
    /// Graces do not count time in which the service itself was away.
    ServiceWasAway { span: Span },
}

impl Event {
    /// The ticket that an event is about, if it is about one.
    pub fn ticket(&self) -> Option<TicketId> {
        match self {
            Self::Invited { new } | Self::Admitted { new, .. } | Self::Raised { new, .. } => {
                Some(new.ticket)
            }
            Self::Arrived { ticket }
            | Self::RaisedFurther { ticket, .. }
            | Self::ReadySet { ticket, .. }
            | Self::TriageSet { ticket, .. }
            | Self::EmergencyRaised { ticket }
            | Self::Called { ticket, .. }
            | Self::ClaimBurned { ticket, .. }
            | Self::Answered { ticket }
            | Self::Missed { ticket, .. }
            | Self::Unanswered { ticket, .. }
            | Self::ContactRecorded { ticket, .. }
            | Self::CallCancelled { ticket, .. }
            | Self::ReturnedToFront { ticket, .. }
            | Self::Parked { ticket, .. }
            | Self::Resumed { ticket }
            | Self::HandOverProposed { ticket, .. }
            | Self::HandOverDropped { ticket }
            | Self::HandedOver { ticket, .. }
            | Self::Ended { ticket, .. }
            | Self::Left { ticket, .. }
            | Self::PatientAway { ticket, .. }
            | Self::PatientBack { ticket }
            | Self::DoctorSilent { ticket }
            | Self::LinksRevoked { ticket, .. }
            | Self::PersonOpened { ticket, .. }
            | Self::DeviceAsked { ticket, .. }
            | Self::DeviceSettled { ticket, .. } => Some(*ticket),
            Self::Opened { .. }
            | Self::RosterSet { .. }
            | Self::IntakeSet { .. }
            | Self::DutySet { .. }
            | Self::DoctorAway { .. }
            | Self::DoctorBack { .. }
            | Self::ServiceWasAway { .. } => None,
        }
    }
}
