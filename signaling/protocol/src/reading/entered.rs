//! What a person typed in place of a device.

use super::{Decimal, Quantity, Unit};
use crate::StaffId;
use serde::{Deserialize, Serialize};

/// Who typed a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum EnteredBy {
    /// Staff: a nurse who read a display or counted.
    Staff {
        /// Who.
        staff: StaffId,
    },
    /// The patient.
    Patient,
}

/// One quantity as somebody typed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct TypedValue {
    /// What.
    pub what: Quantity,
    /// How much.
    pub value: Decimal,
    /// In which unit; converted like a device's.
    pub unit: Unit,
}
