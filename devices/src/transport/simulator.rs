//! PURE: a bedside to rehearse with. It sends the frames that real devices send, errors included,
//! through the same codecs; time is an argument, so ten minutes pass as fast as they are asked for.

mod body;
mod cuff;
mod link;
mod oximeter;
mod spot;
mod strap;

use super::{Found, Heard};
use crate::driver::{Attribute, Offer};
use cuff::SimulatedCuff;
use jiff::tz::TimeZone;
use minato_protocol::reading::{DeviceId, TransportKind};
use minato_protocol::uplink::{RequestRefusal, SimulatedFault};
use minato_protocol::{Span, Timestamp};
use oximeter::SimulatedOximeter;
use spot::{SimulatedSpot, Spot};
use std::fmt::Debug;
use strap::SimulatedStrap;

/// How long a fault of an oximeter, or a silence, lasts.
const FAULT_LASTS: Span = Span::seconds(10);
/// Beds that a rehearsal can have.
pub const BEDS_MAX: u8 = 32;
/// Devices of a rehearsal at most.
pub const SIMULATED_MAX: usize = DEVICES_A_BED * BEDS_MAX as usize + DEVICES_BESIDE;
/// Cuff, oximeter and thermometer.
const DEVICES_A_BED: usize = 3;
/// Strap, scale and glucose meter, one for all beds.
const DEVICES_BESIDE: usize = 3;
/// A wave is worth nothing when it is older than this: it is skipped, and a gap shows.
const WAVE_AGE_MAX: Span = Span::seconds(1);
/// What no living heart does.
const IMPLAUSIBLE_PULSE: i32 = 400;

/// How a rehearsal is set up.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    /// The same seed gives the same values.
    pub seed: u64,
    /// How many beds with cuff, oximeter and thermometer, at most [`BEDS_MAX`].
    pub beds: u8,
    /// What the devices' clocks are set to.
    pub zone: TimeZone,
    /// Names the run in wave blocks.
    pub run: u32,
}

/// One device that is played.
trait Simulated: Debug + Send + Sync {
    /// Which.
    fn id(&self) -> &DeviceId;
    /// How the gateway finds it.
    fn found(&self) -> Heard;
    /// When something happens next, if anything does.
    fn next_due(&self) -> Option<Timestamp>;
    /// Does what is due; something may come of it.
    fn step(&mut self, due: Timestamp, now: Timestamp) -> Option<Heard>;
    /// Makes it fail, now or the next time.
    fn fail(&mut self, fault: SimulatedFault, now: Timestamp) -> Result<(), RequestRefusal>;
    /// Presses its start button, if it has one.
    fn measure(&mut self, _now: Timestamp) -> Result<(), RequestRefusal> {
        Err(RequestRefusal::NotStartable)
    }
    /// Puts it on somebody, or takes it off, if it is worn.
    fn wear(&mut self, _worn: bool, _now: Timestamp) {}
}

/// All simulated devices: `sim-cuff-1`, `sim-oximeter-1`, `sim-thermometer-1`, `sim-cuff-2`, …, and
/// one `sim-strap-1`, `sim-scale-1` and `sim-glucose-1`.
#[derive(Debug)]
pub struct Simulator {
    devices: Vec<Box<dyn Simulated>>,
}

impl Simulator {
    /// A bedside whose devices lie on the table.
    pub fn new(rehearsal: &Rehearsal, now: Timestamp) -> Self {
        let Rehearsal { beds, zone, run, .. } = rehearsal;
        let zone = || zone.clone();
        let seed = |bed: u8| rehearsal.seed.wrapping_mul(31).wrapping_add(u64::from(bed));
        let name = |kind: &str, bed: u8| {
            format!("sim-{kind}-{bed}").parse::<DeviceId>().expect("short visible ASCII")
        };
        let counted = (*run, now);
        let spot = |kind: &str, bed, spot| {
            Box::new(SimulatedSpot::new(name(kind, bed), spot, seed(bed), zone()))
        };
        let mut devices: Vec<Box<dyn Simulated>> = Vec::new();
        for bed in 1..=(*beds).min(BEDS_MAX) {
            devices.push(Box::new(SimulatedCuff::new(name("cuff", bed), seed(bed), zone())));
            let oximeter =
                SimulatedOximeter::new(name("oximeter", bed), seed(bed), counted, zone());
            devices.push(Box::new(oximeter));
            devices.push(spot("thermometer", bed, Spot::Thermometer));
        }
        devices.push(Box::new(SimulatedStrap::new(name("strap", 1), seed(1), counted, zone())));
        devices.push(spot("scale", 1, Spot::Scale));
        devices.push(spot("glucose", 1, Spot::GlucoseMeter));
        Self { devices }
    }

    /// Every device, for the gateway to find.
    pub fn found(&self) -> Vec<Heard> {
        self.devices.iter().map(|device| device.found()).collect()
    }

    /// When something happens next, if anything does.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.devices.iter().filter_map(|device| device.next_due()).min()
    }

    /// The next thing that has happened by `now`, in the order of time. Call it until it is `None`.
    pub fn poll(&mut self, now: Timestamp) -> Option<Heard> {
        loop {
            let due = self.next_due().filter(|due| *due <= now)?;
            let next = self.devices.iter_mut().find(|device| device.next_due() == Some(due))?;
            if let Some(heard) = next.step(due, now) {
                return Some(heard);
            }
        }
    }

    /// Presses the start button.
    pub fn measure(&mut self, device: &DeviceId, now: Timestamp) -> Result<(), RequestRefusal> {
        self.device(device).ok_or(RequestRefusal::UnknownDevice)?.measure(now)
    }

    /// Makes a device fail, now or the next time.
    pub fn fail(
        &mut self,
        device: &DeviceId,
        fault: SimulatedFault,
        now: Timestamp,
    ) -> Result<(), RequestRefusal> {
        self.device(device).ok_or(RequestRefusal::UnknownDevice)?.fail(fault, now)
    }

    /// Puts a worn device on somebody, or takes it off. Others need nothing: they are started.
    pub fn wear(&mut self, device: &DeviceId, worn: bool, now: Timestamp) {
        if let Some(device) = self.device(device) {
            device.wear(worn, now);
        }
    }

    fn device(&mut self, device: &DeviceId) -> Option<&mut Box<dyn Simulated>> {
        self.devices.iter_mut().find(|known| known.id() == device)
    }
}

fn found(device: &DeviceId, name: &str, numbers: &[u16], startable: bool) -> Heard {
    let attributes = numbers.iter().map(|number| Attribute::assigned(*number)).collect();
    Heard::Appeared(Found {
        device: device.clone(),
        offer: Offer { name: name.to_owned(), attributes },
        transport: TransportKind::Simulator,
        battery_percent: Some(87),
        signal_dbm: None,
        startable,
    })
}

#[cfg(test)]
mod tests;
