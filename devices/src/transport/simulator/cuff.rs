//! PURE: a cuff that inflates, deflates, and sends what a cuff sends.

use super::body::{Body, Dice};
use super::{FAULT_LASTS, found_cuff};
use crate::codec::{Value, assigned_number, encode_datetime, encode_sfloat};
use crate::driver::Attribute;
use crate::transport::Heard;
use jiff::tz::TimeZone;
use minato_protocol::reading::{Characteristic, Decimal, DeviceId, Special};
use minato_protocol::uplink::{RequestRefusal, SimulatedFault};
use minato_protocol::{Span, Timestamp};

const PRESSURE_EVERY: Span = Span(500);
const INFLATES_FOR: Span = Span::seconds(4);
const MEASURES_FOR: Span = Span::seconds(12);
/// A cuff that fails gives up while deflating.
const FAILS_AFTER: Span = Span::seconds(8);
const TOP_MMHG: i64 = 176;
const BOTTOM_MMHG: i64 = 44;

const FLAGS_TIME_PULSE_STATUS: u8 = 0b1_0110;
const STATUS_BODY_MOVEMENT: u16 = 1 << 0;
const STATUS_CUFF_LOOSE: u16 = 1 << 1;

#[derive(Debug)]
pub(super) struct SimulatedCuff {
    id: DeviceId,
    dice: Dice,
    body: Body,
    zone: TimeZone,
    run: Option<Run>,
    next_fault: Option<SimulatedFault>,
    silent_until: Option<Timestamp>,
    gone_told: bool,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    began_at: Timestamp,
    ends_at: Timestamp,
    next_pressure_at: Timestamp,
    fault: Option<SimulatedFault>,
}

impl SimulatedCuff {
    pub(super) fn new(id: DeviceId, seed: u64, zone: TimeZone) -> Self {
        let mut dice = Dice::new(seed);
        let body = Body::new(&mut dice);
        let (run, next_fault, silent_until) = (None, None, None);
        Self { id, dice, body, zone, run, next_fault, silent_until, gone_told: false }
    }

    pub(super) fn id(&self) -> &DeviceId {
        &self.id
    }

    pub(super) fn measure(&mut self, now: Timestamp) -> Result<(), RequestRefusal> {
        if self.run.is_some() || self.silent_until.is_some() {
            return Err(RequestRefusal::Busy);
        }
        let fault = self.next_fault.take();
        let fails = fault == Some(SimulatedFault::CuffError);
        let ends_at = now + if fails { FAILS_AFTER } else { MEASURES_FOR };
        self.run = Some(Run { began_at: now, ends_at, next_pressure_at: now, fault });
        Ok(())
    }

    pub(super) fn fail(
        &mut self,
        fault: SimulatedFault,
        now: Timestamp,
    ) -> Result<(), RequestRefusal> {
        match fault {
            SimulatedFault::CuffError
            | SimulatedFault::BodyMovement
            | SimulatedFault::CuffLoose => self.next_fault = Some(fault),
            SimulatedFault::Silent => {
                self.silent_until = Some(now + FAULT_LASTS);
                self.gone_told = false;
            }
            SimulatedFault::LowPerfusion
            | SimulatedFault::SensorDisplaced
            | SimulatedFault::SensorOff
            | SimulatedFault::BatteryEmpty
            | SimulatedFault::NotPaired
            | SimulatedFault::ClockWrong
            | SimulatedFault::HeldElsewhere
            | SimulatedFault::Implausible => return Err(RequestRefusal::NotSimulated),
        }
        Ok(())
    }

    /// While the cuff is out of range nothing comes; what it measured meanwhile comes afterwards,
    /// from its memory, with the time at which it measured.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let next = self.run.map(|run| run.next_pressure_at.min(run.ends_at));
        match self.silent_until {
            Some(until) if self.gone_told => Some(until),
            Some(until) => Some(until - FAULT_LASTS),
            None => next,
        }
    }

    pub(super) fn step(&mut self) -> Option<Heard> {
        if let Some(until) = self.silent_until {
            if !self.gone_told {
                self.gone_told = true;
                return Some(Heard::Gone { device: self.id.clone() });
            }
            self.silent_until = None;
            if let Some(run) = &mut self.run {
                run.next_pressure_at = run.next_pressure_at.max(until);
            }
            return Some(found_cuff(&self.id));
        }
        let run = self.run?;
        if run.ends_at <= run.next_pressure_at {
            self.run = None;
            let bytes = self.result(run);
            // A result that was ready while out of range is sent on return, which is the moment
            // from which pressures would have gone on.
            return Some(self.frame(Characteristic::BloodPressure, bytes, run.sent_at()));
        }
        let at = run.next_pressure_at;
        self.run = Some(Run { next_pressure_at: at + PRESSURE_EVERY, ..run });
        let mut bytes = vec![0];
        bytes.extend(encode_sfloat(number(pressure_at(at - run.began_at))).to_le_bytes());
        bytes.extend([encode_sfloat(NAN).to_le_bytes(); 2].concat());
        Some(self.frame(Characteristic::IntermediateCuffPressure, bytes, at))
    }

    fn result(&mut self, run: Run) -> Vec<u8> {
        let pulse = self.body.saturation_and_pulse(run.ends_at, &mut self.dice)[1];
        let pressures = self.body.pressures(&mut self.dice).map(whole);
        let (pressures, pulse, status) = match run.fault {
            Some(SimulatedFault::CuffError) => ([NAN; 3], NAN, 0),
            Some(SimulatedFault::BodyMovement) => (pressures, whole(pulse), STATUS_BODY_MOVEMENT),
            Some(SimulatedFault::CuffLoose) => (pressures, whole(pulse), STATUS_CUFF_LOOSE),
            _ => (pressures, whole(pulse), 0),
        };
        let mut bytes = vec![FLAGS_TIME_PULSE_STATUS];
        bytes.extend(pressures.map(|value| encode_sfloat(value).to_le_bytes()).concat());
        bytes.extend(encode_datetime(civil(run.ends_at, &self.zone)));
        bytes.extend(encode_sfloat(pulse).to_le_bytes());
        bytes.extend(status.to_le_bytes());
        bytes
    }

    fn frame(&self, characteristic: Characteristic, bytes: Vec<u8>, at: Timestamp) -> Heard {
        let from = Attribute::assigned(assigned_number(characteristic));
        Heard::Bytes { device: self.id.clone(), from, bytes, at }
    }
}

impl Run {
    /// The end, or the return from a silence that lasted longer.
    fn sent_at(&self) -> Timestamp {
        let last_gap = self.next_pressure_at - self.ends_at;
        if last_gap > PRESSURE_EVERY { self.next_pressure_at } else { self.ends_at }
    }
}

const NAN: Value = Value::Special(Special::NaN);

fn whole(mmhg: i32) -> Value {
    Value::Number(Decimal::whole(mmhg))
}

fn number(value: i64) -> Value {
    whole(i32::try_from(value).unwrap_or(0))
}

/// Up in a line, down in a line.
fn pressure_at(since: Span) -> i64 {
    if since < INFLATES_FOR {
        return TOP_MMHG * since.0 / INFLATES_FOR.0;
    }
    let left = (MEASURES_FOR.0 - since.0).max(0);
    BOTTOM_MMHG + (TOP_MMHG - BOTTOM_MMHG) * left / (MEASURES_FOR.0 - INFLATES_FOR.0)
}

fn civil(at: Timestamp, zone: &TimeZone) -> jiff::civil::DateTime {
    let instant = jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    zone.to_datetime(instant)
}
