//! What arrived of what was sent in a span of time, and how late.

use crate::spread::Spread;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long what is still on its way may take.
const STRAGGLERS: Duration = Duration::from_millis(500);

/// Packets of one kind.
#[derive(Debug, Default)]
pub(crate) struct Count {
    pub(crate) sent: u64,
    pub(crate) arrived: u64,
    /// From the sender's write, of a picture's first piece for all of it, to the receiver's reading,
    /// queues of both clients included.
    pub(crate) delays: Spread,
}

/// Everything of one span of time.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) sounds: Count,
    pub(crate) pictures: Count,
}

impl Counts {
    pub(crate) fn sent(&self) -> u64 {
        self.sounds.sent + self.pictures.sent
    }

    pub(crate) fn arrived(&self) -> u64 {
        self.sounds.arrived + self.pictures.arrived
    }
}

/// Shared by all clients of a run.
#[derive(Debug)]
pub(crate) struct Tally {
    epoch: Instant,
    plays: AtomicBool,
    /// Microseconds since the epoch.
    from: AtomicU64,
    until: AtomicU64,
    counts: Mutex<Counts>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        let (from, until) = (AtomicU64::new(u64::MAX), AtomicU64::new(u64::MAX));
        let plays = AtomicBool::new(true);
        Self { epoch: Instant::now(), plays, from, until, counts: Mutex::default() }
    }

    /// Lets everybody send, or be silent.
    pub(crate) fn play(&self, plays: bool) {
        self.plays.store(plays, Ordering::Relaxed);
    }

    pub(crate) fn plays(&self) -> bool {
        self.plays.load(Ordering::Relaxed)
    }

    /// What sound or a picture that begins now is stamped with, microseconds since the epoch.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn note(&self, is_sound: bool, stamp: u64, note: impl FnOnce(&mut Count)) {
        if stamp < self.from.load(Ordering::Relaxed) || stamp >= self.until.load(Ordering::Relaxed)
        {
            return;
        }
        let Ok(mut counts) = self.counts.lock() else { return };
        note(if is_sound { &mut counts.sounds } else { &mut counts.pictures });
    }

    /// A packet is sent: sound, or a piece of a picture with the stamp of its first.
    pub(crate) fn sent(&self, is_sound: bool, stamp: u64) {
        self.note(is_sound, stamp, |count| count.sent += 1);
    }

    /// A packet arrived.
    pub(crate) fn arrived(&self, is_sound: bool, stamp: u64) {
        let delay = Duration::from_micros(self.now().saturating_sub(stamp));
        self.note(is_sound, stamp, |count| {
            count.arrived += 1;
            count.delays.add(delay);
        });
    }

    /// Counts for so long; `at_end` is called at the end, before stragglers are waited for.
    pub(crate) async fn count<T>(&self, span: Duration, at_end: impl FnOnce() -> T) -> (Counts, T) {
        if let Ok(mut counts) = self.counts.lock() {
            *counts = Counts::default();
        }
        let from = self.now();
        let until = from + u64::try_from(span.as_micros()).unwrap_or_default();
        self.until.store(until, Ordering::Relaxed);
        self.from.store(from, Ordering::Relaxed);
        tokio::time::sleep(span).await;
        let ended = at_end();
        tokio::time::sleep(STRAGGLERS).await;
        self.from.store(u64::MAX, Ordering::Relaxed);
        let counts = self.counts.lock().map(|mut counts| std::mem::take(&mut *counts));
        (counts.unwrap_or_default(), ended)
    }
}
