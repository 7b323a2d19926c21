//! Any cuff that keeps to the Blood Pressure Service.

use super::{Driver, Family, Heard, Meta};
use crate::codec::decode;
use minato_protocol::reading::{Characteristic, DeviceKind};
use minato_protocol::{Span, Timestamp};

/// A cuff that has said nothing about its pressure for so long has ended its run.
const RUN_SILENCE_MAX: Span = Span::seconds(30);

pub(super) const FAMILY: Family = Family {
    matches: |offer| offer.characteristics.contains(&Characteristic::BloodPressure),
    make: || Box::new(GenericCuff::default()),
};

/// Knows since when the cuff has been inflating, so that a result is not given to a patient who
/// got the cuff halfway.
#[derive(Debug, Default)]
struct GenericCuff {
    run: Option<Run>,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    began_at: Timestamp,
    heard_at: Timestamp,
}

impl GenericCuff {
    fn run_at(&self, now: Timestamp) -> Option<Run> {
        self.run.filter(|run| now - run.heard_at <= RUN_SILENCE_MAX)
    }
}

impl Driver for GenericCuff {
    fn meta(&self) -> Meta {
        Meta { name: "generic-cuff", kind: DeviceKind::Cuff }
    }

    fn plan(&self) -> &'static [Characteristic] {
        &[Characteristic::IntermediateCuffPressure, Characteristic::BloodPressure]
    }

    fn on_bytes(&mut self, sent: Characteristic, bytes: &[u8], at: Timestamp) -> Heard {
        let began_at = self.run_at(at).map_or(at, |run| run.began_at);
        let running = sent == Characteristic::IntermediateCuffPressure;
        self.run = running.then_some(Run { began_at, heard_at: at });
        Heard { frame: decode(sent, bytes), began_at }
    }

    fn is_measuring(&self, now: Timestamp) -> bool {
        self.run_at(now).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRESSURE: [u8; 7] = [0x00, 0x50, 0x00, 0xff, 0x07, 0xff, 0x07];
    const RESULT: [u8; 7] = [0x00, 0x78, 0x00, 0x50, 0x00, 0x5a, 0x00];

    #[test]
    fn a_result_belongs_to_the_run_that_the_pressures_began() {
        let mut cuff = GenericCuff::default();
        cuff.on_bytes(Characteristic::IntermediateCuffPressure, &PRESSURE, Timestamp(1_000));
        cuff.on_bytes(Characteristic::IntermediateCuffPressure, &PRESSURE, Timestamp(9_000));
        assert!(cuff.is_measuring(Timestamp(9_500)));
        let heard = cuff.on_bytes(Characteristic::BloodPressure, &RESULT, Timestamp(12_000));
        assert_eq!(heard.began_at, Timestamp(1_000));
        assert!(!cuff.is_measuring(Timestamp(12_001)));
    }

    #[test]
    fn a_result_long_after_the_last_pressure_stands_alone() {
        let mut cuff = GenericCuff::default();
        cuff.on_bytes(Characteristic::IntermediateCuffPressure, &PRESSURE, Timestamp(1_000));
        let heard = cuff.on_bytes(Characteristic::BloodPressure, &RESULT, Timestamp(60_000));
        assert_eq!(heard.began_at, Timestamp(60_000));
    }
}
