//! One key per person, kept outside the log, so that a person can be erased from a history that
//! nobody may change.
//!
//! Personal fields arrive marked as [`Pii`](minato_protocol::Pii) and leave as
//! `{"sealed":{"of":…,"bytes":…}}`: AES-256-GCM under the subject's key, bound to the subject and
//! to the stream they are stored in. Erasing the key turns all of them into `{"erased":…}`.

mod bytes;

use crate::log::{Format, OpenError, OwnedFile, in_memory};
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use minato_protocol::SubjectId;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Keys held in memory. When it is full all are let go and read again as needed.
const KEYS_CACHED_MAX: usize = 20_000;
/// Nesting of a body; serde_json reads no more than 128 levels back.
const DEPTH_MAX: usize = 100;
const KEY_BYTES: usize = 32;

const FORMAT: Format = Format {
    application_id: u32::from_be_bytes(*b"MNTk"),
    version: 1,
    // A NULL secret says: erased, and no key is ever made for this subject again.
    tables: "CREATE TABLE vault (id BLOB NOT NULL) STRICT;
        CREATE TABLE key (subject INTEGER PRIMARY KEY, secret BLOB) STRICT;
        INSERT INTO vault VALUES (randomblob(16));",
};

/// Why something was not sealed or not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The keys file does not answer: try again.
    #[error("the keys file is unavailable: {reason}")]
    Unavailable {
        /// For the operator; no personal data.
        reason: String,
    },
    /// A new key could not be made durable: the disk is full.
    #[error("the disk of the keys file is full")]
    Full,
    /// The value breaks the marker's shape or is nested too deep; the caller has to change.
    #[error("a personal field is not well marked: {why}")]
    Malformed {
        /// What is wrong.
        why: &'static str,
    },
    /// Sealed data without a key, though nobody erased it: the keys file is older than the log.
    #[error("the key of subject {of} is missing")]
    KeyMissing {
        /// Whose key.
        of: SubjectId,
    },
    /// The sealed bytes are not what was sealed here.
    #[error("a sealed field of subject {of} is damaged")]
    Damaged {
        /// Whose field.
        of: SubjectId,
    },
}

impl From<rusqlite::Error> for VaultError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            _ => Self::Unavailable { reason: error.to_string() },
        }
    }
}

/// The keys of all subjects. Cheap to clone. Its calls may wait for the disk; see
/// [`Vault::is_ready`].
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    id: [u8; 16],
    // Always locked after `store`, so that an erased key cannot come back from a slow reader.
    cache: RwLock<HashMap<SubjectId, Kept>>,
    store: Mutex<Connection>,
    _lock: Option<File>,
}

#[derive(Clone)]
enum Kept {
    Key(Arc<RandomizedNonceKey>),
    Erased,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(…)")
    }
}

impl Vault {
    /// Takes the keys file for this process, or makes it, readable by its owner only.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let file = OwnedFile::open(path, &FORMAT)?;
        Self::over(file.writer, Some(file.lock)).map_err(|e| OpenError::from_sqlite(path, &e))
    }

    /// Keys that end with the process, for simulations.
    pub fn in_memory() -> Self {
        in_memory(&FORMAT)
            .and_then(|store| Self::over(store, None))
            .expect("a database in memory needs no file that could be missing")
    }

    fn over(store: Connection, lock: Option<File>) -> rusqlite::Result<Self> {
        store.pragma_update(None, "secure_delete", "ON")?;
        let id = store.query_row("SELECT id FROM vault", [], |row| row.get(0))?;
        let cache = RwLock::default();
        Ok(Self(Arc::new(Inner { id, cache, store: Mutex::new(store), _lock: lock })))
    }

    /// Which vault this is; a log remembers it, so that it is never opened with other keys.
    pub fn id(&self) -> [u8; 16] {
        self.0.id
    }

    /// Seals every marked field. `context` is the stream the value will be stored in. A new
    /// subject's key is durable before it is used. What is said about an erased subject is
    /// dropped: it becomes `{"erased":…}` at once.
    pub fn seal(&self, context: &str, mut value: Value) -> Result<Value, VaultError> {
        self.seal_at(context, &mut value, 0)?;
        Ok(value)
    }

    /// Opens what [`Vault::seal`] sealed for the same `context`.
    pub fn unseal(&self, context: &str, mut value: Value) -> Result<Value, VaultError> {
        self.unseal_at(context, &mut value)?;
        Ok(value)
    }

    /// Destroys a subject's key for ever, and with it all that was ever sealed for the subject.
    /// Durable when it answers. Answers whether there was a key. Waits for the disk.
    pub fn erase(&self, of: SubjectId) -> Result<bool, VaultError> {
        let store = self.0.store.lock().unwrap_or_else(PoisonError::into_inner);
        let had = stored(&store, of)?.is_some_and(|secret| secret.is_some());
        store
            .prepare_cached(
                "INSERT INTO key VALUES (?1, NULL) ON CONFLICT (subject) DO UPDATE SET secret = NULL",
            )?
            .execute([subject_number(of)])?;
        self.remember(of, Kept::Erased);
        // The write-ahead log still holds the page as it was when the key was made.
        store.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(had)
    }

    /// Whether sealing this value needs nothing from the disk.
    pub fn is_ready(&self, value: &Value) -> bool {
        match value {
            Value::Object(map) => {
                let known = match map.get("pii").and_then(subject_of) {
                    Some(of) => self.cached(of).is_some(),
                    None => true,
                };
                known && map.values().all(|inner| self.is_ready(inner))
            }
            Value::Array(list) => list.iter().all(|inner| self.is_ready(inner)),
            _ => true,
        }
    }

    fn seal_at(&self, context: &str, value: &mut Value, depth: usize) -> Result<(), VaultError> {
        if depth > DEPTH_MAX {
            return Err(VaultError::Malformed { why: "the value is nested too deep" });
        }
        match value {
            Value::Object(map) if map.contains_key("pii") => {
                *value = self.seal_field(context, map, depth)?;
                Ok(())
            }
            Value::Object(map) if sealed_marker(map).is_some() => {
                Err(VaultError::Malformed { why: "it is sealed already" })
            }
            Value::Object(map) => {
                map.values_mut().try_for_each(|inner| self.seal_at(context, inner, depth + 1))
            }
            Value::Array(list) => {
                list.iter_mut().try_for_each(|inner| self.seal_at(context, inner, depth + 1))
            }
            _ => Ok(()),
        }
    }

    fn unseal_at(&self, context: &str, value: &mut Value) -> Result<(), VaultError> {
        match value {
            Value::Object(map) => match sealed_marker(map) {
                Some((of, bytes)) => {
                    *value = self.open_field(context, of, bytes)?;
                    Ok(())
                }
                None => map.values_mut().try_for_each(|inner| self.unseal_at(context, inner)),
            },
            Value::Array(list) => {
                list.iter_mut().try_for_each(|inner| self.unseal_at(context, inner))
            }
            _ => Ok(()),
        }
    }

    /// A value inside may belong to another subject: it is sealed first, with that one's key.
    fn seal_field(
        &self,
        context: &str,
        map: &mut Map<String, Value>,
        depth: usize,
    ) -> Result<Value, VaultError> {
        // Better refused than stored readable.
        let malformed = VaultError::Malformed { why: "a marker is {\"pii\":{\"of\",\"value\"}}" };
        let alone = map.len() == 1;
        let Some(marker) = map.get_mut("pii") else { return Err(malformed) };
        let of = subject_of(marker);
        let whole = marker.as_object().is_some_and(|fields| fields.len() == 2);
        let value = marker.get_mut("value").filter(|_| alone && whole);
        let (Some(of), Some(value)) = (of, value) else { return Err(malformed) };
        self.seal_at(context, value, depth + 1)?;
        let Kept::Key(key) = self.key(of, true)? else { return Ok(erased(of)) };
        let mut bytes = value.to_string().into_bytes();
        let nonce = key
            .seal_in_place_append_tag(Aad::from(binding(context, of)), &mut bytes)
            .map_err(|_| VaultError::Malformed { why: "the value is too long" })?;
        let whole = [nonce.as_ref().as_slice(), &bytes].concat();
        Ok(json!({"sealed": {"of": of, "bytes": BASE64_STANDARD.encode(whole)}}))
    }

    fn open_field(&self, context: &str, of: SubjectId, bytes: &str) -> Result<Value, VaultError> {
        let Kept::Key(key) = self.key(of, false)? else { return Ok(erased(of)) };
        let opened = || {
            let mut bytes = BASE64_STANDARD.decode(bytes).ok()?;
            let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN)?;
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let plain = key.open_in_place(nonce, Aad::from(binding(context, of)), sealed).ok()?;
            serde_json::from_slice::<Value>(plain).ok()
        };
        let mut value = opened().ok_or(VaultError::Damaged { of })?;
        self.unseal_at(context, &mut value)?;
        Ok(json!({"pii": {"of": of, "value": value}}))
    }

    fn cached(&self, of: SubjectId) -> Option<Kept> {
        self.0.cache.read().unwrap_or_else(PoisonError::into_inner).get(&of).cloned()
    }

    fn remember(&self, of: SubjectId, kept: Kept) {
        let mut cache = self.0.cache.write().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= KEYS_CACHED_MAX {
            cache.clear();
        }
        cache.insert(of, kept);
    }

    fn key(&self, of: SubjectId, make: bool) -> Result<Kept, VaultError> {
        if let Some(kept) = self.cached(of) {
            return Ok(kept);
        }
        let store = self.0.store.lock().unwrap_or_else(PoisonError::into_inner);
        let secret = match stored(&store, of)? {
            Some(secret) => secret,
            None if make => Some(new_secret(&store, of)?),
            None => return Err(VaultError::KeyMissing { of }),
        };
        let kept = match secret {
            Some(secret) => {
                let key = RandomizedNonceKey::new(&AES_256_GCM, &secret)
                    .map_err(|_| VaultError::Damaged { of })?;
                Kept::Key(Arc::new(key))
            }
            None => Kept::Erased,
        };
        self.remember(of, kept.clone());
        Ok(kept)
    }
}

type Secret = [u8; KEY_BYTES];

fn stored(store: &Connection, of: SubjectId) -> rusqlite::Result<Option<Option<Secret>>> {
    store
        .prepare_cached("SELECT secret FROM key WHERE subject = ?1")?
        .query_row([subject_number(of)], |row| row.get(0))
        .optional()
}

fn new_secret(store: &Connection, of: SubjectId) -> Result<Secret, VaultError> {
    let mut secret = [0; KEY_BYTES];
    aws_lc_rs::rand::fill(&mut secret)
        .map_err(|_| VaultError::Unavailable { reason: "no random bytes".into() })?;
    store
        .prepare_cached("INSERT INTO key VALUES (?1, ?2)")?
        .execute(params![subject_number(of), secret])?;
    Ok(secret)
}

/// SQLite's integers are signed; the bits are the same.
fn subject_number(of: SubjectId) -> i64 {
    of.0.cast_signed()
}

/// What a sealed field cannot be moved away from: the format, its subject, its stream.
fn binding(context: &str, of: SubjectId) -> Vec<u8> {
    [b"minato.pii.1".as_slice(), &of.0.to_be_bytes(), context.as_bytes()].concat()
}

fn subject_of(marker: &Value) -> Option<SubjectId> {
    marker.get("of")?.as_str()?.parse().ok()
}

fn sealed_marker(map: &Map<String, Value>) -> Option<(SubjectId, &str)> {
    let marker = map.get("sealed").filter(|_| map.len() == 1)?;
    Some((subject_of(marker)?, marker.get("bytes")?.as_str()?))
}

fn erased(of: SubjectId) -> Value {
    json!({ "erased": of })
}
