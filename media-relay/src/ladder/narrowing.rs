//! How far something on a link has made room, judged by the queue on the way: PURE.

use std::time::{Duration, Instant};

/// A packet that waits this long on the way stands in a queue.
const QUEUED: Duration = Duration::from_millis(200);
/// Less than this is none.
const CALM: Duration = Duration::from_millis(100);
/// The longest that a link must be calm before more room is taken.
const CALM_FOR_MAX: Duration = Duration::from_secs(120);
/// More room that was given back within this time was a mistake.
const MISTAKE: Duration = Duration::from_secs(30);

/// What one look at a link says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// How long packets wait; `None` while nothing is known: then nothing changes.
    pub(super) queue: Option<Duration>,
    /// How long the queue must last before room is made.
    pub(super) patience: Duration,
    /// Levels there are below the widest.
    pub(super) narrowest: usize,
    /// The least level that makes any room when the widest does not.
    pub(super) first: usize,
    /// What a change needs to show.
    pub(super) rest: Duration,
    /// How long the link must be calm before more room is taken, doubled after each time that this
    /// was a mistake; `None` if no more may be taken.
    pub(super) calm_for: Option<Duration>,
}

/// The level, 0 for the widest.
#[derive(Debug, Default)]
pub(super) struct Narrowing {
    level: usize,
    changed: Option<Instant>,
    widened: bool,
    mistakes: u32,
    patience: Duration,
    queued: Option<Instant>,
    calm: Option<Instant>,
}

impl Narrowing {
    pub(super) fn is_narrow(&self) -> bool {
        self.level > 0
    }

    pub(super) fn level(&self) -> usize {
        self.level
    }

    pub(super) fn look(&mut self, look: &Look, now: Instant) -> usize {
        let lasted = |since: Option<Instant>, long: Duration| {
            since.is_some_and(|since| now.saturating_duration_since(since) >= long)
        };
        let is = |state: bool, since: Option<Instant>| state.then(|| since.unwrap_or(now));
        if look.patience < self.patience {
            // What else was on the link has just gone: the queue is given time to empty.
            self.queued = None;
        }
        self.patience = look.patience;
        self.queued = is(look.queue.is_some_and(|queue| queue >= QUEUED), self.queued);
        self.calm = is(look.queue.is_some_and(|queue| queue < CALM), self.calm);
        self.level = self.level.min(look.narrowest);
        let rested = self.changed.is_none() || lasted(self.changed, look.rest);
        if lasted(self.queued, look.patience) && rested && self.level < look.narrowest {
            let mistake = std::mem::take(&mut self.widened) && !lasted(self.changed, MISTAKE);
            self.mistakes = if mistake { self.mistakes.saturating_add(1) } else { 0 };
            self.level = (self.level + 1).max(look.first).min(look.narrowest);
            self.changed = Some(now);
        }
        let wait =
            look.calm_for.map(|wait| (wait * 2_u32.pow(self.mistakes.min(8))).min(CALM_FOR_MAX));
        let calm = wait.is_some_and(|wait| lasted(self.calm, wait) && lasted(self.changed, wait));
        if self.level > 0 && calm {
            self.level -= 1;
            self.changed = Some(now);
            self.widened = true;
        }
        self.level
    }
}
