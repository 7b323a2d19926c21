//! Who is nearby: judges each device that the radio notices, once in a while, and has those that a
//! driver knows attended.

use super::attend::{Attended, attend};
use super::bus::{Bus, Signal};
use super::{Ended, NobodyListens, Surroundings};
use crate::bench::DEVICES_MAX;
use crate::driver::{Attribute, Offer, Way, family_of};
use crate::transport::Heard;
use bluer::{Adapter, Address, Device};
use minato_protocol::reading::DeviceId;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// A device that nobody knows is looked at again after so long: its name or its services may have
/// come with a later advertisement.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(2);
/// Strangers that are remembered, so as not to look at each of their advertisements: telephones
/// change their addresses all the time. When it is full all are forgotten.
const STRANGERS_MAX: usize = 1_024;

/// Everybody who was noticed since the radio began to listen.
#[derive(Debug)]
pub(super) struct Neighbourhood {
    around: Surroundings,
    known: BTreeMap<Address, Known>,
    looked_at: BTreeMap<Address, Instant>,
    tasks: JoinSet<Result<(), NobodyListens>>,
    /// A radio opens one connection at a time.
    turn: Arc<Semaphore>,
    is_full_said: bool,
}

/// A device that has a task.
#[derive(Debug)]
struct Known {
    id: DeviceId,
    tell: mpsc::Sender<Signal>,
    is_forgotten: bool,
}

impl Neighbourhood {
    /// Nobody yet.
    pub(super) fn new(around: Surroundings) -> Self {
        Self {
            around,
            known: BTreeMap::new(),
            looked_at: BTreeMap::new(),
            tasks: JoinSet::new(),
            turn: Arc::new(Semaphore::new(1)),
            is_full_said: false,
        }
    }

    /// The radio noticed a device, or something about it has changed.
    pub(super) async fn noticed(
        &mut self,
        bus: &Bus,
        adapter: &Adapter,
        address: Address,
    ) -> Result<(), Ended> {
        if let Some(known) = self.known.get_mut(&address) {
            // A device that BlueZ had forgotten is on the air again; what else changes about it, its
            // task hears by itself.
            if std::mem::take(&mut known.is_forgotten) {
                let _ = known.tell.try_send(Signal::Seen { signal_dbm: None });
            }
            return Ok(());
        }
        if self.was_looked_at(address) {
            return Ok(());
        }
        let device = adapter.device(address)?;
        // It may be gone again already.
        let Ok(Some(offer)) = ours(&device).await else { return Ok(()) };
        if self.known.len() >= DEVICES_MAX {
            if !std::mem::replace(&mut self.is_full_said, true) {
                tracing::warn!(%address, "too many devices: this one is not heard");
            }
            return Ok(());
        }
        self.welcome(bus, device, offer).await
    }

    fn was_looked_at(&mut self, address: Address) -> bool {
        let now = Instant::now();
        let at = self.looked_at.get(&address);
        if at.is_some_and(|at| now.duration_since(*at) < LOOK_AGAIN_AFTER) {
            return true;
        }
        if self.looked_at.len() >= STRANGERS_MAX {
            self.looked_at.clear();
        }
        self.looked_at.insert(address, now);
        false
    }

    async fn welcome(&mut self, bus: &Bus, device: Device, offer: Offer) -> Result<(), Ended> {
        let address = device.address();
        let id: DeviceId = address.to_string().to_ascii_lowercase().parse().expect("an address");
        tracing::debug!(device = %id, name = offer.name, "a device is nearby");
        let around = self.around.clone();
        let ears = bus.listen(&object(&device), around.clock.clone()).await?;
        let known = Known { id: id.clone(), tell: ears.beside(), is_forgotten: false };
        self.known.insert(address, known);
        self.looked_at.remove(&address);
        let (bus, turn) = (bus.clone(), Arc::clone(&self.turn));
        self.tasks.spawn(attend(Attended::new(id, device, offer, ears, bus, turn, around)));
        Ok(())
    }

    /// BlueZ has forgotten a device: it was not on the air for long, or was removed by hand.
    pub(super) fn forgotten(&mut self, address: Address) {
        self.looked_at.remove(&address);
        if let Some(known) = self.known.get_mut(&address) {
            known.is_forgotten = true;
            let _ = known.tell.try_send(Signal::HungUp);
        }
    }

    /// The radio is away: nobody is attended any more.
    pub(super) async fn leave(mut self) -> Result<(), NobodyListens> {
        self.tasks.shutdown().await;
        for known in self.known.into_values() {
            let gone = Heard::Gone { device: known.id };
            self.around.heard.send(gone).await.map_err(|_| NobodyListens)?;
        }
        Ok(())
    }
}

/// Its object on the bus.
pub(super) fn object(device: &Device) -> String {
    let address = device.address().to_string().replace(':', "_");
    format!("/org/bluez/{}/dev_{address}", device.adapter_name())
}

/// What a device offers, if a driver knows it by that, or if it was paired with this box: some
/// devices say what they are only once they are connected, and nobody connects to strangers.
async fn ours(device: &Device) -> bluer::Result<Option<Offer>> {
    let offer = advertised(device).await?;
    let is_known = family_of(&offer).is_some_and(|family| matches!(family.way, Way::Bluetooth(_)));
    Ok((is_known || device.is_paired().await?).then_some(offer))
}

/// What it says of itself on the air.
pub(super) async fn advertised(device: &Device) -> bluer::Result<Offer> {
    let uuids = device.uuids().await?.unwrap_or_default();
    let mut attributes: Vec<_> = uuids.iter().map(|uuid| Attribute(uuid.as_u128())).collect();
    attributes.sort_unstable();
    Ok(Offer { name: device.name().await?.unwrap_or_default(), attributes })
}
