//! The broker in the storm, behind a line that repeats, breaks, and brings what is old.

use super::Tally;
use super::clinic::GATEWAY;
use super::world::{Dice, PATIENTS};
use minato_protocol::reading::{Hex, ReadingId};
use minato_protocol::uplink::{Entry, OutboxEntry};
use minato_protocol::{Pii, SiteId, SubjectId, Timestamp};
use minato_signaling::access::Secrets;
use minato_signaling::clock::Clock;
use minato_signaling::desk::Desk;
use minato_signaling::gateway::{Gateways, Held, Origin, take_in};
use minato_signaling::log::{EventLog, SqliteLog, StreamId};
use minato_signaling::readings::Readings;
use minato_signaling::subject::Item;
use minato_signaling::vault::Vault;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

const SITE: SiteId = SiteId(7);
/// As many lines as a gateway puts into one message.
const BATCH: usize = 64;
/// Rows that are read at a time.
const ROWS: usize = 1_000;

/// A broker with a durable log, and what its gateway was told to have been taken in.
pub(crate) struct Broker {
    desk: Desk,
    readings: Readings,
    gateways: Gateways,
    held: Held,
    origin: Origin,
    dice: Dice,
    /// What was on its way when a connection broke, and comes later.
    straggler: Option<Vec<OutboxEntry>>,
    expected: HashMap<ReadingId, Option<SubjectId>>,
    line_faults: u64,
}

impl Broker {
    pub(crate) async fn open(seed: u64, folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let vault = Vault::open(&folder.join("keys.db"))?;
        let log: Arc<dyn EventLog> = Arc::new(SqliteLog::open(&folder.join("log.db"), vault)?);
        let desk = Desk::new(log, Clock::start(), Secrets::random());
        let readings = Readings::default();
        for subject in 1..=PATIENTS {
            let placed = readings.place(&desk, SubjectId(subject), SITE).await;
            placed.map_err(|code| anyhow::anyhow!(code.sentence()))?;
        }
        let gateways = Gateways::new(desk.bell.clone());
        let held = Held::load(&desk).await.map_err(|code| anyhow::anyhow!(code.sentence()))?;
        let origin = Origin { gateway: GATEWAY, site: SITE, outbox: Hex([5; 8]) };
        let (straggler, expected, line_faults) = (None, HashMap::new(), 0);
        let dice = Dice(!seed);
        Ok(Self { desk, readings, gateways, held, origin, dice, straggler, expected, line_faults })
    }

    /// Delivers everything; returns up to where it is durable.
    pub(crate) async fn deliver(
        &mut self,
        lines: &[OutboxEntry],
        now: Timestamp,
    ) -> anyhow::Result<u64> {
        let mut through = 0;
        for batch in lines.chunks(BATCH) {
            for line in batch {
                through = line.seq;
                if let Entry::Measured { subject, outcome } = &line.entry {
                    self.expected.insert(outcome.id(), *subject);
                }
            }
            // The acknowledgement was lost: the same again; or the whole message was, and comes when
            // newer ones were there already.
            let again = self.dice.one_in(8);
            let late = self.dice.one_in(8);
            self.line_faults += u64::from(again) + u64::from(late);
            self.take(batch, now).await?;
            if again {
                self.take(batch, now).await?;
            }
            if let Some(straggler) = self.straggler.take() {
                self.take(&straggler, now).await?;
            }
            if late {
                self.straggler = Some(batch.to_vec());
            }
        }
        Ok(through)
    }

    async fn take(&self, batch: &[OutboxEntry], now: Timestamp) -> anyhow::Result<()> {
        let into = (&self.desk, &self.readings, &self.gateways, &self.held);
        let taken = take_in(into, &self.origin, now, batch).await;
        taken.map_err(|code| anyhow::anyhow!(code.sentence()))
    }

    /// Reads every patient's stream, and compares.
    pub(crate) async fn count(mut self, tally: &mut Tally) -> anyhow::Result<()> {
        tally.line_faults += self.line_faults;
        let mut seen = HashSet::new();
        for subject in (1..=PATIENTS).map(SubjectId) {
            let mut after = 0;
            loop {
                let stream = StreamId::subject(subject);
                let rows = self.desk.log.items_after(&stream, after, ROWS).await?;
                for row in &rows {
                    after = row.seq;
                    let pii: Pii<Item> = serde_json::from_value(row.body.clone())?;
                    let item = pii.reveal().ok_or_else(|| anyhow::anyhow!("a sealed item"))?;
                    let id = item.outcome.id();
                    tally.doubled += u64::from(!seen.insert(id));
                    let owner = self.expected.remove(&id).flatten();
                    tally.wrong += u64::from(owner.is_some_and(|owner| owner != subject));
                    tally.unexplained += u64::from(owner.is_none());
                }
                if rows.len() < ROWS {
                    break;
                }
            }
        }
        // Those of nobody are in the box's own stream; everything else should have been found.
        tally.lost += self.expected.values().filter(|owner| owner.is_some()).count() as u64;
        Ok(())
    }
}
