//! Readings of nobody at each site, at hand: which they are and why they are held, never what they
//! say. The boxes' own streams keep them whole.

use super::Origin;
use crate::desk::{Bell, Desk};
use crate::log::{Noun, RecordedItem, StreamId};
use minato_protocol::reading::{Outcome, ReadingId};
use minato_protocol::uplink::{Entry, OutboxEntry};
use minato_protocol::view::{HeldBecause, HeldRow};
use minato_protocol::{Code, GatewayId, Pii, SiteId, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Readings of one site that can be settled. When there are more, the oldest by the gateway's clock
/// is let go here; the log keeps it.
pub const HELD_MAX: usize = 1_000;
/// Of these a screen is shown the newest, in one message; older ones follow when some are settled.
pub const HELD_SHOWN_MAX: usize = 250;
/// Running values of one device: an oximeter on nobody's finger says one a second. When there are
/// more, its oldest is let go here, before anything else is; the log keeps it.
pub const RUNNING_MAX: usize = 60;
/// Single values of one device: a meter that is asked for its memory sends all of it.
pub const SINGLES_MAX: usize = 100;
/// So many of a box's last lines are looked through before anybody is let in.
const AT_START_MAX: u64 = 20_000;
/// So many before those are looked through afterwards: about eleven days of an oximeter on nobody.
const AFTERWARDS_MAX: u64 = 1_000_000;
const READ_LINES: usize = 1_000;

/// The readings of nobody as this node knows them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Held(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    sites: Mutex<BTreeMap<SiteId, Shelf>>,
    bell: Bell,
    /// One press after the other: two boxes may have heard the same record of a device.
    settling: tokio::sync::Mutex<()>,
}

/// One site's.
#[derive(Debug, Default)]
struct Shelf {
    kept: BTreeMap<ReadingId, Kept>,
    /// Settled or dismissed, at which box: said again by whichever it is not held anew.
    over: BTreeMap<ReadingId, GatewayId>,
    /// Grows with every change.
    version: u64,
}

/// Where a held reading lies.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) gateway: GatewayId,
    /// The line's id in the box's stream.
    pub(super) line: [u8; 16],
    pub(super) row: HeldRow,
    is_running: bool,
}

impl Held {
    /// Reads what every box still holds, as far as its last lines tell.
    pub async fn load(desk: &Desk) -> Result<Self, Code> {
        let (sites, settling) = (Mutex::default(), tokio::sync::Mutex::default());
        let held = Self(Arc::new(Inner { sites, bell: desk.bell.clone(), settling }));
        for (gateway, stream) in boxes(desk).await? {
            // One box whose stream cannot be read keeps no other from being heard.
            if let Err(code) = held.load_box(desk, gateway, &stream).await {
                tracing::warn!(?code, %gateway, "what this box holds is not in the list");
            }
        }
        Ok(held)
    }

    /// Reads on where [`Held::load`] left off, while the work goes on.
    pub async fn load_older(&self, desk: &Desk) -> Result<(), Code> {
        for (gateway, stream) in boxes(desk).await? {
            let Some(site) = desk.boxes.see(&stream).await?.state.site else { continue };
            let before = last_line(desk, &stream).await?.saturating_sub(AT_START_MAX);
            let after = before.saturating_sub(AFTERWARDS_MAX);
            if self.read_lines(desk, (gateway, site), &stream, after..before).await? {
                self.0.bell.ring();
            }
        }
        Ok(())
    }

    async fn load_box(
        &self,
        desk: &Desk,
        gateway: GatewayId,
        stream: &StreamId,
    ) -> Result<(), Code> {
        let seen = desk.boxes.see(stream).await?;
        let Some(site) = seen.state.site else { return Ok(()) };
        for reading in seen.state.fate_by_reading.keys() {
            self.mark_over(site, *reading, gateway);
        }
        let after = last_line(desk, stream).await?.saturating_sub(AT_START_MAX);
        self.read_lines(desk, (gateway, site), stream, after..u64::MAX).await?;
        Ok(())
    }

    /// Lines after the first number and up to the second. Answers whether anything is new.
    async fn read_lines(
        &self,
        desk: &Desk,
        (gateway, site): (GatewayId, SiteId),
        stream: &StreamId,
        numbers: Range<u64>,
    ) -> Result<bool, Code> {
        let (mut after, mut is_new) = (numbers.start, false);
        while after < numbers.end {
            let read = desk.log.items_after(stream, after, READ_LINES).await;
            let lines = read.map_err(unread)?;
            let Some(last) = lines.last() else { break };
            after = last.seq;
            let kept = lines.iter().filter_map(|line| {
                let (because, outcome) = read_line(line)?;
                kept(gateway, line.dedupe_id, because, &outcome)
            });
            is_new |= self.put(site, kept.collect());
        }
        Ok(is_new)
    }

    fn sites(&self) -> MutexGuard<'_, BTreeMap<SiteId, Shelf>> {
        self.0.sites.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One press after the other.
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.settling.lock().await
    }

    /// What was delivered and stored as nobody's.
    pub(super) fn take_in(
        &self,
        origin: &Origin,
        lines: impl IntoIterator<Item = ([u8; 16], HeldBecause, Outcome)>,
    ) {
        let lines = lines
            .into_iter()
            .filter_map(|(line, because, outcome)| kept(origin.gateway, line, because, &outcome));
        if self.put(origin.site, lines.collect()) {
            self.0.bell.ring();
        }
    }

    /// Answers whether anything is new.
    fn put(&self, site: SiteId, lines: Vec<(ReadingId, Kept)>) -> bool {
        let mut sites = self.sites();
        let shelf = sites.entry(site).or_default();
        let mut is_new = false;
        for (reading, kept) in lines {
            if !shelf.over.contains_key(&reading) && !shelf.kept.contains_key(&reading) {
                shelf.kept.insert(reading, kept);
                is_new = true;
            }
        }
        if is_new {
            shelf.let_go();
            shelf.version += 1;
        }
        is_new
    }

    /// Somebody said whose it is, or that it is nobody's.
    pub(super) fn mark_over(&self, site: SiteId, reading: ReadingId, at: GatewayId) {
        let was_held = {
            let mut sites = self.sites();
            let shelf = sites.entry(site).or_default();
            shelf.over.entry(reading).or_insert(at);
            shelf.version += 1;
            shelf.kept.remove(&reading).is_some()
        };
        if was_held {
            self.0.bell.ring();
        }
    }

    /// The box at which it was settled or dismissed.
    pub(super) fn settled_at(&self, site: SiteId, reading: ReadingId) -> Option<GatewayId> {
        self.sites().get(&site)?.over.get(&reading).copied()
    }

    /// When a held reading was measured. `None`: it is not held here.
    pub(crate) fn measured_at(&self, site: SiteId, reading: ReadingId) -> Option<Timestamp> {
        self.find(site, reading).ok().map(|kept| kept.row.measured_at)
    }

    /// Where a reading lies that is held at a site. `ReadingUnknown`: it is not, or is settled.
    pub(super) fn find(&self, site: SiteId, reading: ReadingId) -> Result<Kept, Code> {
        let sites = self.sites();
        let kept = sites.get(&site).and_then(|shelf| shelf.kept.get(&reading));
        kept.cloned().ok_or(Code::ReadingUnknown)
    }

    /// Grows when [`Held::rows`] changes.
    pub fn version(&self, site: SiteId) -> u64 {
        self.sites().get(&site).map_or(0, |shelf| shelf.version)
    }

    /// The newest of a site, at most [`HELD_SHOWN_MAX`]. No value is in them.
    pub fn rows(&self, site: SiteId) -> Vec<HeldRow> {
        let sites = self.sites();
        let kept = sites.get(&site).into_iter().flat_map(|shelf| shelf.kept.values());
        let mut rows: Vec<HeldRow> = kept.map(|kept| kept.row.clone()).collect();
        rows.sort_unstable_by_key(|row| (std::cmp::Reverse(row.gateway_time), row.reading));
        rows.truncate(HELD_SHOWN_MAX);
        rows
    }
}

impl Shelf {
    /// Running values give way to single ones, old ones to new ones.
    fn let_go(&mut self) {
        let age = |(reading, kept): (&ReadingId, &Kept)| (kept.row.gateway_time, *reading);
        let mut by_device: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (reading, kept) in &self.kept {
            let of = (kept.row.device.id.clone(), kept.is_running);
            by_device.entry(of).or_default().push(age((reading, kept)));
        }
        let mut surplus = Vec::new();
        for ((_, is_running), mut of_device) in by_device {
            of_device.sort_unstable();
            let most = if is_running { RUNNING_MAX } else { SINGLES_MAX };
            let more = of_device.len().saturating_sub(most);
            surplus.extend(of_device.into_iter().take(more).map(|(_, reading)| reading));
        }
        surplus.iter().for_each(|reading| drop(self.kept.remove(reading)));
        let more = self.kept.len().saturating_sub(HELD_MAX);
        if more > 0 {
            let place = |(id, kept): (&ReadingId, &Kept)| (!kept.is_running, age((id, kept)));
            let mut all: Vec<_> = self.kept.iter().map(place).collect();
            all.sort_unstable();
            all.iter().take(more).for_each(|(_, (_, reading))| drop(self.kept.remove(reading)));
        }
    }
}

async fn last_line(desk: &Desk, stream: &StreamId) -> Result<u64, Code> {
    Ok(desk.log.append_unordered(stream, Vec::new()).await.map_err(unread)?.last_seq)
}

/// Every box that is known.
pub(super) async fn boxes(desk: &Desk) -> Result<Vec<(GatewayId, StreamId)>, Code> {
    let streams = desk.log.streams(Noun::Gateway.prefix()).await.map_err(unread)?;
    let named = streams.into_iter().filter_map(|stream| Some((stream.key().parse().ok()?, stream)));
    Ok(named.collect())
}

/// A measurement of a box's own stream, as `delivery` put it there; nothing for a binding, and for
/// what was of somebody who was erased since.
pub(super) fn read_line(recorded: &RecordedItem) -> Option<(HeldBecause, Outcome)> {
    let (because, body): (HeldBecause, &Value) = match recorded.body.get("held") {
        Some(_) => (HeldBecause::OtherSite, recorded.body.get("line")?),
        None => (HeldBecause::Unbound, &recorded.body),
    };
    let line: Pii<OutboxEntry> = serde_json::from_value(body.clone()).ok()?;
    match &line.reveal()?.entry {
        Entry::Measured { outcome, .. } => Some((because, outcome.clone())),
        Entry::Bound { .. } | Entry::Unbound { .. } => None,
    }
}

/// A measurement under way belongs in no trend: nobody has to say whose it was.
fn kept(
    gateway: GatewayId,
    line: [u8; 16],
    because: HeldBecause,
    outcome: &Outcome,
) -> Option<(ReadingId, Kept)> {
    let (characteristic, gateway_time) = match outcome {
        Outcome::Reading(reading) => (reading.characteristic, reading.gateway_time),
        Outcome::Fault(fault) => (fault.characteristic, fault.gateway_time),
    };
    if characteristic.is_intermediate() {
        return None;
    }
    let reading = outcome.id();
    let (device, measured_at) = (outcome.device().clone(), outcome.measured_at());
    let row = HeldRow { reading, device, measured_at, gateway_time, because };
    let is_running = characteristic.is_running();
    Some((reading, Kept { gateway, line, row, is_running }))
}

fn unread(error: crate::log::StoreError) -> Code {
    tracing::error!(%error, "readings of nobody cannot be read");
    Code::NotDurable
}
