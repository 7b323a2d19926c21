//! A measurement under way, for devices that say what they have so far before they say a result.

use minato_protocol::{Span, Timestamp};

/// A device that has said nothing of its measurement for so long has ended it.
const SILENCE_MAX: Span = Span::seconds(30);

/// A result that comes later after the last intermediate value was not seen: the device was out of
/// range in between, and its own time says when it was.
const LIVE_GAP_MAX: Span = Span::seconds(10);

/// Knows since when a device has been measuring, so that a result is not given to a patient who got
/// the device halfway.
#[derive(Debug, Default)]
pub(super) struct Run {
    under_way: Option<UnderWay>,
}

#[derive(Debug, Clone, Copy)]
struct UnderWay {
    began_at: Timestamp,
    heard_at: Timestamp,
}

/// To which measurement a message belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Belongs {
    /// When that measurement began: with its first message, or with this one if it stands alone.
    pub(super) began_at: Timestamp,
    /// Whether it was seen while it happened.
    pub(super) live: bool,
}

impl Run {
    /// Takes in a message: an intermediate one goes on with the measurement, a result ends it.
    pub(super) fn hear(&mut self, intermediate: bool, at: Timestamp) -> Belongs {
        let under_way = self.at(at);
        let began_at = under_way.map_or(at, |run| run.began_at);
        self.under_way = intermediate.then_some(UnderWay { began_at, heard_at: at });
        let seen = under_way.is_some_and(|run| at - run.heard_at <= LIVE_GAP_MAX);
        Belongs { began_at, live: intermediate || seen }
    }

    /// Whether a measurement is under way.
    pub(super) fn is_under_way(&self, now: Timestamp) -> bool {
        self.at(now).is_some()
    }

    fn at(&self, now: Timestamp) -> Option<UnderWay> {
        self.under_way.filter(|run| now - run.heard_at <= SILENCE_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_belongs_to_the_run_that_the_first_intermediate_value_began() {
        let mut run = Run::default();
        run.hear(true, Timestamp(1_000));
        run.hear(true, Timestamp(9_000));
        assert!(run.is_under_way(Timestamp(9_500)));
        let belongs = run.hear(false, Timestamp(12_000));
        assert_eq!(belongs, Belongs { began_at: Timestamp(1_000), live: true });
        assert!(!run.is_under_way(Timestamp(12_001)));
    }

    #[test]
    fn a_result_that_comes_from_out_of_range_belongs_to_its_run_and_was_not_seen_live() {
        let mut run = Run::default();
        run.hear(true, Timestamp(1_000));
        let belongs = run.hear(false, Timestamp(16_000));
        assert_eq!(belongs, Belongs { began_at: Timestamp(1_000), live: false });
    }

    #[test]
    fn a_result_long_after_the_last_intermediate_value_stands_alone() {
        let mut run = Run::default();
        run.hear(true, Timestamp(1_000));
        let belongs = run.hear(false, Timestamp(60_000));
        assert_eq!(belongs, Belongs { began_at: Timestamp(60_000), live: false });
    }
}
