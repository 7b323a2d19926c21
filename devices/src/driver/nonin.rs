//! Nonin's oximeter 3230. It offers the published Pulse Oximeter Service and one of its own with
//! running values; of the two its own is asked, which every revision has.

use super::oximeter::SERVICE as PUBLISHED;
use super::plain::Plain;
use super::{Attribute, Family, Meta, Offer, Step, Way};
use minato_protocol::reading::DeviceKind;

const NAME: &str = "Nonin3230_";
const SERVICE: Attribute = Attribute(0x46A970E0_0D5F_11E2_8B5E_0002A5D5C51B);
const MEASUREMENT: Attribute = Attribute::NONIN_OXIMETRY;

pub(super) const FAMILY: Family = Family {
    matches: has_its_own,
    way: Way::Bluetooth(&[Step::Read(Attribute::BATTERY_LEVEL), Step::Subscribe(MEASUREMENT)]),
    make: || Box::new(Plain(Meta { name: "nonin-3230", kind: DeviceKind::Oximeter })),
};

/// One of that name that is known to offer nothing but the published service is read by that.
fn has_its_own(offer: &Offer) -> bool {
    let own = offer.has(SERVICE) || offer.has(MEASUREMENT);
    own || (offer.name.starts_with(NAME) && !offer.has(PUBLISHED))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::family_of;
    use crate::driver::heard::{Device, frame, named, number};
    use minato_protocol::reading::{Characteristic, Quality, Quantity};

    const WORN: [u8; 10] = [10, 0b0001_0100, 25, 0x01, 0x41, 0, 42, 97, 0, 75];

    #[test]
    fn it_is_known_by_its_name_and_by_its_own_service() {
        assert_eq!(named("Nonin3230_501234567", &[]), Some("nonin-3230"));
        let offer = Offer { name: String::new(), attributes: vec![PUBLISHED, SERVICE] };
        let driver = family_of(&offer).map(|family| (family.make)().meta().name);
        assert_eq!(driver, Some("nonin-3230"));
        assert_eq!(named("Nonin3230_501234567", &[0x1822, 0x2A5F]), Some("generic-oximeter"));
    }

    #[test]
    fn running_values_are_seen_while_they_happen() {
        let heard = frame(Device::of(&FAMILY).says(MEASUREMENT, &WORN, 1_000));
        assert_eq!((heard.characteristic, heard.live), (Characteristic::NoninOximetry, true));
        assert_eq!(number(&heard, Quantity::Spo2).as_deref(), Some("97"));
    }

    #[test]
    fn a_finger_taken_out_leaves_no_number_and_says_why() {
        let mut bytes = WORN;
        (bytes[1], bytes[7], bytes[8], bytes[9]) = (0b0000_1000, 127, 1, 0xff);
        let heard = frame(Device::of(&FAMILY).says(MEASUREMENT, &bytes, 1_000));
        assert_eq!(number(&heard, Quantity::Spo2), None);
        let quality = heard.frame.expect("a frame").quality;
        assert!(quality.contains(&Quality::SensorDisplaced), "{quality:?}");
    }
}
