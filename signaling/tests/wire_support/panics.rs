//! Counts panics in the broker's threads: a server that catches them has failed all the same.

use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

pub(super) const THREAD: &str = "broker";
static PANICS: AtomicUsize = AtomicUsize::new(0);
static HOOK: Once = Once::new();

/// From here on every panic in a thread of that name is remembered.
pub(super) fn count() {
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().name() == Some(THREAD) {
                PANICS.fetch_add(1, Ordering::SeqCst);
            }
            usual(panic);
        }));
    });
}

pub(super) fn assert_none() {
    assert_eq!(PANICS.load(Ordering::SeqCst), 0, "the broker panicked");
}
