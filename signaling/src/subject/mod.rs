//! A person's readings: when one is late, when it is stale, what is held back.
//!
//! Pure. Readings never touch a room or a visit; a ticket only points to a subject.

use minato_protocol::reading::{Outcome, Quality};
use minato_protocol::view::ReadingRow;
use minato_protocol::{Span, Timestamp, VisitId};
use serde::{Deserialize, Serialize};

/// Older than this when it is sent, and a reading is late (後着): it belongs into the trend only.
pub const LATE_AFTER: Span = Span::seconds(15);

/// One item of a subject's stream. At rest the whole of it is sealed with the subject's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "item", rename_all = "snake_case")]
pub enum Item {
    /// What came of one frame.
    Measured {
        /// 後着.
        late: bool,
        /// Values, or the attempt that failed.
        outcome: Box<Outcome>,
    },
    /// 別の方です: everything measured since then is held back.
    HeldBack {
        /// The visit in which it was pressed.
        visit: VisitId,
        /// Measured not before.
        from: Timestamp,
    },
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

/// What was held back so far, in the order of arrival.
#[derive(Debug, Clone, Default)]
pub struct HeldBack {
    spans: Vec<(Timestamp, Timestamp)>,
}

impl HeldBack {
    /// Takes in an item: a reading becomes a row, a holding back is remembered.
    pub fn row(&mut self, seq: u32, stored: Timestamp, item: Item) -> Option<ReadingRow> {
        match item {
            Item::Measured { late, outcome } => {
                let at = outcome.measured_at();
                // Either clock is enough: a box whose clock is off must not let a reading out.
                let is_within = |(from, to): &(Timestamp, Timestamp)| {
                    [at, stored].iter().any(|time| from <= time && time <= to)
                };
                let quarantined = self.spans.iter().any(is_within);
                Some(ReadingRow { seq, stored, late, quarantined, outcome: *outcome })
            }
            Item::HeldBack { from, .. } => {
                self.spans.push((from, stored));
                None
            }
        }
    }

    /// Learns an item without making a row of it.
    pub fn learn(&mut self, stored: Timestamp, item: &Item) {
        match item {
            Item::HeldBack { from, .. } => self.spans.push((*from, stored)),
            Item::Measured { .. } => {}
        }
    }
}
