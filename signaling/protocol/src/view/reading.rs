//! A reading as a screen gets it, with what people said of it.

use crate::Timestamp;
use crate::photo::PhotoId;
use crate::reading::{Outcome, Quality, ReadingId};
use serde::{Deserialize, Serialize};

/// One reading as a screen gets it, once, in the order of `seq`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct ReadingRow {
    /// The cursor within the subject.
    pub seq: u32,
    /// When it became durable here.
    pub stored: Timestamp,
    /// 後着: into the trend, never into the "now" tile.
    pub late: bool,
    /// Held back: shown to nobody until somebody settled whose it is.
    pub quarantined: bool,
    /// What people said about it since.
    #[serde(default)]
    pub checked: Option<Checked>,
    /// Pictures of the display that it was read from.
    #[serde(default)]
    pub photos: Vec<PhotoId>,
    /// It was nobody's at first, and somebody said that it is this patient's.
    #[serde(default)]
    pub assigned: Option<Assigned>,
    /// What was measured, or the attempt that failed.
    pub outcome: Outcome,
}

impl ReadingRow {
    /// What staff write to each other of a reading may speak of another patient: the patient's own
    /// page is not told.
    pub fn leave_reasons_to_staff(&mut self) {
        if let Some(Checked::Withdrawn { reason, .. }) = &mut self.checked {
            reason.clear();
        }
        if let Some(assigned) = &mut self.assigned {
            assigned.reason.clear();
        }
    }

    /// Whether it is outside what a living person shows and nobody has looked at it again: it
    /// stands in no "now" tile until then.
    pub fn waits_for_confirmation(&self) -> bool {
        let Outcome::Reading(reading) = &self.outcome else { return false };
        self.checked.is_none() && reading.quality.contains(&Quality::Implausible)
    }
}

/// What somebody said of a reading. The reading itself never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Checked {
    /// The marked value is real.
    Confirmed {
        /// Name of who says so.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// It does not count.
    Withdrawn {
        /// Name of who says so.
        by: String,
        /// When.
        at: Timestamp,
        /// Why.
        reason: String,
        /// The reading that stands in its place.
        replaced_by: Option<ReadingId>,
    },
}

/// Who said that a held reading is this patient's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Assigned {
    /// Name.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why, where it was asked.
    pub reason: String,
}
