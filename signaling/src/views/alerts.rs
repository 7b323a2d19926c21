//! What a coordinator or a nurse should look at.

use super::Viewer;
use crate::room::{Room, Stage, Ticket};
use minato_protocol::view::{AlertKind, AlertRow, Row, Why};
use minato_protocol::{Role, Timestamp};

/// The alerts of one ticket for one viewer. `room` tells whether its doctor's screen is gone.
pub fn alerts(viewer: &Viewer, room: &Room, ticket: &Ticket) -> Vec<Row> {
    let concerned = match viewer.role {
        Role::Coordinator => true,
        Role::Nurse => viewer.site.is_some_and(|site| ticket.is_at(site)),
        Role::Doctor => ticket.owner().is_some() && ticket.owner() == viewer.staff,
        Role::Patient => false,
    };
    if viewer.is_patient_side() || !concerned || ticket.is_over() {
        return Vec::new();
    }
    let in_call = ticket.claim();
    let doctor_gone = in_call.and_then(|claim| room.roster.get(&claim.doctor)?.away_since);
    let was_returned =
        |why: Why| (ticket.is_waiting() && ticket.why == why).then_some(ticket.rank.1);
    let found: [(AlertKind, Option<Timestamp>); 8] = [
        (AlertKind::Emergency, ticket.emergency),
        (AlertKind::ValuesChanged, changed_since(ticket)),
        (AlertKind::Unanswered, unanswered_since(ticket)),
        (AlertKind::DoctorGone, doctor_gone.or_else(|| was_returned(Why::DoctorGone))),
        (AlertKind::PatientGone, ticket.away_since.filter(|_| in_call.is_some())),
        (AlertKind::DoctorSilent, ticket.doctor_silent),
        (AlertKind::WrongPatient, was_returned(Why::WrongPatient)),
        (AlertKind::DeviceRequest, (!ticket.device_requests.is_empty()).then_some(ticket.made)),
    ];
    found
        .into_iter()
        .filter_map(|(kind, since)| since.map(|since| row(kind, since, ticket)))
        .collect()
}

fn unanswered_since(ticket: &Ticket) -> Option<Timestamp> {
    match ticket.stage {
        Stage::Unanswered => Some(ticket.unanswered.unwrap_or(ticket.made)),
        Stage::Invited
        | Stage::Waiting { .. }
        | Stage::Called(_)
        | Stage::InVisit(_)
        | Stage::Parked { .. }
        | Stage::Ended { .. }
        | Stage::Left => None,
    }
}

/// Until a doctor has the patient.
fn changed_since(ticket: &Ticket) -> Option<Timestamp> {
    let waits = ticket.is_waiting() && ticket.answered.is_none();
    ticket.raised.as_ref().filter(|_| waits).map(|_| ticket.made)
}

fn row(kind: AlertKind, since: Timestamp, ticket: &Ticket) -> Row {
    Row::Alert(AlertRow {
        alert: format!("{}-{kind:?}", ticket.id),
        kind,
        ticket: ticket.id,
        code: ticket.code.clone(),
        since,
    })
}
