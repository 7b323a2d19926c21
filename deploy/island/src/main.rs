//! `minato-island`: a poor link between two network namespaces of this machine, for tests and for a
//! person who wants to feel one.
#![allow(clippy::print_stdout, reason = "what it measures and answers is its output")]

mod control;
mod dice;
mod house;
mod keeper;
mod link;
mod place;
mod probe;
mod shape;
mod shuttle;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use shape::{Profile, Shape};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Parser)]
#[command(name = "minato-island", version, about, long_about = None)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// A mainland (203.0.113.1) and an island (203.0.113.2) with a poor link between them.
#[derive(Debug, Subcommand)]
enum Command {
    /// Makes both and the link, runs commands in them, and leaves nothing behind.
    Run(Box<Run>),
    /// Runs a command in one of them; only for what `run` started after `--`.
    In {
        place: place::Name,
        #[arg(trailing_var_arg = true, required = true)]
        command: Vec<String>,
    },
    /// Says lines to a running link, such as `loss 5`, `up rate 64k`, `blackout 30s`, `status`.
    Tell {
        #[arg(long, env = house::CONTROL_ENV)]
        control: PathBuf,
        #[arg(required = true)]
        lines: Vec<String>,
    },
    /// Answers what `probe` and `pour` send.
    Echo {
        #[arg(long, default_value = "203.0.113.1:7000")]
        listen: SocketAddr,
    },
    /// Measures round trips and loss against an `echo`.
    Probe(probe::Probe),
    /// Measures what rate arrives at an `echo`.
    Pour(probe::Pour),
}

#[derive(Debug, Args)]
struct Run {
    /// A link with a name; the settings below change it.
    #[arg(long)]
    profile: Option<Profile>,
    /// Milliseconds one way.
    #[arg(long)]
    delay: Option<String>,
    /// Milliseconds by which the delay varies either way.
    #[arg(long)]
    jitter: Option<String>,
    /// Percent, each way.
    #[arg(long)]
    loss: Option<String>,
    /// Bits a second each way, as 256k or 2m.
    #[arg(long)]
    rate: Option<String>,
    /// Milliseconds that the queue before the rate holds.
    #[arg(long)]
    queue: Option<String>,
    /// Bursts of loss: percent to enter, percent to leave, percent lost within.
    #[arg(long)]
    burst: Option<String>,
    /// Settings from the island to the mainland alone, as "loss 10, rate 64k".
    #[arg(long, default_value = "")]
    up: String,
    /// Settings from the mainland to the island alone.
    #[arg(long, default_value = "")]
    down: String,
    /// The same seed loses the same frames of the same traffic.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A socket that takes the lines of `tell` from elsewhere, not in /var/tmp; the commands here
    /// need none.
    #[arg(long)]
    control: Option<PathBuf>,
    /// A shell command that runs on the mainland.
    #[arg(long)]
    mainland: Option<String>,
    /// A shell command that runs on the island; when it ends, all ends.
    #[arg(long)]
    island: Option<String>,
    /// A command beside both that enters them by `minato-island in`; when it ends, all ends.
    #[arg(last = true)]
    director: Vec<String>,
}

impl Run {
    /// The two directions, up and down.
    fn shapes(&self) -> Result<[Shape; 2], shape::Misunderstood> {
        let mut both = self.profile.map_or_else(Shape::default, Profile::shape);
        let said = [
            ("delay", &self.delay),
            ("jitter", &self.jitter),
            ("loss", &self.loss),
            ("rate", &self.rate),
            ("queue", &self.queue),
            ("burst", &self.burst),
        ];
        for (setting, value) in said {
            let Some(value) = value else { continue };
            both.set_all(&format!("{setting} {value}"))?;
        }
        let (mut up, mut down) = (both.clone(), both);
        up.set_all(&self.up)?;
        down.set_all(&self.down)?;
        Ok([up, down])
    }
}

fn main() -> ExitCode {
    let ended = match Cli::parse().command {
        Command::Run(run) => run_link(&run),
        Command::In { place, command } => place::enter(place, &command),
        Command::Tell { control, lines } => say(&control, &lines),
        Command::Echo { listen } => probe::echo(listen).map(|()| ExitCode::SUCCESS),
        Command::Probe(probe) => print(&probe.run()),
        Command::Pour(pour) => print(&pour.run()),
    };
    ended.unwrap_or_else(|error| {
        tell(&format!("minato-island: {error:#}"));
        ExitCode::FAILURE
    })
}

/// A sentence for whoever started it, who may have stopped listening.
fn tell(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "{sentence}");
}

fn run_link(run: &Run) -> anyhow::Result<ExitCode> {
    let shapes = run.shapes()?;
    match std::env::var(keeper::KEPT_BY_ENV) {
        // Started by the keeper: this is the first process of the namespaces.
        Ok(keeper) => house::live(run, shapes, &keeper),
        Err(_) => keeper::keep(),
    }
}

fn print<T: serde::Serialize>(measured: &anyhow::Result<T>) -> anyhow::Result<ExitCode> {
    let measured = measured.as_ref().map_err(|error| anyhow::anyhow!("{error:#}"))?;
    println!("{}", serde_json::to_string(measured)?);
    Ok(ExitCode::SUCCESS)
}

fn say(control: &PathBuf, lines: &[String]) -> anyhow::Result<ExitCode> {
    let mut socket = UnixStream::connect(control)
        .with_context(|| format!("no link listens at {}", control.display()))?;
    let mut answers = BufReader::new(socket.try_clone()?).lines();
    let mut ended = ExitCode::SUCCESS;
    for line in lines {
        writeln!(socket, "{line}")?;
        let answer = answers.next().context("the link has ended")??;
        if answer.starts_with("{\"error\"") {
            ended = ExitCode::FAILURE;
        }
        println!("{answer}");
    }
    Ok(ended)
}
