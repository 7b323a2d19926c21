//! Any scale that keeps to the Weight Scale Service, the Body Composition Service, or both.

use super::plain::Plain;
use super::{Attribute, Family, Meta, Step, Way};
use minato_protocol::reading::DeviceKind;

/// Weight Scale Service and Body Composition Service.
const SERVICES: [Attribute; 2] = [Attribute::assigned(0x181D), Attribute::assigned(0x181B)];
const WEIGHT: Attribute = Attribute::assigned(0x2A9D);
const COMPOSITION: Attribute = Attribute::assigned(0x2A9C);

pub(super) const FAMILY: Family = Family {
    matches: |offer| is_scale(|attribute| offer.has(attribute)),
    way: Way::Bluetooth(&[
        Step::Read(Attribute::BATTERY_LEVEL),
        Step::Read(Attribute::CURRENT_TIME),
        Step::Read(Attribute::DATE_TIME),
        Step::Subscribe(WEIGHT),
        Step::Subscribe(COMPOSITION),
    ]),
    make: || Box::new(Plain(Meta { name: "generic-scale", kind: DeviceKind::Scale })),
};

/// Whether a device with these attributes weighs people.
pub(super) fn is_scale(has: impl Fn(Attribute) -> bool) -> bool {
    SERVICES.into_iter().chain([WEIGHT, COMPOSITION]).any(has)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::heard::{Device, frame, number};
    use minato_protocol::reading::Quantity;

    #[test]
    fn a_scale_that_also_tells_the_bodys_composition_says_both() {
        let mut scale = Device::of(&FAMILY);
        let weight = frame(scale.says(WEIGHT, &[0x00, 0xc8, 0x32], 1_000));
        assert_eq!(number(&weight, Quantity::Weight).as_deref(), Some("65.000"));
        let composition = frame(scale.says(COMPOSITION, &[0x00, 0x00, 0xe1, 0x00], 1_500));
        assert_eq!(number(&composition, Quantity::BodyFat).as_deref(), Some("22.5"));
        assert!(!weight.live && !composition.live);
    }
}
