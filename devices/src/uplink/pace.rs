//! How much of the outbox is on its way at once, and whether waves make room for it: PURE.
//!
//! A batch counts once all of it is there. On a line that carries little, a large one takes longer
//! than either side waits for a word, and what is broken off then begins anew: nothing would ever
//! arrive. So a connection begins with little, takes more as acknowledgements come soon, and less
//! as they come late. Live numbers come before waves: while they are late, waves rest.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Bytes that may be on their way: at the beginning, at least, at most. The least is several entries
/// of one device, the most a second at half a megabit.
const FIRST_BYTES: usize = 2 * 1024;
const LEAST_BYTES: usize = 1024;
const MOST_BYTES: usize = 64 * 1024;
/// An acknowledgement within this time is soon, one after the second is late.
const SOON: Duration = Duration::from_secs(2);
const LATE: Duration = Duration::from_secs(3);
/// So long nothing may have been late until waves go again.
const CALM_FOR: Duration = Duration::from_secs(15);

#[derive(Debug)]
struct Batch {
    through: u64,
    bytes: usize,
    sent: Instant,
}

/// The pace of one gateway, on one connection after another.
#[derive(Debug)]
pub(crate) struct Pace {
    bytes_max: usize,
    /// Oldest first; no more than [`MOST_BYTES`] and one entry in all.
    under_way: VecDeque<Batch>,
    late: Option<Instant>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { bytes_max: FIRST_BYTES, under_way: VecDeque::new(), late: None }
    }
}

impl Pace {
    /// A connection begins: what was on its way on another one is nothing on this.
    pub(super) fn begin(&mut self) {
        *self = Self { late: self.late, ..Self::default() };
    }

    /// Bytes that may be sent now.
    pub(super) fn room(&self) -> usize {
        let under_way: usize = self.under_way.iter().map(|batch| batch.bytes).sum();
        self.bytes_max.saturating_sub(under_way)
    }

    /// A batch up to this entry was sent.
    pub(super) fn sent(&mut self, through: u64, bytes: usize, now: Instant) {
        self.under_way.push_back(Batch { through, bytes, sent: now });
    }

    /// Everything up to this entry has arrived.
    pub(super) fn acknowledged(&mut self, through: u64, now: Instant) {
        let mut newest = None;
        while self.under_way.front().is_some_and(|batch| batch.through <= through) {
            newest = self.under_way.pop_front();
        }
        let Some(newest) = newest else { return };
        let took = now.saturating_duration_since(newest.sent);
        self.bytes_max = match took {
            _ if took <= SOON => (self.bytes_max * 2).min(MOST_BYTES),
            _ if took >= LATE => (self.bytes_max / 2).max(LEAST_BYTES),
            _ => self.bytes_max,
        };
    }

    /// Whether waves rest; to be asked at least every second. While numbers are late, little is sent.
    pub(super) fn is_late(&mut self, now: Instant) -> bool {
        let oldest = self.under_way.front();
        if oldest.is_some_and(|batch| now.saturating_duration_since(batch.sent) >= LATE) {
            self.late = Some(now);
            // The line was a better one when more was sent: what has not left can still wait here.
            self.bytes_max = LEAST_BYTES;
        }
        self.late.is_some_and(|late| now.saturating_duration_since(late) < CALM_FOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_good_line_is_filled_within_a_few_acknowledgements() {
        let (mut pace, mut now, mut through) = (Pace::default(), Instant::now(), 0);
        let mut rounds = 0;
        while pace.room() < MOST_BYTES {
            through += 1;
            pace.sent(through, pace.room(), now);
            assert_eq!(pace.room(), 0, "no more before a word of it");
            now += SECOND / 2;
            pace.acknowledged(through, now);
            rounds += 1;
        }
        assert_eq!(rounds, 5);
        assert!(!pace.is_late(now));
    }

    #[test]
    fn a_poor_line_is_given_little_and_never_nothing() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        for through in 1..10 {
            pace.sent(through, pace.room(), now);
            now += SECOND * 5;
            pace.acknowledged(through, now);
        }
        assert_eq!(pace.room(), LEAST_BYTES);
        pace.acknowledged(3, now);
        assert_eq!(pace.room(), LEAST_BYTES, "what was acknowledged before says nothing new");
    }

    #[test]
    fn a_line_that_turns_poor_is_given_little_before_its_word_of_that_arrives() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        for through in 1..8 {
            pace.sent(through, 100, start);
            pace.acknowledged(through, start);
        }
        pace.sent(8, 1_500, start);
        assert!(pace.room() > LEAST_BYTES);
        pace.is_late(start + SECOND * 3);
        assert_eq!(pace.room(), 0);
    }

    #[test]
    fn waves_rest_while_numbers_are_late_and_for_a_while_after() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        pace.sent(1, 500, start);
        assert!(!pace.is_late(start + SECOND * 2));
        assert!(pace.is_late(start + SECOND * 3));
        pace.acknowledged(1, start + SECOND * 4);
        assert!(pace.is_late(start + SECOND * 17), "the line has only just become calm");
        assert!(!pace.is_late(start + SECOND * 18));
    }

    #[test]
    fn another_connection_begins_gently_and_remembers_that_numbers_were_late() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        pace.sent(1, 500, start);
        assert!(pace.is_late(start + SECOND * 4));
        pace.begin();
        assert_eq!(pace.room(), FIRST_BYTES);
        assert!(pace.is_late(start + SECOND * 5));
        assert!(!pace.is_late(start + SECOND * 19), "nothing waits on this one");
    }
}
