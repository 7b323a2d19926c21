//! Readings on their way: from a gateway's delivery into the log, from the log to the screens.

use crate::aggregate::CommandKey;
use crate::desk::Desk;
use crate::gateway::HangOn;
use crate::log::{Item as LogItem, RecordedItem, StreamId};
use crate::subject::{Command, Item, Names, Subject};
use minato_protocol::reading::{Outcome, ReadingId};
use minato_protocol::view::ReadingRow;
use minato_protocol::{Code, Pii, SiteId, SubjectId, Timestamp, VisitId};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// Rows sent to a screen in one message.
pub const ROWS_MAX: usize = 200;

/// People for whom something arrived since the kits were last looked at. With more, the first ones are
/// judged when their next value arrives.
const FRESH_MAX: usize = 65_536;

type Bells = HashMap<SubjectId, Arc<watch::Sender<()>>>;

/// Bells of the subjects that screens look at. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Readings {
    bells: Arc<Mutex<Bells>>,
    fresh: Arc<Mutex<BTreeSet<SubjectId>>>,
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

    /// Something new of a subject: its screens are told, and home kits hear of it.
    fn ring(&self, subject: SubjectId) {
        self.bell(subject).send_replace(());
        let mut fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        if fresh.len() < FRESH_MAX {
            fresh.insert(subject);
        }
    }

    /// For whom something arrived since this was last asked.
    pub(crate) fn take_fresh(&self) -> BTreeSet<SubjectId> {
        std::mem::take(&mut *self.fresh.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Hears when a subject has something new.
    pub fn listen(&self, subject: SubjectId) -> watch::Receiver<()> {
        self.bell(subject).subscribe()
    }

    /// Stores what was delivered for a subject; repeated ones change nothing. Durable when it
    /// answers.
    pub async fn store(
        &self,
        desk: &Desk,
        subject: SubjectId,
        sent_at: Timestamp,
        outcomes: Vec<Outcome>,
    ) -> Result<(), Code> {
        let now = desk.clock.now();
        let items = outcomes.into_iter().map(|outcome| Item::sent(outcome, sent_at, now));
        self.keep(desk, subject, items.collect()).await.map(drop)
    }

    /// The same of items that are made already. Answers which of them were there before.
    pub(crate) async fn keep(
        &self,
        desk: &Desk,
        of: SubjectId,
        items: Vec<Item>,
    ) -> Result<Vec<[u8; 16]>, Code> {
        let at = desk.clock.now();
        let sealed = items.into_iter().map(|item| LogItem {
            dedupe_id: item.outcome.id().0.0,
            at,
            body: serde_json::to_value(Pii::new(of, item)).unwrap_or_default(),
        });
        let items = sealed.collect();
        let stored = desk.log.append_unordered(&StreamId::subject(of), items).await;
        let stored = stored.map_err(|error| {
            tracing::error!(%error, "readings cannot be stored");
            Code::NotDurable
        })?;
        self.ring(of);
        Ok(stored.known)
    }

    /// One of a subject's readings. `ReadingUnknown`: it is not there, or was erased.
    pub(crate) async fn find(
        &self,
        desk: &Desk,
        of: SubjectId,
        reading: ReadingId,
    ) -> Result<Item, Code> {
        let found = desk.log.item(&StreamId::subject(of), reading.0.0).await;
        let found = found.map_err(|error| {
            tracing::error!(%error, "a reading cannot be looked for");
            Code::NotDurable
        })?;
        found.and_then(opened).ok_or(Code::ReadingUnknown)
    }

    /// When a device that hangs at a page last gave a number in this run. Looked for among the newest
    /// of a person's readings: each worn device gives one a second.
    pub(crate) async fn last_valued(
        &self,
        desk: &Desk,
        of: SubjectId,
        on: &HangOn,
    ) -> Result<Option<Timestamp>, Code> {
        let stream = StreamId::subject(of);
        let unread = |error| {
            tracing::error!(%error, "readings cannot be read");
            Code::NotDurable
        };
        let last_seq =
            desk.log.append_unordered(&stream, Vec::new()).await.map_err(unread)?.last_seq;
        for newest in [16_u16, 1_024] {
            let after = last_seq.saturating_sub(u64::from(newest));
            let items = desk.log.items_after(&stream, after, usize::from(newest)).await;
            let opened = items.map_err(unread)?.into_iter().filter_map(opened);
            let last = opened.filter_map(|item| valued_at(&item.outcome, on)).max();
            if last.is_some() {
                return Ok(last);
            }
        }
        Ok(None)
    }

    /// Whether a reading was withdrawn, and what stands in its place.
    pub(crate) async fn successor(
        &self,
        desk: &Desk,
        of: SubjectId,
        reading: ReadingId,
    ) -> Result<Option<Option<ReadingId>>, Code> {
        Ok(desk.subjects.see(&StreamId::subject(of)).await?.state.successor(reading))
    }

    /// 別の方です: everything measured since then is shown to nobody, until its device is bound
    /// anew.
    pub async fn hold_back(
        &self,
        desk: &Desk,
        subject: SubjectId,
        visit: VisitId,
        from: Timestamp,
    ) -> Result<(), Code> {
        self.note(desk, subject, None, Command::HoldBack { visit, from }).await
    }

    /// Something about a subject that changes how readings look, or where they come from.
    pub(crate) async fn note(
        &self,
        desk: &Desk,
        subject: SubjectId,
        key: Option<CommandKey>,
        command: Command,
    ) -> Result<(), Code> {
        let noted = desk.subjects.submit(&StreamId::subject(subject), key, command).await?;
        if !noted.events.is_empty() {
            self.ring(subject);
        }
        Ok(())
    }

    /// A device is about to be put on somebody at the bedside of a site: from here on what boxes
    /// of that site deliver is this person's.
    pub async fn place(&self, desk: &Desk, subject: SubjectId, site: SiteId) -> Result<(), Code> {
        self.note(desk, subject, None, Command::Place { site }).await
    }
}

/// When a device at a page gave this, if it is of that run and has a number.
fn valued_at(outcome: &Outcome, on: &HangOn) -> Option<Timestamp> {
    let Outcome::Reading(reading) = outcome else { return None };
    let is_of_run = reading.device.id == on.device && reading.provenance.boot == on.run;
    (is_of_run && !reading.is_error()).then_some(reading.gateway_time)
}

/// What a subject's stream keeps of a reading; nothing where the person was erased.
fn opened(recorded: RecordedItem) -> Option<Item> {
    let pii: Pii<Item> = serde_json::from_value(recorded.body).ok()?;
    pii.reveal().cloned()
}

/// One screen's place in one subject's readings.
#[derive(Debug)]
pub struct Cursor {
    subject: SubjectId,
    after: u64,
    /// The version of what is shown that the rows sent so far agree with.
    shown_version: Option<u64>,
    /// So many of the subject's pictures stand in the rows sent so far.
    photos_told: usize,
}

/// The next rows for a screen.
#[derive(Debug, Default)]
pub struct Page {
    /// In order, held back ones left out; before them those sent earlier that have a new picture.
    pub rows: Vec<ReadingRow>,
    /// The flow begins, or what is held back has changed: the screen forgets what it had.
    pub whole: bool,
    /// There may be more to be asked for at once.
    pub more: bool,
}

impl Cursor {
    /// A place after what the screen has already.
    pub fn new(subject: SubjectId, after: u32) -> Self {
        Self { subject, after: u64::from(after), shown_version: None, photos_told: 0 }
    }

    /// Whose.
    pub fn subject(&self) -> SubjectId {
        self.subject
    }

    /// The next rows, at most [`ROWS_MAX`] at a time.
    pub async fn next(&mut self, desk: &Desk, names: Names<'_>) -> Result<Page, Code> {
        let stream = StreamId::subject(self.subject);
        let held = desk.subjects.see(&stream).await?;
        // A screen that comes with rows from before cannot know what was held back since.
        let shown_version = held.state.shown_version;
        let agrees = match self.shown_version {
            Some(version) => version == shown_version,
            None => self.after == 0 || shown_version == 0,
        };
        let is_first = self.shown_version.is_none();
        self.shown_version = Some(shown_version);
        let from_the_start = is_first && self.after == 0;
        if !agrees {
            self.after = 0;
        }
        let read = desk.log.items_after(&stream, self.after, ROWS_MAX).await;
        let items = read.map_err(|error| {
            tracing::error!(%error, "readings cannot be read");
            Code::NotDurable
        })?;
        let more = items.len() == ROWS_MAX;
        let mut rows = self.photographed(desk, &held.state, names).await?;
        for item in items {
            self.after = item.seq;
            rows.extend(row(item, &held.state, names));
        }
        // Whoever begins anew forgets what was still on its way from the flow before.
        Ok(Page { rows, whole: from_the_start || !agrees, more })
    }

    /// Rows that the screen has, and that a picture came to stand beside since.
    async fn photographed(
        &mut self,
        desk: &Desk,
        subject: &Subject,
        names: Names<'_>,
    ) -> Result<Vec<ReadingRow>, Code> {
        let news = subject.photographed_after(self.photos_told);
        self.photos_told += news.len();
        let mut rows = Vec::new();
        for reading in news.iter().collect::<BTreeSet<_>>() {
            let found = desk.log.item(&StreamId::subject(self.subject), reading.0.0).await;
            let found = found.map_err(|error| {
                tracing::error!(%error, "a reading cannot be looked for");
                Code::NotDurable
            })?;
            // What is still to come, comes with its pictures.
            let sent = found.filter(|item| item.seq <= self.after);
            rows.extend(sent.and_then(|item| row(item, subject, names)));
        }
        Ok(rows)
    }
}

fn row(recorded: RecordedItem, subject: &Subject, names: Names<'_>) -> Option<ReadingRow> {
    let (seq, stored) = (u32::try_from(recorded.seq).ok()?, recorded.at);
    let row = opened(recorded)?.row(seq, stored, subject, names);
    Some(row).filter(|row| !row.quarantined)
}
