//! One device that hangs at the gateway: its driver, and what is known of it.

use crate::driver::{Attribute, Driver, Said};
use crate::run::Run;
use crate::transport::Found;
use crate::trouble::{Signs, gravest};
use minato_protocol::reading::{Device, Outcome, Quality, TransportKind};
use minato_protocol::uplink::{DeviceStatus, Trouble};
use minato_protocol::{Span, SubjectId, Timestamp};
use std::time::Instant;

/// A device has sent what it kept in its memory so long after it was connected.
const MEMORY_SENT_WITHIN: Span = Span::seconds(10);
/// Longest model name that is kept of what a device says about itself.
const MODEL_CHARS_MAX: usize = 40;

/// A device that hangs at the gateway.
#[derive(Debug)]
pub(super) struct Hung {
    pub(super) device: Device,
    driver: Box<dyn Driver>,
    pub(super) transport: TransportKind,
    pub(super) sequence: u64,
    pub(super) connected: bool,
    pub(super) obstructed: Option<Trouble>,
    pub(super) battery_percent: Option<u8>,
    signal_dbm: Option<i8>,
    startable: bool,
    /// See [`Self::run_at`].
    pub(super) run: Option<Run>,
    last_frame_at: Option<Timestamp>,
    /// When it was last found.
    appeared_at: Timestamp,
    /// When it last gave a number of a patient's, or appeared.
    pub(super) valued_at: Timestamp,
    /// When it last said anything, by a clock that nobody steps.
    pub(super) spoke_at: Instant,
    remarks: Vec<Quality>,
}

impl Hung {
    /// A device that has just appeared.
    pub(super) fn new(
        found: Found,
        driver: Box<dyn Driver>,
        (appeared_at, valued_at): (Timestamp, Timestamp),
        run: Option<Run>,
    ) -> Self {
        let Found { device: id, offer, transport, battery_percent, signal_dbm, startable } = found;
        let model = offer.name.chars().filter(|c| !c.is_control()).take(MODEL_CHARS_MAX).collect();
        Self {
            device: Device { id, kind: driver.meta().kind, model },
            driver,
            transport,
            sequence: 0,
            connected: true,
            obstructed: None,
            battery_percent,
            signal_dbm,
            startable,
            run,
            last_frame_at: None,
            appeared_at,
            valued_at,
            spoke_at: Instant::now(),
            remarks: Vec::new(),
        }
    }

    /// It has appeared again.
    pub(super) fn is_back(&mut self, found: &Found, now: Timestamp) {
        self.appeared_at = now;
        self.connected = true;
        self.obstructed = None;
        self.battery_percent = found.battery_percent.or(self.battery_percent);
        self.signal_dbm = found.signal_dbm.or(self.signal_dbm);
    }

    /// What its driver makes of bytes.
    pub(super) fn read(&mut self, from: Attribute, bytes: &[u8], at: Timestamp) -> Vec<Said> {
        let mut said = Vec::new();
        self.driver.on_bytes(from, bytes, at, &mut said);
        self.spoke_at = Instant::now();
        said
    }

    /// The measurement that is under way.
    pub(super) fn run_at(&self, now: Timestamp) -> Option<Run> {
        self.run.filter(|run| run.is_under_way(now))
    }

    /// The gateway's clock was set forward by this much.
    pub(super) fn shift(&mut self, by: Span) {
        self.valued_at = self.valued_at + by;
        self.appeared_at = self.appeared_at + by;
        if let Some(run) = &mut self.run {
            run.shift(by);
        }
    }

    /// The driver's name, for the provenance.
    pub(super) fn driver_name(&self) -> &'static str {
        self.driver.meta().name
    }

    /// Remembers what came of a message.
    pub(super) fn heard(&mut self, outcome: &Outcome, at: Timestamp) {
        self.last_frame_at = Some(at);
        let (quality, has_value, under_way) = match outcome {
            Outcome::Reading(reading) => {
                (&reading.quality, !reading.is_error(), reading.is_intermediate())
            }
            Outcome::Fault(fault) => (&fault.quality, false, false),
        };
        if has_value {
            self.valued_at = at;
        }
        // A measurement under way says nothing yet of how it went.
        if !under_way {
            self.remarks.clone_from(quality);
        }
    }

    /// Whether a result that was not seen live may come from a memory which does not tell when it was:
    /// devices send what they have kept as soon as they are connected.
    pub(super) fn may_be_memory(&self, outcome: &Outcome, at: Timestamp) -> bool {
        let Outcome::Reading(reading) = outcome else { return false };
        let has = |remark| reading.quality.contains(&remark);
        let untold = has(Quality::ClockUnknown) || has(Quality::ClockAhead);
        let just_here = at - self.appeared_at <= MEMORY_SENT_WITHIN;
        (untold && just_here) || (has(Quality::FromStorage) && reading.device_time.is_none())
    }

    /// How it is, for whoever looks.
    pub(super) fn status(
        &self,
        now: Timestamp,
        bound: Option<SubjectId>,
        clock_off: Option<Span>,
    ) -> DeviceStatus {
        let trouble = gravest(&Signs {
            obstructed: self.obstructed,
            battery_percent: self.battery_percent,
            clock_off,
            remarks: &self.remarks,
        });
        DeviceStatus {
            device: self.device.id.clone(),
            kind: self.device.kind,
            model: self.device.model.clone(),
            connected: self.connected,
            battery_percent: self.battery_percent,
            bound,
            measuring: self.run_at(now).is_some(),
            startable: self.startable,
            last_frame_at: self.last_frame_at,
            signal_dbm: self.signal_dbm,
            clock_off,
            trouble,
        }
    }
}
