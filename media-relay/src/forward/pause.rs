//! When the estimate of a link is no word about the link: PURE.
//!
//! While a page is not heard, and while there is no picture to carry, an estimator learns nothing;
//! what it makes of a pause afterwards is about the pause. So the estimate of before holds until
//! media has flowed again for a moment.

use std::time::{Duration, Instant};

/// What is reported sooner after a pause than this is still about it.
const SETTLES: Duration = Duration::from_secs(1);
/// The estimate of before is the best of this long at least, of twice as long at most: it sinks
/// already while the pause begins.
const REMEMBERS: Duration = Duration::from_secs(3);

/// The pauses of one page.
#[derive(Debug, Default)]
pub(crate) struct Pause {
    away: bool,
    idle: bool,
    settles: Option<Instant>,
    /// The best estimates of the running stretch and of the one before it.
    best: [Option<u64>; 2],
    stretch: Option<Instant>,
}

impl Pause {
    /// Whether what the estimator says now is to be left aside.
    pub(crate) fn holds(&self) -> bool {
        self.away || self.settles.is_some()
    }

    /// Looks at how it is now: `away` while the page is not heard, `idle` while there is no picture
    /// for it; `estimate_bps` is what its link is known to carry. Answers with what the estimator
    /// should begin again from.
    pub(crate) fn look(
        &mut self,
        away: bool,
        idle: bool,
        estimate_bps: Option<u64>,
        now: Instant,
    ) -> Option<u64> {
        let ends = (self.away && !away) || (self.idle && !idle && !away);
        (self.away, self.idle) = (away, idle);
        let known = self.best.into_iter().flatten().max();
        if ends && known.is_some() {
            self.settles = Some(now + SETTLES);
            return known;
        }
        if self.settles.take_if(|until| *until <= now).is_some() {
            return known;
        }
        if !self.holds() && !idle {
            self.remember(estimate_bps, now);
        }
        None
    }

    fn remember(&mut self, estimate_bps: Option<u64>, now: Instant) {
        let began = *self.stretch.get_or_insert(now);
        if now.saturating_duration_since(began) >= REMEMBERS {
            self.stretch = Some(now);
            self.best = [None, self.best[0]];
        }
        self.best[0] = self.best[0].max(estimate_bps);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Link {
        pause: Pause,
        now: Instant,
    }

    impl Link {
        fn new() -> Self {
            Self { pause: Pause::default(), now: Instant::now() }
        }

        /// So many tenths of a second at an estimate; the first answer, if there was one.
        fn runs(&mut self, tenths: u32, away: bool, idle: bool, bps: u64) -> Option<u64> {
            let mut first = None;
            for _ in 0..tenths {
                self.now += Duration::from_millis(100);
                let answer = self.pause.look(away, idle, Some(bps), self.now);
                first = first.or(answer);
            }
            first
        }
    }

    #[test]
    fn after_a_silence_the_estimate_of_before_holds_and_what_is_said_of_it_does_not() {
        let mut link = Link::new();
        assert_eq!(link.runs(40, false, false, 900_000), None);
        assert!(!link.pause.holds());
        assert_eq!(link.runs(100, true, false, 30_000), None);
        assert!(link.pause.holds());
        assert_eq!(link.runs(1, false, false, 30_000), Some(900_000));
        assert_eq!(link.runs(9, false, false, 30_000), None);
        assert!(link.pause.holds(), "the losses of the silence are being told");
        assert_eq!(link.runs(2, false, false, 30_000), Some(900_000), "once more without them");
        assert!(!link.pause.holds());
    }

    #[test]
    fn an_idle_link_is_not_thin() {
        let mut link = Link::new();
        link.runs(40, false, false, 900_000);
        assert_eq!(link.runs(300, false, true, 40_000), None);
        assert!(!link.pause.holds(), "sound and waves are still weighed");
        assert_eq!(link.runs(1, false, false, 40_000), Some(900_000));
    }

    #[test]
    fn an_estimate_that_fell_while_media_flowed_is_forgotten_within_six_seconds() {
        let mut link = Link::new();
        link.runs(40, false, false, 900_000);
        link.runs(61, false, false, 100_000);
        link.runs(20, true, false, 0);
        assert_eq!(link.runs(1, false, false, 0), Some(100_000));
    }

    #[test]
    fn a_call_that_begins_has_no_before() {
        let mut link = Link::new();
        assert_eq!(link.runs(50, false, true, 40_000), None);
        assert_eq!(link.runs(50, false, false, 40_000), None);
        assert!(!link.pause.holds());
    }
}
