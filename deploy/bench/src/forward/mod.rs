//! What forwarding costs, beside Debian's janus: same clients, same streams, one server at a time.

pub(crate) mod client;
pub(crate) mod film;
mod janus;
pub(crate) mod minato;
mod stamp;
pub(crate) mod tally;

use crate::process::Process;
use anyhow::{Context as _, bail};
use client::Running;
use film::{FULL, Film};
use janus::Janus;
use minato::Minato;
use std::net::{IpAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tally::{Count, Counts, Tally};

const ROUNDS: usize = 5;
const MEASURED: Duration = Duration::from_secs(5);
/// All must arrive in so many short spans before anything is measured.
const STEADY_SPANS: usize = 3;
const STEADY_SPAN: Duration = Duration::from_millis(700);
const STEADY_WITHIN: Duration = Duration::from_secs(120);
/// What counts as everything.
const WHOLE_PERCENT: u64 = 99;
const GOAL: f64 = 0.4;

/// Who is in one visit: the first send, and everybody receives everybody else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cast {
    pub(crate) publishers: u64,
    pub(crate) listeners: u64,
    pub(crate) film: Film,
}

impl Cast {
    pub(crate) fn people(self) -> u64 {
        self.publishers + self.listeners
    }

    /// How many times each packet is sent on.
    pub(crate) fn copies(self) -> u64 {
        self.people() - 1
    }

    pub(crate) fn seed(self, visit: u64, person: u64) -> u32 {
        u32::try_from(visit * 31 + person).unwrap_or_default()
    }
}

/// What a span of time showed.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) counts: Counts,
    pub(crate) server: Duration,
    pub(crate) generator: Duration,
}

impl Figures {
    /// CPU-seconds a million delivered packets.
    fn a_million(&self) -> f64 {
        self.server.as_secs_f64() * 1e6 / self.counts.arrived().max(1) as f64
    }
}

/// A server with everybody of one visit.
#[derive(Debug)]
struct Stage {
    name: &'static str,
    server: Server,
    cast: Cast,
    tally: Arc<Tally>,
    /// Clients, who leave when this is dropped.
    _people: Vec<Running>,
}

#[derive(Debug)]
enum Server {
    Minato(Minato),
    Janus(Janus),
}

impl Stage {
    async fn ours(cast: Cast, ip: IpAddr) -> anyhow::Result<Self> {
        let (relay, tally) = (Minato::start(ip)?, Arc::new(Tally::new()));
        let people = relay.seat(1, cast, &tally).await?;
        let server = Server::Minato(relay);
        Ok(Self { name: "minato", server, cast, tally, _people: people })
    }

    async fn theirs(cast: Cast, ip: IpAddr) -> anyhow::Result<Self> {
        let (janus, tally) = (Janus::start(ip).await?, Arc::new(Tally::new()));
        let people = Box::pin(janus.seat(1, cast, &tally)).await?;
        let server = Server::Janus(janus);
        Ok(Self { name: "janus", server, cast, tally, _people: people })
    }

    /// Lets its people speak for a while.
    async fn play(&self) -> anyhow::Result<Figures> {
        let process = match &self.server {
            Server::Minato(relay) => &relay.process,
            Server::Janus(janus) => &janus.process,
        };
        self.tally.play(true);
        let figures = measure(process, &self.tally, self.cast, MEASURED, true).await;
        self.tally.play(false);
        figures.context(self.name)
    }
}

/// `part`: one of the casts; empty for all.
pub(crate) async fn run(part: &str) -> anyhow::Result<()> {
    let ip = own_address()?;
    println!("forward: CPU-seconds of the server a million delivered packets");
    let casts = [("1-8", 1, 8), ("3-3", 3, 0)];
    if !part.is_empty() && !casts.iter().any(|(name, ..)| *name == part) {
        bail!("forward has no part {part}");
    }
    for (name, publishers, listeners) in casts {
        if part.is_empty() || part == name {
            Box::pin(compare(name, Cast { publishers, listeners, film: FULL }, ip)).await?;
        }
    }
    Ok(())
}

/// Both servers run, one at a time has something to do.
async fn compare(name: &str, cast: Cast, ip: IpAddr) -> anyhow::Result<()> {
    if !Janus::is_installed() {
        bail!(
            "forward: there is no janus to compare with; `apt-get install --no-install-recommends \
             janus` brings it (its own service is not needed)"
        );
    }
    let stages = [Stage::ours(cast, ip).await?, Box::pin(Stage::theirs(cast, ip)).await?];
    stages.iter().for_each(|stage| stage.tally.play(false));
    let mut costs = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (stage, costs) in stages.iter().zip(&mut costs) {
            let figures = stage.play().await?;
            println!(
                "  {name}, {}: {:.1}, {} of {} delivered, sound late {}, generator {:.0} % of a core",
                stage.name,
                figures.a_million(),
                figures.counts.arrived(),
                figures.counts.sent() * cast.copies(),
                figures.counts.sounds.delays,
                share(figures.generator, MEASURED),
            );
            costs.push(figures.a_million());
        }
    }
    let [own, other] = &costs;
    let ratios = own.iter().zip(other).map(|(own, other)| own / other).collect();
    let [own, other] = costs.map(median);
    let ratio = median(ratios);
    println!(
        "  {name}: minato {own:.1}, janus {other:.1}, ratio {ratio:.2} (goal: at most {GOAL}), medians"
    );
    Ok(())
}

/// Percent of a core.
pub(crate) fn share(spent: Duration, span: Duration) -> f64 {
    spent.as_secs_f64() * 100.0 / span.as_secs_f64()
}

/// Waits until everything arrives, then counts; anew if it does not last. Estimates have to grow,
/// and what else runs on the machine can make a link look thin.
pub(crate) async fn measure(
    process: &Process,
    tally: &Tally,
    cast: Cast,
    span: Duration,
    pictures_too: bool,
) -> anyhow::Result<Figures> {
    let began = Instant::now();
    let mut steady = 0;
    let mut last = String::new();
    while began.elapsed() < STEADY_WITHIN {
        let measured = steady == STEADY_SPANS;
        let span = if measured { span } else { STEADY_SPAN };
        let cpu = || anyhow::Ok((process.cpu()?, crate::proc::cpu("self")?));
        let before = cpu()?;
        let (counts, after) = tally.count(span, cpu).await;
        let after = after?;
        let all = |count: &Count| {
            count.sent > 0 && count.arrived * 100 >= count.sent * cast.copies() * WHOLE_PERCENT
        };
        let whole = all(&counts.sounds) && (!pictures_too || all(&counts.pictures));
        steady = if whole { steady + 1 } else { 0 };
        last = format!(
            "{} of {} sounds, {} of {} pieces of pictures",
            counts.sounds.arrived,
            counts.sounds.sent * cast.copies(),
            counts.pictures.arrived,
            counts.pictures.sent * cast.copies()
        );
        if measured && whole {
            let (server, generator) = (after.0 - before.0, after.1 - before.1);
            return Ok(Figures { counts, server, generator });
        }
    }
    bail!("not everything that is sent arrives within {STEADY_WITHIN:?}: {last}")
}

/// The address by which this machine reaches others: janus takes no media on loopback. Datagrams
/// to it stay inside the machine all the same. Connecting sends nothing.
pub(crate) fn own_address() -> anyhow::Result<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect("198.51.100.1:9").context("this machine has no address but loopback")?;
    Ok(socket.local_addr()?.ip())
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
