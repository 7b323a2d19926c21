//! What lies on the gateway's disk: nothing that a copy without the key tells, and nothing that one
//! damaged entry can hold up.

use minato_devices::outbox::{Outbox, OutboxError};
use minato_protocol::reading::{DeviceId, RequestKey};
use minato_protocol::uplink::Entry;
use minato_protocol::{StaffId, SubjectId, Timestamp};
use rusqlite::{Connection, params};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const WORD: &str = "a-word-of-an-entry";

fn entry(count: u64) -> Entry {
    let key: RequestKey = format!("{WORD}-{count}").parse().expect("a key");
    let device: DeviceId = "C0:FF:EE:00:00:01".parse().expect("a device");
    let since = Timestamp(i64::try_from(count).expect("small"));
    Entry::Bound { key, device, subject: SubjectId(7), since, by: StaffId(9) }
}

fn file(folder: &Path) -> PathBuf {
    folder.join("outbox.sqlite3")
}

/// A folder with these entries in its outbox, closed.
fn filled(entries: u64) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let mut outbox = Outbox::open(folder.path()).expect("it opens");
    let written = outbox.commit(|to| {
        (1..=entries)
            .map(|count| to.append(Timestamp(5), &entry(count)))
            .collect::<Result<Vec<_>, _>>()
    });
    written.expect("the disk takes it");
    folder
}

/// Numbers of the entries that can be read, and what is said of the others.
fn read(folder: &Path) -> (Vec<u64>, Vec<String>) {
    let outbox = Outbox::open(folder).expect("it opens");
    let page = outbox.after(0, usize::MAX, usize::MAX).expect("the file is whole");
    assert!(page.entries.iter().all(|found| found.entry == entry(found.seq)));
    assert!(page.unreadable.iter().all(|error| matches!(error, OutboxError::Entry(_))));
    let said = page.unreadable.iter().map(ToString::to_string).collect();
    (page.entries.iter().map(|found| found.seq).collect(), said)
}

/// Whether these bytes are in any file of a folder.
fn holds(folder: &Path, word: &str) -> bool {
    let files = std::fs::read_dir(folder).expect("a folder");
    files
        .map(|file| std::fs::read(file.expect("a file").path()).expect("readable"))
        .any(|bytes| bytes.windows(word.len()).any(|window| window == word.as_bytes()))
}

#[test]
fn no_file_of_the_gateway_holds_a_word_of_what_waits() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut outbox = Outbox::open(folder.path()).expect("it opens");
    outbox.commit(|to| to.append(Timestamp(5), &entry(1))).expect("the disk takes it");
    // While it is open what was written lies in the log beside the file.
    assert!(!holds(folder.path(), WORD) && !holds(folder.path(), "bound"));
    drop(outbox);
    assert!(!holds(folder.path(), WORD) && !holds(folder.path(), "bound"));
    assert_eq!(read(folder.path()), (vec![1], vec![]));
}

#[test]
fn an_outbox_of_the_older_layout_is_read_and_sealed_when_it_is_opened() {
    let folder = filled(1);
    let plain = Connection::open(file(folder.path())).expect("a file");
    plain.execute("DELETE FROM entries", []).expect("emptied");
    // More than are sealed at a time.
    let insert = "INSERT INTO entries (seq, at, entry) VALUES (?1, 5, ?2)";
    for count in 1..=2_500u64 {
        let text = serde_json::to_string(&entry(count)).expect("JSON");
        plain.execute(insert, params![count.cast_signed(), text]).expect("written");
    }
    let older = "ALTER TABLE bindings DROP COLUMN put_on; DROP TABLE clocks; DROP TABLE valued;
                 DROP TABLE kinds; DROP TABLE runs; DROP TABLE machine";
    plain.execute_batch(older).expect("as it was");
    plain.pragma_update(None, "user_version", 1).expect("set");
    drop(plain);
    assert!(holds(folder.path(), WORD), "the test would see a plain entry");

    let outbox = Outbox::open(folder.path()).expect("it opens");
    assert_eq!((outbox.waiting(), outbox.last_seq()), (2_500, 2_500));
    let bindings = outbox.bindings().expect("readable");
    assert!(bindings.iter().count() > 0, "somebody wears something");
    assert!(bindings.iter().all(|(_, on)| on.put_on == on.since), "on since it counts");
    assert!(!holds(folder.path(), WORD), "a plain entry is left");
    drop(outbox);
    assert_eq!(read(folder.path()), ((1..=2_500).collect(), vec![]));
    assert!(!holds(folder.path(), WORD));
}

#[test]
fn a_torn_entry_a_moved_one_and_another_gateways_hold_up_no_other() {
    let folder = filled(6);
    let other = filled(6);
    let sealed = |of: &Path, seq: i64| -> Vec<u8> {
        let found = Connection::open(file(of)).expect("a file");
        let query = "SELECT entry FROM entries WHERE seq = ?1";
        found.query_row(query, [seq], |row| row.get(0)).expect("an entry")
    };
    let (torn, moved) = (sealed(folder.path(), 2), sealed(folder.path(), 1));
    let foreign = sealed(other.path(), 4);
    let here = Connection::open(file(folder.path())).expect("a file");
    let put = |seq: i64, bytes: &[u8]| {
        here.execute("UPDATE entries SET entry = ?2 WHERE seq = ?1", params![seq, bytes])
            .expect("written");
    };
    put(2, &torn[..torn.len() - 3]);
    put(3, &moved);
    put(4, &foreign);
    put(6, b"");
    drop(here);
    let (entries, said) = read(folder.path());
    assert_eq!(entries, [1, 5]);
    let sentence = |seq: i64| OutboxError::Entry(seq).to_string();
    assert_eq!(said, [2, 3, 4, 6].map(sentence));
    assert!(said[0].starts_with("entry 2 of the outbox cannot be read"), "{}", said[0]);
    let outbox = Outbox::open(folder.path()).expect("it opens");
    let page = outbox.after(1, 1, usize::MAX).expect("the file is whole");
    assert_eq!(page.entries.iter().map(|found| found.seq).collect::<Vec<_>>(), [5]);
}

#[test]
fn with_another_key_nothing_opens_and_what_comes_later_does() {
    let folder = filled(2);
    std::fs::remove_file(folder.path().join("key.pkcs8")).expect("removed");
    let mut outbox = Outbox::open(folder.path()).expect("it opens");
    outbox.commit(|to| to.append(Timestamp(5), &entry(3))).expect("the disk takes it");
    drop(outbox);
    let (entries, said) = read(folder.path());
    assert_eq!((entries, said.len()), (vec![3], 2));
}
