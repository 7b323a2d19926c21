//! A consultation as those in it see it.

use super::{Cards, Sites, Viewer, card_of, may_be_in};
use crate::room::Ticket;
use crate::subject::{Attachment, Subject};
use crate::visit::{Party, Visit};
use minato_protocol::view::{
    AttachmentRow, ChatLine, EmergencyCard, IdentityRow, OrderRow, PartyRow, VisitRow,
};
use minato_protocol::{ParticipantId, Role, RoomId, VisitId};
use std::collections::BTreeSet;

/// Whether a viewer belongs to a visit.
fn belongs(viewer: &Viewer, room: RoomId, ticket: &Ticket) -> bool {
    if let Some(own) = viewer.ticket {
        return own == (room, ticket.id);
    }
    match viewer.role {
        Role::Doctor => viewer.staff.is_some() && ticket.owner() == viewer.staff,
        Role::Nurse => ticket.bedside.is_some_and(|bedside| Some(bedside.site) == viewer.site),
        Role::Coordinator | Role::Patient => false,
    }
}

/// The visit's row for one viewer; nothing if it goes on without this viewer.
pub fn visit_row(
    viewer: &Viewer,
    room: RoomId,
    ticket: &Ticket,
    (visit_id, visit): (VisitId, &Visit),
    (cards, sites): (&Cards, &Sites),
    present: &BTreeSet<ParticipantId>,
    relay: u32,
) -> Option<VisitRow> {
    let claim = ticket.claim().filter(|claim| claim.visit == visit_id)?;
    if !belongs(viewer, room, ticket) {
        return None;
    }
    let text = |pii: &minato_protocol::Pii<String>| pii.reveal().cloned().unwrap_or_default();
    let shown = !visit.wrong_patient;
    Some(VisitRow {
        // Of the subject, whose stream is another one.
        attachments: Vec::new(),
        visit: visit_id,
        ticket: ticket.id,
        code: ticket.code.clone(),
        epoch: ticket.epoch,
        started: visit.started,
        doctor: card_of(cards, claim.doctor),
        person: ticket.person.reveal().filter(|_| shown).cloned(),
        parties: parties(ticket, visit_id, visit, cards, present),
        identity: IdentityRow {
            doctor: visit.identity_doctor,
            other_side: visit.identity_patient,
            deferred: visit.deferred.as_ref().map(text),
        },
        consent: visit.consent,
        orders: orders(visit),
        emergency: emergency(ticket, sites),
        audio_only: visit.audio_only.as_ref().map(text),
        quarantined: visit.wrong_patient,
        subject: shown.then_some(ticket.subject),
        chat_seq: u32::try_from(visit.lines.len()).unwrap_or(u32::MAX),
        relay,
    })
}

fn parties(
    ticket: &Ticket,
    visit_id: VisitId,
    visit: &Visit,
    cards: &Cards,
    present: &BTreeSet<ParticipantId>,
) -> Vec<PartyRow> {
    let name = |party: &Party| {
        party.staff.and_then(|staff| cards.get(&staff)).map(|card| card.name.clone())
    };
    visit
        .parties
        .iter()
        .filter(|party| may_be_in(ticket, visit_id, party))
        .map(|party| PartyRow {
            participant: party.participant,
            role: party.role,
            name: name(party).unwrap_or_default(),
            shared_endpoint: party.shared,
            companion: party.companion,
            present: present.contains(&party.participant),
        })
        .collect()
}

fn orders(visit: &Visit) -> Vec<OrderRow> {
    let number = |index: usize| u32::try_from(index + 1).unwrap_or(u32::MAX);
    visit
        .orders
        .iter()
        .enumerate()
        .map(|(index, order)| OrderRow {
            order: number(index),
            text: order.text.reveal().cloned().unwrap_or_default(),
            at: order.at,
            read_back: order.read_back,
            done: order.done,
        })
        .collect()
}

fn emergency(ticket: &Ticket, sites: &Sites) -> Option<EmergencyCard> {
    let since = ticket.emergency?;
    let person = ticket.person.reveal();
    let site = ticket.bedside.and_then(|bedside| sites.get(&bedside.site));
    Some(EmergencyCard {
        since,
        location: person.map(|person| person.location.clone()).unwrap_or_default(),
        call_back: person.map(|person| person.call_back.clone()).unwrap_or_default(),
        hospital: site.map(|site| site.receiving_hospital.clone()).unwrap_or_default(),
    })
}

/// Who attached what to a person, the oldest first.
pub fn attachments(subject: &Subject, cards: &Cards) -> Vec<AttachmentRow> {
    let row = |known: &Attachment| AttachmentRow {
        device: known.device.clone(),
        by: card_of(cards, known.by).name,
        since: known.since,
        until: known.until,
    };
    subject.attachments.iter().map(row).collect()
}

/// Chat lines after a cursor.
pub fn chat_lines(visit: &Visit, after: u32, cards: &Cards) -> Vec<ChatLine> {
    visit
        .lines
        .iter()
        .enumerate()
        .skip(after as usize)
        .map(|(index, line)| ChatLine {
            seq: u32::try_from(index + 1).unwrap_or(u32::MAX),
            from: line
                .from
                .and_then(|staff| cards.get(&staff))
                .map(|card| card.name.clone())
                .unwrap_or_default(),
            role: line.role,
            at: line.at,
            text: line.text.reveal().cloned().unwrap_or_default(),
        })
        .collect()
}
