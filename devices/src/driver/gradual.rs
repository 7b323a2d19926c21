//! Devices that say what they have so far before they say a result: cuffs and thermometers.

use super::run::{Belongs, Run};
use super::{Attribute, Driver, Meta, Said, by_attribute, common, message};
use minato_protocol::Timestamp;
use minato_protocol::reading::DeviceKind;

/// One device of this sort.
#[derive(Debug)]
pub(super) struct Gradual {
    meta: Meta,
    run: Run,
}

impl Gradual {
    pub(super) fn cuff(name: &'static str) -> Self {
        Self { meta: Meta { name, kind: DeviceKind::Cuff }, run: Run::default() }
    }

    pub(super) fn thermometer(name: &'static str) -> Self {
        Self { meta: Meta { name, kind: DeviceKind::Thermometer }, run: Run::default() }
    }
}

impl Driver for Gradual {
    fn meta(&self) -> Meta {
        self.meta
    }

    fn on_bytes(&mut self, from: Attribute, bytes: &[u8], at: Timestamp, said: &mut Vec<Said>) {
        let Some(characteristic) = by_attribute(from) else {
            return common(from, bytes, said);
        };
        let Belongs { began_at, live } = self.run.hear(characteristic.is_intermediate(), at);
        said.push(message(characteristic, bytes, began_at, live));
    }

    fn is_measuring(&self, now: Timestamp) -> bool {
        self.run.is_under_way(now)
    }
}
