//! Files in a folder of this machine, or of one that several share. A file is written beside its
//! place, made durable, and put there by one rename: whoever reads sees all of it or nothing.

use super::{BLOB_BYTES_MAX, BlobError, BlobId, BlobStore};
use futures_util::future::BoxFuture;
use minato_protocol::Timestamp;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

/// Ends the name of what is not a file yet.
const UNFINISHED: &str = "new";

/// One flat folder, readable by its owner only. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Folder {
    path: Arc<Path>,
    begun: Arc<AtomicU64>,
}

impl Folder {
    /// Opens the folder, or makes it.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(Self { path: path.into(), begun: Arc::default() })
    }

    fn place(&self, id: BlobId) -> PathBuf {
        self.path.join(id.to_string())
    }

    /// A name that no other write uses, of this process or another one.
    fn beside(&self, id: BlobId) -> PathBuf {
        let count = self.begun.fetch_add(1, Ordering::Relaxed);
        self.path.join(format!("{id}.{}-{count}.{UNFINISHED}", std::process::id()))
    }

    fn write(&self, id: BlobId, bytes: &[u8], at: Timestamp) -> io::Result<()> {
        let beside = self.beside(id);
        let written = write_whole(&beside, bytes, at).and_then(|()| {
            fs::rename(&beside, self.place(id))?;
            File::open(&self.path)?.sync_all()
        });
        if written.is_err() {
            // It may not even be there; what stays is cleared away later.
            let _ = fs::remove_file(&beside);
        }
        written
    }

    fn erase(&self, id: BlobId) -> io::Result<()> {
        found(fs::remove_file(self.place(id)))?;
        File::open(&self.path)?.sync_all()
    }

    fn before(&self, moment: Timestamp) -> io::Result<Vec<BlobId>> {
        let mut ids = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            // Another process may have removed it just now.
            let Some(meta) = found(entry.metadata())? else { continue };
            if !meta.is_file() || moment <= kept_at(&meta) {
                continue;
            }
            let (path, name) = (entry.path(), entry.file_name());
            if path.extension().is_some_and(|end| end == UNFINISHED) {
                found(fs::remove_file(path))?;
            } else if let Some(id) = name.to_str().and_then(id_of) {
                ids.push(id);
            }
        }
        Ok(ids)
    }

    async fn at_the_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> io::Result<T> + Send + 'static,
    ) -> Result<T, BlobError> {
        let folder = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&folder)).await;
        let done = done.map_err(|ended| io::Error::other(ended.to_string()));
        done.and_then(|result| result).map_err(|error| match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => BlobError::Full,
            _ => BlobError::Unavailable { reason: error.to_string() },
        })
    }
}

impl BlobStore for Folder {
    fn put(
        &self,
        id: BlobId,
        bytes: Vec<u8>,
        at: Timestamp,
    ) -> BoxFuture<'_, Result<(), BlobError>> {
        Box::pin(async move {
            if bytes.len() > BLOB_BYTES_MAX {
                return Err(BlobError::TooLong);
            }
            self.at_the_disk(move |folder| folder.write(id, &bytes, at)).await
        })
    }

    fn read(&self, id: BlobId) -> BoxFuture<'_, Result<Option<Vec<u8>>, BlobError>> {
        Box::pin(self.at_the_disk(move |folder| found(fs::read(folder.place(id)))))
    }

    fn read_first(
        &self,
        id: BlobId,
        bytes_max: usize,
    ) -> BoxFuture<'_, Result<Option<Vec<u8>>, BlobError>> {
        Box::pin(self.at_the_disk(move |folder| {
            let Some(file) = found(File::open(folder.place(id)))? else { return Ok(None) };
            let (mut bytes, most) = (Vec::new(), u64::try_from(bytes_max).unwrap_or(u64::MAX));
            file.take(most).read_to_end(&mut bytes)?;
            Ok(Some(bytes))
        }))
    }

    fn remove_before(
        &self,
        id: BlobId,
        moment: Timestamp,
    ) -> BoxFuture<'_, Result<bool, BlobError>> {
        Box::pin(self.at_the_disk(move |folder| {
            let meta = found(fs::metadata(folder.place(id)))?;
            if meta.is_none_or(|meta| moment <= kept_at(&meta)) {
                return Ok(false);
            }
            folder.erase(id).map(|()| true)
        }))
    }

    fn kept_before(&self, moment: Timestamp) -> BoxFuture<'_, Result<Vec<BlobId>, BlobError>> {
        Box::pin(self.at_the_disk(move |folder| folder.before(moment)))
    }
}

fn write_whole(path: &Path, bytes: &[u8], at: Timestamp) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.set_modified(UNIX_EPOCH + Duration::from_millis(at.0.max(0).unsigned_abs()))?;
    file.sync_all()
}

fn kept_at(meta: &fs::Metadata) -> Timestamp {
    let modified = meta.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    Timestamp(i64::try_from(modified.unwrap_or_default().as_millis()).unwrap_or(i64::MAX))
}

/// Nothing where there is no such file.
fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn id_of(name: &str) -> Option<BlobId> {
    let hex: minato_protocol::reading::Hex<16> = name.parse().ok()?;
    Some(BlobId(hex.0))
}
