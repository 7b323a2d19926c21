//! One item of a subject's stream: a reading, when it is late, and how a screen gets it.

use super::Subject;
use minato_protocol::reading::Outcome;
use minato_protocol::view::{Assigned, ReadingRow};
use minato_protocol::{StaffId, Timestamp};
use serde::{Deserialize, Serialize};

/// One item of a subject's stream. At rest the whole of it is sealed with the subject's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// 後着.
    pub late: bool,
    /// It was nobody's at first.
    #[serde(default)]
    pub assigned: Option<AssignedBy>,
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
    /// What was sent at a moment of the clock that measured it.
    pub fn sent(outcome: Outcome, sent_at: Timestamp) -> Self {
        Self { late: outcome.is_late(sent_at), assigned: None, outcome }
    }

    /// What was nobody's until somebody said so: always late, whenever it was measured.
    pub fn settled(outcome: Outcome, assigned: AssignedBy) -> Self {
        Self { late: true, assigned: Some(assigned), outcome }
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
            assigned,
            outcome: self.outcome,
        }
    }
}
