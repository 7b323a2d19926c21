//! Masimo's MightySat, where it offers single results by the published Pulse Oximeter Service. Its
//! running values go by a protocol of Masimo's own that is not published, and are not read.

use super::oximeter::SPOT_MEASUREMENT;
use super::plain::Plain;
use super::{Attribute, Family, Meta, Step, Way};
use minato_protocol::reading::DeviceKind;

const NAME: &str = "MightySat";

pub(super) const FAMILY: Family = Family {
    matches: |offer| offer.name.starts_with(NAME),
    way: Way::Bluetooth(&[Step::Read(Attribute::BATTERY_LEVEL), Step::Subscribe(SPOT_MEASUREMENT)]),
    make: || Box::new(Plain(Meta { name: "masimo-mightysat", kind: DeviceKind::Oximeter })),
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::heard::{Device, frame, named, number};
    use minato_protocol::reading::Quantity;

    #[test]
    fn it_is_known_by_its_name() {
        assert_eq!(named("MightySat Rx", &[]), Some("masimo-mightysat"));
        assert_eq!(named("MightySat", &[0x1822, 0x2A5E]), Some("masimo-mightysat"));
    }

    #[test]
    fn a_single_result_may_be_one_that_it_kept() {
        let bytes = [0x00, 0x62, 0x00, 0x48, 0x00];
        let heard = frame(Device::of(&FAMILY).says(SPOT_MEASUREMENT, &bytes, 1_000));
        assert_eq!(number(&heard, Quantity::Spo2).as_deref(), Some("98"));
        assert!(!heard.live);
    }
}
