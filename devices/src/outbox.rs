//! The gateway's disk: what was measured and bound, in one order, until the broker has it durably.
//!
//! SQLite in WAL mode with `synchronous=FULL`: [`Outbox::commit`] returns after the disk has
//! everything it wrote, in one write for a whole group. A torn end after a power cut is undone by
//! SQLite; whatever had been acknowledged to the caller is there. Entries are sealed, and overwritten
//! when they are deleted.

mod beside;
mod layout;

pub use beside::LeftOff;

use crate::key::{GatewayKey, KeyError};
use crate::private;
use crate::sealing::Seal;
use minato_protocol::Timestamp;
use minato_protocol::reading::{Hex, ReadingId, RequestKey};
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
    /// An entry is damaged, or another gateway's key sealed it.
    #[error("entry {0} of the outbox cannot be read: it is damaged, or sealed with another key")]
    Entry(i64),
    /// Without the gateway's key nothing can be sealed.
    #[error(transparent)]
    Key(#[from] KeyError),
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

/// Entries in their order.
#[derive(Debug, Default)]
pub struct Page {
    /// Those that could be read.
    pub entries: Vec<OutboxEntry>,
    /// For each of the others, an [`OutboxError::Entry`].
    pub unreadable: Vec<OutboxError>,
}

/// The file, opened by this process alone.
#[derive(Debug)]
pub struct Outbox {
    db: Connection,
    seal: Seal,
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
        let seal = Seal::of(&GatewayKey::open(folder)?);
        let id = layout::prepare(&mut db, &seal)?;
        let waiting: i64 = db.query_row("SELECT COUNT(*) FROM entries", [], |row| row.get(0))?;
        let last_seq: Option<i64> = db
            .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'entries'", [], |row| {
                row.get(0)
            })
            .optional()?;
        Ok(Self {
            db,
            seal,
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

    /// Writes a group: all of it is on the disk when this returns, or none of it.
    pub fn commit<T>(
        &mut self,
        write: impl FnOnce(&mut Group<'_>) -> Result<T, OutboxError>,
    ) -> Result<T, OutboxError> {
        let transaction = self.db.transaction()?;
        let (waiting, last_seq) = (self.waiting, self.last_seq);
        let mut group = Group { transaction, seal: &self.seal, waiting, last_seq };
        let value = write(&mut group)?;
        let Group { transaction, waiting, last_seq, .. } = group;
        transaction.commit()?;
        (self.waiting, self.last_seq) = (waiting, last_seq);
        Ok(value)
    }

    /// Entries after `seq` in their order, at most `entries_max` and about `bytes_max` of JSON, but
    /// at least one if there is any. One that cannot be read holds up no other; it stays until a later
    /// one is acknowledged.
    pub fn after(
        &self,
        seq: u64,
        entries_max: usize,
        bytes_max: usize,
    ) -> Result<Page, OutboxError> {
        let mut query = self
            .db
            .prepare_cached("SELECT seq, at, entry FROM entries WHERE seq > ?1 ORDER BY seq")?;
        let mut rows = query.query([to_i64(seq)])?;
        let (mut page, mut bytes) = (Page::default(), 0);
        while page.entries.len() < entries_max
            && let Some(row) = rows.next()?
        {
            let (seq, at) = (row.get(0)?, row.get(1)?);
            // Whatever a damaged row holds there, it is no reason to stop.
            let sealed = row.get_ref(2)?.as_bytes().unwrap_or_default();
            bytes += sealed.len();
            if bytes > bytes_max && !page.entries.is_empty() {
                break;
            }
            match self.entry(seq, at, sealed) {
                Ok(entry) => page.entries.push(entry),
                Err(error) => page.unreadable.push(error),
            }
        }
        Ok(page)
    }

    fn entry(&self, seq: i64, at: i64, sealed: &[u8]) -> Result<OutboxEntry, OutboxError> {
        let text = self.seal.open(seq, at, sealed).ok_or(OutboxError::Entry(seq))?;
        let entry = serde_json::from_slice(&text).map_err(|_| OutboxError::Entry(seq))?;
        Ok(OutboxEntry { seq: seq.unsigned_abs(), at: Timestamp(at), entry })
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
    seal: &'a Seal,
    waiting: u64,
    last_seq: u64,
}

impl Group<'_> {
    /// The `seq` of the newest entry.
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// Adds an entry behind all others; bindings take effect with it.
    pub fn append(&mut self, at: Timestamp, entry: &Entry) -> Result<u64, OutboxError> {
        let text = serde_json::to_string(entry).map_err(|_| OutboxError::Damaged)?;
        let seq = to_i64(self.last_seq + 1);
        let sealed = self.seal.seal(seq, at.0, &text);
        self.transaction
            .prepare_cached("INSERT INTO entries (seq, at, entry) VALUES (?1, ?2, ?3)")?
            .execute(params![seq, at.0, sealed])?;
        self.last_seq = seq.unsigned_abs();
        self.waiting += 1;
        match entry {
            Entry::Measured { .. } => {}
            Entry::Bound { device, subject, since, by, .. } => {
                // On the same person again, it has been on since before.
                let keep = "INSERT INTO bindings (device, subject, since, by_staff, put_on)
                     VALUES (?1, ?2, ?3, ?4, ?3)
                     ON CONFLICT (device) DO UPDATE SET
                         put_on = CASE WHEN subject = excluded.subject THEN put_on
                                  ELSE excluded.put_on END,
                         subject = excluded.subject, since = excluded.since,
                         by_staff = excluded.by_staff";
                let row = params![device.as_str(), subject.to_string(), since.0, by.to_string()];
                self.transaction.execute(keep, row)?;
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

/// SQLite counts in i64; a `seq` beyond it can only be a mistaken acknowledgement of everything.
fn to_i64(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}
