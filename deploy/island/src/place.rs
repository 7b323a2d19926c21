//! One side of the link: a network namespace with a TAP device, and commands that run in it.

use anyhow::{Context as _, bail};
use nix::sched::{CloneFlags, setns, unshare};
use std::fs::File;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use tokio_tun::Tun;

/// The same name on both sides: each has only one.
const DEVICE: &str = "sea0";
/// The documentation network of RFC 5737: never routed, and public in the eyes of browsers.
const NETWORK: [u8; 3] = [203, 0, 113];
/// Each side has this many addresses of its own that the other side finds without asking.
const ADDRESSES: u8 = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Name {
    Mainland,
    Island,
}

impl Name {
    pub fn text(self) -> &'static str {
        match self {
            Self::Mainland => "mainland",
            Self::Island => "island",
        }
    }

    /// Where a command finds this side's namespace.
    pub fn env(self) -> &'static str {
        match self {
            Self::Mainland => "MINATO_ISLAND_NET_MAINLAND",
            Self::Island => "MINATO_ISLAND_NET_ISLAND",
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Mainland => Self::Island,
            Self::Island => Self::Mainland,
        }
    }

    pub fn first_address(self) -> Ipv4Addr {
        match self {
            Self::Mainland => host(1),
            Self::Island => host(2),
        }
    }

    /// The mainland has 203.0.113.1 and 101 to 200, the island 2 to 100.
    pub fn owns(self, address: Ipv4Addr) -> bool {
        let [a, b, c, last] = address.octets();
        let on_island = (2..=ADDRESSES).contains(&last);
        let on_mainland = last == 1 || (ADDRESSES + 1..=2 * ADDRESSES).contains(&last);
        [a, b, c] == NETWORK && if self == Self::Island { on_island } else { on_mainland }
    }

    fn hardware(self) -> &'static str {
        // Locally administered.
        match self {
            Self::Mainland => "02:00:00:00:00:01",
            Self::Island => "02:00:00:00:00:02",
        }
    }
}

fn host(last: u8) -> Ipv4Addr {
    let [a, b, c] = NETWORK;
    Ipv4Addr::new(a, b, c, last)
}

#[derive(Debug, Clone)]
pub struct Place {
    name: Name,
    /// Keeps the namespace, and is the way into it.
    net: Arc<File>,
}

impl Place {
    /// A new namespace with its device up.
    pub fn make(name: Name) -> anyhow::Result<(Self, Tun)> {
        let runtime = tokio::runtime::Handle::current();
        // A namespace belongs to a thread: this one is left in it, and ends.
        let made = std::thread::spawn(move || {
            let _entered = runtime.enter();
            unshare(CloneFlags::CLONE_NEWNET).context("a network namespace")?;
            // Before there is a device: a browser takes an IPv6 address that comes later for a
            // change of network.
            no_ipv6()?;
            // When the first address goes, one added after it stays.
            settle("ipv4", "promote_secondaries").context("keeping a second address")?;
            let net = File::open("/proc/thread-self/ns/net").context("the namespace's handle")?;
            let tap = Tun::builder().name(DEVICE).tap().build().context("a TAP device")?.pop();
            ip(&set_up(name)).with_context(|| format!("setting up the {}", name.text()))?;
            Ok((Self { name, net: Arc::new(net) }, tap.context("no TAP device was made")?))
        });
        made.join().unwrap_or_else(|_| bail!("making the {} panicked", name.text()))
    }

    /// A path to the namespace for processes that see this one as `pid`.
    pub fn path(&self, pid: &str) -> String {
        format!("/proc/{pid}/fd/{}", self.net.as_raw_fd())
    }

    /// Starts a command in it.
    pub fn spawn(&self, mut command: Command) -> anyhow::Result<Child> {
        self.within(move || command.spawn().context("starting a command"))
    }

    /// Gives it another address instead of the one it has, as a change from Wi-Fi to LTE does.
    pub fn readdress(&self, from: Ipv4Addr, to: Ipv4Addr) -> anyhow::Result<()> {
        let batch =
            format!("address add {to}/24 dev {DEVICE}\naddress delete {from}/24 dev {DEVICE}\n");
        self.within(move || ip(&batch))
    }

    fn within<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let (net, name) = (Arc::clone(&self.net), self.name.text());
        let done = std::thread::spawn(move || {
            setns(&*net, CloneFlags::CLONE_NEWNET)
                .with_context(|| format!("entering the {name}"))?;
            work()
        });
        done.join().unwrap_or_else(|_| bail!("work in the {name} panicked"))
    }
}

/// Becomes a command in one of the places of the link that started this process.
pub fn enter(place: Name, command: &[String]) -> anyhow::Result<ExitCode> {
    let path = std::env::var(place.env())
        .context("only what `minato-island run` started after `--` can enter a place")?;
    let net = File::open(&path).with_context(|| format!("the {}'s namespace", place.text()))?;
    setns(net, CloneFlags::CLONE_NEWNET)
        .with_context(|| format!("entering the {}", place.text()))?;
    let (program, options) = command.split_first().context("no command")?;
    let error = Command::new(program).args(options).exec();
    Err(error).with_context(|| format!("starting {program}"))
}

fn no_ipv6() -> anyhow::Result<()> {
    match settle("ipv6", "disable_ipv6") {
        // A kernel without IPv6 has nothing to disable.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        settled => settled.context("switching IPv6 off"),
    }
}

/// Switches something on for all devices of the calling thread's namespace, now and later.
fn settle(family: &str, setting: &str) -> std::io::Result<()> {
    for which in ["all", "default"] {
        std::fs::write(format!("/proc/sys/net/{family}/conf/{which}/{setting}"), "1")?;
    }
    Ok(())
}

/// Neighbours are told, not asked for: a lost ARP answer costs a second, which is no property of the
/// links that are played here.
fn set_up(name: Name) -> String {
    use std::fmt::Write as _;
    let (own, other) = (name.hardware(), name.other());
    let address = name.first_address();
    let mut batch = format!(
        "link set lo up\nlink set dev {DEVICE} address {own} mtu 1500 up\n\
         address add {address}/24 dev {DEVICE}\n"
    );
    for theirs in (1..=2 * ADDRESSES).map(host).filter(|theirs| other.owns(*theirs)) {
        let lladdr = other.hardware();
        let _ = writeln!(
            batch,
            "neighbour replace {theirs} lladdr {lladdr} nud permanent dev {DEVICE}"
        );
    }
    batch
}

/// Runs lines of `ip` in the calling thread's namespace.
fn ip(batch: &str) -> anyhow::Result<()> {
    let mut child = Command::new("ip")
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("the program `ip`")?;
    child.stdin.take().context("ip's input")?.write_all(batch.as_bytes())?;
    let ended = child.wait_with_output()?;
    if !ended.status.success() {
        bail!("ip: {}", String::from_utf8_lossy(&ended.stderr).trim());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_has_one_side_at_most() {
        assert!(Name::Mainland.owns(Name::Mainland.first_address()));
        assert!(Name::Island.owns(Name::Island.first_address()));
        for last in 0..=255 {
            assert!(!(Name::Mainland.owns(host(last)) && Name::Island.owns(host(last))));
        }
        assert!(!Name::Island.owns(Ipv4Addr::new(192, 0, 2, 2)));
    }
}
