//! How the outbox's file looks inside, and how an older one becomes like it.

use super::OutboxError;
use crate::sealing::Seal;
use minato_protocol::reading::Hex;
use rusqlite::{Connection, params};

/// Version 1 kept entries as plain text; they are sealed when such a file is opened. Version 2 knew
/// nothing of the devices' clocks and when they last gave a value, version 3 nothing of their kinds,
/// the measurements under way and the machine's last start.
const SCHEMA_VERSION: i64 = 4;
const WITHOUT_CLOCKS: i64 = 2;
const PLAIN_VERSION: i64 = 1;
/// Entries of an older file that are sealed at a time.
const SEALED_AT_ONCE: usize = 1_000;
const BESIDE: &str = "
    CREATE TABLE IF NOT EXISTS valued (device TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS clocks (device TEXT PRIMARY KEY, history TEXT NOT NULL) WITHOUT ROWID;
";
const PUT_ON: &str = "
    ALTER TABLE bindings ADD COLUMN put_on INTEGER NOT NULL DEFAULT 0;
    UPDATE bindings SET put_on = since;
";
const UNDER_WAY: &str = "
    CREATE TABLE kinds (device TEXT PRIMARY KEY, kind TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE runs (device TEXT PRIMARY KEY, began_at INTEGER NOT NULL,
                       heard_at INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE machine (one INTEGER PRIMARY KEY CHECK (one = 1), boot TEXT NOT NULL);
";
const SCHEMA: &str = "
    CREATE TABLE outbox (id BLOB NOT NULL);
    CREATE TABLE entries (seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,
                          entry BLOB NOT NULL);
    CREATE TABLE bindings (device TEXT PRIMARY KEY, subject TEXT NOT NULL, since INTEGER NOT NULL,
                           by_staff TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE requests (n INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE);
    CREATE TABLE readings (n INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE);
";

/// Makes the tables, or checks whose they are; returns the outbox's id.
pub(super) fn prepare(db: &mut Connection, seal: &Seal) -> Result<Hex<8>, OutboxError> {
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version > SCHEMA_VERSION {
        return Err(OutboxError::TooNew(version));
    }
    if version == 0 {
        let transaction = db.transaction()?;
        transaction.execute_batch(SCHEMA)?;
        let id: [u8; 8] = crate::key::random();
        transaction.execute("INSERT INTO outbox VALUES (?1)", [id.as_slice()])?;
        transaction.execute_batch(BESIDE)?;
        transaction.execute_batch(PUT_ON)?;
        transaction.execute_batch(UNDER_WAY)?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        transaction.commit()?;
    }
    if version == PLAIN_VERSION {
        seal_all(db, seal)?;
    }
    if (PLAIN_VERSION..SCHEMA_VERSION).contains(&version) {
        let transaction = db.transaction()?;
        if version <= WITHOUT_CLOCKS {
            transaction.execute_batch(BESIDE)?;
            transaction.execute_batch(PUT_ON)?;
        }
        transaction.execute_batch(UNDER_WAY)?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        transaction.commit()?;
    }
    let id: Vec<u8> = db.query_row("SELECT id FROM outbox", [], |row| row.get(0))?;
    id.try_into().map(Hex).map_err(|_| OutboxError::Damaged)
}

/// Seals the plain entries of an older file; interrupted, it goes on at the next start. Afterwards
/// nothing plain is left in the file or its log.
fn seal_all(db: &mut Connection, seal: &Seal) -> Result<(), OutboxError> {
    loop {
        let transaction = db.transaction()?;
        let plain: Vec<(i64, i64, String)> = transaction
            .prepare("SELECT seq, at, entry FROM entries WHERE typeof(entry) = 'text' LIMIT ?1")?
            .query_map([SEALED_AT_ONCE as i64], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<_, _>>()?;
        for (seq, at, text) in &plain {
            let update = "UPDATE entries SET entry = ?1 WHERE seq = ?2";
            transaction
                .prepare_cached(update)?
                .execute(params![seal.seal(*seq, *at, text), seq])?;
        }
        transaction.commit()?;
        if plain.is_empty() {
            break;
        }
    }
    // Pages that were split keep old rows in their unused parts: the file is written anew.
    db.execute_batch("VACUUM")?;
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}
