//! PURE: a chest strap that sends the heart rate once a second and one lead of the heart's
//! electricity five times.

use super::body::{Body, Dice};
use super::link::{Link, News};
use super::{FAULT_LASTS, Simulated, WAVE_AGE_MAX, found};
use crate::driver::Attribute;
use crate::transport::Heard;
use jiff::tz::TimeZone;
use minato_protocol::reading::{DeviceId, Samples, WaveBlock, WaveKind};
use minato_protocol::uplink::{RequestRefusal, SimulatedFault};
use minato_protocol::{Span, Timestamp};

const BLOCK_EVERY: Span = Span(200);
const BLOCKS_A_VALUE: i64 = 5;
const SAMPLES_A_BLOCK: u32 = 25;
const RATE_HZ: u32 = 125;
const MICROVOLTS_PER_STEP: u32 = 20;

/// Contact is supported and there, and intervals follow.
const FLAGS_CONTACT_RR: u8 = 0b1_0110;
/// Contact is supported and not there.
const FLAGS_NO_CONTACT: u8 = 0b0_0100;
const RR_TICKS_A_MINUTE: i32 = 60 * 1_024;

#[derive(Debug)]
pub(super) struct SimulatedStrap {
    link: Link,
    dice: Dice,
    body: Body,
    run: u32,
    began_at: Timestamp,
    worn: bool,
    /// The block that comes next, counted from the beginning of the run.
    next_block: i64,
    off_until: Option<Timestamp>,
    /// The value of this block was sent; its wave is next.
    valued: bool,
}

impl SimulatedStrap {
    pub(super) fn new(
        id: DeviceId,
        seed: u64,
        (run, began_at): (u32, Timestamp),
        zone: TimeZone,
    ) -> Self {
        let mut dice = Dice::new(seed);
        let body = Body::new(&mut dice);
        let link = Link::new(id, zone);
        let (worn, next_block, off_until, valued) = (false, 0, None, false);
        Self { link, dice, body, run, began_at, worn, next_block, off_until, valued }
    }

    fn due(&self) -> Timestamp {
        self.began_at + Span((self.next_block + 1) * BLOCK_EVERY.0)
    }

    fn begin(&mut self, now: Timestamp) {
        self.next_block = (now - self.began_at).0 / BLOCK_EVERY.0 + 1;
    }
}

impl Simulated for SimulatedStrap {
    fn id(&self) -> &DeviceId {
        self.link.device()
    }

    fn found(&self) -> Heard {
        found(self.id(), "Minato Rehearsal Strap", &[0x2A37], false)
    }

    fn wear(&mut self, worn: bool, now: Timestamp) {
        if worn && !self.worn {
            self.begin(now);
        }
        self.worn = worn;
    }

    fn fail(&mut self, fault: SimulatedFault, now: Timestamp) -> Result<(), RequestRefusal> {
        let back = self.found();
        if self.link.fail(fault, now, back) {
            return Ok(());
        }
        if fault != SimulatedFault::SensorOff {
            return Err(RequestRefusal::NotSimulated);
        }
        self.off_until = Some(now + FAULT_LASTS);
        Ok(())
    }

    fn next_due(&self) -> Option<Timestamp> {
        let own = (self.worn && !self.link.is_away()).then(|| self.due());
        own.into_iter().chain(self.link.next_due()).min()
    }

    fn step(&mut self, due: Timestamp, now: Timestamp) -> Option<Heard> {
        if let Some(News { heard, back }) = self.link.step(due) {
            if let Some(back) = back {
                self.begin(back);
            }
            return Some(heard);
        }
        let at = self.due();
        if (self.next_block + 1) % BLOCKS_A_VALUE == 0 && !self.valued {
            self.valued = true;
            let (from, bytes) = (Attribute::assigned(0x2A37), self.values(at));
            return Some(Heard::Bytes { device: self.id().clone(), from, bytes, at });
        }
        self.valued = false;
        let block = (now - at <= WAVE_AGE_MAX).then(|| Heard::Wave(self.block(at)));
        self.next_block += 1;
        block
    }
}

impl SimulatedStrap {
    fn is_off(&self, at: Timestamp) -> bool {
        self.off_until.is_some_and(|until| at < until)
    }

    fn values(&mut self, at: Timestamp) -> Vec<u8> {
        let [_, pulse] = self.body.saturation_and_pulse(at, &mut self.dice);
        let rate = u8::try_from(pulse).unwrap_or(u8::MAX);
        if self.is_off(at) {
            return vec![FLAGS_NO_CONTACT, rate];
        }
        let ticks = u16::try_from(RR_TICKS_A_MINUTE / pulse.max(1)).unwrap_or(u16::MAX);
        [&[FLAGS_CONTACT_RR, rate], ticks.to_le_bytes().as_slice()].concat()
    }

    /// The block that ends at `at`.
    fn block(&mut self, at: Timestamp) -> WaveBlock {
        let strength = if self.is_off(at) { 0.0 } else { 1.0 };
        let samples = (0..SAMPLES_A_BLOCK)
            .map(|_| self.body.lead(at, f64::from(RATE_HZ), strength))
            .collect();
        WaveBlock {
            device: self.id().clone(),
            kind: WaveKind::Ecg,
            run: self.run,
            first_sample: u64::try_from(self.next_block).unwrap_or(0) * u64::from(SAMPLES_A_BLOCK),
            rate_num: RATE_HZ,
            rate_den: 1,
            at: at - BLOCK_EVERY,
            microvolts_per_step: Some(MICROVOLTS_PER_STEP),
            samples: Samples(samples),
        }
    }
}
