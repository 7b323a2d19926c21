//! One view on one screen: what was sent, its version and its hash, and what has to be sent next.

use minato_protocol::view::Row;
use minato_protocol::wire::row_hash;
use std::collections::{BTreeMap, BTreeSet};

/// Rows that a screen has, by key, as hashes.
#[derive(Debug, Default)]
pub struct Table {
    hash_by_key: BTreeMap<String, u32>,
    hash: u32,
    version: u32,
}

/// The rows that a screen does not have yet, and the keys of those it has to forget.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    /// New or changed.
    pub upsert: Vec<Row>,
    /// Gone.
    pub remove: Vec<String>,
    /// The table's version after this change.
    pub version: u32,
    /// The table's hash after this change.
    pub hash: u32,
}

impl Table {
    /// Goes on from the version that a screen has.
    pub fn resumed(rows: &[Row], version: u32) -> Self {
        let mut table = Self::default();
        table.replace(rows.to_vec());
        table.version = version;
        table
    }

    /// The wrapping sum over all rows' hashes.
    pub fn hash(&self) -> u32 {
        self.hash
    }

    /// Brings the table to exactly these rows; `None` if it has them already.
    pub fn replace(&mut self, rows: Vec<Row>) -> Option<Change> {
        let kept: BTreeSet<String> = rows.iter().map(Row::key).collect();
        let gone = self.hash_by_key.keys().filter(|key| !kept.contains(*key)).cloned().collect();
        self.apply(rows, gone)
    }

    /// Takes some rows in and some out; `None` if nothing changes. Cost: the rows given.
    pub fn apply(&mut self, rows: Vec<Row>, gone: Vec<String>) -> Option<Change> {
        let upsert: Vec<Row> = rows.into_iter().filter(|row| self.take_in(row)).collect();
        let remove: Vec<String> = gone.into_iter().filter(|key| self.take_out(key)).collect();
        if upsert.is_empty() && remove.is_empty() {
            return None;
        }
        self.version = self.version.wrapping_add(1);
        Some(Change { upsert, remove, version: self.version, hash: self.hash })
    }

    fn take_in(&mut self, row: &Row) -> bool {
        // Rows are plain structs: they always have a JSON form.
        let hash = row_hash(&serde_json::to_vec(row).unwrap_or_default());
        let before = self.hash_by_key.insert(row.key(), hash);
        if before == Some(hash) {
            return false;
        }
        self.hash = self.hash.wrapping_sub(before.unwrap_or(0)).wrapping_add(hash);
        true
    }

    fn take_out(&mut self, key: &str) -> bool {
        let Some(hash) = self.hash_by_key.remove(key) else { return false };
        self.hash = self.hash.wrapping_sub(hash);
        true
    }

    /// A table sent whole: the next version.
    pub fn whole(&mut self, rows: Vec<Row>) -> Change {
        let version = self.version;
        *self = Self::default();
        self.replace(rows.clone());
        self.version = version.wrapping_add(1);
        Change { upsert: rows, remove: Vec::new(), version: self.version, hash: self.hash }
    }
}
