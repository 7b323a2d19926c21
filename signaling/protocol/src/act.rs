//! What a screen may ask for: one enum, one variant a verb. The server checks role and relation.

mod outcome;

pub use outcome::{IssuedLink, MediaGrant, Outcome, TurnPass};

use crate::kit::ChangeRule;
use crate::reading::{Hex, HexBytes, ReadingId, TypedValue};
use crate::uplink::{DeviceId, SimulatedFault};
use crate::{KitId, Person, RoomId, StaffId, SubjectId, TicketId, Timestamp, VisitId};
use serde::{Deserialize, Serialize};

/// How urgent a nurse or a coordinator judged a patient to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Triage {
    /// Before everybody else.
    Emergency,
    /// Counts from arrival.
    Urgent,
    /// Counts from 20 minutes after arrival.
    Standard,
    /// Counts from 40 minutes after arrival.
    Revisit,
}

/// Whether a doctor takes patients in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Duty {
    /// Takes patients.
    On,
    /// Back soon; keeps a patient in the call.
    Break,
    /// Not here.
    Off,
}

/// How a visit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Disposition {
    /// Treated and finished.
    Treated,
    /// Treated, comes again.
    FollowUp,
    /// Has to be seen in person; the note names the place.
    Unsuitable,
    /// Handed to the ambulance or the receiving hospital.
    EmergencyTransfer,
    /// The patient refused.
    Refused,
}

/// How somebody made sure who is who.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum IdentityMethod {
    /// Name and birth date asked and answered.
    AskedNameAndBirthDate,
    /// A card was shown to the camera or at the bedside.
    CardShown,
    /// The nurse knows the patient.
    KnownInPerson,
    /// The patient's side answered for itself by word of mouth. The doctor records it where nobody
    /// can press it there, and it stands for that side alone.
    Spoken,
}

/// A language that the pages speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Language {
    /// Japanese.
    Ja,
    /// English.
    En,
}

/// What a coordinator learned by telephone about a patient who did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum ContactOutcome {
    /// Reached and ready: may be called again.
    Ready,
    /// Reached; does not want the visit any more.
    GivesUp,
    /// Not reached: stays on the list of people to look for.
    NotReached,
    /// Help was sent.
    HelpSent,
}

/// The version of the consent's text, as pages show it and as it is stored with a consent. Raise it
/// when a page's text changes: a consent to another text is refused.
pub const CONSENT_VERSION: u32 = 1;

/// One verb. Ids name what it is about; `epoch` is the claim that the screen believes in, and a
/// stale one is refused.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Act {
    // Coordinator.
    /// Opens a waiting room.
    OpenRoom { name: String },
    /// Makes a ticket and its link. At most 200 in one go.
    Invite { room: RoomId, people: Vec<Invitation> },
    /// Withdraws a ticket's link; sessions made from it end. A bedside ticket's: also the site's
    /// nurse.
    RevokeLink { ticket: TicketId },
    /// A new link and spoken code for a ticket; the old ones die. For a bedside ticket also by the
    /// site's nurse: every device that comes with it waits for `AllowDevice` and joins media as a
    /// companion of the tablet, with microphone and speaker off.
    ReissueLink { ticket: TicketId },
    /// Takes nobody more in, or opens again.
    CloseIntake { room: RoomId, closed: bool },
    /// What a telephone call about an unanswered ticket brought.
    RecordContact { ticket: TicketId, outcome: ContactOutcome },
    /// Lets a second device onto a ticket, or not (coordinator, or the site's nurse).
    AllowDevice { ticket: TicketId, request: String, yes: bool },

    // Nurse.
    /// 受付 at the bedside: a ticket without a link, on this tablet.
    AdmitBedside { room: RoomId, person: Person, triage: Triage, first_visit: bool },
    /// Marks a bedside patient callable, or not.
    SetReady { ticket: TicketId, ready: bool },
    /// Puts a device on a patient; the gateway decides. A device on somebody else comes off there
    /// only with `takes_over`, which the page asks for by name.
    Attach {
        ticket: TicketId,
        device: DeviceId,
        #[serde(default)]
        takes_over: bool,
    },
    /// Takes a device off whoever it is on.
    Detach { device: DeviceId },
    /// Starts a measurement where the device can be started from here.
    Measure { device: DeviceId },
    /// Frames of a device that hangs at the page itself (Web Bluetooth), at most 64 in one go: read
    /// by the same codecs as a gateway's. Durable when it answers; repeated, it changes nothing. What
    /// was measured while the device was not on this patient is held at the site.
    HandFrames {
        ticket: TicketId,
        device: DeviceId,
        /// Maker's model name, at most 40 characters.
        model: String,
        frames: Vec<HandedFrame>,
    },
    /// Puts a device that hangs at the page itself on a patient, for one run of the page. One that is
    /// on somebody else comes off there only with `takes_over`, which the page asks for.
    AttachHere {
        ticket: TicketId,
        device: DeviceId,
        /// The maker's model name, as in `HandFrames`: another browser has another name for the same
        /// device, and what may be this one comes off whoever it is on, with `takes_over`.
        #[serde(default)]
        model: String,
        /// Drawn by the page when somebody connected the device.
        run: Hex<8>,
        /// When the nurse said so, by the broker's clock as the page knows it.
        at: Timestamp,
        takes_over: bool,
    },
    /// It came off: taken off, or (`silent`) worn and without a word for two minutes.
    DetachHere { device: DeviceId, run: Hex<8>, at: Timestamp, silent: bool },
    /// Says whose a held reading is, with two things that identify the person: the ticket's code
    /// and the birth date. After 30 minutes also why.
    SettleReading {
        reading: ReadingId,
        ticket: TicketId,
        code: String,
        birth_date: String,
        reason: String,
    },
    /// Says that a held reading is no patient's, and why.
    DismissReading { reading: ReadingId, reason: String },
    /// Sets a home kit up: a subject without a ticket, whose changes open tickets in the room.
    SetUpKit { room: RoomId, person: Person },
    /// A new link to a kit's page; the one before, and what it opened, dies.
    IssueKitLink { kit: KitId },
    /// Sets a rule. With `replaces`, that one is taken away in the same breath.
    SetKitRule { kit: KitId, is: ChangeRule, replaces: Option<u32> },
    /// Takes a rule away; that it stood is kept.
    TakeKitRule { kit: KitId, rule: u32 },
    /// Takes a kit back: its link is dead and its rules rest. A ticket that is open stays.
    TakeKitBack { kit: KitId },
    /// Puts a device at somebody's home on the kit's subject; the gateway decides.
    AttachToKit {
        kit: KitId,
        device: DeviceId,
        #[serde(default)]
        takes_over: bool,
    },
    /// Looked at a value of a kit again: it is real, or (with the reason) does not count.
    CheckKitReading { kit: KitId, reading: ReadingId, real: bool, reason: String },
    /// Rehearsal: makes a simulated device fail the next time.
    SimulateFault { device: DeviceId, fault: SimulatedFault },
    /// Asks for what lets this page reach the box by the clinic's own network while the broker is away.
    AskLanPass,
    /// Shows only the patient's side on this tablet.
    EnterPatientView { ticket: TicketId },
    /// Leaves it; needs the nurse's PIN.
    LeavePatientView { pin: String },
    /// Reads an order back.
    ReadBack { visit: VisitId, order: u32 },
    /// Marks an order done.
    OrderDone { visit: VisitId, order: u32 },

    // Patient or nurse.
    /// Values that a person read, counted or felt. With `corrects`, a nurse replaces one of her
    /// own or a device's: that one stays, marked.
    EnterReading {
        ticket: TicketId,
        values: Vec<TypedValue>,
        /// When it was measured; absent: now.
        measured_at: Option<Timestamp>,
        corrects: Option<ReadingId>,
        /// Why it is corrected, at most 80 characters; empty otherwise.
        reason: String,
    },
    /// Values that somebody at home measured: typed on the kit's own page, or by the site's nurse
    /// who was told them by telephone.
    EnterKitReading { kit: KitId, values: Vec<TypedValue>, measured_at: Option<Timestamp> },
    /// Answers the call: the visit begins. A kit's ticket also by the doctor who has it and has
    /// reached the patient by telephone.
    Answer { ticket: TicketId, epoch: u32 },
    /// Gives the place up.
    Leave { ticket: TicketId },
    /// 先生の応答がありません.
    DoctorSilent { ticket: TicketId },
    /// Says yes to being treated this way: which text, in which language it was read, and who
    /// explained it (at most 80 characters).
    Consent {
        visit: VisitId,
        version: u32,
        explained_by: String,
        /// Every page says it; one that was loaded before pages did says nothing.
        #[serde(default)]
        #[cfg_attr(feature = "ts", ts(as = "Language"))]
        language: Option<Language>,
    },

    // Doctor.
    /// On duty, break, off duty.
    SetDuty { room: RoomId, duty: Duty },
    /// 呼び入れ: the next callable patient.
    CallNext { room: RoomId },
    /// 呼び入れ of one patient.
    CallOne { room: RoomId, ticket: TicketId },
    /// Takes the call back before it was answered; the place is kept.
    CancelCall { ticket: TicketId, epoch: u32 },
    /// Interrupts the visit; the same doctor is preferred on return.
    Park { ticket: TicketId, epoch: u32 },
    /// Puts the patient back at the front of the queue.
    ReturnToFront { ticket: TicketId, epoch: u32 },
    /// Ends the visit.
    EndVisit { ticket: TicketId, epoch: u32, disposition: Disposition, note: String },
    /// Push: offers the patient to a colleague.
    OfferHandOver { ticket: TicketId, epoch: u32, to: StaffId },
    /// Pull: asks the colleague who has the patient.
    AskHandOver { ticket: TicketId },
    /// Takes an offered patient, or grants an asked one.
    AcceptHandOver { ticket: TicketId, epoch: u32 },
    /// Says no to an offer or a wish.
    DeclineHandOver { ticket: TicketId, epoch: u32 },
    /// Writes an order for the nurse.
    WriteOrder { visit: VisitId, text: String },
    /// Goes on before identity or consent is settled, with a reason.
    Defer { visit: VisitId, reason: String },

    // Whoever is in the visit.
    /// Confirms who is who, each side once; with `spoken` the doctor records the other side's word.
    ConfirmIdentity { visit: VisitId, method: IdentityMethod },
    /// 別の方です: hides the data, holds back the readings, returns the ticket.
    WrongPatient { visit: VisitId },
    /// 急変, for a ticket in or out of a visit.
    RaiseEmergency { ticket: TicketId },
    /// Writes to the others in the visit.
    Say { visit: VisitId, text: String },
    /// Goes on without video, with a reason.
    AudioOnly { visit: VisitId, reason: String },
    /// Asks for a relay and a token for this visit.
    JoinMedia { visit: VisitId },

    // Nurse or doctor.
    /// The marked value is real: it was looked at again.
    ConfirmReading { ticket: TicketId, reading: ReadingId },
    /// The value is not this patient's or not real. It stays in the record, marked, with the reason.
    WithdrawReading { ticket: TicketId, reading: ReadingId, reason: String },

    // Staff.
    /// Changes the triage level.
    SetTriage { ticket: TicketId, triage: Triage },
    /// Opens a waiting patient's own data; written down.
    OpenPerson { ticket: TicketId },
    /// Starts or stops the flow of a subject's readings to this screen.
    WatchReadings { subject: SubjectId, after: u32 },
}

impl std::fmt::Debug for Act {
    /// Only the verb: an act may carry names and texts.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.verb())
    }
}

impl Act {
    /// The verb's stable name, for logs and metrics.
    pub const fn verb(&self) -> &'static str {
        match self {
            Act::OpenRoom { .. } => "open_room",
            Act::Invite { .. } => "invite",
            Act::RevokeLink { .. } => "revoke_link",
            Act::ReissueLink { .. } => "reissue_link",
            Act::CloseIntake { .. } => "close_intake",
            Act::RecordContact { .. } => "record_contact",
            Act::AllowDevice { .. } => "allow_device",
            Act::AdmitBedside { .. } => "admit_bedside",
            Act::SetReady { .. } => "set_ready",
            Act::Attach { .. } => "attach",
            Act::Detach { .. } => "detach",
            Act::Measure { .. } => "measure",
            Act::HandFrames { .. } => "hand_frames",
            Act::AttachHere { .. } => "attach_here",
            Act::DetachHere { .. } => "detach_here",
            Act::SettleReading { .. } => "settle_reading",
            Act::DismissReading { .. } => "dismiss_reading",
            Act::EnterReading { .. } => "enter_reading",
            Act::ConfirmReading { .. } => "confirm_reading",
            Act::WithdrawReading { .. } => "withdraw_reading",
            Act::SetUpKit { .. } => "set_up_kit",
            Act::IssueKitLink { .. } => "issue_kit_link",
            Act::SetKitRule { .. } => "set_kit_rule",
            Act::TakeKitRule { .. } => "take_kit_rule",
            Act::TakeKitBack { .. } => "take_kit_back",
            Act::AttachToKit { .. } => "attach_to_kit",
            Act::CheckKitReading { .. } => "check_kit_reading",
            Act::EnterKitReading { .. } => "enter_kit_reading",
            Act::SimulateFault { .. } => "simulate_fault",
            Act::AskLanPass => "ask_lan_pass",
            Act::EnterPatientView { .. } => "enter_patient_view",
            Act::LeavePatientView { .. } => "leave_patient_view",
            Act::ReadBack { .. } => "read_back",
            Act::OrderDone { .. } => "order_done",
            Act::Answer { .. } => "answer",
            Act::Leave { .. } => "leave",
            Act::DoctorSilent { .. } => "doctor_silent",
            Act::Consent { .. } => "consent",
            Act::SetDuty { .. } => "set_duty",
            Act::CallNext { .. } => "call_next",
            Act::CallOne { .. } => "call_one",
            Act::CancelCall { .. } => "cancel_call",
            Act::Park { .. } => "park",
            Act::ReturnToFront { .. } => "return_to_front",
            Act::EndVisit { .. } => "end_visit",
            Act::OfferHandOver { .. } => "offer_hand_over",
            Act::AskHandOver { .. } => "ask_hand_over",
            Act::AcceptHandOver { .. } => "accept_hand_over",
            Act::DeclineHandOver { .. } => "decline_hand_over",
            Act::WriteOrder { .. } => "write_order",
            Act::Defer { .. } => "defer",
            Act::ConfirmIdentity { .. } => "confirm_identity",
            Act::WrongPatient { .. } => "wrong_patient",
            Act::RaiseEmergency { .. } => "raise_emergency",
            Act::Say { .. } => "say",
            Act::AudioOnly { .. } => "audio_only",
            Act::JoinMedia { .. } => "join_media",
            Act::SetTriage { .. } => "set_triage",
            Act::OpenPerson { .. } => "open_person",
            Act::WatchReadings { .. } => "watch_readings",
        }
    }
}

/// A frame that a page received from a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct HandedFrame {
    /// The characteristic's UUID: four hex digits of an assigned one, or all 36 characters.
    pub characteristic: String,
    /// Its bytes.
    pub bytes: HexBytes,
    /// When the page received it, by the broker's clock as the page knows it.
    pub at: Timestamp,
    /// Drawn by the page when it connected to the device.
    pub boot: Hex<8>,
    /// Count of frames since then.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub sequence: u64,
}

/// One patient to invite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Invitation {
    /// Who.
    pub person: Person,
    /// How urgent.
    pub triage: Triage,
    /// First visit or unknown history.
    pub first_visit: bool,
}
