//! Any chest strap or wrist band that keeps to the Heart Rate Service.

use super::plain::Plain;
use super::{Attribute, Family, Meta, Step, Way};
use minato_protocol::reading::DeviceKind;

/// Heart Rate Service.
const SERVICE: Attribute = Attribute::assigned(0x180D);
const MEASUREMENT: Attribute = Attribute::assigned(0x2A37);

pub(super) const FAMILY: Family = Family {
    matches: |offer| offer.has(SERVICE) || offer.has(MEASUREMENT),
    way: Way::Bluetooth(&[Step::Read(Attribute::BATTERY_LEVEL), Step::Subscribe(MEASUREMENT)]),
    make: || {
        Box::new(Plain(Meta { name: "generic-heart-monitor", kind: DeviceKind::HeartMonitor }))
    },
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::Said;
    use crate::driver::heard::{Device, frame, number};
    use minato_protocol::reading::{Quality, Quantity};

    #[test]
    fn a_beating_heart_is_seen_while_it_happens() {
        let said = Device::of(&FAMILY).says(MEASUREMENT, &[0x16, 72, 0x00, 0x04, 0x0a, 0x03], 0);
        let heard = frame(said);
        assert!(heard.live);
        assert_eq!(number(&heard, Quantity::HeartRate).as_deref(), Some("72"));
    }

    #[test]
    fn a_strap_on_the_table_says_that_it_is_not_worn() {
        let heard = frame(Device::of(&FAMILY).says(MEASUREMENT, &[0x04, 31], 0));
        assert_eq!(heard.frame.expect("a frame").quality, [Quality::NoContact]);
    }

    #[test]
    fn the_straps_battery_is_told() {
        let mut strap = Device::of(&FAMILY);
        assert_eq!(strap.says(Attribute::BATTERY_LEVEL, &[87], 0), [Said::Battery(87)]);
        assert_eq!(strap.says(Attribute::BATTERY_LEVEL, &[101], 0), []);
    }
}
