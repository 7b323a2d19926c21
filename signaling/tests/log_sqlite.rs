//! The log's file: reopened, tampered with, foreign, and what of it anybody may read.

mod log_support;

use log_support::*;
use minato_protocol::{Pii, SubjectId};
use minato_signaling::log::*;
use minato_signaling::vault::Vault;
use rusqlite::{Connection, params};
use serde_json::json;
use std::path::Path;

const SATO: SubjectId = SubjectId(1);

fn log_file(folder: &Path) -> Result<SqliteLog, OpenError> {
    SqliteLog::open(&folder.join("log.db"), Vault::in_memory())
}

fn tamper(folder: &Path, file: &str, sql: &str) {
    let file = Connection::open(folder.join(file)).expect("nobody else has it open");
    assert_eq!(file.execute(sql, []).expect("the statement fits the file"), 1, "{sql}");
}

/// All bytes of all files of the folder.
fn bytes_of(folder: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(folder).expect("the folder is there");
    let read = |file: std::io::Result<std::fs::DirEntry>| {
        std::fs::read(file.expect("it is listed").path()).expect("it is readable")
    };
    files.flat_map(read).collect()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn a_reopened_log_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    log.append(&room(1), 0, vec![event("a"), event_about(SATO, "佐藤")]).await.unwrap();
    log.append_unordered(&room(1), vec![item(1)]).await.unwrap();
    log.put_snapshot(&room(1), 1, 2, about(SATO, "佐藤")).await.unwrap();
    log.beat(NOON).await.unwrap();
    let head = log.verify_chain(&room(1)).await.unwrap();
    drop(log);

    let log = open(folder.path());
    assert_eq!(log.verify_chain(&room(1)).await, Ok(head));
    assert_eq!(log.snapshot(&room(1), 1).await.unwrap().unwrap().body, about(SATO, "佐藤"));
    assert_eq!(log.last_beat().await, Ok(Some(NOON)));
    assert_eq!(log.append(&room(1), 2, vec![event("b")]).await, Ok(3));
    let again = log.append_unordered(&room(1), vec![item(1), item(2)]).await.unwrap();
    assert_eq!((again.added, again.known), (vec![(2, id(2))], vec![id(1)]));
    let stale = log.append(&room(1), 2, vec![event("b")]).await;
    assert_eq!(stale, Err(AppendError::Conflict { actual: 3 }));
}

#[tokio::test]
async fn what_was_handed_over_before_the_end_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let stream = room(1);
    let append = log.append(&stream, 0, vec![event("a")]);
    // Polled once: handed over, the answer not awaited.
    let polled = futures_util::future::select(append, std::future::ready(())).await;
    drop(polled);
    drop(log);
    assert_eq!(texts(&open(folder.path()), &room(1)).await, ["a"]);
}

#[tokio::test]
async fn a_changed_event_is_never_handed_out() {
    let changes = [
        "UPDATE event SET body = CAST('{\"text\":\"B\"}' AS BLOB) WHERE number = 2",
        "UPDATE event SET at = at + 1 WHERE number = 2",
        "UPDATE event SET name = 'Sung' WHERE number = 2",
        "UPDATE event SET hash = zeroblob(32) WHERE number = 2",
        "UPDATE event SET schema = 2 WHERE number = 2",
        "DELETE FROM event WHERE number = 2",
    ];
    for change in changes {
        let folder = tempfile::tempdir().unwrap();
        let log = open(folder.path());
        let events = vec![event("a"), event("b"), event("c")];
        log.append(&room(1), 0, events).await.unwrap();
        drop(log);
        tamper(folder.path(), "log.db", change);

        let log = open(folder.path());
        let damaged = StoreError::Damaged { stream: room(1), number: 2 };
        assert_eq!(log.read_after(&room(1), 0, 10).await, Err(damaged.clone()), "{change}");
        assert_eq!(log.verify_chain(&room(1)).await, Err(damaged), "{change}");
        assert_eq!(log.read_after(&room(1), 0, 1).await.unwrap().len(), 1, "{change}");
    }
}

#[tokio::test]
async fn a_changed_item_is_never_handed_out() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    log.append_unordered(&room(1), vec![item(1), item(2)]).await.unwrap();
    drop(log);
    tamper(folder.path(), "log.db", "UPDATE item SET name = zeroblob(16) WHERE number = 2");
    let log = open(folder.path());
    let damaged = StoreError::Damaged { stream: room(1), number: 2 };
    assert_eq!(log.items_after(&room(1), 0, 10).await, Err(damaged.clone()));
    assert_eq!(log.verify_chain(&room(1)).await, Err(damaged));
}

#[tokio::test]
async fn a_snapshot_that_cannot_be_trusted_is_ignored() {
    let changes = [
        "UPDATE snapshot SET body = CAST('[2]' AS BLOB)",
        "UPDATE snapshot SET body = substr(body, 1, 2)",
        "UPDATE snapshot SET version = 1",
        "UPDATE snapshot SET version = 3",
        "UPDATE snapshot SET fold = 2",
        "UPDATE event SET hash = zeroblob(32) WHERE number = 2",
        "DELETE FROM event WHERE number = 2",
    ];
    for change in changes {
        let folder = tempfile::tempdir().unwrap();
        let log = open(folder.path());
        log.append(&room(1), 0, vec![event("a"), event("b")]).await.unwrap();
        log.put_snapshot(&room(1), 1, 2, json!([1])).await.unwrap();
        drop(log);
        tamper(folder.path(), "log.db", change);
        let log = open(folder.path());
        for fold in [1, 2] {
            assert_eq!(log.snapshot(&room(1), fold).await, Ok(None), "{change}");
        }
    }
}

#[tokio::test]
async fn a_sealed_field_that_was_moved_to_another_stream_does_not_open() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::open(&folder.path().join("keys.db")).unwrap();
    let sealed = vault.seal("room/1", about(SATO, "佐藤")).unwrap();
    assert_eq!(vault.unseal("room/1", sealed.clone()), Ok(about(SATO, "佐藤")));
    assert!(vault.unseal("room/2", sealed.clone()).is_err());
    assert_ne!(vault.seal("room/1", about(SATO, "佐藤")), Ok(sealed), "never the same bytes");
}

#[tokio::test]
async fn no_file_holds_a_name_that_anybody_could_read() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    log.append(&room(1), 0, vec![event_about(SATO, "SATO-HANAKO")]).await.unwrap();
    let body = about(SATO, "SATO-HANAKO");
    log.append_unordered(&room(1), vec![Item { body: body.clone(), ..item(1) }]).await.unwrap();
    log.put_snapshot(&room(1), 1, 1, body).await.unwrap();
    assert!(!contains(&bytes_of(folder.path()), b"SATO-HANAKO"));
    drop(log);
    assert!(!contains(&bytes_of(folder.path()), b"SATO-HANAKO"));
}

#[tokio::test]
async fn an_erased_key_is_in_no_file_and_stays_erased_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::open(&folder.path().join("keys.db")).unwrap();
    let log = SqliteLog::open(&folder.path().join("log.db"), vault.clone()).unwrap();
    log.append(&room(1), 0, vec![event_about(SATO, "佐藤")]).await.unwrap();
    let key: Vec<u8> = Connection::open(folder.path().join("keys.db"))
        .unwrap()
        .query_row("SELECT secret FROM key", [], |row| row.get(0))
        .unwrap();
    assert!(contains(&bytes_of(folder.path()), &key));

    assert_eq!(vault.erase(SATO), Ok(true));
    assert_eq!(vault.erase(SATO), Ok(false));
    assert!(!contains(&bytes_of(folder.path()), &key));
    drop((log, vault));

    let log = open(folder.path());
    let body = log.read_after(&room(1), 0, 1).await.unwrap().remove(0).body;
    assert_eq!(body["name"], json!(Pii::<String>::Erased(SATO)));
}

#[tokio::test]
async fn a_key_that_nobody_erased_but_is_missing_is_an_error_and_not_an_erasure() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    log.append(&room(1), 0, vec![event_about(SATO, "佐藤")]).await.unwrap();
    drop(log);
    tamper(folder.path(), "keys.db", "DELETE FROM key");
    let log = open(folder.path());
    let read = log.read_after(&room(1), 0, 1).await;
    assert!(matches!(read, Err(StoreError::Unavailable { .. })), "{read:?}");
    assert!(log.verify_chain(&room(1)).await.is_ok());
}

#[tokio::test]
async fn a_log_does_not_open_with_the_keys_of_another() {
    let folder = tempfile::tempdir().unwrap();
    drop(log_file(folder.path()).unwrap());
    let error = log_file(folder.path()).unwrap_err();
    assert!(matches!(error, OpenError::WrongVault { .. }), "{error}");
}

#[test]
fn a_file_of_another_kind_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE recipe (text TEXT)").unwrap();
    drop(other);
    drop(Vault::open(&folder.path().join("keys.db")).unwrap());
    let keys = folder.path().join("keys.db");
    let long = "東京".repeat(1_000);

    for (path, content) in [(&path, None), (&keys, None), (&path, Some(&long))] {
        if let Some(content) = content {
            std::fs::write(path, content).unwrap();
        }
        let before = std::fs::read(path).unwrap();
        let error = SqliteLog::open(path, Vault::in_memory()).unwrap_err();
        assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
        assert_eq!(std::fs::read(path).unwrap(), before);
    }
}

#[test]
fn a_file_of_a_newer_program_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    drop(log_file(folder.path()).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 9).unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = log_file(folder.path()).unwrap_err();
    assert_eq!(error, OpenError::Newer { path: path.clone(), found: 9, known: 1 });
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn the_files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    log.append(&room(1), 0, vec![event_about(SATO, "佐藤")]).await.unwrap();
    for name in ["log.db", "log.db-wal", "keys.db", "keys.db-wal"] {
        let about = std::fs::metadata(folder.path().join(name)).unwrap();
        assert_eq!(about.permissions().mode() & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_folder_that_is_not_there_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let error = log_file(&folder.path().join("nowhere")).unwrap_err();
    assert!(matches!(error, OpenError::Failed { .. }), "{error}");
}

#[tokio::test]
async fn a_row_that_a_newer_program_wrote_is_not_guessed_at() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    log.append(&room(1), 0, vec![event("a")]).await.unwrap();
    let hash = log.verify_chain(&room(1)).await.unwrap().hash;
    drop(log);
    // Hashed as it should be, with format 2.
    let text = "SELECT at, name, body FROM event";
    let file = Connection::open(folder.path().join("log.db")).unwrap();
    let (at, name, body): (i64, String, Vec<u8>) =
        file.query_row(text, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    let mut bytes = [b"minato.event".as_slice(), &ORIGIN, &2u16.to_be_bytes()].concat();
    bytes.extend(1u64.to_be_bytes());
    bytes.extend(at.to_be_bytes());
    for text in [room(1).as_str().as_bytes(), name.as_bytes(), &body] {
        bytes.extend((text.len() as u64).to_be_bytes());
        bytes.extend(text);
    }
    let new = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
    assert_ne!(new.as_ref(), hash);
    file.execute("UPDATE event SET schema = 2, hash = ?1", params![new.as_ref()]).unwrap();
    drop(file);
    let log = open(folder.path());
    assert!(log.verify_chain(&room(1)).await.is_ok());
    let read = log.read_after(&room(1), 0, 1).await;
    assert!(matches!(read, Err(StoreError::Unavailable { .. })), "{read:?}");
}
