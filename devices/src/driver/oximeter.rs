//! Any oximeter that keeps to the Pulse Oximeter Service, with running values or single ones.

use super::{Driver, Family, Heard, Meta};
use crate::codec::decode;
use minato_protocol::Timestamp;
use minato_protocol::reading::{Characteristic, DeviceKind};

pub(super) const CONTINUOUS: Family = Family {
    matches: |offer| offer.characteristics.contains(&Characteristic::OximeterContinuous),
    make: || {
        Box::new(GenericOximeter {
            name: "generic-oximeter",
            plan: &[Characteristic::OximeterContinuous],
        })
    },
};

pub(super) const SPOT: Family = Family {
    matches: |offer| offer.characteristics.contains(&Characteristic::OximeterSpot),
    make: || {
        Box::new(GenericOximeter {
            name: "generic-oximeter-spot",
            plan: &[Characteristic::OximeterSpot],
        })
    },
};

/// Each frame stands alone. A device that offers both messages is asked for the running values
/// only: its single ones are the same measurement said twice.
#[derive(Debug)]
struct GenericOximeter {
    name: &'static str,
    plan: &'static [Characteristic],
}

impl Driver for GenericOximeter {
    fn meta(&self) -> Meta {
        Meta { name: self.name, kind: DeviceKind::Oximeter }
    }

    fn plan(&self) -> &'static [Characteristic] {
        self.plan
    }

    fn on_bytes(&mut self, sent: Characteristic, bytes: &[u8], at: Timestamp) -> Heard {
        Heard { frame: decode(sent, bytes), began_at: at }
    }

    fn is_measuring(&self, _now: Timestamp) -> bool {
        false
    }
}
