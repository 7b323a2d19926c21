//! Processes that are measured: each ends with its holder and with this program, however that ends,
//! and its CPU time and memory are read from outside.

use crate::proc;
use anyhow::{Context as _, bail};
use std::ffi::OsStr;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A program that the kernel ends when the benchmark is gone, also when that was killed.
/// util-linux, which every Debian has, sets that up and becomes the program.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program).stdin(Stdio::null());
    command
}

/// Our binary, which was built beside this one.
pub(crate) fn minato() -> anyhow::Result<PathBuf> {
    beside("minato")
}

/// Another program of ours, which was built beside this one.
pub(crate) fn beside(name: &str) -> anyhow::Result<PathBuf> {
    let binary = std::env::current_exe()?.with_file_name(name);
    if !binary.exists() {
        bail!("{} is not built", binary.display());
    }
    Ok(binary)
}

/// A running program.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    /// Starts what [`command`] made.
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        Ok(Self(command.spawn().with_context(|| format!("{command:?} does not start"))?))
    }

    /// CPU time of all its threads, ended ones too, user and system.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        proc::cpu(&self.0.id().to_string())
    }

    pub(crate) fn resident_kb(&self) -> anyhow::Result<u64> {
        proc::resident_kb(self.0.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // None of them has anything to put away. It may have ended by itself, which the run that
        // needed it has noticed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port of 127.0.0.1 that is free by UDP and TCP, most probably still in a moment.
pub(crate) fn free_port() -> anyhow::Result<SocketAddr> {
    for _ in 0..20 {
        let address = UdpSocket::bind("127.0.0.1:0")?.local_addr()?;
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    bail!("no free port")
}
