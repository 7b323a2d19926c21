//! One item of a subject's stream: a reading, when it is late, and how a screen gets it.

use super::Subject;
use minato_protocol::reading::Outcome;
use minato_protocol::view::{Assigned, ReadingRow};
use minato_protocol::{Span, StaffId, Timestamp};
use serde::{Deserialize, Serialize};

/// Clocks that differ by no more than this, the time on the line included, count as the same.
const CLOCKS_AGREE: Span = Span::seconds(60);

/// One item of a subject's stream. At rest the whole of it is sealed with the subject's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// 後着.
    pub late: bool,
    /// It was nobody's at first.
    #[serde(default)]
    pub assigned: Option<AssignedBy>,
    /// How far the clock that measured it was ahead of the broker's; nothing while both agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead: Option<Span>,
    /// Values, or the attempt that failed.
    pub outcome: Outcome,
}

/// Who said whose a held reading is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignedBy {
    /// Who.
    pub by: StaffId,
    /// When.
    pub at: Timestamp,
    /// Why, where it was asked.
    pub reason: String,
}

/// Gives a member of staff's name.
pub type Names<'a> = &'a (dyn Fn(StaffId) -> String + Send + Sync);

impl Item {
    /// What was sent at a moment of the clock that measured it, and arrived now.
    pub fn sent(outcome: Outcome, sent_at: Timestamp, now: Timestamp) -> Self {
        let late = outcome.is_late(sent_at);
        Self { late, assigned: None, ahead: ahead(sent_at, now), outcome }
    }

    /// When it was measured, by the broker's clock.
    pub fn measured_here(&self) -> Timestamp {
        self.outcome.measured_at() - self.ahead.unwrap_or_default()
    }

    /// What was nobody's until somebody said so: always late, whenever it was measured.
    pub fn settled(outcome: Outcome, assigned: AssignedBy) -> Self {
        Self { late: true, assigned: Some(assigned), ahead: None, outcome }
    }

    /// As a screen gets it.
    pub fn row(
        self,
        seq: u32,
        stored: Timestamp,
        subject: &Subject,
        names: Names<'_>,
    ) -> ReadingRow {
        let quarantined = subject.hides(&self);
        let assigned = self.assigned.map(|AssignedBy { by, at, reason }| {
            let by = names(by);
            Assigned { by, at, reason }
        });
        ReadingRow {
            seq,
            stored,
            late: self.late,
            quarantined,
            checked: subject.checked(self.outcome.id(), names),
            photos: subject.photos(self.outcome.id()).to_vec(),
            assigned,
            outcome: self.outcome,
        }
    }
}

/// How far another clock is ahead, of which a moment arrived now. What a delivery needs on a poor line
/// is no difference between clocks.
pub fn ahead(sent_at: Timestamp, now: Timestamp) -> Option<Span> {
    let ahead = sent_at - now;
    (ahead.0.unsigned_abs() > CLOCKS_AGREE.0.unsigned_abs()).then_some(ahead)
}
