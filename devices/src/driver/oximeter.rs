//! Any oximeter that keeps to the Pulse Oximeter Service, with running values or single ones.

use super::plain::Plain;
use super::{Attribute, Driver, Family, Meta, Step, Way};
use minato_protocol::reading::DeviceKind;

/// Pulse Oximeter Service.
pub(super) const SERVICE: Attribute = Attribute::assigned(0x1822);
pub(super) const SPOT_MEASUREMENT: Attribute = Attribute::assigned(0x2A5E);
const CONTINUOUS_MEASUREMENT: Attribute = Attribute::assigned(0x2A5F);

/// A device that offers both messages is asked for the running values only: its single ones are the
/// same measurement said twice.
pub(super) const CONTINUOUS: Family = Family {
    matches: |offer| offer.has(CONTINUOUS_MEASUREMENT),
    way: Way::Bluetooth(&[
        Step::Read(Attribute::BATTERY_LEVEL),
        Step::Subscribe(CONTINUOUS_MEASUREMENT),
    ]),
    make: || driver("generic-oximeter"),
};

pub(super) const SPOT: Family = Family {
    matches: |offer| offer.has(SPOT_MEASUREMENT),
    way: Way::Bluetooth(&[
        Step::Read(Attribute::BATTERY_LEVEL),
        Step::Read(Attribute::CURRENT_TIME),
        Step::Subscribe(SPOT_MEASUREMENT),
    ]),
    make: || driver("generic-oximeter-spot"),
};

/// Of a device that is known by its service alone nobody knows yet which of the two it has.
pub(super) const EITHER: Family = Family {
    matches: |offer| offer.has(SERVICE),
    way: Way::Bluetooth(&[
        Step::Read(Attribute::BATTERY_LEVEL),
        Step::Read(Attribute::CURRENT_TIME),
        Step::Subscribe(CONTINUOUS_MEASUREMENT),
        Step::Subscribe(SPOT_MEASUREMENT),
    ]),
    make: || driver("generic-oximeter"),
};

fn driver(name: &'static str) -> Box<dyn Driver> {
    Box::new(Plain(Meta { name, kind: DeviceKind::Oximeter }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::heard::{Device, frame};

    #[test]
    fn running_values_are_seen_while_they_happen_and_single_ones_may_be_old() {
        let mut oximeter = Device::of(&EITHER);
        let bytes = [0x00, 0x61, 0x00, 0x4b, 0x00];
        assert!(frame(oximeter.says(CONTINUOUS_MEASUREMENT, &bytes, 0)).live);
        assert!(!frame(oximeter.says(SPOT_MEASUREMENT, &bytes, 0)).live);
    }
}
