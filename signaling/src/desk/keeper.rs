//! One task keeps one stream's state: load, decide, append; on a conflict reload; then tell.

use super::bell::Bell;
use crate::aggregate::{Aggregate, CommandKey, Keys, Known};
use crate::clock::Clock;
use crate::log::{APPEND_EVENTS_MAX, AppendError, Draft, EventLog, StreamId};
use minato_protocol::{Code, TicketId};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};

/// Commands that may wait for one stream. When it is full the next one is told to come again.
pub(super) const MAILBOX_MAX: usize = 1_024;
/// Commands decided together and made durable by one append.
const BATCH_MAX: usize = 64;
/// How often a batch is decided again after another node wrote first.
const CONFLICTS_MAX: usize = 16;
const READ_EVENTS: usize = 1_000;
/// A snapshot is put away every so many events, off the way of whoever waits.
const EVENTS_A_SNAPSHOT: u64 = 1_000;

/// A state that is durable, with the version of its stream.
#[derive(Debug, Default)]
pub struct Seen<A> {
    /// The fold of all events so far.
    pub state: A,
    /// How many events that was.
    pub version: u64,
}

/// What became of a command.
#[derive(Debug)]
pub struct Settled<A: Aggregate> {
    /// What happened; empty when there was nothing to do or the key was carried out before.
    pub events: Vec<A::Event>,
    /// The key was carried out before, and its first event has this number.
    pub before: Option<u64>,
    /// The state after the batch of this command.
    pub seen: Arc<Seen<A>>,
}

pub(super) struct Job<A: Aggregate> {
    pub(super) key: Option<CommandKey>,
    /// None only asks what is known about the key.
    pub(super) command: Option<A::Command>,
    pub(super) reply: oneshot::Sender<Result<Settled<A>, Code>>,
    /// The stream stays on the shelf until this job is answered, even if whoever asked is gone:
    /// two keepers of one stream would not know of each other's events.
    pub(super) _in_use: Arc<dyn Send + Sync>,
}

/// The keeper's end of a stream.
pub(super) struct Keeper<A: Aggregate> {
    log: Arc<dyn EventLog>,
    clock: Clock,
    bell: Bell,
    stream: StreamId,
    state: A,
    keys: Keys,
    version: u64,
    tell: watch::Sender<Arc<Seen<A>>>,
    snapshot_at: u64,
    /// The state is not what is durable: nothing is decided on it before it was read again.
    is_behind: bool,
}

enum Verdict<A: Aggregate> {
    Refused(Code),
    Before(u64),
    Happened(Vec<A::Event>),
}

impl<A: Aggregate> Keeper<A> {
    /// Reads a stream and stands ready for it.
    pub(super) async fn load(
        log: Arc<dyn EventLog>,
        clock: Clock,
        bell: Bell,
        stream: StreamId,
    ) -> Result<(Self, watch::Receiver<Arc<Seen<A>>>), Code> {
        let (tell, watched) = watch::channel(Arc::new(Seen { state: A::default(), version: 0 }));
        let mut keeper = Self {
            log,
            clock,
            bell,
            stream,
            state: A::default(),
            keys: Keys::default(),
            version: 0,
            tell,
            snapshot_at: 0,
            is_behind: true,
        };
        keeper.reload().await?;
        Ok((keeper, watched))
    }

    /// Serves the mailbox until nobody holds its other end.
    pub(super) async fn serve(mut self, mut mailbox: mpsc::Receiver<Job<A>>) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        while mailbox.recv_many(&mut batch, BATCH_MAX).await > 0 {
            while !batch.is_empty() {
                self.carry_out(&mut batch).await;
            }
        }
    }

    /// Starts again from what is durable: the cached state may hold what was never stored.
    async fn reload(&mut self) -> Result<(), Code> {
        self.state = A::default();
        self.keys = Keys::default();
        self.version = 0;
        self.is_behind = true;
        self.take_snapshot().await;
        self.catch_up().await?;
        self.is_behind = false;
        Ok(())
    }

    /// Begins with the cached state where a usable one is there.
    async fn take_snapshot(&mut self) {
        let Some(fold) = A::FOLD else { return };
        let Ok(Some(cached)) = self.log.snapshot(&self.stream, fold).await else { return };
        let Some((state, keys)) = unpack_snapshot::<A>(cached.body) else { return };
        (self.state, self.keys, self.version) = (state, keys, cached.version);
        self.snapshot_at = cached.version;
    }

    /// Puts the durable state away as a cache; losing it loses nothing.
    fn put_snapshot(&mut self) {
        let Some(fold) = A::FOLD else { return };
        if self.version < self.snapshot_at + EVENTS_A_SNAPSHOT {
            return;
        }
        self.snapshot_at = self.version;
        let body = json!({ "state": self.state.to_snapshot(), "keys": self.keys.to_list() });
        let (log, stream, version) = (Arc::clone(&self.log), self.stream.clone(), self.version);
        tokio::spawn(async move {
            if let Err(error) = log.put_snapshot(&stream, fold, version, body).await {
                tracing::debug!(%stream, %error, "no snapshot");
            }
        });
    }

    async fn catch_up(&mut self) -> Result<(), Code> {
        let mut concerned = BTreeSet::new();
        loop {
            let read = self.log.read_after(&self.stream, self.version, READ_EVENTS).await;
            let events = read.map_err(|error| {
                tracing::error!(stream = %self.stream, %error, "stream cannot be read");
                Code::NotDurable
            })?;
            if events.is_empty() {
                self.publish(concerned);
                return Ok(());
            }
            for recorded in events {
                self.version = recorded.version;
                let (key, event) = unpack::<A>(recorded.body).ok_or_else(|| {
                    tracing::error!(stream = %self.stream, version = self.version, "poison event");
                    Code::NotDurable
                })?;
                self.state.evolve(&event, recorded.at);
                concerned.extend(A::concerns(&event));
                if let Some(key) = key {
                    self.keys.remember(key, recorded.version, recorded.at);
                }
            }
        }
    }

    fn publish(&self, concerned: impl IntoIterator<Item = TicketId>) -> Arc<Seen<A>> {
        let seen = Arc::new(Seen { state: self.state.clone(), version: self.version });
        self.tell.send_replace(Arc::clone(&seen));
        self.bell.ring();
        concerned.into_iter().for_each(|ticket| self.bell.ring_for(ticket));
        seen
    }

    /// Decides as many jobs as fit into one append, and answers exactly these.
    async fn carry_out(&mut self, batch: &mut Vec<Job<A>>) {
        for _ in 0..CONFLICTS_MAX {
            if self.is_behind
                && let Err(code) = self.reload().await
            {
                return refuse(batch, code);
            }
            let (drafts, verdicts) = self.decide_all(batch);
            let jobs = verdicts.len();
            if drafts.is_empty() {
                let seen = Arc::clone(&self.tell.borrow());
                answer(batch.drain(..jobs), verdicts, &seen);
                return;
            }
            match self.log.append(&self.stream, self.version, drafts).await {
                Ok(version) => {
                    self.version = version;
                    let seen = self.publish(concerned::<A>(&verdicts));
                    answer(batch.drain(..jobs), verdicts, &seen);
                    self.put_snapshot();
                    return;
                }
                Err(AppendError::Conflict { .. }) => {
                    if let Err(code) = self.reload().await {
                        return refuse(batch, code);
                    }
                }
                Err(error) => {
                    tracing::error!(stream = %self.stream, %error, "append failed");
                    // The outcome may be unknown: the next try finds its key if it was stored.
                    if let Err(code) = self.reload().await {
                        tracing::warn!(stream = %self.stream, ?code, "stream stands still");
                    }
                    return refuse(batch, Code::NotDurable);
                }
            }
        }
        refuse(batch, Code::Busy);
    }

    /// Decides jobs one after the other on a state that runs ahead of what is durable; nobody
    /// sees it before the append.
    fn decide_all(&mut self, batch: &[Job<A>]) -> (Vec<Draft>, Vec<Verdict<A>>) {
        let mut drafts = Vec::new();
        let mut verdicts = Vec::with_capacity(batch.len());
        for job in batch {
            let now = self.clock.now();
            let verdict = self.decide_one(job, now);
            if let Verdict::Happened(events) = &verdict {
                if !drafts.is_empty() && drafts.len() + events.len() > APPEND_EVENTS_MAX {
                    break;
                }
                for (index, event) in events.iter().enumerate() {
                    self.state.evolve(event, now);
                    let key = if index == 0 { job.key } else { None };
                    drafts.push(pack::<A>(key, event, now));
                }
                if let (Some(key), Some(_)) = (job.key, &job.command) {
                    let first = self.version + (drafts.len() - events.len()) as u64 + 1;
                    self.keys.remember(key, first, now);
                }
            }
            verdicts.push(verdict);
        }
        (drafts, verdicts)
    }

    fn decide_one(&self, job: &Job<A>, now: minato_protocol::Timestamp) -> Verdict<A> {
        match job.key.map_or(Known::New, |key| self.keys.ask(key)) {
            Known::Before(version) => return Verdict::Before(version),
            Known::Reused => return Verdict::Refused(Code::KeyReused),
            Known::New => {}
        }
        let Some(command) = &job.command else { return Verdict::Happened(Vec::new()) };
        match self.state.decide(command, now) {
            Ok(events) if events.len() <= APPEND_EVENTS_MAX => Verdict::Happened(events),
            Ok(_) => Verdict::Refused(Code::TooLarge),
            Err(code) => Verdict::Refused(code),
        }
    }
}

fn concerned<A: Aggregate>(verdicts: &[Verdict<A>]) -> impl Iterator<Item = TicketId> {
    let happened = verdicts.iter().filter_map(|verdict| match verdict {
        Verdict::Happened(events) => Some(events),
        Verdict::Refused(_) | Verdict::Before(_) => None,
    });
    happened.flatten().filter_map(A::concerns)
}

fn answer<A: Aggregate>(
    jobs: impl Iterator<Item = Job<A>>,
    verdicts: Vec<Verdict<A>>,
    seen: &Arc<Seen<A>>,
) {
    for (job, verdict) in jobs.zip(verdicts) {
        let seen = Arc::clone(seen);
        let settled = match verdict {
            Verdict::Refused(code) => Err(code),
            Verdict::Before(version) => {
                Ok(Settled { events: Vec::new(), before: Some(version), seen })
            }
            Verdict::Happened(events) => Ok(Settled { events, before: None, seen }),
        };
        // Whoever asked may be gone; what happened stays.
        drop(job.reply.send(settled));
    }
}

fn refuse<A: Aggregate>(batch: &mut Vec<Job<A>>, code: Code) {
    batch.drain(..).for_each(|job| drop(job.reply.send(Err(code))));
}

fn pack<A: Aggregate>(
    key: Option<CommandKey>,
    event: &A::Event,
    at: minato_protocol::Timestamp,
) -> Draft {
    let body = serde_json::to_value(event).unwrap_or(Value::Null);
    let kind = body.get("event").and_then(Value::as_str).unwrap_or("unnamed").to_owned();
    let mut packed = json!({ "is": body });
    if let (Some(key), Some(object)) = (key, packed.as_object_mut()) {
        object.insert("key".into(), json!([key.id.to_string(), key.command]));
    }
    Draft { kind: kind.into(), at, body: packed }
}

fn unpack_snapshot<A: Aggregate>(mut body: Value) -> Option<(A, Keys)> {
    let state = A::from_snapshot(body.get_mut("state")?.take())?;
    let keys = serde_json::from_value(body.get_mut("keys")?.take()).ok()?;
    Some((state, Keys::from_list(keys)))
}

pub(super) fn unpack<A: Aggregate>(mut body: Value) -> Option<(Option<CommandKey>, A::Event)> {
    let event = serde_json::from_value(body.get_mut("is")?.take()).ok()?;
    let key = body.get("key").and_then(|key| {
        let id = key.get(0)?.as_str()?.parse().ok()?;
        let command = u32::try_from(key.get(1)?.as_u64()?).ok()?;
        Some(CommandKey { id, command })
    });
    Some((key, event))
}
