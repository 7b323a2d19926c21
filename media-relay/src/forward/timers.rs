//! When sessions want to be called: PURE.

use super::addresses::Key;
use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

/// One time for each session that has any.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    in_order: BTreeSet<(Instant, Key)>,
    at_by_key: HashMap<Key, Instant>,
}

impl Timers {
    /// A session is called at `at` or before. What was to come before stays: a session whose time
    /// has moved on says so when it is called, which is cheaper than to be moved with every packet.
    pub(crate) fn call(&mut self, key: Key, at: Instant) {
        match self.at_by_key.get(&key) {
            Some(earlier) if *earlier <= at => return,
            Some(_) => self.forget(key),
            None => {}
        }
        self.in_order.insert((at, key));
        self.at_by_key.insert(key, at);
    }

    /// A session is called no more.
    pub(crate) fn forget(&mut self, key: Key) {
        if let Some(at) = self.at_by_key.remove(&key) {
            self.in_order.remove(&(at, key));
        }
    }

    /// When the first is called.
    pub(crate) fn first(&self) -> Option<Instant> {
        self.in_order.first().map(|(at, _)| *at)
    }

    /// The next to be called by now; its time is used up.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Key> {
        let (_, key) = self.in_order.first().copied().filter(|(at, _)| *at <= now)?;
        self.forget(key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_session_is_called_once_at_the_earliest_of_its_times() {
        let (mut timers, start) = (Timers::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        timers.call(Key(1), at(5));
        timers.call(Key(2), at(7));
        timers.call(Key(1), at(9));
        timers.call(Key(2), at(3));
        assert_eq!(timers.first(), Some(at(3)));
        assert_eq!(timers.due(at(2)), None);
        assert_eq!(timers.due(at(6)), Some(Key(2)));
        assert_eq!(timers.due(at(6)), Some(Key(1)));
        assert_eq!(timers.due(at(60)), None);
        timers.call(Key(1), at(9));
        timers.forget(Key(1));
        assert_eq!(timers.first(), None);
    }
}
