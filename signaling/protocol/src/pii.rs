//! Personal data is marked where it is stored, never shown by `Debug`, and sealed before it
//! reaches the disk.

use crate::SubjectId;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A value about one person.
///
/// In memory and inside the pure rules it is plain. The log's codec finds the marker
/// `{"pii":{"of":…,"value":…}}` in an event's JSON and replaces it by
/// `{"sealed":{"of":…,"bytes":…}}`, encrypted with the subject's own key, which is kept outside
/// the log: erasing the key erases the person and leaves the hash chain valid. A value whose key
/// is gone reads as `{"erased":…}`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pii<T> {
    /// Readable.
    #[serde(rename = "pii")]
    Known {
        /// Whose key seals it.
        of: SubjectId,
        /// What it says.
        value: T,
    },
    /// The subject's key was destroyed.
    #[serde(rename = "erased")]
    Erased(SubjectId),
}

impl<T> Pii<T> {
    /// Marks a value as personal data of a subject.
    pub fn new(of: SubjectId, value: T) -> Self {
        Self::Known { of, value }
    }

    /// The value, unless it was erased. The name is long on purpose: each use is a disclosure.
    pub fn reveal(&self) -> Option<&T> {
        match self {
            Self::Known { value, .. } => Some(value),
            Self::Erased(_) => None,
        }
    }
}

impl<T> fmt::Debug for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pii(…)")
    }
}
