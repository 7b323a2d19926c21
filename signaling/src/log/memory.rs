//! The log without a disk, for simulations: the same rows and checks, and faults on demand.

use super::chain::{Chain, ORIGIN};
use super::codec::{self, Row, Sealed, SnapshotRow};
use super::*;
use crate::vault::Vault;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What goes wrong with the next append, ordered or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is written; it answers `Unavailable`.
    Refuse,
    /// It is written and true, but it answers `Unavailable`: the caller cannot know.
    LoseAnswer,
    /// Nothing is written; it answers `Full`.
    Full,
}

/// A log that ends with the process. Needs no runtime: its futures are ready at the first poll.
#[derive(Debug)]
pub struct MemoryLog {
    vault: Vault,
    doorbell: broadcast::Sender<Ring>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    streams: BTreeMap<StreamId, Stream>,
    last_beat: Option<Timestamp>,
    faults: VecDeque<Fault>,
    away: bool,
}

#[derive(Debug, Default)]
struct Stream {
    events: Vec<Row>,
    items: Vec<Row>,
    known: HashSet<Vec<u8>>,
    snapshot: Option<SnapshotRow>,
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self::new(Vault::in_memory())
    }
}

impl MemoryLog {
    /// An empty log that seals with these keys.
    pub fn new(vault: Vault) -> Self {
        let (doorbell, _) = broadcast::channel(TAIL_RINGS_MAX);
        Self { vault, doorbell, state: Mutex::default() }
    }

    /// Lets the next append that has no fault yet go wrong. Several queue up.
    pub fn inject(&self, fault: Fault) {
        self.lock().faults.push_back(fault);
    }

    /// While it is away every request answers `Unavailable` and changes nothing.
    pub fn set_away(&self, away: bool) {
        self.lock().away = away;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn here(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        let state = self.lock();
        if state.away { Err(StoreError::unavailable("the log is away")) } else { Ok(state) }
    }

    fn append_now(
        &self,
        stream: &StreamId,
        expected_version: u64,
        events: Vec<Draft>,
    ) -> Result<u64, AppendError> {
        let events = codec::seal_events(&self.vault, stream, events)?;
        let mut state = self.here()?;
        let fault = state.next_fault()?;
        let actual = state.streams.get(stream).map_or(0, |known| known.events.len() as u64);
        if actual != expected_version {
            return Err(AppendError::Conflict { actual });
        }
        if events.is_empty() {
            return Ok(actual);
        }
        let rows = &mut state.streams.entry(stream.clone()).or_default().events;
        for event in events {
            push(rows, Chain::Events, stream, event);
        }
        let version = rows.len() as u64;
        // Nobody may be listening.
        let _ = self.doorbell.send(Ring::Events { stream: stream.clone(), version });
        lose_answer(fault)?;
        Ok(version)
    }

    fn append_unordered_now(
        &self,
        stream: &StreamId,
        items: Vec<Item>,
    ) -> Result<UnorderedAppended, StoreError> {
        let ids: Vec<_> = items.iter().map(|item| item.dedupe_id).collect();
        let items = codec::seal_items(&self.vault, stream, items)?;
        let mut state = self.here()?;
        let fault = state.next_fault()?;
        let mut done = UnorderedAppended { added: vec![], known: vec![], last_seq: 0 };
        if items.is_empty() && !state.streams.contains_key(stream) {
            return Ok(done);
        }
        let Stream { items: rows, known, .. } = state.streams.entry(stream.clone()).or_default();
        for (id, item) in ids.into_iter().zip(items) {
            if known.insert(item.name.clone()) {
                push(rows, Chain::Items, stream, item);
                done.added.push((rows.len() as u64, id));
            } else {
                done.known.push(id);
            }
        }
        done.last_seq = rows.len() as u64;
        if !done.added.is_empty() {
            let ring = Ring::Items { stream: stream.clone(), last_seq: done.last_seq };
            let _ = self.doorbell.send(ring);
        }
        lose_answer(fault)?;
        Ok(done)
    }

    fn rows_after(
        &self,
        chain: Chain,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let state = self.here()?;
        let Some(known) = state.streams.get(stream) else { return Ok(vec![]) };
        let rows = if matches!(chain, Chain::Items) { &known.items } else { &known.events };
        let after = usize::try_from(after).unwrap_or(usize::MAX).min(rows.len());
        let before = after.checked_sub(1).map_or(ORIGIN, |last| rows[last].hash);
        let some = &rows[after..][..limit.min(READ_RECORDS_MAX).min(rows.len() - after)];
        codec::check(chain, stream, after as u64, before, some)?;
        Ok(some.to_vec())
    }

    fn put_snapshot_now(
        &self,
        stream: &StreamId,
        fold: u32,
        version: u64,
        body: Value,
    ) -> Result<(), StoreError> {
        let body = codec::seal_snapshot(&self.vault, stream, body)?;
        let mut state = self.here()?;
        let Some(known) = state.streams.get_mut(stream) else {
            return codec::no_anchor(version);
        };
        let Some(anchor) = known.anchor(version) else { return codec::no_anchor(version) };
        let digest = codec::snapshot_digest(stream, fold, version, &body, &anchor);
        known.snapshot = Some(SnapshotRow { fold, version, body, digest });
        Ok(())
    }

    fn snapshot_now(&self, stream: &StreamId, fold: u32) -> Result<Option<Snapshot>, StoreError> {
        let state = self.here()?;
        Ok(state.streams.get(stream).and_then(|known| {
            let row = known.snapshot.as_ref()?;
            codec::open_snapshot(&self.vault, stream, fold, row, &known.anchor(row.version)?)
        }))
    }

    fn verify_now(&self, stream: &StreamId) -> Result<Head, StoreError> {
        let state = self.here()?;
        let nothing = Stream::default();
        let known = state.streams.get(stream).unwrap_or(&nothing);
        Ok(Head {
            version: known.events.len() as u64,
            hash: codec::check(Chain::Events, stream, 0, ORIGIN, &known.events)?,
            last_seq: known.items.len() as u64,
            item_hash: codec::check(Chain::Items, stream, 0, ORIGIN, &known.items)?,
        })
    }
}

impl State {
    fn next_fault(&mut self) -> Result<Option<Fault>, StoreError> {
        match self.faults.pop_front() {
            Some(Fault::Refuse) => Err(StoreError::unavailable("a fault was asked for")),
            Some(Fault::Full) => Err(StoreError::Full),
            other => Ok(other),
        }
    }
}

impl Stream {
    fn anchor(&self, version: u64) -> Option<Hash> {
        match version.checked_sub(1) {
            None => Some(ORIGIN),
            Some(last) => self.events.get(usize::try_from(last).ok()?).map(|row| row.hash),
        }
    }
}

fn push(rows: &mut Vec<Row>, chain: Chain, stream: &StreamId, record: Sealed) {
    let number = rows.len() as u64 + 1;
    let before = rows.last().map_or(ORIGIN, |row| row.hash);
    let hash = record.hash(chain, stream, number, &before);
    let Sealed { name, at, body } = record;
    rows.push(Row { number, schema: EVENT_SCHEMA, at, name, body, hash });
}

fn lose_answer(fault: Option<Fault>) -> Result<(), StoreError> {
    match fault {
        Some(Fault::LoseAnswer) => Err(StoreError::unavailable("the answer was lost")),
        Some(Fault::Refuse | Fault::Full) | None => Ok(()),
    }
}

impl EventLog for MemoryLog {
    fn append<'a>(
        &'a self,
        stream: &'a StreamId,
        expected_version: u64,
        events: Vec<Draft>,
    ) -> BoxFuture<'a, Result<u64, AppendError>> {
        Box::pin(async move { self.append_now(stream, expected_version, events) })
    }

    fn append_unordered<'a>(
        &'a self,
        stream: &'a StreamId,
        items: Vec<Item>,
    ) -> BoxFuture<'a, Result<UnorderedAppended, StoreError>> {
        Box::pin(async move { self.append_unordered_now(stream, items) })
    }

    fn read_after<'a>(
        &'a self,
        stream: &'a StreamId,
        after_version: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Recorded>, StoreError>> {
        Box::pin(async move {
            let rows = self.rows_after(Chain::Events, stream, after_version, limit)?;
            rows.into_iter().map(|row| codec::open_event(&self.vault, stream, row)).collect()
        })
    }

    fn items_after<'a>(
        &'a self,
        stream: &'a StreamId,
        after_seq: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<RecordedItem>, StoreError>> {
        Box::pin(async move {
            let rows = self.rows_after(Chain::Items, stream, after_seq, limit)?;
            rows.into_iter().map(|row| codec::open_item(&self.vault, stream, row)).collect()
        })
    }

    fn item<'a>(
        &'a self,
        stream: &'a StreamId,
        dedupe_id: [u8; 16],
    ) -> BoxFuture<'a, Result<Option<RecordedItem>, StoreError>> {
        Box::pin(async move {
            let place = self.here()?.streams.get(stream).and_then(|known| {
                known.items.iter().position(|row| row.name.as_slice() == dedupe_id.as_slice())
            });
            let Some(place) = place else { return Ok(None) };
            let rows = self.rows_after(Chain::Items, stream, place as u64, 1)?;
            let row = rows.into_iter().next();
            row.map(|row| codec::open_item(&self.vault, stream, row)).transpose()
        })
    }

    fn streams<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<StreamId>, StoreError>> {
        Box::pin(async move {
            let state = self.here()?;
            let begins = |id: &&StreamId| id.as_str().starts_with(prefix);
            Ok(state.streams.keys().filter(begins).cloned().collect())
        })
    }

    fn tail(&self) -> broadcast::Receiver<Ring> {
        self.doorbell.subscribe()
    }

    fn put_snapshot<'a>(
        &'a self,
        stream: &'a StreamId,
        fold_version: u32,
        version: u64,
        body: Value,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move { self.put_snapshot_now(stream, fold_version, version, body) })
    }

    fn snapshot<'a>(
        &'a self,
        stream: &'a StreamId,
        fold_version: u32,
    ) -> BoxFuture<'a, Result<Option<Snapshot>, StoreError>> {
        Box::pin(async move { self.snapshot_now(stream, fold_version) })
    }

    fn verify_chain<'a>(&'a self, stream: &'a StreamId) -> BoxFuture<'a, Result<Head, StoreError>> {
        Box::pin(async move { self.verify_now(stream) })
    }

    fn beat(&self, now: Timestamp) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move { self.here().map(|mut state| state.last_beat = Some(now)) })
    }

    fn last_beat(&self) -> BoxFuture<'_, Result<Option<Timestamp>, StoreError>> {
        Box::pin(async move { self.here().map(|state| state.last_beat) })
    }
}
