//! PURE: a driver knows one family of devices: what to ask of it and how to read what it says. It
//! does no IO: the transport carries out the plan and hands in the bytes.
//!
//! A new family is one file with an `impl Driver`, and one line in [`FAMILIES`].

mod cuff;
mod oximeter;

use crate::codec::{Frame, Refused};
use minato_protocol::Timestamp;
use minato_protocol::reading::{Characteristic, DeviceKind};
use std::fmt::Debug;

/// What a device offers before anything is asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The name that it advertises, or its model if it says so.
    pub name: String,
    /// The messages that it can send and that are read here.
    pub characteristics: Vec<Characteristic>,
}

/// Names of a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// Stands in each reading's provenance.
    pub name: &'static str,
    /// What a nurse calls such a device.
    pub kind: DeviceKind,
}

/// One frame, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// What it says.
    pub frame: Result<Frame, Refused>,
    /// When the measurement began that this frame belongs to: it must have been on the same
    /// subject since then.
    pub began_at: Timestamp,
}

/// Reads one device. It lives as long as the device hangs at the gateway.
pub trait Driver: Debug + Send {
    /// Who it is.
    fn meta(&self) -> Meta;
    /// The messages to subscribe to, in this order.
    fn plan(&self) -> &'static [Characteristic];
    /// Reads what the device sent at `at`.
    fn on_bytes(&mut self, sent: Characteristic, bytes: &[u8], at: Timestamp) -> Heard;
    /// Whether a measurement is under way.
    fn is_measuring(&self, now: Timestamp) -> bool;
}

/// A family of devices.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// Whether this driver reads such a device.
    pub matches: fn(&Offer) -> bool,
    /// A driver for one of them.
    pub make: fn() -> Box<dyn Driver>,
}

/// Every family, the particular ones before those that go by the published profile alone.
pub const FAMILIES: &[Family] = &[cuff::FAMILY, oximeter::CONTINUOUS, oximeter::SPOT];

/// The driver for a device, if there is one.
pub fn driver_for(offer: &Offer) -> Option<Box<dyn Driver>> {
    FAMILIES.iter().find(|family| (family.matches)(offer)).map(|family| (family.make)())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(characteristics: &[Characteristic]) -> Option<&'static str> {
        let offer = Offer { name: String::new(), characteristics: characteristics.to_vec() };
        driver_for(&offer).map(|driver| driver.meta().name)
    }

    #[test]
    fn a_device_is_read_by_the_profile_that_it_offers() {
        assert_eq!(name(&[Characteristic::BloodPressure]), Some("generic-cuff"));
        assert_eq!(name(&[Characteristic::OximeterSpot]), Some("generic-oximeter-spot"));
        let both = [Characteristic::OximeterSpot, Characteristic::OximeterContinuous];
        assert_eq!(name(&both), Some("generic-oximeter"));
        assert_eq!(name(&[]), None);
    }
}
