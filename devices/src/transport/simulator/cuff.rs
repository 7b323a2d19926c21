//! PURE: a cuff that inflates, deflates, and sends what a cuff sends.

use super::body::{Body, Dice};
use super::link::{Link, News};
use super::{IMPLAUSIBLE_PULSE, Simulated, found};
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
    link: Link,
    dice: Dice,
    body: Body,
    run: Option<Run>,
    next_fault: Option<SimulatedFault>,
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
        Self { link: Link::new(id, zone), dice, body, run: None, next_fault: None }
    }
}

impl Simulated for SimulatedCuff {
    fn id(&self) -> &DeviceId {
        self.link.device()
    }

    fn found(&self) -> Heard {
        found(self.id(), "Minato Rehearsal Cuff", &[0x2A35, 0x2A36], true)
    }

    fn measure(&mut self, now: Timestamp) -> Result<(), RequestRefusal> {
        if self.run.is_some() || self.link.is_away() {
            return Err(RequestRefusal::Busy);
        }
        let fault = self.next_fault.take();
        let fails = fault == Some(SimulatedFault::CuffError);
        let ends_at = now + if fails { FAILS_AFTER } else { MEASURES_FOR };
        self.run = Some(Run { began_at: now, ends_at, next_pressure_at: now, fault });
        Ok(())
    }

    fn fail(&mut self, fault: SimulatedFault, now: Timestamp) -> Result<(), RequestRefusal> {
        let back = self.found();
        if self.link.fail(fault, now, back) {
            return Ok(());
        }
        match fault {
            SimulatedFault::CuffError
            | SimulatedFault::BodyMovement
            | SimulatedFault::CuffLoose
            | SimulatedFault::Implausible => self.next_fault = Some(fault),
            _ => return Err(RequestRefusal::NotSimulated),
        }
        Ok(())
    }

    /// While the cuff is out of range nothing comes; what it measured meanwhile comes afterwards,
    /// from its memory, with the time at which it measured.
    fn next_due(&self) -> Option<Timestamp> {
        let run = self.run.map(|run| run.next_pressure_at.min(run.ends_at));
        let own = run.filter(|_| !self.link.is_away());
        own.into_iter().chain(self.link.next_due()).min()
    }

    fn step(&mut self, due: Timestamp, _now: Timestamp) -> Option<Heard> {
        if let Some(News { heard, back }) = self.link.step(due) {
            if let (Some(back), Some(run)) = (back, &mut self.run) {
                run.next_pressure_at = run.next_pressure_at.max(back);
            }
            return Some(heard);
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
}

impl SimulatedCuff {
    fn result(&mut self, run: Run) -> Vec<u8> {
        let pulse = self.body.saturation_and_pulse(run.ends_at, &mut self.dice)[1];
        let pressures = self.body.pressures(&mut self.dice).map(whole);
        let (pressures, pulse, status) = match run.fault {
            Some(SimulatedFault::CuffError) => ([NAN; 3], NAN, 0),
            Some(SimulatedFault::BodyMovement) => (pressures, whole(pulse), STATUS_BODY_MOVEMENT),
            Some(SimulatedFault::CuffLoose) => (pressures, whole(pulse), STATUS_CUFF_LOOSE),
            Some(SimulatedFault::Implausible) => (pressures, whole(IMPLAUSIBLE_PULSE), 0),
            _ => (pressures, whole(pulse), 0),
        };
        let mut bytes = vec![FLAGS_TIME_PULSE_STATUS];
        bytes.extend(pressures.map(|value| encode_sfloat(value).to_le_bytes()).concat());
        bytes.extend(encode_datetime(self.link.civil(run.ends_at)));
        bytes.extend(encode_sfloat(pulse).to_le_bytes());
        bytes.extend(status.to_le_bytes());
        bytes
    }

    fn frame(&self, characteristic: Characteristic, bytes: Vec<u8>, at: Timestamp) -> Heard {
        let from = Attribute::assigned(assigned_number(characteristic));
        Heard::Bytes { device: self.id().clone(), from, bytes, at }
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
