//! A database file that belongs to one process: taken, recognised and set to durable before use.

use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// Why a file was not opened. Nothing in it was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Another process has it: stop that one first.
    #[error("{path} is in use by another process ({holder})")]
    Taken {
        /// Which file.
        path: PathBuf,
        /// What the other process wrote about itself: its process id.
        holder: String,
    },
    /// It is not a file of this kind: check the path.
    #[error("{path} is not a file of this kind; it was left as it is")]
    Foreign {
        /// Which file.
        path: PathBuf,
    },
    /// A newer Minato wrote it: start that one.
    #[error("{path} has format {found}, this program knows formats up to {known}")]
    Newer {
        /// Which file.
        path: PathBuf,
        /// The file's format.
        found: u32,
        /// The newest format known here.
        known: u32,
    },
    /// The log was written with other keys: bring the keys file that belongs to it.
    #[error("{path} belongs to another keys file")]
    WrongVault {
        /// Which file.
        path: PathBuf,
    },
    /// It may be read but not written: correct its permissions.
    #[error("{path} is read-only")]
    ReadOnly {
        /// Which file.
        path: PathBuf,
    },
    /// There is no space on its disk.
    #[error("the disk of {path} is full")]
    Full {
        /// Which file.
        path: PathBuf,
    },
    /// Anything else the operating system or the database says.
    #[error("{path} cannot be opened: {reason}")]
    Failed {
        /// Which file.
        path: PathBuf,
        /// Their words.
        reason: String,
    },
}

impl OpenError {
    pub(crate) fn from_sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        let path = path.to_owned();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::Foreign { path },
            Some(ErrorCode::ReadOnly) => Self::ReadOnly { path },
            Some(ErrorCode::DiskFull) => Self::Full { path },
            _ => Self::Failed { path, reason: error.to_string() },
        }
    }

    fn from_io(path: &Path, error: &std::io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            std::io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path },
            std::io::ErrorKind::StorageFull => Self::Full { path },
            _ => Self::Failed { path, reason: error.to_string() },
        }
    }
}

/// How a kind of file is recognised and made.
#[derive(Debug)]
pub(crate) struct Format {
    /// SQLite's application id.
    pub(crate) application_id: u32,
    /// SQLite's user version.
    pub(crate) version: u32,
    /// The statements that make an empty one.
    pub(crate) tables: &'static str,
}

/// A file that was taken: the connection that may write it, and the lock that says so. The lock
/// is the operating system's, so a killed process gives it back.
#[derive(Debug)]
pub(crate) struct OwnedFile {
    pub(crate) writer: Connection,
    pub(crate) lock: File,
}

impl OwnedFile {
    /// Takes the file, makes it if it is not there, and sets it to WAL with full synchronisation:
    /// what COMMIT answered survives a loss of power.
    pub(crate) fn open(path: &Path, format: &Format) -> Result<Self, OpenError> {
        let lock = take(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        make_private(path).map_err(|error| OpenError::from_io(path, &error))?;
        let failed = |error: rusqlite::Error| OpenError::from_sqlite(path, &error);
        let writer = Connection::open_with_flags(path, flags).map_err(failed)?;
        // SQLite opens a file it may not write for reading instead of refusing.
        if writer.is_readonly("main").map_err(failed)? {
            return Err(OpenError::ReadOnly { path: path.to_owned() });
        }
        let fresh = recognise(&writer, path, format)?;
        set_durable(&writer).map_err(failed)?;
        if fresh {
            make(&writer, format).map_err(failed)?;
            sync_folder(path).map_err(|error| OpenError::from_io(path, &error))?;
        }
        Ok(Self { writer, lock })
    }
}

/// The same tables in memory, for simulations.
pub(crate) fn in_memory(format: &Format) -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    make(&connection, format)?;
    Ok(connection)
}

fn take(path: &Path) -> Result<File, OpenError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let failed = |error: std::io::Error| OpenError::from_io(path, &error);
    let mut options = OpenOptions::new();
    let mut lock =
        options.create(true).truncate(false).read(true).write(true).open(name).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // Only words for the operator: not being able to read them changes nothing.
            let _ = lock.take(64).read_to_string(&mut holder);
            return Err(OpenError::Taken { path: path.to_owned(), holder: holder.trim().into() });
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    // On a full disk the note about the holder may be missing, the lock holds all the same.
    let _ = lock.set_len(0).and_then(|()| lock.rewind());
    let _ = writeln!(lock, "process {}", std::process::id());
    Ok(lock)
}

/// A new file is for its owner only, from its first byte; SQLite's companions inherit that.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.write(true).create_new(true).open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Whether the file is empty and has to be made. Changes nothing.
fn recognise(file: &Connection, path: &Path, format: &Format) -> Result<bool, OpenError> {
    let failed = |error: rusqlite::Error| OpenError::from_sqlite(path, &error);
    let number = |name| file.pragma_query_value(None, name, |row| row.get::<_, u32>(0));
    let application_id = number("application_id").map_err(failed)?;
    let version = number("user_version").map_err(failed)?;
    let tables: u32 = file
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(failed)?;
    if (application_id, version, tables) == (0, 0, 0) {
        return Ok(true);
    }
    if application_id != format.application_id {
        return Err(OpenError::Foreign { path: path.to_owned() });
    }
    if version > format.version {
        let (found, known) = (version, format.version);
        return Err(OpenError::Newer { path: path.to_owned(), found, known });
    }
    Ok(false)
}

fn set_durable(file: &Connection) -> rusqlite::Result<()> {
    let mode: String =
        file.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if !mode.eq_ignore_ascii_case("wal") {
        let why = format!("its file system cannot keep a write-ahead log ({mode})");
        return Err(rusqlite::Error::ToSqlConversionFailure(why.into()));
    }
    file.pragma_update(None, "synchronous", "FULL")?;
    file.set_prepared_statement_cache_capacity(32);
    Ok(())
}

// One transaction: a file is either empty or whole.
fn make(file: &Connection, format: &Format) -> rusqlite::Result<()> {
    let transaction = file.unchecked_transaction()?;
    transaction.execute_batch(format.tables)?;
    transaction.pragma_update(None, "application_id", format.application_id)?;
    transaction.pragma_update(None, "user_version", format.version)?;
    transaction.commit()
}

/// A new file's name is durable only when its folder is.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}
