//! The one thread that writes the outbox: readings and bindings pass through it in one order, many
//! at a time share one write to the disk.

use crate::binding::{BindRequest, Bindings};
use crate::clock::Clock;
use crate::device_clock::ClockHistory;
use crate::outbox::{Group, LeftOff, OUTBOX_ENTRIES_FULL, Outbox, OutboxError};
use crate::run::Run;
use minato_protocol::reading::{DeviceId, DeviceKind, Hex, Outcome, RequestKey};
use minato_protocol::uplink::{Entry, OutboxEntry, RequestRefusal};
use minato_protocol::{Span, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};

/// Commands that wait for the disk. When it is full whoever sends one waits: the transports stop
/// reading and the devices keep what they have.
const COMMANDS_MAX: usize = 256;
/// Commands that share one write.
const GROUP_MAX: usize = 64;
/// A disk that refuses is asked again after this time; meanwhile nothing is taken.
const RETRY_EVERY: Duration = Duration::from_secs(1);

/// The ledger has ended: the gateway is stopping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the gateway is stopping")]
pub struct Stopped;

/// What everybody may know of the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// `seq` of the newest entry on the disk.
    pub last_seq: u64,
    /// Entries not acknowledged.
    pub waiting: u64,
    /// Who wears what.
    pub bindings: Bindings,
    /// The disk refuses to write.
    pub disk_refuses: bool,
}

impl Head {
    /// Whether new bindings are refused for want of space.
    pub fn is_full(&self) -> bool {
        self.waiting >= OUTBOX_ENTRIES_FULL || self.disk_refuses
    }
}

#[derive(Debug)]
enum Command {
    Measured {
        outcome: Box<Outcome>,
        began_at: Timestamp,
    },
    Bind {
        request: BindRequest,
        reply: oneshot::Sender<Result<(), RequestRefusal>>,
    },
    Silent {
        device: DeviceId,
        valued_at: Timestamp,
        now: Timestamp,
    },
    ClockSet {
        by: Span,
        now: Timestamp,
    },
    MachineStarted {
        boot: String,
        kept_time: bool,
    },
    NoteClock {
        device: DeviceId,
        history: ClockHistory,
    },
    NoteKind {
        device: DeviceId,
        kind: DeviceKind,
    },
    NoteRun {
        device: DeviceId,
        run: Option<Run>,
    },
    Acknowledge {
        through: u64,
    },
    After {
        seq: u64,
        entries_max: usize,
        bytes_max: usize,
        reply: oneshot::Sender<Option<Vec<OutboxEntry>>>,
    },
    Settled {
        reply: oneshot::Sender<()>,
    },
}

/// Speaks to the thread. When the last copy is dropped the thread ends.
#[derive(Debug, Clone)]
pub struct Ledger {
    commands: mpsc::Sender<Command>,
    head: watch::Receiver<Head>,
    outbox: Hex<8>,
    clocks: BTreeMap<DeviceId, ClockHistory>,
    left_off: LeftOff,
}

impl Ledger {
    /// Takes over an outbox and starts the thread.
    pub fn start(outbox: Outbox, clock: Clock) -> Result<Self, OutboxError> {
        let bindings = outbox.bindings()?;
        let (id, clocks, left_off) = (outbox.id(), outbox.clocks()?, outbox.left_off()?);
        let (commands, inbox) = mpsc::channel(COMMANDS_MAX);
        let (tell, head) = watch::channel(Head::default());
        let writer = Writer { outbox, bindings, clock, tell };
        writer.tell_head(false);
        std::thread::Builder::new().name("ledger".into()).spawn(move || writer.run(inbox))?;
        Ok(Self { commands, head, outbox: id, clocks, left_off })
    }

    /// The outbox's id.
    pub fn outbox(&self) -> Hex<8> {
        self.outbox
    }

    /// Follows the ledger.
    pub fn head(&self) -> watch::Receiver<Head> {
        self.head.clone()
    }

    /// Hands in what was measured. It returns before the disk has it; [`Self::settled`] waits.
    pub async fn measured(&self, outcome: Outcome, began_at: Timestamp) -> Result<(), Stopped> {
        self.send(Command::Measured { outcome: Box::new(outcome), began_at }).await
    }

    /// Binds or unbinds; returns once it is on the disk. A repeated key is answered like the first.
    pub async fn bind(&self, request: BindRequest) -> Result<Result<(), RequestRefusal>, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Bind { request, reply }).await?;
        answer.await.map_err(|_| Stopped)
    }

    /// A worn device has given no value since `valued_at`: it comes off whoever it has been on for
    /// too long. Whatever is handed in after this is not theirs.
    pub async fn silent(
        &self,
        device: DeviceId,
        valued_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Stopped> {
        self.send(Command::Silent { device, valued_at, now }).await
    }

    /// The gateway's own clock was set forward by this much and shows `now`: see
    /// [`Bindings::clock_set`].
    pub async fn clock_set(&self, by: Span, now: Timestamp) -> Result<(), Stopped> {
        self.send(Command::ClockSet { by, now }).await
    }

    /// Keeps what is known of a device's clock.
    pub async fn note_clock(&self, device: DeviceId, history: ClockHistory) -> Result<(), Stopped> {
        self.send(Command::NoteClock { device, history }).await
    }

    /// What was known of the devices' clocks when the outbox was opened.
    pub fn clocks(&self) -> BTreeMap<DeviceId, ClockHistory> {
        self.clocks.clone()
    }

    /// How the devices were when the outbox was opened.
    pub fn left_off(&self) -> LeftOff {
        self.left_off.clone()
    }

    /// Keeps of what kind a device is.
    pub async fn note_kind(&self, device: DeviceId, kind: DeviceKind) -> Result<(), Stopped> {
        self.send(Command::NoteKind { device, kind }).await
    }

    /// Keeps which measurement of a device goes on, if any.
    pub async fn note_run(&self, device: DeviceId, run: Option<Run>) -> Result<(), Stopped> {
        self.send(Command::NoteRun { device, run }).await
    }

    /// The machine has started anew; where nobody knows how long it was off, see
    /// [`Bindings::machine_off`].
    pub async fn machine_started(&self, boot: String, kept_time: bool) -> Result<(), Stopped> {
        self.send(Command::MachineStarted { boot, kept_time }).await
    }

    /// The broker has everything up to `through`.
    pub async fn acknowledge(&self, through: u64) -> Result<(), Stopped> {
        self.send(Command::Acknowledge { through }).await
    }

    /// See [`Outbox::after`]; `None` when the disk cannot be read.
    pub async fn after(
        &self,
        seq: u64,
        entries_max: usize,
        bytes_max: usize,
    ) -> Result<Option<Vec<OutboxEntry>>, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::After { seq, entries_max, bytes_max, reply }).await?;
        answer.await.map_err(|_| Stopped)
    }

    /// Returns once everything handed in before is on the disk.
    pub async fn settled(&self) -> Result<(), Stopped> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Settled { reply }).await?;
        answer.await.map_err(|_| Stopped)
    }

    async fn send(&self, command: Command) -> Result<(), Stopped> {
        self.commands.send(command).await.map_err(|_| Stopped)
    }
}

struct Writer {
    outbox: Outbox,
    bindings: Bindings,
    clock: Clock,
    tell: watch::Sender<Head>,
}

type Verdict = Result<(), RequestRefusal>;

impl Writer {
    fn run(mut self, mut inbox: mpsc::Receiver<Command>) {
        while let Some(first) = inbox.blocking_recv() {
            let mut group = vec![first];
            while group.len() < GROUP_MAX
                && let Ok(next) = inbox.try_recv()
            {
                group.push(next);
            }
            let verdicts = self.write_until_kept(&group);
            for (command, verdict) in group.into_iter().zip(verdicts) {
                self.answer(command, verdict);
            }
        }
    }

    /// Readings are never dropped: a disk that refuses is asked until it takes them.
    fn write_until_kept(&mut self, group: &[Command]) -> Vec<Verdict> {
        if !group.iter().any(Command::writes) {
            return vec![Ok(()); group.len()];
        }
        loop {
            match self.write(group) {
                Ok(verdicts) => {
                    self.tell_head(false);
                    return verdicts;
                }
                Err(error) => {
                    tracing::error!(%error, commands = group.len(), "the outbox refuses to write");
                    self.tell_head(true);
                    std::thread::sleep(RETRY_EVERY);
                }
            }
        }
    }

    fn write(&mut self, group: &[Command]) -> Result<Vec<Verdict>, OutboxError> {
        let mut bindings = self.bindings.clone();
        let (now, full) = (self.clock.now(), self.outbox.waiting() >= OUTBOX_ENTRIES_FULL);
        let verdicts = self.outbox.commit(|to| {
            let mut step = Step { to, bindings: &mut bindings, now, full };
            group.iter().map(|command| step.take(command)).collect::<Result<Vec<_>, _>>()
        })?;
        self.bindings = bindings;
        // The group is kept already: a wipe that fails is tried again with a later one.
        if self.bindings.iter().next().is_none()
            && let Err(error) = self.outbox.wipe_if_idle()
        {
            tracing::warn!(%error, "the acknowledged entries are not wiped yet");
        }
        Ok(verdicts)
    }

    /// Nobody is told anything before the disk has it. Whoever asked may have gone.
    fn answer(&self, command: Command, verdict: Verdict) {
        match command {
            Command::Measured { .. }
            | Command::Acknowledge { .. }
            | Command::Silent { .. }
            | Command::ClockSet { .. }
            | Command::MachineStarted { .. }
            | Command::NoteClock { .. }
            | Command::NoteKind { .. }
            | Command::NoteRun { .. } => {}
            Command::Bind { reply, .. } => {
                let _ = reply.send(verdict);
            }
            Command::Settled { reply } => {
                let _ = reply.send(());
            }
            Command::After { seq, entries_max, bytes_max, reply } => {
                let found = self.outbox.after(seq, entries_max, bytes_max);
                let found = found.inspect_err(|error| {
                    tracing::error!(%error, "the outbox cannot be read");
                });
                let entries = found.ok().map(|page| {
                    for error in &page.unreadable {
                        tracing::error!(code = "outbox_entry_unreadable", %error, "left out");
                    }
                    page.entries
                });
                let _ = reply.send(entries);
            }
        }
    }

    fn tell_head(&self, disk_refuses: bool) {
        let head = Head {
            last_seq: self.outbox.last_seq(),
            waiting: self.outbox.waiting(),
            bindings: self.bindings.clone(),
            disk_refuses,
        };
        self.tell.send_if_modified(|told| {
            let news = *told != head;
            *told = head;
            news
        });
    }
}

impl Command {
    fn writes(&self) -> bool {
        match self {
            Self::Measured { .. }
            | Self::Bind { .. }
            | Self::Silent { .. }
            | Self::ClockSet { .. }
            | Self::MachineStarted { .. }
            | Self::NoteClock { .. }
            | Self::NoteKind { .. }
            | Self::NoteRun { .. }
            | Self::Acknowledge { .. } => true,
            Self::After { .. } | Self::Settled { .. } => false,
        }
    }
}

/// One command after the other within one write.
struct Step<'a, 'b> {
    to: &'a mut Group<'b>,
    bindings: &'a mut Bindings,
    now: Timestamp,
    full: bool,
}

impl Step<'_, '_> {
    fn take(&mut self, command: &Command) -> Result<Verdict, OutboxError> {
        match command {
            Command::Measured { outcome, began_at } => {
                self.measured(outcome, *began_at)?;
                Ok(Ok(()))
            }
            Command::Bind { request, .. } => self.bind(request),
            Command::Silent { device, valued_at, now } => {
                self.silent(device, *valued_at, *now)?;
                Ok(Ok(()))
            }
            Command::ClockSet { by, now } => {
                self.clock_set(*by, *now)?;
                Ok(Ok(()))
            }
            Command::MachineStarted { boot, kept_time } => {
                self.to.note_machine_start(boot)?;
                if !kept_time {
                    let key = self.own_key("off");
                    self.say(self.bindings.machine_off(&key))?;
                }
                Ok(Ok(()))
            }
            Command::NoteClock { device, history } => {
                self.to.note_clock(device, history)?;
                Ok(Ok(()))
            }
            Command::NoteKind { device, kind } => {
                self.bindings.learn(device, *kind);
                self.to.note_kind(device, *kind)?;
                Ok(Ok(()))
            }
            Command::NoteRun { device, run } => {
                self.to.note_run(device, *run)?;
                Ok(Ok(()))
            }
            Command::Acknowledge { through } => {
                self.to.acknowledge(*through)?;
                Ok(Ok(()))
            }
            Command::After { .. } | Command::Settled { .. } => Ok(Ok(())),
        }
    }

    fn measured(&mut self, outcome: &Outcome, began_at: Timestamp) -> Result<(), OutboxError> {
        let (intermediate, has_time) = match outcome {
            Outcome::Reading(reading) => (reading.is_intermediate(), reading.device_time.is_some()),
            Outcome::Fault(fault) => (false, fault.device_time.is_some()),
        };
        let spare = self.full && intermediate;
        // Only what carries the device's own time can be the same record sent again.
        if spare || (has_time && !self.to.remember_reading(outcome.id())?) {
            return Ok(());
        }
        if let Outcome::Reading(reading) = outcome
            && reading.device.kind.is_worn()
            && !reading.is_error()
        {
            self.to.note_valued(&reading.device.id, reading.gateway_time)?;
        }
        let device = &outcome.device().id;
        let subject = self.bindings.wearer(device, began_at, outcome.measured_at());
        self.to.append(self.now, &Entry::Measured { subject, outcome: outcome.clone() })?;
        Ok(())
    }

    fn silent(
        &mut self,
        device: &DeviceId,
        valued_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), OutboxError> {
        let key = self.own_key("silent");
        let entry = self.bindings.silent(device, valued_at, now, key);
        self.say(entry.into_iter().collect())
    }

    fn clock_set(&mut self, by: Span, now: Timestamp) -> Result<(), OutboxError> {
        self.to.shift(by)?;
        self.bindings.shift(by);
        let key = self.own_key("clock");
        self.say(self.bindings.clock_set(now, &key))
    }

    /// Bindings take effect with what is written of them.
    fn say(&mut self, entries: Vec<Entry>) -> Result<(), OutboxError> {
        for entry in entries {
            self.bindings.apply(&entry);
            self.to.append(self.now, &entry)?;
        }
        Ok(())
    }

    /// Names what nobody asked for.
    fn own_key(&self, why: &str) -> RequestKey {
        format!("{why}-{}", self.to.last_seq() + 1).parse().expect("short visible ASCII")
    }

    fn bind(&mut self, request: &BindRequest) -> Result<Verdict, OutboxError> {
        if !self.to.remember_request(&request.key)? {
            return Ok(Ok(()));
        }
        let decided = match request.subject {
            Some(_) if self.full => Err(RequestRefusal::OutboxFull),
            _ => self.bindings.decide(request.clone(), self.now),
        };
        match decided {
            Ok(entries) => {
                self.say(entries)?;
                Ok(Ok(()))
            }
            Err(refusal) => {
                self.to.forget_request(&request.key)?;
                Ok(Err(refusal))
            }
        }
    }
}
