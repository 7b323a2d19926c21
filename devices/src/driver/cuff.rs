//! Any cuff that keeps to the Blood Pressure Service.

use super::gradual::Gradual;
use super::{Attribute, Family, Step, Way};

/// Blood Pressure Service.
pub(super) const SERVICE: Attribute = Attribute::assigned(0x1810);
pub(super) const MEASUREMENT: Attribute = Attribute::assigned(0x2A35);
const PRESSURE: Attribute = Attribute::assigned(0x2A36);

pub(super) const FAMILY: Family = Family {
    matches: |offer| offer.has(SERVICE) || offer.has(MEASUREMENT),
    way: Way::Bluetooth(&[
        Step::Read(Attribute::BATTERY_LEVEL),
        Step::Read(Attribute::CURRENT_TIME),
        Step::Read(Attribute::DATE_TIME),
        Step::Subscribe(PRESSURE),
        Step::Subscribe(MEASUREMENT),
    ]),
    make: || Box::new(Gradual::cuff("generic-cuff")),
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::heard::{Device, frame};
    use minato_protocol::Timestamp;

    const FILLING: [u8; 7] = [0x00, 0x50, 0x00, 0xff, 0x07, 0xff, 0x07];
    const RESULT: [u8; 7] = [0x00, 0x78, 0x00, 0x50, 0x00, 0x5a, 0x00];

    #[test]
    fn a_result_belongs_to_the_run_that_the_pressures_began() {
        let mut cuff = Device::of(&FAMILY);
        cuff.says(PRESSURE, &FILLING, 1_000);
        cuff.says(PRESSURE, &FILLING, 9_000);
        assert!(cuff.is_measuring(9_500));
        let heard = frame(cuff.says(MEASUREMENT, &RESULT, 12_000));
        assert_eq!((heard.began_at, heard.live), (Timestamp(1_000), true));
        assert!(!cuff.is_measuring(12_001));
    }

    #[test]
    fn a_result_long_after_the_last_pressure_stands_alone() {
        let mut cuff = Device::of(&FAMILY);
        cuff.says(PRESSURE, &FILLING, 1_000);
        let heard = frame(cuff.says(MEASUREMENT, &RESULT, 60_000));
        assert_eq!((heard.began_at, heard.live), (Timestamp(60_000), false));
    }
}
