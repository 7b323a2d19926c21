//! How the log's file looks inside, and the few statements that read it.

use super::StreamId;
use super::chain::{Chain, Hash, ORIGIN};
use super::codec::{Row, SnapshotRow};
use super::file::{Format, OpenError, OwnedFile};
use crate::vault::Vault;
use minato_protocol::Timestamp;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, params};
use std::path::Path;

/// Records of all streams lie in order of arrival, so that a batch of many streams touches few
/// pages; the unique indexes are what makes a version or an id exist once.
pub(super) const FORMAT: Format = Format {
    application_id: u32::from_be_bytes(*b"MNTl"),
    version: 1,
    tables: "CREATE TABLE vault (id BLOB NOT NULL) STRICT;
        CREATE TABLE stream (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
        CREATE TABLE event (
            place INTEGER PRIMARY KEY, stream INTEGER NOT NULL, number INTEGER NOT NULL,
            schema INTEGER NOT NULL, at INTEGER NOT NULL, name TEXT NOT NULL,
            body BLOB NOT NULL, hash BLOB NOT NULL) STRICT;
        CREATE UNIQUE INDEX event_number ON event (stream, number);
        CREATE TABLE item (
            place INTEGER PRIMARY KEY, stream INTEGER NOT NULL, number INTEGER NOT NULL,
            schema INTEGER NOT NULL, at INTEGER NOT NULL, name BLOB NOT NULL,
            body BLOB NOT NULL, hash BLOB NOT NULL) STRICT;
        CREATE UNIQUE INDEX item_number ON item (stream, number);
        CREATE UNIQUE INDEX item_name ON item (stream, name);
        CREATE TABLE snapshot (
            stream INTEGER PRIMARY KEY, fold INTEGER NOT NULL, version INTEGER NOT NULL,
            body BLOB NOT NULL, digest BLOB NOT NULL) STRICT;
        CREATE TABLE beat (one INTEGER PRIMARY KEY CHECK (one = 1), at INTEGER NOT NULL) STRICT;",
};

/// Opens the log's file and binds it to the vault that its sealed fields need.
pub(super) fn open(path: &Path, vault: &Vault) -> Result<OwnedFile, OpenError> {
    let file = OwnedFile::open(path, &FORMAT)?;
    let failed = |error: rusqlite::Error| OpenError::from_sqlite(path, &error);
    let bound: Option<Vec<u8>> = file
        .writer
        .query_row("SELECT id FROM vault", [], |row| row.get(0))
        .optional()
        .map_err(failed)?;
    match bound {
        None => {
            let insert = "INSERT INTO vault VALUES (?1)";
            file.writer.execute(insert, [vault.id()]).map_err(failed)?;
        }
        Some(id) if id == vault.id() => {}
        Some(_) => return Err(OpenError::WrongVault { path: path.to_owned() }),
    }
    Ok(file)
}

/// A count in a column: SQLite counts to `i64::MAX`, and nothing is numbered beyond it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number(pub(super) u64);

impl ToSql for Number {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(i64::try_from(self.0).unwrap_or(i64::MAX).into())
    }
}

impl FromSql for Number {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = value.as_i64()?;
        u64::try_from(number).map(Self).map_err(|_| FromSqlError::OutOfRange(number))
    }
}

pub(super) fn stream_row(file: &Connection, stream: &StreamId) -> rusqlite::Result<Option<i64>> {
    file.prepare_cached("SELECT id FROM stream WHERE name = ?1")?
        .query_row([stream.as_str()], |row| row.get(0))
        .optional()
}

/// The number and hash of a chain's last record.
pub(super) fn last(file: &Connection, chain: Chain, stream: i64) -> rusqlite::Result<(u64, Hash)> {
    let statement = match chain {
        Chain::Items => {
            "SELECT number, hash FROM item WHERE stream = ?1 ORDER BY number DESC LIMIT 1"
        }
        Chain::Events | Chain::Snapshots => {
            "SELECT number, hash FROM event WHERE stream = ?1 ORDER BY number DESC LIMIT 1"
        }
    };
    let found = file
        .prepare_cached(statement)?
        .query_row([stream], |row| Ok((row.get::<_, Number>(0)?.0, row.get(1)?)))
        .optional()?;
    Ok(found.unwrap_or((0, ORIGIN)))
}

/// The hash of an event; [`ORIGIN`] for version 0, `None` for a version that is not there.
pub(super) fn anchor(
    file: &Connection,
    stream: i64,
    version: u64,
) -> rusqlite::Result<Option<Hash>> {
    if version == 0 {
        return Ok(Some(ORIGIN));
    }
    file.prepare_cached("SELECT hash FROM event WHERE stream = ?1 AND number = ?2")?
        .query_row(params![stream, Number(version)], |row| row.get(0))
        .optional()
}

/// The number of the item of this id, from 1.
pub(super) fn item_number(
    file: &Connection,
    stream: &StreamId,
    id: &[u8; 16],
) -> rusqlite::Result<Option<u64>> {
    let Some(row) = stream_row(file, stream)? else { return Ok(None) };
    file.prepare_cached("SELECT number FROM item WHERE stream = ?1 AND name = ?2")?
        .query_row(params![row, id.as_slice()], |row| row.get::<_, Number>(0))
        .optional()
        .map(|number| number.map(|number| number.0.max(1)))
}

/// Records numbered `from` and above, in order, at most `limit`.
pub(super) fn rows_from(
    file: &Connection,
    chain: Chain,
    stream: i64,
    from: u64,
    limit: usize,
) -> rusqlite::Result<Vec<Row>> {
    let statement = match chain {
        Chain::Items => {
            "SELECT number, schema, at, name, body, hash FROM item
             WHERE stream = ?1 AND number >= ?2 ORDER BY number LIMIT ?3"
        }
        Chain::Events | Chain::Snapshots => {
            "SELECT number, schema, at, name, body, hash FROM event
             WHERE stream = ?1 AND number >= ?2 ORDER BY number LIMIT ?3"
        }
    };
    let (from, limit) = (Number(from), Number(limit as u64));
    file.prepare_cached(statement)?
        .query_map(params![stream, from, limit], |row| {
            Ok(Row {
                number: row.get::<_, Number>(0)?.0,
                schema: row.get(1)?,
                at: row.get(2)?,
                name: row.get_ref(3)?.as_bytes()?.to_vec(),
                body: row.get(4)?,
                hash: row.get(5)?,
            })
        })?
        .collect()
}

pub(super) fn snapshot(file: &Connection, stream: i64) -> rusqlite::Result<Option<SnapshotRow>> {
    file.prepare_cached("SELECT fold, version, body, digest FROM snapshot WHERE stream = ?1")?
        .query_row([stream], |row| {
            Ok(SnapshotRow {
                fold: row.get(0)?,
                version: row.get::<_, Number>(1)?.0,
                body: row.get(2)?,
                digest: row.get(3)?,
            })
        })
        .optional()
}

pub(super) fn streams(file: &Connection, prefix: &str) -> rusqlite::Result<Vec<StreamId>> {
    // Names are ASCII and DEL is in none: it ends the range of those that begin with the prefix.
    let end = format!("{prefix}\u{7f}");
    file.prepare_cached("SELECT name FROM stream WHERE name >= ?1 AND name < ?2 ORDER BY name")?
        .query_map([prefix, &end], |row| row.get::<_, String>(0))?
        // A name that this program does not know is a newer one's noun and nobody here asks for it.
        .filter_map(|name| name.map(|name| name.parse().ok()).transpose())
        .collect()
}

pub(super) fn last_beat(file: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    file.prepare_cached("SELECT at FROM beat")?
        .query_row([], |row| row.get(0).map(Timestamp))
        .optional()
}
