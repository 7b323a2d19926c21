//! The gateway's disk: what was measured and bound, in one order, until the broker has it durably.
//!
//! SQLite in WAL mode with `synchronous=FULL`: [`Outbox::commit`] returns after the disk has
//! everything it wrote, in one write for a whole group. A torn end after a power cut is undone by
//! SQLite; whatever had been acknowledged to the caller is there. Deleted entries are overwritten.

use crate::binding::{Binding, Bindings};
use crate::private;
use minato_protocol::Timestamp;
use minato_protocol::reading::{DeviceId, Hex, ReadingId, RequestKey};
use minato_protocol::uplink::{Entry, OutboxEntry};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, params};
use std::path::Path;
use std::time::{Duration, Instant};
use thiserror::Error;

/// Above this many waiting entries the gateway says that it is full: it takes no new bindings and
/// keeps no more pressures of cuffs under way. Readings are never dropped: they go on being
/// written until the disk itself refuses, and then the devices wait.
/// An entry has about 700 bytes, so this is about 350 MB, or six days of one oximeter.
pub const OUTBOX_ENTRIES_FULL: u64 = 500_000;
/// Requests remembered so that a repeated one changes nothing; the oldest are forgotten.
const REQUESTS_MAX: i64 = 1_024;
/// Names of records remembered so that a device that sends its memory again is not heard twice;
/// the oldest are forgotten, and the broker knows the names too.
const READINGS_MAX: i64 = 20_000;
/// The log of writes is emptied at most this often once everything is acknowledged.
const WIPE_EVERY: Duration = Duration::from_secs(30);

const FILE: &str = "outbox.sqlite3";
const SCHEMA_VERSION: i64 = 1;
const SCHEMA: &str = "
    CREATE TABLE outbox (id BLOB NOT NULL);
    CREATE TABLE entries (seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,
                          entry TEXT NOT NULL);
    CREATE TABLE bindings (device TEXT PRIMARY KEY, subject TEXT NOT NULL, since INTEGER NOT NULL,
                           by_staff TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE requests (n INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE);
    CREATE TABLE readings (n INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE);
";

/// Why the outbox cannot be used.
#[derive(Debug, Error)]
pub enum OutboxError {
    /// Another gateway has it open.
    #[error("another gateway uses this data folder; stop it or choose another folder")]
    InUse,
    /// The file is no outbox, or damaged. It is left as it is.
    #[error("the outbox file is damaged; it was left as it is, move it away to begin a new one")]
    Damaged,
    /// A later version wrote it.
    #[error(
        "the outbox was written by version {0} of its layout, which this program does not know"
    )]
    TooNew(i64),
    /// The disk is full.
    #[error("the disk is full")]
    DiskFull,
    /// Anything else that the disk or SQLite says.
    #[error("the outbox cannot be read or written: {0}")]
    Storage(rusqlite::Error),
    /// The folder cannot be made or used.
    #[error("the data folder cannot be used: {0}")]
    Folder(#[from] std::io::Error),
    /// An entry could not be read back.
    #[error("entry {0} of the outbox cannot be read")]
    Entry(i64),
}

impl From<rusqlite::Error> for OutboxError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged,
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            _ => Self::Storage(error),
        }
    }
}

/// The file, opened by this process alone.
#[derive(Debug)]
pub struct Outbox {
    db: Connection,
    id: Hex<8>,
    waiting: u64,
    last_seq: u64,
    wiped_at: Option<Instant>,
}

impl Outbox {
    /// Opens the outbox in a folder, or begins one.
    pub fn open(folder: &Path) -> Result<Self, OutboxError> {
        private::folder(folder)?;
        let mut db = Connection::open(private::database(folder, FILE)?)?;
        db.busy_timeout(Duration::from_millis(500))?;
        // Exclusive before anything is read: the lock is held until this process ends.
        db.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update(None, "secure_delete", "ON")?;
        let check: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if check != "ok" {
            return Err(OutboxError::Damaged);
        }
        let id = prepare(&mut db)?;
        let waiting: i64 = db.query_row("SELECT COUNT(*) FROM entries", [], |row| row.get(0))?;
        let last_seq: Option<i64> = db
            .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'entries'", [], |row| {
                row.get(0)
            })
            .optional()?;
        Ok(Self {
            db,
            id,
            waiting: waiting.unsigned_abs(),
            last_seq: last_seq.unwrap_or(0).unsigned_abs(),
            wiped_at: None,
        })
    }

    /// Drawn when the outbox was begun.
    pub fn id(&self) -> Hex<8> {
        self.id
    }

    /// Entries that the broker has not acknowledged.
    pub fn waiting(&self) -> u64 {
        self.waiting
    }

    /// The `seq` of the newest entry ever written, 0 if there is none.
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// Who wears what.
    pub fn bindings(&self) -> Result<Bindings, OutboxError> {
        let mut query = self.db.prepare("SELECT device, subject, since, by_staff FROM bindings")?;
        let rows = query.query_map([], |row| {
            let device: String = row.get(0)?;
            let subject: String = row.get(1)?;
            let by: String = row.get(3)?;
            Ok((device, subject, Timestamp(row.get(2)?), by))
        })?;
        rows.map(|row| {
            let (device, subject, since, by) = row?;
            let device: DeviceId = device.parse().map_err(|_| OutboxError::Damaged)?;
            let subject = subject.parse().map_err(|_| OutboxError::Damaged)?;
            let by = by.parse().map_err(|_| OutboxError::Damaged)?;
            Ok((device, Binding { subject, since, by }))
        })
        .collect()
    }

    /// Writes a group: all of it is on the disk when this returns, or none of it.
    pub fn commit<T>(
        &mut self,
        write: impl FnOnce(&mut Group<'_>) -> Result<T, OutboxError>,
    ) -> Result<T, OutboxError> {
        let transaction = self.db.transaction()?;
        let (waiting, last_seq) = (self.waiting, self.last_seq);
        let mut group = Group { transaction, waiting, last_seq };
        let value = write(&mut group)?;
        let Group { transaction, waiting, last_seq } = group;
        transaction.commit()?;
        (self.waiting, self.last_seq) = (waiting, last_seq);
        Ok(value)
    }

    /// Entries after `seq` in their order, at most `entries_max` and about `bytes_max` of JSON, but
    /// at least one if there is any.
    pub fn after(
        &self,
        seq: u64,
        entries_max: usize,
        bytes_max: usize,
    ) -> Result<Vec<OutboxEntry>, OutboxError> {
        let mut query = self.db.prepare_cached(
            "SELECT seq, at, entry FROM entries WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        )?;
        let limits = params![to_i64(seq), i64::try_from(entries_max).unwrap_or(i64::MAX)];
        let mut rows = query.query(limits)?;
        let (mut found, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get(0)?;
            let text: String = row.get(2)?;
            bytes += text.len();
            if bytes > bytes_max && !found.is_empty() {
                break;
            }
            let entry = serde_json::from_str(&text).map_err(|_| OutboxError::Entry(seq))?;
            found.push(OutboxEntry { seq: seq.unsigned_abs(), at: Timestamp(row.get(1)?), entry });
        }
        Ok(found)
    }

    /// Once nothing waits, the log of writes is emptied too, so that nothing of a patient stays.
    pub fn wipe_if_idle(&mut self) -> Result<(), OutboxError> {
        let due = self.wiped_at.is_none_or(|wiped_at| wiped_at.elapsed() >= WIPE_EVERY);
        if self.waiting == 0 && due {
            self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            self.wiped_at = Some(Instant::now());
        }
        Ok(())
    }
}

/// What is written together.
#[derive(Debug)]
pub struct Group<'a> {
    transaction: Transaction<'a>,
    waiting: u64,
    last_seq: u64,
}

impl Group<'_> {
    /// Adds an entry behind all others; bindings take effect with it.
    pub fn append(&mut self, at: Timestamp, entry: &Entry) -> Result<u64, OutboxError> {
        let text = serde_json::to_string(entry).map_err(|_| OutboxError::Damaged)?;
        self.transaction
            .prepare_cached("INSERT INTO entries (at, entry) VALUES (?1, ?2)")?
            .execute(params![at.0, text])?;
        self.last_seq = self.transaction.last_insert_rowid().unsigned_abs();
        self.waiting += 1;
        match entry {
            Entry::Measured { .. } => {}
            Entry::Bound { device, subject, since, by, .. } => {
                self.transaction.execute(
                    "INSERT OR REPLACE INTO bindings VALUES (?1, ?2, ?3, ?4)",
                    params![device.as_str(), subject.to_string(), since.0, by.to_string()],
                )?;
            }
            Entry::Unbound { device, .. } => {
                let forget = "DELETE FROM bindings WHERE device = ?1";
                self.transaction.execute(forget, [device.as_str()])?;
            }
        }
        Ok(self.last_seq)
    }

    /// Forgets everything up to and including `through`.
    pub fn acknowledge(&mut self, through: u64) -> Result<(), OutboxError> {
        let mut forget = self.transaction.prepare_cached("DELETE FROM entries WHERE seq <= ?1")?;
        self.waiting -= forget.execute([to_i64(through)])? as u64;
        Ok(())
    }

    /// Remembers a request; `false` if it was known.
    pub fn remember_request(&mut self, key: &RequestKey) -> Result<bool, OutboxError> {
        let insert = "INSERT OR IGNORE INTO requests (key) VALUES (?1)";
        let new = self.transaction.execute(insert, [key.as_str()])? == 1;
        self.forget_oldest(new, "requests", REQUESTS_MAX)?;
        Ok(new)
    }

    /// Forgets a request that was refused: asked again, it is decided again.
    pub fn forget_request(&mut self, key: &RequestKey) -> Result<(), OutboxError> {
        self.transaction.execute("DELETE FROM requests WHERE key = ?1", [key.as_str()])?;
        Ok(())
    }

    /// Remembers a record; `false` if it was known.
    pub fn remember_reading(&mut self, id: ReadingId) -> Result<bool, OutboxError> {
        let mut insert =
            self.transaction.prepare_cached("INSERT OR IGNORE INTO readings (id) VALUES (?1)")?;
        let new = insert.execute([id.0.0.as_slice()])? == 1;
        drop(insert);
        self.forget_oldest(new, "readings", READINGS_MAX)?;
        Ok(new)
    }

    fn forget_oldest(&self, new: bool, table: &str, max: i64) -> Result<(), OutboxError> {
        if new {
            let oldest = self.transaction.last_insert_rowid() - max;
            let forget = format!("DELETE FROM {table} WHERE n <= ?1");
            self.transaction.prepare_cached(&forget)?.execute([oldest])?;
        }
        Ok(())
    }
}

/// Makes the tables, or checks whose they are; returns the outbox's id.
fn prepare(db: &mut Connection) -> Result<Hex<8>, OutboxError> {
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version > SCHEMA_VERSION {
        return Err(OutboxError::TooNew(version));
    }
    if version == 0 {
        let transaction = db.transaction()?;
        transaction.execute_batch(SCHEMA)?;
        let id: [u8; 8] = crate::key::random();
        transaction.execute("INSERT INTO outbox VALUES (?1)", [id.as_slice()])?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        transaction.commit()?;
    }
    let id: Vec<u8> = db.query_row("SELECT id FROM outbox", [], |row| row.get(0))?;
    id.try_into().map(Hex).map_err(|_| OutboxError::Damaged)
}

/// SQLite counts in i64; a `seq` beyond it can only be a mistaken acknowledgement of everything.
fn to_i64(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}
