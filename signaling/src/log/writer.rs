//! The one thread that writes: many appends share one commit, and nobody is answered before it.

use super::chain::{Chain, Hash, ORIGIN};
use super::codec::{self, Sealed};
use super::job::Job;
use super::queue::Queue;
use super::schema::{self, Number};
use super::*;
use rusqlite::{Connection, ErrorCode, params};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// Streams whose heads the writer remembers. When it is full all are let go and read again.
const HEADS_MAX: usize = 50_000;
/// The longest wait for more jobs to share a commit.
const PATIENCE_MAX: Duration = Duration::from_millis(2);

/// The writer's own memory: the connection and where each stream ends.
#[derive(Debug)]
pub(super) struct Writer {
    file: Connection,
    doorbell: broadcast::Sender<Ring>,
    runtime: Option<Handle>,
    heads: HashMap<StreamId, StreamHead>,
    /// Set when the disk did not keep what it was told to keep. Nothing is written after that:
    /// only a restart, which reads the file from the disk again, knows what is true.
    broken: bool,
    commit_took: Duration,
}

#[derive(Debug, Clone, Copy)]
struct StreamHead {
    row: i64,
    events: (u64, Hash),
    items: (u64, Hash),
}

/// Closes the queue however the thread ends, so that nobody waits for an answer for ever.
struct Closing(Arc<Queue<Job>>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl Writer {
    pub(super) fn new(file: Connection, doorbell: broadcast::Sender<Ring>) -> Self {
        let (runtime, heads) = (Handle::try_current().ok(), HashMap::new());
        Self { file, doorbell, runtime, heads, broken: false, commit_took: Duration::ZERO }
    }

    /// Works until the queue is closed and empty.
    pub(super) fn run(mut self, queue: Arc<Queue<Job>>) {
        let queue = Closing(queue);
        let mut hoped = 0;
        loop {
            let mut jobs = queue.0.take();
            if jobs.is_empty() {
                return;
            }
            // Writers who were just answered come back at once, and sharing their commit is
            // faster for all. Who comes just too late costs a commit: it is worth waiting for as
            // long as one takes.
            let until = Instant::now() + self.commit_took.min(PATIENCE_MAX);
            let outcome = self.attempt(&mut jobs, |had| queue.0.take_more(had, hoped, until));
            hoped = jobs.len();
            metrics::histogram!("minato_log_commit_jobs").record(hoped as f64);
            metrics::histogram!("minato_log_commit_seconds").record(self.commit_took);
            self.finish(jobs, outcome);
        }
    }

    /// When the transaction of many failed, each gets one of its own, so that the one that cannot
    /// be written does not harm the others.
    fn finish(&mut self, mut jobs: Vec<Job>, outcome: Result<(), StoreError>) {
        match outcome {
            Ok(()) => self.answer(jobs),
            Err(_) if jobs.len() > 1 && !self.broken => {
                for job in jobs {
                    let mut alone = vec![job];
                    let outcome = self.attempt(&mut alone, |_| vec![]);
                    self.finish(alone, outcome);
                }
            }
            Err(error) => {
                metrics::counter!("minato_log_failed_total").increment(jobs.len() as u64);
                tracing::warn!(%error, jobs = jobs.len(), "nothing was written to the log");
                jobs.iter_mut().for_each(|job| job.fail(error.clone()));
                self.answer(jobs);
            }
        }
    }

    /// Waking many tasks from a thread of the runtime is far cheaper than from this one.
    fn answer(&self, jobs: Vec<Job>) {
        let rings = jobs.iter().filter_map(Job::ring);
        // Nobody may be listening.
        rings.for_each(|ring| drop(self.doorbell.send(ring)));
        match &self.runtime {
            Some(runtime) if jobs.len() > 1 => {
                runtime.spawn(async { jobs.into_iter().for_each(Job::answer) });
            }
            Some(_) | None => jobs.into_iter().for_each(Job::answer),
        }
    }

    fn attempt(
        &mut self,
        jobs: &mut Vec<Job>,
        more: impl Fn(usize) -> Vec<Job>,
    ) -> Result<(), StoreError> {
        if self.broken {
            return Err(broken());
        }
        let written = self.transaction(jobs, more);
        if let Err(error) = &written {
            // Some failures have ended the transaction already; then there is nothing to undo.
            let _ = self.file.execute_batch("ROLLBACK");
            self.heads.clear();
            self.broken = is_broken(error);
        }
        if self.heads.len() > HEADS_MAX {
            self.heads.clear();
        }
        written.map_err(store_error)
    }

    fn transaction(
        &mut self,
        jobs: &mut Vec<Job>,
        more: impl Fn(usize) -> Vec<Job>,
    ) -> rusqlite::Result<()> {
        self.file.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut done = 0;
        while done < jobs.len() {
            for job in &mut jobs[done..] {
                self.apply(job)?;
            }
            done = jobs.len();
            jobs.extend(more(done));
        }
        let begun = Instant::now();
        self.file.prepare_cached("COMMIT")?.execute([])?;
        self.commit_took = begun.elapsed();
        Ok(())
    }

    fn apply(&mut self, job: &mut Job) -> rusqlite::Result<()> {
        match job {
            Job::Events { stream, expected, events, reply } => {
                reply.said = Some(self.append(stream, *expected, events)?);
            }
            Job::Items { stream, items, reply } => {
                reply.said = Some(Ok(self.append_unordered(stream, items)?));
            }
            Job::Snapshot { stream, fold, version, body, reply } => {
                reply.said = Some(self.put_snapshot(stream, *fold, *version, body)?);
            }
            Job::Beat { now, reply } => {
                let beat = "INSERT OR REPLACE INTO beat VALUES (1, ?1)";
                self.file.prepare_cached(beat)?.execute([now.0])?;
                reply.said = Some(Ok(()));
            }
            Job::Quota { pages, reply } => {
                self.file.pragma_update(None, "max_page_count", *pages)?;
                reply.said = Some(Ok(()));
            }
        }
        Ok(())
    }

    fn append(
        &mut self,
        stream: &StreamId,
        expected: u64,
        events: &[Sealed],
    ) -> rusqlite::Result<Result<u64, AppendError>> {
        let head = self.head(stream)?;
        let actual = head.map_or(0, |head| head.events.0);
        if actual != expected {
            return Ok(Err(AppendError::Conflict { actual }));
        }
        if events.is_empty() {
            return Ok(Ok(actual));
        }
        let mut head = self.head_or_new(head, stream)?;
        for event in events {
            let (number, before) = (head.events.0 + 1, head.events.1);
            let hash = event.hash(Chain::Events, stream, number, &before);
            self.file
                .prepare_cached(
                    "INSERT INTO event (stream, number, schema, at, name, body, hash)
                     VALUES (?1, ?2, ?3, ?4, CAST(?5 AS TEXT), ?6, ?7)",
                )?
                .execute(params![
                    head.row,
                    Number(number),
                    EVENT_SCHEMA,
                    event.at,
                    event.name,
                    event.body,
                    hash
                ])?;
            head.events = (number, hash);
        }
        self.remember(stream, head);
        Ok(Ok(head.events.0))
    }

    fn append_unordered(
        &mut self,
        stream: &StreamId,
        items: &[Sealed],
    ) -> rusqlite::Result<UnorderedAppended> {
        let mut done = UnorderedAppended { added: vec![], known: vec![], last_seq: 0 };
        let head = self.head(stream)?;
        if items.is_empty() {
            done.last_seq = head.map_or(0, |head| head.items.0);
            return Ok(done);
        }
        let mut head = self.head_or_new(head, stream)?;
        for item in items {
            let (number, before) = (head.items.0 + 1, head.items.1);
            let hash = item.hash(Chain::Items, stream, number, &before);
            let new = self
                .file
                .prepare_cached(
                    "INSERT INTO item (stream, number, schema, at, name, body, hash)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (stream, name) DO NOTHING",
                )?
                .execute(params![
                    head.row,
                    Number(number),
                    EVENT_SCHEMA,
                    item.at,
                    item.name,
                    item.body,
                    hash
                ])?;
            if new == 1 {
                head.items = (number, hash);
                done.added.push((number, item.dedupe_id()));
            } else {
                done.known.push(item.dedupe_id());
            }
        }
        done.last_seq = head.items.0;
        self.remember(stream, head);
        Ok(done)
    }

    fn put_snapshot(
        &mut self,
        stream: &StreamId,
        fold: u32,
        version: u64,
        body: &[u8],
    ) -> rusqlite::Result<Result<(), StoreError>> {
        let Some(head) = self.head(stream)? else { return Ok(codec::no_anchor(version)) };
        let Some(anchor) = schema::anchor(&self.file, head.row, version)? else {
            return Ok(codec::no_anchor(version));
        };
        let digest = codec::snapshot_digest(stream, fold, version, body, &anchor);
        self.file
            .prepare_cached("INSERT OR REPLACE INTO snapshot VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![head.row, fold, Number(version), body, digest])?;
        Ok(Ok(()))
    }

    /// Where a stream ends; `None` for one that does not exist.
    fn head(&mut self, stream: &StreamId) -> rusqlite::Result<Option<StreamHead>> {
        if let Some(head) = self.heads.get(stream) {
            return Ok(Some(*head));
        }
        let Some(row) = schema::stream_row(&self.file, stream)? else { return Ok(None) };
        let events = schema::last(&self.file, Chain::Events, row)?;
        let items = schema::last(&self.file, Chain::Items, row)?;
        let head = StreamHead { row, events, items };
        self.heads.insert(stream.clone(), head);
        Ok(Some(head))
    }

    fn remember(&mut self, stream: &StreamId, head: StreamHead) {
        match self.heads.get_mut(stream) {
            Some(known) => *known = head,
            None => drop(self.heads.insert(stream.clone(), head)),
        }
    }

    fn head_or_new(
        &self,
        head: Option<StreamHead>,
        stream: &StreamId,
    ) -> rusqlite::Result<StreamHead> {
        if let Some(head) = head {
            return Ok(head);
        }
        let insert = "INSERT INTO stream (name) VALUES (?1)";
        self.file.prepare_cached(insert)?.execute([stream.as_str()])?;
        let row = self.file.last_insert_rowid();
        Ok(StreamHead { row, events: (0, ORIGIN), items: (0, ORIGIN) })
    }
}

fn broken() -> StoreError {
    StoreError::unavailable("the disk lost a write; the service has to be started again")
}

/// After a failed fsync the system may have thrown the pages away and call the next one a success.
fn is_broken(error: &rusqlite::Error) -> bool {
    let extended = error.sqlite_error().map(|error| error.extended_code);
    extended == Some(rusqlite::ffi::SQLITE_IOERR_FSYNC)
}

fn store_error(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        _ => StoreError::unavailable(error),
    }
}
