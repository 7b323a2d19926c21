//! Devices that are read by their messages alone.

use super::{Attribute, Driver, Meta, Said, by_attribute, common, message};
use minato_protocol::Timestamp;
use minato_protocol::reading::DeviceKind;

/// One device of this sort. What comes all the time while it is worn, or while it measures, is seen
/// while it happens; of a single result nobody knows how long the device has had it.
#[derive(Debug)]
pub(super) struct Plain(pub(super) Meta);

impl Plain {
    pub(super) const fn cuff(name: &'static str) -> Self {
        Self(Meta { name, kind: DeviceKind::Cuff })
    }

    pub(super) const fn thermometer(name: &'static str) -> Self {
        Self(Meta { name, kind: DeviceKind::Thermometer })
    }
}

impl Driver for Plain {
    fn meta(&self) -> Meta {
        self.0
    }

    fn on_bytes(&mut self, from: Attribute, bytes: &[u8], _at: Timestamp, said: &mut Vec<Said>) {
        match by_attribute(from) {
            Some(characteristic) => {
                let live = characteristic.is_running() || characteristic.is_intermediate();
                said.push(message(characteristic, bytes, live));
            }
            None => common(from, bytes, said),
        }
    }
}
