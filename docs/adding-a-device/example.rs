//! Kumo's thermometer: one message of its own, six bytes long.

use minato_devices::codec::{Frame, FrameTime, FrameValue, Refused, Value};
use minato_devices::driver::{Attribute, Driver, Family, Message, Meta, Said, Step, Way};
use minato_protocol::Timestamp;
use minato_protocol::reading::{
    BodySite, Characteristic, Decimal, DeviceKind, Quality, Quantity, Special, Unit,
};

/// 6B756D6F-0001-4000-8000-00805F9B34FB.
const TEMPERATURE: Attribute = Attribute(0x6B756D6F_0001_4000_8000_00805F9B34FB);

pub const FAMILY: Family = Family {
    matches: |offer| offer.has(TEMPERATURE) || offer.name.starts_with("Kumo-T"),
    way: Way::Bluetooth(&[Step::Subscribe(TEMPERATURE)]),
    make: || Box::new(Kumo),
};

#[derive(Debug)]
struct Kumo;

impl Driver for Kumo {
    fn meta(&self) -> Meta {
        Meta { name: "kumo-thermometer", kind: DeviceKind::Thermometer }
    }

    fn on_bytes(&mut self, from: Attribute, bytes: &[u8], _at: Timestamp, said: &mut Vec<Said>) {
        if from != TEMPERATURE {
            return;
        }
        if let Some(percent) = bytes.get(4).filter(|percent| **percent <= 100) {
            said.push(Said::Battery(*percent));
        }
        said.push(Said::Frame(Message {
            characteristic: Characteristic::Other,
            raw: bytes.to_vec(),
            frame: read(bytes),
            live: true,
        }));
    }
}

const WAS_MOVED: u8 = 1 << 0;
const BATTERY_LOW: u8 = 1 << 1;
const NO_VALUE: i16 = i16::MAX;

/// flags | hundredths of a degree, 16 bits, low byte first | site | battery in percent | user
fn read(bytes: &[u8]) -> Result<Frame, Refused> {
    let Some(&[flags, low, high, site, _, user]) = bytes.first_chunk() else {
        return Err(Refused::Truncated { field: "the message", missing: 6 - bytes.len() });
    };
    let value = match i16::from_le_bytes([low, high]) {
        NO_VALUE => Value::Special(Special::NaN),
        hundredths => Value::Number(Decimal { mantissa: hundredths.into(), exponent: -2 }),
    };
    let remarks = [
        (flags & WAS_MOVED != 0, Quality::SensorDisplaced),
        (flags & BATTERY_LOW != 0, Quality::BatteryLow),
        (flags & !(WAS_MOVED | BATTERY_LOW) != 0, Quality::ReservedBits),
        (bytes.len() > 6, Quality::TrailingBytes),
    ];
    let said = remarks.into_iter().filter(|(is_said, _)| *is_said);
    let mut quality: Vec<Quality> = said.map(|(_, remark)| remark).collect();
    quality.sort_unstable();
    Ok(Frame {
        characteristic: Characteristic::Other,
        values: vec![FrameValue { what: Quantity::Temperature, value, unit: Unit::Celsius }],
        quality,
        time: FrameTime::Absent,
        user: Some(user).filter(|user| *user != 0),
        site: match site {
            1 => Some(BodySite::Ear),
            2 => Some(BodySite::Armpit),
            _ => None,
        },
    })
}
