//! From the air to a plan that was carried out: connects, learns what the device has, pairs where
//! that is allowed.

use super::NobodyListens;
use super::attend::{Attended, HANG_UP_MAX, steps};
use super::bus::Signal;
use super::nearby::{advertised, object};
use super::trouble::Failure;
use bluer::ErrorKind;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// A device that is on the air answers a connection within moments; the radio is kept from the
/// others meanwhile.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// Reading what it has.
const RESOLVE_MAX: Duration = Duration::from_secs(20);
/// Somebody may have to type a code.
const PAIR_MAX: Duration = Duration::from_secs(60);

impl Attended {
    pub(super) async fn connect(&self) -> Result<(), Failure> {
        let _turn = self.turn.acquire().await.map_err(|_| Failure::NoAnswer)?;
        match timeout(CONNECT_MAX, self.device.connect()).await {
            Ok(Err(error)) if error.kind == ErrorKind::AlreadyConnected => Ok(()),
            Ok(connected) => connected.map_err(Failure::from),
            Err(_) => {
                // This ends the attempt, or the next one would find it under way.
                let _ = timeout(HANG_UP_MAX, self.device.disconnect()).await;
                Err(Failure::NoAnswer)
            }
        }
    }

    /// Learns what the connected device has and carries out its family's plan. `Err(None)`: it is
    /// none of ours.
    pub(super) async fn plan(&mut self) -> Result<Result<(), Option<Failure>>, NobodyListens> {
        if let Err(failure) = self.resolve().await? {
            return Ok(Err(Some(failure)));
        }
        let resolved = match self.bus.resolved(&object(&self.device)).await {
            Ok(resolved) => resolved,
            Err(error) => return Ok(Err(Some(error.into()))),
        };
        if let Ok(advertised) = advertised(&self.device).await {
            self.offer = advertised;
        }
        let has = resolved.characteristics.iter().map(|(attribute, _)| *attribute);
        self.offer.attributes.extend(resolved.services.iter().copied().chain(has));
        self.offer.attributes.sort_unstable();
        self.offer.attributes.dedup();
        let Some(steps) = steps(&self.offer) else {
            tracing::info!(device = %self.id, "connected, it is no device that a driver knows");
            return Ok(Err(None));
        };
        self.tell_found().await?;
        let by_attribute = resolved.characteristics.into_iter().collect();
        let done = self.carry_out(steps, &by_attribute).await?;
        if done.is_ok() {
            self.obstructed(None).await?;
        }
        Ok(done.map_err(Some))
    }

    /// Waits until the device's services are known.
    async fn resolve(&mut self) -> Result<Result<(), Failure>, NobodyListens> {
        let until = Instant::now() + RESOLVE_MAX;
        match self.device.is_services_resolved().await {
            Ok(true) => return Ok(Ok(())),
            Ok(false) => {}
            Err(error) => return Ok(Err(error.into())),
        }
        loop {
            let Ok(signal) = tokio::time::timeout_at(until, self.ears.next()).await else {
                return Ok(Err(Failure::NoAnswer));
            };
            match signal {
                Signal::Resolved => return Ok(Ok(())),
                Signal::HungUp => return Ok(Err(Failure::HungUp)),
                Signal::Value { .. } | Signal::Seen { .. } => self.take(signal).await?,
            }
        }
    }

    pub(super) async fn pair(&self) -> bool {
        let paired = timeout(PAIR_MAX, self.device.pair()).await;
        match paired {
            Ok(Ok(())) => tracing::info!(device = %self.id, "paired"),
            Ok(Err(error)) if error.kind == ErrorKind::AlreadyExists => {}
            Ok(Err(error)) => {
                tracing::info!(device = %self.id, %error, "it does not let itself be paired");
                return false;
            }
            Err(_) => return false,
        }
        // It may come back by itself from now on.
        self.device.set_trusted(true).await.is_ok()
    }
}
