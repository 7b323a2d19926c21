//! However it ends, no process, namespace, device or mount stays behind.

mod island;

use island::{Island, holders, until};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);

/// Commands on both sides and beside them; one of each that has left its session, as a daemon does.
fn busy() -> Island {
    let line = "setsid sleep 4711 & setsid sleep 4711 </dev/null >/dev/null 2>&1 & \
                touch \"$FOLDER/$0\"; wait; sleep 4711";
    let (mainland, isle) = (line.replace("$0", "mainland"), line.replace("$0", "isle"));
    let director = line.replace("$0", "director");
    let island = Island::start(&[
        "--delay",
        "10",
        "--mainland",
        &mainland,
        "--island",
        &isle,
        "--",
        "sh",
        "-c",
        &director,
    ]);
    for side in ["mainland", "isle", "director"] {
        until("all commands have begun", SOON, || island.file(side).exists());
    }
    island
}

/// Processes below the given one, by their parents, in any process namespace.
fn below(root: u32) -> Vec<u32> {
    let parent = |id: u32| -> Option<u32> {
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
        line.trim().parse().ok()
    };
    let all = std::fs::read_dir("/proc").expect("/proc").flatten();
    let ids: Vec<u32> = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    let is_below = |id: &u32| {
        let up = |id: &u32| parent(*id).filter(|parent| *parent > 1);
        std::iter::successors(Some(*id), up).skip(1).any(|above| above == root)
    };
    ids.into_iter().filter(is_below).collect()
}

/// Gone, or dead and only not yet counted by its new parent.
fn is_over(id: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    status.is_empty() || status.contains("State:\tZ")
}

#[test]
fn killed_it_leaves_no_process_namespace_or_device() {
    let mut island = busy();
    let names = island.net_names();
    let all = below(island.outer.id());
    // The inner process, three shells, and at least two sleeps of each.
    assert!(all.len() >= 10, "{all:?}");
    assert!(!holders(&names).is_empty());
    island.outer.kill().expect("it runs");
    assert_eq!(island.outer.wait().expect("it was killed").signal(), Some(9));
    until("all its processes are over", SOON, || all.iter().all(|id| is_over(*id)));
    // A namespace without a process, an open file or a mount is gone, and its devices with it.
    until("nobody holds a namespace", SOON, || holders(&names).is_empty());
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("/proc");
    assert!(!names.iter().any(|name| mounts.contains(&name.display().to_string())), "{mounts}");
    let devices = std::fs::read_to_string("/proc/self/net/dev").expect("/proc");
    assert!(!devices.contains("sea0"), "{devices}");
}

#[test]
fn asked_to_end_it_asks_its_commands_first_and_takes_its_socket_away() {
    let mut island = Island::start(&[
        "--island",
        "trap 'touch \"$FOLDER/asked\"; exit 0' TERM; touch \"$FOLDER/begun\"; \
         while :; do sleep 0.1; done",
    ]);
    until("the command has begun", SOON, || island.file("begun").exists());
    let names = island.net_names();
    assert!(island.file("control").exists());
    let asked = Command::new("kill").arg(island.outer.id().to_string()).status();
    assert!(asked.expect("kill").success());
    assert!(island.outer.wait().expect("it ends").success());
    assert!(island.file("asked").exists());
    assert!(!island.file("control").exists());
    until("nobody holds a namespace", SOON, || holders(&names).is_empty());
}

#[test]
fn it_ends_as_its_deciding_command_ends_whatever_else_runs() {
    let mut island = Island::start(&["--mainland", "sleep 4711", "--island", "exit 7"]);
    assert_eq!(island.outer.wait().expect("it ends").code(), Some(7));
    let mut island = Island::start(&["--mainland", "exit 3", "--island", "sleep 4711"]);
    assert_eq!(island.outer.wait().expect("it ends").code(), Some(1));
}
