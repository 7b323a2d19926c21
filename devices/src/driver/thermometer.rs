//! Any thermometer that keeps to the Health Thermometer Service.

use super::plain::Plain;
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
    make: || Box::new(Plain::thermometer("generic-thermometer")),
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::heard::{Device, frame, number};
    use minato_protocol::reading::Quantity;

    const RISING: [u8; 5] = [0x00, 0x63, 0x01, 0x00, 0xff];
    const RESULT: [u8; 5] = [0x00, 0x6e, 0x01, 0x00, 0xff];

    #[test]
    fn a_rising_value_tells_of_this_moment_and_a_result_may_come_from_the_memory() {
        let mut thermometer = Device::of(&FAMILY);
        assert!(frame(thermometer.says(INTERMEDIATE, &RISING, 1_000)).live);
        let heard = frame(thermometer.says(MEASUREMENT, &RESULT, 31_000));
        assert!(!heard.live);
        assert_eq!(number(&heard, Quantity::Temperature).as_deref(), Some("36.6"));
    }
}
