//! The box on the wall as a process of its own: its page's buttons, and the blow that ends it.

use super::super::server::{MINATO, PATIENCE};
use minato_protocol::{SubjectId, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// How often its page is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A running gateway with two beds of simulated devices; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Wall {
    child: Child,
    page: SocketAddr,
    folder: PathBuf,
    broker: String,
    ahead_ms: u64,
    plugged: bool,
}

/// What its page says.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) now: Timestamp,
    /// The newest entry on its disk.
    pub(super) last_seq: u64,
    /// Entries that the broker has not acknowledged.
    pub(super) waiting: u64,
    pub(super) connected: bool,
    /// Devices that are on somebody.
    pub(super) worn: BTreeMap<String, SubjectId>,
}

impl Wall {
    /// A new box, enrolled and connected.
    pub(super) async fn start(folder: &Path, broker: &str, code: &str) -> Self {
        let (child, page) = spawn(folder, broker, &["--code", code]);
        let (folder, broker) = (folder.to_owned(), broker.to_owned());
        let wall = Self { child, page, folder, broker, ahead_ms: 0, plugged: true };
        wall.until("connected", PATIENCE, |seen| seen.connected).await;
        wall
    }

    /// Kills it with -9 and starts it again. Its clock has gone on, a pulled cable is still pulled.
    pub(super) fn killed_and_started_again(&mut self) {
        self.child.kill().expect("SIGKILL");
        self.child.wait().expect("it is dead");
        let ahead_ms = self.ahead_ms.to_string();
        let mut words = vec!["--ahead-ms", &ahead_ms];
        words.extend((!self.plugged).then_some("--unplugged"));
        (self.child, self.page) = spawn(&self.folder, &self.broker, &words);
    }

    /// Steps its clock; the devices do what they would have done meanwhile.
    pub(super) async fn advance(&mut self, by: Duration) {
        let ms = u64::try_from(by.as_millis()).expect("short");
        self.press("advance", json!({ "ms": ms })).await;
        self.ahead_ms += ms;
    }

    pub(super) async fn plug(&mut self, plugged: bool) {
        self.press("link", json!({ "up": plugged })).await;
        self.plugged = plugged;
    }

    pub(super) async fn measure(&self, cuff: &str) {
        self.press("measure", json!({ "device": cuff })).await;
    }

    async fn press(&self, button: &str, body: Value) {
        self.ask("POST", &format!("/simulate/{button}"), &body.to_string()).await;
    }

    pub(super) async fn look(&self) -> Seen {
        let body = self.ask("GET", "/status", "").await;
        let status: Value = serde_json::from_str(&body).expect("JSON");
        let devices = status["devices"].as_array().expect("a list").iter();
        let on = |device: &Value| {
            let subject = serde_json::from_value(device["bound"].clone()).ok()?;
            Some((device["device"].as_str()?.to_owned(), subject))
        };
        Seen {
            now: Timestamp(status["now"].as_i64().expect("a time")),
            last_seq: status["last_seq"].as_u64().expect("a count"),
            waiting: status["waiting"].as_u64().expect("a count"),
            connected: status["link"]["connected"] == true,
            worn: devices.filter_map(on).collect(),
        }
    }

    /// Looks at its page until it is so.
    pub(super) async fn until(
        &self,
        what: &str,
        patience: Duration,
        is_so: impl Fn(&Seen) -> bool,
    ) -> Seen {
        let looking = async {
            loop {
                let seen = self.look().await;
                if is_so(&seen) {
                    return seen;
                }
                sleep(LOOK_EVERY).await;
            }
        };
        match timeout(patience, looking).await {
            Ok(seen) => seen,
            Err(_) => panic!("never {what}: {:?}", self.look().await),
        }
    }

    async fn ask(&self, method: &str, path: &str, body: &str) -> String {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.page,
            body.len()
        );
        let asked = async {
            let mut stream = TcpStream::connect(self.page).await?;
            stream.write_all(request.as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            std::io::Result::Ok(answer)
        };
        let answer = timeout(PATIENCE, asked).await.expect("in time").expect("it listens");
        assert!(answer.starts_with("HTTP/1.1 20"), "{path}: {answer}");
        answer.split_once("\r\n\r\n").expect("a head and a body").1.to_owned()
    }
}

/// The program that was built beside the broker's.
fn spawn(folder: &Path, broker: &str, words: &[&str]) -> (Child, SocketAddr) {
    let program = Path::new(MINATO).with_file_name("minato-gateway");
    assert!(program.exists(), "{} is not built: `make test` builds it", program.display());
    let mut child = Command::new(program)
        .args(["simulate", "--beds", "2", "--status", "127.0.0.1:0", "--broker", broker])
        .args(words)
        .arg("--data")
        .arg(folder)
        .env("NO_COLOR", "1")
        .env("RUST_LOG", "info")
        .stderr(Stdio::piped())
        .spawn()
        .expect("a gateway");
    let mut log = BufReader::new(child.stderr.take().expect("its log"));
    let page = loop {
        let mut line = String::new();
        assert_ne!(log.read_line(&mut line).expect("text"), 0, "it ended before it listened");
        let address = line.split("address=").nth(1).map(str::trim);
        if let Some(Ok(address)) = address.map(str::parse) {
            break address;
        }
    };
    // The rest of the log is read away, so that the gateway never waits for a full pipe.
    std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    (child, page)
}

impl Drop for Wall {
    fn drop(&mut self) {
        self.child.kill().expect("it is killed");
        self.child.wait().expect("it is over");
    }
}
