//! A message bus of its own, the ward on it, and a gateway that knows no other bus.

use super::common::{Broker, CODE, PATIENCE};
use minato_devices::transport::replay::{Line, read};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// A process that ends with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn spawn(command: &mut Command) -> Ended {
    let spawned = command.spawn();
    Ended(spawned.unwrap_or_else(|error| panic!("{command:?}: {error}; deploy/needs.sh tests")))
}

/// BlueZ on a private bus.
pub(super) struct Ward {
    /// Ends last: the others are on it.
    mock: Ended,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    _bus: Ended,
    folder: TempDir,
}

impl Ward {
    /// No radio yet.
    pub(super) fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let bus = bus(&folder);
        let (mock, orders, answers) = mock(&folder);
        Self { mock, orders, answers, _bus: bus, folder }
    }

    /// Obeyed when this returns.
    pub(super) fn order(&mut self, order: Value) -> Value {
        writeln!(self.orders, "{order}").expect("the ward listens");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("text");
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{order} was not obeyed"))
    }

    /// Returns once somebody listens to a device's characteristic.
    pub(super) async fn until_notifying(&mut self, address: &str, uuid: &str) {
        let order = json!({"do": "notifying", "address": address, "uuid": uuid});
        let notifying = async {
            while self.order(order.clone())["notifying"] != true {
                tokio::time::sleep(LOOK_AGAIN_AFTER).await;
            }
        };
        tokio::time::timeout(PATIENCE, notifying).await.expect("the gateway listens");
    }

    /// The service ends, as when it is restarted.
    pub(super) fn stop_service(&mut self) {
        self.mock.0.kill().expect("it ran");
        self.mock.0.wait().expect("it ran");
    }

    /// A new service, which knows no radio.
    pub(super) fn start_service(&mut self) {
        (self.mock, self.orders, self.answers) = mock(&self.folder);
    }
}

fn address(folder: &TempDir) -> String {
    format!("unix:path={}", folder.path().join("bus").display())
}

fn bus(folder: &TempDir) -> Ended {
    let config = folder.path().join("bus.conf");
    let allowed = "<policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
                   <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy>";
    let listen = format!("<listen>{}</listen>", address(folder));
    let text = format!("<busconfig><type>session</type>{listen}{allowed}</busconfig>");
    std::fs::write(&config, text).expect("a file");
    let mut command = Command::new("dbus-daemon");
    command.arg("--config-file").arg(&config).args(["--nofork", "--print-address"]);
    let mut bus = spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()));
    let mut said = String::new();
    let stdout = bus.0.stdout.take().expect("it was asked for");
    BufReader::new(stdout).read_line(&mut said).expect("text");
    assert!(said.starts_with("unix:"), "the bus does not listen: {said:?}");
    bus
}

fn mock(folder: &TempDir) -> (Ended, ChildStdin, BufReader<ChildStdout>) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bluez/ward.py");
    let mut command = Command::new("/usr/bin/python3");
    command.arg(script).env("DBUS_SYSTEM_BUS_ADDRESS", address(folder));
    let mut mock = spawn(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
    let orders = mock.0.stdin.take().expect("it was asked for");
    let mut answers = BufReader::new(mock.0.stdout.take().expect("it was asked for"));
    let mut said = String::new();
    answers.read_line(&mut said).expect("text");
    assert!(said.contains("ready"), "the ward does not open (python3-dbusmock): {said:?}");
    (mock, orders, answers)
}

/// The gateway's program, enrolled at a broker.
pub(super) struct WallBox {
    _process: Ended,
    capture: PathBuf,
    log: PathBuf,
    _folder: TempDir,
}

impl WallBox {
    pub(super) fn start(ward: &Ward, broker: &Broker, flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (capture, log) = (folder.path().join("capture"), folder.path().join("log"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_minato-gateway"));
        command.arg("run").args(flags).arg("--capture-to").arg(&capture);
        command.arg("--data").arg(folder.path().join("data")).args(["--code", CODE]);
        command.args(["--broker", &broker.url(), "--zone", "Asia/Tokyo"]);
        command.env("DBUS_SYSTEM_BUS_ADDRESS", address(&ward.folder));
        command.env("RUST_LOG", "info,minato_devices=debug");
        let written = std::fs::File::create(&log).expect("a file");
        let process = spawn(command.stdin(Stdio::null()).stderr(written));
        Self { _process: process, capture, log, _folder: folder }
    }

    /// What its transports have heard, in order. A line that is being written is not there yet.
    pub(super) fn heard(&self) -> Vec<Line> {
        let text = std::fs::read_to_string(&self.capture).unwrap_or_default();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        read(whole).expect("a capture")
    }

    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("text")
    }

    /// Waits until so many lines of a kind were heard.
    pub(super) async fn until_times(&self, times: usize, what: &str, is: impl Fn(&Line) -> bool) {
        let heard = async {
            while self.heard().iter().filter(|line| is(line)).count() < times {
                tokio::time::sleep(LOOK_AGAIN_AFTER).await;
            }
        };
        if tokio::time::timeout(PATIENCE, heard).await.is_err() {
            panic!("{what}: it never came; {:#?}\n{}", self.heard(), self.log());
        }
    }

    /// Waits until a line of a kind was heard.
    pub(super) async fn until(&self, what: &str, is: impl Fn(&Line) -> bool) {
        self.until_times(1, what, is).await;
    }

    /// Waits for words in its log.
    pub(super) async fn until_logged(&self, words: &str, times: usize) {
        let logged = async {
            while self.log().matches(words).count() < times {
                tokio::time::sleep(LOOK_AGAIN_AFTER).await;
            }
        };
        let logged = tokio::time::timeout(PATIENCE, logged).await;
        assert!(logged.is_ok(), "{words}: {}", self.log());
    }
}
