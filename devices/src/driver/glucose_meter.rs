//! Any glucose meter that keeps to the Glucose Service: it hands out records when it is asked.

use super::{Attribute, Driver, Family, Meta, Said, Step, Way, by_attribute, common, message};
use crate::codec::REPORT_ALL_RECORDS;
use minato_protocol::Timestamp;
use minato_protocol::reading::{DeviceKind, Quality};

/// Glucose Service.
const SERVICE: Attribute = Attribute::assigned(0x1808);
const MEASUREMENT: Attribute = Attribute::assigned(0x2A18);

pub(super) const FAMILY: Family = Family {
    matches: |offer| offer.has(SERVICE) || offer.has(MEASUREMENT),
    way: Way::Bluetooth(&[
        Step::Read(Attribute::BATTERY_LEVEL),
        Step::Read(Attribute::CURRENT_TIME),
        Step::Read(Attribute::DATE_TIME),
        Step::Subscribe(MEASUREMENT),
        Step::Subscribe(Attribute::RECORD_ACCESS),
        // All of them each time: which ones are new is told by their names, not by a number that
        // begins anew with the meter's battery.
        Step::Write(Attribute::RECORD_ACCESS, REPORT_ALL_RECORDS),
    ]),
    make: || Box::new(GlucoseMeter),
};

/// Every value of this service is a record that was asked for. Only the meter's clock says that one
/// is new, and that clock may be years off: so each is marked as stored, the newest too.
#[derive(Debug)]
struct GlucoseMeter;

impl Driver for GlucoseMeter {
    fn meta(&self) -> Meta {
        Meta { name: "generic-glucose-meter", kind: DeviceKind::GlucoseMeter }
    }

    fn on_bytes(&mut self, from: Attribute, bytes: &[u8], _at: Timestamp, said: &mut Vec<Said>) {
        match by_attribute(from) {
            Some(characteristic) => {
                let mut record = message(characteristic, bytes, false);
                if let Said::Frame(message) = &mut record
                    && let Ok(frame) = &mut message.frame
                {
                    frame.remark(Quality::FromStorage);
                }
                said.push(record);
            }
            // What the meter answers about its records (none, or not now) changes nothing here:
            // they are asked for again with the next connection.
            None => common(from, bytes, said),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::heard::{Device, frame, number};
    use minato_protocol::reading::Quantity;

    const RECORD: [u8; 13] = [0x02, 1, 0, 0xea, 7, 11, 22, 8, 0, 0, 0x64, 0xb0, 0x11];

    #[test]
    fn a_meter_is_asked_for_all_its_records_after_it_can_be_heard() {
        let Way::Bluetooth(steps) = FAMILY.way else { panic!("by Bluetooth") };
        let place = |step| steps.iter().position(|known| *known == step).expect("a step");
        let asked = place(Step::Write(Attribute::RECORD_ACCESS, &[1, 1]));
        assert!(place(Step::Subscribe(MEASUREMENT)) < asked);
        assert!(place(Step::Subscribe(Attribute::RECORD_ACCESS)) < asked);
    }

    #[test]
    fn every_record_is_marked_as_stored() {
        let heard = frame(Device::of(&FAMILY).says(MEASUREMENT, &RECORD, 9_000));
        assert!(!heard.live);
        assert_eq!(number(&heard, Quantity::Glucose).as_deref(), Some("100"));
        assert_eq!(heard.frame.expect("a record").quality, [Quality::FromStorage]);
    }

    #[test]
    fn a_control_solution_is_marked_as_both() {
        let mut record = RECORD;
        record[12] = 0x4a;
        let heard = frame(Device::of(&FAMILY).says(MEASUREMENT, &record, 9_000));
        let quality = heard.frame.expect("a record").quality;
        assert_eq!(quality, [Quality::FromStorage, Quality::ControlSolution]);
    }

    #[test]
    fn an_answer_about_records_is_no_value() {
        assert_eq!(Device::of(&FAMILY).says(Attribute::RECORD_ACCESS, &[6, 0, 1, 1], 0), []);
    }
}
