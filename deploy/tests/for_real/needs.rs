//! What a fresh machine is told, and what is installed on it: `deploy/needs.sh` with a search path of
//! our own, on which nothing is but what a test puts there.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/needs.sh");

/// A machine as the script sees it.
#[derive(Debug)]
struct Machine {
    programs: TempDir,
}

impl Machine {
    /// With Rust and Node as wanted, somebody as root, and a packager that only notes its words.
    fn fresh() -> Self {
        let machine = Self { programs: tempfile::tempdir().expect("a folder") };
        for program in ["dirname", "env", "ln"] {
            let real = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(program));
            let real = real.iter().find(|path| path.exists()).expect("part of every system");
            symlink(real, machine.programs.path().join(program)).expect("linked");
        }
        machine.has("rustc", "echo 'rustc 1.90.0 (1159e78c4 2025-09-14)'");
        machine.has("cargo", "echo 'cargo 1.90.0 (840b83a10 2025-07-30)'");
        machine.has("node", "echo v20.19.0");
        machine.has("npm", "echo 10.8.2");
        machine.has("id", "echo 0");
        machine.has("apt-get", "echo \"$@\" >>\"$NOTES\"");
        machine
    }

    fn has(&self, program: &str, does: &str) {
        let path = self.programs.path().join(program);
        std::fs::write(&path, format!("#!/bin/bash\n{does}\n")).expect("written");
        std::fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("may be started");
    }

    fn lacks(&self, program: &str) {
        std::fs::remove_file(self.programs.path().join(program)).expect("it was there");
    }

    fn run(&self, parts: &[&str]) -> Output {
        let mut command = Command::new("/bin/bash");
        command.arg(SCRIPT).args(parts).env("PATH", self.programs.path());
        command.env("NOTES", self.notes()).output().expect("bash starts")
    }

    fn notes(&self) -> std::path::PathBuf {
        self.programs.path().join("notes")
    }

    /// What the packager was told to install.
    fn installs(&self, parts: &[&str]) -> String {
        let ended = self.run(parts);
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        let notes = std::fs::read_to_string(self.notes()).unwrap_or_default();
        notes.lines().filter(|line| line.contains("install")).collect()
    }

    /// What is said where it has to stop; nothing may have been installed.
    fn stops(&self, parts: &[&str]) -> String {
        let ended = self.run(parts);
        assert!(!ended.status.success(), "it went on");
        assert!(!self.notes().exists(), "something was installed");
        String::from_utf8(ended.stderr).expect("text")
    }
}

#[test]
fn a_machine_without_a_c_compiler_gets_one_and_one_that_has_it_is_left_alone() {
    let machine = Machine::fresh();
    let installed = machine.installs(&["build"]);
    assert!(installed.ends_with("--no-install-recommends build-essential"), "{installed}");
    let machine = Machine::fresh();
    machine.has("cc", "");
    assert_eq!(machine.installs(&["build"]), "");
}

#[test]
fn rust_and_node_that_are_missing_or_too_old_are_named_with_the_version_wanted() {
    let machine = Machine::fresh();
    machine.has("rustc", "echo 'rustc 1.63.0'");
    let said = machine.stops(&["build"]);
    assert!(said.starts_with("Rust is too old: 1.90 or newer is needed, rustc is 1.63."), "{said}");
    machine.lacks("rustc");
    let said = machine.stops(&["build"]);
    assert!(said.contains("Rust is missing: 1.90") && said.contains("rustup.rs"), "{said}");

    let machine = Machine::fresh();
    for old in ["v18.19.1", "v20.9.0"] {
        machine.has("node", &format!("echo {old}"));
        let said = machine.stops(&["build"]);
        assert!(said.starts_with("Node is too old: 20.19 or newer is needed"), "{said}");
    }
    machine.lacks("node");
    let said = machine.stops(&["build"]);
    assert!(said.contains("Node is missing: 20.19") && said.contains("nodejs.org"), "{said}");
    machine.has("node", "echo v22.1.0");
    machine.has("cc", "");
    assert_eq!(machine.installs(&["build"]), "");
}

#[test]
fn who_may_not_install_is_told_what_is_missing_and_how_to_get_it() {
    let machine = Machine::fresh();
    machine.has("id", "echo 1000");
    let said = machine.stops(&["build"]);
    assert!(said.contains("These Debian packages are missing: build-essential"), "{said}");
    assert!(said.contains("sudo apt-get install"), "{said}");
}

#[test]
fn the_make_targets_ask_for_the_parts_they_need_before_anything_is_built() {
    for (target, part, first) in [
        ("run", "needs.sh build\n", "npm"),
        ("test", "needs.sh build tests\n", "npm"),
        ("bench", "needs.sh build bench\n", "npm"),
    ] {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        // Everything counts as changed, nothing is carried out.
        let mut make = Command::new("make");
        make.args(["-C", root, "-n", "-B", target]).env_remove("MAKEFLAGS");
        let plan = make.output().expect("make is there").stdout;
        let plan = String::from_utf8(plan).expect("text");
        let (asked, built) = (plan.find(part), plan.find(first));
        assert!(asked.is_some() && asked < built, "make {target}: {plan}");
        assert!(plan.find("cargo build") > asked, "make {target}: {plan}");
    }
}

#[test]
fn what_benchmarks_compare_with_is_installed_and_a_machine_that_has_it_is_left_alone() {
    let machine = Machine::fresh();
    machine.has("cc", "");
    machine.has("turnserver", "");
    let installed = machine.installs(&["build", "bench"]);
    assert!(installed.ends_with("--no-install-recommends janus chromium"), "{installed}");
    let machine = Machine::fresh();
    for program in ["cc", "turnserver", "janus", "chromium"] {
        machine.has(program, "");
    }
    assert_eq!(machine.installs(&["build", "bench"]), "");
}

#[test]
fn the_brokers_own_figures_come_before_those_that_need_other_programs() {
    let makefile = concat!(env!("CARGO_MANIFEST_DIR"), "/../Makefile");
    let makefile = std::fs::read_to_string(makefile).expect("it is there");
    let at = |what: &str| makefile.find(what).unwrap_or_else(|| panic!("{what}"));
    let own = at("minato-bench rules log devices storm sockets vitals");
    assert!(own < at("page-latency") && at("page-latency") < at("minato-bench turn"));
}
