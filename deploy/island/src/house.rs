//! The inner process: the first of its process namespace. It makes the two places, runs the
//! commands and the shuttle, and ends them in order; whatever is left then, the kernel ends.

use crate::control::Control;
use crate::keeper::{KEPT_BY_ENV, code, pid};
use crate::place::{Name, Place};
use crate::shape::Shape;
use crate::shuttle::Shuttle;
use crate::{Run, keeper, tell};
use anyhow::{Context as _, bail};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, killpg};
use std::io::IsTerminal as _;
use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// Set for commands: the control socket.
pub const CONTROL_ENV: &str = "MINATO_ISLAND_CONTROL";
/// A folder that every system has; the commands' temporary files go there.
const SCRATCH: &str = "/var/tmp";
/// Where the control socket is when nobody outside has to find it.
const CONTROL: &str = "/var/tmp/minato-island-control";
/// Time that commands have to end in order.
const GRACE: Duration = Duration::from_secs(3);

/// Lives until the deciding command ends or a signal comes. `keeper` is the outer process's id.
pub fn live(run: &Run, shapes: [Shape; 2], keeper: &str) -> anyhow::Result<ExitCode> {
    die_with(keeper)?;
    keeper::hear_signals()?;
    let seen_as = std::fs::read_link("/proc/self").context("/proc")?.display().to_string();
    own_mounts()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ended = runtime.block_on(run_all(run, shapes, &seen_as));
    // A thread may still wait for a line of the terminal.
    runtime.shutdown_background();
    ended.map(ExitCode::from)
}

/// The kernel ends this process when the outer one ends, however that ends.
fn die_with(keeper: &str) -> anyhow::Result<()> {
    set_pdeathsig(Signal::SIGKILL).context("dying with the outer process")?;
    // It may have ended before the line above; then somebody else is the parent by now.
    let status = std::fs::read_to_string("/proc/self/status").context("/proc/self/status")?;
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).map(str::trim);
    if parent != Some(keeper) {
        bail!("the outer process has ended");
    }
    Ok(())
}

/// A /proc of this process namespace, and a folder for what need not last; only the processes of
/// this namespace see them, and they end with it.
fn own_mounts() -> anyhow::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS).context("a mount namespace")?;
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
        .context("private mounts")?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), "/proc", Some("proc"), flags, none).context("mounting /proc")?;
    mount(Some("tmpfs"), SCRATCH, Some("tmpfs"), MsFlags::MS_NOSUID, Some("mode=1777"))
        .with_context(|| format!("mounting {SCRATCH}"))
}

/// Both sides, and which address the island has now.
#[derive(Debug, Clone)]
pub struct Places {
    mainland: Place,
    island: Place,
    island_address: Arc<Mutex<Ipv4Addr>>,
}

impl Places {
    /// The island's only address becomes another one; its sockets on the old one are cut off.
    pub async fn move_island(&self, to: Ipv4Addr) -> anyhow::Result<()> {
        if !Name::Island.owns(to) {
            bail!("the island has the addresses 203.0.113.2 to 203.0.113.100, not {to}");
        }
        let places = self.clone();
        let moved = tokio::task::spawn_blocking(move || {
            let mut address = places.island_address.lock().unwrap_or_else(|held| held.into_inner());
            if *address != to {
                places.island.readdress(*address, to)?;
                *address = to;
            }
            Ok(())
        });
        moved.await.context("moving the island")?
    }

    fn list(&self) -> [(Name, &Place); 2] {
        [(Name::Mainland, &self.mainland), (Name::Island, &self.island)]
    }
}

async fn run_all(run: &Run, [up, down]: [Shape; 2], seen_as: &str) -> anyhow::Result<u8> {
    let mut signals = Signals::new()?;
    let (mainland, mainland_tap) = Place::make(Name::Mainland)?;
    let (island, island_tap) = Place::make(Name::Island)?;
    let island_address = Arc::new(Mutex::new(Name::Island.first_address()));
    let places = Places { mainland, island, island_address };
    let (control, orders) = Control::new(places.clone());
    let shuttle = Shuttle::new((mainland_tap, down), (island_tap, up), run.seed);
    let shuttle = tokio::spawn(shuttle.run(orders));
    let path = control_path(run);
    let _socket =
        control.listen(path).with_context(|| format!("the control socket {}", path.display()))?;
    tell_ready(&places, seen_as);
    let mut commands = Commands::start(run, &places)?;
    let ended = tokio::select! {
        ended = commands.ended(&mut signals) => ended,
        failed = shuttle => failed.context("the shuttle")?.and(Ok(0)),
        () = hear_terminal(control) => Ok(0),
    };
    commands.end(&mut signals).await;
    ended
}

fn tell_ready(places: &Places, seen_as: &str) {
    let mut told = String::from("The link is up.");
    for (name, place) in places.list() {
        let (text, address) = (name.text(), name.first_address());
        let path = place.path(seen_as);
        told += &format!("\n  {text:<8} {address}  from elsewhere: nsenter --net={path} COMMAND");
    }
    tell(&told);
}

/// What ends a wait here.
struct Signals {
    child: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            child: signal(SignalKind::child())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits; false when we are asked to end, true when some child may have ended.
    async fn child_ended(&mut self) -> bool {
        tokio::select! {
            _ = self.child.recv() => true,
            _ = self.interrupt.recv() => false,
            _ = self.terminate.recv() => false,
            _ = self.hang_up.recv() => false,
        }
    }
}

/// The commands that run; the last of them decides when all ends.
///
/// Orphans of theirs that end stay as entries of the process table until this namespace ends.
struct Commands {
    running: Vec<(&'static str, Child)>,
    decides: Option<&'static str>,
}

impl Commands {
    fn start(run: &Run, places: &Places) -> anyhow::Result<Self> {
        let mut commands = Self { running: Vec::new(), decides: None };
        let sides = [&run.mainland, &run.island];
        for ((name, place), line) in places.list().into_iter().zip(sides) {
            let Some(line) = line else { continue };
            let mut shell = Command::new("sh");
            shell.arg("-c").arg(line);
            commands.add(name.text(), place.spawn(surrounded(shell, run, places))?);
        }
        if let Some((program, options)) = run.director.split_first() {
            let mut director = Command::new(program);
            director.args(options);
            let started = surrounded(director, run, places).spawn();
            commands.add("director", started.with_context(|| format!("starting {program}"))?);
        }
        Ok(commands)
    }

    fn add(&mut self, name: &'static str, child: Child) {
        self.running.push((name, child));
        self.decides = Some(name);
    }

    /// Waits for the deciding command to end, any to fail, or a signal; gives the exit code.
    async fn ended(&mut self, signals: &mut Signals) -> anyhow::Result<u8> {
        loop {
            for (name, ended) in self.reap() {
                let code = code(ended);
                if Some(name) == self.decides {
                    return Ok(code);
                }
                if code != 0 {
                    bail!("the {name}'s command ended with {code}");
                }
            }
            if !signals.child_ended().await {
                return Ok(0);
            }
        }
    }

    fn reap(&mut self) -> Vec<(&'static str, std::process::ExitStatus)> {
        let mut ended = Vec::new();
        self.running.retain_mut(|(name, child)| match child.try_wait() {
            Ok(Some(status)) => {
                ended.push((*name, status));
                false
            }
            Ok(None) | Err(_) => true,
        });
        ended
    }

    /// Asks all to end and waits a little; this process's own end takes the rest.
    async fn end(&mut self, signals: &mut Signals) {
        for (_, child) in &self.running {
            let _ = killpg(pid(child), Signal::SIGTERM);
        }
        let all = async {
            while !self.running.is_empty() && signals.child_ended().await {
                self.reap();
            }
        };
        let _ = tokio::time::timeout(GRACE, all).await;
    }
}

/// A command of its own process group, so that it can be ended with what it started.
fn surrounded(mut command: Command, run: &Run, places: &Places) -> Command {
    command.stdin(Stdio::null()).process_group(0).env_remove(KEPT_BY_ENV);
    for (name, place) in places.list() {
        // As this process sees itself.
        command.env(name.env(), place.path("1"));
    }
    command.env(CONTROL_ENV, control_path(run)).env("TMPDIR", SCRATCH);
    command
}

fn control_path(run: &Run) -> &Path {
    run.control.as_deref().unwrap_or(Path::new(CONTROL))
}

/// Answers lines that a person types. A standard input that is no terminal is somebody else's.
async fn hear_terminal(control: Control) {
    if !std::io::stdin().is_terminal() {
        return std::future::pending().await;
    }
    let (said, mut lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if said.blocking_send(line).is_err() {
                return;
            }
        }
    });
    while let Some(line) = lines.recv().await {
        println!("{}", control.say(&line).await);
    }
    std::future::pending().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_code_is_said_as_a_shell_says_it() {
        let mut killed = Command::new("sleep").arg("60").spawn().expect("sleep");
        killed.kill().expect("it runs");
        assert_eq!(code(killed.wait().expect("it was ended")), 128 + 9);
        let mut failed = Command::new("false").spawn().expect("false");
        assert_eq!(code(failed.wait().expect("it ends")), 1);
    }
}
