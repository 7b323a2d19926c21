//! How bytes come to the gateway. A transport finds devices, carries out their drivers' plans, and
//! hands over frames as they came; it decodes nothing.

pub mod simulator;

use crate::driver::Offer;
use minato_protocol::Timestamp;
use minato_protocol::reading::{Characteristic, DeviceId, TransportKind, WaveBlock};

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
    /// A device sent a message.
    Frame {
        /// Which one.
        device: DeviceId,
        /// Which message.
        characteristic: Characteristic,
        /// Its bytes.
        bytes: Vec<u8>,
        /// When it came, by the gateway's clock.
        at: Timestamp,
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
    /// Whether a program can start it.
    pub startable: bool,
}
