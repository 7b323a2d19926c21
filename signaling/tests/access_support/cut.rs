//! A log under a process that dies after so many appends.

use futures_util::future::BoxFuture;
use minato_protocol::Timestamp;
use minato_signaling::log::{
    AppendError, Draft, EventLog, Head, Item, Recorded, RecordedItem, Ring, Snapshot, StoreError,
    StreamId, UnorderedAppended,
};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::broadcast;

/// Lets `left` appends through. The next one is written or not, as `last_is_written` says, and
/// from it on nothing answers any more.
#[derive(Debug)]
pub(crate) struct CutLog {
    under: Arc<dyn EventLog>,
    left: AtomicUsize,
    last_is_written: bool,
}

impl CutLog {
    pub(crate) fn new(under: Arc<dyn EventLog>, left: usize, last_is_written: bool) -> Self {
        Self { under, left: AtomicUsize::new(left), last_is_written }
    }

    fn gone() -> String {
        "the process is gone".into()
    }

    fn check(&self) -> Result<(), StoreError> {
        let dead = self.left.load(Ordering::SeqCst) == usize::MAX;
        if dead { Err(StoreError::Unavailable { reason: Self::gone() }) } else { Ok(()) }
    }
}

impl EventLog for CutLog {
    fn append<'a>(
        &'a self,
        stream: &'a StreamId,
        expected_version: u64,
        events: Vec<Draft>,
    ) -> BoxFuture<'a, Result<u64, AppendError>> {
        Box::pin(async move {
            self.check()?;
            // Zero wraps to the mark of a dead process.
            if self.left.fetch_sub(1, Ordering::SeqCst) > 0 {
                return self.under.append(stream, expected_version, events).await;
            }
            if self.last_is_written {
                self.under.append(stream, expected_version, events).await?;
            }
            Err(AppendError::Unavailable { reason: Self::gone() })
        })
    }

    fn append_unordered<'a>(
        &'a self,
        stream: &'a StreamId,
        items: Vec<Item>,
    ) -> BoxFuture<'a, Result<UnorderedAppended, StoreError>> {
        self.under.append_unordered(stream, items)
    }

    fn read_after<'a>(
        &'a self,
        stream: &'a StreamId,
        after_version: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Recorded>, StoreError>> {
        Box::pin(async move {
            self.check()?;
            self.under.read_after(stream, after_version, limit).await
        })
    }

    fn items_after<'a>(
        &'a self,
        stream: &'a StreamId,
        after_seq: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<RecordedItem>, StoreError>> {
        self.under.items_after(stream, after_seq, limit)
    }

    fn item<'a>(
        &'a self,
        stream: &'a StreamId,
        dedupe_id: [u8; 16],
    ) -> BoxFuture<'a, Result<Option<RecordedItem>, StoreError>> {
        self.under.item(stream, dedupe_id)
    }

    fn streams<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<StreamId>, StoreError>> {
        self.under.streams(prefix)
    }

    fn tail(&self) -> broadcast::Receiver<Ring> {
        self.under.tail()
    }

    fn put_snapshot<'a>(
        &'a self,
        stream: &'a StreamId,
        fold_version: u32,
        version: u64,
        body: Value,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.under.put_snapshot(stream, fold_version, version, body)
    }

    fn snapshot<'a>(
        &'a self,
        stream: &'a StreamId,
        fold_version: u32,
    ) -> BoxFuture<'a, Result<Option<Snapshot>, StoreError>> {
        self.under.snapshot(stream, fold_version)
    }

    fn verify_chain<'a>(&'a self, stream: &'a StreamId) -> BoxFuture<'a, Result<Head, StoreError>> {
        self.under.verify_chain(stream)
    }

    fn beat(&self, now: Timestamp) -> BoxFuture<'_, Result<(), StoreError>> {
        self.under.beat(now)
    }

    fn last_beat(&self) -> BoxFuture<'_, Result<Option<Timestamp>, StoreError>> {
        self.under.last_beat()
    }
}
