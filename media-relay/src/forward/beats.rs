//! The beat on which things happen that are in no hurry, so that they happen together: PURE.

use std::time::{Duration, Instant};

/// From one beat to the next: a quarter of a packet of sound. Browsers send in such steps.
const BEAT: Duration = Duration::from_millis(5);
/// What is due sooner than this is due then and on no beat: the pacer's steps, above all while it
/// probes a link.
const SOON: Duration = Duration::from_millis(8);
/// So long what is no sound waits at the most to leave in company.
const COMPANY_WAIT: Duration = Duration::from_millis(10);

/// A regular beat.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beats {
    begun: Instant,
}

impl Beats {
    pub(crate) fn new(begun: Instant) -> Self {
        Self { begun }
    }

    /// The first beat after a moment.
    pub(crate) fn after(&self, moment: Instant) -> Instant {
        let passed = moment.saturating_duration_since(self.begun);
        let over = u64::try_from(passed.as_nanos() % BEAT.as_nanos()).unwrap_or_default();
        moment + (BEAT - Duration::from_nanos(over))
    }

    /// The last beat until which something that comes now waits for company.
    pub(crate) fn company(&self, now: Instant) -> Instant {
        self.after(now + COMPANY_WAIT - BEAT)
    }

    /// When something is done that is due at `due`.
    pub(crate) fn of(&self, due: Instant, now: Instant) -> Instant {
        if due.saturating_duration_since(now) < SOON { due } else { self.after(due) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_soon_is_done_then_and_the_rest_on_a_beat() {
        let begun = Instant::now();
        let (beats, at) = (Beats::new(begun), |us| begun + Duration::from_micros(us));
        assert_eq!(beats.after(at(0)), at(5_000));
        assert_eq!(beats.after(at(4_999)), at(5_000));
        assert_eq!(beats.after(at(5_000)), at(10_000));
        assert_eq!(beats.of(at(9_001), at(2_000)), at(9_001));
        assert_eq!(beats.of(at(9_001), at(1_000)), at(10_000));
        assert_eq!(beats.of(at(1), at(1_000)), at(1), "it is late already");
        assert_eq!(beats.company(at(5_000)), at(15_000));
        assert_eq!(beats.company(at(9_000)), at(15_000));
    }
}
