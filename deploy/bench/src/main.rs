//! The figures of BENCHMARKS.md, each against a floor or a bound measured in the same run.
//!
//! `make bench`, or one of them: `cargo run --release -p minato-bench -- rules|log|devices|storm|
//! sockets|vitals|turn|turn-unit|forward|visits`. Three have parts: `forward:1-8|3-3`,
//! `turn:160|1200|memory` and `vitals:island`.
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

mod devices;
mod forward;
mod http;
mod island;
mod log;
mod person;
mod proc;
mod process;
mod rules;
mod server;
mod sockets;
mod spread;
mod storm;
mod turn;
mod visits;
mod vitals;

use anyhow::bail;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    // What needs another program stands last: without it all else was measured.
    let all = [
        "rules",
        "log",
        "devices",
        "storm",
        "sockets",
        "vitals",
        "visits",
        "turn",
        "turn-unit",
        "forward",
    ];
    let all = all.map(str::to_owned).to_vec();
    // The bare loop that `turn` is compared with is a process of its own.
    if let [role, address] = wanted.as_slice()
        && role == "turn-bare"
    {
        return turn::serve_bare(address);
    }
    for name in if wanted.is_empty() { all.clone() } else { wanted } {
        let (name, part) = name.split_once(':').unwrap_or((&name, ""));
        if !part.is_empty() && !["forward", "turn", "vitals"].contains(&name) {
            bail!("{name} has no parts");
        }
        match name {
            "rules" => rules::run(),
            "log" => log::run().await?,
            "devices" => Box::pin(devices::run()).await?,
            "storm" => Box::pin(storm::run()).await?,
            "sockets" => Box::pin(sockets::run()).await?,
            "vitals" => Box::pin(vitals::run(part)).await?,
            "forward" => Box::pin(forward::run(part)).await?,
            "visits" => Box::pin(visits::run()).await?,
            "turn" => turn::run(part)?,
            "turn-unit" => Box::pin(turn::run_unit()).await?,
            other => bail!("there is no benchmark {other}; there are {}", all.join(", ")),
        }
    }
    Ok(())
}
