//! The real binary, started with a demonstration in a folder of its own.

use crate::proc::resident_kb;
use crate::process;
use anyhow::{Context as _, bail};
use std::collections::BTreeMap;
use std::process::Stdio;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// A running server; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
    /// What stands behind the `#` of each printed link, by account.
    pub(crate) secrets: BTreeMap<String, String>,
    /// What a gateway enrols with, where none runs inside.
    pub(crate) code: String,
    _folder: TempDir,
}

/// What a server prints last.
const LAST: &str = "PIN";
/// What it prints last where a gateway is expected from outside.
const LAST_OF_ALL: &str = "A gateway enrols with the code ";

impl Server {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Self::start_with(&["--listen", "127.0.0.1:0"], LAST).await
    }

    /// Without a gateway, at an address that is no loopback.
    pub(crate) async fn start_at(host: &str) -> anyhow::Result<Self> {
        let (listen, media) = (format!("{host}:8080"), format!("{host}:0"));
        let places = ["--listen", &listen, "--media", &media];
        let beyond = ["--demo-beyond-loopback", "--no-gateway"];
        Self::start_with(&[&places[..], &beyond].concat(), LAST_OF_ALL).await
    }

    async fn start_with(options: &[&str], last: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut child = Command::from(process::command(process::minato()?))
            .arg("--demo")
            .args(options)
            .arg("--data")
            .arg(folder.path())
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("it does not start")?;
        let out = child.stdout.take().context("the server's output")?;
        let (address, secrets, code) = read_links(out, last).await?;
        Ok(Self { child, address, secrets, code, _folder: folder })
    }

    /// Resident memory in kB.
    pub(crate) fn resident_kb(&self) -> anyhow::Result<u64> {
        resident_kb(self.child.id().context("the server runs")?)
    }
}

async fn read_links(
    out: tokio::process::ChildStdout,
    last: &str,
) -> anyhow::Result<(String, BTreeMap<String, String>, String)> {
    let mut lines = BufReader::new(out).lines();
    let (mut address, mut secrets) = (String::new(), BTreeMap::new());
    while let Some(line) = lines.next_line().await? {
        if let Some(rest) = line.strip_prefix("Minato listens on http://") {
            rest.trim().clone_into(&mut address);
        }
        if let Some((_, secret)) = line.split_once('#')
            && let Some(account) = line.split_whitespace().next()
        {
            secrets.insert(account.to_owned(), secret.trim_start_matches("once=").to_owned());
        }
        if line.contains(last) {
            let code = line.strip_prefix(LAST_OF_ALL).unwrap_or_default().trim().to_owned();
            // Whatever is printed later must not block the server.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok((address, secrets, code));
        }
    }
    bail!("the server ended before it printed its links")
}
