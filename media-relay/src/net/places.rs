//! Room for connections: so many in all, so many of one address. Of IPv6 the network counts: whoever
//! has one address there has a whole /64 of them.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// A count of what is open. Clones share it.
#[derive(Debug, Clone)]
pub struct Places {
    of_all_max: usize,
    of_one_max: usize,
    open: Arc<Mutex<Open>>,
}

#[derive(Debug, Default)]
struct Open {
    of_all: usize,
    by_ip: HashMap<IpAddr, usize>,
}

impl Places {
    /// At most so many of all addresses and of each.
    pub fn new(of_all_max: usize, of_one_max: usize) -> Self {
        Self { of_all_max, of_one_max, open: Arc::default() }
    }

    /// One more place, unless there are too many already.
    pub fn enter(&self, ip: IpAddr) -> Option<Place> {
        let ip = network(ip.to_canonical());
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let of_one = open.by_ip.get(&ip).copied().unwrap_or_default();
        if open.of_all >= self.of_all_max || of_one >= self.of_one_max {
            return None;
        }
        open.of_all += 1;
        open.by_ip.insert(ip, of_one + 1);
        drop(open);
        Some(Place { places: self.clone(), ip })
    }

    /// Places that are taken.
    pub fn taken(&self) -> usize {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).of_all
    }
}

fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
    }
}

/// Given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    places: Places,
    ip: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.places.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.of_all = open.of_all.saturating_sub(1);
        if let Some(of_one) = open.by_ip.get_mut(&self.ip) {
            *of_one = of_one.saturating_sub(1);
            if *of_one == 0 {
                open.by_ip.remove(&self.ip);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    #[test]
    fn one_address_cannot_take_every_place_and_gives_back_what_it_had() {
        let places = Places::new(3, 2);
        let first = places.enter(ONE).unwrap();
        let _second = places.enter(ONE).unwrap();
        assert!(places.enter(ONE).is_none(), "two of one address");
        let mapped = "::ffff:192.0.2.1".parse().unwrap();
        assert!(places.enter(mapped).is_none(), "however it is written");
        let _other = places.enter([192, 0, 2, 2].into()).unwrap();
        assert!(places.enter([192, 0, 2, 3].into()).is_none(), "three of all");
        drop(first);
        assert_eq!(places.taken(), 2);
        assert!(places.enter(ONE).is_some());
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one() {
        let places = Places::new(9, 1);
        let ip = |text: &str| text.parse().unwrap();
        let _one = places.enter(ip("2001:db8::1")).unwrap();
        assert!(places.enter(ip("2001:db8::2")).is_none());
        assert!(places.enter(ip("2001:db8:0:1::1")).is_some());
    }

    #[test]
    fn nothing_is_kept_of_who_has_gone() {
        let places = Places::new(3, 2);
        drop(places.enter(ONE));
        assert!(places.open.lock().unwrap().by_ip.is_empty());
        assert_eq!(places.taken(), 0);
    }
}
