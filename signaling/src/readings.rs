//! Readings on their way: from a gateway's delivery into the log, from the log to the screens.

use crate::desk::Desk;
use crate::log::{Item as LogItem, RecordedItem, StreamId};
use crate::subject::{HeldBack, Item, is_late};
use minato_protocol::reading::Outcome;
use minato_protocol::view::ReadingRow;
use minato_protocol::{Code, Pii, SubjectId, Timestamp, VisitId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// Rows sent to a screen in one message.
pub const ROWS_MAX: usize = 200;

/// Bells of the subjects that screens look at.
#[derive(Debug, Default)]
pub struct Readings {
    bells: Mutex<HashMap<SubjectId, Arc<watch::Sender<()>>>>,
}

impl Readings {
    fn bell(&self, subject: SubjectId) -> Arc<watch::Sender<()>> {
        let mut bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        // Bells nobody hears are taken down before the house is full of them.
        if bells.len() > 1_024 {
            bells.retain(|_, bell| bell.receiver_count() > 0);
        }
        Arc::clone(bells.entry(subject).or_insert_with(|| Arc::new(watch::Sender::new(()))))
    }

    /// Hears when a subject has something new.
    pub fn listen(&self, subject: SubjectId) -> watch::Receiver<()> {
        self.bell(subject).subscribe()
    }

    /// Stores what a gateway delivered for a subject; repeated ones change nothing. Durable when
    /// it answers.
    pub async fn store(
        &self,
        desk: &Desk,
        subject: SubjectId,
        sent_at: Timestamp,
        outcomes: Vec<Outcome>,
    ) -> Result<(), Code> {
        let at = desk.clock.now();
        let items = outcomes.into_iter().map(|outcome| LogItem {
            dedupe_id: outcome.id().0.0,
            at,
            body: {
                let late = is_late(&outcome, sent_at);
                sealed(subject, Item::Measured { late, outcome: Box::new(outcome) })
            },
        });
        self.append(desk, subject, items.collect()).await
    }

    /// 別の方です: everything measured since then is shown to nobody.
    pub async fn hold_back(
        &self,
        desk: &Desk,
        subject: SubjectId,
        visit: VisitId,
        from: Timestamp,
    ) -> Result<(), Code> {
        let dedupe_id = (u128::from(visit.0) << 64 | u128::from(u64::MAX)).to_be_bytes();
        let body = sealed(subject, Item::HeldBack { visit, from });
        let item = LogItem { dedupe_id, at: desk.clock.now(), body };
        self.append(desk, subject, vec![item]).await
    }

    async fn append(&self, desk: &Desk, of: SubjectId, items: Vec<LogItem>) -> Result<(), Code> {
        let stored = desk.log.append_unordered(&StreamId::subject(of), items).await;
        stored.map_err(|error| {
            tracing::error!(%error, "readings cannot be stored");
            Code::NotDurable
        })?;
        self.bell(of).send_replace(());
        Ok(())
    }
}

fn sealed(subject: SubjectId, item: Item) -> serde_json::Value {
    serde_json::to_value(Pii::new(subject, item)).unwrap_or_default()
}

/// One screen's place in one subject's readings.
#[derive(Debug)]
pub struct Cursor {
    subject: SubjectId,
    held_back: HeldBack,
    has_learned: bool,
    after: u64,
}

impl Cursor {
    /// A place after what the screen has already.
    pub fn new(subject: SubjectId, after: u32) -> Self {
        let held_back = HeldBack::default();
        Self { subject, held_back, has_learned: false, after: u64::from(after) }
    }

    /// Whose.
    pub fn subject(&self) -> SubjectId {
        self.subject
    }

    /// The next rows, in order, at most [`ROWS_MAX`] read at a time; `more` says that there may be
    /// more. Held back ones are left out.
    pub async fn next(&mut self, desk: &Desk) -> Result<(Vec<ReadingRow>, bool), Code> {
        if !self.has_learned {
            self.learn(desk).await?;
            self.has_learned = true;
        }
        let items = items_after(desk, self.subject, self.after).await?;
        let more = items.len() == ROWS_MAX;
        let rows = items.into_iter().filter_map(|item| self.row(item)).collect();
        Ok((rows, more))
    }

    /// A holding back stands behind the readings that it is about: all of them are known before
    /// the first row is shown.
    async fn learn(&mut self, desk: &Desk) -> Result<(), Code> {
        let mut after = 0;
        loop {
            let items = items_after(desk, self.subject, after).await?;
            let Some(last) = items.last() else { return Ok(()) };
            after = last.seq;
            for recorded in items {
                let stored = recorded.at;
                if let Some(item) = opened(recorded) {
                    self.held_back.learn(stored, &item);
                }
            }
        }
    }

    fn row(&mut self, recorded: RecordedItem) -> Option<ReadingRow> {
        self.after = recorded.seq;
        let seq = u32::try_from(recorded.seq).ok()?;
        let stored = recorded.at;
        let item = opened(recorded)?;
        self.held_back.row(seq, stored, item).filter(|row| !row.quarantined)
    }
}

/// Nothing for a person whose key was destroyed.
fn opened(recorded: RecordedItem) -> Option<Item> {
    let pii: Pii<Item> = serde_json::from_value(recorded.body).ok()?;
    pii.reveal().cloned()
}

async fn items_after(
    desk: &Desk,
    subject: SubjectId,
    after: u64,
) -> Result<Vec<RecordedItem>, Code> {
    let read = desk.log.items_after(&StreamId::subject(subject), after, ROWS_MAX).await;
    read.map_err(|error| {
        tracing::error!(%error, "readings cannot be read");
        Code::NotDurable
    })
}
