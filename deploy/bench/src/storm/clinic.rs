//! The gateway in the storm: its bench and its disk, beside an account of what they should hold.

use super::Tally;
use super::world::{Event, Truth, World};
use jiff::tz::TimeZone;
use minato_devices::bench::Bench;
use minato_devices::binding::{BindRequest, SILENCE_UNBINDS};
use minato_devices::clock::Clock;
use minato_devices::driver::{Attribute, Offer};
use minato_devices::ledger::Ledger;
use minato_devices::outbox::Outbox;
use minato_devices::transport::{Found, Heard};
use minato_protocol::reading::{DeviceId, Hex, HexBytes, Outcome, TransportKind};
use minato_protocol::uplink::{Entry, OutboxEntry};
use minato_protocol::{GatewayId, StaffId, SubjectId, Timestamp};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::sync::{broadcast, watch};

pub(crate) const GATEWAY: GatewayId = GatewayId(1);
const T0_MS: i64 = 1_795_300_000_000;
const NURSE: StaffId = StaffId(9);
/// Clocks that show whole seconds, and a run of which only the end is known, leave the order of two
/// things within this open.
const COARSE_MS: i64 = 2_000;

/// On whom a device is, as it was said, by true time.
#[derive(Debug, Clone, Copy)]
struct Said {
    subject: SubjectId,
    since_ms: i64,
    put_on_ms: i64,
    /// It counts from a setting of the clock and not from the binding.
    by_clock: bool,
}

/// Why a reading may be nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    OnNobody,
    BeforeBinding,
    Silent,
    ClockSet,
}

/// What the disk should hold next.
#[derive(Debug)]
struct Fed {
    device: DeviceId,
    raw: Vec<u8>,
    truth: Truth,
    why: Option<Why>,
    /// Within the coarseness of clocks, nobody or the wearer are both right.
    either: bool,
}

#[derive(Debug, Default)]
struct Account {
    said: BTreeMap<usize, Said>,
    valued_ms: BTreeMap<usize, i64>,
    silenced: HashSet<usize>,
    known: HashSet<(usize, Vec<u8>)>,
    fed: VecDeque<Fed>,
}

/// The gateway, its nurses and its account.
pub(crate) struct Clinic {
    world: World,
    folder: PathBuf,
    zone: TimeZone,
    clock: Clock,
    wall: Arc<AtomicI64>,
    steady: Arc<AtomicI64>,
    off_ms: i64,
    bench: Bench,
    ledger: Ledger,
    account: Account,
    looked_at: u64,
    binds: u64,
    pub(crate) tally: Tally,
}

impl Clinic {
    pub(crate) async fn open(seed: u64, folder: &Path) -> anyhow::Result<Self> {
        let zone = TimeZone::get("Asia/Tokyo")?;
        let (wall, steady) = (Arc::new(AtomicI64::new(T0_MS)), Arc::new(AtomicI64::new(T0_MS)));
        let read = |from: &Arc<AtomicI64>| {
            let from = Arc::clone(from);
            move || Timestamp(from.load(Ordering::SeqCst))
        };
        let clock = Clock::beside(read(&wall), read(&steady));
        let (bench, ledger) = start(folder, &zone, &clock, 0)?;
        let mut clinic = Self {
            world: World::new(seed, T0_MS, zone.clone()),
            folder: folder.to_owned(),
            zone,
            clock,
            wall,
            steady,
            off_ms: 0,
            bench,
            ledger,
            account: Account::default(),
            looked_at: 0,
            binds: 0,
            tally: Tally { starts: 1, ..Tally::default() },
        };
        clinic.appear().await?;
        Ok(clinic)
    }

    /// The gateway's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Every device is found, and its clock is read.
    async fn appear(&mut self) -> anyhow::Result<()> {
        for device in 0..self.world.devices() {
            let numbers: &[u16] =
                if self.world.is_cuff(device) { &[0x2A35, 0x2A36] } else { &[0x2A5F] };
            let attributes = numbers.iter().map(|number| Attribute::assigned(*number)).collect();
            self.bench
                .hear(Heard::Appeared(Found {
                    device: id(device),
                    offer: Offer { name: "any".into(), attributes },
                    transport: TransportKind::Bluetooth,
                    battery_percent: None,
                    signal_dbm: None,
                    startable: false,
                }))
                .await?;
            if self.world.is_cuff(device) {
                let bytes = self.world.clock_shown(device).to_vec();
                self.hear(device, Attribute::CURRENT_TIME, bytes).await?;
            }
        }
        Ok(())
    }

    async fn hear(&mut self, device: usize, from: Attribute, bytes: Vec<u8>) -> anyhow::Result<()> {
        let heard = Heard::Bytes { device: id(device), from, bytes, at: self.clock.now() };
        Ok(self.bench.hear(heard).await?)
    }

    /// One thing happens.
    pub(crate) async fn step(&mut self) -> anyhow::Result<()> {
        let event = self.world.next();
        self.steady.store(self.world.now_ms, Ordering::SeqCst);
        self.wall.store(self.world.now_ms + self.off_ms, Ordering::SeqCst);
        match event {
            Event::Says { device, number, bytes, truth } => {
                if let Some(truth) = truth {
                    self.expect(device, &bytes, truth, number);
                }
                self.hear(device, Attribute::assigned(number), bytes).await
            }
            Event::Bind { device, subject } => {
                let off = self.off(device);
                let request = BindRequest { subject: Some(subject), takes_over: true, ..off };
                self.ledger
                    .bind(request)
                    .await?
                    .map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?;
                let is_cuff = self.world.is_cuff(device);
                let is_peer = |other: usize| self.world.is_cuff(other) == is_cuff;
                self.account.bound(device, subject, self.world.now_ms, is_peer);
                Ok(())
            }
            Event::Unbind { device } => {
                // It may be on nobody.
                let off = self.off(device);
                let _ = self.ledger.bind(off).await?;
                self.account.said.remove(&device);
                self.account.silenced.remove(&device);
                Ok(())
            }
            Event::ClockSet { by_ms } => {
                self.off_ms += by_ms;
                self.wall.store(self.world.now_ms + self.off_ms, Ordering::SeqCst);
                self.account.clock_set(self.world.now_ms);
                // Whatever is heard next tells the bench.
                self.hear(0, Attribute::BATTERY_LEVEL, vec![80]).await
            }
            Event::Restart => self.restart().await,
        }
    }

    fn off(&mut self, device: usize) -> BindRequest {
        self.binds += 1;
        let key = format!("k{}", self.binds).parse().expect("short visible ASCII");
        BindRequest::off(key, id(device), NURSE)
    }

    async fn restart(&mut self) -> anyhow::Result<()> {
        self.ledger.settled().await?;
        self.tally.starts += 1;
        let (bench, ledger) = reopened(self, self.tally.starts).await?;
        (self.bench, self.ledger) = (bench, ledger);
        self.appear().await
    }

    /// Writes down what the disk should hold of a message.
    fn expect(&mut self, device: usize, raw: &[u8], truth: Truth, number: u16) {
        let now_ms = self.world.now_ms;
        let is_worn = !self.world.is_cuff(device);
        if is_worn {
            self.account.end_silence(device, now_ms);
            self.account.valued_ms.insert(device, now_ms);
        }
        // Only a result carries the device's time and is known again.
        if number == 0x2A35 && !self.account.known.insert((device, raw.to_vec())) {
            self.tally.repeated += 1;
            return;
        }
        self.tally.measured += 1;
        let (why, either) = self.account.why(device, truth);
        self.account.fed.push_back(Fed {
            device: id(device),
            raw: raw.to_vec(),
            truth,
            why,
            either,
        });
    }

    /// Compares what the disk holds with the account; returns it for the broker.
    pub(crate) async fn look_at_disk(&mut self) -> anyhow::Result<Vec<OutboxEntry>> {
        self.ledger.settled().await?;
        let entries = self.ledger.after(self.looked_at, usize::MAX, usize::MAX).await?;
        let entries = entries.ok_or_else(|| anyhow::anyhow!("the outbox cannot be read"))?;
        for line in &entries {
            self.looked_at = line.seq;
            let Entry::Measured { subject, outcome } = &line.entry else { continue };
            self.compare(*subject, outcome)?;
        }
        // All that was fed is settled: what is left never reached the disk.
        self.tally.lost += self.account.fed.len() as u64;
        self.account.fed.clear();
        Ok(entries)
    }

    fn compare(&mut self, subject: Option<SubjectId>, outcome: &Outcome) -> anyhow::Result<()> {
        let raw = match outcome {
            Outcome::Reading(reading) => &reading.provenance.raw,
            Outcome::Fault(fault) => &fault.provenance.raw,
        };
        let matches =
            |fed: &Fed| fed.device == outcome.device().id && HexBytes(fed.raw.clone()) == *raw;
        let Some(place) = self.account.fed.iter().position(matches) else {
            self.tally.doubled += 1;
            return Ok(());
        };
        // What stands before it was fed before it and is not there.
        self.tally.lost += place as u64;
        let fed = self.account.fed.drain(..=place).next_back().expect("it was found there");
        let count = match (subject, fed.why) {
            (Some(subject), _) if Some(subject) != fed.truth.wearer => &mut self.tally.wrong,
            (Some(_), _) => &mut self.tally.right,
            (None, Some(Why::OnNobody)) => &mut self.tally.on_nobody,
            (None, Some(Why::BeforeBinding)) => &mut self.tally.before_binding,
            (None, Some(Why::Silent)) => &mut self.tally.silent,
            (None, Some(Why::ClockSet)) => &mut self.tally.clock_set,
            (None, None) if fed.either => &mut self.tally.before_binding,
            (None, None) => &mut self.tally.unexplained,
        };
        *count += 1;
        Ok(())
    }

    /// The broker has everything up to `through`.
    pub(crate) async fn acknowledge(&self, through: u64) -> anyhow::Result<()> {
        Ok(self.ledger.acknowledge(through).await?)
    }
}

impl Account {
    /// Another device of its kind comes off the same person.
    fn bound(
        &mut self,
        device: usize,
        subject: SubjectId,
        now_ms: i64,
        is_peer: impl Fn(usize) -> bool,
    ) {
        self.silenced.remove(&device);
        let same = self.said.get(&device).is_some_and(|said| said.subject == subject);
        if !same {
            self.said.retain(|other, said| !(is_peer(*other) && said.subject == subject));
            let said = Said { subject, since_ms: now_ms, put_on_ms: now_ms, by_clock: false };
            self.said.insert(device, said);
        }
    }

    fn clock_set(&mut self, now_ms: i64) {
        for said in self.said.values_mut() {
            said.since_ms = now_ms;
            said.by_clock = true;
        }
    }

    fn end_silence(&mut self, device: usize, now_ms: i64) {
        let Some(said) = self.said.get(&device) else { return };
        let valued_ms = self.valued_ms.get(&device).copied().unwrap_or(0);
        if now_ms - said.put_on_ms.max(valued_ms) > SILENCE_UNBINDS.0 {
            self.said.remove(&device);
            self.silenced.insert(device);
        }
    }

    /// Why a measurement is nobody's, and whether clocks are too coarse to say.
    fn why(&self, device: usize, truth: Truth) -> (Option<Why>, bool) {
        let Some(said) = self.said.get(&device) else {
            let silenced = self.silenced.contains(&device);
            return (Some(if silenced { Why::Silent } else { Why::OnNobody }), false);
        };
        let began_ms = truth.began_ms.min(truth.measured_ms);
        let either = (began_ms - said.since_ms).abs() <= COARSE_MS;
        let before = began_ms < said.since_ms;
        let why = if said.by_clock { Why::ClockSet } else { Why::BeforeBinding };
        (before.then_some(why), either)
    }
}

fn id(device: usize) -> DeviceId {
    format!("d{device}").parse().expect("short visible ASCII")
}

fn start(
    folder: &Path,
    zone: &TimeZone,
    clock: &Clock,
    run: u64,
) -> anyhow::Result<(Bench, Ledger)> {
    let ledger = Ledger::start(Outbox::open(folder)?, clock.clone())?;
    let (tell, _) = watch::channel(Vec::new());
    let (waves, _) = broadcast::channel(4);
    let who = (GATEWAY, Hex(run.to_be_bytes()));
    let around = (zone.clone(), clock.clone());
    Ok((Bench::new(who, around, ledger.clone(), waves, tell), ledger))
}

/// The thread of the ledger before lets go of the file a moment after its last handle is gone.
async fn reopened(clinic: &mut Clinic, run: u64) -> anyhow::Result<(Bench, Ledger)> {
    let elsewhere = tempfile::tempdir()?;
    let idle = start(elsewhere.path(), &clinic.zone, &clinic.clock, run)?;
    (clinic.bench, clinic.ledger) = idle;
    let given_up = std::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        match start(&clinic.folder, &clinic.zone, &clinic.clock, run) {
            Ok(started) => return Ok(started),
            Err(error) if std::time::Instant::now() > given_up => return Err(error),
            Err(_) => tokio::task::yield_now().await,
        }
    }
}
