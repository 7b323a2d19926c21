//! PURE: a bedside to rehearse with. It sends the frames that real devices send, errors included,
//! through the same codecs; time is an argument, so ten minutes pass as fast as they are asked for.

mod body;
mod cuff;
mod oximeter;

use super::{Found, Heard};
use crate::driver::{Attribute, Offer};
use cuff::SimulatedCuff;
use jiff::tz::TimeZone;
use minato_protocol::reading::{DeviceId, TransportKind};
use minato_protocol::uplink::{RequestRefusal, SimulatedFault};
use minato_protocol::{Span, Timestamp};
use oximeter::SimulatedOximeter;

/// How long a fault of an oximeter, or a silence, lasts.
const FAULT_LASTS: Span = Span::seconds(10);
/// Beds that a rehearsal can have.
pub const BEDS_MAX: u8 = 32;

/// How a rehearsal is set up.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    /// The same seed gives the same values.
    pub seed: u64,
    /// How many pairs of cuff and oximeter, at most [`BEDS_MAX`].
    pub beds: u8,
    /// What the devices' clocks are set to.
    pub zone: TimeZone,
    /// Names the run in wave blocks.
    pub run: u32,
}

/// All simulated devices: `sim-cuff-1`, `sim-oximeter-1`, `sim-cuff-2`, …
#[derive(Debug)]
pub struct Simulator {
    cuffs: Vec<SimulatedCuff>,
    oximeters: Vec<SimulatedOximeter>,
}

impl Simulator {
    /// A bedside whose devices lie on the table.
    pub fn new(rehearsal: &Rehearsal, now: Timestamp) -> Self {
        let beds = || 1..=rehearsal.beds.min(BEDS_MAX);
        let seed = |bed: u8| rehearsal.seed.wrapping_mul(31).wrapping_add(u64::from(bed));
        let name = |kind: &str, bed: u8| {
            format!("sim-{kind}-{bed}").parse::<DeviceId>().expect("short visible ASCII")
        };
        Self {
            cuffs: beds()
                .map(|bed| SimulatedCuff::new(name("cuff", bed), seed(bed), rehearsal.zone.clone()))
                .collect(),
            oximeters: beds()
                .map(|bed| {
                    SimulatedOximeter::new(name("oximeter", bed), seed(bed), rehearsal.run, now)
                })
                .collect(),
        }
    }

    /// Every device, for the gateway to find.
    pub fn found(&self) -> Vec<Heard> {
        let cuffs = self.cuffs.iter().map(|cuff| found_cuff(cuff.id()));
        let oximeters = self.oximeters.iter().map(|oximeter| found_oximeter(oximeter.id()));
        cuffs.zip(oximeters).flat_map(|(cuff, oximeter)| [cuff, oximeter]).collect()
    }

    /// When something happens next, if anything does.
    pub fn next_due(&self) -> Option<Timestamp> {
        let cuffs = self.cuffs.iter().filter_map(SimulatedCuff::next_due);
        let oximeters = self.oximeters.iter().filter_map(SimulatedOximeter::next_due);
        cuffs.chain(oximeters).min()
    }

    /// The next thing that has happened by `now`, in the order of time. Call it until it is `None`.
    pub fn poll(&mut self, now: Timestamp) -> Option<Heard> {
        loop {
            let due = self.next_due().filter(|due| *due <= now)?;
            let cuff = self.cuffs.iter_mut().find(|cuff| cuff.next_due() == Some(due));
            let heard = match cuff {
                Some(cuff) => cuff.step(),
                None => self
                    .oximeters
                    .iter_mut()
                    .find(|oximeter| oximeter.next_due() == Some(due))
                    .and_then(|oximeter| oximeter.step(now)),
            };
            if heard.is_some() {
                return heard;
            }
        }
    }

    /// Presses the start button.
    pub fn measure(&mut self, device: &DeviceId, now: Timestamp) -> Result<(), RequestRefusal> {
        if self.oximeters.iter().any(|oximeter| oximeter.id() == device) {
            return Err(RequestRefusal::NotStartable);
        }
        self.cuff(device).ok_or(RequestRefusal::UnknownDevice)?.measure(now)
    }

    /// Makes a device fail, now or the next time.
    pub fn fail(
        &mut self,
        device: &DeviceId,
        fault: SimulatedFault,
        now: Timestamp,
    ) -> Result<(), RequestRefusal> {
        if let Some(cuff) = self.cuff(device) {
            return cuff.fail(fault, now);
        }
        self.oximeter(device).ok_or(RequestRefusal::UnknownDevice)?.fail(fault, now)
    }

    /// Puts an oximeter on a finger, or takes it off. A cuff needs nothing: it is started.
    pub fn wear(&mut self, device: &DeviceId, worn: bool, now: Timestamp) {
        if let Some(oximeter) = self.oximeter(device) {
            oximeter.wear(worn, now);
        }
    }

    fn cuff(&mut self, device: &DeviceId) -> Option<&mut SimulatedCuff> {
        self.cuffs.iter_mut().find(|cuff| cuff.id() == device)
    }

    fn oximeter(&mut self, device: &DeviceId) -> Option<&mut SimulatedOximeter> {
        self.oximeters.iter_mut().find(|oximeter| oximeter.id() == device)
    }
}

fn found_cuff(device: &DeviceId) -> Heard {
    found(device, "Minato Rehearsal Cuff", &[0x2A35, 0x2A36], true)
}

fn found_oximeter(device: &DeviceId) -> Heard {
    found(device, "Minato Rehearsal Oximeter", &[0x2A5F], false)
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
