//! A&D's cuff UA-651BLE and thermometer UT-201BLE: they keep to the profiles, do not advertise
//! them, send what they have not sent yet, and hang up. Their clock is Date Time, in the profile's
//! own service.

use super::plain::Plain;
use super::{Attribute, Family, Step, Way, cuff, thermometer};

/// `A&D_UA-651BLE_` and six digits.
const CUFF_NAME: &str = "A&D_UA-651BLE";
/// `A&D_UT201BLE_` and six digits.
const THERMOMETER_NAME: &str = "A&D_UT201BLE";

// The clock stands before the subscription, which ends in the device's hanging up.
pub(super) const CUFF: Family = Family {
    matches: |offer| offer.name.starts_with(CUFF_NAME),
    way: Way::Bluetooth(&[
        Step::SetClock(Attribute::DATE_TIME),
        Step::Read(Attribute::BATTERY_LEVEL),
        Step::Subscribe(cuff::MEASUREMENT),
    ]),
    make: || Box::new(Plain::cuff("and-ua-651ble")),
};

pub(super) const THERMOMETER: Family = Family {
    matches: |offer| offer.name.starts_with(THERMOMETER_NAME),
    way: Way::Bluetooth(&[
        Step::SetClock(Attribute::DATE_TIME),
        Step::Read(Attribute::BATTERY_LEVEL),
        Step::Subscribe(thermometer::MEASUREMENT),
    ]),
    make: || Box::new(Plain::thermometer("and-ut-201ble")),
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::Said;
    use crate::driver::heard::{Device, frame, named, number};
    use jiff::civil::datetime;
    use minato_protocol::reading::{BodySite, HexBytes, Quantity};

    #[test]
    fn both_are_known_by_name_alone() {
        assert_eq!(named("A&D_UA-651BLE_A1B2C3", &[]), Some("and-ua-651ble"));
        assert_eq!(named("A&D_UA-651BLE_A1B2C3", &[0x1810]), Some("and-ua-651ble"));
        assert_eq!(named("A&D_UT201BLE_A1B2C3", &[0x1809]), Some("and-ut-201ble"));
        assert_eq!(named("A&D_UC-352BLE_A1B2C3", &[0x181D]), Some("generic-scale"));
    }

    #[test]
    fn the_clock_is_set_before_the_records_are_let_come() {
        for family in [CUFF, THERMOMETER] {
            let Way::Bluetooth(steps) = family.way else { panic!("by Bluetooth") };
            assert_eq!(steps.first(), Some(&Step::SetClock(Attribute::DATE_TIME)));
            assert!(matches!(steps.last(), Some(Step::Subscribe(_))));
        }
    }

    #[test]
    fn what_the_cuff_kept_comes_one_after_the_other_and_none_is_live() {
        let mut device = Device::of(&CUFF);
        let shown = device.says(Attribute::DATE_TIME, &[0xe8, 7, 6, 23, 14, 40, 0], 1_000);
        assert_eq!(shown, [Said::Clock(datetime(2024, 6, 23, 14, 40, 0, 0))]);
        // A frame of a real cuff, which failed, and one that did not.
        let failed = "16ff07ff07ff07e80706170e230aff070000";
        let good = "167b004f005d00e80706170e260048000100";
        for (hex, systolic) in [(failed, None), (good, Some("123"))] {
            let HexBytes(bytes) = hex.parse().expect("hex");
            let heard = frame(device.says(cuff::MEASUREMENT, &bytes, 2_000));
            assert!(!heard.live);
            assert_eq!(number(&heard, Quantity::Systolic).as_deref(), systolic);
        }
    }

    #[test]
    fn the_thermometer_says_where_it_was() {
        let bytes = [0x06, 0x6e, 1, 0, 0xff, 0xea, 7, 11, 22, 8, 0, 0, 1];
        let heard = frame(Device::of(&THERMOMETER).says(thermometer::MEASUREMENT, &bytes, 0));
        assert_eq!(number(&heard, Quantity::Temperature).as_deref(), Some("36.6"));
        assert_eq!(heard.frame.expect("a frame").site, Some(BodySite::Armpit));
    }
}
