//! How long what a page sends waits on its way: PURE. Read from a voice, whose time stamps run
//! evenly: what a packet took longer than the quickest of late is time in a queue.

use std::time::{Duration, Instant};

const VOICE_HZ: i64 = 48_000;
/// The quickest packet within this time speaks for it, so that one that came again does not.
const WINDOW: Duration = Duration::from_secs(1);
/// Clocks drift apart by less than this, in microseconds a second. A queue that never ends is
/// taken for the length of the link some minutes later.
const DRIFT_US: i64 = 1_000;
/// A jump by more is another clock.
const JUMP_US: i64 = 5_000_000;
/// A wait that changes by less than this over so many windows, though nothing but a voice is sent, is
/// the length of the link: a queue runs empty then, or is at least never the same for long.
const SAME_US: i64 = 30_000;
const SAME_WINDOWS: u32 = 6;

/// The least and the most that the quickest packets of some windows in a row took.
#[derive(Debug, Clone, Copy)]
struct Same {
    least_us: i64,
    most_us: i64,
    windows: u32,
}

/// The delay of one stream, as far as it changes.
#[derive(Debug, Default)]
pub(crate) struct Lag {
    origin: Option<(Instant, u32)>,
    least_us: i64,
    heard: Option<Instant>,
    window: Option<Instant>,
    quickest_us: i64,
    quickest_before_us: Option<i64>,
    same: Option<Same>,
}

impl Lag {
    /// A packet came that was sent at `time`.
    pub(crate) fn heard(&mut self, time: u32, now: Instant) {
        let Some((origin, first)) = self.origin else { return self.begin(time, now) };
        let sent = i64::from(time.wrapping_sub(first).cast_signed()) * 1_000_000 / VOICE_HZ;
        let taken = micros(now.saturating_duration_since(origin)) - sent;
        if (taken - self.least_us).abs() > JUMP_US {
            return self.begin(time, now);
        }
        let passed = self.heard.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.heard = Some(now);
        self.least_us = taken.min(self.least_us + micros(passed) * DRIFT_US / 1_000_000);
        let window = *self.window.get_or_insert(now);
        if now.saturating_duration_since(window) >= WINDOW {
            self.window = Some(now);
            self.quickest_before_us = Some(self.quickest_us);
            self.compare(self.quickest_us);
            self.quickest_us = taken;
        } else {
            self.quickest_us = self.quickest_us.min(taken);
        }
    }

    /// How long packets wait; `None` if none came of late.
    pub(crate) fn queue(&self, now: Instant) -> Option<Duration> {
        let heard = self.heard?;
        let before = self.quickest_before_us?;
        let fresh = now.saturating_duration_since(heard) < WINDOW * 2;
        let us = self.quickest_us.min(before).saturating_sub(self.least_us);
        fresh.then(|| Duration::from_micros(us.try_into().unwrap_or(0)))
    }

    fn compare(&mut self, quickest_us: i64) {
        let fresh = Same { least_us: quickest_us, most_us: quickest_us, windows: 1 };
        let longer = self.same.map(|same| Same {
            least_us: same.least_us.min(quickest_us),
            most_us: same.most_us.max(quickest_us),
            windows: same.windows.saturating_add(1),
        });
        self.same = longer.filter(|same| same.most_us - same.least_us <= SAME_US).or(Some(fresh));
    }

    /// Takes a wait that does not change for the length of the link, and answers by how much it is longer
    /// than before. `rests`: nothing but a voice is on it, and hardly anything is lost; a queue that
    /// others keep full loses.
    pub(crate) fn settle(&mut self, rests: bool) -> Option<Duration> {
        if !rests {
            self.same = None;
        }
        let same = self.same.filter(|same| same.windows >= SAME_WINDOWS)?;
        let longer_us = u64::try_from(same.least_us - self.least_us).ok()?;
        self.least_us = same.least_us;
        Some(Duration::from_micros(longer_us)).filter(|longer| !longer.is_zero())
    }

    fn begin(&mut self, time: u32, now: Instant) {
        *self = Self { origin: Some((now, time)), heard: Some(now), ..Self::default() };
        self.window = Some(now);
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds of a voice, each packet that much late.
    fn hear(lag: &mut Lag, sent_ms: &mut u64, seconds: u64, start: Instant, late_ms: u64) {
        for _ in 0..seconds * 50 {
            *sent_ms += 20;
            let time = u32::try_from(*sent_ms * 48 % (1 << 32)).expect("in range");
            lag.heard(time, start + Duration::from_millis(*sent_ms + late_ms));
        }
    }

    #[test]
    fn what_waits_in_a_queue_is_seen_and_what_comes_again_is_not() {
        // Just before the time stamps begin anew.
        let (mut lag, mut sent, start) = (Lag::default(), 89_478_000, Instant::now());
        let at = |sent: u64| start + Duration::from_millis(sent + 500);
        assert_eq!(lag.queue(start), None);
        hear(&mut lag, &mut sent, 5, start, 50);
        assert_eq!(lag.queue(at(sent)), Some(Duration::ZERO));
        // One that was asked for again.
        lag.heard(u32::try_from((sent - 300) * 48 % (1 << 32)).expect("in range"), at(sent));
        hear(&mut lag, &mut sent, 3, start, 50);
        assert!(lag.queue(at(sent)).expect("heard") < Duration::from_millis(20));
        hear(&mut lag, &mut sent, 3, start, 450);
        let queue = lag.queue(at(sent)).expect("heard");
        assert!((380..=400).contains(&queue.as_millis()), "{queue:?}");
        assert_eq!(lag.queue(at(sent + 5_000)), None, "nothing is heard any more");
    }

    #[test]
    fn a_wait_that_stays_the_same_while_the_link_rests_is_its_length() {
        let (mut lag, mut sent, start) = (Lag::default(), 0, Instant::now());
        let at = |sent: u64, late: u64| start + Duration::from_millis(sent + late);
        hear(&mut lag, &mut sent, 5, start, 50);
        assert_eq!(lag.settle(true), None);
        hear(&mut lag, &mut sent, 20, start, 350);
        assert_eq!(lag.settle(false), None, "pictures may make the queue");
        hear(&mut lag, &mut sent, 5, start, 350);
        assert_eq!(lag.settle(true), None, "not yet");
        hear(&mut lag, &mut sent, 3, start, 350);
        let longer = lag.settle(true).expect("now").as_millis();
        assert!((270..=300).contains(&longer), "{longer}");
        assert_eq!(lag.queue(at(sent, 350)), Some(Duration::ZERO));
        assert_eq!(lag.settle(true), None, "once");
        // A queue moves.
        for second in 0..30 {
            hear(&mut lag, &mut sent, 1, start, 600 + second % 4 * 40);
            assert_eq!(lag.settle(true), None);
        }
        assert!(lag.queue(at(sent, 700)).expect("heard").as_millis() > 200);
    }

    #[test]
    fn another_microphone_is_another_clock() {
        let (mut lag, mut sent, start) = (Lag::default(), 0, Instant::now());
        hear(&mut lag, &mut sent, 5, start, 50);
        lag.heard(77, start + Duration::from_secs(60));
        assert_eq!(lag.queue(start + Duration::from_secs(60)), None);
    }
}
