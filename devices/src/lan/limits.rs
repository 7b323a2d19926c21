//! How much one address on the clinic's network may ask, so that a broken or a curious machine does
//! not keep the box from measuring.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(60);
/// A page asks once a second; several tablets may stand behind one address.
const REQUESTS_MAX: u32 = 900;
/// Passes that are none. A page that was signed out tries once or twice.
const WRONG_MAX: u32 = 20;
/// Addresses counted at once. For one more the quietest is forgotten: it asked least, and showed the
/// fewest wrong passes.
const ADDRESSES_MAX: usize = 256;
/// Connections at once, in all and of one address. One more is closed.
const CONNECTIONS_MAX: usize = 64;
const CONNECTIONS_PER_IP_MAX: usize = 16;

#[derive(Debug, Clone, Copy)]
struct Count {
    since: Instant,
    requests: u32,
    wrong: u32,
}

#[derive(Debug, Default)]
struct Counted {
    by_address: BTreeMap<IpAddr, Count>,
    connections: BTreeMap<IpAddr, usize>,
}

/// Counts; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Limits(Arc<Mutex<Counted>>);

/// A connection's place, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    of: IpAddr,
    limits: Limits,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.limits.with(|counted| {
            if let Some(open) = counted.connections.get_mut(&self.of) {
                *open -= 1;
                if *open == 0 {
                    counted.connections.remove(&self.of);
                }
            }
        });
    }
}

impl Limits {
    fn with<T>(&self, change: impl FnOnce(&mut Counted) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A place for a connection, if there is one.
    pub(crate) fn connect(&self, from: IpAddr) -> Option<Place> {
        self.with(|counted| {
            let all: usize = counted.connections.values().sum();
            let own = counted.connections.get(&from).copied().unwrap_or(0);
            if all >= CONNECTIONS_MAX || own >= CONNECTIONS_PER_IP_MAX {
                return None;
            }
            counted.connections.insert(from, own + 1);
            Some(Place { of: from, limits: self.clone() })
        })
    }

    /// Whether one more request is answered.
    pub(crate) fn ask(&self, from: IpAddr, now: Instant) -> bool {
        self.with(|counted| {
            let Some(count) = counted.of(from, now) else { return false };
            count.requests = count.requests.saturating_add(1);
            count.requests <= REQUESTS_MAX && count.wrong < WRONG_MAX
        })
    }

    /// A pass was none.
    pub(crate) fn wrong(&self, from: IpAddr, now: Instant) {
        self.with(|counted| {
            if let Some(count) = counted.of(from, now) {
                count.wrong = count.wrong.saturating_add(1);
            }
        });
    }
}

impl Counted {
    fn of(&mut self, from: IpAddr, now: Instant) -> Option<&mut Count> {
        let is_over = |count: &Count| now.saturating_duration_since(count.since) >= WINDOW;
        if self.by_address.get(&from).is_none_or(is_over) {
            self.by_address.retain(|_, count| !is_over(count));
            let quietest =
                self.by_address.iter().min_by_key(|(_, count)| (count.wrong, count.requests));
            if self.by_address.len() >= ADDRESSES_MAX
                && let Some((quietest, _)) = quietest
            {
                let quietest = *quietest;
                self.by_address.remove(&quietest);
            }
            self.by_address.insert(from, Count { since: now, requests: 0, wrong: 0 });
        }
        self.by_address.get_mut(&from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn address(last: u8) -> IpAddr {
        Ipv4Addr::new(192, 0, 2, last).into()
    }

    #[test]
    fn whoever_shows_wrong_passes_waits_a_minute_and_nobody_else_does() {
        let (limits, begun) = (Limits::default(), Instant::now());
        for _ in 0..WRONG_MAX {
            assert!(limits.ask(address(1), begun));
            limits.wrong(address(1), begun);
        }
        assert!(!limits.ask(address(1), begun));
        assert!(limits.ask(address(2), begun));
        assert!(limits.ask(address(1), begun + WINDOW));
    }

    #[test]
    fn one_address_asks_so_much_and_has_so_many_connections() {
        let (limits, begun) = (Limits::default(), Instant::now());
        assert!((0..REQUESTS_MAX).all(|_| limits.ask(address(1), begun)));
        assert!(!limits.ask(address(1), begun));
        let places: Vec<_> = std::iter::from_fn(|| limits.connect(address(1))).collect();
        assert_eq!(places.len(), CONNECTIONS_PER_IP_MAX);
        assert!(limits.connect(address(2)).is_some());
        drop(places);
        assert!(limits.connect(address(1)).is_some());
    }

    #[test]
    fn more_addresses_than_can_be_counted_shut_nobody_out_and_free_nobody_who_has_to_wait() {
        let (limits, begun) = (Limits::default(), Instant::now());
        let bad = address(1);
        (0..WRONG_MAX).for_each(|_| limits.wrong(bad, begun));
        for number in 0..ADDRESSES_MAX {
            let bits = u32::try_from(number).expect("small");
            assert!(limits.ask(Ipv4Addr::from_bits(bits).into(), begun));
        }
        assert!(limits.ask(address(9), begun));
        assert!(!limits.ask(bad, begun));
    }
}
