//! Who may be in a visit's media, from the states alone: what the relay is told.

use crate::room::Ticket;
use crate::visit::{Party, Visit};
use minato_protocol::{ParticipantId, Role, VisitId};

/// Whether a screen still belongs into a visit: the owning doctor, the bedside's nurse, the
/// patient; nobody once the visit is interrupted or over.
pub fn may_be_in(ticket: &Ticket, visit: VisitId, party: &Party) -> bool {
    let goes_on = ticket.claim().is_some_and(|claim| claim.visit == visit);
    goes_on
        && match party.role {
            Role::Doctor => party.staff.is_some() && party.staff == ticket.owner(),
            Role::Nurse => ticket.bedside.is_some(),
            Role::Patient => true,
            Role::Coordinator => false,
        }
}

/// The full list of participants of a visit, gateways included.
pub fn desired(
    ticket: &Ticket,
    visit_id: VisitId,
    visit: &Visit,
    gateway: Option<ParticipantId>,
) -> Vec<ParticipantId> {
    let parties = visit.parties.iter().filter(|party| may_be_in(ticket, visit_id, party));
    let goes_on = ticket.claim().is_some_and(|claim| claim.visit == visit_id);
    parties.map(|party| party.participant).chain(gateway.filter(|_| goes_on)).collect()
}
