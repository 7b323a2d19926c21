//! The bench on which the devices lie: hands each frame to its device's driver, what comes of it
//! to the ledger, and each wave to those who may see it.

mod hung;

use crate::binding::SILENCE_UNBINDS;
use crate::clock::Clock;
use crate::codec::{Frame, FrameTime};
use crate::device_clock::{ClockHistory, ClockPair};
use crate::driver::{Attribute, Message, Piece, Said, family_of};
use crate::ledger::{Head, Ledger, Stopped};
use crate::outbox::LeftOff;
use crate::reading::{Received, civil_at, outcome};
use crate::run::Run;
use crate::transport::simulator::SIMULATED_MAX;
use crate::transport::{Found, Heard};
use crate::waves::WornBlock;
use hung::Hung;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use minato_protocol::reading::{Characteristic, DeviceId, Hex, Samples, WaveBlock};
use minato_protocol::uplink::DeviceStatus;
use minato_protocol::{GatewayId, Span, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, watch};

/// Devices at one gateway; a further one is not heard, and the log says so.
pub(crate) const DEVICES_MAX: usize = if SIMULATED_MAX > 64 { SIMULATED_MAX } else { 64 };
/// A gateway's clock that moved by more than this against a steady one was set by somebody.
pub(crate) const CLOCK_SET: Span = Span::seconds(5);
/// Cuffs take 30 to 45 seconds: the run of a result that came by itself, without the pressures before
/// it, may have begun so long before.
const CUFF_RUNS_FOR: Span = Span::seconds(45);
/// A result that is older than this by its device's known clock was not seen live.
const LIVE_FOR: Span = Span::seconds(15);
/// How often it is looked whether a device was silent.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Everything that the bench needs.
#[derive(Debug)]
pub struct Bench {
    gateway: GatewayId,
    boot: Hex<8>,
    zone: TimeZone,
    clock: Clock,
    ledger: Ledger,
    waves: broadcast::Sender<WornBlock>,
    tell: watch::Sender<Vec<DeviceStatus>>,
    devices: BTreeMap<DeviceId, Hung>,
    clocks: BTreeMap<DeviceId, ClockHistory>,
    /// How the gateway before this one left off.
    left: LeftOff,
    /// See [`Clock::offset`].
    clock_offset: Span,
}

impl Bench {
    /// A bench without devices.
    pub fn new(
        (gateway, boot): (GatewayId, Hex<8>),
        (zone, clock): (TimeZone, Clock),
        ledger: Ledger,
        waves: broadcast::Sender<WornBlock>,
        tell: watch::Sender<Vec<DeviceStatus>>,
    ) -> Self {
        let clocks = ledger.clocks();
        let devices = BTreeMap::new();
        let (left, clock_offset) = (ledger.left_off(), clock.offset());
        Self {
            gateway,
            boot,
            zone,
            clock,
            ledger,
            waves,
            tell,
            devices,
            clocks,
            left,
            clock_offset,
        }
    }

    /// Listens until the transports or the ledger are gone.
    pub(crate) async fn run(mut self, mut heard: mpsc::Receiver<Heard>) -> Result<(), Stopped> {
        let mut head = self.ledger.head();
        let mut looks = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                next = heard.recv() => match next {
                    Some(heard) => self.hear(heard).await?,
                    None => return Ok(()),
                },
                changed = head.changed() => changed.map_err(|_| Stopped)?,
                _ = looks.tick() => {
                    self.look_at_clock().await?;
                    self.look_for_silence().await?;
                }
            }
            self.tell_status(&head.borrow_and_update());
        }
    }

    /// Takes what a transport heard.
    pub async fn hear(&mut self, heard: Heard) -> Result<(), Stopped> {
        self.look_at_clock().await?;
        match heard {
            Heard::Appeared(found) => self.appear(found).await?,
            Heard::Gone { device } => {
                if let Some(hung) = self.devices.get_mut(&device) {
                    hung.connected = false;
                }
            }
            Heard::Obstructed { device, by } => {
                if let Some(hung) = self.devices.get_mut(&device) {
                    hung.obstructed = by;
                }
            }
            Heard::Bytes { device, from, bytes, at } => {
                self.bytes(&device, from, &bytes, at).await?;
            }
            Heard::ClockSet { device, at } => self.clock_set(&device, at).await?,
            Heard::Wave(block) => self.wave(block),
        }
        Ok(())
    }

    /// A device that is back keeps its driver and what is known of it.
    async fn appear(&mut self, found: Found) -> Result<(), Stopped> {
        if let Some(hung) = self.devices.get_mut(&found.device) {
            hung.is_back(&found, self.clock.now());
            return Ok(());
        }
        let device = found.device.clone();
        let Some(family) = family_of(&found.offer) else {
            tracing::info!(%device, "no driver knows this device");
            return Ok(());
        };
        if self.devices.len() >= DEVICES_MAX && !self.let_one_go() {
            tracing::warn!(%device, "too many devices: this one is not heard");
            return Ok(());
        }
        let driver = (family.make)();
        let kind = driver.meta().kind;
        tracing::info!(%device, driver = driver.meta().name, "a device hangs here");
        // Its silence and its measurement go on from before a restart.
        let valued_at = self.left.valued.get(&device).copied().unwrap_or(Timestamp(0));
        let run = self.left.runs.get(&device).copied();
        let hung = Hung::new(found, driver, (self.clock.now(), valued_at), run);
        self.devices.insert(device.clone(), hung);
        self.ledger.note_kind(device, kind).await
    }

    /// Forgets the device that is away for longest and on nobody; `false` if there is none.
    fn let_one_go(&mut self) -> bool {
        let head = self.ledger.head();
        let bindings = &head.borrow().bindings;
        let away = self
            .devices
            .iter()
            .filter(|(device, hung)| !hung.connected && bindings.of(device).is_none());
        let longest = away.min_by_key(|(_, hung)| hung.spoke_at).map(|(device, _)| device.clone());
        longest.is_some_and(|device| self.devices.remove(&device).is_some())
    }

    async fn bytes(
        &mut self,
        device: &DeviceId,
        from: Attribute,
        bytes: &[u8],
        at: Timestamp,
    ) -> Result<(), Stopped> {
        let Some(hung) = self.devices.get_mut(device) else { return Ok(()) };
        for said in hung.read(from, bytes, at) {
            match said {
                Said::Frame(message) => self.message(device, message, at).await?,
                Said::Wave(piece) => self.piece(device, piece),
                Said::Battery(percent) => {
                    if let Some(hung) = self.devices.get_mut(device) {
                        hung.battery_percent = Some(percent);
                    }
                }
                Said::Clock(shown) => self.clock_read(device, shown, at).await?,
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
        let clock = self.clocks.get(device).copied().unwrap_or_default();
        self.end_silence(device, at).await?;
        let Some(hung) = self.devices.get_mut(device) else { return Ok(()) };
        let run = hung.run_at(at);
        let from_memory = is_from_memory(&message, run, &clock, at, &self.zone);
        let seen = message.live || run.is_some_and(|run| run.is_seen(at));
        let live = seen && !from_memory;
        hung.sequence += 1;
        let received = Received {
            device: &hung.device,
            gateway: self.gateway,
            transport: hung.transport,
            driver: hung.driver_name(),
            characteristic: message.characteristic,
            raw: &message.raw,
            boot: self.boot,
            sequence: hung.sequence,
            at,
            live,
            clock,
        };
        let outcome = outcome(&received, message.frame, &self.zone);
        hung.heard(&outcome, at);
        // A memory that does not tell when it was: nobody knows who wore the device then.
        let unknown = !live && hung.may_be_memory(&outcome, at);
        let of_run = run.filter(|_| !from_memory && !unknown);
        let began_at = match of_run {
            Some(run) => run.began_at,
            None if unknown => Timestamp(i64::MIN),
            None if message.characteristic == Characteristic::BloodPressure => {
                outcome.measured_at() - CUFF_RUNS_FOR
            }
            None => at,
        };
        let goes_on = if message.characteristic.is_intermediate() {
            Some(Run::after_value(run, at))
        } else {
            // Its result ends a run; another one's does not.
            run.filter(|_| of_run.is_none())
        };
        if hung.run != goes_on {
            hung.run = goes_on;
            self.ledger.note_run(device.clone(), goes_on).await?;
        }
        self.ledger.measured(outcome, began_at).await
    }

    /// Notices that the gateway's own clock was set, before anything more is measured by it. What was
    /// known of the devices' clocks was known against the clock before.
    async fn look_at_clock(&mut self) -> Result<(), Stopped> {
        let offset = self.clock.offset();
        let by = offset.0 - self.clock_offset.0;
        if by.abs() <= CLOCK_SET.0 {
            return Ok(());
        }
        tracing::warn!(by_ms = by, "the gateway's clock was set: bindings count from now on");
        self.clock_offset = offset;
        for hung in self.devices.values_mut() {
            hung.shift(Span(by));
        }
        self.left.shift(Span(by));
        for history in self.clocks.values_mut() {
            history.gateway_set(Span(by));
        }
        for (device, history) in &self.clocks {
            self.ledger.note_clock(device.clone(), *history).await?;
        }
        self.ledger.clock_set(Span(by), self.clock.now()).await
    }

    /// Real time has to pass too: a clock that was stepped finds frames still on their way.
    async fn look_for_silence(&mut self) -> Result<(), Stopped> {
        let really = Duration::from_millis(SILENCE_UNBINDS.0.unsigned_abs());
        let quiet = self.devices.iter().filter(|(_, hung)| hung.spoke_at.elapsed() > really);
        let quiet: Vec<_> = quiet.map(|(device, _)| device.clone()).collect();
        for device in quiet {
            self.end_silence(&device, self.clock.now()).await?;
        }
        Ok(())
    }

    /// A worn device that was silent for too long comes off before anything more is somebody's.
    async fn end_silence(&self, device: &DeviceId, now: Timestamp) -> Result<(), Stopped> {
        let Some(hung) = self.devices.get(device).filter(|hung| hung.device.kind.is_worn()) else {
            return Ok(());
        };
        let valued_at = hung.valued_at;
        // What is told of the ledger may lag behind it: whether the device comes off is decided there.
        let is_on = self.ledger.head().borrow().bindings.of(device).is_some();
        if !is_on || now - valued_at <= SILENCE_UNBINDS {
            return Ok(());
        }
        self.ledger.silent(device.clone(), valued_at, now).await
    }

    async fn clock_read(
        &mut self,
        device: &DeviceId,
        shown: DateTime,
        at: Timestamp,
    ) -> Result<(), Stopped> {
        let Some(shown) = civil_at(shown, &self.zone) else { return Ok(()) };
        self.note_clock(device, |history| history.read(ClockPair { device: shown, gateway: at }))
            .await
    }

    async fn clock_set(&mut self, device: &DeviceId, at: Timestamp) -> Result<(), Stopped> {
        self.note_clock(device, |history| history.set(at)).await
    }

    async fn note_clock(
        &mut self,
        device: &DeviceId,
        change: impl FnOnce(&mut ClockHistory),
    ) -> Result<(), Stopped> {
        if !self.devices.contains_key(device) {
            return Ok(());
        }
        let history = self.clocks.entry(device.clone()).or_default();
        change(history);
        let history = *history;
        self.ledger.note_clock(device.clone(), history).await
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
        let now = self.clock.now();
        let status = self.devices.iter().map(|(device, hung)| {
            let bound = head.bindings.of(device).map(|binding| binding.subject);
            let clock_off = self.clocks.get(device).and_then(|history| history.now);
            hung.status(now, bound, clock_off.map(|pair| pair.off()))
        });
        let status: Vec<_> = status.collect();
        self.tell.send_if_modified(|told| {
            let news = *told != status;
            *told = status;
            news
        });
    }
}

/// A record that a device sends from its memory in the middle of a measurement looks like that
/// measurement's result, but for its time.
fn is_from_memory(
    message: &Message,
    run: Option<Run>,
    clock: &ClockHistory,
    at: Timestamp,
    zone: &TimeZone,
) -> bool {
    let Ok(Frame { time: FrameTime::Civil(civil), .. }) = message.frame else { return false };
    let Some(said) = civil_at(civil, zone).filter(|_| clock.now.is_some()) else { return false };
    let measured_at = said + clock.correction(said, at);
    at - measured_at > LIVE_FOR || run.is_some_and(|run| run.is_after(measured_at))
}

#[cfg(test)]
mod tests;
