//! Any cuff that keeps to the Blood Pressure Service.

use super::plain::Plain;
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
    make: || Box::new(Plain::cuff("generic-cuff")),
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::heard::{Device, frame};

    const FILLING: [u8; 7] = [0x00, 0x50, 0x00, 0xff, 0x07, 0xff, 0x07];
    const RESULT: [u8; 7] = [0x00, 0x78, 0x00, 0x50, 0x00, 0x5a, 0x00];

    #[test]
    fn a_pressure_tells_of_this_moment_and_a_result_may_come_from_the_cuffs_memory() {
        let mut cuff = Device::of(&FAMILY);
        assert!(frame(cuff.says(PRESSURE, &FILLING, 1_000)).live);
        assert!(!frame(cuff.says(MEASUREMENT, &RESULT, 12_000)).live);
    }
}
