//! The only place that asks what time it is. A rehearsal or a test steps it forward.

use minato_protocol::{Span, Timestamp};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::Notify;

/// A step of a source that is not ours is noticed within this time.
const SLICE: Duration = Duration::from_millis(200);

type Source = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What time it is: a source plus what it was stepped forward. Copies share the step.
#[derive(Clone)]
pub struct Clock {
    source: Source,
    /// A clock that nobody steps, from any beginning.
    steady: Source,
    ahead_ms: Arc<AtomicI64>,
    stepped: Arc<Notify>,
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("ahead_ms", &self.ahead_ms).finish_non_exhaustive()
    }
}

impl Clock {
    /// The machine's wall clock.
    pub fn system() -> Self {
        let began = Instant::now();
        let wall = || {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
        };
        let steady =
            move || Timestamp(i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX));
        Self::of(Arc::new(wall), Arc::new(steady))
    }

    /// Any clock that nobody steps, such as the one that the broker in the same process goes by.
    pub fn from_source(source: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        let source: Source = Arc::new(source);
        Self::of(Arc::clone(&source), source)
    }

    /// A clock that may be stepped, beside one that nobody steps.
    pub fn beside(
        source: impl Fn() -> Timestamp + Send + Sync + 'static,
        steady: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        Self::of(Arc::new(source), Arc::new(steady))
    }

    fn of(source: Source, steady: Source) -> Self {
        let (ahead_ms, stepped) = (Arc::default(), Arc::default());
        Self { source, steady, ahead_ms, stepped }
    }

    /// How far the source is from the clock that nobody steps: it changes when the source is set.
    pub fn offset(&self) -> Span {
        (self.source)() - (self.steady)()
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        (self.source)() + Span(self.ahead_ms.load(Ordering::Acquire))
    }

    /// Steps this clock and its copies forward. Whoever waits for a moment that has thereby come
    /// wakes up.
    pub fn advance(&self, span: Span) {
        self.ahead_ms.fetch_add(span.0.max(0), Ordering::AcqRel);
        self.stepped.notify_waiters();
    }

    /// Returns once `moment` has come, by this clock.
    pub async fn wait_until(&self, moment: Timestamp) {
        loop {
            let mut stepped = std::pin::pin!(self.stepped.notified());
            // Registered before the clock is read, so that no step falls between the two.
            stepped.as_mut().enable();
            let Ok(left_ms @ 1..) = u64::try_from((moment - self.now()).0) else { return };
            let slice = Duration::from_millis(left_ms).min(SLICE);
            tokio::select! {
                () = tokio::time::sleep(slice) => {}
                () = stepped => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wait_of_ten_minutes_ends_when_the_clock_is_stepped() {
        let clock = Clock::from_source(|| Timestamp(1_000));
        let waiter = tokio::spawn({
            let clock = clock.clone();
            async move { clock.wait_until(Timestamp(601_000)).await }
        });
        clock.advance(Span::minutes(10));
        waiter.await.expect("it returns");
        assert_eq!(clock.now(), Timestamp(601_000));
    }
}
