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

    fn remove(&self, id: BlobId) -> BoxFuture<'_, Result<(), BlobError>> {
        Box::pin(async move {
            self.lock().file_by_id.remove(&id);
            Ok(())
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
