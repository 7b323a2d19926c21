//! Appends of 64 writers against the bare floor: SQLite alone, one transaction after another with
//! as many rows as writers wait.

use minato_protocol::{RoomId, Timestamp};
use minato_signaling::log::{Draft, EventLog, SqliteLog, StreamId};
use minato_signaling::vault::Vault;
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const WRITERS: u64 = 64;
const RUN: Duration = Duration::from_secs(5);
const ROUNDS: usize = 5;

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
    println!("  median of the ratios: {:.2}", ratios[ROUNDS / 2]);
    Ok(())
}

/// The same bytes in the same pragmas, from one loop that never waits for anybody.
fn floor() -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    let mut file = Connection::open(folder.path().join("floor.db"))?;
    open_bare(&file)?;
    let body = body().to_string().into_bytes();
    let (started, mut done, mut version) = (Instant::now(), 0u64, 0i64);
    while started.elapsed() < RUN {
        let transaction = file.transaction()?;
        {
            let mut insert = transaction
                .prepare_cached("INSERT INTO events VALUES (?1, ?2, 0, 'stepped', ?3, ?4)")?;
            version += 1;
            for writer in 0..WRITERS {
                insert.execute((format!("room/{writer}"), version, [0u8; 32], &body))?;
            }
        }
        transaction.commit()?;
        done += WRITERS;
    }
    Ok(done as f64 / started.elapsed().as_secs_f64())
}

fn open_bare(file: &Connection) -> anyhow::Result<()> {
    file.pragma_update(None, "journal_mode", "WAL")?;
    file.pragma_update(None, "synchronous", "FULL")?;
    file.execute_batch(
        "CREATE TABLE events (stream TEXT, version INTEGER, at INTEGER, kind TEXT, hash BLOB,
         body BLOB, PRIMARY KEY (stream, version)) WITHOUT ROWID",
    )?;
    Ok(())
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
