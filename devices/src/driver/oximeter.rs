//! Any oximeter that keeps to the Pulse Oximeter Service, with running values or single ones.

use super::{Attribute, Driver, Family, Meta, Said, Step, Way, by_attribute, common, message};
use minato_protocol::Timestamp;
use minato_protocol::reading::DeviceKind;

const SPOT_MEASUREMENT: Attribute = Attribute::assigned(0x2A5E);
const CONTINUOUS_MEASUREMENT: Attribute = Attribute::assigned(0x2A5F);

pub(super) const CONTINUOUS: Family = Family {
    matches: |offer| offer.has(CONTINUOUS_MEASUREMENT),
    way: Way::Bluetooth(&[
        Step::Read(Attribute::BATTERY_LEVEL),
        Step::Subscribe(CONTINUOUS_MEASUREMENT),
    ]),
    make: || Box::new(GenericOximeter { name: "generic-oximeter" }),
};

pub(super) const SPOT: Family = Family {
    matches: |offer| offer.has(SPOT_MEASUREMENT),
    way: Way::Bluetooth(&[Step::Read(Attribute::BATTERY_LEVEL), Step::Subscribe(SPOT_MEASUREMENT)]),
    make: || Box::new(GenericOximeter { name: "generic-oximeter-spot" }),
};

/// Each frame stands alone. A device that offers both messages is asked for the running values
/// only: its single ones are the same measurement said twice.
#[derive(Debug)]
struct GenericOximeter {
    name: &'static str,
}

impl Driver for GenericOximeter {
    fn meta(&self) -> Meta {
        Meta { name: self.name, kind: DeviceKind::Oximeter }
    }

    fn on_bytes(&mut self, from: Attribute, bytes: &[u8], at: Timestamp, said: &mut Vec<Said>) {
        match by_attribute(from) {
            Some(characteristic) => {
                let live = characteristic.is_running();
                said.push(message(characteristic, bytes, at, live));
            }
            None => common(from, bytes, said),
        }
    }
}
