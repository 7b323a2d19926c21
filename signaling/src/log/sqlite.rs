//! The log in one SQLite file: the default, for one process.

use super::chain::{Chain, Hash, ORIGIN};
use super::codec::{self, Row};
use super::job::{Job, Reply};
use super::queue::Queue;
use super::readers::Readers;
use super::writer::Writer;
use super::*;
use crate::vault::Vault;
use rusqlite::Connection;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// SQLite's page size for new files.
const PAGE_BYTES: u64 = 4_096;
/// Records checked at a time by [`EventLog::verify_chain`].
const VERIFY_RECORDS: usize = 1_000;

/// The log in a file of its own, which no other process may open meanwhile. Open it
/// inside the tokio runtime that uses it. Dropping it writes what was handed over, then gives the file back.
#[derive(Debug)]
pub struct SqliteLog {
    vault: Vault,
    doorbell: broadcast::Sender<Ring>,
    queue: Arc<Queue<Job>>,
    readers: Readers,
    writer: Option<JoinHandle<()>>,
    // Given back by the operating system when this closes: after the writer, which `drop` awaits.
    _lock: File,
}

impl SqliteLog {
    /// Opens or makes the file at `path`. Waits for the disk; call it before serving anybody.
    pub fn open(path: &Path, vault: Vault) -> Result<Self, OpenError> {
        let file = schema::open(path, &vault)?;
        let (doorbell, _) = broadcast::channel(TAIL_RINGS_MAX);
        let queue = Arc::new(Queue::new());
        let writer = Writer::new(file.writer, doorbell.clone());
        let jobs = Arc::clone(&queue);
        let writer = std::thread::Builder::new()
            .name("minato-log".into())
            .spawn(move || writer.run(jobs))
            .map_err(|e| OpenError::Failed { path: path.to_owned(), reason: e.to_string() })?;
        let (readers, writer) = (Readers::new(path), Some(writer));
        Ok(Self { vault, doorbell, queue, readers, writer, _lock: file.lock })
    }

    /// Limits the size of the file (not of its write-ahead log), so that the log leaves the rest
    /// of the disk to others; appends beyond it answer `Full`. `None` lifts the limit. A limit
    /// below the present size keeps that size. Not remembered after a restart.
    pub async fn limit_bytes(&self, bytes_max: Option<u64>) -> Result<(), StoreError> {
        let pages = bytes_max.map_or(u32::MAX - 1, |bytes| {
            u32::try_from(bytes / PAGE_BYTES).unwrap_or(u32::MAX - 1).max(1)
        });
        let (reply, answer) = Reply::new();
        self.hand_over(Job::Quota { pages, reply }, answer).await?
    }

    /// A key that is new has to reach the disk first, which is no work for an async thread.
    async fn seal<T: Send + 'static>(
        &self,
        ready: bool,
        seal: impl FnOnce(&Vault) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        if ready {
            return seal(&self.vault);
        }
        let vault = self.vault.clone();
        let sealed = tokio::task::spawn_blocking(move || seal(&vault));
        sealed.await.map_err(StoreError::unavailable)?
    }

    async fn hand_over<T>(&self, job: Job, answer: oneshot::Receiver<T>) -> Result<T, StoreError> {
        self.queue.put(job).await?;
        answer.await.map_err(|_| StoreError::unavailable("the log's writer has ended"))
    }

    async fn read<T: Send + 'static>(
        &self,
        chain: Chain,
        stream: &StreamId,
        after: u64,
        limit: usize,
        open: fn(&Vault, &StreamId, Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let (vault, stream) = (self.vault.clone(), stream.clone());
        let limit = limit.min(READ_RECORDS_MAX);
        self.readers
            .ask(move |file| {
                let rows = checked_rows(file, chain, &stream, after, limit)?;
                rows.into_iter().map(|row| open(&vault, &stream, row)).collect()
            })
            .await
    }
}

impl Drop for SqliteLog {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has nothing left to write.
            let _ = writer.join();
        }
    }
}

fn checked_rows(
    file: &Connection,
    chain: Chain,
    stream: &StreamId,
    after: u64,
    limit: usize,
) -> Result<Vec<Row>, StoreError> {
    let row = schema::stream_row(file, stream).map_err(StoreError::unavailable)?;
    let Some(row) = row else { return Ok(vec![]) };
    // The record before comes along for its hash. There is none before the first.
    let before = usize::from(after > 0);
    let rows = schema::rows_from(file, chain, row, after.max(1), limit + before);
    let mut rows = rows.map_err(StoreError::unavailable)?;
    let first = rows.first().map(|first| (first.number, first.hash));
    let before = match first {
        _ if after == 0 => ORIGIN,
        None => return Ok(vec![]),
        Some((number, hash)) if number == after => {
            rows.remove(0);
            hash
        }
        Some(_) => return Err(StoreError::Damaged { stream: stream.clone(), number: after }),
    };
    codec::check(chain, stream, after, before, &rows)?;
    Ok(rows)
}

/// Reads a whole chain in pieces, so that a long one does not fill the memory.
fn verify(file: &Connection, chain: Chain, stream: &StreamId) -> Result<(u64, Hash), StoreError> {
    let mut head = (0, ORIGIN);
    loop {
        let rows = checked_rows(file, chain, stream, head.0, VERIFY_RECORDS)?;
        let Some(last) = rows.last() else { return Ok(head) };
        head = (last.number, last.hash);
    }
}

fn read_snapshot(
    file: &Connection,
    vault: &Vault,
    stream: &StreamId,
    fold: u32,
) -> rusqlite::Result<Option<Snapshot>> {
    let Some(row) = schema::stream_row(file, stream)? else { return Ok(None) };
    let Some(snapshot) = schema::snapshot(file, row)? else { return Ok(None) };
    let Some(anchor) = schema::anchor(file, row, snapshot.version)? else { return Ok(None) };
    Ok(codec::open_snapshot(vault, stream, fold, &snapshot, &anchor))
}

impl EventLog for SqliteLog {
    fn append<'a>(
        &'a self,
        stream: &'a StreamId,
        expected_version: u64,
        events: Vec<Draft>,
    ) -> BoxFuture<'a, Result<u64, AppendError>> {
        Box::pin(async move {
            let ready = events.iter().all(|event| self.vault.is_ready(&event.body));
            let stream = stream.clone();
            let place = stream.clone();
            let events =
                self.seal(ready, move |vault| codec::seal_events(vault, &place, events)).await?;
            let (reply, answer) = Reply::new();
            let job = Job::Events { stream, expected: expected_version, events, reply };
            self.hand_over(job, answer).await?
        })
    }

    fn append_unordered<'a>(
        &'a self,
        stream: &'a StreamId,
        items: Vec<Item>,
    ) -> BoxFuture<'a, Result<UnorderedAppended, StoreError>> {
        Box::pin(async move {
            let ready = items.iter().all(|item| self.vault.is_ready(&item.body));
            let stream = stream.clone();
            let place = stream.clone();
            let items =
                self.seal(ready, move |vault| codec::seal_items(vault, &place, items)).await?;
            let (reply, answer) = Reply::new();
            self.hand_over(Job::Items { stream, items, reply }, answer).await?
        })
    }

    fn read_after<'a>(
        &'a self,
        stream: &'a StreamId,
        after_version: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Recorded>, StoreError>> {
        Box::pin(self.read(Chain::Events, stream, after_version, limit, codec::open_event))
    }

    fn items_after<'a>(
        &'a self,
        stream: &'a StreamId,
        after_seq: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<RecordedItem>, StoreError>> {
        Box::pin(self.read(Chain::Items, stream, after_seq, limit, codec::open_item))
    }

    fn item<'a>(
        &'a self,
        stream: &'a StreamId,
        dedupe_id: [u8; 16],
    ) -> BoxFuture<'a, Result<Option<RecordedItem>, StoreError>> {
        let (vault, stream) = (self.vault.clone(), stream.clone());
        Box::pin(self.readers.ask(move |file| {
            let place = schema::item_number(file, &stream, &dedupe_id);
            let Some(number) = place.map_err(StoreError::unavailable)? else { return Ok(None) };
            let rows = checked_rows(file, Chain::Items, &stream, number - 1, 1)?;
            rows.into_iter().next().map(|row| codec::open_item(&vault, &stream, row)).transpose()
        }))
    }

    fn streams<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<StreamId>, StoreError>> {
        let prefix = prefix.to_owned();
        Box::pin(
            self.readers
                .ask(move |file| schema::streams(file, &prefix).map_err(StoreError::unavailable)),
        )
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
        Box::pin(async move {
            let stream = stream.clone();
            let place = stream.clone();
            let ready = self.vault.is_ready(&body);
            let body =
                self.seal(ready, move |vault| codec::seal_snapshot(vault, &place, body)).await?;
            let (reply, answer) = Reply::new();
            let job = Job::Snapshot { stream, fold: fold_version, version, body, reply };
            self.hand_over(job, answer).await?
        })
    }

    fn snapshot<'a>(
        &'a self,
        stream: &'a StreamId,
        fold_version: u32,
    ) -> BoxFuture<'a, Result<Option<Snapshot>, StoreError>> {
        let (vault, stream) = (self.vault.clone(), stream.clone());
        Box::pin(self.readers.ask(move |file| {
            let found = read_snapshot(file, &vault, &stream, fold_version);
            found.map_err(StoreError::unavailable)
        }))
    }

    fn verify_chain<'a>(&'a self, stream: &'a StreamId) -> BoxFuture<'a, Result<Head, StoreError>> {
        let stream = stream.clone();
        Box::pin(self.readers.ask(move |file| {
            let (version, hash) = verify(file, Chain::Events, &stream)?;
            let (last_seq, item_hash) = verify(file, Chain::Items, &stream)?;
            Ok(Head { version, hash, last_seq, item_hash })
        }))
    }

    fn beat(&self, now: Timestamp) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let (reply, answer) = Reply::new();
            self.hand_over(Job::Beat { now, reply }, answer).await?
        })
    }

    fn last_beat(&self) -> BoxFuture<'_, Result<Option<Timestamp>, StoreError>> {
        Box::pin(self.readers.ask(|file| schema::last_beat(file).map_err(StoreError::unavailable)))
    }
}
