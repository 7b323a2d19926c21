//! How near the log comes to what SQLite can do at all on this disk: 64 writers against a bare
//! loop that commits 64 rows at a time. Both are measured in turns in the same run.

mod log_support;

use log_support::*;
use minato_signaling::log::{Draft, EventLog};
use rusqlite::{Connection, params};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

const WRITERS: u64 = 64;
const APPENDS_EACH: u64 = 400;
const ROUNDS: usize = 5;
/// The least share of the floor.
const SHARE_MIN: f64 = 0.8;

fn body(number: u64) -> serde_json::Value {
    json!({"ticket": format!("{number:013}"), "epoch": number, "by": "0000000000001", "note": "呼"})
}

/// Appends a second of a single thread that does nothing but insert and commit.
fn floor(folder: &Path) -> f64 {
    let file = Connection::open(folder.join("floor.db")).expect("a file for a test");
    file.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE IF NOT EXISTS event (
            place INTEGER PRIMARY KEY, stream INTEGER, number INTEGER, body BLOB) STRICT;
         CREATE UNIQUE INDEX IF NOT EXISTS event_number ON event (stream, number);",
    )
    .expect("the table is made");
    let sql = "SELECT coalesce(max(number), 0) FROM event";
    let start: i64 = file.query_row(sql, [], |row| row.get(0)).expect("it is there");
    let begun = Instant::now();
    for number in start + 1..=start + APPENDS_EACH.cast_signed() {
        file.execute_batch("BEGIN IMMEDIATE").expect("nobody else writes");
        for stream in 0..WRITERS {
            let body = body(number.cast_unsigned()).to_string().into_bytes();
            file.prepare_cached("INSERT INTO event (stream, number, body) VALUES (?1, ?2, ?3)")
                .and_then(|mut insert| insert.execute(params![stream.cast_signed(), number, body]))
                .expect("there is space");
        }
        file.execute_batch("COMMIT").expect("there is space");
    }
    (WRITERS * APPENDS_EACH) as f64 / begun.elapsed().as_secs_f64()
}

/// Appends a second of 64 tasks, each on its own stream and each awaiting every answer.
async fn through_the_log(log: &Arc<dyn EventLog>, round: u64) -> f64 {
    let begun = Instant::now();
    let writers = (0..WRITERS).map(|writer| {
        let log = Arc::clone(log);
        tokio::spawn(async move {
            let stream = room(writer);
            let mut version = round * APPENDS_EACH;
            for _ in 0..APPENDS_EACH {
                let event = Draft { kind: "Called".into(), at: NOON, body: body(version + 1) };
                version = log.append(&stream, version, vec![event]).await.expect("nobody else");
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("no writer panics");
    }
    (WRITERS * APPENDS_EACH) as f64 / begun.elapsed().as_secs_f64()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, for an idle machine: cargo test --release -- --ignored --nocapture"]
async fn sixty_four_writers_reach_four_fifths_of_bare_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let log: Arc<dyn EventLog> = Arc::new(open(folder.path()));
    let (mut floors, mut logs) = (vec![], vec![]);
    for round in 0..ROUNDS {
        floors.push(floor(folder.path()));
        logs.push(through_the_log(&log, round as u64).await);
    }
    println!("floors {floors:.0?}\nlogs   {logs:.0?}");
    floors.sort_by(f64::total_cmp);
    logs.sort_by(f64::total_cmp);
    let (floor, log) = (floors[ROUNDS / 2], logs[ROUNDS / 2]);
    println!("floor {floor:.0}/s, log {log:.0}/s, share {:.2}", log / floor);
    assert!(log >= SHARE_MIN * floor);
}
