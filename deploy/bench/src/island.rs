//! A poor line for a benchmark: this program once more on the mainland of `minato-island`, and a
//! gateway on its island.

use crate::process::{self, Process};
use crate::server::Server;
use anyhow::bail;
use std::path::Path;
use std::process::{Command, Stdio};

/// One way.
pub(crate) const DELAY_MS: u32 = 100;
/// Each way.
pub(crate) const LOSS_PERCENT: u32 = 5;
pub(crate) const MAINLAND_ADDRESS: &str = "203.0.113.1";

/// Whether this process was started with a link beside it.
pub(crate) fn is_beside_the_link() -> bool {
    std::env::var_os("MINATO_ISLAND_NET_ISLAND").is_some()
}

/// Runs one benchmark of this program on the mainland.
pub(crate) fn begin_on_the_mainland(name: &str) -> anyhow::Result<()> {
    let island = process::beside("minato-island")?;
    let (delay, loss) = (DELAY_MS.to_string(), LOSS_PERCENT.to_string());
    let ended = Command::new(&island)
        .args(["run", "--delay", &delay, "--loss", &loss, "--"])
        .arg(&island)
        .args(["in", "mainland", "--"])
        .arg(std::env::current_exe()?)
        .arg(name)
        .stdin(Stdio::null())
        .status()?;
    if !ended.success() {
        bail!("{name} beside a link: {ended}");
    }
    Ok(())
}

/// A gateway on the island that knows the server's code.
pub(crate) fn gateway(server: &Server, folder: &Path) -> anyhow::Result<Process> {
    let broker = format!("http://{}", server.address);
    let mut command = process::command(process::beside("minato-island")?);
    command
        .args(["in", "island", "--"])
        .arg(process::beside("minato-gateway")?)
        .args(["simulate", "--code", &server.code, "--broker", &broker, "--data"])
        .arg(folder)
        .env("RUST_LOG", "warn");
    Process::start(&mut command)
}
