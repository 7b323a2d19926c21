//! The beat on which things happen that are in no hurry, so that they happen together: PURE.

use std::time::{Duration, Instant};

/// From one beat to the next: half a packet of sound, which therefore waits for 5 ms on average.
const BEAT: Duration = Duration::from_millis(10);
/// So long a picture waits at the most, and whatever else is in no hurry: until the next packet of
/// sound, behind which it goes.
const SOUND_WAIT: Duration = Duration::from_millis(20);

/// How exactly a session wants to be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Haste {
    /// To the moment: the pacer's steps, above all while it probes a link.
    Exact,
    /// On the next beat.
    OnBeat,
    /// When there is something else to do, but soon.
    InCompany,
}

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

    /// The last beat until which something that could be done at `since` waits for sound.
    pub(crate) fn with_sound(&self, since: Instant) -> Instant {
        self.after(since + SOUND_WAIT - BEAT)
    }

    /// When something is done that is due at `due`.
    pub(crate) fn of(&self, due: Instant, haste: Haste) -> Instant {
        match haste {
            Haste::Exact => due,
            Haste::OnBeat => self.after(due),
            Haste::InCompany => self.with_sound(due),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_a_hurry_is_done_to_the_moment_and_the_rest_on_a_beat() {
        let begun = Instant::now();
        let (beats, at) = (Beats::new(begun), |us| begun + Duration::from_micros(us));
        assert_eq!(beats.after(at(0)), at(10_000));
        assert_eq!(beats.after(at(9_999)), at(10_000));
        assert_eq!(beats.after(at(10_000)), at(20_000));
        assert_eq!(beats.of(at(9_001), Haste::Exact), at(9_001));
        assert_eq!(beats.of(at(9_001), Haste::OnBeat), at(10_000));
        assert_eq!(beats.of(at(9_001), Haste::InCompany), at(20_000));
        assert_eq!(beats.with_sound(at(10_000)), at(30_000));
        assert_eq!(beats.with_sound(at(19_000)), at(30_000));
    }
}
