//! A person's readings: when one is late, what is held back.
//!
//! Pure. Readings are items of the subject's stream and never touch a room or a visit; a ticket
//! only points to a subject. What is held back is an event of the same stream.

use crate::aggregate::Aggregate;
use minato_protocol::reading::{DeviceId, Outcome, Quality};
use minato_protocol::view::ReadingRow;
use minato_protocol::{Code, SiteId, Span, Timestamp, VisitId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Older than this when it is sent, and a reading is late (後着): it belongs into the trend only.
pub const LATE_AFTER: Span = Span::seconds(15);

/// One item of a subject's stream. At rest the whole of it is sealed with the subject's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// 後着.
    pub late: bool,
    /// Values, or the attempt that failed.
    pub outcome: Outcome,
}

impl Item {
    /// As a screen gets it.
    pub fn row(self, seq: u32, stored: Timestamp, subject: &Subject) -> ReadingRow {
        let quarantined = subject.holds_back(&self.outcome);
        ReadingRow {
            seq,
            stored,
            late: self.late,
            quarantined,
            checked: None,
            assigned: None,
            outcome: self.outcome,
        }
    }
}

/// Whether a reading is late: too old by the gateway's own clock when it was sent, or from a
/// device's memory.
pub fn is_late(outcome: &Outcome, sent_at: Timestamp) -> bool {
    let quality = match outcome {
        Outcome::Reading(reading) => &reading.quality,
        Outcome::Fault(fault) => &fault.quality,
    };
    quality.contains(&Quality::FromStorage) || sent_at - outcome.measured_at() > LATE_AFTER
}

/// Imperative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// 別の方です, pressed in a visit: whatever was measured since then is not shown.
    HoldBack { visit: VisitId, from: Timestamp },
    /// Somebody put a device on this person.
    NoteBinding { device: DeviceId, since: Timestamp },
    /// A nurse of this site asks for a device to be put on this person, who is at the bedside there.
    Place { site: SiteId },
}

/// Past tense.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Nothing measured since then is shown.
    HeldBack { visit: VisitId, from: Timestamp },
    /// Somebody looked again who this is: what this device measures from here on is shown.
    Rebound { device: DeviceId, since: Timestamp },
    /// Boxes of this site may deliver for this person, also long after the ticket is over.
    Placed { site: SiteId },
}

/// What was held back at one press.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    visit: VisitId,
    from: Timestamp,
    pressed: Timestamp,
    rebound: BTreeMap<DeviceId, Timestamp>,
}

/// What is held back of a person's readings.
///
/// Law: a device that was on the wrong person goes on being held back until somebody binds it
/// anew: neither the press nor the end of the visit says whom it is on now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    held: Vec<Held>,
    /// How often what is shown has changed: a screen that agrees with another number begins anew.
    pub shown_version: u64,
    /// Where devices were put on this person.
    pub site: Option<SiteId>,
}

impl Subject {
    /// Whether a reading is shown to nobody.
    pub fn holds_back(&self, outcome: &Outcome) -> bool {
        let at = outcome.measured_at();
        let device = &outcome.device().id;
        self.held
            .iter()
            .any(|held| held.from <= at && held.rebound.get(device).is_none_or(|since| at < *since))
    }

    fn is_rebound(&self, device: &DeviceId, since: Timestamp) -> bool {
        self.held.iter().any(|held| held.pressed < since && !held.rebound.contains_key(device))
    }
}

impl Aggregate for Subject {
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command, _now: Timestamp) -> Result<Vec<Event>, Code> {
        Ok(match command {
            Command::HoldBack { visit, .. }
                if self.held.iter().any(|held| held.visit == *visit) =>
            {
                Vec::new()
            }
            Command::HoldBack { visit, from } => {
                vec![Event::HeldBack { visit: *visit, from: *from }]
            }
            Command::NoteBinding { device, since } if self.is_rebound(device, *since) => {
                vec![Event::Rebound { device: device.clone(), since: *since }]
            }
            Command::NoteBinding { .. } => Vec::new(),
            Command::Place { site } => match self.site {
                None => vec![Event::Placed { site: *site }],
                Some(known) if known == *site => Vec::new(),
                Some(_elsewhere) => return Err(Code::DeviceElsewhere),
            },
        })
    }

    fn evolve(&mut self, event: &Event, at: Timestamp) {
        if !matches!(event, Event::Placed { .. }) {
            self.shown_version += 1;
        }
        match event {
            Event::HeldBack { visit, from } => {
                let rebound = BTreeMap::new();
                self.held.push(Held { visit: *visit, from: *from, pressed: at, rebound });
            }
            Event::Rebound { device, since } => {
                for held in self.held.iter_mut().filter(|held| held.pressed < *since) {
                    held.rebound.entry(device.clone()).or_insert(*since);
                }
            }
            Event::Placed { site } => self.site = Some(*site),
        }
    }
}

#[cfg(test)]
mod tests;
