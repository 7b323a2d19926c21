//! How bytes come to the gateway. A transport finds devices, carries out their drivers' plans, and
//! hands over frames as they came; it decodes nothing.

#[cfg(feature = "bluetooth")]
pub(crate) mod bluez;
pub mod replay;
pub mod serial;
pub mod simulator;

use crate::driver::{Attribute, Offer};
use minato_protocol::Timestamp;
use minato_protocol::reading::{DeviceId, TransportKind, WaveBlock};
use minato_protocol::uplink::Trouble;

/// From a transport to the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A device was found, or is back.
    Appeared(Found),
    /// A device does not answer any more.
    Gone {
        /// Which one.
        device: DeviceId,
    },
    /// A device sent bytes, or answered a read.
    Bytes {
        /// Which one.
        device: DeviceId,
        /// From which of its attributes.
        from: Attribute,
        /// The bytes.
        bytes: Vec<u8>,
        /// When they came, by the gateway's clock.
        at: Timestamp,
    },
    /// The device's clock was set to the gateway's.
    ClockSet {
        /// Which one.
        device: DeviceId,
        /// When, by the gateway's clock.
        at: Timestamp,
    },
    /// Something stands in the way of a device, or no longer does.
    Obstructed {
        /// Which one.
        device: DeviceId,
        /// What.
        by: Option<Trouble>,
    },
    /// A piece of a wave.
    Wave(WaveBlock),
}

/// A device that a transport has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Which one.
    pub device: DeviceId,
    /// What it offers.
    pub offer: Offer,
    /// How it is reached.
    pub transport: TransportKind,
    /// Percent, if it says so.
    pub battery_percent: Option<u8>,
    /// How strongly it is heard, in dBm, if the radio says so.
    pub signal_dbm: Option<i8>,
    /// Whether a program can start it.
    pub startable: bool,
}
