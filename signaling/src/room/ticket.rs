//! One patient's place, as far as the waiting room knows it.

use super::event::{Bedside, NewTicket};
use super::order::{self, Rank};
use super::raised::Raised;
use minato_protocol::act::{Disposition, Triage};
use minato_protocol::view::{HandOver, TicketState, Why};
use minato_protocol::{Person, Pii, SiteId, StaffId, SubjectId, TicketId, Timestamp, VisitId};
use serde::{Deserialize, Serialize};

/// Who owns a ticket. It exists nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The one doctor.
    pub doctor: StaffId,
    /// The consultation.
    pub visit: VisitId,
    /// Called, answered or handed over then.
    pub since: Timestamp,
}

/// Where a ticket stands, with what is only true there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// A link was issued.
    Invited,
    /// In the queue; `preferred` had the patient before.
    Waiting { preferred: Option<StaffId>, visit: Option<VisitId> },
    /// Rings.
    Called(Claim),
    /// In a consultation.
    InVisit(Claim),
    /// Interrupted.
    Parked { by: StaffId, visit: VisitId },
    /// Somebody has to telephone.
    Unanswered,
    /// Over.
    Ended { disposition: Disposition, note: Pii<String>, doctor: StaffId },
    /// Given up.
    Left,
}

/// A place in one waiting room.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ticket {
    /// Its id.
    pub id: TicketId,
    /// The short code people say aloud.
    pub code: String,
    /// Whose readings belong to it.
    pub subject: SubjectId,
    /// Who.
    pub person: Pii<Person>,
    /// How urgent.
    pub triage: Triage,
    /// First visit or unknown history.
    pub first_visit: bool,
    /// Site and nurse, at the bedside.
    pub bedside: Option<Bedside>,
    /// Order of making within the room; breaks ties.
    pub serial: u32,
    /// When the ticket was made.
    pub made: Timestamp,
    /// Since when in the queue.
    pub arrived: Option<Timestamp>,
    /// The place; only meaningful while waiting.
    pub rank: Rank,
    /// Where it stands.
    pub stage: Stage,
    /// One higher at every change of owner; fences whoever believes in an older one.
    pub epoch: u32,
    /// Callable, as far as the nurse is concerned.
    pub ready: bool,
    /// The screen is gone since.
    pub away_since: Option<Timestamp>,
    /// Called and not answered, so often.
    pub misses: u8,
    /// Next leaves it out until then, after a miss.
    pub skip_until: Option<Timestamp>,
    /// A wished or offered hand-over.
    pub hand_over: Option<HandOver>,
    /// Why the place last changed.
    pub why: Why,
    /// 急変 since.
    pub emergency: Option<Timestamp>,
    /// 先生の応答がありません since.
    pub doctor_silent: Option<Timestamp>,
    /// Second devices that ask.
    pub device_requests: Vec<String>,
    /// When the last visit began, for the service rate.
    pub answered: Option<Timestamp>,
    /// Since when somebody has to telephone.
    pub unanswered: Option<Timestamp>,
    /// Links and sessions of an older generation are dead.
    pub link_generation: u32,
    /// What a home kit said.
    #[serde(default)]
    pub raised: Option<Raised>,
}

impl Ticket {
    /// A ticket as it is made: invited, not in the queue.
    pub fn new(new: &NewTicket, bedside: Option<Bedside>, serial: u32, made: Timestamp) -> Self {
        Self {
            id: new.ticket,
            code: new.code.clone(),
            subject: new.subject,
            person: new.person.clone(),
            triage: new.triage,
            first_visit: new.first_visit,
            bedside,
            serial,
            made,
            arrived: None,
            rank: order::rank(new.triage, Timestamp(0), serial),
            stage: Stage::Invited,
            epoch: 0,
            ready: bedside.is_none(),
            away_since: None,
            misses: 0,
            skip_until: None,
            hand_over: None,
            why: Why::Arrived,
            emergency: None,
            doctor_silent: None,
            device_requests: Vec::new(),
            answered: None,
            unanswered: None,
            link_generation: 0,
            raised: None,
        }
    }

    /// The epoch of the next change of owner. It stands still at its end instead of coming round,
    /// so that no old claim is ever right again.
    pub fn next_epoch(&self) -> u32 {
        self.epoch.saturating_add(1)
    }

    /// The claim, while a doctor has the patient.
    pub fn claim(&self) -> Option<Claim> {
        match &self.stage {
            Stage::Called(claim) | Stage::InVisit(claim) => Some(*claim),
            Stage::Invited
            | Stage::Waiting { .. }
            | Stage::Parked { .. }
            | Stage::Unanswered
            | Stage::Ended { .. }
            | Stage::Left => None,
        }
    }

    /// The one owner, if there is one.
    pub fn owner(&self) -> Option<StaffId> {
        self.claim().map(|claim| claim.doctor)
    }

    /// The consultation that goes on or is interrupted.
    pub fn visit(&self) -> Option<VisitId> {
        match &self.stage {
            Stage::Called(claim) | Stage::InVisit(claim) => Some(claim.visit),
            Stage::Parked { visit, .. } => Some(*visit),
            Stage::Waiting { visit, .. } => *visit,
            Stage::Invited | Stage::Unanswered | Stage::Ended { .. } | Stage::Left => None,
        }
    }

    /// Whether a site looks after this patient, at its bedside or at home with its kit.
    pub fn is_at(&self, site: SiteId) -> bool {
        self.site() == Some(site)
    }

    /// The site whose nurses look after this patient.
    pub fn site(&self) -> Option<SiteId> {
        let at_home = || self.kit().map(|kit| kit.site);
        self.bedside.map(|bedside| bedside.site).or_else(at_home)
    }

    /// Whether the place is given back for good.
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Ended { .. } | Stage::Left)
    }

    /// Whether it holds a place in the queue.
    pub fn is_waiting(&self) -> bool {
        matches!(self.stage, Stage::Waiting { .. })
    }

    /// Whether a doctor may call: marked by the nurse, or an emergency, which waits for no mark.
    pub fn may_be_called(&self) -> bool {
        self.ready || self.emergency.is_some()
    }

    /// Whether Next may take it: ready, at the screen, not just missed. Nobody with a kit sits at its
    /// page and waits: a ticket of theirs is taken all the same, and telephoned if need be.
    pub fn is_callable(&self, now: Timestamp) -> bool {
        self.is_waiting()
            && self.may_be_called()
            && (self.away_since.is_none() || self.raised.is_some())
            && self.skip_until.is_none_or(|until| until <= now)
    }

    /// The stage's name on the wire.
    pub fn state(&self) -> TicketState {
        match self.stage {
            Stage::Invited => TicketState::Invited,
            Stage::Waiting { .. } => TicketState::Waiting,
            Stage::Called(_) => TicketState::Called,
            Stage::InVisit(_) => TicketState::InVisit,
            Stage::Parked { .. } => TicketState::Parked,
            Stage::Unanswered => TicketState::Unanswered,
            Stage::Ended { .. } => TicketState::Ended,
            Stage::Left => TicketState::Left,
        }
    }
}
