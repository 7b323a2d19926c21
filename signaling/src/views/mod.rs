//! What each role may see of a state. Pure: a screen is a function of states.

mod alerts;
mod desired;
mod kits;
mod place;
mod table;
mod tickets;
mod visits;

pub use alerts::alerts;
pub use desired::{desired, may_be_in};
pub use kits::kit_row;
pub use place::place;
pub use table::{Change, Table};
pub use tickets::{doctors, room_row, ticket_row};
pub use visits::{attachments, chat_lines, visit_row};

use crate::access::Card;
use minato_protocol::view::{Clinic, DoctorCard};
use minato_protocol::{KitId, Role, RoomId, SiteId, StaffId, TicketId};
use std::collections::BTreeMap;

/// Whose eyes a view is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewer {
    /// In which role.
    pub role: Role,
    /// Which member of staff.
    pub staff: Option<StaffId>,
    /// The nurse's site.
    pub site: Option<SiteId>,
    /// The only ticket of a patient, or of a tablet in patient view.
    pub ticket: Option<(RoomId, TicketId)>,
    /// The home kit whose page this is.
    pub kit: Option<KitId>,
}

impl Viewer {
    /// Whether this screen shows one patient's side only.
    pub fn is_patient_side(&self) -> bool {
        self.ticket.is_some() || self.kit.is_some()
    }
}

/// Everybody's card by id.
pub type Cards = BTreeMap<StaffId, Card>;

/// A clinic, a shelter, a vehicle, as screens need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteCard {
    /// Its name.
    pub name: String,
    /// The hospital that receives emergencies, with its number.
    pub receiving_hospital: String,
    /// The institution responsible here.
    pub clinic: Clinic,
}

/// Sites by id.
pub type Sites = BTreeMap<SiteId, SiteCard>;

/// A member of staff as a patient sees one.
fn card_of(cards: &Cards, staff: StaffId) -> DoctorCard {
    let card = cards.get(&staff);
    DoctorCard {
        name: card.map(|card| card.name.clone()).unwrap_or_default(),
        affiliation: card.map(|card| card.affiliation.clone()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
