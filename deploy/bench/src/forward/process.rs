//! A server's process: it ends with its holder, and its CPU time is read from outside.

use crate::proc;
use anyhow::Context as _;
use std::net::TcpListener;
use std::process::{Child, Command};
use std::time::Duration;

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
        proc::cpu(&self.0.id().to_string())
    }

    pub(crate) fn resident_kb(&self) -> anyhow::Result<u64> {
        proc::resident_kb(self.0.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself, which the run that needed it has noticed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A TCP port that was free a moment ago.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
