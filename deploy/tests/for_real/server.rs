//! The real binary on a folder of its own, and an operator beside it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::timeout;

/// What has not happened by then will not happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const MINATO: &str = env!("CARGO_BIN_EXE_minato");

/// A running service without the demonstration; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
    log: watch::Receiver<String>,
}

impl Server {
    pub(crate) async fn start(data: &Path) -> Self {
        Self::start_with(data, &[]).await
    }

    /// With further options.
    pub(crate) async fn start_with(data: &Path, options: &[&str]) -> Self {
        let data = data.to_str().expect("a name in text");
        let words = ["--listen", "127.0.0.1:0", "--data", data];
        let mut server = Self::run(&[&words, options].concat());
        let line = server.says("listening on http://").await;
        let (_, address) = line.split_once("http://").expect("an address");
        address.trim().clone_into(&mut server.address);
        server
    }

    /// The binary with these words.
    pub(crate) fn run(words: &[&str]) -> Self {
        let mut child = Command::new(MINATO)
            .args(words)
            .env("RUST_LOG", "info")
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let out = child.stdout.take().expect("its output");
        let (write, log) = watch::channel(String::new());
        // It ends with the service's output.
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                write.send_modify(|log| *log += &(line + "\n"));
            }
        });
        Self { child, address: String::new(), log }
    }

    /// Asks it to read its files again (SIGHUP).
    pub(crate) fn hang_up(&self) {
        let sent = Command::new("kill").args(["-HUP", &self.child.id().to_string()]).status();
        assert!(sent.expect("it is part of every system").success());
    }

    /// Waits for a line of the log.
    pub(crate) async fn says(&mut self, what: &str) -> String {
        let line = |log: &str| log.lines().find(|line| line.contains(what)).map(str::to_owned);
        let told = timeout(PATIENCE, self.log.wait_for(|log| line(log).is_some())).await;
        let log = told.unwrap_or_else(|_| panic!("never said: {what}")).expect("it runs");
        line(&log).expect("it was there")
    }

    pub(crate) fn log(&self) -> String {
        self.log.borrow().clone()
    }
}

/// All that the binary says which has to refuse these words and end.
pub(crate) async fn said_at_the_end(words: &[&str]) -> String {
    let mut server = Server::run(words);
    // The channel closes with the binary's output.
    let ended = timeout(PATIENCE, async { while server.log.changed().await.is_ok() {} }).await;
    ended.unwrap_or_else(|_| panic!("it goes on: {words:?}: {}", server.log()));
    let status = server.child.wait().expect("it is over");
    assert!(!status.success(), "{words:?}: {}", server.log());
    server.log()
}

/// It ends as a power cut ends it.
impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().expect("it is killed");
        self.child.wait().expect("it is over");
    }
}

/// Whoever runs the service's commands.
#[derive(Debug)]
pub(crate) struct Operator {
    pub(crate) folder: TempDir,
}

impl Operator {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    async fn run(&self, words: &[&str], piped: &str) -> Output {
        let mut command = Command::new(MINATO);
        command.args(words).arg("--data").arg(self.data());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let piped = piped.to_owned();
        let run = tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().expect("the binary starts");
            let mut input = child.stdin.take().expect("its input");
            // A command that reads nothing may be over before it is told.
            let _ = input.write_all(piped.as_bytes());
            drop(input);
            child.wait_with_output().expect("its output")
        });
        timeout(PATIENCE, run).await.expect("it ends").expect("nothing panics")
    }

    /// What a command prints that has to succeed.
    pub(crate) async fn does(&self, words: &[&str]) -> String {
        self.does_with(words, "").await
    }

    pub(crate) async fn does_with(&self, words: &[&str], piped: &str) -> String {
        let output = self.run(words, piped).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{words:?}: {said}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// What a command says that has to fail.
    pub(crate) async fn fails(&self, words: &[&str]) -> String {
        let output = self.run(words, "").await;
        assert!(!output.status.success(), "{words:?}");
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!(said.trim().lines().count(), 1, "one sentence: {said}");
        said
    }
}

/// The word that stands behind another one in what was printed.
pub(crate) fn word_after(printed: &str, label: &str) -> String {
    let line = printed.lines().find_map(|line| line.trim().strip_prefix(label));
    line.unwrap_or_else(|| panic!("{label} in {printed}")).trim().to_owned()
}
