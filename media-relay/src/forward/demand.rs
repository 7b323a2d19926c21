//! What a sender is told about its camera: PURE. More is asked for at once, less only when it has
//! lasted, so that a layer is not switched off and on with every change. It is told as well what
//! of that does not go out: because the link from it has no room, or for a reason that nobody here
//! knows. A browser spares its processor, or takes its line for a narrower one than it is.

use minato_protocol::media::{GivenUp, VideoWish, Wanted};
use std::time::{Duration, Instant};

/// How long less must have been enough.
const LESS_AFTER: Duration = Duration::from_secs(5);
/// How long something else must come before it is said.
const SAID_AFTER: Duration = Duration::from_secs(3);
/// The same of a picture that is only smaller: so long a call may take to find its way up.
const SMALLER_AFTER: Duration = Duration::from_secs(12);
/// The same of all that is asked for.
const WHOLE_AFTER: Duration = Duration::from_secs(2);

/// The way from a sender.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outlet {
    /// The largest picture it has room for, and the largest that came lately.
    pub(crate) room: VideoWish,
    pub(crate) shown: VideoWish,
    /// The camera sends sizes to choose from.
    pub(crate) layered: bool,
}

/// What of a picture that is asked for does not go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Missing {
    /// Its size, or the picture.
    pub(crate) what: GivenUp,
    /// The sender's own link has no room for it.
    pub(crate) own_link: bool,
}

/// What one sender was told last.
#[derive(Debug, Default)]
pub(crate) struct Demand {
    told: Option<Wanted>,
    less_since: Option<Instant>,
    missing: Option<Missing>,
    /// Something else that is missing than was said, and since when.
    differs: Option<(Option<Missing>, Instant)>,
}

impl Demand {
    /// Takes what is needed now, `None` while nobody could see the camera; answers with what the
    /// sender is to be told.
    pub(crate) fn tell(
        &mut self,
        needed: Option<Wanted>,
        outlet: Outlet,
        now: Instant,
    ) -> Option<Wanted> {
        let asked = self.ask(needed, now);
        self.miss(asked.map_or(VideoWish::Off, |asked| asked.video), outlet, now);
        let given_up = self.missing.map(|missing| missing.what);
        let own_link = self.missing.is_some_and(|missing| missing.own_link);
        let told = |asked: Wanted| Wanted { video: asked.video.min(outlet.room), ..asked };
        asked.map(|asked| Wanted { given_up, own_link, ..told(asked) })
    }

    /// What of the picture does not go out.
    pub(crate) fn missing(&self) -> Option<Missing> {
        self.missing
    }

    fn ask(&mut self, needed: Option<Wanted>, now: Instant) -> Option<Wanted> {
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

    fn miss(&mut self, asked: VideoWish, outlet: Outlet, now: Instant) {
        let Outlet { room, shown, layered } = outlet;
        let what = |goes: VideoWish| match goes {
            _ if asked == VideoWish::Off => None,
            VideoWish::Off => Some(GivenUp::Picture),
            _ => (goes < asked && layered).then_some(GivenUp::Size),
        };
        let missing = |goes| what(goes).map(|what| Missing { what, own_link: room < asked });
        let (ordered, seen) = (missing(room), missing(room.min(shown)));
        if seen == self.missing {
            self.differs = None;
            return;
        }
        let same = self.differs.filter(|(missing, _)| *missing == seen);
        let (_, since) = *self.differs.insert(same.unwrap_or((seen, now)));
        let is = |missing: Option<Missing>, what| missing.is_some_and(|known| known.what == what);
        let patience = match self.missing {
            // No picture at all is by order: this needs no proof.
            _ if is(ordered, GivenUp::Picture) || asked == VideoWish::Off => Duration::ZERO,
            None if is(seen, GivenUp::Size) => SMALLER_AFTER,
            _ if seen.is_none() => WHOLE_AFTER,
            _ => SAID_AFTER,
        };
        if now.saturating_duration_since(since) >= patience {
            (self.missing, self.differs) = (seen, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use VideoWish::{Full, Half, Off, Quarter};

    const WIDE: Outlet = Outlet { room: Full, shown: Full, layered: true };

    #[test]
    fn more_is_asked_for_at_once_and_less_after_a_while() {
        let (mut demand, start) = (Demand::default(), Instant::now());
        let needs = |video: VideoWish| Some(Wanted::of(video));
        let mut tell = |needed, now| demand.tell(needed, WIDE, now);
        assert_eq!(tell(needs(Half), start), needs(Half));
        assert_eq!(tell(needs(Full), start), needs(Full));
        assert_eq!(tell(needs(Half), start), needs(Full));
        assert_eq!(tell(needs(Half), start + LESS_AFTER), needs(Half));
        assert_eq!(tell(None, start + LESS_AFTER), None);
    }

    /// Tells a sender of whom the full picture is needed, every tenth of a second, how it stands.
    struct Sender {
        demand: Demand,
        now: Instant,
        needed: Option<Wanted>,
    }

    impl Sender {
        fn new() -> Self {
            let needed = Some(Wanted::of(Full));
            Self { demand: Demand::default(), now: Instant::now(), needed }
        }

        /// What it is told after so long.
        fn after(&mut self, tenths: u32, room: VideoWish, shown: VideoWish) -> Option<Wanted> {
            let mut told = None;
            for _ in 0..tenths {
                self.now += Duration::from_millis(100);
                told =
                    self.demand.tell(self.needed, Outlet { room, shown, layered: true }, self.now);
            }
            told
        }

        fn missing(&mut self, tenths: u32, room: VideoWish, shown: VideoWish) -> Option<Missing> {
            let told = self.after(tenths, room, shown);
            let said = self.demand.missing();
            assert_eq!(told.and_then(|told| told.given_up), said.map(|said| said.what));
            assert_eq!(
                told.map(|told| told.own_link),
                said.map(|said| said.own_link).or(Some(false))
            );
            said
        }
    }

    const fn no_room(what: GivenUp) -> Option<Missing> {
        Some(Missing { what, own_link: true })
    }

    const fn unexplained(what: GivenUp) -> Option<Missing> {
        Some(Missing { what, own_link: false })
    }

    #[test]
    fn a_picture_that_is_taken_back_is_said_with_the_order_and_a_smaller_one_once_it_lasts() {
        let mut sender = Sender::new();
        assert_eq!(sender.missing(10, Full, Full), None);
        assert_eq!(sender.after(115, Quarter, Quarter), Some(Wanted::of(Quarter)));
        assert_eq!(sender.missing(10, Quarter, Quarter), no_room(GivenUp::Size));
        assert_eq!(sender.after(1, Quarter, Quarter).map(|told| told.video), Some(Quarter));
        assert_eq!(sender.missing(1, Off, Quarter), no_room(GivenUp::Picture));
        assert_eq!(sender.missing(50, Half, Off), no_room(GivenUp::Picture), "nothing came yet");
        assert_eq!(sender.missing(25, Half, Half), no_room(GivenUp::Picture), "for a moment");
        assert_eq!(sender.missing(10, Half, Half), no_room(GivenUp::Size), "said before");
        assert_eq!(sender.missing(25, Full, Full), None);
    }

    #[test]
    fn what_a_browser_spares_by_itself_is_said_once_it_has_lasted_and_not_of_the_line() {
        let mut sender = Sender::new();
        assert_eq!(sender.missing(10, Full, Full), None);
        for _ in 0..5 {
            assert_eq!(sender.missing(110, Full, Half), None, "it comes and goes");
            assert_eq!(sender.missing(20, Full, Off), None);
            assert_eq!(sender.missing(1, Full, Full), None);
        }
        assert_eq!(sender.missing(125, Full, Half), unexplained(GivenUp::Size));
        assert_eq!(sender.missing(35, Full, Off), unexplained(GivenUp::Picture));
        assert_eq!(sender.missing(35, Full, Quarter), unexplained(GivenUp::Size));
        assert_eq!(sender.missing(15, Full, Full), unexplained(GivenUp::Size), "for a moment");
        assert_eq!(sender.missing(10, Full, Full), None);
    }

    #[test]
    fn a_line_is_named_for_as_long_as_it_has_no_room_and_no_longer() {
        let mut sender = Sender::new();
        assert_eq!(sender.missing(130, Half, Half), no_room(GivenUp::Size));
        assert_eq!(sender.missing(25, Full, Half), no_room(GivenUp::Size), "for a moment");
        assert_eq!(sender.missing(10, Full, Half), unexplained(GivenUp::Size));
        assert_eq!(sender.missing(300, Full, Half), unexplained(GivenUp::Size));
        assert_eq!(sender.missing(35, Half, Half), no_room(GivenUp::Size));
    }

    #[test]
    fn nothing_is_missing_of_what_nobody_asks_for() {
        let mut sender = Sender::new();
        sender.needed = Some(Wanted::of(Quarter));
        assert_eq!(sender.missing(200, Quarter, Quarter), None);
        assert_eq!(sender.missing(1, Off, Off), no_room(GivenUp::Picture));
        sender.needed = None;
        assert_eq!(sender.after(1, Off, Off), None);
        assert_eq!(sender.demand.missing(), None);
    }

    #[test]
    fn a_camera_of_one_size_is_never_said_to_be_smaller() {
        let outlet = Outlet { room: Half, shown: Full, layered: false };
        let (mut demand, start) = (Demand::default(), Instant::now());
        for tenths in 0..200 {
            let now = start + Duration::from_millis(100) * tenths;
            demand.tell(Some(Wanted::of(Full)), outlet, now);
        }
        assert_eq!(demand.missing(), None);
    }
}
