//! Many times as one line: median, 99th percentile, largest.

use std::fmt;
use std::time::Duration;

/// Durations, to be told as a spread.
#[derive(Debug, Default)]
pub(crate) struct Spread(Vec<Duration>);

impl Spread {
    pub(crate) fn add(&mut self, took: Duration) {
        self.0.push(took);
    }

    /// The smallest value that `percent` of all do not exceed.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).max(1) - 1;
        sorted.get(rank).copied().unwrap_or_default()
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |took: Duration| took.as_secs_f64() * 1_000.0;
        write!(
            f,
            "n {}  p50 {:.1} ms  p99 {:.1} ms  max {:.1} ms",
            self.0.len(),
            ms(self.percentile(50)),
            ms(self.percentile(99)),
            ms(self.percentile(100))
        )
    }
}
