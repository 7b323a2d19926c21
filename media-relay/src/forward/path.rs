//! Where a page's media goes when its address changes in the middle of a call: PURE.
//!
//! A page sends media only on the candidate pair it has chosen. When the address in use has fallen
//! silent and media comes from another that ICE has verified, media goes back to where it comes
//! from, long before ICE gives the old pair up. STUN keeps its own ways.

use crate::net::Way;
use std::time::{Duration, Instant};

/// How long the address in use must have been silent.
const SILENCE: Duration = Duration::from_millis(300);
/// Least time between two changes.
const REST: Duration = Duration::from_secs(1);

/// The address of one page.
#[derive(Debug, Default)]
pub(crate) struct Path {
    /// Where ICE sends media.
    ice: Option<Way>,
    /// Where media goes instead.
    instead: Option<Way>,
    /// When media last came from the address in use.
    heard: Option<Instant>,
    changed: Option<Instant>,
}

impl Path {
    /// Media goes out to where ICE says; answers with where it goes.
    pub(crate) fn toward(&mut self, ice: Way) -> Way {
        if self.ice != Some(ice) {
            *self = Self { ice: Some(ice), heard: self.heard, ..Self::default() };
        }
        self.instead.unwrap_or(ice)
    }

    /// Media came from a verified address. Answers whether the page has moved there.
    pub(crate) fn heard(&mut self, from: Way, now: Instant) -> bool {
        let Some(current) = self.instead.or(self.ice) else { return false };
        if from == current {
            self.heard = Some(now);
            return false;
        }
        let heard = *self.heard.get_or_insert(now);
        let silent = now.saturating_duration_since(heard) >= SILENCE;
        let rested = self.changed.is_none_or(|at| now.saturating_duration_since(at) >= REST);
        if !silent || !rested {
            return false;
        }
        self.instead = Some(from).filter(|from| Some(*from) != self.ice);
        self.heard = Some(now);
        self.changed = Some(now);
        true
    }

    /// ICE starts anew: its own choice counts again.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> Way {
        Way::udp(([203, 0, 113, 1], port).into())
    }

    const WIFI: u16 = 1;
    const LTE: u16 = 2;

    #[test]
    fn media_follows_a_page_that_moves_and_comes_back_to_the_same_port() {
        let (mut path, start) = (Path::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        assert_eq!(path.toward(address(WIFI)), address(WIFI));
        assert!(!path.heard(address(WIFI), at(0)));
        assert!(!path.heard(address(LTE), at(100)), "both may be alive for a moment");
        assert!(path.heard(address(LTE), at(400)));
        assert_eq!(path.toward(address(WIFI)), address(LTE), "whatever ICE says");
        assert!(!path.heard(address(LTE), at(1_500)));
        assert!(!path.heard(address(WIFI), at(1_600)));
        assert!(path.heard(address(WIFI), at(1_900)));
        assert_eq!(path.toward(address(WIFI)), address(WIFI));
    }

    #[test]
    fn a_busy_address_is_not_left_and_changes_rest() {
        let (mut path, start) = (Path::default(), Instant::now());
        path.toward(address(WIFI));
        for ms in (0..5_000).step_by(20) {
            let now = start + Duration::from_millis(ms);
            path.heard(address(WIFI), now);
            assert!(!path.heard(address(LTE), now));
        }
        let late = start + Duration::from_secs(6);
        assert!(path.heard(address(LTE), late));
        assert!(!path.heard(address(WIFI), late + Duration::from_millis(400)), "too soon");
    }

    #[test]
    fn the_way_that_ice_finds_itself_ends_the_detour() {
        let (mut path, start) = (Path::default(), Instant::now());
        path.toward(address(WIFI));
        path.heard(address(WIFI), start);
        assert!(path.heard(address(LTE), start + SILENCE));
        assert_eq!(path.toward(address(9)), address(9));
        assert_eq!(path.toward(address(9)), address(9));
    }
}
