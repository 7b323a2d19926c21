//! The task of one device: waits until it is on the air, connects, carries out its family's plan,
//! and hands over what it says until it hangs up. Then it waits again, for as long as the radio
//! listens.

use super::bus::{Bus, Ears, Signal};
use super::trouble::Failure;
use super::{NobodyListens, Surroundings};
use crate::driver::{Attribute, Offer, Step, Way, family_of};
use crate::transport::{Found, Heard};
use bluer::Device;
use minato_protocol::reading::{DeviceId, TransportKind};
use minato_protocol::uplink::Trouble;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

/// A device that was not on the air for so long is too far away, or off.
const OUT_OF_RANGE_AFTER: Duration = Duration::from_secs(30);
/// From being told to hang up until it has.
pub(super) const HANG_UP_MAX: Duration = Duration::from_secs(5);
/// After a connection that went well; after a failed one it is doubled each time.
const REST: Duration = Duration::from_secs(1);
const REST_MAX: Duration = Duration::from_secs(60);
/// After a device turned out to be none of ours.
const STRANGER_REST: Duration = Duration::from_secs(600);

/// One device and all that is known of it.
pub(super) struct Attended {
    pub(super) id: DeviceId,
    pub(super) device: Device,
    pub(super) ears: Ears,
    pub(super) bus: Bus,
    pub(super) around: Surroundings,
    pub(super) offer: Offer,
    pub(super) turn: Arc<Semaphore>,
    /// By the characteristic's object on the bus: what it was subscribed as.
    pub(super) attribute_by_path: BTreeMap<String, Attribute>,
    seen_at: Instant,
    signal_dbm: Option<i8>,
    /// Whether the bench was told of it.
    is_told: bool,
    trouble: Option<Trouble>,
    failures: u32,
}

/// How a visit to a device went.
enum Visit {
    /// It was connected, its plan was carried out, and it hung up.
    Heard,
    /// Something stood in the way.
    Failed(Failure),
    /// Connected, it turned out to be no device that a driver knows.
    Stranger,
}

impl Attended {
    pub(super) fn new(
        id: DeviceId,
        device: Device,
        offer: Offer,
        ears: Ears,
        bus: Bus,
        turn: Arc<Semaphore>,
        around: Surroundings,
    ) -> Self {
        Self {
            id,
            device,
            ears,
            bus,
            around,
            offer,
            turn,
            attribute_by_path: BTreeMap::new(),
            seen_at: Instant::now(),
            signal_dbm: None,
            is_told: false,
            trouble: None,
            failures: 0,
        }
    }
}

/// Attends a device that was just noticed, until the bench is gone.
pub(super) async fn attend(mut attended: Attended) -> Result<(), NobodyListens> {
    attended.signal_dbm = attended.device.rssi().await.ok().flatten().and_then(narrow);
    loop {
        let rest = match attended.visit().await? {
            Visit::Heard => {
                attended.failures = 0;
                REST
            }
            Visit::Failed(failure) => attended.failed(&failure).await?,
            Visit::Stranger => STRANGER_REST,
        };
        attended.rest(rest).await?;
        attended.until_seen().await?;
    }
}

fn narrow(dbm: i16) -> Option<i8> {
    i8::try_from(dbm).ok()
}

impl Attended {
    async fn visit(&mut self) -> Result<Visit, NobodyListens> {
        // What was said before this connection is not of it.
        while let Some(signal) = self.ears.already() {
            self.take(signal).await?;
        }
        self.attribute_by_path.clear();
        if let Err(failure) = self.connect().await {
            return Ok(Visit::Failed(failure));
        }
        let mut planned = self.plan().await?;
        if let Err(Some(failure)) = &planned
            && failure.asks_for_a_bond()
            && self.around.pairs
            && self.pair().await
        {
            planned = self.plan().await?;
        }
        let went = match planned {
            Ok(()) => Visit::Heard,
            Err(Some(failure)) => Visit::Failed(failure),
            Err(None) => Visit::Stranger,
        };
        if !matches!(went, Visit::Failed(Failure::HungUp)) {
            self.hear_out(matches!(went, Visit::Heard)).await?;
        }
        if self.is_told {
            self.say(Heard::Gone { device: self.id.clone() }).await?;
        }
        Ok(went)
    }

    /// Hands over what the device says until it hangs up. One that is not `wanted` any more is told
    /// to: what it has said until then counts.
    async fn hear_out(&mut self, wanted: bool) -> Result<(), NobodyListens> {
        let until = (!wanted).then(|| Instant::now() + HANG_UP_MAX);
        if !wanted {
            let _ = timeout(HANG_UP_MAX, self.device.disconnect()).await;
        }
        loop {
            let signal = match until {
                None => self.ears.next().await,
                Some(until) => match tokio::time::timeout_at(until, self.ears.next()).await {
                    Ok(signal) => signal,
                    Err(_) => return Ok(()),
                },
            };
            let is_over = signal == Signal::HungUp;
            self.take(signal).await?;
            if is_over {
                return Ok(());
            }
        }
    }

    /// Notes what is said; bytes of a subscription go to the bench.
    pub(super) async fn take(&mut self, signal: Signal) -> Result<(), NobodyListens> {
        match signal {
            Signal::Value { path, bytes, at } => {
                let Some(from) = self.attribute_by_path.get(&path).copied() else { return Ok(()) };
                self.seen_at = Instant::now();
                let device = self.id.clone();
                self.say(Heard::Bytes { device, from, bytes, at }).await
            }
            Signal::Seen { signal_dbm } => {
                self.seen_at = Instant::now();
                self.signal_dbm = signal_dbm.or(self.signal_dbm);
                Ok(())
            }
            Signal::Resolved | Signal::HungUp => Ok(()),
        }
    }

    /// A device is in trouble. One that was never connected is told to the bench by what it
    /// advertises, so that the trouble has a device to stand at.
    async fn failed(&mut self, failure: &Failure) -> Result<Duration, NobodyListens> {
        let trouble = failure.trouble(self.failures);
        tracing::debug!(device = %self.id, ?failure, ?trouble, "not connected");
        let rest = (REST * 2u32.saturating_pow(self.failures)).min(REST_MAX);
        self.failures = self.failures.saturating_add(1).min(16);
        if trouble.is_none() {
            return Ok(rest);
        }
        if !self.is_told && steps(&self.offer).is_some() {
            self.tell_found().await?;
            self.say(Heard::Gone { device: self.id.clone() }).await?;
        }
        self.obstructed(trouble).await?;
        Ok(rest)
    }

    /// Lets the device and the radio alone for a while.
    async fn rest(&mut self, rest: Duration) -> Result<(), NobodyListens> {
        let until = Instant::now() + rest;
        while let Ok(signal) = tokio::time::timeout_at(until, self.ears.next()).await {
            self.take(signal).await?;
        }
        Ok(())
    }

    /// Returns when the device is on the air; says so when it is not for long.
    async fn until_seen(&mut self) -> Result<(), NobodyListens> {
        loop {
            let missed_at = self.seen_at + OUT_OF_RANGE_AFTER;
            let is_missed = self.trouble == Some(Trouble::OutOfRange) || !self.is_told;
            tokio::select! {
                signal = self.ears.next() => {
                    let is_seen = matches!(signal, Signal::Seen { .. });
                    self.take(signal).await?;
                    if is_seen && self.trouble == Some(Trouble::OutOfRange) {
                        self.obstructed(None).await?;
                    }
                    if is_seen {
                        return Ok(());
                    }
                }
                () = tokio::time::sleep_until(missed_at), if !is_missed => {
                    self.obstructed(Some(Trouble::OutOfRange)).await?;
                }
            }
        }
    }

    pub(super) async fn tell_found(&mut self) -> Result<(), NobodyListens> {
        let battery_percent = self.device.battery_percentage().await.ok().flatten();
        self.is_told = true;
        self.say(Heard::Appeared(Found {
            device: self.id.clone(),
            offer: self.offer.clone(),
            transport: TransportKind::Bluetooth,
            battery_percent: battery_percent.filter(|percent| *percent <= 100),
            signal_dbm: self.signal_dbm,
            startable: false,
        }))
        .await
    }

    /// Each trouble is told once, and its end.
    pub(super) async fn obstructed(&mut self, by: Option<Trouble>) -> Result<(), NobodyListens> {
        if self.trouble == by {
            return Ok(());
        }
        self.trouble = by;
        self.say(Heard::Obstructed { device: self.id.clone(), by }).await
    }

    pub(super) async fn say(&self, heard: Heard) -> Result<(), NobodyListens> {
        self.around.heard.send(heard).await.map_err(|_| NobodyListens)
    }
}

/// What is asked of such a device after it was connected.
pub(super) fn steps(offer: &Offer) -> Option<&'static [Step]> {
    match family_of(offer)?.way {
        Way::Bluetooth(steps) => Some(steps),
        Way::Serial(_) => None,
    }
}
