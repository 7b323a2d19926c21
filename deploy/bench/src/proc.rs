//! What the system says of a process: its CPU time and its memory.

use anyhow::Context as _;
use std::time::Duration;

/// `/proc/PID/stat` counts in hundredths of a second (USER_HZ of every Linux that Rust runs on).
const STAT_STEP: Duration = Duration::from_millis(10);
/// Fields between the name in brackets, which may hold spaces, and the process's own user and
/// system time, and between it and those of its ended children.
const OWN: usize = 11;
const CHILDREN: usize = 13;

/// CPU time of all threads of a process, ended ones too; `self` is this one.
pub(crate) fn cpu(pid: &str) -> anyhow::Result<Duration> {
    times(pid, OWN)
}

/// CPU time of children of this process that have ended and been waited for.
pub(crate) fn children_cpu() -> anyhow::Result<Duration> {
    times("self", CHILDREN)
}

/// Resident memory in kB.
pub(crate) fn resident_kb(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kb = line.and_then(|line| line.split_whitespace().next()).context("VmRSS")?;
    Ok(kb.parse()?)
}

/// A user and a system time that stand side by side; both must be there.
fn times(pid: &str, before: usize) -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').context("the name in brackets")?;
    let mut fields = fields.split_whitespace().skip(before);
    let user: u32 = fields.next().context("user time")?.parse()?;
    let system: u32 = fields.next().context("system time")?.parse()?;
    Ok(STAT_STEP * (user + system))
}
