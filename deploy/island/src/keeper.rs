//! The outer process: it starts the inner one as the first process of a process namespace, so that
//! the kernel ends everything in it with it, and passes on what it is asked to do.
//!
//! The inner process dies with this one, even by SIGKILL. With the first process of a namespace
//! die all the others, with them the network namespaces and with these the devices: there is no
//! state anywhere that somebody would have to clean up.

use anyhow::{Context as _, bail};
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::{Pid, getegid, geteuid};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitCode, ExitStatus};

/// Set for the inner process: the outer one's id.
pub const KEPT_BY_ENV: &str = "MINATO_ISLAND_KEPT_BY";

pub fn keep() -> anyhow::Result<ExitCode> {
    needs()?;
    // Blocked here and waited for below.
    let signals = signals();
    signals.thread_block().context("blocking signals")?;
    own_processes()?;
    let own_id = std::fs::read_link("/proc/self").context("/proc")?;
    let mut inner = Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .env(KEPT_BY_ENV, own_id)
        .spawn()
        .context("starting the inner process")?;
    loop {
        match signals.wait().context("waiting for signals")? {
            Signal::SIGCHLD => {
                if let Some(ended) = inner.try_wait()? {
                    return Ok(ExitCode::from(code(ended)));
                }
            }
            _ => end(&inner)?,
        }
    }
}

fn signals() -> SigSet {
    [Signal::SIGCHLD, Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect()
}

/// The inner process begins with what this one blocks; neither it nor the commands want that.
pub fn hear_signals() -> anyhow::Result<()> {
    signals().thread_unblock().context("unblocking signals")
}

/// Asks the inner process to end in order.
fn end(inner: &Child) -> anyhow::Result<()> {
    kill(pid(inner), Signal::SIGTERM).context("ending the inner process")
}

pub fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("the kernel's process ids fit an i32"))
}

/// What a shell would say: the code, or 128 and the signal.
pub fn code(ended: ExitStatus) -> u8 {
    let code = ended.code().unwrap_or_else(|| 128 + ended.signal().unwrap_or(0));
    u8::try_from(code).unwrap_or(1)
}

/// Says what is missing before anything is begun.
fn needs() -> anyhow::Result<()> {
    if !std::path::Path::new("/dev/net/tun").exists() {
        bail!("/dev/net/tun is missing; load the kernel's module with `modprobe tun`");
    }
    if Command::new("ip").arg("-V").output().is_err() {
        bail!("the program `ip` is missing; install it with `apt-get install iproute2`");
    }
    Ok(())
}

/// The next child is the first process of a process namespace. Without root that takes a user
/// namespace, in which this user is root.
fn own_processes() -> anyhow::Result<()> {
    if geteuid().is_root() {
        return unshare(CloneFlags::CLONE_NEWPID).map_err(refused);
    }
    let (user, group) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWPID).map_err(refused)?;
    std::fs::write("/proc/self/setgroups", "deny").context("the user namespace's groups")?;
    std::fs::write("/proc/self/uid_map", format!("0 {user} 1")).context("the user's map")?;
    std::fs::write("/proc/self/gid_map", format!("0 {group} 1")).context("the group's map")?;
    Ok(())
}

fn refused(errno: Errno) -> anyhow::Error {
    anyhow::anyhow!(
        "the kernel gives no namespaces here ({errno}): it needs root with CAP_SYS_ADMIN and \
         CAP_NET_ADMIN (sudo, or a privileged container), or user namespaces for everybody"
    )
}
