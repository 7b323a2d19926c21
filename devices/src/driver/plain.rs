//! Devices of which each message stands alone.

use super::{Attribute, Driver, Meta, Said, by_attribute, common, message};
use minato_protocol::Timestamp;

/// One device of this sort. What comes all the time while it is worn is seen while it happens; of a
/// single result nobody knows how long the device has had it.
#[derive(Debug)]
pub(super) struct Plain(pub(super) Meta);

impl Driver for Plain {
    fn meta(&self) -> Meta {
        self.0
    }

    fn on_bytes(&mut self, from: Attribute, bytes: &[u8], at: Timestamp, said: &mut Vec<Said>) {
        match by_attribute(from) {
            Some(characteristic) => {
                said.push(message(characteristic, bytes, at, characteristic.is_running()));
            }
            None => common(from, bytes, said),
        }
    }
}
