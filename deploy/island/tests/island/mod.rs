//! Runs the real program, and looks at what it leaves.
#![allow(dead_code, reason = "each test uses its part")]

pub use serde_json::Value;

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_minato-island");

/// A link that runs, with a control socket in a folder of its own.
pub struct Island {
    pub outer: Child,
    pub folder: TempDir,
    /// Paths to the two namespaces, as this process sees them.
    pub nets: Vec<PathBuf>,
}

impl Island {
    /// Plays a shell script beside the two places and gives what it printed, JSON line by line.
    pub fn plays(options: &[&str], script: &str) -> Vec<Value> {
        let run = Command::new(PROGRAM)
            .arg("run")
            .args(options)
            .args(["--", "sh", "-c", script])
            .env("I", PROGRAM)
            .stdin(Stdio::null())
            .output()
            .expect("the program was built");
        let told = String::from_utf8_lossy(&run.stderr);
        let said = String::from_utf8_lossy(&run.stdout);
        assert!(told.contains("The link is up."), "no link could be made:\n{told}");
        let lines = said.lines().map(serde_json::from_str).collect::<Result<_, _>>();
        lines.unwrap_or_else(|error| panic!("{error}:\n{said}\n{told}"))
    }

    /// Starts one and waits until the link is up.
    pub fn start(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut outer = Command::new(PROGRAM)
            .arg("run")
            .arg("--control")
            .arg(folder.path().join("control"))
            .args(options)
            .env("FOLDER", folder.path())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program was built");
        let mut told = String::new();
        let mut nets = Vec::new();
        let stderr = outer.stderr.take().expect("it is piped");
        let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
        for line in lines.by_ref() {
            told += &format!("{line}\n");
            if let Some((_, rest)) = line.split_once("nsenter --net=") {
                nets.extend(rest.split_whitespace().next().map(PathBuf::from));
            }
            if nets.len() == 2 {
                // Whoever writes later must not meet a closed pipe.
                std::thread::spawn(move || lines.for_each(drop));
                return Self { outer, folder, nets };
            }
        }
        let _ = outer.wait();
        panic!("no link could be made:\n{told}");
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The namespaces' names, as `net:[4026532281]`.
    pub fn net_names(&self) -> Vec<PathBuf> {
        let name = |path: &PathBuf| std::fs::read_link(path).expect("the namespace is there");
        self.nets.iter().map(name).collect()
    }
}

impl Drop for Island {
    fn drop(&mut self) {
        let _ = self.outer.kill();
        let _ = self.outer.wait();
    }
}

/// Living processes that are in one of the namespaces or hold it open.
pub fn holders(names: &[PathBuf]) -> Vec<String> {
    let mut holders = Vec::new();
    for process in std::fs::read_dir("/proc").expect("/proc").flatten() {
        let path = process.path();
        let files = std::fs::read_dir(path.join("fd")).into_iter().flatten().flatten();
        let links = files.map(|file| file.path()).chain([path.join("ns/net")]);
        let held = links.filter_map(|link| std::fs::read_link(link).ok());
        if held.into_iter().any(|held| names.contains(&held)) {
            holders.push(path.display().to_string());
        }
    }
    holders
}

pub fn until(sentence: &str, within: Duration, mut ask: impl FnMut() -> bool) {
    let end = Instant::now() + within;
    while !ask() {
        assert!(Instant::now() < end, "not within {within:?}: {sentence}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}
