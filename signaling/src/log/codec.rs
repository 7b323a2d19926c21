//! Between what callers say and what a row holds: bounds, sealing, the chain; for every store.

use super::chain::{Chain, Hash, Link};
use super::*;
use crate::vault::{Vault, VaultError};

/// A record that is sealed and waits for its number.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) name: Vec<u8>,
    pub(super) at: i64,
    pub(super) body: Vec<u8>,
}

impl Sealed {
    /// The row it becomes at a place of a chain.
    pub(super) fn hash(&self, chain: Chain, stream: &StreamId, number: u64, before: &Hash) -> Hash {
        let (stream, schema) = (stream.as_str(), EVENT_SCHEMA);
        let Self { name, at, body } = self;
        Link { chain, schema, stream, number, at: *at, name, body }.hash(before)
    }

    /// The name of an item.
    pub(super) fn dedupe_id(&self) -> [u8; 16] {
        self.name.as_slice().try_into().expect("an item is named by its 16 bytes")
    }
}

/// A record as it is stored.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) number: u64,
    pub(super) schema: u16,
    pub(super) at: i64,
    pub(super) name: Vec<u8>,
    pub(super) body: Vec<u8>,
    pub(super) hash: Hash,
}

/// A snapshot as it is stored.
#[derive(Debug, Clone)]
pub(super) struct SnapshotRow {
    pub(super) fold: u32,
    pub(super) version: u64,
    pub(super) body: Vec<u8>,
    pub(super) digest: Hash,
}

pub(super) fn seal_events(
    vault: &Vault,
    stream: &StreamId,
    events: Vec<Draft>,
) -> Result<Vec<Sealed>, StoreError> {
    if events.len() > APPEND_EVENTS_MAX {
        return Err(StoreError::Invalid { why: "too many events in one append" });
    }
    if events.iter().any(|event| !(1..=KIND_BYTES_MAX).contains(&event.kind.len())) {
        return Err(StoreError::Invalid { why: "an event's kind is empty or too long" });
    }
    let parts = events.into_iter().map(|e| (e.kind.into_owned().into_bytes(), e.at, e.body));
    seal_all(vault, stream, parts)
}

pub(super) fn seal_items(
    vault: &Vault,
    stream: &StreamId,
    items: Vec<Item>,
) -> Result<Vec<Sealed>, StoreError> {
    if items.len() > APPEND_ITEMS_MAX {
        return Err(StoreError::Invalid { why: "too many items in one append" });
    }
    seal_all(vault, stream, items.into_iter().map(|i| (i.dedupe_id.to_vec(), i.at, i.body)))
}

fn seal_all(
    vault: &Vault,
    stream: &StreamId,
    parts: impl Iterator<Item = (Vec<u8>, Timestamp, Value)>,
) -> Result<Vec<Sealed>, StoreError> {
    let mut bytes = 0;
    parts
        .map(|(name, at, body)| {
            let body = seal_body(vault, stream, body)?;
            bytes += body.len();
            if bytes > APPEND_BYTES_MAX {
                return Err(StoreError::Invalid { why: "too many bytes in one append" });
            }
            Ok(Sealed { name, at: at.0, body })
        })
        .collect()
}

pub(super) fn seal_snapshot(
    vault: &Vault,
    stream: &StreamId,
    body: Value,
) -> Result<Vec<u8>, StoreError> {
    let body = seal_body(vault, stream, body)?;
    if body.len() > SNAPSHOT_BYTES_MAX {
        return Err(StoreError::Invalid { why: "the snapshot is too large" });
    }
    Ok(body)
}

fn seal_body(vault: &Vault, stream: &StreamId, body: Value) -> Result<Vec<u8>, StoreError> {
    match vault.seal(stream.as_str(), body) {
        Ok(sealed) => Ok(sealed.to_string().into_bytes()),
        Err(VaultError::Malformed { why }) => Err(StoreError::Invalid { why }),
        Err(VaultError::Full) => Err(StoreError::Full),
        Err(error) => Err(StoreError::unavailable(error)),
    }
}

/// Checks that the rows follow `before`, record number `after`, without a gap or a change, and
/// answers the hash of the last one.
pub(super) fn check(
    chain: Chain,
    stream: &StreamId,
    after: u64,
    before: Hash,
    rows: &[Row],
) -> Result<Hash, StoreError> {
    rows.iter().zip(after + 1..).try_fold(before, |before, (row, number)| {
        let Row { schema, at, name, body, .. } = row;
        let link =
            Link { chain, schema: *schema, stream: stream.as_str(), number, at: *at, name, body };
        let whole = row.number == number && link.hash(&before) == row.hash;
        whole
            .then_some(row.hash)
            .ok_or_else(|| StoreError::Damaged { stream: stream.clone(), number })
    })
}

pub(super) fn open_event(
    vault: &Vault,
    stream: &StreamId,
    row: Row,
) -> Result<Recorded, StoreError> {
    let body = open_body(vault, stream, row.number, row.schema, &row.body)?;
    let damaged = |_| StoreError::Damaged { stream: stream.clone(), number: row.number };
    let kind = String::from_utf8(row.name).map_err(damaged)?;
    let (version, schema, at, hash) = (row.number, row.schema, Timestamp(row.at), row.hash);
    Ok(Recorded { version, schema, kind, at, body, hash })
}

pub(super) fn open_item(
    vault: &Vault,
    stream: &StreamId,
    row: Row,
) -> Result<RecordedItem, StoreError> {
    let body = open_body(vault, stream, row.number, row.schema, &row.body)?;
    let damaged = |_| StoreError::Damaged { stream: stream.clone(), number: row.number };
    let dedupe_id = row.name.as_slice().try_into().map_err(damaged)?;
    let (seq, schema, at, hash) = (row.number, row.schema, Timestamp(row.at), row.hash);
    Ok(RecordedItem { seq, schema, dedupe_id, at, body, hash })
}

fn open_body(
    vault: &Vault,
    stream: &StreamId,
    number: u64,
    schema: u16,
    body: &[u8],
) -> Result<Value, StoreError> {
    if schema != EVENT_SCHEMA {
        let reason = format!("{stream} {number} has format {schema}: start a newer program");
        return Err(StoreError::Unavailable { reason });
    }
    let damaged = || StoreError::Damaged { stream: stream.clone(), number };
    let sealed = serde_json::from_slice(body).map_err(|_| damaged())?;
    vault.unseal(stream.as_str(), sealed).map_err(|error| match error {
        VaultError::Damaged { .. } | VaultError::Malformed { .. } => damaged(),
        VaultError::Unavailable { .. } | VaultError::Full | VaultError::KeyMissing { .. } => {
            StoreError::unavailable(error)
        }
    })
}

/// A snapshot is bound to the event it ends with: with another history it is worth nothing.
pub(super) fn snapshot_digest(
    stream: &StreamId,
    fold: u32,
    version: u64,
    body: &[u8],
    anchor: &Hash,
) -> Hash {
    let (chain, schema, number) = (Chain::Snapshots, EVENT_SCHEMA, version);
    let (stream, at, name) = (stream.as_str(), i64::from(fold), [].as_slice());
    Link { chain, schema, stream, number, at, name, body }.hash(anchor)
}

/// `None` for whatever cannot be trusted: the state is then folded from the events again.
pub(super) fn open_snapshot(
    vault: &Vault,
    stream: &StreamId,
    fold: u32,
    row: &SnapshotRow,
    anchor: &Hash,
) -> Option<Snapshot> {
    let SnapshotRow { version, body, digest, .. } = row;
    let whole =
        row.fold == fold && snapshot_digest(stream, fold, *version, body, anchor) == *digest;
    if !whole {
        return None;
    }
    let body = open_body(vault, stream, *version, EVENT_SCHEMA, body).ok()?;
    Some(Snapshot { version: *version, body })
}

/// A stream that has nothing has nothing to cache.
pub(super) fn no_anchor(version: u64) -> Result<(), StoreError> {
    if version == 0 {
        return Ok(());
    }
    Err(StoreError::Invalid { why: "a snapshot of a version that is not there" })
}
