//! PURE: devices that measure when they are asked and send one result: a thermometer, a scale, a
//! glucose meter.

use super::body::Dice;
use super::link::{Link, News};
use super::{Simulated, found};
use crate::codec::{Value, encode_datetime, encode_sfloat};
use crate::driver::Attribute;
use crate::transport::Heard;
use jiff::tz::TimeZone;
use minato_protocol::reading::{Decimal, DeviceId};
use minato_protocol::uplink::{RequestRefusal, SimulatedFault};
use minato_protocol::{Span, Timestamp};

const MEASURES_FOR: Span = Span::seconds(5);
const RISES_EVERY: Span = Span::seconds(1);

/// Temperature Measurement: with time and type; the type is armpit.
const TEMPERATURE_FLAGS: u8 = 0b110;
const ARMPIT: u8 = 1;
/// Weight Measurement: kilograms, with time.
const WEIGHT_FLAGS: u8 = 0b10;
/// Glucose Measurement: kg/L, with type and location: capillary whole blood, finger.
const GLUCOSE_FLAGS: u8 = 0b10;
const WHOLE_BLOOD_FINGER: u8 = 0x11;

const SKIN_TENTHS: i32 = 331;
const IMPLAUSIBLE_TENTHS: i32 = 520;
const IMPLAUSIBLE_MG_DL: i32 = 1_900;
const IMPLAUSIBLE_WEIGHT: u16 = 10;

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot {
    Thermometer,
    Scale,
    GlucoseMeter,
}

#[derive(Debug)]
pub(super) struct SimulatedSpot {
    link: Link,
    spot: Spot,
    dice: Dice,
    run: Option<Run>,
    implausible: bool,
    /// A glucose meter counts its records.
    records: u16,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    began_at: Timestamp,
    ends_at: Timestamp,
    next_at: Timestamp,
}

impl SimulatedSpot {
    pub(super) fn new(id: DeviceId, spot: Spot, seed: u64, zone: TimeZone) -> Self {
        let (link, dice) = (Link::new(id, zone), Dice::new(seed));
        Self { link, spot, dice, run: None, implausible: false, records: 0 }
    }
}

impl Simulated for SimulatedSpot {
    fn id(&self) -> &DeviceId {
        self.link.device()
    }

    fn found(&self) -> Heard {
        match self.spot {
            Spot::Thermometer => {
                found(self.id(), "Minato Rehearsal Thermometer", &[0x2A1C, 0x2A1E], true)
            }
            Spot::Scale => found(self.id(), "Minato Rehearsal Scale", &[0x2A9D], true),
            Spot::GlucoseMeter => found(self.id(), "Minato Rehearsal Glucose", &[0x2A18], true),
        }
    }

    fn measure(&mut self, now: Timestamp) -> Result<(), RequestRefusal> {
        if self.run.is_some() || self.link.is_away() {
            return Err(RequestRefusal::Busy);
        }
        let ends_at = now + MEASURES_FOR;
        // Only a thermometer shows how it rises.
        let rises = self.spot == Spot::Thermometer;
        let next_at = if rises { now + RISES_EVERY } else { ends_at };
        self.run = Some(Run { began_at: now, ends_at, next_at });
        Ok(())
    }

    fn fail(&mut self, fault: SimulatedFault, now: Timestamp) -> Result<(), RequestRefusal> {
        let back = self.found();
        if self.link.fail(fault, now, back) {
            return Ok(());
        }
        if fault != SimulatedFault::Implausible {
            return Err(RequestRefusal::NotSimulated);
        }
        self.implausible = true;
        Ok(())
    }

    fn next_due(&self) -> Option<Timestamp> {
        let own = self.run.map(|run| run.next_at).filter(|_| !self.link.is_away());
        own.into_iter().chain(self.link.next_due()).min()
    }

    fn step(&mut self, due: Timestamp, _now: Timestamp) -> Option<Heard> {
        if let Some(News { heard, back }) = self.link.step(due) {
            if let (Some(back), Some(run)) = (back, &mut self.run) {
                run.next_at = run.next_at.max(back);
            }
            return Some(heard);
        }
        let run = self.run?;
        let at = run.next_at;
        if at < run.ends_at {
            self.run = Some(Run { next_at: at + RISES_EVERY, ..run });
            let risen = i32::try_from((at - run.began_at).0 / RISES_EVERY.0).unwrap_or(0);
            let bytes = temperature(SKIN_TENTHS + 6 * risen, 0, &[]);
            return Some(self.bytes(0x2A1E, bytes, at));
        }
        self.run = None;
        let (number, bytes) = self.result(run.ends_at);
        Some(self.bytes(number, bytes, at))
    }
}

impl SimulatedSpot {
    fn result(&mut self, at: Timestamp) -> (u16, Vec<u8>) {
        let time = encode_datetime(self.link.civil(at));
        let implausible = std::mem::take(&mut self.implausible);
        let swing = self.dice.swing();
        match self.spot {
            Spot::Thermometer => {
                let tenths =
                    if implausible { IMPLAUSIBLE_TENTHS } else { 366 + whole(3.0 * swing) };
                let rest = [time.as_slice(), &[ARMPIT]].concat();
                (0x2A1C, temperature(tenths, TEMPERATURE_FLAGS, &rest))
            }
            Spot::Scale => {
                // Steps of 5 g; 0.1 kg is a step of 20.
                let steps = u16::try_from(11_640 + 20 * whole(4.0 * swing)).unwrap_or(11_640);
                let steps = if implausible { IMPLAUSIBLE_WEIGHT } else { steps };
                let head = [WEIGHT_FLAGS, steps.to_le_bytes()[0], steps.to_le_bytes()[1]];
                (0x2A9D, [head.as_slice(), &time].concat())
            }
            Spot::GlucoseMeter => {
                self.records = self.records.wrapping_add(1);
                let mg_dl = if implausible { IMPLAUSIBLE_MG_DL } else { 108 + whole(12.0 * swing) };
                let concentration = Value::Number(Decimal { mantissa: mg_dl, exponent: -5 });
                let mut bytes = vec![GLUCOSE_FLAGS];
                bytes.extend(self.records.to_le_bytes());
                bytes.extend(time);
                bytes.extend(encode_sfloat(concentration).to_le_bytes());
                bytes.push(WHOLE_BLOOD_FINGER);
                (0x2A18, bytes)
            }
        }
    }

    fn bytes(&self, number: u16, bytes: Vec<u8>, at: Timestamp) -> Heard {
        Heard::Bytes { device: self.id().clone(), from: Attribute::assigned(number), bytes, at }
    }
}

/// Flags, a FLOAT with one digit behind the point, and what else the flags promise.
fn temperature(tenths: i32, flags: u8, rest: &[u8]) -> Vec<u8> {
    let [low, middle, high, _] = tenths.to_le_bytes();
    let tenth_exponent = (-1i8).cast_unsigned();
    [&[flags, low, middle, high, tenth_exponent], rest].concat()
}

fn whole(value: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "a swing of a few units")]
    let whole = value.round() as i32;
    whole
}
