//! The servers that are compared, each a process of its own on loopback.

use crate::process::{self, Process, free_port};
use anyhow::{Context as _, bail};
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const STARTS_WITHIN: Duration = Duration::from_secs(10);
/// Both servers make their credentials of it.
const SECRET: &str = "a secret of the benchmark alone";
/// Ours allows a user so many allocations; coturn has no bound unless told.
const PER_USER_MAX: &str = "2000";

/// A running server; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    process: Process,
    /// Where TURN is asked.
    pub(crate) turn: SocketAddr,
    _folder: TempDir,
}

/// Our relay's other addresses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unit {
    pub(crate) http: SocketAddr,
    pub(crate) media: SocketAddr,
}

impl Program {
    /// `minato relay` with its forwarding unit; `key`: public half of its signaling's, in hex.
    pub(crate) fn ours(key: &str) -> anyhow::Result<(Self, Unit)> {
        let (turn, unit) = (free_port()?, Unit { http: free_port()?, media: free_port()? });
        let mut command = process::command(process::minato()?);
        command
            .args(["relay", "--token-key", key, "--allow-peer", "127.0.0.0/8"])
            .args(["--turn-per-user", PER_USER_MAX, "--turn", &turn.to_string()])
            .args(["--listen", &unit.http.to_string(), "--media", &unit.media.to_string()])
            .env("MINATO_TURN_SECRET", SECRET)
            .env("RUST_LOG", "warn");
        Ok((Self::start("minato", command, turn)?, unit))
    }

    /// Debian's coturn with one relay thread, as light as it can be set up.
    pub(crate) fn coturn() -> anyhow::Result<Self> {
        let turn = free_port()?;
        let mut command = process::command("turnserver");
        command
            .args(["-n", "--no-tls", "--no-dtls", "--no-cli", "--allow-loopback-peers"])
            .args(["--no-stdout-log", "--log-file", "/dev/null", "--pidfile", "turn.pid"])
            .args(["--use-auth-secret", "--static-auth-secret", SECRET, "-r", "minato"])
            .args(["--userdb", "turn.db", "--relay-threads", "1", "-L", "127.0.0.1"])
            .args(["-p", &turn.port().to_string()])
            // It tries SCTP and says so.
            .stderr(Stdio::null());
        Self::start("coturn", command, turn)
    }

    /// The bare loop: this program once more.
    pub(crate) fn bare() -> anyhow::Result<Self> {
        let turn = free_port()?;
        let mut command = process::command(std::env::current_exe()?);
        command.args(["turn-bare", &turn.to_string()]);
        Self::start("bare loop", command, turn)
    }

    fn start(name: &'static str, mut command: Command, turn: SocketAddr) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        command.current_dir(&folder).stdout(Stdio::null());
        let process = Process::start(&mut command)?;
        let program = Self { name, process, turn, _folder: folder };
        program.answers()?;
        Ok(program)
    }

    /// Until it answers a binding request (RFC 8489 §2).
    fn answers(&self) -> anyhow::Result<()> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(self.turn)?;
        socket.set_read_timeout(Some(Duration::from_millis(50)))?;
        let mut request = [7; 20];
        request[..8].copy_from_slice(&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]);
        let since = Instant::now();
        while since.elapsed() < STARTS_WITHIN {
            // Refused until it is there.
            if socket.send(&request).is_ok() && socket.recv(&mut [0; 256]).is_ok() {
                return Ok(());
            }
        }
        bail!("{} does not answer at {}", self.name, self.turn)
    }

    /// CPU seconds so far, all threads, user and system.
    pub(crate) fn cpu_s(&self) -> anyhow::Result<f64> {
        Ok(self.process.cpu()?.as_secs_f64())
    }

    /// Resident memory in kB.
    pub(crate) fn resident_kb(&self) -> anyhow::Result<f64> {
        Ok(u32::try_from(self.process.resident_kb()?)?.into())
    }
}

/// A user name and a password that every server believes.
pub(crate) fn credential() -> anyhow::Result<(String, String)> {
    let output = Command::new(process::minato()?)
        .args(["relay", "credential", "--ttl", "86400", "--user", "bench"])
        .env("MINATO_TURN_SECRET", SECRET)
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let part =
        |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
    Ok((part("username=").context("a user name")?, part("password=").context("a password")?))
}

/// coturn's programs are there, or there is no comparison.
pub(crate) fn is_coturn_there() -> anyhow::Result<()> {
    for program in ["turnserver", "turnutils_uclient", "turnutils_peer"] {
        let path = std::env::var_os("PATH").unwrap_or_default();
        if !std::env::split_paths(&path).any(|folder| Path::new(&folder).join(program).exists()) {
            bail!("{program} is not installed: Debian's package coturn, by `make needs`");
        }
    }
    Ok(())
}
