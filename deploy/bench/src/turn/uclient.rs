//! coturn's own load: `turnutils_uclient` sends, `turnutils_peer` sends back.

use super::program::Program;
use crate::proc::children_cpu;
use crate::process::{self, Process, free_port};
use anyhow::{Context as _, bail};
use std::process::{Command, Stdio};

/// Clients at once, packets of each, and milliseconds between two of them: 10,000 a second, at
/// which neither side is the limit.
const CLIENTS: &str = "50";
const PACKETS: &str = "600";
const EVERY_MS: &str = "5";
/// A run that loses more than this share says nothing.
const LOST_MAX: f64 = 0.001;

/// What a run cost.
#[derive(Debug)]
pub(crate) struct Run {
    /// There and back.
    pub(crate) packets: f64,
    pub(crate) server_s: f64,
    pub(crate) client_s: f64,
}

/// Sends back what it gets; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Echo {
    _process: Process,
    port: String,
}

impl Echo {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let port = free_port()?.port().to_string();
        let mut command = process::command("turnutils_peer");
        command.args(["-p", &port, "-L", "127.0.0.1"]).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self { _process: Process::start(&mut command)?, port })
    }
}

pub(crate) fn run(
    server: &Program,
    echo: &Echo,
    login: &(String, String),
    size: usize,
) -> anyhow::Result<Run> {
    let (before, client_before) = (server.cpu_s()?, children_cpu()?.as_secs_f64());
    let output = Command::new("turnutils_uclient")
        .args(["-e", "127.0.0.1", "-r", &echo.port, "-c", "-m", CLIENTS, "-n", PACKETS])
        .args(["-z", EVERY_MS, "-l", &size.to_string(), "-u", &login.0, "-w", &login.1])
        .args(["-p", &server.turn.port().to_string(), "127.0.0.1"])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let received = number(&text, "tot_recv_msgs=").filter(|received| *received > 0.0);
    let received =
        received.with_context(|| format!("nothing came back through {}:\n{text}", server.name))?;
    let lost = number(&text, "Total lost packets ").context("how many were lost")?;
    if lost > received * LOST_MAX {
        bail!("{lost} packets were lost through {}", server.name);
    }
    let server_s = server.cpu_s()? - before;
    Ok(Run {
        packets: received * 2.0,
        server_s,
        client_s: children_cpu()?.as_secs_f64() - client_before,
    })
}

fn number(text: &str, name: &str) -> Option<f64> {
    let (_, behind) = text.rsplit_once(name)?;
    behind.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}
