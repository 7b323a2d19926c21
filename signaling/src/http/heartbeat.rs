//! How often a screen is asked whether it is still there, and after how long a silence it is not.

use std::time::Duration;

/// A screen's heartbeat. Tests have a faster one.
#[derive(Debug, Clone, Copy)]
pub struct Heartbeat {
    /// A ping comes so often.
    pub every: Duration,
    /// Whoever answered none for longer than this is given up at the next one.
    pub silence_max: Duration,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self { every: Duration::from_secs(5), silence_max: Duration::from_secs(16) }
    }
}

impl Heartbeat {
    /// As pages are told it.
    pub(super) fn every_ms(self) -> u32 {
        u32::try_from(self.every.as_millis()).unwrap_or(u32::MAX)
    }
}
