//! The thread itself: takes what is handed in, a group a write, and answers once the disk has it.

use super::{Command, Head};
use crate::binding::{BindRequest, Bindings};
use crate::clock::Clock;
use crate::outbox::{Group, OUTBOX_ENTRIES_FULL, Outbox, OutboxError};
use minato_protocol::reading::{DeviceId, Outcome, RequestKey};
use minato_protocol::uplink::{Entry, RequestRefusal};
use minato_protocol::{Span, Timestamp};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Commands that share one write.
const GROUP_MAX: usize = 64;
/// A disk that refuses is asked again after this time; meanwhile nothing is taken.
const RETRY_EVERY: Duration = Duration::from_secs(1);

pub(super) struct Writer {
    pub(super) outbox: Outbox,
    pub(super) bindings: Bindings,
    pub(super) clock: Clock,
    pub(super) tell: watch::Sender<Head>,
}

type Verdict = Result<(), RequestRefusal>;

impl Writer {
    pub(super) fn run(mut self, mut inbox: mpsc::Receiver<Command>) {
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

    pub(super) fn tell_head(&self, disk_refuses: bool) {
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
