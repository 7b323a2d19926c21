//! The only place that asks what time it is.

use minato_protocol::{Span, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// Wall time at the start plus what the monotonic clock counted since: a stepped wall clock
/// neither shortens nor lengthens a lease. A rehearsal may step it forward.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    wall_at_start: Timestamp,
    started: Instant,
    ahead_ms: AtomicI64,
    stepped: watch::Sender<()>,
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall_ms = i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX);
        Self(Arc::new(Inner {
            wall_at_start: Timestamp(wall_ms),
            started: Instant::now(),
            ahead_ms: AtomicI64::new(0),
            stepped: watch::Sender::new(()),
        }))
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.now_elsewhere() + Span(self.0.ahead_ms.load(Ordering::Relaxed))
    }

    /// Now by the clocks of other machines, which no rehearsal steps: for tokens that they check.
    pub fn now_elsewhere(&self) -> Timestamp {
        let elapsed = i64::try_from(self.0.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.0.wall_at_start + Span(elapsed)
    }

    /// Steps forward, for rehearsals and tests; whoever waits for a deadline looks again.
    pub fn advance(&self, span: Span) {
        self.0.ahead_ms.fetch_add(span.0.max(0), Ordering::Relaxed);
        self.0.stepped.send_replace(());
    }

    /// Waits one real second, or until the clock is stepped.
    pub async fn tick(&self) {
        let mut stepped = self.0.stepped.subscribe();
        let second = tokio::time::sleep(std::time::Duration::from_secs(1));
        tokio::select! {
            () = second => {}
            _ = stepped.changed() => {}
        }
    }
}
