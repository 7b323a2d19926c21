//! PURE: an oximeter that sends its values once a second and its pulse wave five times.

use super::body::{Body, Dice};
use super::link::{Link, News};
use super::{FAULT_LASTS, IMPLAUSIBLE_PULSE, Simulated, WAVE_AGE_MAX, found};
use crate::codec::{Value, encode_sfloat};
use crate::driver::Attribute;
use crate::transport::Heard;
use jiff::tz::TimeZone;
use minato_protocol::reading::{Decimal, DeviceId, Samples, Special, WaveBlock, WaveKind};
use minato_protocol::uplink::{RequestRefusal, SimulatedFault};
use minato_protocol::{Span, Timestamp};

const VALUES_EVERY: Span = Span::seconds(1);
const BLOCK_EVERY: Span = Span(200);
const SAMPLES_A_BLOCK: u32 = 15;
const RATE_HZ: u32 = 75;
/// A finger just put in gives no values for so long.
const SETTLES_FOR: Span = Span::seconds(2);

const FLAGS_MEASUREMENT_SENSOR_AMPLITUDE: u8 = 0b1_1100;
const MEASUREMENT_UNAVAILABLE: u16 = 1 << 13;
const MEASUREMENT_QUESTIONABLE: u16 = 1 << 14;
const SENSOR_LOW_PERFUSION: u32 = 1 << 5;
const SENSOR_ANALYSIS: u32 = 1 << 9;
const SENSOR_OFF: u32 = 1 << 11;
const SENSOR_DISPLACED: u32 = 1 << 13;

#[derive(Debug)]
pub(super) struct SimulatedOximeter {
    link: Link,
    dice: Dice,
    body: Body,
    run: u32,
    /// Sample 0 of this run.
    began_at: Timestamp,
    worn: Option<Worn>,
    fault: Option<(SimulatedFault, Timestamp)>,
}

#[derive(Debug, Clone, Copy)]
struct Worn {
    since: Timestamp,
    next_values_at: Timestamp,
    next_block_at: Timestamp,
}

impl SimulatedOximeter {
    pub(super) fn new(
        id: DeviceId,
        seed: u64,
        (run, began_at): (u32, Timestamp),
        zone: TimeZone,
    ) -> Self {
        let mut dice = Dice::new(seed);
        let body = Body::new(&mut dice);
        Self { link: Link::new(id, zone), dice, body, run, began_at, worn: None, fault: None }
    }
}

impl Simulated for SimulatedOximeter {
    fn id(&self) -> &DeviceId {
        self.link.device()
    }

    fn found(&self) -> Heard {
        found(self.id(), "Minato Rehearsal Oximeter", &[0x2A5F], false)
    }

    fn wear(&mut self, worn: bool, now: Timestamp) {
        if worn == self.worn.is_some() {
            return;
        }
        // Blocks keep to the grid of the run, so that the sample count tells the time.
        let blocks = (now - self.began_at).0 / BLOCK_EVERY.0 + 1;
        let next_block_at = self.began_at + Span(blocks * BLOCK_EVERY.0);
        let next_values_at = now + VALUES_EVERY;
        self.worn = worn.then_some(Worn { since: now, next_values_at, next_block_at });
    }

    fn fail(&mut self, fault: SimulatedFault, now: Timestamp) -> Result<(), RequestRefusal> {
        let back = self.found();
        if self.link.fail(fault, now, back) {
            return Ok(());
        }
        match fault {
            SimulatedFault::LowPerfusion
            | SimulatedFault::SensorDisplaced
            | SimulatedFault::SensorOff
            | SimulatedFault::Implausible => self.fault = Some((fault, now + FAULT_LASTS)),
            _ => return Err(RequestRefusal::NotSimulated),
        }
        Ok(())
    }

    fn next_due(&self) -> Option<Timestamp> {
        let worn = self.worn.filter(|_| !self.link.is_away());
        let own = worn.map(|worn| worn.next_values_at.min(worn.next_block_at));
        own.into_iter().chain(self.link.next_due()).min()
    }

    /// Does what is due. Nothing comes of a wave block that is too old by `now`.
    fn step(&mut self, due: Timestamp, now: Timestamp) -> Option<Heard> {
        if let Some(News { heard, back }) = self.link.step(due) {
            // A continuous oximeter has no memory: what it measures while out of range is gone.
            if let Some(back) = back
                && self.worn.take().is_some()
            {
                self.wear(true, back);
            }
            return Some(heard);
        }
        let mut worn = self.worn?;
        let at = worn.next_values_at.min(worn.next_block_at);
        if self.fault.is_some_and(|(_, until)| until <= at) {
            self.fault = None;
        }
        if worn.next_values_at <= at {
            worn.next_values_at = at + VALUES_EVERY;
            self.worn = Some(worn);
            let bytes = self.values(at, at - worn.since < SETTLES_FOR);
            let from = Attribute::assigned(0x2A5F);
            return Some(Heard::Bytes { device: self.id().clone(), from, bytes, at });
        }
        worn.next_block_at = at + BLOCK_EVERY;
        self.worn = Some(worn);
        (now - at <= WAVE_AGE_MAX).then(|| Heard::Wave(self.block(at)))
    }
}

impl SimulatedOximeter {
    fn values(&mut self, at: Timestamp, settling: bool) -> Vec<u8> {
        let fault = self.fault.map(|(fault, _)| fault);
        let (measurement, sensor, amplitude) = match fault {
            Some(SimulatedFault::SensorOff) => (MEASUREMENT_UNAVAILABLE, SENSOR_OFF, 0),
            Some(SimulatedFault::LowPerfusion) => (0, SENSOR_LOW_PERFUSION, 3),
            Some(SimulatedFault::SensorDisplaced) => {
                (MEASUREMENT_QUESTIONABLE, SENSOR_DISPLACED, 11)
            }
            _ if settling => (0, SENSOR_ANALYSIS, 0),
            _ => (0, 0, 42),
        };
        let [saturation, measured] = self.body.saturation_and_pulse(at, &mut self.dice);
        let implausible = fault == Some(SimulatedFault::Implausible);
        let pulse = if implausible { IMPLAUSIBLE_PULSE } else { measured };
        let empty = settling || fault == Some(SimulatedFault::SensorOff);
        let value = |number: i32| if empty { NAN } else { Value::Number(Decimal::whole(number)) };
        let amplitude = Value::Number(Decimal { mantissa: amplitude, exponent: -1 });
        let mut bytes = vec![FLAGS_MEASUREMENT_SENSOR_AMPLITUDE];
        bytes.extend(encode_sfloat(value(saturation)).to_le_bytes());
        bytes.extend(encode_sfloat(value(pulse)).to_le_bytes());
        bytes.extend(measurement.to_le_bytes());
        bytes.extend(&sensor.to_le_bytes()[..3]);
        bytes.extend(encode_sfloat(amplitude).to_le_bytes());
        bytes
    }

    /// The block that ends at `at`.
    fn block(&mut self, at: Timestamp) -> WaveBlock {
        let strength = match self.fault.map(|(fault, _)| fault) {
            Some(SimulatedFault::SensorOff) => 0.0,
            Some(SimulatedFault::LowPerfusion) => 0.12,
            Some(SimulatedFault::SensorDisplaced) => 0.4,
            _ => 1.0,
        };
        let first_at = at - BLOCK_EVERY;
        let blocks = (first_at - self.began_at).0 / BLOCK_EVERY.0;
        let samples = (0..SAMPLES_A_BLOCK)
            .map(|_| self.body.pleth(at, f64::from(RATE_HZ), strength))
            .collect();
        WaveBlock {
            device: self.id().clone(),
            kind: WaveKind::Pleth,
            run: self.run,
            first_sample: u64::try_from(blocks).unwrap_or(0) * u64::from(SAMPLES_A_BLOCK),
            rate_num: RATE_HZ,
            rate_den: 1,
            microvolts_per_step: None,
            at: first_at,
            samples: Samples(samples),
        }
    }
}

const NAN: Value = Value::Special(Special::NaN);
