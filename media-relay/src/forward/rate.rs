//! How much a stream brings a second: PURE.

use std::time::{Duration, Instant};

/// What a packet costs beside its payload: RTP header and extensions, and the SRTP tag. Estimates
/// of links do not count what lies below.
const PACKET_BYTES: u64 = 40;
/// Least time a rate is taken over.
const WINDOW: Duration = Duration::from_secs(1);
/// A window that lasted longer had a gap in it and says nothing.
const WINDOW_MAX: Duration = Duration::from_secs(2);

/// The rate of one stream, as it was when it last flowed for a second.
#[derive(Debug, Default)]
pub(crate) struct Rate {
    since: Option<Instant>,
    bytes: u64,
    bps: Option<u64>,
}

impl Rate {
    /// A packet came.
    pub(crate) fn add(&mut self, payload_bytes: usize, now: Instant) {
        let since = *self.since.get_or_insert(now);
        let passed = now.saturating_duration_since(since);
        if passed >= WINDOW {
            if passed < WINDOW_MAX {
                let ms = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
                self.bps = Some(self.bytes * 8_000 / ms);
            }
            self.since = Some(now);
            self.bytes = 0;
        }
        self.bytes += payload_bytes as u64 + PACKET_BYTES;
    }

    /// In bit/s; `None` if it never flowed for a second.
    pub(crate) fn bps(&self) -> Option<u64> {
        self.bps
    }

    /// Whether there ever was a packet.
    pub(crate) fn is_known(&self) -> bool {
        self.since.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_that_of_the_last_second_that_flowed() {
        let (mut rate, start) = (Rate::default(), Instant::now());
        for packet in 0..51 {
            rate.add(60, start + Duration::from_millis(20) * packet);
        }
        assert_eq!(rate.bps(), Some(40_000));
        rate.add(60, start + Duration::from_secs(9));
        assert_eq!(rate.bps(), Some(40_000), "a pause is no rate");
    }
}
