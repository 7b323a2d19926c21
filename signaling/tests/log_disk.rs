//! The log's disk and its other users: full, failing, read-only, torn, taken.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "also what helps a test is a test")]

mod log_support;

use log_support::*;
use minato_signaling::log::*;
use minato_signaling::vault::Vault;
use serde_json::json;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn other_process(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from)
}

fn long_event() -> Draft {
    Draft { body: json!({ "text": "x".repeat(8_000) }), ..event("") }
}

async fn append_until_refused(log: &SqliteLog, stream: &StreamId) -> (u64, AppendError) {
    let mut version = log.verify_chain(stream).await.expect("the chain is valid").version;
    loop {
        match log.append(stream, version, vec![long_event()]).await {
            Ok(new) => version = new,
            Err(error) => return (version, error),
        }
    }
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_appending_works_again_once_there_is_space() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    log.append(&room(2), 0, vec![event("a")]).await.unwrap();
    log.limit_bytes(Some(400_000)).await.unwrap();
    let (version, error) = append_until_refused(&log, &room(1)).await;
    assert_eq!(error, AppendError::Full);
    assert!(version > 10);
    assert_eq!(log.verify_chain(&room(1)).await.unwrap().version, version);
    let many = (0..200).map(|n| Item { body: json!("x".repeat(4_000)), ..item(n) }).collect();
    assert_eq!(log.append_unordered(&room(1), many).await, Err(StoreError::Full));
    assert_eq!(log.verify_chain(&room(1)).await.unwrap().last_seq, 0);

    log.limit_bytes(None).await.unwrap();
    assert_eq!(log.append(&room(1), version, vec![long_event()]).await, Ok(version + 1));
    assert_eq!(texts(&log, &room(2)).await, ["a"]);
    drop(log);
    let head = open(folder.path()).verify_chain(&room(1)).await.unwrap();
    assert_eq!(head.version, version + 1);
}

#[tokio::test]
async fn an_append_that_does_not_fit_does_not_harm_those_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    log.limit_bytes(Some(300_000)).await.unwrap();
    // All wait for the same commit, the one that is too large in their midst.
    let large = vec![Draft { body: json!("x".repeat(900_000)), ..event("") }];
    let (rooms_before, rooms_after) = (10..20, 20..30);
    let small = |n| {
        let log = &log;
        async move { log.append(&room(n), 0, vec![event("a")]).await }
    };
    let before = futures_util::future::join_all(rooms_before.map(small));
    let after = futures_util::future::join_all(rooms_after.map(small));
    let stream = room(1);
    let large = log.append(&stream, 0, large);
    let (before, large, after) = futures_util::future::join3(before, large, after).await;
    assert_eq!(large, Err(AppendError::Full));
    assert!(before.iter().chain(&after).all(|done| *done == Ok(1)), "{before:?} {after:?}");
}

/// The system itself refuses to write: a process may not make files beyond a size, and then may.
#[test]
fn a_write_that_the_system_refuses_loses_nothing_and_the_same_process_goes_on_later() {
    const TEST: &str =
        "a_write_that_the_system_refuses_loses_nothing_and_the_same_process_goes_on_later";
    const FOLDER: &str = "MINATO_DISK_REFUSES";
    if let Some(folder) = other_process(FOLDER) {
        return fill_wait_and_go_on(&folder);
    }
    let folder = tempfile::tempdir().unwrap();
    let test = again(TEST, FOLDER, folder.path());
    // The shell's blocks are 512 bytes. A write beyond them fails instead of killing.
    let mut child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -S -f 3000; exec \"$0\" \"$@\""])
        .arg(test.get_program())
        .args(test.get_args())
        .env(FOLDER, folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.ends_with("refused\n") {
        line.clear();
        assert_ne!(pipe.read_line(&mut line).unwrap(), 0, "the second process ended by itself");
    }
    let pid = child.id().to_string();
    let raised = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited"]).status();
    assert!(raised.expect("prlimit is part of util-linux").success());
    child.stdin.take().unwrap().write_all(b"go on\n").unwrap();
    pipe.read_to_string(&mut line).unwrap();
    assert!(child.wait().unwrap().success(), "{line}");
    assert!(line.contains("went on"), "{line}");
}

fn fill_wait_and_go_on(folder: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime for a test").block_on(async {
        let log = open(folder);
        let (version, error) = append_until_refused(&log, &room(1)).await;
        assert!(matches!(error, AppendError::Unavailable { .. } | AppendError::Full), "{error}");
        assert!(version > 10);
        assert_eq!(log.verify_chain(&room(1)).await.unwrap().version, version);
        println!("refused");
        std::io::stdin().read_line(&mut String::new()).unwrap();
        let on = log.append(&room(1), version, vec![long_event()]).await;
        assert_eq!(on, Ok(version + 1));
        drop(log);
        let head = open(folder).verify_chain(&room(1)).await.unwrap();
        assert_eq!(head.version, version + 1);
        println!("went on");
    });
}

/// As somebody who may not write the file; root may write every file and has to step down first.
#[test]
fn a_file_that_may_only_be_read_is_said_to_be_read_only() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;
    const TEST: &str = "a_file_that_may_only_be_read_is_said_to_be_read_only";
    const FOLDER: &str = "MINATO_DISK_READ_ONLY";
    const NOBODY: u32 = 65_534;
    if let Some(folder) = other_process(FOLDER) {
        let error = SqliteLog::open(&folder.join("log.db"), Vault::in_memory()).unwrap_err();
        assert_eq!(error, OpenError::ReadOnly { path: folder.join("log.db") });
        println!("it said so");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    drop(SqliteLog::open(&folder.path().join("log.db"), Vault::in_memory()).unwrap());
    let file = folder.path().join("log.db");
    let may = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    may(folder.path(), 0o777);
    may(&file, 0o444);
    may(&folder.path().join("log.db.lock"), 0o666);
    let mut test = again(TEST, FOLDER, folder.path());
    if std::fs::OpenOptions::new().append(true).open(&file).is_ok() {
        test.uid(NOBODY).current_dir("/");
    }
    let output = test.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("it said so"), "{output:?}");
}

#[test]
fn a_second_process_is_told_who_has_the_file() {
    const TEST: &str = "a_second_process_is_told_who_has_the_file";
    const FOLDER: &str = "MINATO_DISK_TAKEN";
    if let Some(folder) = other_process(FOLDER) {
        for error in [
            SqliteLog::open(&folder.join("log.db"), Vault::in_memory()).unwrap_err(),
            Vault::open(&folder.join("keys.db")).unwrap_err(),
        ] {
            assert!(matches!(error, OpenError::Taken { .. }));
            println!("{error}");
        }
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let output = again(TEST, FOLDER, folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let words = format!("in use by another process (process {})", std::process::id());
    assert_eq!(said.matches(&words).count(), 2, "{output:?}");
    drop(log);
    open(folder.path());
}

async fn filled(folder: &Path) -> SqliteLog {
    let log = open(folder);
    for n in 0..40 {
        log.append(&room(n % 4), n / 4, vec![event(&n.to_string())]).await.unwrap();
    }
    log
}

/// What a loss of power leaves: the files as they are while the process still has them.
fn copy(from: &Path, to: &Path) {
    for name in ["log.db", "log.db-wal", "keys.db", "keys.db-wal"] {
        std::fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

/// Every room holds a beginning of what it held, and can go on; answers how much that is.
async fn look_and_go_on(folder: &Path) -> usize {
    let log = open(folder);
    let mut sum = 0;
    for n in 0..4u64 {
        let all: Vec<_> = (0..10).map(|step| (step * 4 + n).to_string()).collect();
        let head = log.verify_chain(&room(n)).await.unwrap();
        let there = texts(&log, &room(n)).await;
        assert_eq!(there, all[..there.len()]);
        assert_eq!(head.version, there.len() as u64);
        sum += there.len();
        let on = log.append(&room(n), head.version, vec![event("on")]).await;
        assert_eq!(on, Ok(head.version + 1));
    }
    sum
}

#[tokio::test]
async fn garbage_behind_the_last_commit_is_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let _log = filled(folder.path()).await;
    for garbage in [vec![0; 10_000], b"half a frame".to_vec(), vec![0xff; 4_120]] {
        let torn = tempfile::tempdir().unwrap();
        copy(folder.path(), torn.path());
        let wal = torn.path().join("log.db-wal");
        let mut wal = std::fs::OpenOptions::new().append(true).open(wal).unwrap();
        wal.write_all(&garbage).unwrap();
        assert_eq!(look_and_go_on(torn.path()).await, 40);
    }
}

#[tokio::test]
async fn a_torn_tail_leaves_a_whole_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let _log = filled(folder.path()).await;
    let length = std::fs::metadata(folder.path().join("log.db-wal")).unwrap().len();
    let mut counts = vec![];
    // Uneven steps, so that cuts fall in headers, in pages and between them.
    for cut in (0..length).step_by(15_013).chain([length - 1]) {
        let torn = tempfile::tempdir().unwrap();
        copy(folder.path(), torn.path());
        let path = torn.path().join("log.db-wal");
        let wal = std::fs::OpenOptions::new().write(true).open(path).unwrap();
        wal.set_len(cut).unwrap();
        counts.push(look_and_go_on(torn.path()).await);
    }
    assert!(counts.is_sorted(), "{counts:?}");
    assert_eq!((counts.first(), counts.last()), (Some(&0), Some(&39)), "{counts:?}");
}

#[tokio::test]
async fn a_flipped_bit_in_the_tail_leaves_a_whole_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let _log = filled(folder.path()).await;
    let whole = std::fs::read(folder.path().join("log.db-wal")).unwrap();
    for place in (whole.len() / 2..whole.len()).step_by(40_009) {
        let torn = tempfile::tempdir().unwrap();
        copy(folder.path(), torn.path());
        let mut wal = whole.clone();
        wal[place] ^= 1;
        std::fs::write(torn.path().join("log.db-wal"), wal).unwrap();
        assert!(look_and_go_on(torn.path()).await < 40);
    }
}
