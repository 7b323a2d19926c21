//! What a sender is told about its camera: PURE. More is asked for at once, less only when it has
//! lasted, so that a layer is not switched off and on with every change. It is told as well what
//! of that does not go out, because the link from it has no room.

use minato_protocol::media::{GivenUp, VideoWish, Wanted};
use std::time::{Duration, Instant};

/// How long less must have been enough.
const LESS_AFTER: Duration = Duration::from_secs(5);
/// How long something else must come before it is said.
const SAID_AFTER: Duration = Duration::from_secs(3);
/// The same of a picture that is only smaller: so long a call may take to find its way up.
const SMALLER_AFTER: Duration = Duration::from_secs(15);

/// The way from a sender.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outlet {
    /// The largest picture it has room for, and the largest that came lately.
    pub(crate) room: VideoWish,
    pub(crate) shown: VideoWish,
    /// The camera sends sizes to choose from.
    pub(crate) layered: bool,
}

/// What one sender was told last.
#[derive(Debug, Default)]
pub(crate) struct Demand {
    told: Option<Wanted>,
    less_since: Option<Instant>,
    missing: Option<GivenUp>,
    /// Something else that is missing than was said, and since when.
    differs: Option<(Option<GivenUp>, Instant)>,
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
        let given_up = self.missing;
        asked.map(|asked| Wanted { video: asked.video.min(outlet.room), given_up, ..asked })
    }

    /// What of the picture does not go out.
    pub(crate) fn missing(&self) -> Option<GivenUp> {
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
        let missing = |goes: VideoWish| match goes {
            _ if asked == VideoWish::Off => None,
            VideoWish::Off => Some(GivenUp::Picture),
            // A browser that sends less by itself may spare its processor: that says nothing of the
            // line.
            _ => (room < asked && layered).then_some(GivenUp::Size),
        };
        let (ordered, seen) = (missing(room), missing(room.min(shown)));
        if seen == self.missing {
            self.differs = None;
            return;
        }
        let same = self.differs.filter(|(missing, _)| *missing == seen);
        let (_, since) = *self.differs.insert(same.unwrap_or((seen, now)));
        let smaller = self.missing.is_none() && seen == Some(GivenUp::Size);
        let patience = match () {
            // No picture at all is by order: this needs no proof.
            () if ordered == Some(GivenUp::Picture) || asked == VideoWish::Off => Duration::ZERO,
            () if smaller => SMALLER_AFTER,
            () => SAID_AFTER,
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

        fn missing(&mut self, tenths: u32, room: VideoWish, shown: VideoWish) -> Option<GivenUp> {
            self.after(tenths, room, shown).and_then(|told| told.given_up)
        }
    }

    #[test]
    fn a_picture_that_is_taken_back_is_said_with_the_order_and_a_smaller_one_once_it_lasts() {
        let mut sender = Sender::new();
        assert_eq!(sender.missing(10, Full, Full), None);
        assert_eq!(sender.after(140, Quarter, Quarter), Some(Wanted::of(Quarter)));
        let less = Wanted { given_up: Some(GivenUp::Size), ..Wanted::of(Quarter) };
        assert_eq!(sender.after(15, Quarter, Quarter), Some(less));
        let none = Wanted { given_up: Some(GivenUp::Picture), ..Wanted::of(Off) };
        assert_eq!(sender.after(1, Off, Quarter), Some(none));
        assert_eq!(sender.missing(50, Half, Off), Some(GivenUp::Picture), "nothing came yet");
        assert_eq!(sender.missing(25, Half, Half), Some(GivenUp::Picture), "for a moment");
        assert_eq!(sender.missing(10, Half, Half), Some(GivenUp::Size), "said before, so at once");
        assert_eq!(sender.missing(35, Full, Full), None);
    }

    #[test]
    fn a_smaller_picture_that_a_browser_chose_itself_is_no_word_about_the_line_and_none_at_all_is()
    {
        let mut sender = Sender::new();
        assert_eq!(sender.missing(10, Full, Full), None);
        for _ in 0..5 {
            assert_eq!(sender.missing(140, Full, Half), None, "it comes and goes");
            assert_eq!(sender.missing(20, Full, Off), None);
            assert_eq!(sender.missing(1, Full, Full), None);
        }
        assert_eq!(sender.missing(300, Full, Half), None);
        assert_eq!(sender.missing(35, Full, Off), Some(GivenUp::Picture));
        assert_eq!(sender.missing(35, Full, Full), None);
    }

    #[test]
    fn nothing_is_missing_of_what_nobody_asks_for() {
        let mut sender = Sender::new();
        sender.needed = Some(Wanted::of(Quarter));
        assert_eq!(sender.missing(200, Quarter, Quarter), None);
        assert_eq!(sender.missing(1, Off, Off), Some(GivenUp::Picture));
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
