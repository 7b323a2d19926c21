//! PURE: a driver knows one family of devices: how they are reached, what to ask of them, in which
//! order, and how to read what they say. It does no IO: the transport carries out the plan and
//! hands in the bytes.
//!
//! A new family is one file with a [`Family`] and an `impl Driver`, and one line in [`FAMILIES`].

mod and;
mod attribute;
mod cuff;
mod glucose_meter;
mod heart_monitor;
mod masimo;
mod nonin;
mod omron;
mod oximeter;
mod plain;
mod scale;
mod serial;
mod thermometer;

#[cfg(test)]
mod heard;

pub use attribute::Attribute;

use crate::codec::{
    Frame, FrameTime, Refused, by_assigned_number, decode, decode_current_time, decode_datetime,
};
use jiff::civil::DateTime;
use minato_protocol::Timestamp;
use minato_protocol::reading::{Characteristic, DeviceKind, WaveKind};
use std::fmt::Debug;

/// What a device offers before anything is asked of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// The name that it advertises, or its model if it says so; for a serial cable the name that
    /// the operator gave with the port.
    pub name: String,
    /// Services and characteristics that it is known to have. Some devices advertise none.
    pub attributes: Vec<Attribute>,
}

impl Offer {
    /// Whether it is known to have this service or characteristic.
    pub fn has(&self, attribute: Attribute) -> bool {
        self.attributes.contains(&attribute)
    }
}

/// How a device is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By Bluetooth Low Energy: what the transport does after it connected, in this order. A step on
    /// an attribute that the device does not have is passed over, and so is a read or a write that
    /// it refuses; a subscription that it refuses ends the connection, and so does having none at
    /// the end.
    Bluetooth(&'static [Step]),
    /// By a serial cable.
    Serial(Line),
}

/// One step after a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Reads once; the answer comes to [`Driver::on_bytes`].
    Read(Attribute),
    /// Subscribes to notifications or indications; each comes to [`Driver::on_bytes`].
    Subscribe(Attribute),
    /// Writes.
    Write(Attribute, &'static [u8]),
    /// Writes the gateway's local time, in the layout of the attribute (2A08 or 2A2B). Before it
    /// the same attribute is read, so that the device's own time is known.
    SetClock(Attribute),
}

/// How a serial line is set. Eight bits always.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Bits a second.
    pub baud: u32,
    /// Whether there is an odd parity bit; otherwise none.
    pub odd_parity: bool,
    /// What is written after the line was opened, and again when it is silent.
    pub wake: &'static [u8],
    /// What is written every 1.5 s while the line is open, to a device that falls asleep otherwise.
    pub keep_awake: &'static [u8],
}

/// Names of a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// Stands in each reading's provenance.
    pub name: &'static str,
    /// What a nurse calls such a device.
    pub kind: DeviceKind,
}

/// What a driver made of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A message with values, read or refused.
    Frame(Message),
    /// A piece of a wave.
    Wave(Piece),
    /// Percent.
    Battery(u8),
    /// What the device's clock showed when these bytes came.
    Clock(DateTime),
}

/// One message of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Which message.
    pub characteristic: Characteristic,
    /// Its bytes, as the provenance keeps them.
    pub raw: Vec<u8>,
    /// What it says.
    pub frame: Result<Frame, Refused>,
    /// Whether it tells of this moment by its nature, as all that is worn does: then the gateway's
    /// clock says when it was, whatever the device's says. A result may come from a memory; whether
    /// it was seen all the same, the values before it tell.
    pub live: bool,
}

/// A piece of a wave, counted by the driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// What it draws.
    pub kind: WaveKind,
    /// Number of its first sample since the driver began; a jump is a gap.
    pub first_sample: u64,
    /// Samples a second is `rate_num / rate_den`.
    pub rate_num: u32,
    /// See `rate_num`; never 0.
    pub rate_den: u32,
    /// When the first sample was taken, by the gateway's clock.
    pub at: Timestamp,
    /// For an ECG.
    pub microvolts_per_step: Option<u32>,
    /// One byte a sample.
    pub samples: Vec<u8>,
}

/// Reads one device. It lives as long as the device hangs at the gateway.
pub trait Driver: Debug + Send + Sync {
    /// Who it is.
    fn meta(&self) -> Meta;
    /// Reads what came at `at` from an attribute ([`Attribute::SERIAL`] for a serial cable, in
    /// pieces of any length), and adds what it says.
    fn on_bytes(&mut self, from: Attribute, bytes: &[u8], at: Timestamp, said: &mut Vec<Said>);
}

/// A family of devices.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// Whether this driver reads such a device.
    pub matches: fn(&Offer) -> bool,
    /// How it is reached and what is asked of it.
    pub way: Way,
    /// A driver for one of them.
    pub make: fn() -> Box<dyn Driver>,
}

/// Every family, the particular ones before those that go by the published profile alone.
pub const FAMILIES: &[Family] = &[
    serial::CONTEC,
    serial::EMAY,
    serial::NONIN,
    and::CUFF,
    and::THERMOMETER,
    omron::FAMILY,
    nonin::FAMILY,
    masimo::FAMILY,
    cuff::FAMILY,
    oximeter::CONTINUOUS,
    oximeter::SPOT,
    oximeter::EITHER,
    thermometer::FAMILY,
    glucose_meter::FAMILY,
    scale::FAMILY,
    // The last one: much that is worn tells a heart rate beside what it is for.
    heart_monitor::FAMILY,
];

/// The family that a device belongs to, if it is known. Transports take its way, the bench its
/// driver.
pub fn family_of(offer: &Offer) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| (family.matches)(offer))
}

/// The message that a characteristic carries, if it is one that is read here.
pub(crate) fn by_attribute(from: Attribute) -> Option<Characteristic> {
    match from {
        Attribute::NONIN_OXIMETRY => Some(Characteristic::NoninOximetry),
        _ => from.number().and_then(by_assigned_number),
    }
}

/// One message, read by its codec.
fn message(characteristic: Characteristic, raw: &[u8], live: bool) -> Said {
    let frame = decode(characteristic, raw);
    Said::Frame(Message { characteristic, raw: raw.to_vec(), frame, live })
}

/// What every Bluetooth device may say beside its values: battery and clock.
fn common(from: Attribute, bytes: &[u8], said: &mut Vec<Said>) {
    match from {
        Attribute::BATTERY_LEVEL => {
            said.extend(
                bytes.first().filter(|percent| **percent <= 100).map(|p| Said::Battery(*p)),
            );
        }
        Attribute::DATE_TIME => said.extend(clock(decode_datetime(bytes))),
        Attribute::CURRENT_TIME => said.extend(clock(decode_current_time(bytes))),
        _ => {}
    }
}

fn clock(read: Result<(FrameTime, bool), Refused>) -> Option<Said> {
    match read {
        Ok((FrameTime::Civil(time), _)) => Some(Said::Clock(time)),
        Ok((FrameTime::Absent | FrameTime::Unusable, _)) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::heard::named;
    use super::*;

    #[test]
    fn a_device_is_read_by_the_profile_that_it_offers() {
        let cases: [(&[u16], &str); 12] = [
            (&[0x1810], "generic-cuff"),
            (&[0x2A35], "generic-cuff"),
            (&[0x1822], "generic-oximeter"),
            (&[0x1822, 0x2A5E], "generic-oximeter-spot"),
            (&[0x2A5E, 0x2A5F], "generic-oximeter"),
            (&[0x1822, 0x180D, 0x2A37], "generic-oximeter"),
            (&[0x1809], "generic-thermometer"),
            (&[0x1808], "generic-glucose-meter"),
            (&[0x181D], "generic-scale"),
            (&[0x2A9C], "generic-scale"),
            (&[0x180D], "generic-heart-monitor"),
            (&[0x2A37, 0x180F], "generic-heart-monitor"),
        ];
        for (attributes, driver) in cases {
            assert_eq!(named("", attributes), Some(driver), "{attributes:04x?}");
        }
        assert_eq!(named("Somebody's phone", &[0x180F]), None);
        assert_eq!(named("", &[]), None);
    }

    #[test]
    fn every_plan_hears_values_that_a_codec_reads() {
        for family in FAMILIES {
            let driver = (family.make)().meta().name;
            let Way::Bluetooth(steps) = family.way else { continue };
            let heard = steps.iter().filter_map(|step| match step {
                Step::Subscribe(attribute) => by_attribute(*attribute),
                _ => None,
            });
            let mut heard = heard.peekable();
            assert!(heard.peek().is_some(), "{driver} hears nothing");
            for characteristic in heard {
                assert_ne!(decode(characteristic, &[]), Err(Refused::NoCodec), "{driver}");
            }
        }
    }

    #[test]
    fn clocks_are_set_only_where_the_maker_says_how() {
        let sets = |family: &&Family| match family.way {
            Way::Bluetooth(steps) => steps.iter().any(|step| matches!(step, Step::SetClock(_))),
            Way::Serial(_) => false,
        };
        let names = FAMILIES.iter().filter(sets).map(|family| (family.make)().meta().name);
        let names: Vec<_> = names.collect();
        assert_eq!(names, ["and-ua-651ble", "and-ut-201ble", "omron-cuff"]);
    }
}
