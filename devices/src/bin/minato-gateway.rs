//! The box on the clinic's wall: runs the gateway, rehearses without devices, or reads one frame
//! for anybody who wants to check it.

#![expect(clippy::print_stdout, reason = "`decode` answers on standard output")]

use anyhow::Context as _;
use clap::{ArgGroup, Args, Parser, Subcommand};
use minato_devices::clock::Clock;
use minato_devices::gateway::{
    BluetoothConfig, Gateway, GatewayConfig, SimulateConfig, ZONE_DEFAULT,
};
use minato_devices::inspect;
use minato_devices::lan::{CertificateFiles, LanConfig};
use minato_devices::transport::serial::SerialPort;
use minato_protocol::Span;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// A frame that is none.
const EXIT_REFUSED: u8 = 2;

#[derive(Debug, Parser)]
#[command(name = "minato-gateway", version, about = "The box on the clinic's wall")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Connects the clinic's devices to the broker.
    Run {
        #[command(flatten)]
        setup: Setup,
        #[command(flatten)]
        radio: Radio,
        /// A new file in which everything that devices say is written down, so that somebody who
        /// knows them can read it. It holds their wearers' values.
        #[arg(long)]
        capture_to: Option<PathBuf>,
    },
    /// The same with a capture that is played once.
    Replay {
        #[command(flatten)]
        setup: Setup,
        /// What `run --capture-to` has written.
        #[arg(long)]
        capture: PathBuf,
    },
    /// The same with simulated devices, which send real frames.
    Simulate {
        #[command(flatten)]
        setup: Setup,
        /// Pairs of cuff and oximeter.
        #[arg(long, default_value_t = SimulateConfig::default().beds)]
        beds: u8,
        /// The same seed gives the same values.
        #[arg(long, default_value_t = SimulateConfig::default().seed)]
        seed: u64,
        #[command(flatten)]
        resumed: Resumed,
    },
    /// Prints one frame as JSON, or the packets of a serial oximeter as a list; what is refused
    /// exits with 2 and its reason.
    #[command(group(ArgGroup::new("message").required(true).args(["characteristic", "serial"])))]
    Decode {
        /// Bluetooth number of the message, such as 2A35.
        #[arg(long)]
        characteristic: Option<String>,
        /// Protocol of a serial oximeter: bci, emay or nonin.
        #[arg(long)]
        serial: Option<String>,
        /// The bytes.
        hex: String,
    },
}

#[derive(Debug, Args)]
struct Setup {
    /// Where the broker is.
    #[arg(long, env = "MINATO_BROKER", default_value = "http://127.0.0.1:8080")]
    broker: String,
    /// Where key, identity and outbox are kept.
    #[arg(long, env = "MINATO_GATEWAY_DATA", default_value = "gateway-data")]
    data: PathBuf,
    /// The one-time code from the board, at the first start.
    #[arg(long, env = "MINATO_GATEWAY_CODE")]
    code: Option<String>,
    /// Time zone that the devices' clocks are set to.
    #[arg(long, env = "MINATO_ZONE", default_value = ZONE_DEFAULT)]
    zone: String,
    /// A serial port and the device at it, such as /dev/ttyUSB0=contec; may be given several times.
    #[arg(long, value_name = "PORT=DEVICE")]
    serial: Vec<SerialPort>,
    /// Status page, loopback only.
    #[arg(long)]
    status: Option<SocketAddr>,
    #[command(flatten)]
    lan: Lan,
    /// PEM file with the authorities to trust.
    #[arg(long, env = "MINATO_CA_FILE")]
    ca_file: Option<PathBuf>,
}

/// Nurses' pages on the clinic's own network, for the time when the broker is away.
#[derive(Debug, Args)]
struct Lan {
    /// Where such pages are listened to, such as 0.0.0.0:8443.
    #[arg(long)]
    lan: Option<SocketAddr>,
    /// How tablets call this box, such as https://box.clinic.example:8443; else by its address.
    #[arg(long, requires = "lan")]
    lan_url: Option<String>,
    /// PEM file with the certificate that tablets trust; without it the box makes its own.
    #[arg(long, requires = "lan", requires = "lan_key")]
    lan_cert: Option<PathBuf>,
    /// PEM file with the certificate's private key.
    #[arg(long, requires = "lan_cert")]
    lan_key: Option<PathBuf>,
    /// A further address by which the broker's pages are opened; may be given several times.
    #[arg(long, requires = "lan", value_name = "ORIGIN")]
    lan_origin: Vec<String>,
}

impl Lan {
    fn into_config(self) -> Option<LanConfig> {
        let files = self.lan_cert.zip(self.lan_key);
        let certificate = files.map(|(certificate, key)| CertificateFiles { certificate, key });
        let (url, origins) = (self.lan_url, self.lan_origin);
        self.lan.map(|listen| LanConfig { listen, url, certificate, origins })
    }
}

/// Real devices by radio.
#[derive(Debug, Args)]
struct Radio {
    /// Hears devices that speak Bluetooth Low Energy.
    #[arg(long)]
    bluetooth: bool,
    /// Which radio, such as hci0, if there are several.
    #[arg(long, requires = "bluetooth")]
    adapter: Option<String>,
    /// Pairs every device that asks for it: only while somebody stands beside the device.
    #[arg(long, requires = "bluetooth")]
    pair: bool,
}

impl Radio {
    fn into_config(self) -> Option<BluetoothConfig> {
        self.bluetooth.then_some(BluetoothConfig { adapter: self.adapter, pair: self.pair })
    }
}

/// How the rehearsal stood before it was ended: a box that is started again keeps its clock, and a
/// pulled cable stays pulled.
#[derive(Debug, Clone, Copy, Default, Args)]
struct Resumed {
    /// The clock goes ahead by so many milliseconds.
    #[arg(long, default_value_t = 0)]
    ahead_ms: u32,
    /// The cable to the broker is pulled.
    #[arg(long)]
    unplugged: bool,
}

impl Setup {
    fn into_config(self, simulate: Option<SimulateConfig>) -> GatewayConfig {
        GatewayConfig {
            data_dir: self.data,
            broker_url: self.broker,
            enrol_code: self.code,
            zone: self.zone,
            simulate,
            bluetooth: None,
            replay: None,
            capture_to: None,
            serial: self.serial,
            status_listen: self.status,
            lan: self.lan.into_config(),
            ca_file: self.ca_file,
        }
    }
}

fn main() -> anyhow::Result<ExitCode> {
    let (config, resumed) = match Cli::parse().command {
        Command::Decode { characteristic, serial, hex } => {
            return Ok(decode(characteristic.as_deref(), serial.as_deref(), &hex));
        }
        Command::Run { setup, radio, capture_to } => {
            let bluetooth = radio.into_config();
            let config = GatewayConfig { bluetooth, capture_to, ..setup.into_config(None) };
            (config, Resumed::default())
        }
        Command::Replay { setup, capture } => {
            let config = GatewayConfig { replay: Some(capture), ..setup.into_config(None) };
            (config, Resumed::default())
        }
        Command::Simulate { setup, beds, seed, resumed } => {
            (setup.into_config(Some(SimulateConfig { beds, seed })), resumed)
        }
    };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    serve(config, resumed)
}

#[tokio::main]
async fn serve(config: GatewayConfig, resumed: Resumed) -> anyhow::Result<ExitCode> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .context("signals cannot be heard")?;
    let shutdown = async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    };
    let clock = Clock::system();
    clock.advance(Span(resumed.ahead_ms.into()));
    let gateway = Gateway::open(config, clock).await?;
    if let Some(buttons) = gateway.buttons() {
        buttons.plug(!resumed.unplugged);
    }
    Box::pin(gateway.run(shutdown)).await?;
    Ok(ExitCode::SUCCESS)
}

/// Exactly one of the two is given.
fn decode(characteristic: Option<&str>, serial: Option<&str>, hex: &str) -> ExitCode {
    let shown = match serial {
        Some(protocol) => inspect::serial::packets(protocol, hex).map_err(|no| no.to_string()),
        None => {
            let characteristic = characteristic.unwrap_or_default();
            inspect::frame(characteristic, hex).map_err(|no| no.to_string())
        }
    };
    match shown {
        Ok(json) => {
            println!("{json:#}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("refused: {reason}");
            ExitCode::from(EXIT_REFUSED)
        }
    }
}
