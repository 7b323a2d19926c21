//! The bench on which the devices lie: hands each frame to its device's driver, what comes of it
//! to the ledger, and each wave to those who may see it.

use crate::driver::{Attribute, Driver, Message, Piece, Said, family_of};
use crate::ledger::{Head, Ledger, Stopped};
use crate::reading::{Received, outcome};
use crate::transport::simulator::BEDS_MAX;
use crate::transport::{Found, Heard};
use crate::waves::WornBlock;
use jiff::tz::TimeZone;
use minato_protocol::reading::{Device, DeviceId, Hex, Samples, TransportKind, WaveBlock};
use minato_protocol::uplink::DeviceStatus;
use minato_protocol::{GatewayId, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc, watch};

/// Devices at one gateway; a further one is not heard, and the log says so.
pub(crate) const DEVICES_MAX: usize = 2 * BEDS_MAX as usize;
/// Longest model name that is kept of what a device says about itself.
const MODEL_CHARS_MAX: usize = 40;

/// Everything that the bench needs.
#[derive(Debug)]
pub(crate) struct Bench {
    gateway: GatewayId,
    boot: Hex<8>,
    zone: TimeZone,
    ledger: Ledger,
    waves: broadcast::Sender<WornBlock>,
    tell: watch::Sender<Vec<DeviceStatus>>,
    devices: BTreeMap<DeviceId, Hung>,
}

/// A device that hangs at the gateway.
#[derive(Debug)]
struct Hung {
    device: Device,
    driver: Box<dyn Driver>,
    transport: TransportKind,
    sequence: u64,
    connected: bool,
    measuring: bool,
    battery_percent: Option<u8>,
    signal_dbm: Option<i8>,
    startable: bool,
    last_frame_at: Option<Timestamp>,
}

impl Bench {
    /// A bench without devices.
    pub(crate) fn new(
        gateway: GatewayId,
        boot: Hex<8>,
        zone: TimeZone,
        ledger: Ledger,
        waves: broadcast::Sender<WornBlock>,
        tell: watch::Sender<Vec<DeviceStatus>>,
    ) -> Self {
        Self { gateway, boot, zone, ledger, waves, tell, devices: BTreeMap::new() }
    }

    /// Listens until the transports or the ledger are gone.
    pub(crate) async fn run(mut self, mut heard: mpsc::Receiver<Heard>) -> Result<(), Stopped> {
        let mut head = self.ledger.head();
        loop {
            tokio::select! {
                next = heard.recv() => match next {
                    Some(heard) => self.hear(heard).await?,
                    None => return Ok(()),
                },
                changed = head.changed() => changed.map_err(|_| Stopped)?,
            }
            self.tell_status(&head.borrow_and_update());
        }
    }

    async fn hear(&mut self, heard: Heard) -> Result<(), Stopped> {
        match heard {
            Heard::Appeared(found) => self.appear(found),
            Heard::Gone { device } => {
                if let Some(hung) = self.devices.get_mut(&device) {
                    hung.connected = false;
                }
            }
            Heard::Bytes { device, from, bytes, at } => {
                self.bytes(&device, from, &bytes, at).await?;
            }
            Heard::ClockSet { .. } | Heard::Obstructed { .. } => {}
            Heard::Wave(block) => self.wave(block),
        }
        Ok(())
    }

    /// A device that is back keeps its driver: the driver knows which measurement is under way.
    fn appear(&mut self, found: Found) {
        let Found { device: id, offer, transport, battery_percent, signal_dbm, startable } = found;
        if let Some(hung) = self.devices.get_mut(&id) {
            hung.connected = true;
            hung.battery_percent = battery_percent;
            hung.signal_dbm = signal_dbm;
            return;
        }
        let Some(family) = family_of(&offer) else {
            tracing::info!(device = %id, "no driver knows this device");
            return;
        };
        if self.devices.len() >= DEVICES_MAX {
            tracing::warn!(device = %id, "too many devices: this one is not heard");
            return;
        }
        let driver = (family.make)();
        let meta = driver.meta();
        let model = offer.name.chars().filter(|c| !c.is_control()).take(MODEL_CHARS_MAX).collect();
        tracing::info!(device = %id, driver = meta.name, "a device hangs here");
        let hung = Hung {
            device: Device { id: id.clone(), kind: meta.kind, model },
            driver,
            transport,
            sequence: 0,
            connected: true,
            measuring: false,
            battery_percent,
            signal_dbm,
            startable,
            last_frame_at: None,
        };
        self.devices.insert(id, hung);
    }

    async fn bytes(
        &mut self,
        device: &DeviceId,
        from: Attribute,
        bytes: &[u8],
        at: Timestamp,
    ) -> Result<(), Stopped> {
        let Some(hung) = self.devices.get_mut(device) else { return Ok(()) };
        let mut said = Vec::new();
        hung.driver.on_bytes(from, bytes, at, &mut said);
        hung.measuring = hung.driver.is_measuring(at);
        for said in said {
            match said {
                Said::Frame(message) => self.message(device, message, at).await?,
                Said::Wave(piece) => self.piece(device, piece),
                Said::Battery(percent) => {
                    if let Some(hung) = self.devices.get_mut(device) {
                        hung.battery_percent = Some(percent);
                    }
                }
                Said::Clock(_) => {}
            }
        }
        Ok(())
    }

    async fn message(
        &mut self,
        device: &DeviceId,
        message: Message,
        at: Timestamp,
    ) -> Result<(), Stopped> {
        let Some(hung) = self.devices.get_mut(device) else { return Ok(()) };
        hung.sequence += 1;
        hung.last_frame_at = Some(at);
        let received = Received {
            device: &hung.device,
            gateway: self.gateway,
            transport: hung.transport,
            driver: hung.driver.meta().name,
            characteristic: message.characteristic,
            raw: &message.raw,
            boot: self.boot,
            sequence: hung.sequence,
            at,
        };
        let outcome = outcome(&received, message.frame, &self.zone);
        self.ledger.measured(outcome, message.began_at).await
    }

    fn piece(&self, device: &DeviceId, piece: Piece) {
        let [a, b, c, d, ..] = self.boot.0;
        self.wave(WaveBlock {
            device: device.clone(),
            kind: piece.kind,
            run: u32::from_be_bytes([a, b, c, d]),
            first_sample: piece.first_sample,
            rate_num: piece.rate_num,
            rate_den: piece.rate_den,
            at: piece.at,
            microvolts_per_step: piece.microvolts_per_step,
            samples: Samples(piece.samples),
        });
    }

    /// A wave of a device that is on nobody is shown to nobody.
    fn wave(&self, block: WaveBlock) {
        let subject =
            self.ledger.head().borrow().bindings.of(&block.device).map(|binding| binding.subject);
        if let Some(subject) = subject {
            // Nobody listens while no visit is under way.
            let _ = self.waves.send((subject, Arc::new(block)));
        }
    }

    fn tell_status(&self, head: &Head) {
        let status = self.devices.values().map(|hung| DeviceStatus {
            device: hung.device.id.clone(),
            kind: hung.device.kind,
            model: hung.device.model.clone(),
            connected: hung.connected,
            battery_percent: hung.battery_percent,
            bound: head.bindings.of(&hung.device.id).map(|binding| binding.subject),
            measuring: hung.measuring,
            startable: hung.startable,
            last_frame_at: hung.last_frame_at,
            signal_dbm: hung.signal_dbm,
            clock_off: None,
            trouble: None,
        });
        let status: Vec<_> = status.collect();
        self.tell.send_if_modified(|told| {
            let news = *told != status;
            *told = status;
            news
        });
    }
}
