//! TURN against Debian's coturn and against a bare forwarding loop, and the way to the forwarding
//! unit of the same process against that through coturn.

mod bare;
#[allow(dead_code, clippy::unwrap_used, reason = "the tests' own, which asks for more and fails")]
#[path = "../../../../media-relay/tests/turn/client.rs"]
mod client;
mod program;
mod uclient;
mod unit;

pub(crate) use bare::serve as serve_bare;
pub(crate) use unit::run as run_unit;

use anyhow::bail;
use client::{Client, Wire};
use program::{Program, credential, is_coturn_there};
use uclient::Echo;

/// Alternating runs; their medians are told.
const ROUNDS: usize = 5;
const SIZES: [usize; 2] = [160, 1_200];
/// Allocations whose memory is measured, after as many to get going.
const ALLOCATIONS: usize = 300;
/// Whoever's tokens our relay takes.
const SIGNALING_SEED: [u8; 32] = [7; 32];

/// `part`: bytes of a packet, or `memory`; empty for all.
pub(crate) fn run(part: &str) -> anyhow::Result<()> {
    is_coturn_there()?;
    let sizes: Vec<_> =
        SIZES.into_iter().filter(|size| part.is_empty() || part == size.to_string()).collect();
    let with_memory = part.is_empty() || part == "memory";
    if sizes.is_empty() && !with_memory {
        bail!("turn has no part {part}; it has {SIZES:?} and memory");
    }
    if !sizes.is_empty() {
        relayed(&sizes)?;
    }
    if with_memory { memory() } else { Ok(()) }
}

/// CPU of the server for what `turnutils_uclient` sends through it and an echo sends back.
fn relayed(sizes: &[usize]) -> anyhow::Result<()> {
    let login = credential()?;
    let echo = Echo::start()?;
    println!(
        "turn: CPU-seconds per million relayed packets, UDP, channels, {ROUNDS} alternating runs"
    );
    for &size in sizes {
        let mut spent = [const { Vec::new() }; 3];
        let mut client_s = Vec::new();
        for _ in 0..ROUNDS {
            let (ours, _) = Program::ours(&unit::public_key()?)?;
            for (server, spent) in
                [ours, Program::coturn()?, Program::bare()?].iter().zip(&mut spent)
            {
                let run = uclient::run(server, &echo, &login, size)?;
                spent.push(run.server_s / run.packets * 1e6);
                client_s.push(run.client_s / run.packets * 1e6);
            }
        }
        let shown = spent.each_ref().map(|runs| format!("{:.1} of {runs:.1?}", median(runs)));
        let [ours, coturn, bare] = spent.map(|runs| median(&runs));
        println!(
            "  {size} B: minato {}\n         coturn {}\n         bare loop {}",
            shown[0], shown[1], shown[2]
        );
        println!(
            "         to coturn {:.2} (goal 0.8), to the bare loop {:.2} (goal 1.3); the client \
             itself {:.1}",
            ours / coturn,
            ours / bare,
            median(&client_s)
        );
    }
    Ok(())
}

/// Memory of the process; what the kernel keeps for a socket is the same for both.
fn memory() -> anyhow::Result<()> {
    let login = credential()?;
    let (ours, _) = Program::ours(&unit::public_key()?)?;
    let mut grown = Vec::new();
    for server in [ours, Program::coturn()?] {
        let take = || {
            let mut client = Client::new(Wire::udp(server.turn), login.clone());
            client.allocate().map(|_| client)
        };
        let take_all = || (0..ALLOCATIONS).map(|_| take()).collect::<Result<Vec<_>, _>>();
        let refused = |code| anyhow::anyhow!("{} refused an allocation: {code}", server.name);
        let _first = take_all().map_err(refused)?;
        let before = server.resident_kb()?;
        let _second = take_all().map_err(refused)?;
        grown.push((server.resident_kb()? - before) / ALLOCATIONS as f64);
    }
    println!(
        "turn: memory of an allocation, process side: minato {:.2} kB, coturn {:.2} kB: {:.2} (goal 0.5)",
        grown[0],
        grown[1],
        grown[0] / grown[1]
    );
    Ok(())
}

fn median(runs: &[f64]) -> f64 {
    let mut sorted = runs.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
