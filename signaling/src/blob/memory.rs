//! Files in memory, for tests and rehearsals, with faults on demand.

use super::{BLOB_BYTES_MAX, BlobError, BlobId, BlobStore};
use futures_util::future::BoxFuture;
use minato_protocol::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// They end with the process.
#[derive(Default)]
pub struct MemoryBlobs(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    file_by_id: BTreeMap<BlobId, (Timestamp, Vec<u8>)>,
    refuse: bool,
    anew: Option<Timestamp>,
}

impl std::fmt::Debug for MemoryBlobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MemoryBlobs(…)")
    }
}

impl MemoryBlobs {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on there is no room, or there is again.
    pub fn refuse(&self, refuse: bool) {
        self.lock().refuse = refuse;
    }

    /// The next file whose first bytes are looked at is kept anew as of this moment, right after that.
    pub fn keep_anew(&self, at: Timestamp) {
        self.lock().anew = Some(at);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.lock().file_by_id.len()
    }
}

impl BlobStore for MemoryBlobs {
    fn put(
        &self,
        id: BlobId,
        bytes: Vec<u8>,
        at: Timestamp,
    ) -> BoxFuture<'_, Result<(), BlobError>> {
        Box::pin(async move {
            let mut inner = self.lock();
            if bytes.len() > BLOB_BYTES_MAX {
                return Err(BlobError::TooLong);
            }
            if inner.refuse {
                return Err(BlobError::Full);
            }
            inner.file_by_id.insert(id, (at, bytes));
            Ok(())
        })
    }

    fn read(&self, id: BlobId) -> BoxFuture<'_, Result<Option<Vec<u8>>, BlobError>> {
        Box::pin(async move { Ok(self.lock().file_by_id.get(&id).map(|(_, bytes)| bytes.clone())) })
    }

    fn read_first(
        &self,
        id: BlobId,
        bytes_max: usize,
    ) -> BoxFuture<'_, Result<Option<Vec<u8>>, BlobError>> {
        Box::pin(async move {
            let mut inner = self.lock();
            let first = |bytes: &Vec<u8>| bytes.iter().take(bytes_max).copied().collect();
            let found = inner.file_by_id.get(&id).map(|(_, bytes)| first(bytes));
            if let (Some(at), Some(file)) = (inner.anew.take(), inner.file_by_id.get_mut(&id)) {
                file.0 = at;
            }
            Ok(found)
        })
    }

    fn remove_before(
        &self,
        id: BlobId,
        moment: Timestamp,
    ) -> BoxFuture<'_, Result<bool, BlobError>> {
        Box::pin(async move {
            let mut inner = self.lock();
            let is_old = inner.file_by_id.get(&id).is_some_and(|(at, _)| *at < moment);
            Ok(is_old && inner.file_by_id.remove(&id).is_some())
        })
    }

    fn kept_before(&self, moment: Timestamp) -> BoxFuture<'_, Result<Vec<BlobId>, BlobError>> {
        Box::pin(async move {
            let inner = self.lock();
            let before = inner.file_by_id.iter().filter(|(_, (at, _))| *at < moment);
            Ok(before.map(|(id, _)| *id).collect())
        })
    }
}
