//! What a gateway delivered, on its way into the log: everything is stored, and each reading only
//! where it belongs.

use super::settling::of_nobody;
use super::{Gateways, Held};
use crate::desk::Desk;
use crate::log::{Item, StreamId};
use crate::readings::Readings;
use crate::subject::{Command, ahead};
use minato_protocol::reading::{Hex, Outcome};
use minato_protocol::uplink::{Entry, OutboxEntry, RequestRefusal};
use minato_protocol::view::HeldBecause;
use minato_protocol::{Code, GatewayId, Pii, SiteId, Span, SubjectId, Timestamp};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Whose delivery it is.
#[derive(Debug, Clone, Copy)]
pub struct Origin {
    /// The box.
    pub gateway: GatewayId,
    /// Where it hangs, as it was enrolled.
    pub site: SiteId,
    /// Its outbox: lines are numbered within it.
    pub outbox: Hex<8>,
}

/// Stores a delivery and tells what it bound. Durable when it answers; repeated, it changes
/// nothing.
///
/// Law: **a box speaks for patients of its own site only.** What it says about others is kept in
/// its own stream, sealed with that person's key and marked `other_site`: not lost, shown to
/// nobody, bound to nobody. Readings of nobody are kept there under a key of the box's own.
pub async fn take_in(
    (desk, readings, gateways, held): (&Desk, &Readings, &Gateways, &Held),
    origin: &Origin,
    sent_at: Timestamp,
    batch: &[OutboxEntry],
) -> Result<(), Code> {
    let strangers = strangers(desk, origin.site, batch).await?;
    // Moments of the box by our own clock.
    let off = ahead(sent_at, desk.clock.now()).unwrap_or_default();
    let is_stranger = |subject: &SubjectId| strangers.contains(subject);
    let mut by_subject: BTreeMap<SubjectId, Vec<Outcome>> = BTreeMap::new();
    let mut own = Vec::new();
    for line in batch {
        match &line.entry {
            Entry::Measured { subject: Some(subject), outcome } if !is_stranger(subject) => {
                by_subject.entry(*subject).or_default().push(outcome.clone());
            }
            _ => own.push(Item {
                dedupe_id: line_id(&origin.outbox, line.seq),
                at: desk.clock.now(),
                body: kept(desk, origin.gateway, line, &strangers),
            }),
        }
    }
    if !own.is_empty() {
        let stream = StreamId::gateway(origin.gateway);
        let stored = desk.log.append_unordered(&stream, own).await;
        stored.map_err(|error| {
            tracing::error!(%error, "a delivery cannot be stored");
            Code::NotDurable
        })?;
        held.take_in(origin, batch.iter().filter_map(|line| nobodys(origin, line, is_stranger)));
    }
    for line in batch {
        let Some((subject, command)) = noted(line, off) else { continue };
        if !is_stranger(&subject) {
            readings.note(desk, subject, None, command).await?;
        }
    }
    for (subject, outcomes) in by_subject {
        readings.store(desk, subject, sent_at, outcomes).await?;
    }
    tell_bindings(gateways, origin.gateway, batch, &strangers);
    Ok(())
}

/// What a subject's stream is told of a binding, so that a doctor sees who attached what.
fn noted(line: &OutboxEntry, off: Span) -> Option<(SubjectId, Command)> {
    match &line.entry {
        Entry::Bound { subject, device, since, by, .. } => {
            let (device, by, since) = (device.clone(), *by, *since);
            let since_here = since - off;
            Some((*subject, Command::NoteBinding { device, by, since, since_here, run: None }))
        }
        Entry::Unbound { subject, device, by, why, .. } => {
            let (device, by, at, why) = (device.clone(), *by, line.at, *why);
            Some((*subject, Command::NoteUnbinding { device, by, at, why }))
        }
        Entry::Measured { .. } => None,
    }
}

/// A measurement that is kept in the box's own stream, and why.
fn nobodys(
    origin: &Origin,
    line: &OutboxEntry,
    is_stranger: impl Fn(&SubjectId) -> bool,
) -> Option<([u8; 16], HeldBecause, Outcome)> {
    let Entry::Measured { subject, outcome } = &line.entry else { return None };
    let because = match subject {
        None => HeldBecause::Unbound,
        Some(subject) if is_stranger(subject) => HeldBecause::OtherSite,
        Some(_) => return None,
    };
    Some((line_id(&origin.outbox, line.seq), because, outcome.clone()))
}

/// Who of a delivery does not belong to its box's site.
async fn strangers(
    desk: &Desk,
    site: SiteId,
    batch: &[OutboxEntry],
) -> Result<BTreeSet<SubjectId>, Code> {
    let named: BTreeSet<SubjectId> = batch.iter().filter_map(|line| named(&line.entry)).collect();
    let mut strangers = BTreeSet::new();
    for subject in named {
        if !belongs(desk, site, subject).await? {
            tracing::warn!(%site, "a box speaks for somebody who is not at its site");
            metrics::counter!("minato_gateway_held_total", "reason" => "other_site").increment(1);
            strangers.insert(subject);
        }
    }
    Ok(strangers)
}

fn named(entry: &Entry) -> Option<SubjectId> {
    match entry {
        Entry::Measured { subject, .. } => *subject,
        Entry::Bound { subject, .. } | Entry::Unbound { subject, .. } => Some(*subject),
    }
}

/// The ticket says where its patient is. After it is over, what counts is where devices were put
/// on: what was measured before an outage of days still arrives. An unread log is no answer.
async fn belongs(desk: &Desk, site: SiteId, subject: SubjectId) -> Result<bool, Code> {
    for (_, seen) in desk.all_rooms().await? {
        if let Some(ticket) = seen.state.ticket_by_subject.get(&subject) {
            return Ok(seen.state.ticket(*ticket).is_ok_and(|ticket| ticket.is_at(site)));
        }
    }
    let seen = desk.subjects.see(&StreamId::subject(subject)).await?;
    Ok(seen.state.site == Some(site))
}

/// A line as the box's own stream keeps it. A measurement is somebody's, known or not: it is
/// sealed.
fn kept(
    desk: &Desk,
    gateway: GatewayId,
    line: &OutboxEntry,
    strangers: &BTreeSet<SubjectId>,
) -> Value {
    let held = named(&line.entry).filter(|subject| strangers.contains(subject));
    let body = match &line.entry {
        Entry::Measured { subject, .. } => serde_json::to_value(Pii::new(
            subject.unwrap_or_else(|| of_nobody(desk, gateway)),
            line,
        )),
        Entry::Bound { .. } | Entry::Unbound { .. } => serde_json::to_value(line),
    };
    let body = body.unwrap_or_default();
    if held.is_some() { json!({ "held": "other_site", "line": body }) } else { body }
}

fn line_id(outbox: &Hex<8>, seq: u64) -> [u8; 16] {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&outbox.0);
    id[8..].copy_from_slice(&seq.to_be_bytes());
    id
}

fn tell_bindings(
    gateways: &Gateways,
    gateway: GatewayId,
    batch: &[OutboxEntry],
    strangers: &BTreeSet<SubjectId>,
) {
    for line in batch {
        match &line.entry {
            Entry::Bound { key, subject, .. } if strangers.contains(subject) => {
                gateways.answer(gateway, key, Err(RequestRefusal::BoundElsewhere));
            }
            Entry::Bound { key, device, subject, .. } => {
                gateways.set_bound(gateway, device, Some(*subject));
                gateways.answer(gateway, key, Ok(()));
            }
            Entry::Unbound { key, device, .. } => {
                gateways.set_bound(gateway, device, None);
                gateways.answer(gateway, key, Ok(()));
            }
            Entry::Measured { .. } => {}
        }
    }
}
