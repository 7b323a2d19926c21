//! A person's readings: when one is late, what is held back, what people said of it, and which
//! devices they come from.
//!
//! Pure. Readings are items of the subject's stream and never touch a room or a visit; a ticket
//! only points to a subject. What is held back, checked or attached is an event of the same stream.

mod attachment;
mod item;

pub use attachment::{ATTACHMENTS_MAX, Attachment, Attachments};
pub use item::{AssignedBy, Item, Names, ahead};
pub use minato_protocol::reading::LATE_AFTER;

use crate::aggregate::Aggregate;
use minato_protocol::photo::{PHOTOS_MAX, PhotoId};
use minato_protocol::reading::{DeviceId, DeviceKind, Hex, ReadingId};
use minato_protocol::uplink::UnboundWhy;
use minato_protocol::view::Checked;
use minato_protocol::{Code, Pii, SiteId, StaffId, Timestamp, VisitId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Pictures of one person; more are refused.
const PHOTOS_OF_PERSON_MAX: usize = 200;

/// Imperative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// 別の方です, pressed in a visit: whatever was measured since then is not shown.
    HoldBack { visit: VisitId, from: Timestamp },
    /// Somebody put a device on this person; `run` is that of the page it hangs at. `since` is the
    /// moment by the gateway's clock, `since_here` the same one by the broker's.
    NoteBinding {
        device: DeviceId,
        by: StaffId,
        since: Timestamp,
        since_here: Timestamp,
        run: Option<Hex<8>>,
    },
    /// A device came off this person.
    NoteUnbinding { device: DeviceId, by: StaffId, at: Timestamp, why: UnboundWhy },
    /// A nurse of this site asks for a device to be put on this person, who is at the bedside there.
    Place { site: SiteId },
    /// Somebody looked again: the marked value is real.
    Confirm { reading: ReadingId, by: StaffId },
    /// It does not count; another may stand in its place.
    Withdraw {
        reading: ReadingId,
        by: StaffId,
        reason: Pii<String>,
        replaced_by: Option<ReadingId>,
    },
    /// A picture of the display beside a reading, kept already; `by` staff, or the patient.
    NamePhoto { reading: ReadingId, photo: PhotoId, by: Option<StaffId> },
}

/// Past tense.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Nothing measured since then is shown.
    HeldBack { visit: VisitId, from: Timestamp },
    /// Somebody looked again who this is: what this device measures from here on is shown. By the
    /// broker's clock.
    Rebound { device: DeviceId, since: Timestamp },
    /// Boxes of this site may deliver for this person, also long after the ticket is over.
    Placed { site: SiteId },
    /// A device is on this person.
    Attached {
        device: DeviceId,
        by: StaffId,
        since: Timestamp,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run: Option<Hex<8>>,
    },
    /// A device is not on this person any more.
    Detached { device: DeviceId, by: StaffId, at: Timestamp, why: UnboundWhy },
    /// Somebody looked at a reading again: it is real.
    Confirmed { reading: ReadingId, by: StaffId },
    /// A reading does not count. It stays, marked.
    Withdrawn {
        reading: ReadingId,
        by: StaffId,
        reason: Pii<String>,
        replaced_by: Option<ReadingId>,
    },
    /// A picture of the display stands beside a reading.
    PhotoNamed { reading: ReadingId, photo: PhotoId, by: Option<StaffId> },
}

impl Event {
    /// Whether it changes how rows look that a screen may have already.
    fn changes_rows(&self) -> bool {
        match self {
            Self::HeldBack { .. }
            | Self::Rebound { .. }
            | Self::Confirmed { .. }
            | Self::Withdrawn { .. } => true,
            // Of a picture its one row is told again: the doctor's tiles do not go for it.
            Self::Placed { .. }
            | Self::Attached { .. }
            | Self::Detached { .. }
            | Self::PhotoNamed { .. } => false,
        }
    }
}

/// What was held back at one press. Every moment is the broker's: a box whose clock is a day off
/// measured when it measured all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    visit: VisitId,
    from: Timestamp,
    pressed: Timestamp,
    rebound: BTreeMap<DeviceId, Timestamp>,
}

impl Held {
    fn holds_back(&self, item: &Item) -> bool {
        let (at, device) = (item.measured_here(), item.outcome.device());
        let is_shown = match device.kind {
            // Whoever typed it said with each value whose it is.
            DeviceKind::Person => self.pressed < at,
            DeviceKind::Cuff
            | DeviceKind::Oximeter
            | DeviceKind::Thermometer
            | DeviceKind::HeartMonitor
            | DeviceKind::Scale
            | DeviceKind::GlucoseMeter => {
                self.rebound.get(&device.id).is_some_and(|since| *since <= at)
            }
        };
        // Who said during the visit that it is this person's may have meant the other one.
        let was_assigned = item.assigned.as_ref().is_some_and(|assigned| self.from <= assigned.at);
        (self.from <= at || was_assigned) && !is_shown
    }
}

/// The last thing that somebody said of a reading.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    Confirmed { by: StaffId, at: Timestamp },
    Withdrawn { by: StaffId, at: Timestamp, reason: Pii<String>, replaced_by: Option<ReadingId> },
}

/// What is held back of a person's readings, what was said of them, and what hangs at the person.
///
/// Law: a device that was on the wrong person goes on being held back until somebody binds it
/// anew: neither the press nor the end of the visit says whom it is on now.
///
/// Law: nothing that was measured is ever changed or taken away. What somebody says of it stands
/// beside it, with a name, and the last word counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    held: Vec<Held>,
    said_of: BTreeMap<ReadingId, Said>,
    photos_of: BTreeMap<ReadingId, Vec<PhotoId>>,
    /// The reading of each picture, in the order in which they came.
    photographed: Vec<ReadingId>,
    /// Devices on this person, now and before.
    pub attachments: Attachments,
    /// How often what is shown has changed: a screen that agrees with another number begins anew.
    pub shown_version: u64,
    /// Where devices were put on this person.
    pub site: Option<SiteId>,
}

impl Subject {
    /// Whether an item is shown to nobody: one that somebody assigned after the press is shown, as two
    /// things then said whose it is.
    pub fn hides(&self, item: &Item) -> bool {
        let assigned = item.assigned.as_ref().map(|assigned| assigned.at);
        let was_assigned_since = |held: &Held| assigned.is_some_and(|at| held.pressed < at);
        self.held.iter().any(|held| held.holds_back(item) && !was_assigned_since(held))
    }

    /// What stands in the place of a reading that does not count, if anything; `None` for one that
    /// does.
    pub fn successor(&self, reading: ReadingId) -> Option<Option<ReadingId>> {
        match self.said_of.get(&reading)? {
            Said::Withdrawn { replaced_by, .. } => Some(*replaced_by),
            Said::Confirmed { .. } => None,
        }
    }

    /// Pictures of a reading's display.
    pub fn photos(&self, reading: ReadingId) -> &[PhotoId] {
        self.photos_of.get(&reading).map_or(&[], Vec::as_slice)
    }

    /// Of which readings pictures came, the first `told` of them left out. At most 200.
    pub fn photographed_after(&self, told: usize) -> &[ReadingId] {
        self.photographed.get(told..).unwrap_or_default()
    }

    /// Whether a picture may stand beside a reading. `PhotoEnough`: there are enough.
    pub fn may_name(&self, reading: ReadingId, photo: PhotoId) -> Result<(), Code> {
        let here = self.photos(reading);
        let fits = here.len() < PHOTOS_MAX && self.photographed.len() < PHOTOS_OF_PERSON_MAX;
        if fits || here.contains(&photo) { Ok(()) } else { Err(Code::PhotoEnough) }
    }

    /// What was said of a reading, as a screen gets it.
    pub fn checked(&self, reading: ReadingId, names: Names<'_>) -> Option<Checked> {
        Some(match self.said_of.get(&reading)? {
            Said::Confirmed { by, at } => Checked::Confirmed { by: names(*by), at: *at },
            Said::Withdrawn { by, at, reason, replaced_by } => Checked::Withdrawn {
                by: names(*by),
                at: *at,
                reason: reason.reveal().cloned().unwrap_or_default(),
                replaced_by: *replaced_by,
            },
        })
    }

    fn is_rebound(&self, device: &DeviceId, since: Timestamp) -> bool {
        self.held.iter().any(|held| held.pressed < since && !held.rebound.contains_key(device))
    }

    fn bound(
        &self,
        device: &DeviceId,
        by: StaffId,
        (since, since_here): (Timestamp, Timestamp),
        run: Option<Hex<8>>,
    ) -> Vec<Event> {
        let mut events = Vec::new();
        let is_news = self.attachments.is_news(device, since, run);
        // A page says with each press at which run the device hangs: only a new one binds anew. A box
        // says again what is on while its clock is set: nobody looked who that is.
        let is_word = match run {
            Some(_) => is_news,
            None => !self.attachments.is_on(device, since),
        };
        if self.is_rebound(device, since_here) && is_word {
            events.push(Event::Rebound { device: device.clone(), since: since_here });
        }
        if is_news {
            events.push(Event::Attached { device: device.clone(), by, since, run });
        }
        events
    }
}

impl Aggregate for Subject {
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command, _now: Timestamp) -> Result<Vec<Event>, Code> {
        let news = |is_news: bool, event: Event| Ok(Vec::from_iter(is_news.then_some(event)));
        match command {
            Command::HoldBack { visit, from } => {
                let is_news = !self.held.iter().any(|held| held.visit == *visit);
                news(is_news, Event::HeldBack { visit: *visit, from: *from })
            }
            Command::NoteBinding { device, by, since, since_here, run } => {
                Ok(self.bound(device, *by, (*since, *since_here), *run))
            }
            Command::NoteUnbinding { device, by, at, why } => {
                let event = Event::Detached { device: device.clone(), by: *by, at: *at, why: *why };
                news(self.attachments.is_on(device, *at), event)
            }
            Command::Place { site } => match self.site {
                Some(known) if known != *site => Err(Code::DeviceElsewhere),
                known => news(known.is_none(), Event::Placed { site: *site }),
            },
            Command::Confirm { reading, by } => match self.said_of.get(reading) {
                Some(Said::Withdrawn { .. }) => Err(Code::ReadingUnknown),
                said => news(said.is_none(), Event::Confirmed { reading: *reading, by: *by }),
            },
            Command::Withdraw { reading, by, reason, replaced_by } => {
                // A second correction at the same moment stands in its place as well.
                let is_news = self.successor(*reading).is_none() || replaced_by.is_some();
                let (reading, by, replaced_by) = (*reading, *by, *replaced_by);
                let reason = reason.clone();
                news(is_news, Event::Withdrawn { reading, by, reason, replaced_by })
            }
            Command::NamePhoto { reading, photo, by } => {
                self.may_name(*reading, *photo)?;
                let is_news = !self.photos(*reading).contains(photo);
                news(is_news, Event::PhotoNamed { reading: *reading, photo: *photo, by: *by })
            }
        }
    }

    fn evolve(&mut self, event: &Event, at: Timestamp) {
        if event.changes_rows() {
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
            Event::Attached { device, by, since, run } => self.attachments.put_on(Attachment {
                device: device.clone(),
                by: *by,
                since: *since,
                run: *run,
                until: None,
            }),
            Event::Detached { device, at, why, .. } => {
                self.attachments.take_off(device, *at, *why);
            }
            Event::Confirmed { reading, by } => {
                self.said_of.insert(*reading, Said::Confirmed { by: *by, at });
            }
            Event::Withdrawn { reading, by, reason, replaced_by } => {
                let (by, replaced_by, reason) = (*by, *replaced_by, reason.clone());
                self.said_of.insert(*reading, Said::Withdrawn { by, at, reason, replaced_by });
            }
            Event::PhotoNamed { reading, photo, .. } => {
                self.photos_of.entry(*reading).or_default().push(*photo);
                self.photographed.push(*reading);
            }
        }
    }
}

#[cfg(test)]
mod tests;
