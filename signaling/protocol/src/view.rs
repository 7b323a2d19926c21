//! What screens show: rows of a few tables, cut by the server to what a role may see.

mod device;
mod reading;

pub use device::{AttachmentRow, DeviceRow, HeldBecause, HeldRow};
pub use reading::{Assigned, Checked, ReadingRow};

use crate::act::{Disposition, Duty, IdentityMethod, Triage};
use crate::kit::{Fired, KitRow};
use crate::{
    KitId, ParticipantId, Person, Role, RoomId, SiteId, StaffId, SubjectId, TicketId, Timestamp,
    VisitId,
};
use serde::{Deserialize, Serialize};

/// The tables a screen may hold. Each has an epoch, a version and a hash of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum ViewName {
    /// Waiting rooms: [`RoomRow`].
    Rooms,
    /// Tickets: [`TicketRow`], sorted by `rank`.
    Tickets,
    /// Doctors on the roster: [`DoctorRow`].
    Doctors,
    /// The visits this screen belongs to: [`VisitRow`].
    Visits,
    /// A patient's own place: [`PlaceRow`], one row.
    Place,
    /// The devices of the nurse's site: [`DeviceRow`].
    Devices,
    /// What the coordinator or nurse should look at: [`AlertRow`].
    Alerts,
    /// Readings of the nurse's site that are nobody's yet: [`HeldRow`].
    Held,
    /// Home kits of the nurse's site, or the page's own one: [`KitRow`].
    Kits,
}

/// One row of any table. `key()` names it within its table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "row", rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Row {
    /// See [`RoomRow`].
    Room(RoomRow),
    /// See [`TicketRow`].
    Ticket(Box<TicketRow>),
    /// See [`DoctorRow`].
    Doctor(DoctorRow),
    /// See [`VisitRow`].
    Visit(Box<VisitRow>),
    /// See [`PlaceRow`].
    Place(Box<PlaceRow>),
    /// See [`DeviceRow`].
    Device(DeviceRow),
    /// See [`AlertRow`].
    Alert(AlertRow),
    /// See [`HeldRow`].
    Held(HeldRow),
    /// See [`KitRow`].
    Kit(Box<KitRow>),
}

impl Row {
    /// The row's name within its table.
    pub fn key(&self) -> String {
        match self {
            Row::Room(row) => row.room.to_string(),
            Row::Ticket(row) => row.ticket.to_string(),
            Row::Doctor(row) => row.staff.to_string(),
            Row::Visit(row) => row.visit.to_string(),
            Row::Place(row) => row.ticket.to_string(),
            Row::Device(row) => row.status.device.to_string(),
            Row::Alert(row) => row.alert.clone(),
            Row::Held(row) => row.reading.to_string(),
            Row::Kit(row) => row.kit.to_string(),
        }
    }
}

/// Whom to telephone, shown to the patient at any time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Clinic {
    /// The responsible institution.
    pub name: String,
    /// Its telephone.
    pub phone: String,
}

/// A waiting room as staff see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct RoomRow {
    /// Which.
    pub room: RoomId,
    /// Its name.
    pub name: String,
    /// The responsible institution.
    pub clinic: Clinic,
    /// Nobody more is taken in.
    pub intake_closed: bool,
    /// How many wait.
    pub waiting: u32,
    /// How many doctors are on duty here.
    pub on_duty: u32,
    /// Since when the first one waits.
    pub oldest_wait: Option<Timestamp>,
}

/// Where a ticket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum TicketState {
    /// A link was issued, nobody came yet.
    Invited,
    /// In the queue.
    Waiting,
    /// A doctor calls; not answered yet.
    Called,
    /// In a consultation.
    InVisit,
    /// The consultation is interrupted.
    Parked,
    /// Did not answer twice: a coordinator telephones.
    Unanswered,
    /// The visit is over.
    Ended,
    /// Gave the place up, or the place lapsed.
    Left,
}

/// Where a patient is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Origin {
    /// At home, by a link.
    Home,
    /// Beside a nurse.
    Bedside,
    /// At home with a kit, whose values changed.
    Kit,
}

/// Why a place changed: one sentence each in the dictionaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Why {
    /// Came in.
    Arrived,
    /// The triage level was changed.
    TriageChanged,
    /// The doctor's screen was gone: back at the front.
    DoctorGone,
    /// A doctor put the patient back at the front.
    ReturnedByDoctor,
    /// The call was taken back.
    CallCancelled,
    /// The call was not answered; the place is kept.
    Missed,
    /// The wrong person was in the call.
    WrongPatient,
    /// Reached by telephone.
    ContactMade,
    /// Back from an interrupted visit.
    ResumedFromPark,
    /// The place lapsed.
    GraceOver,
    /// Gave the place up.
    GaveUp,
    /// 急変.
    Emergency,
    /// A rule of a home kit fired.
    ValuesChanged,
}

/// A wished or offered hand-over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct HandOver {
    /// Who would get the patient.
    pub to: StaffId,
    /// True when the owner offered it, false when the other asked for it.
    pub offered: bool,
}

/// One ticket as staff see it. Doctors see no person before they own the ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct TicketRow {
    /// Which.
    pub ticket: TicketId,
    /// In which room.
    pub room: RoomId,
    /// The short code people say aloud, e.g. `K-27`.
    pub code: String,
    /// Where it stands.
    pub state: TicketState,
    /// The place in the queue: smaller is sooner; first lane, then milliseconds, then arrival.
    pub rank: (u8, Timestamp, u32),
    /// Home or bedside.
    pub origin: Origin,
    /// The bedside's site.
    pub site: Option<SiteId>,
    /// The bedside nurse.
    pub nurse: Option<StaffId>,
    /// How urgent.
    pub triage: Triage,
    /// First visit or unknown history: prescription limits are to be looked at.
    pub first_visit: bool,
    /// Since when in the queue.
    pub arrived: Option<Timestamp>,
    /// A nurse marked it callable; home patients always are.
    pub ready: bool,
    /// The screen is gone since.
    pub away_since: Option<Timestamp>,
    /// Called and not answered, so often.
    pub misses: u8,
    /// The claim: one higher at every change of owner.
    pub epoch: u32,
    /// Whose patient it is now.
    pub doctor: Option<StaffId>,
    /// The doctor who should take it on return.
    pub preferred: Option<StaffId>,
    /// The consultation.
    pub visit: Option<VisitId>,
    /// A wished or offered hand-over.
    pub hand_over: Option<HandOver>,
    /// Why the place last changed.
    pub why: Why,
    /// 急変 since.
    pub emergency: Option<Timestamp>,
    /// How it ended.
    pub disposition: Option<Disposition>,
    /// Whose readings belong to it; for the owner and the site's nurse only.
    pub subject: Option<SubjectId>,
    /// Tens of years of age.
    pub age_band: String,
    /// Name, birth date, call-back number: only for whom it is needed.
    pub person: Option<Person>,
    /// Asks to use this ticket on a second device.
    pub device_requests: Vec<String>,
    /// The home kit that it came from.
    #[serde(default)]
    pub kit: Option<KitId>,
    /// What changed at home, oldest first; the first 32.
    #[serde(default)]
    pub fired: Vec<Fired>,
}

/// One doctor of the roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct DoctorRow {
    /// Which.
    pub staff: StaffId,
    /// Name shown to patients.
    pub name: String,
    /// Affiliation shown to patients.
    pub affiliation: String,
    /// On duty, break, off, in the room with `room`.
    pub duty: Duty,
    /// Rooms where this doctor is on duty or on a break.
    pub rooms: Vec<RoomId>,
    /// Has a patient.
    pub busy: bool,
    /// The one patient, where this screen sees that ticket too.
    pub patient: Option<TicketId>,
    /// The screen is gone since.
    pub away_since: Option<Timestamp>,
}

/// How long it may take, or that nobody can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Wait {
    /// From so many to so many minutes.
    Range {
        /// Not sooner than.
        from_min: u32,
        /// Not later than, most probably.
        to_min: u32,
    },
    /// Nobody on duty, or too little seen yet.
    CannotTell,
}

/// A doctor's card as the patient sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct DoctorCard {
    /// Name.
    pub name: String,
    /// Affiliation.
    pub affiliation: String,
}

/// A patient's own place, and nothing of anybody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct PlaceRow {
    /// Which ticket.
    pub ticket: TicketId,
    /// The short code people say aloud.
    pub code: String,
    /// Where it stands.
    pub state: TicketState,
    /// How many come before, while waiting.
    pub ahead: Option<u32>,
    /// How long it may take.
    pub wait: Wait,
    /// Why the place last changed.
    pub why: Why,
    /// The claim.
    pub epoch: u32,
    /// The doctor who calls or is in the visit.
    pub doctor: Option<DoctorCard>,
    /// Doctors who may appear, named beforehand.
    pub may_appear: Vec<DoctorCard>,
    /// The responsible institution.
    pub clinic: Clinic,
    /// The consultation.
    pub visit: Option<VisitId>,
    /// How it ended.
    pub disposition: Option<Disposition>,
    /// The named place to go, or what the doctor left to read.
    pub note: Option<String>,
}

/// One person or screen in a visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct PartyRow {
    /// This endpoint's name in the visit; slots refer to it.
    pub participant: ParticipantId,
    /// Role of whoever holds it.
    pub role: Role,
    /// Name shown to all.
    pub name: String,
    /// One tablet that carries nurse and patient.
    pub shared_endpoint: bool,
    /// A second screen of the same room.
    pub companion: bool,
    /// The signaling screen is connected.
    pub present: bool,
}

/// Who confirmed who is who.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct IdentityRow {
    /// The doctor, with method and time.
    pub doctor: Option<(IdentityMethod, Timestamp)>,
    /// The nurse or patient, with method and time.
    pub other_side: Option<(IdentityMethod, Timestamp)>,
    /// Put off for an emergency, with the reason.
    pub deferred: Option<String>,
}

/// One order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct OrderRow {
    /// 1, 2, 3 within the visit.
    pub order: u32,
    /// What is to be done.
    pub text: String,
    /// Written.
    pub at: Timestamp,
    /// Read back.
    pub read_back: Option<Timestamp>,
    /// Done.
    pub done: Option<Timestamp>,
}

/// One line of the visit's chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct ChatLine {
    /// 1, 2, 3 within the visit: the cursor.
    pub seq: u32,
    /// Who.
    pub from: String,
    /// In which role.
    pub role: Role,
    /// When.
    pub at: Timestamp,
    /// What.
    pub text: String,
}

/// A consultation as those in it see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct VisitRow {
    /// Which.
    pub visit: VisitId,
    /// Whose.
    pub ticket: TicketId,
    /// The ticket's short code.
    pub code: String,
    /// The claim.
    pub epoch: u32,
    /// Since when.
    pub started: Timestamp,
    /// The doctor's card.
    pub doctor: DoctorCard,
    /// The same name, birth date and code for both sides; hidden after 別の方です.
    pub person: Option<Person>,
    /// Everyone present.
    pub parties: Vec<PartyRow>,
    /// Who is who.
    pub identity: IdentityRow,
    /// Consent's version and time.
    pub consent: Option<(u32, Timestamp)>,
    /// Orders, oldest first.
    pub orders: Vec<OrderRow>,
    /// 急変: what everybody needs to know at once.
    pub emergency: Option<EmergencyCard>,
    /// Without video, with the reason.
    pub audio_only: Option<String>,
    /// 別の方です was pressed.
    pub quarantined: bool,
    /// Whose readings flow here.
    pub subject: Option<SubjectId>,
    /// Who attached what, oldest first; the last 32.
    #[serde(default)]
    pub attachments: Vec<AttachmentRow>,
    /// The newest chat line.
    pub chat_seq: u32,
    /// Grows when the call is given to another relay: a page with an older [`MediaGrant`] joins
    /// anew at once. 0: nothing is known of it now.
    ///
    /// [`MediaGrant`]: crate::act::MediaGrant
    pub relay: u32,
}

/// 急変 on nurse's and doctor's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct EmergencyCard {
    /// Since when.
    pub since: Timestamp,
    /// Where the patient is.
    pub location: String,
    /// The number that reaches the patient.
    pub call_back: String,
    /// The site's receiving hospital with its number.
    pub hospital: String,
}

/// Something a coordinator or nurse should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct AlertRow {
    /// Its name.
    pub alert: String,
    /// What happened.
    pub kind: AlertKind,
    /// Which ticket.
    pub ticket: TicketId,
    /// The ticket's short code.
    pub code: String,
    /// Since when.
    pub since: Timestamp,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum AlertKind {
    /// 急変.
    Emergency,
    /// Called twice, not answered: telephone.
    Unanswered,
    /// The doctor's screen is gone during a visit.
    DoctorGone,
    /// The patient's screen is gone.
    PatientGone,
    /// 先生の応答がありません.
    DoctorSilent,
    /// 別の方です.
    WrongPatient,
    /// A second device asks.
    DeviceRequest,
    /// Values of a home kit changed, and no doctor has the patient yet.
    ValuesChanged,
}
