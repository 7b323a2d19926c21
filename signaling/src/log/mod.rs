//! The event log: the one place where what happened becomes true, because it became durable.
//!
//! A stream is one noun's history. Its events are numbered from 1 without a gap, chained by
//! SHA-256 and written only under a guard: whoever appends says which version it has seen, so two
//! writers cannot both be right. Readings take the unordered way, where an id of their own makes
//! repeating a delivery harmless. Everything else (snapshots, the doorbell) may be lost without
//! losing anything.
//!
//! [`SqliteLog`] keeps it in a file, [`MemoryLog`] in memory with faults on demand. Both pass the
//! sentences of `tests/log_contract.rs`.

mod chain;
mod codec;
mod file;
mod job;
mod memory;
mod queue;
mod readers;
mod schema;
mod sqlite;
mod stream;
mod writer;

pub use chain::{Hash, ORIGIN};
pub use file::OpenError;
pub(crate) use file::{Format, OwnedFile, in_memory};
pub use memory::{Fault, MemoryLog};
pub use sqlite::SqliteLog;
pub use stream::{Noun, StreamId, StreamIdInvalid};

use futures_util::future::BoxFuture;
use minato_protocol::Timestamp;
use serde_json::Value;
use std::borrow::Cow;
use tokio::sync::broadcast;

/// Events in one append; a decision that needs more is a mistake.
pub const APPEND_EVENTS_MAX: usize = 256;
/// Items in one unordered append; a gateway with a longer backlog sends several deliveries.
pub const APPEND_ITEMS_MAX: usize = 4_096;
/// Bytes of all sealed bodies in one append. More is refused: pictures belong in the blob store.
pub const APPEND_BYTES_MAX: usize = 1 << 20;
/// Bytes of an event's kind.
pub const KIND_BYTES_MAX: usize = 64;
/// Bytes of a sealed snapshot; a larger state is folded again from its events instead.
pub const SNAPSHOT_BYTES_MAX: usize = 8 << 20;
/// Records one read answers at most, whatever limit it asked for; the caller reads on from there.
pub const READ_RECORDS_MAX: usize = 10_000;
/// Rings the doorbell remembers for a slow listener. When it is full the oldest ring is dropped
/// and the listener is told that it lagged: it then reads its streams again.
pub const TAIL_RINGS_MAX: usize = 4_096;

/// The port to the log. Law: nothing is told to a person before the append of it answered `Ok`.
///
/// The futures may be dropped at any time, but an append that was handed over still happens: a
/// dropped or failed append has an unknown outcome, and the idempotency key in the stream's own
/// state makes trying again safe.
pub trait EventLog: std::fmt::Debug + Send + Sync + 'static {
    /// Appends all events or none. `expected_version` is the number of events the caller has
    /// folded: 0 for a stream that does not exist. Answers the new version. Without events it
    /// only checks the version.
    fn append<'a>(
        &'a self,
        stream: &'a StreamId,
        expected_version: u64,
        events: Vec<Draft>,
    ) -> BoxFuture<'a, Result<u64, AppendError>>;

    /// Appends, all or none, the items whose `dedupe_id` this stream does not hold yet; the
    /// others are `known` and change nothing. One call is one delivery of a gateway.
    fn append_unordered<'a>(
        &'a self,
        stream: &'a StreamId,
        items: Vec<Item>,
    ) -> BoxFuture<'a, Result<UnorderedAppended, StoreError>>;

    /// The events after a version, in order, at most `limit`. Each one's place in the hash chain
    /// has been checked: a forged or damaged event is an error, never an answer.
    fn read_after<'a>(
        &'a self,
        stream: &'a StreamId,
        after_version: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Recorded>, StoreError>>;

    /// The items after a cursor, in order of arrival, at most `limit`; checked as events are.
    fn items_after<'a>(
        &'a self,
        stream: &'a StreamId,
        after_seq: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<RecordedItem>, StoreError>>;

    /// The item of this id, if the stream holds it; checked as the others are.
    fn item<'a>(
        &'a self,
        stream: &'a StreamId,
        dedupe_id: [u8; 16],
    ) -> BoxFuture<'a, Result<Option<RecordedItem>, StoreError>>;

    /// All streams whose text begins with `prefix`, sorted by their text.
    fn streams<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<StreamId>, StoreError>>;

    /// The doorbell: rings after something became durable, from now on. A ring carries no data; a
    /// listener that lagged has lost rings, not events.
    fn tail(&self) -> broadcast::Receiver<Ring>;

    /// Keeps a folded state as a cache, replacing the stream's older one. `fold_version` names
    /// the code that folded it. `version` is the event version it includes; a fold over items
    /// keeps its own cursor inside `body`.
    fn put_snapshot<'a>(
        &'a self,
        stream: &'a StreamId,
        fold_version: u32,
        version: u64,
        body: Value,
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// The cached state, if one is there that this fold wrote, that is whole, and that belongs to
    /// the events that are there. Anything else is `None`.
    fn snapshot<'a>(
        &'a self,
        stream: &'a StreamId,
        fold_version: u32,
    ) -> BoxFuture<'a, Result<Option<Snapshot>, StoreError>>;

    /// Checks every event and item of a stream against its chain. `Damaged` names the first bad one.
    fn verify_chain<'a>(&'a self, stream: &'a StreamId) -> BoxFuture<'a, Result<Head, StoreError>>;

    /// Notes durably that the service was there at `now`.
    fn beat(&self, now: Timestamp) -> BoxFuture<'_, Result<(), StoreError>>;

    /// When the service was last there: time after it does not count against anybody's grace.
    fn last_beat(&self) -> BoxFuture<'_, Result<Option<Timestamp>, StoreError>>;
}

/// An event that wants to become true. Personal fields in `body` are marked by
/// [`Pii`](minato_protocol::Pii) and sealed before they are hashed or stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The event's name, past tense, at most [`KIND_BYTES_MAX`] bytes.
    pub kind: Cow<'static, str>,
    /// When it happened.
    pub at: Timestamp,
    /// What it says.
    pub body: Value,
}

/// An event that is true.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Its number in its stream, from 1.
    pub version: u64,
    /// The format it was written in; see [`EVENT_SCHEMA`].
    pub schema: u16,
    /// Its name.
    pub kind: String,
    /// When it happened.
    pub at: Timestamp,
    /// What it says, opened as far as keys exist.
    pub body: Value,
    /// Its place in the stream's chain.
    pub hash: Hash,
}

/// The format of events and items: sealing, framing and hashing. Kept in every row and every hash.
pub const EVENT_SCHEMA: u16 = 1;

/// Something whose order does not matter: a reading.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Unique in its stream, the same whenever the same thing is delivered again.
    pub dedupe_id: [u8; 16],
    /// When it was received.
    pub at: Timestamp,
    /// What it says; personal fields as in [`Draft`].
    pub body: Value,
}

/// An item that is durable.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedItem {
    /// Its cursor: place of arrival in its stream, from 1 without a gap.
    pub seq: u64,
    /// The format it was written in.
    pub schema: u16,
    /// Its own id.
    pub dedupe_id: [u8; 16],
    /// When it was received.
    pub at: Timestamp,
    /// What it says, opened as far as keys exist.
    pub body: Value,
    /// Its place in the stream's chain of items.
    pub hash: Hash,
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnorderedAppended {
    /// New ones: cursor and id, in the order of the delivery.
    pub added: Vec<(u64, [u8; 16])>,
    /// Those the stream held already, or that were twice in the delivery.
    pub known: Vec<[u8; 16]>,
    /// The stream's last cursor; 0 for none.
    pub last_seq: u64,
}

/// One ring of the doorbell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ring {
    /// A stream has events up to this version.
    Events {
        /// Which stream.
        stream: StreamId,
        /// Its version.
        version: u64,
    },
    /// A stream has items up to this cursor.
    Items {
        /// Which stream.
        stream: StreamId,
        /// Its last cursor.
        last_seq: u64,
    },
}

/// A cached state.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The last event it includes.
    pub version: u64,
    /// The state, opened as far as keys exist.
    pub body: Value,
}

/// Where a stream's chains end. Keeping it elsewhere proves later that no tail was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The last event; 0 for none.
    pub version: u64,
    /// Its hash; [`ORIGIN`] for none.
    pub hash: Hash,
    /// The last item; 0 for none.
    pub last_seq: u64,
    /// Its hash; [`ORIGIN`] for none.
    pub item_hash: Hash,
}

/// Why an append did not answer `Ok`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Nothing was written, somebody else was first: read on and decide again.
    #[error("the stream is at version {actual}")]
    Conflict {
        /// The stream's version.
        actual: u64,
    },
    /// The outcome is unknown: try again with the same idempotency key.
    #[error("the log is unavailable: {reason}")]
    Unavailable {
        /// For the operator; no personal data.
        reason: String,
    },
    /// Nothing was written: the disk is full. Appending works again once there is space.
    #[error("the log's disk is full")]
    Full,
    /// Nothing was written and nothing ever will be: the caller broke a bound.
    #[error("the log refuses this: {why}")]
    Invalid {
        /// Which bound.
        why: &'static str,
    },
}

/// Why any other request of the log did not answer `Ok`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The outcome of a write is unknown, a read found nothing out: try again.
    #[error("the log is unavailable: {reason}")]
    Unavailable {
        /// For the operator; no personal data.
        reason: String,
    },
    /// Nothing was written: the disk is full. Writing works again once there is space.
    #[error("the log's disk is full")]
    Full,
    /// Nothing was written and nothing ever will be: the caller broke a bound.
    #[error("the log refuses this: {why}")]
    Invalid {
        /// Which bound.
        why: &'static str,
    },
    /// The record does not fit its chain, or its seal does not fit its key: restore it from a
    /// backup. Records before it are good.
    #[error("record {number} of {stream} is damaged")]
    Damaged {
        /// Which stream.
        stream: StreamId,
        /// The first bad version or cursor.
        number: u64,
    },
}

impl StoreError {
    fn unavailable(reason: impl ToString) -> Self {
        Self::Unavailable { reason: reason.to_string() }
    }
}

impl From<StoreError> for AppendError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable { reason } => Self::Unavailable { reason },
            StoreError::Full => Self::Full,
            StoreError::Invalid { why } => Self::Invalid { why },
            StoreError::Damaged { .. } => Self::Unavailable { reason: error.to_string() },
        }
    }
}
