//! What the tests of the log share: small records, and a second process of the same test.
#![allow(dead_code, reason = "every test crate uses its own part of it")]

use minato_protocol::{Pii, RoomId, SubjectId, Timestamp};
use minato_signaling::log::{Draft, EventLog, Item, SqliteLog, StreamId};
use minato_signaling::vault::Vault;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

pub(crate) const NOON: Timestamp = Timestamp(1_700_000_000_000);

pub(crate) fn room(number: u64) -> StreamId {
    StreamId::room(RoomId(number))
}

pub(crate) fn event(text: &str) -> Draft {
    Draft { kind: "Said".into(), at: NOON, body: json!({ "text": text }) }
}

pub(crate) fn event_about(of: SubjectId, name: &str) -> Draft {
    Draft { kind: "Named".into(), at: NOON, body: about(of, name) }
}

pub(crate) fn about(of: SubjectId, name: &str) -> Value {
    json!({ "name": Pii::new(of, name), "seat": 4 })
}

pub(crate) fn item(number: u128) -> Item {
    Item { dedupe_id: id(number), at: NOON, body: json!({ "mmhg": 120 }) }
}

pub(crate) fn id(number: u128) -> [u8; 16] {
    number.to_be_bytes()
}

/// The log and its keys in a folder.
pub(crate) fn open(folder: &Path) -> SqliteLog {
    let vault = Vault::open(&folder.join("keys.db")).expect("the keys file opens");
    SqliteLog::open(&folder.join("log.db"), vault).expect("the log's file opens")
}

pub(crate) async fn texts(log: &dyn EventLog, stream: &StreamId) -> Vec<String> {
    let events = log.read_after(stream, 0, 10_000).await.expect("the stream is readable");
    let text = |body: &Value| body["text"].as_str().expect("it was said here").to_owned();
    events.iter().map(|event| text(&event.body)).collect()
}

/// This test binary again, running only the test of that name; with `variable` set, so that the
/// test knows that it is the second process.
pub(crate) fn again(test: &str, variable: &str, value: &Path) -> Command {
    let program = std::env::current_exe().expect("a test knows its own binary");
    let mut command = Command::new(program);
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(variable, value);
    command
}
