//! Omron's cuffs that keep to the Blood Pressure Service. Their clock is Current Time, and they
//! have no intermediate pressures. Others of Omron's speak a protocol of their own under the same
//! names: of these nothing is heard, because they refuse the subscription.

use super::plain::Plain;
use super::scale::is_scale;
use super::{Attribute, Family, Offer, Step, Way, cuff};

/// `BLEsmart_` or `BLESmart_`, then in eight hex digits the class and the model, then the address.
const ADVERTISED: [&str; 2] = ["BLEsmart_", "BLESmart_"];
/// A cuff's class; 0001 is a scale's.
const CLASS_CUFF: &str = "0000";
/// Omron's model numbers of cuffs.
const MODEL: &str = "HEM-";

pub(super) const FAMILY: Family = Family {
    matches: is_cuff,
    way: Way::Bluetooth(&[
        Step::SetClock(Attribute::CURRENT_TIME),
        Step::Read(Attribute::BATTERY_LEVEL),
        Step::Subscribe(cuff::MEASUREMENT),
    ]),
    make: || Box::new(Plain::cuff("omron-cuff")),
};

fn is_cuff(offer: &Offer) -> bool {
    let class = ADVERTISED.into_iter().find_map(|prefix| offer.name.strip_prefix(prefix));
    let named = class.is_some_and(|class| class.starts_with(CLASS_CUFF));
    (named || offer.name.starts_with(MODEL)) && !is_scale(|attribute| offer.has(attribute))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::Said;
    use crate::driver::heard::{Device, frame, named, number};
    use jiff::civil::datetime;
    use minato_protocol::reading::Quantity;

    #[test]
    fn a_cuff_is_known_by_either_of_its_names() {
        assert_eq!(named("BLEsmart_0000011F1122334455AA", &[]), Some("omron-cuff"));
        assert_eq!(named("BLESmart_00000480EF66214013B0", &[0x1810]), Some("omron-cuff"));
        assert_eq!(named("HEM-9200T", &[]), Some("omron-cuff"));
    }

    #[test]
    fn a_scale_of_the_same_maker_is_no_cuff() {
        assert_eq!(named("BLEsmart_0001040E1122334455AA", &[]), None);
        assert_eq!(named("BLEsmart_0001040E1122334455AA", &[0x181D]), Some("generic-scale"));
        assert_eq!(named("BLEsmart_0000040E1122334455AA", &[0x181B]), Some("generic-scale"));
    }

    #[test]
    fn its_clock_is_read_in_the_layout_in_which_it_is_set() {
        let shown = [0xea, 7, 11, 22, 8, 0, 30, 7, 128, 0];
        let said = Device::of(&FAMILY).says(Attribute::CURRENT_TIME, &shown, 0);
        assert_eq!(said, [Said::Clock(datetime(2026, 11, 22, 8, 0, 30, 0))]);
        assert_eq!(Device::of(&FAMILY).says(Attribute::CURRENT_TIME, &shown[..7], 0), []);
    }

    #[test]
    fn a_result_with_user_and_status_is_read() {
        let bytes =
            [0x1e, 0x7b, 0, 0x4f, 0, 0x5d, 0, 0xea, 7, 11, 22, 8, 0, 0, 0x48, 0, 1, 0x04, 0];
        let heard = frame(Device::of(&FAMILY).says(cuff::MEASUREMENT, &bytes, 0));
        assert_eq!(number(&heard, Quantity::Systolic).as_deref(), Some("123"));
        assert_eq!(heard.frame.expect("a frame").user, Some(1));
    }
}
