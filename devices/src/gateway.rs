//! The whole box: opens the disk, takes its identity, starts the parts, and stops them in order.

mod listening;

use crate::bench::{Bench, CLOCK_SET};
use crate::boot;
use crate::clock::Clock;
pub use crate::dial::DialError;
use crate::dial::Dialer;
use crate::identity;
pub use crate::identity::EnrolError;
pub use crate::key::KeyError;
use crate::key::{self, GatewayKey};
use crate::lan::{Behind, Door};
pub use crate::lan::{LanConfig, LanError};
use crate::ledger::Ledger;
use crate::outbox::{Outbox, OutboxError};
use crate::rehearsal;
use crate::status::{Buttons, Panel, router};
use crate::transport::replay::keep::Capture;
pub use crate::transport::replay::play::CaptureError;
use crate::transport::replay::{self, play};
use crate::transport::serial::{self, SerialError, SerialPort};
use crate::transport::simulator::{Rehearsal, Simulator};
use crate::uplink::{Ask, LinkState, Pace, Uplink};
use crate::waves::{BLOCKS_WAITING_MAX, Waves};
use jiff::tz::TimeZone;
use listening::{listen_to_cables, listen_to_radio, written_down};
use minato_protocol::Timestamp;
use minato_protocol::reading::Hex;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;

/// What waits between the transports and the bench; then the transports wait.
const HEARD_MAX: usize = 64;
/// Requests that wait for the devices or the waves; then the broker's connection waits.
const REQUESTS_MAX: usize = 32;

/// How a gateway is set up.
#[derive(Debug, Clone)]
pub struct GatewayConfig {
    /// Key, identity and outbox; used by this gateway alone.
    pub data_dir: PathBuf,
    /// `https://clinic.example` or, on the same machine, `http://127.0.0.1:8080`.
    pub broker_url: String,
    /// The one-time code, needed at the first start only.
    pub enrol_code: Option<String>,
    /// IANA name of the zone that the devices' clocks are set to.
    pub zone: String,
    /// A rehearsal: simulated devices instead of real ones.
    pub simulate: Option<SimulateConfig>,
    /// Real devices by radio.
    pub bluetooth: Option<BluetoothConfig>,
    /// A capture that is played once ([`replay`]).
    pub replay: Option<PathBuf>,
    /// A new file in which what real devices say is written down ([`replay`]): their wearers'
    /// values too.
    pub capture_to: Option<PathBuf>,
    /// Devices on serial cables; refused in a build without them.
    pub serial: Vec<SerialPort>,
    /// Where the status page listens; loopback only.
    pub status_listen: Option<SocketAddr>,
    /// A door for nurses' pages on the clinic's own network.
    pub lan: Option<LanConfig>,
    /// PEM file with the authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
}

impl GatewayConfig {
    /// Whether anything but a rehearsal can be heard.
    fn has_devices(&self) -> bool {
        !self.serial.is_empty() || self.bluetooth.is_some() || self.replay.is_some()
    }
}

/// How real devices are reached by radio.
#[derive(Debug, Clone, Default)]
pub struct BluetoothConfig {
    /// The radio, such as `hci0`; nothing: the first.
    pub adapter: Option<String>,
    /// Whether devices that ask for it are paired, without anybody being asked again.
    pub pair: bool,
}

/// How a rehearsal is set up.
#[derive(Debug, Clone, Copy)]
pub struct SimulateConfig {
    /// Pairs of cuff and oximeter.
    pub beds: u8,
    /// The same seed gives the same values.
    pub seed: u64,
}

impl Default for SimulateConfig {
    fn default() -> Self {
        Self { beds: 2, seed: 1 }
    }
}

/// The zone of a clinic in Japan.
pub const ZONE_DEFAULT: &str = "Asia/Tokyo";

/// Why a gateway does not run.
#[derive(Debug, Error)]
pub enum GatewayError {
    /// The zone's name is unknown.
    #[error("{0} is no time zone; the name is one such as {ZONE_DEFAULT}")]
    Zone(String),
    /// The status page must not be reached from outside.
    #[error("the status page listens on loopback only, not on {0}")]
    NotLoopback(SocketAddr),
    /// The status page's port is taken.
    #[error("the status page cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// The program was built without what talks to such devices.
    #[error("this build has no {0}: build it with `--features {0}`")]
    NotBuilt(&'static str),
    /// The capture is there already, or cannot be made.
    #[error("the capture {0} cannot be begun: {1}")]
    Capture(PathBuf, std::io::Error),
    /// See [`LanError`].
    #[error(transparent)]
    Lan(#[from] LanError),
    /// See [`CaptureError`].
    #[error(transparent)]
    Replay(#[from] CaptureError),
    /// See [`SerialError`].
    #[error(transparent)]
    Serial(#[from] SerialError),
    /// A part has ended by itself, which it never should.
    #[error("a part of the gateway has stopped working; start it again")]
    PartEnded,
    /// See [`KeyError`].
    #[error(transparent)]
    Key(#[from] KeyError),
    /// See [`OutboxError`].
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// See [`EnrolError`].
    #[error(transparent)]
    Enrol(#[from] EnrolError),
}

/// A gateway whose disk and port are its own, not yet running.
#[derive(Debug)]
pub struct Gateway {
    config: GatewayConfig,
    clock: Clock,
    zone: TimeZone,
    key: Arc<GatewayKey>,
    ledger: Ledger,
    listener: Option<TcpListener>,
    lan: Option<Door>,
    replay: Option<Vec<replay::Line>>,
    capture: Option<Capture>,
    buttons: Buttons,
    asks: mpsc::Receiver<Ask>,
}

impl Gateway {
    /// Opens everything that can be refused at once: zone, key, outbox, port.
    pub async fn open(config: GatewayConfig, clock: Clock) -> Result<Self, GatewayError> {
        let zone = TimeZone::get(&config.zone);
        let zone = zone.map_err(|_| GatewayError::Zone(config.zone.clone()))?;
        if config.bluetooth.is_some() && !cfg!(feature = "bluetooth") {
            return Err(GatewayError::NotBuilt("bluetooth"));
        }
        serial::check(&config.serial)?;
        let listener = match config.status_listen {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        let replay = config.replay.as_deref().map(play::open).transpose()?;
        let outbox = Outbox::open(&config.data_dir)?;
        let before = outbox.machine_start()?;
        let capture = match &config.capture_to {
            Some(path) => {
                let begun = Capture::begin(path, clock.now());
                Some(begun.map_err(|error| GatewayError::Capture(path.clone(), error))?)
            }
            None => None,
        };
        let key = Arc::new(GatewayKey::open(&config.data_dir)?);
        let lan = match &config.lan {
            Some(lan) => Some(Door::open(lan, &config.broker_url, &config.data_dir, &clock).await?),
            None => None,
        };
        let met = lan.as_ref().and_then(|door| door.authority.met_here());
        let newest = outbox.newest_moment()?.max(met);
        let mut ledger = Ledger::start(outbox, clock.clone())?;
        if let Some(boot) = boot::id().filter(|boot| before.as_ref() != Some(boot)) {
            // A gateway that has never run has nothing to take off.
            let kept_time = before.is_none() || boot::kept_time();
            tracing::info!(kept_time, "the machine has started anew");
            let started = ledger.machine_started(boot, kept_time).await;
            started.map_err(|_| GatewayError::PartEnded)?;
        }
        let now = clock.now();
        if let Some(newest) = newest.filter(|newest| *newest - now > CLOCK_SET) {
            // How long the gateway was off nobody knows: as if it had been no time.
            let behind_ms = (newest - now).0;
            tracing::warn!(behind_ms, "the clock shows an earlier time than it did before");
            let set = ledger.clock_behind(now - newest, now).await;
            set.map_err(|_| GatewayError::PartEnded)?;
        }
        let (ask, asks) = mpsc::channel(REQUESTS_MAX);
        let cable = watch::Sender::new(true);
        let buttons = Buttons { asks: ask, cable, clock: clock.clone() };
        Ok(Self { config, clock, zone, key, ledger, listener, lan, replay, capture, buttons, asks })
    }

    /// Where the status page listens.
    pub fn status_addr(&self) -> Option<SocketAddr> {
        self.listener.as_ref()?.local_addr().ok()
    }

    /// Where the door on the clinic's own network listens.
    pub fn lan_addr(&self) -> Option<SocketAddr> {
        self.lan.as_ref()?.address()
    }

    /// The rehearsal's buttons, for a program that runs the gateway inside itself.
    pub fn buttons(&self) -> Option<Buttons> {
        self.config.simulate.map(|_| self.buttons.clone())
    }

    /// Runs until `shutdown` completes. What was measured is on the disk when this returns.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), GatewayError> {
        let ledger = self.ledger.clone();
        let mut parts = JoinSet::new();
        let ended = {
            let work = async {
                Box::pin(self.start(&mut parts)).await?;
                parts.join_next().await;
                Err(GatewayError::PartEnded)
            };
            tokio::select! {
                ended = work => ended,
                () = shutdown => Ok(()),
            }
        };
        parts.shutdown().await;
        // Whatever was handed in is kept; the ledger's thread ends when nobody can command it.
        let _ = ledger.settled().await;
        ended
    }

    async fn start(self, parts: &mut JoinSet<()>) -> Result<(), GatewayError> {
        let dialer = Dialer::new(self.config.ca_file.as_deref());
        let (devices, device_status) = watch::channel(Vec::new());
        let (link, link_state) = watch::channel(LinkState::default());
        let (identity, known_identity) = watch::channel(None);
        if let Some(address) = self.status_addr() {
            tracing::info!(%address, "the status page listens");
        }
        let lan = self.lan.as_ref().map(|door| (door.state(), Arc::clone(&door.authority)));
        if let Some(listener) = self.listener {
            let panel = Panel {
                identity: known_identity.clone(),
                ledger: self.ledger.clone(),
                devices: device_status.clone(),
                link: link_state.clone(),
                clock: self.clock.clone(),
                lan: lan.as_ref().map(|(state, _)| state.clone()),
                rehearsal: self.config.simulate.map(|_| self.buttons.clone()),
            };
            parts.spawn(async move {
                let served = axum::serve(listener, router(panel)).await;
                tracing::error!(?served, "the status page has ended");
            });
        }
        let boot = Hex(key::random());
        if let Some(door) = self.lan {
            let behind = Behind {
                identity: known_identity,
                ledger: self.ledger.clone(),
                devices: device_status.clone(),
                link: link_state,
                clock: self.clock.clone(),
                asks: self.buttons.asks.clone(),
                run: boot,
            };
            parts.spawn(door.serve(behind));
        }
        let (folder, url) = (&self.config.data_dir, &self.config.broker_url);
        let code = self.config.enrol_code.as_deref();
        let established = identity::establish(folder, url, code, &self.key, &dialer).await?;
        identity.send_replace(Some(established));
        let (heard, to_bench) = mpsc::channel(HEARD_MAX);
        let has_devices = self.config.has_devices();
        let real = written_down(self.capture, &self.clock, heard.clone(), parts);
        listen_to_cables(self.config.serial, &self.clock, &real, parts);
        listen_to_radio(self.config.bluetooth, &self.clock, &self.zone, &real, parts);
        if let Some(lines) = self.replay {
            parts.spawn(play::run(lines, self.clock.clone(), heard.clone()));
        }
        drop(real);
        match self.config.simulate {
            Some(simulate) => {
                let now = self.clock.now();
                let simulator = simulator(simulate, &self.zone, boot, now);
                let head = self.ledger.head();
                parts.spawn(rehearsal::run(simulator, self.clock.clone(), self.asks, head, heard));
            }
            None => {
                if !has_devices {
                    tracing::warn!("no device is given to this gateway: none will be found");
                }
                parts.spawn(rehearsal::without_devices(self.asks, heard));
            }
        }
        let (blocks, _) = broadcast::channel(BLOCKS_WAITING_MAX);
        let (ledger, gateway) = (self.ledger.clone(), established.gateway);
        let around = (self.zone, self.clock.clone());
        let bench = Bench::new((gateway, boot), around, ledger, blocks.clone(), devices);
        parts.spawn(async move {
            let ended = bench.run(to_bench).await;
            tracing::error!(?ended, "nothing is heard any more");
        });
        let (order, orders) = mpsc::channel(REQUESTS_MAX);
        let (lost, media_lost) = mpsc::channel(REQUESTS_MAX);
        let (waves_rest, rest) = watch::channel(false);
        parts.spawn(Waves::new(dialer.clone(), blocks, lost, rest).run(orders));
        let uplink = Uplink {
            broker_url: self.config.broker_url,
            dialer,
            identity: established,
            key: self.key,
            boot,
            clock: self.clock,
            ledger: self.ledger,
            devices: device_status,
            asks: self.buttons.asks,
            media: order,
            media_lost,
            waves_rest,
            pace: Pace::default(),
            cable: self.buttons.cable,
            asked: VecDeque::new(),
            lan,
            state: link,
        };
        parts.spawn(uplink.run());
        Ok(())
    }
}

fn simulator(simulate: SimulateConfig, zone: &TimeZone, boot: Hex<8>, now: Timestamp) -> Simulator {
    let SimulateConfig { beds, seed } = simulate;
    let [a, b, c, d, ..] = boot.0;
    let run = u32::from_be_bytes([a, b, c, d]);
    Simulator::new(&Rehearsal { seed, beds, zone: zone.clone(), run }, now)
}

async fn listen(address: SocketAddr) -> Result<TcpListener, GatewayError> {
    if !address.ip().is_loopback() {
        return Err(GatewayError::NotLoopback(address));
    }
    let listening = TcpListener::bind(address).await;
    listening.map_err(|error| GatewayError::Listen(address, error))
}
