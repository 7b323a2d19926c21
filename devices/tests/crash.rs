//! Killed with -9 at any moment, neither the outbox nor the gateway loses what it had on the disk.

mod common;

use common::{Broker, CODE, Kept, Temper};
use minato_devices::outbox::Outbox;
use minato_protocol::reading::DeviceId;
use minato_protocol::uplink::{Entry, FromBroker};
use minato_protocol::{StaffId, SubjectId, Timestamp};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const SATO: SubjectId = SubjectId(1);
const NURSE: StaffId = StaffId(9);
/// Tells the test below that it is the child, and where to write.
const CHILD_FOLDER: &str = "MINATO_CRASH_TEST_FOLDER";

fn device() -> DeviceId {
    "sim-oximeter-1".parse().expect("an id")
}

fn bound(count: u64) -> Entry {
    let key = format!("k{count}").parse().expect("a key");
    let since = Timestamp(i64::try_from(count).expect("small"));
    Entry::Bound { key, device: device(), subject: SATO, since, by: NURSE }
}

/// Run as a child only: writes until it is killed, and says each number once it is on the disk.
#[test]
fn the_child_that_writes_until_it_is_killed() {
    let Ok(folder) = std::env::var(CHILD_FOLDER) else { return };
    let mut outbox = Outbox::open(Path::new(&folder)).expect("it opens");
    let mut said = std::io::stdout();
    loop {
        let first = outbox.last_seq() + 1;
        let group = first..first + 1 + first % 7;
        let written = outbox.commit(|to| {
            group.clone().map(|count| to.append(Timestamp(0), &bound(count))).collect()
        });
        let written: Vec<u64> = written.expect("the disk takes it");
        assert_eq!(written, group.collect::<Vec<_>>());
        // The parent may have had enough and be gone.
        if writeln!(said, "kept {}", written[written.len() - 1]).is_err() {
            return;
        }
    }
}

#[test]
fn an_outbox_killed_while_it_writes_has_everything_that_it_said_was_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut kept = 0;
    for round in 1..=6 {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "the_child_that_writes_until_it_is_killed", "--nocapture"])
            .env(CHILD_FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a child");
        let mut said = BufReader::new(child.stdout.take().expect("its words")).lines();
        let mut hear = || -> Option<u64> {
            let line = said.next()?.expect("text");
            line.strip_prefix("kept ").map_or(Some(0), |number| number.parse().ok())
        };
        // A different number of writes each round, so that the blow falls elsewhere.
        for _ in 0..10 + 17 * round {
            kept = kept.max(hear().expect("it goes on writing"));
        }
        child.kill().expect("SIGKILL");
        child.wait().expect("it is dead");
        while let Some(number) = hear() {
            kept = kept.max(number);
        }
        let outbox = Outbox::open(folder.path()).expect("it opens again");
        let entries = outbox.after(0, usize::MAX, usize::MAX).expect("readable").entries;
        let numbers: Vec<_> = entries.iter().map(|entry| entry.seq).collect();
        assert!(outbox.last_seq() >= kept, "{kept} was kept, {} is there", outbox.last_seq());
        assert_eq!(numbers, (1..=outbox.last_seq()).collect::<Vec<_>>());
        assert!(entries.iter().all(|entry| entry.entry == bound(entry.seq)));
        let since = outbox.bindings().expect("readable").of(&device()).map(|on| on.since);
        assert_eq!(since.map(|since| since.0.unsigned_abs()), Some(outbox.last_seq()));
    }
}

struct GatewayProcess {
    child: Child,
    status: SocketAddr,
}

impl GatewayProcess {
    fn start(broker: &Broker, data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_minato-gateway"))
            .args(["simulate", "--status", "127.0.0.1:0", "--code", CODE, "--broker"])
            .arg(broker.url())
            .arg("--data")
            .arg(data)
            .env("NO_COLOR", "1")
            .stderr(Stdio::piped())
            .spawn()
            .expect("a gateway");
        let mut log = BufReader::new(child.stderr.take().expect("its log"));
        let status = loop {
            let mut line = String::new();
            assert_ne!(log.read_line(&mut line).expect("text"), 0, "it ended before it listened");
            let address = line.split("address=").nth(1).map(str::trim);
            if let Some(Ok(address)) = address.map(str::parse) {
                break address;
            }
        };
        // The rest of the log is read away, so that the gateway never waits for a full pipe.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self { child, status }
    }

    fn advance(&self, ms: i64) {
        let body = format!("{{\"ms\":{ms}}}");
        let mut stream = TcpStream::connect(self.status).expect("it listens");
        write!(
            stream,
            "POST /simulate/advance HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.status,
            body.len()
        )
        .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("text");
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    }
}

impl Drop for GatewayProcess {
    fn drop(&mut self) {
        self.child.kill().expect("SIGKILL");
        self.child.wait().expect("it is dead");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_killed_again_and_again_delivers_each_reading_once_and_in_order() {
    let broker = Broker::start(Temper { breaks_after: 5, stutters: true, mute: false }).await;
    let data = tempfile::tempdir().expect("a folder");
    let mut gateway = GatewayProcess::start(&broker, data.path());
    broker.until_it_hangs(device().as_str()).await;
    let key = "k1".parse().expect("a key");
    broker.say(FromBroker::Bind {
        key,
        device: device(),
        subject: SATO,
        by: NURSE,
        takes_over: false,
    });
    broker.until("a value", |kept| !kept.readings().is_empty()).await;
    for round in 1..=4 {
        let connected = broker.kept().connections;
        gateway.advance(60_000);
        // In odd rounds while it writes, in even rounds while it delivers.
        if round % 2 == 0 {
            let seen = broker.kept().last_seq;
            let more = |kept: &Kept| kept.last_seq > seen + 5;
            broker.until("a part of the backlog", more).await;
        }
        drop(gateway);
        gateway = GatewayProcess::start(&broker, data.path());
        broker.until("it is back", |kept| kept.connections > connected).await;
    }
    broker.calm_down();
    drop(gateway);
    let on_disk = Outbox::open(data.path()).expect("the disk").last_seq();
    gateway = GatewayProcess::start(&broker, data.path());
    let kept = broker.until("all of it", |kept| kept.last_seq >= on_disk).await;
    drop(gateway);
    // That no number is missing, doubled or out of order is asserted by the broker as they come.
    assert!(kept.readings().iter().all(|(subject, _)| *subject == Some(SATO)));
    assert!(kept.readings().len() >= 60, "{}", kept.readings().len());
}
