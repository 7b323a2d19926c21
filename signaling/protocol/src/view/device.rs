//! Devices and what they measured for nobody, as the site's nurse sees them.

use crate::reading::{Device, DeviceId, ReadingId};
use crate::uplink::{DeviceStatus, UnboundWhy};
use crate::{TicketId, Timestamp};
use serde::{Deserialize, Serialize};

/// A device of the site as the nurse sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct DeviceRow {
    /// What the gateway says of it.
    pub status: DeviceStatus,
    /// The ticket that it is on.
    pub ticket: Option<TicketId>,
    /// The gateway answers.
    pub gateway_present: bool,
}

/// A device on a patient, now or before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct AttachmentRow {
    /// Which device.
    pub device: DeviceId,
    /// Name of who said so; empty when nobody pressed.
    pub by: String,
    /// Since when, by the gateway's clock.
    pub since: Timestamp,
    /// Until when, and why; absent while it is on.
    pub until: Option<(Timestamp, UnboundWhy)>,
}

/// A reading that is nobody's yet. The value is shown to nobody before it is settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct HeldRow {
    /// Which.
    pub reading: ReadingId,
    /// Who measured.
    pub device: Device,
    /// When, by the device's corrected clock or the gateway's.
    pub measured_at: Timestamp,
    /// When the gateway received it.
    pub gateway_time: Timestamp,
    /// Why it is held.
    pub because: HeldBecause,
}

/// Why a reading is nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum HeldBecause {
    /// The device was on nobody, or came on only after the measurement had begun.
    Unbound,
    /// The box said that it is of somebody who is not at its site.
    OtherSite,
}
