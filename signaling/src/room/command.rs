//! What can be asked of a waiting room. Who may ask is checked before (see `access`).

use super::event::{Bedside, KitOrigin, NewTicket};
use minato_protocol::act::{ContactOutcome, Disposition, Duty, Triage};
use minato_protocol::kit::Fired;
use minato_protocol::view::{Clinic, Why};
use minato_protocol::{Pii, Span, StaffId, TicketId, Timestamp, VisitId};
use std::ops::RangeInclusive;

/// Imperative. Random ids come inside; `epoch` is the claim the asker believes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Makes the room.
    Open { name: String, clinic: Clinic },
    /// Names the doctors who may appear.
    SetRoster { doctors: Vec<StaffId> },
    /// Stops or opens intake.
    SetIntake { closed: bool },
    /// Makes tickets with links.
    Invite { tickets: Vec<NewTicket> },
    /// A patient at home comes in.
    Arrive { ticket: TicketId },
    /// Takes a patient in at the bedside.
    Admit { new: NewTicket, bedside: Bedside },
    /// Rules of a home kit fired: its ticket opens, or the open one gains what is new. `firings` are
    /// the numbers of what fired, `fired` what of it may still be told.
    Raise { new: Box<NewTicket>, kit: KitOrigin, firings: RangeInclusive<u32>, fired: Vec<Fired> },
    /// Callable or not.
    SetReady { ticket: TicketId, ready: bool },
    /// Another level of urgency.
    SetTriage { ticket: TicketId, triage: Triage },
    /// 急変.
    RaiseEmergency { ticket: TicketId },
    /// On duty, break, off.
    SetDuty { doctor: StaffId, duty: Duty },
    /// The second half of a claim: the doctor (and the nurse) are reserved under this epoch.
    Call { ticket: TicketId, doctor: StaffId, epoch: u32, visit: VisitId },
    /// Makes a half-done claim impossible, before its reservations are released.
    BurnClaim { ticket: TicketId, epoch: u32 },
    /// The visit begins.
    Answer { ticket: TicketId, epoch: u32 },
    /// The doctor takes the call back.
    Cancel { ticket: TicketId, doctor: StaffId, epoch: u32 },
    /// Back to the front.
    ReturnToFront { ticket: TicketId, doctor: StaffId, epoch: u32, why: Why },
    /// Interrupts.
    Park { ticket: TicketId, doctor: StaffId, epoch: u32 },
    /// Ends.
    End {
        ticket: TicketId,
        doctor: StaffId,
        epoch: u32,
        disposition: Disposition,
        note: Pii<String>,
    },
    /// Push: the owner offers.
    OfferHandOver { ticket: TicketId, from: StaffId, to: StaffId, epoch: u32 },
    /// Pull: a colleague asks.
    AskHandOver { ticket: TicketId, to: StaffId },
    /// No to either, by either.
    DropHandOver { ticket: TicketId, by: StaffId },
    /// The second half of a hand-over: the new doctor is reserved under the new epoch.
    HandOver { ticket: TicketId, from: StaffId, to: StaffId, epoch: u32 },
    /// Gives the place up.
    Leave { ticket: TicketId },
    /// What the telephone call brought.
    RecordContact { ticket: TicketId, outcome: ContactOutcome },
    /// 先生の応答がありません.
    ReportDoctorSilent { ticket: TicketId },
    /// A lease lapsed, or is back. `heard` is the screen's last sign of life.
    SetPatientPresent { ticket: TicketId, present: bool, heard: Timestamp },
    /// A lease lapsed, or is back. `heard` is the screen's last sign of life.
    SetDoctorPresent { doctor: StaffId, present: bool, heard: Timestamp },
    /// Kills every link and session of a ticket made so far.
    RevokeLinks { ticket: TicketId },
    /// Looks at a patient's own data without having the patient.
    OpenPerson { ticket: TicketId, by: StaffId },
    /// A second device asks.
    AskDevice { ticket: TicketId, request: String },
    /// It is let in, or not.
    SettleDevice { ticket: TicketId, request: String, yes: bool },
    /// Whatever is due by now. Idempotent: any node may send it, any number of times.
    Expire,
    /// The service was away for so long; running graces are extended.
    ExtendGraces { span: Span },
}
