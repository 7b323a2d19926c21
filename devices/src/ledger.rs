//! The one thread that writes the outbox: readings and bindings pass through it in one order, many
//! at a time share one write to the disk.

mod writer;

use crate::binding::{BindRequest, Bindings};
use crate::clock::Clock;
use crate::device_clock::ClockHistory;
use crate::outbox::{LeftOff, OUTBOX_ENTRIES_FULL, Outbox, OutboxError};
use crate::run::Run;
use minato_protocol::reading::{DeviceId, DeviceKind, Hex, Outcome};
use minato_protocol::uplink::{OutboxEntry, RequestRefusal};
use minato_protocol::{Span, Timestamp};
use std::collections::BTreeMap;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};
use writer::Writer;

/// Commands that wait for the disk. When it is full whoever sends one waits: the transports stop
/// reading and the devices keep what they have.
const COMMANDS_MAX: usize = 256;

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

    /// At the start the gateway's clock is found to show `now`, which is by so much less than it
    /// showed before: what was known by the clock of then is shifted, here too.
    pub async fn clock_behind(&mut self, by: Span, now: Timestamp) -> Result<(), Stopped> {
        self.left_off.shift(by);
        for (device, mut history) in self.clocks.clone() {
            history.gateway_set(by);
            self.clocks.insert(device.clone(), history);
            self.note_clock(device, history).await?;
        }
        self.clock_set(by, now).await
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
