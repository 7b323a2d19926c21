//! The list as staff see it.

use super::{Cards, Viewer};
use crate::room::{Raised, Room, Stage, Ticket};
use minato_protocol::act::Duty;
use minato_protocol::view::{DoctorRow, Origin, RoomRow, Row, TicketRow};
use minato_protocol::{Person, Role, RoomId, StaffId, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A room's row.
pub fn room_row(id: RoomId, room: &Room) -> Row {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Row::Room(RoomRow {
        room: id,
        name: room.name.clone(),
        clinic: room.clinic.clone(),
        intake_closed: room.intake_closed,
        waiting: count(room.waiting_len()),
        on_duty: count(room.on_duty()),
        oldest_wait: room.oldest_wait(),
    })
}

/// Whether a viewer sees a ticket at all.
fn is_visible(viewer: &Viewer, ticket: &Ticket) -> bool {
    if viewer.is_patient_side() {
        return false;
    }
    match viewer.role {
        Role::Coordinator => true,
        Role::Doctor => ticket.stage != Stage::Invited,
        Role::Nurse => viewer.site.is_some_and(|site| ticket.is_at(site)),
        Role::Patient => false,
    }
}

/// Whether a viewer is told name, birth date and number: the coordinator who issued the link, the
/// nurse of the site, and the doctor who has the patient. Anybody else opens it, which is logged.
fn sees_person(viewer: &Viewer, ticket: &Ticket) -> bool {
    match viewer.role {
        Role::Coordinator | Role::Nurse => true,
        Role::Doctor => viewer.staff.is_some() && ticket.owner() == viewer.staff,
        Role::Patient => false,
    }
}

/// A ticket's row for one viewer, or nothing if it is not for these eyes. `today` is `YYYY-MM-DD`.
pub fn ticket_row(viewer: &Viewer, room: RoomId, ticket: &Ticket, today: &str) -> Option<Row> {
    if !is_visible(viewer, ticket) {
        return None;
    }
    let person: Option<&Person> = ticket.person.reveal();
    let sees = sees_person(viewer, ticket);
    let settles = matches!(viewer.role, Role::Coordinator | Role::Nurse);
    let (preferred, disposition, last_doctor) = match &ticket.stage {
        Stage::Waiting { preferred, .. } => (*preferred, None, None),
        Stage::Parked { by, .. } => (Some(*by), None, None),
        Stage::Ended { disposition, doctor, .. } => (None, Some(*disposition), Some(*doctor)),
        Stage::Invited | Stage::Called(_) | Stage::InVisit(_) | Stage::Unanswered | Stage::Left => {
            (None, None, None)
        }
    };
    Some(Row::Ticket(Box::new(TicketRow {
        ticket: ticket.id,
        room,
        code: ticket.code.clone(),
        state: ticket.state(),
        rank: ticket.rank,
        origin: origin_of(ticket),
        site: ticket.site(),
        nurse: ticket.bedside.map(|bedside| bedside.nurse),
        triage: ticket.triage,
        first_visit: ticket.first_visit,
        arrived: ticket.arrived,
        ready: ticket.ready,
        away_since: ticket.away_since,
        misses: ticket.misses,
        epoch: ticket.epoch,
        doctor: ticket.owner().or(last_doctor),
        preferred,
        visit: ticket.visit(),
        hand_over: ticket.hand_over,
        why: ticket.why,
        emergency: ticket.emergency,
        disposition,
        subject: (sees && viewer.role != Role::Coordinator).then_some(ticket.subject),
        age_band: person.map(|person| person.age_band(today)).unwrap_or_default(),
        person: person.filter(|_| sees).cloned(),
        kit: ticket.kit().map(|kit| kit.kit),
        fired: ticket.raised.as_ref().map(Raised::told).unwrap_or_default(),
        device_requests: if settles { ticket.device_requests.clone() } else { Vec::new() },
    })))
}

fn origin_of(ticket: &Ticket) -> Origin {
    match (ticket.bedside, ticket.kit()) {
        (Some(_), _) => Origin::Bedside,
        (None, Some(_)) => Origin::Kit,
        (None, None) => Origin::Home,
    }
}

/// The doctors of all rosters, each once. Who has a patient is seen by all staff; which one only by
/// whoever sees that ticket.
pub fn doctors(
    viewer: &Viewer,
    rooms: &[(RoomId, Arc<crate::desk::Seen<Room>>)],
    cards: &Cards,
) -> Vec<Row> {
    let mut rows: BTreeMap<StaffId, DoctorRow> = BTreeMap::new();
    for (room, seen) in rooms {
        for (staff, entry) in &seen.state.roster {
            let row = rows.entry(*staff).or_insert_with(|| off_duty(*staff, cards));
            if entry.duty != Duty::Off {
                row.rooms.push(*room);
                row.duty = if row.duty == Duty::On { Duty::On } else { entry.duty };
                row.away_since = earliest(row.away_since, entry.away_since);
            }
        }
        for ticket in seen.state.claimed() {
            if let Some(row) = ticket.owner().and_then(|owner| rows.get_mut(&owner)) {
                row.busy = true;
                row.patient = is_visible(viewer, ticket).then_some(ticket.id);
            }
        }
    }
    rows.into_values().map(Row::Doctor).collect()
}

fn off_duty(staff: StaffId, cards: &Cards) -> DoctorRow {
    let card = super::card_of(cards, staff);
    DoctorRow {
        staff,
        name: card.name,
        affiliation: card.affiliation,
        duty: Duty::Off,
        rooms: Vec::new(),
        busy: false,
        patient: None,
        away_since: None,
    }
}

fn earliest(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
