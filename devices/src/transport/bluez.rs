//! Bluetooth Low Energy by the system's own service, BlueZ: listens for devices whose family is
//! known, and lets each be attended by a task of its own.
//!
//! The service, its radio and the message bus may be away at any time: they are waited for, with
//! one line in the log when they go and one when they are back.

mod attend;
mod bus;
mod carry_out;
mod connect;
mod nearby;
mod pairing;
mod trouble;

use super::Heard;
use crate::clock::Clock;
use crate::gateway::BluetoothConfig;
use bluer::{Adapter, AdapterEvent, DiscoveryFilter, DiscoveryTransport, Session};
use bus::Bus;
use futures_util::StreamExt as _;
use jiff::tz::TimeZone;
use nearby::Neighbourhood;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long the service or its radio is waited for, from one look to the next.
const AWAY_WAIT: Duration = Duration::from_secs(5);
/// A scan that ended by itself is begun again after so long; whoever is connected stays so.
const SCAN_PAUSE: Duration = Duration::from_secs(1);

/// What every part of this transport needs.
#[derive(Debug, Clone)]
struct Surroundings {
    clock: Clock,
    zone: TimeZone,
    heard: mpsc::Sender<Heard>,
    /// Whether devices that ask for it are paired.
    pairs: bool,
}

/// Why listening has ended.
#[derive(Debug)]
enum Ended {
    /// The bench is gone: the gateway stops.
    NobodyListens,
    /// The bus, the service or the radio is away, in words.
    Away(String),
}

impl From<bluer::Error> for Ended {
    fn from(error: bluer::Error) -> Self {
        Self::Away(error.to_string())
    }
}

impl From<dbus::Error> for Ended {
    fn from(error: dbus::Error) -> Self {
        Self::Away(error.to_string())
    }
}

/// The bench is gone.
#[derive(Debug, Clone, Copy)]
struct NobodyListens;

impl From<NobodyListens> for Ended {
    fn from(NobodyListens: NobodyListens) -> Self {
        Self::NobodyListens
    }
}

/// Runs until the bench is gone.
pub(crate) async fn run(
    config: BluetoothConfig,
    clock: Clock,
    zone: TimeZone,
    heard: mpsc::Sender<Heard>,
) {
    let around = Surroundings { clock, zone, heard, pairs: config.pair };
    let mut is_said = false;
    loop {
        let mut neighbourhood = Neighbourhood::new(around.clone());
        let ended = listen(&config, &around, &mut neighbourhood, &mut is_said).await;
        let away = match ended {
            Ended::NobodyListens => return,
            Ended::Away(why) => why,
        };
        if neighbourhood.leave().await.is_err() {
            return;
        }
        if std::mem::replace(&mut is_said, true) {
            tracing::debug!(why = away, "Bluetooth is still away");
        } else {
            tracing::warn!(why = away, "Bluetooth is away; it is waited for");
        }
        tokio::select! {
            () = tokio::time::sleep(AWAY_WAIT) => {}
            () = around.heard.closed() => return,
        }
    }
}

/// Listens until something that it needs is away. `is_said` is whether the log knows
/// that.
async fn listen(
    config: &BluetoothConfig,
    around: &Surroundings,
    neighbourhood: &mut Neighbourhood,
    is_said: &mut bool,
) -> Ended {
    let tuned = async {
        let (bus, lost) = Bus::open().await?;
        let session = Session::new().await?;
        let adapter = tune(&session, config.adapter.as_deref()).await?;
        let agent = match around.pairs {
            true => Some(pairing::agent(&session).await?),
            false => None,
        };
        Ok::<_, Ended>((bus, lost, adapter, agent))
    };
    let (bus, lost, adapter, _agent) = match tuned.await {
        Ok(tuned) => tuned,
        Err(ended) => return ended,
    };
    tracing::info!(adapter = adapter.name(), pairs = around.pairs, "Bluetooth devices are heard");
    *is_said = false;
    let ended = tokio::select! {
        ended = scan(&bus, &adapter, neighbourhood) => ended,
        why = lost.wait() => return Ended::Away(why),
        () = around.heard.closed() => return Ended::NobodyListens,
    };
    let Err(ended) = ended;
    ended
}

/// The radio, switched on and told to listen for Low Energy only.
async fn tune(session: &Session, name: Option<&str>) -> Result<Adapter, Ended> {
    let names = session.adapter_names().await?;
    let adapter = match name {
        Some(name) if !names.iter().any(|there| there == name) => {
            return Err(Ended::Away(format!("there is no radio {name}")));
        }
        Some(name) => session.adapter(name)?,
        None if names.is_empty() => return Err(Ended::Away("there is no radio".into())),
        None => session.default_adapter().await?,
    };
    if !adapter.is_powered().await? {
        adapter.set_powered(true).await?;
    }
    let filter = DiscoveryFilter {
        transport: DiscoveryTransport::Le,
        // Each advertisement is told, so that a device which is there is known to be there.
        duplicate_data: true,
        ..DiscoveryFilter::default()
    };
    adapter.set_discovery_filter(filter).await?;
    Ok(adapter)
}

/// Scans until it cannot any more: the radio is gone.
async fn scan(
    bus: &Bus,
    adapter: &Adapter,
    neighbourhood: &mut Neighbourhood,
) -> Result<Infallible, Ended> {
    loop {
        let events = adapter.discover_devices_with_changes().await?;
        let mut events = std::pin::pin!(events);
        while let Some(event) = events.next().await {
            match event {
                AdapterEvent::DeviceAdded(address) => {
                    neighbourhood.noticed(bus, adapter, address).await?;
                }
                AdapterEvent::DeviceRemoved(address) => neighbourhood.forgotten(address),
                AdapterEvent::PropertyChanged(_) => {}
            }
        }
        tokio::time::sleep(SCAN_PAUSE).await;
    }
}
