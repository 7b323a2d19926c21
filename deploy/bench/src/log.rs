//! Appends of 64 writers against the bare floor: SQLite alone on the same tables, one transaction
//! after another with as many rows as writers wait.

use minato_protocol::{RoomId, Timestamp};
use minato_signaling::log::{Draft, EventLog, SqliteLog, StreamId};
use minato_signaling::vault::Vault;
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const WRITERS: u64 = 64;
const RUN: Duration = Duration::from_secs(2);
const ROUNDS: usize = 11;

pub(crate) async fn run() -> anyhow::Result<()> {
    println!("log: durable appends a second, {WRITERS} writers, {ROUNDS} alternating runs");
    let mut ratios = Vec::new();
    for round in 1..=ROUNDS {
        let floor = floor()?;
        let ours = ours().await?;
        ratios.push(ours / floor);
        println!(
            "  run {round}: log {ours:>7.0}/s   bare SQLite {floor:>7.0}/s   {:.2}",
            ours / floor
        );
    }
    ratios.sort_by(f64::total_cmp);
    println!("  median of the ratios: {:.2} (goal: at least 0.80)", ratios[ROUNDS / 2]);
    Ok(())
}

/// One loop that never waits for anybody, on the log's own tables and indexes with its pragmas and
/// bytes: what is missing is the chain, the guard of versions, the sealing and the way between
/// threads.
fn floor() -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    // The log makes its file, gives it back, and it is filled by hand.
    drop(open(folder.path())?);
    let mut file = Connection::open(folder.path().join("log.db"))?;
    file.pragma_update(None, "synchronous", "FULL")?;
    let body = body().to_string().into_bytes();
    let streams: Vec<String> =
        (0..WRITERS).map(|writer| StreamId::room(RoomId(writer)).to_string()).collect();
    let (started, mut done, mut number) = (Instant::now(), 0u64, 0i64);
    while started.elapsed() < RUN {
        let transaction = file.transaction()?;
        number += 1;
        for (row, stream) in (1i64..).zip(&streams) {
            if number == 1 {
                transaction.execute("INSERT INTO stream VALUES (?1, ?2)", (row, stream))?;
            }
            transaction
                .prepare_cached(
                    "INSERT INTO event (stream, number, schema, at, name, body, hash)
                     VALUES (?1, ?2, 1, 0, 'stepped', ?3, ?4)",
                )?
                .execute((row, number, &body, [0u8; 32]))?;
        }
        transaction.commit()?;
        done += WRITERS;
    }
    let per_second = done as f64 / started.elapsed().as_secs_f64();
    let in_wal: String = file.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    anyhow::ensure!(in_wal == "wal", "the floor was not written as the log is");
    Ok(per_second)
}

fn body() -> serde_json::Value {
    serde_json::json!({ "is": { "event": "answered", "ticket": "0000000000001" }, "key": ["1", 2] })
}

async fn ours() -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    let log = Arc::new(open(folder.path())?);
    let started = Instant::now();
    let writers: Vec<_> =
        (0..WRITERS).map(|writer| tokio::spawn(write(Arc::clone(&log), writer))).collect();
    let mut done = 0;
    for writer in writers {
        done += writer.await??;
    }
    Ok(done as f64 / started.elapsed().as_secs_f64())
}

fn open(folder: &Path) -> anyhow::Result<SqliteLog> {
    Ok(SqliteLog::open(&folder.join("log.db"), Vault::open(&folder.join("keys.db"))?)?)
}

async fn write(log: Arc<SqliteLog>, writer: u64) -> anyhow::Result<u64> {
    let stream = StreamId::room(RoomId(writer));
    let (started, mut version) = (Instant::now(), 0);
    while started.elapsed() < RUN {
        let draft = Draft { kind: "stepped".into(), at: Timestamp(0), body: body() };
        version = log.append(&stream, version, vec![draft]).await?;
    }
    Ok(version)
}
