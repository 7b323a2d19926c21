//! Where whole files lie: pictures now. The log keeps what refers to them.
//!
//! [`Folder`] keeps them in a folder, [`MemoryBlobs`] in memory with faults on demand. Both pass the
//! sentences of `tests/blob_contract.rs`. What is put here is sealed already.

mod folder;
mod memory;

pub use folder::Folder;
pub use memory::MemoryBlobs;

use futures_util::future::BoxFuture;
use minato_protocol::Timestamp;
use std::fmt;

/// Bytes of one file. More is refused.
pub const BLOB_BYTES_MAX: usize = 4 << 20;

/// Names a file; drawn so that nobody guesses one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(pub [u8; 16]);

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BlobId {
    /// Whoever has the name has half of the way in: it stands in no log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BlobId(…)")
    }
}

/// Why a file was not kept, found or removed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// The outcome is unknown: try again, it is the same file.
    #[error("the store of files is unavailable: {reason}")]
    Unavailable {
        /// For the operator; no personal data.
        reason: String,
    },
    /// Nothing was written: there is no room.
    #[error("the store of files is full")]
    Full,
    /// Nothing was written and nothing ever will be.
    #[error("the file is longer than {BLOB_BYTES_MAX} bytes")]
    TooLong,
}

/// The port to the store of files.
pub trait BlobStore: fmt::Debug + Send + Sync + 'static {
    /// Keeps a file, whole or not at all, as of a moment; one of the same name gives way. Durable when
    /// it answers `Ok`.
    fn put(
        &self,
        id: BlobId,
        bytes: Vec<u8>,
        at: Timestamp,
    ) -> BoxFuture<'_, Result<(), BlobError>>;

    /// A file, if it is there.
    fn read(&self, id: BlobId) -> BoxFuture<'_, Result<Option<Vec<u8>>, BlobError>>;

    /// The first bytes of a file, at most so many, if it is there.
    fn read_first(
        &self,
        id: BlobId,
        bytes_max: usize,
    ) -> BoxFuture<'_, Result<Option<Vec<u8>>, BlobError>>;

    /// Removes a file that was kept before a moment; of a younger one, or one that is not there, nothing
    /// happens. Answers whether it went: durable then.
    fn remove_before(
        &self,
        id: BlobId,
        moment: Timestamp,
    ) -> BoxFuture<'_, Result<bool, BlobError>>;

    /// Every file that was kept before a moment. What was begun before it and never became a file is
    /// cleared away.
    fn kept_before(&self, moment: Timestamp) -> BoxFuture<'_, Result<Vec<BlobId>, BlobError>>;
}
