//! Any thermometer that keeps to the Health Thermometer Service.

use super::gradual::Gradual;
use super::{Attribute, Family, Step, Way};

/// Health Thermometer Service.
const SERVICE: Attribute = Attribute::assigned(0x1809);
pub(super) const MEASUREMENT: Attribute = Attribute::assigned(0x2A1C);
const INTERMEDIATE: Attribute = Attribute::assigned(0x2A1E);

pub(super) const FAMILY: Family = Family {
    matches: |offer| [SERVICE, MEASUREMENT, INTERMEDIATE].into_iter().any(|a| offer.has(a)),
    way: Way::Bluetooth(&[
        Step::Read(Attribute::BATTERY_LEVEL),
        Step::Read(Attribute::CURRENT_TIME),
        Step::Read(Attribute::DATE_TIME),
        Step::Subscribe(INTERMEDIATE),
        Step::Subscribe(MEASUREMENT),
    ]),
    make: || Box::new(Gradual::thermometer("generic-thermometer")),
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::heard::{Device, frame, number};
    use minato_protocol::Timestamp;
    use minato_protocol::reading::Quantity;

    const RISING: [u8; 5] = [0x00, 0x63, 0x01, 0x00, 0xff];
    const RESULT: [u8; 5] = [0x00, 0x6e, 0x01, 0x00, 0xff];

    #[test]
    fn a_result_belongs_to_the_run_in_which_the_value_rose() {
        let mut thermometer = Device::of(&FAMILY);
        thermometer.says(INTERMEDIATE, &RISING, 1_000);
        thermometer.says(INTERMEDIATE, &RISING, 21_000);
        assert!(thermometer.is_measuring(30_000));
        let heard = frame(thermometer.says(MEASUREMENT, &RESULT, 31_000));
        assert_eq!((heard.began_at, heard.live), (Timestamp(1_000), true));
        assert_eq!(number(&heard, Quantity::Temperature).as_deref(), Some("36.6"));
        assert!(!thermometer.is_measuring(31_001));
    }

    #[test]
    fn a_result_without_a_run_may_come_from_the_thermometers_memory() {
        let heard = frame(Device::of(&FAMILY).says(MEASUREMENT, &RESULT, 5_000));
        assert_eq!((heard.began_at, heard.live), (Timestamp(5_000), false));
    }
}
