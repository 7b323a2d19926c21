//! The way to one page: what is known of it, and what was decided from that.

use super::pause::Pause;
use crate::ladder::{Ladder, Link, Needs, Plan};
use minato_protocol::media::{LadderStep, VideoWish};
use std::time::{Duration, Instant};

/// Rates worth trying for are told to the estimator again when they differ by this share.
const WORTH_TELLING: u64 = 10;

/// What a link that a page has moved to is taken for at least, until it was measured.
const MOVED_BPS: u64 = 150_000;

/// The link to a page.
#[derive(Debug, Default)]
pub(crate) struct Downlink {
    ladder: Ladder,
    /// The estimate; it means nothing before the page has reported what arrived.
    guess_bps: Option<u64>,
    reported: bool,
    loss: f32,
    rtt: Option<Duration>,
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

    /// The page is on another link: what was known of the old one does not hold. Answers with
    /// what the new one is taken for.
    pub(crate) fn moved(&mut self) -> Option<u64> {
        self.reported = false;
        self.loss = 0.0;
        self.guess_bps = self.guess_bps.map(|bps| (bps / 2).max(MOVED_BPS));
        self.guess_bps
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
        let (loss, rtt) = (self.loss, self.rtt);
        let link = Link { estimate_bps: self.estimate_bps(), loss, rtt };
        self.plan = self.ladder.look(&link, needs, self.pin, now);
    }

    /// The rates worth trying for, if the estimator has to be told.
    pub(crate) fn worth_bps(&mut self, needs: &Needs, now: Instant) -> Option<(u64, u64)> {
        let new = self.ladder.worth_bps(needs, now);
        let differs = |old: u64, new: u64| old.abs_diff(new) > old.max(new) / WORTH_TELLING;
        let told = self.told_bps;
        let news = differs(told.0, new.0) || differs(told.1, new.1);
        news.then(|| {
            self.told_bps = new;
            new
        })
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

    /// Whether sound is sent.
    pub(crate) fn sounds(&self) -> bool {
        self.plan.step > LadderStep::TextOnly
    }
}
