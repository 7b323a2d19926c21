//! What a sender is told about its camera: PURE. More is asked for at once, less only when it has
//! lasted, so that a layer is not switched off and on with every change.

use minato_protocol::media::Wanted;
use std::time::{Duration, Instant};

/// How long less must have been enough.
const LESS_AFTER: Duration = Duration::from_secs(5);

/// What one sender was told last.
#[derive(Debug, Default)]
pub(crate) struct Demand {
    told: Option<Wanted>,
    less_since: Option<Instant>,
}

impl Demand {
    /// Takes what is needed now, `None` while nobody could see the camera; answers with what the
    /// sender is to be told.
    pub(crate) fn tell(&mut self, needed: Option<Wanted>, now: Instant) -> Option<Wanted> {
        let less = match (self.told, needed) {
            (Some(told), Some(needed)) => needed.video < told.video,
            _ => false,
        };
        if !less {
            self.less_since = None;
            self.told = needed;
            return self.told;
        }
        let since = *self.less_since.get_or_insert(now);
        if now.saturating_duration_since(since) >= LESS_AFTER {
            self.less_since = None;
            self.told = needed;
        }
        self.told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use minato_protocol::media::VideoWish::{self, Full, Half};

    #[test]
    fn more_is_asked_for_at_once_and_less_after_a_while() {
        let (mut demand, start) = (Demand::default(), Instant::now());
        let needs = |video: VideoWish| Some(Wanted { video, stills: false });
        assert_eq!(demand.tell(needs(Half), start), needs(Half));
        assert_eq!(demand.tell(needs(Full), start), needs(Full));
        assert_eq!(demand.tell(needs(Half), start), needs(Full));
        assert_eq!(demand.tell(needs(Half), start + LESS_AFTER), needs(Half));
        assert_eq!(demand.tell(None, start + LESS_AFTER), None);
    }
}
