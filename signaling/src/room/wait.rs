//! How long it may take: a range from what this room really did, or "cannot tell".

use minato_protocol::view::Wait;
use minato_protocol::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The last so many visits tell the rate.
const VISITS_SEEN_MAX: usize = 20;
/// Fewer than so many visits tell nothing.
const VISITS_SEEN_MIN: usize = 3;
/// A visit counts as at most so long.
const VISIT_MAX: Span = Span::minutes(4 * 60);

/// How long the last visits of a room took, from the call to the end.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Service {
    took: VecDeque<Span>,
}

impl Service {
    /// A visit that began then is over.
    pub(super) fn saw(&mut self, began: Timestamp, ended: Timestamp) {
        if self.took.len() == VISITS_SEEN_MAX {
            self.took.pop_front();
        }
        // A stepped clock must not make a visit of years, or one that ended before it began.
        self.took.push_back((ended - began).clamp(Span(0), VISIT_MAX));
    }

    /// The wait behind `ahead` others with so many doctors on duty. Its width is the spread seen:
    /// a mean visit from the quarter below to the quarter above, times the rounds to come.
    pub(super) fn range(&self, ahead: usize, doctors: usize) -> Wait {
        if doctors == 0 || self.took.len() < VISITS_SEEN_MIN {
            return Wait::CannotTell;
        }
        let mut sorted: Vec<i64> = self.took.iter().map(|span| span.0).collect();
        sorted.sort_unstable();
        let quarter = |part: usize| sorted[(sorted.len() - 1) * part / 4];
        let minutes = |mean_ms: i64, rounds_x100: i64| {
            u32::try_from(mean_ms * rounds_x100 / 100 / 60_000).unwrap_or(0)
        };
        let rounds_x100 = i64::try_from(ahead * 100 / doctors).unwrap_or(i64::MAX / 1_000_000);
        let from_min = minutes(quarter(1), rounds_x100);
        let to_min = minutes(quarter(3), rounds_x100 + 100) + 1;
        Wait::Range { from_min, to_min: to_min.max(from_min + 1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(minutes: &[i64]) -> Service {
        let mut service = Service::default();
        minutes.iter().for_each(|took| service.saw(Timestamp(0), Timestamp(took * 60_000)));
        service
    }

    #[test]
    fn with_nobody_on_duty_nobody_can_tell() {
        assert_eq!(seen(&[5, 5, 5, 5]).range(2, 0), Wait::CannotTell);
    }

    #[test]
    fn after_two_visits_it_is_too_early_to_tell() {
        assert_eq!(seen(&[5, 5]).range(2, 1), Wait::CannotTell);
    }

    #[test]
    fn a_second_doctor_halves_the_lower_bound() {
        let service = seen(&[10, 10, 10, 10]);
        assert_eq!(service.range(4, 1), Wait::Range { from_min: 40, to_min: 51 });
        assert_eq!(service.range(4, 2), Wait::Range { from_min: 20, to_min: 31 });
    }
}
