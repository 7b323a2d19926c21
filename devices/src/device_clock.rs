//! PURE: what a device's clock says against the gateway's, and what that makes of a record's time.
//!
//! Devices know no zone and drift; some are days off. Their clock is read (and set where the driver
//! says so) at each connection, so a record from memory can be put where it belongs, with a label.

use minato_protocol::{Span, Timestamp};
use serde::{Deserialize, Serialize};

/// A clock that is off by more than this is called wrong. Below it is the coarseness of a clock that
/// shows whole minutes and was set by hand.
pub const CLOCK_WRONG: Span = Span::seconds(60);
/// Clocks show whole seconds, and a reading takes its time.
const COARSE: Span = Span::seconds(2);
/// A record cannot come before it was measured; clocks that show whole seconds may say so by this.
const AHEAD_MAX: Span = Span::seconds(5);

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockPair {
    /// What the device's clock showed, in the gateway's zone.
    pub device: Timestamp,
    /// The gateway's clock.
    pub gateway: Timestamp,
}

impl ClockPair {
    /// How far the device's clock is ahead; negative: behind.
    pub fn off(&self) -> Span {
        self.device - self.gateway
    }

    /// Whether the two differ by more than the seconds that clocks show.
    fn differs(&self) -> bool {
        self.off().0.abs() > COARSE.0
    }
}

/// What is known of one device's clock: how it was before it was last set, and how it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockHistory {
    /// The last pair before the clock was last set, if it was wrong then: records from before carry
    /// the old time.
    pub before: Option<ClockPair>,
    /// The newest pair. After the clock was set it is both at that moment.
    pub now: Option<ClockPair>,
    /// The newest pair is that of a setting.
    #[serde(default)]
    pub set: bool,
}

impl ClockHistory {
    /// The clock was read.
    pub fn read(&mut self, pair: ClockPair) {
        self.now = Some(pair);
        self.set = false;
    }

    /// The clock was set to the gateway's.
    pub fn set(&mut self, at: Timestamp) {
        // A clock that was right before explains nothing; what explained something stays.
        self.before = self.now.filter(ClockPair::differs).or(self.before);
        self.now = Some(ClockPair { device: at, gateway: at });
        self.set = true;
    }

    /// The gateway's own clock was set forward by this much: what was compared with it moves along.
    pub fn gateway_set(&mut self, by: Span) {
        let pairs = [&mut self.before, &mut self.now];
        for pair in pairs.into_iter().flatten() {
            pair.gateway = pair.gateway + by;
        }
    }

    /// What has to be added to a record's time, which the device's clock gave as `said` and which was
    /// received at `received`. Nothing is known, or nothing has to be added: 0.
    ///
    /// Where both the old and the new clock could have given the time (one that was ahead), the new
    /// one has: what the old one left in the memory came when it was read and set.
    pub fn correction(&self, said: Timestamp, received: Timestamp) -> Span {
        let Some(now) = self.now else { return Span(0) };
        let by_now = Self::by(&now);
        let fits = |correction: Span| said + correction <= received + AHEAD_MAX;
        let was_set = self.before.filter(|_| self.set);
        let Some(before) = was_set else {
            return if fits(by_now) { by_now } else { Span(0) };
        };
        let by_before = Self::by(&before);
        let is_new = said >= now.device && fits(by_now);
        let is_old = said <= before.device && said + by_before <= now.gateway + AHEAD_MAX;
        match (is_new, is_old) {
            (false, true) => by_before,
            (true, _) | (false, false) => by_now,
        }
    }

    /// Nothing is added for a clock that is right to the second.
    fn by(pair: &ClockPair) -> Span {
        if pair.differs() { Span(-pair.off().0) } else { Span(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;
    const NOW: Timestamp = Timestamp(1_795_300_000_000);

    fn read(off_ms: i64) -> ClockHistory {
        let mut history = ClockHistory::default();
        history.read(ClockPair { device: Timestamp(NOW.0 + off_ms), gateway: NOW });
        history
    }

    fn set(off_ms: i64) -> ClockHistory {
        let mut history = read(off_ms);
        history.set(NOW);
        history
    }

    fn correction(history: ClockHistory, said_ms: i64, received_ms: i64) -> i64 {
        history.correction(Timestamp(NOW.0 + said_ms), Timestamp(NOW.0 + received_ms)).0
    }

    #[test]
    fn a_clock_that_is_right_or_unknown_corrects_nothing() {
        assert_eq!(correction(ClockHistory::default(), -5_000, 0), 0);
        assert_eq!(correction(read(2_000), -5_000, 0), 0);
        assert_eq!(correction(read(20_000), -5_000, 0), -20_000);
    }

    #[test]
    fn a_record_of_a_clock_three_days_behind_is_put_three_days_later() {
        assert_eq!(correction(read(-3 * DAY), -3 * DAY - 600_000, 1_000), 3 * DAY);
        assert_eq!(correction(set(-3 * DAY), -3 * DAY - 600_000, 1_000), 3 * DAY);
    }

    #[test]
    fn a_record_of_a_clock_three_days_ahead_is_put_three_days_earlier() {
        assert_eq!(correction(read(3 * DAY), 3 * DAY - 600_000, 1_000), -3 * DAY);
        assert_eq!(correction(set(3 * DAY), 3 * DAY - 600_000, 1_000), -3 * DAY);
    }

    #[test]
    fn a_record_measured_after_the_clock_was_set_is_left_as_it_is() {
        for off in [-3 * DAY, 3 * DAY] {
            assert_eq!(correction(set(off), 120_000, 121_000), 0, "{off}");
        }
    }

    #[test]
    fn a_clock_that_is_set_twice_still_explains_what_was_there_before_the_first_time() {
        let mut history = set(-3 * DAY);
        history.read(ClockPair { device: Timestamp(NOW.0 + DAY), gateway: Timestamp(NOW.0 + DAY) });
        history.set(Timestamp(NOW.0 + DAY));
        let said = Timestamp(NOW.0 - 3 * DAY - 1_000);
        assert_eq!(history.correction(said, Timestamp(NOW.0 + DAY + 5_000)), Span(3 * DAY));
    }

    #[test]
    fn a_correction_that_would_put_a_record_after_its_arrival_is_not_made() {
        assert_eq!(correction(read(-3 * DAY), -1_000, 0), 0);
    }
}
