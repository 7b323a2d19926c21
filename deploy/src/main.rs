//! `minato`: one binary. Without a subcommand it is everything: signaling, the relay and the pages.

mod admin;
mod demo;
mod doors;
mod media;
mod observe;
mod pages;
mod prefixed;
mod readers;
mod serve;
mod shown;
mod signaling;
mod tls;
mod turn;

use anyhow::{Context as _, bail};
use clap::{Args, Parser, Subcommand};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

/// A telemedicine session broker for doctor-to-patient care with a nurse.
#[derive(Debug, Parser)]
#[command(name = "minato", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    all: All,
}

#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one of them, read once")]
enum Command {
    #[command(flatten)]
    Start(Start),
    #[command(flatten)]
    Operate(admin::Operate),
}

#[derive(Debug, Subcommand)]
enum Start {
    /// Everything in one process (the default).
    All(All),
    /// Rooms, visits and pages; media by a relay elsewhere.
    Signaling(SignalingOnly),
    /// Only the media relay.
    Relay(RelayOnly),
}

/// Where the running service keeps what it knows.
#[derive(Debug, Args)]
struct Folder {
    /// The running service's data folder.
    #[arg(long, global = true, default_value = "minato-data", env = "MINATO_DATA")]
    data: PathBuf,
}

/// Options of the whole.
#[derive(Debug, Clone, Args)]
struct All {
    #[command(flatten)]
    common: Common,
    /// The relay's media port (UDP); port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0", env = "MINATO_MEDIA")]
    media: SocketAddr,
    /// Addresses that pages are told for media, where they differ from the bound one.
    #[arg(long)]
    advertise: Vec<IpAddr>,
    #[command(flatten)]
    doors: doors::DoorArgs,
    /// A further relay that takes calls over; repeat it for more of them.
    #[arg(long)]
    relay: Vec<String>,
    #[command(flatten)]
    relays: RelaysArgs,
}

/// How relays in processes of their own are reached.
#[derive(Debug, Clone, Args)]
struct RelaysArgs {
    /// The file with the secret of TURN, as the relays have it: pages are told of their TURN
    /// servers. Without: MINATO_TURN_SECRET.
    #[arg(long, value_name = "FILE", env = "MINATO_TURN_SECRET_FILE")]
    turn_secret_file: Option<PathBuf>,
    /// PEM file with the authorities that relays at https:// addresses are trusted by. Without:
    /// the system's.
    #[arg(long, value_name = "FILE", env = "MINATO_RELAY_CA_FILE")]
    relay_ca_file: Option<PathBuf>,
}

/// Options of signaling.
#[derive(Debug, Clone, Args)]
struct Common {
    /// Where pages and screens are served.
    #[arg(long, default_value = "127.0.0.1:8080", env = "MINATO_LISTEN")]
    listen: SocketAddr,
    /// Where the log and the keys are kept.
    #[arg(long, default_value = "minato-data", env = "MINATO_DATA")]
    data: PathBuf,
    /// A demonstration clinic with simulated devices and printed sign-in links.
    #[arg(long)]
    demo: bool,
    /// Lets the demonstration listen beyond this machine, although its links are printed.
    #[arg(long)]
    demo_beyond_loopback: bool,
    /// HTTPS with a certificate made on the spot, for phones in the same network; prints a QR code.
    #[arg(long)]
    lan: bool,
    /// The port for phones in the same network; port 0 takes a free one.
    #[arg(long, default_value_t = 8443, env = "MINATO_LAN_PORT")]
    lan_port: u16,
    /// Without the demonstration's gateway: a separate one is started by hand.
    #[arg(long)]
    no_gateway: bool,
}

#[derive(Debug, Clone, Args)]
struct SignalingOnly {
    #[command(flatten)]
    common: Common,
    /// Base address of a relay, as this process and the pages reach it; with two of them, each
    /// takes over when the other is gone.
    #[arg(long, required = true)]
    relay: Vec<String>,
    #[command(flatten)]
    relays: RelaysArgs,
}

#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct RelayOnly {
    #[command(subcommand)]
    command: Option<turn::RelayCommand>,
    /// Where join, restart and control are served.
    #[arg(long, default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
    /// The media port (UDP). Not 3478: that one is TURN's.
    #[arg(long, default_value = "0.0.0.0:3479")]
    media: SocketAddr,
    /// Where media is taken by TCP too (ICE-TCP), for pages that no UDP packet reaches, usually
    /// 0.0.0.0:443; may be repeated.
    #[arg(long, value_name = "ADDRESS")]
    ice_tcp: Vec<SocketAddr>,
    /// Addresses that pages are told, where they differ from the bound one.
    #[arg(long)]
    advertise: Vec<IpAddr>,
    /// Public half of signaling's media key, as it prints it: 64 hexadecimal digits.
    #[arg(long, required = true)]
    token_key: Option<String>,
    /// Origins of the pages, as `https://host`.
    #[arg(long)]
    origin: Vec<String>,
    #[command(flatten)]
    turn: turn::TurnArgs,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    // One sentence for whoever started it; no frames.
    match cli.command.unwrap_or(Command::Start(Start::All(cli.all))) {
        Command::Operate(command) => {
            finished(admin::run(command), |error| eprintln!("minato: {error:#}"))
        }
        Command::Start(Start::Relay(RelayOnly { command: Some(command), .. })) => {
            finished(turn::carry_out(&command), |error| eprintln!("minato: {error:#}"))
        }
        Command::Start(what) => finished(start(what).await, |error| tracing::error!("{error:#}")),
    }
}

fn finished(ended: anyhow::Result<()>, tell: impl FnOnce(anyhow::Error)) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(error);
            ExitCode::FAILURE
        }
    }
}

async fn start(what: Start) -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| "info,str0m=warn,webrtc=warn,rtc=warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_target(false).init();
    match what {
        Start::All(all) => {
            refuse_open_demo(&all.common)?;
            Box::pin(signaling::run_all(all)).await
        }
        Start::Signaling(only) => {
            refuse_open_demo(&only.common)?;
            Box::pin(signaling::run_signaling(only)).await
        }
        Start::Relay(only) => media::run(only).await,
    }
}

/// Whoever has the printed links is staff: a demonstration stays on this machine unless told.
fn refuse_open_demo(common: &Common) -> anyhow::Result<()> {
    let beyond = common.lan || !common.listen.ip().is_loopback();
    if common.demo && beyond && !common.demo_beyond_loopback {
        bail!(
            "the demonstration prints sign-in links and therefore listens on this machine only; \
             add --demo-beyond-loopback if everybody in the network may come in"
        );
    }
    Ok(())
}

/// Waits for Ctrl-C or SIGTERM.
async fn shutdown() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be heard")?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed.context("Ctrl-C cannot be heard")?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
