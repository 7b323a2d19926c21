//! PURE: a measurement under way, of a device that says what it has so far before it says a result.
//!
//! It outlives the driver, a restart of the gateway and a setting of its clock: whoever gets the device
//! in the middle of a measurement is not given its result.

use minato_protocol::{Span, Timestamp};

/// A device that has said nothing of its measurement for so long has ended it.
const SILENCE_MAX: Span = Span::seconds(30);
/// A result that comes later after the last value of its run was not seen: the device was out of
/// range in between, and its own time says when it was.
const SEEN_WITHIN: Span = Span::seconds(10);
/// A measurement takes longer than this: a result that is from no later than this after the run's
/// first value is of one before. More than the seconds that clocks show.
const TAKES_MIN: Span = Span::seconds(2);

/// When a measurement began, and when it was last heard of, by the gateway's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// With its first value.
    pub began_at: Timestamp,
    /// With its newest one.
    pub heard_at: Timestamp,
}

impl Run {
    /// What is so far, after an intermediate value came at `at`.
    pub fn after_value(before: Option<Self>, at: Timestamp) -> Self {
        let before = before.filter(|run| run.is_under_way(at));
        Self { began_at: before.map_or(at, |run| run.began_at), heard_at: at }
    }

    /// Whether it goes on.
    pub fn is_under_way(&self, now: Timestamp) -> bool {
        now - self.heard_at <= SILENCE_MAX
    }

    /// Whether a result that comes now was seen while it was measured.
    pub fn is_seen(&self, now: Timestamp) -> bool {
        now - self.heard_at <= SEEN_WITHIN
    }

    /// Whether a result that was measured then is of a measurement before this one.
    pub fn is_after(&self, measured_at: Timestamp) -> bool {
        measured_at <= self.began_at + TAKES_MIN
    }

    /// The gateway's clock was set forward by this much.
    pub fn shift(&mut self, by: Span) {
        self.began_at = self.began_at + by;
        self.heard_at = self.heard_at + by;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(values_ms: &[i64]) -> Run {
        let values = values_ms.iter().map(|at| Timestamp(*at));
        let run = values.fold(None, |run, at| Some(Run::after_value(run, at)));
        run.expect("a value")
    }

    #[test]
    fn a_run_began_with_its_first_value() {
        let run = run(&[1_000, 9_000]);
        assert_eq!(run, Run { began_at: Timestamp(1_000), heard_at: Timestamp(9_000) });
        assert!(run.is_seen(Timestamp(12_000)) && run.is_under_way(Timestamp(12_000)));
    }

    #[test]
    fn a_result_from_out_of_range_belongs_to_its_run_and_was_not_seen() {
        let run = run(&[1_000]);
        assert!(run.is_under_way(Timestamp(16_000)) && !run.is_seen(Timestamp(16_000)));
    }

    #[test]
    fn a_value_long_after_the_last_one_begins_a_new_run() {
        assert!(!run(&[1_000]).is_under_way(Timestamp(60_000)));
        assert_eq!(run(&[1_000, 60_000]).began_at, Timestamp(60_000));
    }

    #[test]
    fn a_result_from_about_the_runs_first_value_is_of_a_measurement_before() {
        let run = run(&[10_000, 14_000]);
        assert!(run.is_after(Timestamp(11_000)));
        assert!(!run.is_after(Timestamp(18_000)));
    }

    #[test]
    fn a_run_goes_on_when_the_gateways_clock_is_set() {
        let day = Span::minutes(24 * 60);
        let mut run = run(&[1_000, 9_000]);
        run.shift(day);
        let run = Run::after_value(Some(run), Timestamp(10_000) + day);
        assert_eq!(run.began_at, Timestamp(1_000) + day);
    }
}
