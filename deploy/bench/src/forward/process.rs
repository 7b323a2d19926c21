//! A server's process: it ends with its holder, and its CPU time is read from outside.

use anyhow::Context as _;
use std::net::TcpListener;
use std::process::{Child, Command};
use std::time::Duration;

/// `/proc/PID/stat` counts in hundredths of a second (USER_HZ of every Linux that Rust runs on).
const STAT_STEP: Duration = Duration::from_millis(10);

/// A running server.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command.spawn().with_context(|| format!("{name} does not start"))?;
        Ok(Self(child))
    }

    /// CPU time of all its threads, ended ones too.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        cpu(&self.0.id().to_string())
    }

    pub(crate) fn resident_kb(&self) -> anyhow::Result<u64> {
        resident_kb(self.0.id())
    }
}

/// Resident memory in kB.
pub(crate) fn resident_kb(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kb = line.and_then(|line| line.split_whitespace().next()).context("VmRSS")?;
    Ok(kb.parse()?)
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself, which the run that needed it has noticed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// CPU time of this process, which is the generator.
pub(crate) fn own_cpu() -> anyhow::Result<Duration> {
    cpu("self")
}

fn cpu(pid: &str) -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in brackets may hold spaces; user and system time are the 12th and 13th after it.
    let (_, fields) = stat.rsplit_once(')').context("a stat line")?;
    let spent = fields.split_whitespace().skip(11).take(2).map(str::parse::<u32>);
    let steps: u32 = spent.sum::<Result<_, _>>()?;
    Ok(STAT_STEP * steps)
}

/// A TCP port that was free a moment ago.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
