//! Any cuff that keeps to the Blood Pressure Service.

use super::{Attribute, Driver, Family, Meta, Said, Step, Way, by_attribute, common, message};
use minato_protocol::reading::{Characteristic, DeviceKind};
use minato_protocol::{Span, Timestamp};

/// A cuff that has said nothing about its pressure for so long has ended its run.
const RUN_SILENCE_MAX: Span = Span::seconds(30);

pub(super) const FAMILY: Family = Family {
    matches: |offer| offer.has(SERVICE) || offer.has(MEASUREMENT),
    way: Way::Bluetooth(&[
        Step::Read(Attribute::BATTERY_LEVEL),
        Step::Subscribe(PRESSURE),
        Step::Subscribe(MEASUREMENT),
    ]),
    make: || Box::new(GenericCuff::default()),
};

/// Blood Pressure Service.
pub(super) const SERVICE: Attribute = Attribute::assigned(0x1810);
const MEASUREMENT: Attribute = Attribute::assigned(0x2A35);
const PRESSURE: Attribute = Attribute::assigned(0x2A36);

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

    fn on_bytes(&mut self, from: Attribute, bytes: &[u8], at: Timestamp, said: &mut Vec<Said>) {
        let Some(characteristic) = by_attribute(from) else {
            return common(from, bytes, said);
        };
        let run = self.run_at(at);
        let began_at = run.map_or(at, |run| run.began_at);
        let running = characteristic == Characteristic::IntermediateCuffPressure;
        self.run = running.then_some(Run { began_at, heard_at: at });
        said.push(message(characteristic, bytes, began_at, running || run.is_some()));
    }

    fn is_measuring(&self, now: Timestamp) -> bool {
        self.run_at(now).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::Message;

    const FILLING: [u8; 7] = [0x00, 0x50, 0x00, 0xff, 0x07, 0xff, 0x07];
    const RESULT: [u8; 7] = [0x00, 0x78, 0x00, 0x50, 0x00, 0x5a, 0x00];

    fn hear(cuff: &mut GenericCuff, from: Attribute, bytes: &[u8], at: i64) -> Message {
        let mut said = Vec::new();
        cuff.on_bytes(from, bytes, Timestamp(at), &mut said);
        let [Said::Frame(message)] = said.as_slice() else { panic!("{said:?}") };
        message.clone()
    }

    #[test]
    fn a_result_belongs_to_the_run_that_the_pressures_began() {
        let mut cuff = GenericCuff::default();
        hear(&mut cuff, PRESSURE, &FILLING, 1_000);
        hear(&mut cuff, PRESSURE, &FILLING, 9_000);
        assert!(cuff.is_measuring(Timestamp(9_500)));
        let heard = hear(&mut cuff, MEASUREMENT, &RESULT, 12_000);
        assert_eq!((heard.began_at, heard.live), (Timestamp(1_000), true));
        assert!(!cuff.is_measuring(Timestamp(12_001)));
    }

    #[test]
    fn a_result_long_after_the_last_pressure_stands_alone() {
        let mut cuff = GenericCuff::default();
        hear(&mut cuff, PRESSURE, &FILLING, 1_000);
        let heard = hear(&mut cuff, MEASUREMENT, &RESULT, 60_000);
        assert_eq!((heard.began_at, heard.live), (Timestamp(60_000), false));
    }
}
