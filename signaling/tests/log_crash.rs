//! Kill -9 at random points: whatever was acknowledged is there afterwards, in order and whole.
//!
//! A second process of this test appends from many tasks and writes a line for each answer to a
//! pipe; the test reads a seeded number of lines, kills it, and looks. `MINATO_CRASH_SEEDS` is the
//! number of seeds. What this does not show is a loss of power: a killed process leaves its pages
//! with the system.

mod log_support;

use log_support::*;
use minato_protocol::SubjectId;
use minato_signaling::log::{EventLog, Item, StreamId};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

const SEEDS: u64 = 50;
const FOLDER: &str = "MINATO_CRASH_FOLDER";
const ROOMS: u64 = 12;
const GATEWAYS: u64 = 4;
const TEST: &str = "every_acknowledged_step_survives_kill_9";

#[test]
fn every_acknowledged_step_survives_kill_9() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        append_until_killed(PathBuf::from(folder));
    }
    let seeds = std::env::var("MINATO_CRASH_SEEDS")
        .map_or(SEEDS, |text| text.parse().expect("MINATO_CRASH_SEEDS is a number"));
    for seed in 0..seeds {
        // Said only when the test fails.
        println!("seed {seed}");
        crash_and_look(seed);
    }
}

type Steps = BTreeMap<(StreamId, u64), String>;

/// What the killed process said it had done. The payload says everything.
#[derive(Default)]
struct Acknowledged {
    events: Steps,
    items: Steps,
    beat: Option<i64>,
}

fn crash_and_look(seed: u64) {
    let folder = tempfile::tempdir().expect("a folder for a test");
    let mut random = Random(seed);
    let mut acknowledged = Acknowledged::default();
    // A crash of what came back from a crash is a crash of its own.
    for _ in 0..=random.below(2) {
        let lines = 1 + random.below(400);
        run_and_kill(folder.path(), lines, &mut acknowledged);
        look(folder.path(), &acknowledged);
    }
}

fn run_and_kill(folder: &Path, lines: u64, acknowledged: &mut Acknowledged) {
    let mut child = again(TEST, FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the test's own binary starts");
    let mut pipe = BufReader::new(child.stdout.take().expect("its output is a pipe"));
    let mut line = String::new();
    let mut left = lines;
    loop {
        line.clear();
        pipe.read_line(&mut line).expect("the pipe is readable");
        // A line without its end was cut by the kill: nobody was told.
        let Some(whole) = line.strip_suffix('\n') else {
            assert_eq!(left, 0, "the second process ended by itself");
            break;
        };
        if acknowledged.note(whole) {
            left = left.saturating_sub(1);
        }
        // Reading goes on after it: what is in the pipe was acknowledged too.
        if left == 0 {
            child.kill().expect("it is ours to kill");
        }
    }
    child.wait().expect("it has ended");
}

impl Acknowledged {
    /// Whether the line was one of ours; the test harness of the second process talks as well.
    fn note(&mut self, line: &str) -> bool {
        let words: Vec<_> = line.split(' ').collect();
        let stream = |text: &str| text.parse().expect("a stream was acknowledged");
        let number = |text: &str| text.parse().expect("a number was acknowledged");
        match words.as_slice() {
            ["event", name, version, text] => {
                self.events.insert((stream(name), number(version)), (*text).to_owned());
            }
            ["item", name, seq, text] => {
                self.items.insert((stream(name), number(seq)), (*text).to_owned());
            }
            ["beat", at] => self.beat = Some(at.parse().expect("a time was acknowledged")),
            _ => return false,
        }
        true
    }
}

fn look(folder: &Path, acknowledged: &Acknowledged) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime for a test").block_on(async {
        let log = open(folder);
        let mut seen = Acknowledged::default();
        for stream in log.streams("").await.expect("the log is readable") {
            let head = log.verify_chain(&stream).await.expect("the chain is valid");
            let events = log.read_after(&stream, 0, 10_000).await.expect("events are readable");
            let items = log.items_after(&stream, 0, 10_000).await.expect("items are readable");
            assert_eq!((head.version, head.last_seq), (events.len() as u64, items.len() as u64));
            for event in events {
                let text = event.body["name"]["pii"]["value"].as_str().expect("its key is there");
                seen.events.insert((stream.clone(), event.version), text.to_owned());
            }
            for item in items {
                let text = item.body["name"]["pii"]["value"].as_str().expect("its key is there");
                seen.items.insert((stream.clone(), item.seq), text.to_owned());
            }
        }
        let lost = |all: &Steps, there: &Steps| {
            all.iter().filter(|(step, text)| there.get(step) != Some(text)).count()
        };
        assert_eq!(lost(&acknowledged.events, &seen.events), 0, "events were lost");
        assert_eq!(lost(&acknowledged.items, &seen.items), 0, "items were lost");
        let beat = log.last_beat().await.expect("the beat is readable").map(|at| at.0);
        assert!(beat >= acknowledged.beat, "a beat was lost");
    });
}

fn append_until_killed(folder: PathBuf) -> ! {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime for a test");
    // Ends the line that the test harness has begun.
    say("\n");
    runtime.block_on(async {
        let log = Arc::new(open(&folder));
        for number in 0..ROOMS {
            tokio::spawn(append_events(log.clone(), number));
        }
        for number in 0..GATEWAYS {
            tokio::spawn(append_items(log.clone(), SubjectId(number)));
        }
        let mut at = log.last_beat().await.expect("the beat is readable").unwrap_or(NOON);
        loop {
            at.0 += 1;
            log.beat(at).await.expect("a beat is noted");
            say(&format!("beat {}\n", at.0));
        }
    })
}

async fn append_events(log: Arc<dyn EventLog>, number: u64) {
    let stream = room(number);
    let mut version = log.verify_chain(&stream).await.expect("the chain is valid").version;
    loop {
        let count = 1 + version % 3;
        let texts: Vec<_> = (1..=count).map(|n| format!("{number}.{}", version + n)).collect();
        // Now and then somebody new, whose key has to be durable as well.
        let of = SubjectId(1_000 * (number + 1) + version / 16);
        let events = texts.iter().map(|text| event_about(of, text)).collect();
        let before = version;
        version = log.append(&stream, before, events).await.expect("an append works");
        let lines = (before + 1..).zip(&texts);
        say(&lines.map(|(v, text)| format!("event {stream} {v} {text}\n")).collect::<String>());
    }
}

async fn append_items(log: Arc<dyn EventLog>, of: SubjectId) {
    let stream = StreamId::subject(of);
    let head = log.verify_chain(&stream).await.expect("the chain is valid");
    let mut next = u128::from(head.last_seq);
    loop {
        // The last one of the delivery before comes again.
        let ids: Vec<_> = (next.saturating_sub(1)..next + 5).collect();
        let body = |n: u128| json!({"name": { "pii": {"of": of, "value": format!("{n}")}}});
        let items = ids.iter().map(|n| Item { body: body(*n), ..item(*n) }).collect();
        let done = log.append_unordered(&stream, items).await.expect("a delivery works");
        next += 5;
        let line = |(seq, id): &(u64, [u8; 16])| {
            format!("item {stream} {seq} {}\n", u128::from_be_bytes(*id))
        };
        say(&done.added.iter().map(line).collect::<String>());
    }
}

/// One write, so that a kill cuts between the lines of one answer or in a line, never mixes two.
fn say(lines: &str) {
    let mut pipe = std::io::stdout().lock();
    pipe.write_all(lines.as_bytes()).and_then(|()| pipe.flush()).expect("the pipe takes it");
}

/// SplitMix64: the same numbers for the same seed on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}
