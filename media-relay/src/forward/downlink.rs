//! The way to one page: what is known of it, and what was decided from that.

use super::pause::Pause;
use crate::ladder::{Ladder, Link, Needs, Plan};
use minato_protocol::media::{LadderStep, VideoWish};
use std::time::{Duration, Instant};

/// Rates worth trying for are told to the estimator again when they differ by this share.
const WORTH_TELLING: u64 = 10;

/// What a link that a page has moved to is taken for at least, until it was measured.
const MOVED_BPS: u64 = 150_000;

/// The shortest round trip is forgotten at this pace: a link may have become a longer one. A queue
/// that stands is acted upon long before it is taken for that.
const SHORTEST_GROWS_MS_A_SECOND: f32 = 10.0;
/// What a link that has room for a voice only is taken for.
const NARROW_BPS: u64 = 12_000;
/// What is wished for there: the estimator probes up to twice as much, but never below 5 kbit/s.
const NO_PROBES_BPS: u64 = 2_000;
/// Of so many of the latest round trips the shortest counts: one is longer by chance, as when a
/// report was lost.
const TRIPS: usize = 4;

/// The link to a page.
#[derive(Debug, Default)]
pub(crate) struct Downlink {
    ladder: Ladder,
    /// The estimate; it means nothing before the page has reported what arrived.
    guess_bps: Option<u64>,
    reported: bool,
    loss: f32,
    rtt: Option<Duration>,
    /// The latest round trips, each with how long it waited on the way back, and the shortest of
    /// late with when that was looked at.
    trips: [Option<(Duration, Duration)>; TRIPS],
    shortest: Option<(Duration, Instant)>,
    told_bps: (u64, u64),
    pause: Pause,
    pub(crate) plan: Plan,
    /// What a doctor chose.
    pub(crate) pin: Option<LadderStep>,
}

impl Downlink {
    /// The estimator spoke.
    pub(crate) fn estimated(&mut self, bps: u64) {
        self.guess_bps = Some(bps);
    }

    /// The page reported what arrived; `loss` is `None` where it does not.
    pub(crate) fn measured(&mut self, loss: Option<f32>, rtt: Option<Duration>) {
        if let Some(loss) = loss.filter(|_| !self.pause.holds()) {
            self.reported = true;
            self.loss = loss;
        }
        self.rtt = rtt.or(self.rtt);
    }

    /// How long what was sent last took to be acknowledged, `uplink` of that in a queue on the way
    /// back.
    pub(crate) fn took(&mut self, trip: Duration, uplink: Option<Duration>, now: Instant) {
        let again = self.trips[0].is_some_and(|(before, _)| before == trip);
        if !again {
            self.trips.rotate_right(1);
            self.trips[0] = Some((trip, uplink.unwrap_or_default()));
        }
        let shortest = self.shortest.map_or(trip, |(shortest, at)| {
            let passed = now.saturating_duration_since(at).as_secs_f32();
            let grown = Duration::from_secs_f32(passed * SHORTEST_GROWS_MS_A_SECOND / 1_000.0);
            trip.min(shortest + grown)
        });
        self.shortest = Some((shortest, now));
    }

    /// The way back takes so much longer than it did: what was taken for a queue there is none.
    pub(crate) fn way_back_is_longer(&mut self, by: Duration) {
        self.shortest = self.shortest.map(|(shortest, at)| (shortest + by, at));
        for (_, back) in self.trips.iter_mut().flatten() {
            *back = back.saturating_sub(by);
        }
    }

    /// How long packets wait on their way to the page and back, in all.
    pub(crate) fn waits(&self) -> Option<Duration> {
        let (shortest, _) = self.shortest?;
        let trips = self.trips.iter().flatten();
        Some(trips.map(|(trip, _)| *trip).min()?.saturating_sub(shortest))
    }

    /// How long packets wait on the way to the page, as far as the wait on the way back does not
    /// account for it.
    pub(crate) fn queue(&self) -> Option<Duration> {
        let (shortest, _) = self.shortest?;
        let there = |(trip, back): &(Duration, Duration)| {
            let waited = trip.saturating_sub(shortest);
            waited.saturating_sub(*back)
        };
        self.trips.iter().flatten().map(there).min()
    }

    /// The page is on another link: what was known of the old one does not hold. Answers with
    /// what the new one is taken for.
    pub(crate) fn moved(&mut self) -> Option<u64> {
        self.reported = false;
        self.loss = 0.0;
        (self.trips, self.shortest) = ([None; TRIPS], None);
        self.guess_bps = self.guess_bps.map(|bps| (bps / 2).max(MOVED_BPS));
        self.guess_bps
    }

    /// What the estimator has to begin anew from, if it must be kept small: up to its estimate,
    /// and to 50 kbit/s, str0m fills a link with padding, and that is the voice's room here.
    pub(crate) fn spares(&mut self) -> Option<u64> {
        let too_much = self.estimate_bps().is_some_and(|bps| bps > NARROW_BPS * 2);
        if !too_much || !self.has_room_for_a_voice_only() {
            return None;
        }
        self.guess_bps = Some(NARROW_BPS);
        Some(NARROW_BPS)
    }

    fn has_room_for_a_voice_only(&self) -> bool {
        self.ladder.is_narrow() && self.plan.step <= LadderStep::AudioOnly
    }

    /// The round trip, where it is known.
    pub(crate) fn rtt(&self) -> Option<Duration> {
        self.rtt
    }

    /// Whether the page is heard and has anything to be shown; answers with what its link is taken
    /// for again after a pause.
    pub(crate) fn pauses(&mut self, away: bool, needs: &Needs, now: Instant) -> Option<u64> {
        let bps = self.pause.look(away, needs.full_bps == 0, self.estimate_bps(), now)?;
        (self.guess_bps, self.reported, self.loss) = (Some(bps), false, 0.0);
        Some(bps)
    }

    /// What the link carries, in bit/s, once that is known.
    pub(crate) fn estimate_bps(&self) -> Option<u64> {
        self.guess_bps.filter(|_| self.reported && !self.pause.holds())
    }

    /// Looks at the link anew and plans.
    pub(crate) fn look(&mut self, needs: &Needs, now: Instant) {
        let (loss, rtt, queue) = (self.loss, self.rtt, self.queue());
        let link = Link { estimate_bps: self.estimate_bps(), loss, rtt, queue };
        self.plan = self.ladder.look(&link, needs, self.pin, now);
    }

    /// The rates worth trying for, if the estimator has to be told.
    pub(crate) fn worth_bps(&mut self, needs: &Needs, now: Instant) -> Option<(u64, u64)> {
        let new = match self.has_room_for_a_voice_only() {
            true => (0, NO_PROBES_BPS),
            false => self.ladder.worth_bps(needs, now),
        };
        let differs = |old: u64, new: u64| old.abs_diff(new) > old.max(new) / WORTH_TELLING;
        let told = self.told_bps;
        let news = differs(told.0, new.0) || differs(told.1, new.1);
        news.then(|| {
            self.told_bps = new;
            new
        })
    }

    /// Whether room for the next step is tried for now.
    pub(crate) fn climbs(&self) -> bool {
        self.told_bps.0 > 0
    }

    /// The largest picture that is sent.
    pub(crate) fn cap(&self) -> VideoWish {
        match self.plan.step {
            LadderStep::TextOnly | LadderStep::AudioOnly | LadderStep::Stills => VideoWish::Off,
            LadderStep::Thumbnail => VideoWish::Quarter,
            LadderStep::Small => VideoWish::Half,
            LadderStep::Full => VideoWish::Full,
        }
    }

    /// Whether the link itself has no room for waves. What a pin takes away before anything is known
    /// of the link says nothing of it.
    pub(crate) fn lacks_room_for_waves(&self) -> bool {
        !self.plan.waves && self.estimate_bps().is_some()
    }

    /// Whether sound is sent.
    pub(crate) fn sounds(&self) -> bool {
        self.plan.step > LadderStep::TextOnly
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn what_waited_on_the_way_back_is_no_queue_on_the_way_there() {
        let (mut link, mut now) = (Downlink::default(), Instant::now());
        let mut took = |trip_ms: u32, back_ms: u32| {
            now += MS * 500;
            link.took(MS * trip_ms, Some(MS * back_ms), now);
            link.queue().expect("known").as_millis()
        };
        assert_eq!(took(100, 0), 0);
        assert_eq!([took(1_100, 500), took(1_101, 500), took(1_102, 500)], [0; 3], "not for one");
        assert!((470..=500).contains(&took(1_103, 500)));
        assert!((470..=500).contains(&took(1_103, 0)), "the same one again says nothing new");
        assert!(took(605, 480) < 20, "the way there is empty again");
        assert!(took(110, 0) < 20);
    }

    #[test]
    fn a_way_back_that_has_become_longer_is_neither_a_queue_there_nor_here() {
        let (mut link, start) = (Downlink::default(), Instant::now());
        for (second, trip_ms, back_ms) in [(0, 100, 0), (1, 400, 300), (2, 401, 300), (3, 402, 300)]
        {
            link.took(MS * trip_ms, Some(MS * back_ms), start + MS * 1_000 * second);
        }
        link.way_back_is_longer(MS * 300);
        let known = [link.waits(), link.queue()].map(|wait| wait.expect("known").as_millis());
        assert_eq!(known, [0, 0]);
    }

    #[test]
    fn waves_that_a_pin_takes_away_are_not_the_links_doing() {
        let (mut link, now) = (Downlink::default(), Instant::now());
        let needs = Needs { audio_bps: 30_000, waves_bps: 20_000, ..Needs::default() };
        link.pin = Some(LadderStep::TextOnly);
        link.look(&needs, now);
        assert!(!link.plan.waves && !link.lacks_room_for_waves());
        link.estimated(40_000);
        link.measured(Some(0.0), None);
        link.look(&needs, now);
        assert!(link.lacks_room_for_waves());
    }
}
