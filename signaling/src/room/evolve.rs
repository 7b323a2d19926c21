//! How each event changes the room. Cannot fail.

use super::decide::triage_now;
use super::raised::Raised;
use super::{
    Claim, Event, NewTicket, OVER_KEPT, OnRoster, Room, SKIP_AFTER_MISS, Stage, Ticket, Tickets,
    order,
};
use minato_protocol::act::{ContactOutcome, Duty};
use minato_protocol::view::{HandOver, Why};
use minato_protocol::{Span, StaffId, TicketId, Timestamp, VisitId};
use std::sync::Arc;

pub(super) fn evolve(room: &mut Room, event: &Event, at: Timestamp) {
    let concerned = event.ticket();
    concerned.into_iter().for_each(|ticket| room.unlist(ticket));
    happen(room, event, at);
    concerned.into_iter().for_each(|ticket| room.list(ticket));
}

fn happen(room: &mut Room, event: &Event, at: Timestamp) {
    match event {
        Event::Opened { name, clinic } => {
            room.name.clone_from(name);
            room.clinic.clone_from(clinic);
        }
        Event::RosterSet { doctors } => set_roster(room, doctors),
        Event::IntakeSet { closed } => room.intake_closed = *closed,
        Event::Invited { new } => {
            make(room, new, None, at);
        }
        Event::Arrived { ticket } => arrive(room, *ticket, at),
        Event::Admitted { new, bedside } => {
            let ticket = make(room, new, Some(*bedside), at);
            arrive(room, ticket, at);
        }
        Event::Raised { new, kit, up_to, fired } => {
            let ticket = make(room, new, None, at);
            arrive(room, ticket, at);
            if let Some(known) = ticket_mut(&mut room.tickets, ticket) {
                known.raised = Some(Raised::new(*kit, *up_to, fired));
                known.why = Why::ValuesChanged;
            }
        }
        Event::DutySet { doctor, duty } => {
            if let Some(entry) = room.roster.get_mut(doctor) {
                *entry = OnRoster { duty: *duty, away_since: None };
            }
            if *duty == Duty::Off {
                room.service.went_home(*doctor);
            }
        }
        Event::DoctorAway { doctor, since } => {
            set_doctor_away(room, *doctor, Some(since.unwrap_or(at)));
        }
        Event::DoctorBack { doctor } => set_doctor_away(room, *doctor, None),
        Event::ServiceWasAway { span } => extend_graces(room, *span),
        Event::Called { ticket, doctor, epoch, visit } => {
            called(room, *ticket, *doctor, *epoch, *visit, at);
        }
        Event::Missed { ticket, epoch } => missed(room, *ticket, *epoch, at),
        Event::Unanswered { ticket, why } => {
            out_of_queue(room, *ticket, |known| {
                known.stage = Stage::Unanswered;
                known.unanswered = Some(at);
                known.why = *why;
            });
        }
        Event::ContactRecorded { ticket, outcome } => contact(room, *ticket, *outcome, at),
        Event::CallCancelled { ticket, epoch } => {
            let back = |known: &mut Ticket| {
                known.epoch = *epoch;
                known.why = Why::CallCancelled;
            };
            into_queue(room, *ticket, back);
        }
        Event::ReturnedToFront { ticket, epoch, why } => {
            into_queue(room, *ticket, |known| {
                known.epoch = *epoch;
                to_front(known, *why, at);
            });
        }
        Event::Resumed { ticket } => {
            into_queue(room, *ticket, |known| to_front(known, Why::ResumedFromPark, at));
        }
        Event::Ended { ticket, epoch, disposition, note } => {
            end(room, *ticket, *epoch, at, |doctor| Stage::Ended {
                disposition: *disposition,
                note: note.clone(),
                doctor,
            });
        }
        Event::Left { ticket, why } => {
            out_of_queue(room, *ticket, |known| {
                known.stage = Stage::Left;
                known.why = *why;
            });
            is_over(room, *ticket, at);
        }
        Event::TriageSet { ticket, triage } => {
            requeue(room, *ticket, |known| {
                known.triage = *triage;
                known.why = Why::TriageChanged;
            });
        }
        Event::EmergencyRaised { ticket } => {
            requeue(room, *ticket, |known| {
                known.emergency = Some(at);
                known.why = Why::Emergency;
            });
        }
        Event::RaisedFurther { .. }
        | Event::ReadySet { .. }
        | Event::ClaimBurned { .. }
        | Event::Answered { .. }
        | Event::Parked { .. }
        | Event::HandOverProposed { .. }
        | Event::HandOverDropped { .. }
        | Event::HandedOver { .. }
        | Event::PatientAway { .. }
        | Event::PatientBack { .. }
        | Event::DoctorSilent { .. }
        | Event::LinksRevoked { .. }
        | Event::PersonOpened { .. }
        | Event::DeviceAsked { .. }
        | Event::DeviceSettled { .. } => in_place(room, event, at),
    }
}

/// Events that change one ticket and no place.
fn in_place(room: &mut Room, event: &Event, at: Timestamp) {
    let Some(known) = event.ticket().and_then(|id| ticket_mut(&mut room.tickets, id)) else {
        return;
    };
    match event {
        Event::RaisedFurther { up_to, fired, .. } => {
            if let Some(raised) = &mut known.raised {
                raised.further(*up_to, fired);
            }
        }
        Event::ReadySet { ready, .. } => known.ready = *ready,
        Event::ClaimBurned { epoch, .. } => known.epoch = known.epoch.max(*epoch),
        Event::Answered { .. } => {
            if let Stage::Called(claim) = known.stage {
                known.stage = Stage::InVisit(Claim { since: at, ..claim });
                known.answered = Some(at);
                known.misses = 0;
            }
        }
        Event::Parked { epoch, .. } => {
            if let Some(claim) = known.claim() {
                known.stage = Stage::Parked { by: claim.doctor, visit: claim.visit };
                known.epoch = *epoch;
                known.hand_over = None;
                known.doctor_silent = None;
            }
        }
        Event::HandOverProposed { to, offered, .. } => {
            known.hand_over = Some(HandOver { to: *to, offered: *offered });
        }
        Event::HandOverDropped { .. } => known.hand_over = None,
        Event::HandedOver { to, epoch, .. } => {
            if let Stage::Called(claim) | Stage::InVisit(claim) = &mut known.stage {
                claim.doctor = *to;
                claim.since = at;
            }
            known.epoch = *epoch;
            known.hand_over = None;
            known.doctor_silent = None;
        }
        Event::PatientAway { since, .. } => known.away_since = Some(since.unwrap_or(at)),
        Event::PatientBack { .. } => known.away_since = None,
        Event::DoctorSilent { .. } => known.doctor_silent = Some(at),
        Event::LinksRevoked { generation, .. } => {
            known.link_generation = *generation;
            known.device_requests.clear();
        }
        Event::DeviceAsked { request, .. } => known.device_requests.push(request.clone()),
        Event::DeviceSettled { request, .. } => {
            known.device_requests.retain(|other| other != request);
        }
        _ => {}
    }
}

fn ticket_mut(tickets: &mut Tickets, id: TicketId) -> Option<&mut Ticket> {
    tickets.get_mut(&id).map(Arc::make_mut)
}

/// The place is given back; what was over long enough is forgotten here (the log keeps it).
fn is_over(room: &mut Room, ticket: TicketId, at: Timestamp) {
    if room.live.remove(&ticket).is_none() {
        return;
    }
    room.over.push_back((at, ticket));
    if let Some(known) = room.tickets.get(&ticket) {
        room.ticket_by_subject.remove(&known.subject);
    }
    while let Some((then, oldest)) = room.over.front().copied() {
        if at - then <= OVER_KEPT {
            break;
        }
        room.over.pop_front();
        room.tickets.remove(&oldest);
    }
}

fn set_roster(room: &mut Room, doctors: &[StaffId]) {
    room.roster.retain(|doctor, _| doctors.contains(doctor));
    for doctor in doctors {
        let off = OnRoster { duty: Duty::Off, away_since: None };
        room.roster.entry(*doctor).or_insert(off);
    }
}

fn set_doctor_away(room: &mut Room, doctor: StaffId, since: Option<Timestamp>) {
    if let Some(entry) = room.roster.get_mut(&doctor) {
        entry.away_since = since;
    }
}

fn make(
    room: &mut Room,
    new: &NewTicket,
    bedside: Option<super::Bedside>,
    at: Timestamp,
) -> TicketId {
    let serial = room.serial;
    room.serial += 1;
    room.tickets.insert(new.ticket, Arc::new(Ticket::new(new, bedside, serial, at)));
    room.live.insert(new.ticket, ());
    room.ticket_by_subject.insert(new.subject, new.ticket);
    new.ticket
}

fn arrive(room: &mut Room, ticket: TicketId, at: Timestamp) {
    into_queue(room, ticket, |known| {
        known.arrived = Some(at);
        known.why = Why::Arrived;
        known.rank = order::rank(triage_now(known), at, known.serial);
    });
}

/// Puts a ticket into the queue at the rank that `change` leaves it with.
fn into_queue(room: &mut Room, ticket: TicketId, change: impl FnOnce(&mut Ticket)) {
    let Some(known) = ticket_mut(&mut room.tickets, ticket) else { return };
    let was = known.is_waiting().then_some(known.rank);
    // A visit that was interrupted goes on with the same papers; any other begins anew.
    let (preferred, visit) = match &known.stage {
        Stage::Parked { by, visit } => (Some(*by), Some(*visit)),
        Stage::Invited
        | Stage::Waiting { .. }
        | Stage::Called(_)
        | Stage::InVisit(_)
        | Stage::Unanswered
        | Stage::Ended { .. }
        | Stage::Left => (None, None),
    };
    known.stage = Stage::Waiting { preferred, visit };
    known.hand_over = None;
    known.doctor_silent = None;
    change(known);
    let rank = known.rank;
    if let Some(old) = was {
        room.queue.remove(&old);
    }
    room.queue.insert(rank, ticket);
}

fn out_of_queue(room: &mut Room, ticket: TicketId, change: impl FnOnce(&mut Ticket)) {
    let Some(known) = ticket_mut(&mut room.tickets, ticket) else { return };
    if known.is_waiting() {
        room.queue.remove(&known.rank);
    }
    change(known);
}

/// Changes a ticket's urgency; its place follows if it is waiting.
fn requeue(room: &mut Room, ticket: TicketId, change: impl FnOnce(&mut Ticket)) {
    let Some(known) = ticket_mut(&mut room.tickets, ticket) else { return };
    let old = known.rank;
    change(known);
    let Some(arrived) = known.arrived else { return };
    known.rank = order::moved(known.rank, triage_now(known), arrived, known.serial);
    if known.is_waiting() {
        let rank = known.rank;
        room.queue.remove(&old);
        room.queue.insert(rank, ticket);
    }
}

fn to_front(known: &mut Ticket, why: Why, at: Timestamp) {
    known.why = why;
    known.skip_until = None;
    let arrived = known.arrived.unwrap_or(at);
    known.rank = order::front(triage_now(known), at, arrived, known.serial);
}

fn called(
    room: &mut Room,
    ticket: TicketId,
    doctor: StaffId,
    epoch: u32,
    visit: VisitId,
    at: Timestamp,
) {
    out_of_queue(room, ticket, |known| {
        known.stage = Stage::Called(Claim { doctor, visit, since: at });
        known.epoch = epoch;
        known.skip_until = None;
    });
}

fn missed(room: &mut Room, ticket: TicketId, epoch: u32, at: Timestamp) {
    let Some(known) = ticket_mut(&mut room.tickets, ticket) else { return };
    let telephone = Room::misses_too_often(known);
    known.misses = known.misses.saturating_add(1);
    known.epoch = epoch;
    known.why = Why::Missed;
    known.skip_until = Some(at + SKIP_AFTER_MISS);
    if telephone {
        known.stage = Stage::Unanswered;
        known.hand_over = None;
        known.doctor_silent = None;
        known.unanswered = Some(at);
    } else {
        into_queue(room, ticket, |_| {});
    }
}

fn contact(room: &mut Room, ticket: TicketId, outcome: ContactOutcome, at: Timestamp) {
    match outcome {
        ContactOutcome::Ready => into_queue(room, ticket, |known| {
            known.misses = 0;
            // The telephone reached the person: the place counts from now on as present.
            known.away_since = None;
            to_front(known, Why::ContactMade, at);
        }),
        ContactOutcome::GivesUp | ContactOutcome::HelpSent => {
            out_of_queue(room, ticket, |known| {
                known.stage = Stage::Left;
                known.why = Why::GaveUp;
            });
            is_over(room, ticket, at);
        }
        ContactOutcome::NotReached => {}
    }
}

fn end(
    room: &mut Room,
    ticket: TicketId,
    epoch: u32,
    at: Timestamp,
    stage: impl FnOnce(StaffId) -> Stage,
) {
    let Some(known) = ticket_mut(&mut room.tickets, ticket) else { return };
    let Some(claim) = known.claim() else { return };
    let was_seen = known.answered.is_some();
    known.stage = stage(claim.doctor);
    known.epoch = epoch;
    known.hand_over = None;
    known.doctor_silent = None;
    is_over(room, ticket, at);
    if was_seen {
        room.service.saw(claim.doctor, claim.since, at, room.queue.len());
    }
}

fn extend_graces(room: &mut Room, span: Span) {
    let later = |since: &mut Option<Timestamp>| *since = since.map(|since| since + span);
    room.roster.values_mut().for_each(|entry| later(&mut entry.away_since));
    let live: Vec<TicketId> = room.live.keys().copied().collect();
    for ticket in live {
        let Some(known) = ticket_mut(&mut room.tickets, ticket) else { continue };
        later(&mut known.away_since);
        // `skip_until` is no grace: nobody is left out longer because the service was away.
        if let Stage::Called(claim) = &mut known.stage {
            claim.since = claim.since + span;
        }
    }
}
