//! What of a call a thin link gets: PURE. From what a link carries and what everything costs to
//! one step, in this order: live sound, live numbers, waves, stills, moving pictures. A backlog of readings
//! goes from the clinic's gateway to signaling: it sees to it itself that it stands in nobody's way.
//!
//! Sound is on every step that a link decides; without it there is only what a doctor pins. How it
//! is sent is decided apart from the step, by what the link loses and how it queues.
//! Down within three seconds, up not oftener than once in fifteen, and after a step up that did
//! not last, later still. A doctor may pin the step; sound comes first even then.

mod camera;
mod narrowing;
mod needs;
mod voice;

pub(crate) use camera::CameraWay;
pub(crate) use needs::{Needs, STEPS};
pub(crate) use voice::{Manner, VoiceWay, Way};

use minato_protocol::media::{Cause, LadderStep};
use needs::{NO_TOLL, Toll};
use std::time::{Duration, Instant};

/// How long a step may cost more than there is. A link that worsens while a smaller fall is being
/// waited for takes two of these, and three seconds must be enough for both.
const FALL_AFTER: Duration = Duration::from_millis(1_400);
/// The same when the step costs twice what there is, or sound is in danger.
const FALL_FAST: Duration = Duration::from_millis(500);
/// Least time on a step before one up.
pub(crate) const RISE_WAIT: Duration = Duration::from_secs(15);
/// The most it grows to, doubled after each step up that did not last.
const RISE_WAIT_MAX: Duration = Duration::from_secs(120);
/// How long the higher step must have fitted. In this time it is probed for.
const RISE_AFTER: Duration = Duration::from_secs(5);
/// An estimate starts low and grows. For so long a step may cost more than it says, in percent,
/// unless sound is in danger; and what was given up until then may come back without the rest.
const GROWS_FOR: Duration = Duration::from_secs(5);
const GROWING_PERCENT: u64 = 50;
/// A step up that lasted less was a mistake.
const RISE_LASTS: Duration = Duration::from_secs(30);
/// A step up must fit with this much to spare, in percent.
const RISE_PERCENT: u64 = 125;
/// From this loss and round trip on, pictures come broken: what is asked for again comes too
/// late and keyframes follow on keyframes, which costs about as much again.
const BROKEN_LOSS: f32 = 0.03;
const BROKEN_RTT: Duration = Duration::from_millis(400);

/// What is known of a link. Loss is 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Link {
    /// What it carries, in bit/s; `None` while nothing was measured.
    pub(crate) estimate_bps: Option<u64>,
    pub(crate) loss: f32,
    pub(crate) rtt: Option<Duration>,
    /// How long packets wait in a queue on the way, where that is known.
    pub(crate) queue: Option<Duration>,
}

/// What a receiver gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) step: LadderStep,
    /// Why not a higher one; `None` on the highest.
    pub(crate) because: Option<Cause>,
    /// How voices should come.
    pub(crate) voice: Manner,
    /// Waves fit.
    pub(crate) waves: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self { step: LadderStep::Full, because: None, voice: Manner::default(), waves: true }
    }
}

/// Something that must hold for a while before it counts, and the step it speaks for.
#[derive(Debug, Clone, Copy)]
struct Case {
    since: Instant,
    step: LadderStep,
}

/// The ladder of one receiver.
#[derive(Debug)]
pub(crate) struct Ladder {
    step: LadderStep,
    changed: Option<Instant>,
    risen: Option<Instant>,
    rise_wait: Duration,
    too_dear: Option<Case>,
    /// Since when there has been room for sound only, or not even for that.
    starved: Option<Instant>,
    affordable: Option<Case>,
    voice: VoiceWay,
    /// Since when the link has been known.
    known: Option<Instant>,
}

impl Default for Ladder {
    fn default() -> Self {
        Self {
            step: LadderStep::Full,
            changed: None,
            risen: None,
            rise_wait: RISE_WAIT,
            too_dear: None,
            starved: None,
            affordable: None,
            voice: VoiceWay::default(),
            known: None,
        }
    }
}

impl Ladder {
    /// Looks at the link; called at least every half second.
    pub(crate) fn look(
        &mut self,
        link: &Link,
        needs: &Needs,
        pinned: Option<LadderStep>,
        now: Instant,
    ) -> Plan {
        let pictures = self.step > LadderStep::Stills;
        let way = Way { loss: link.loss, queue: link.queue, pictures };
        let voice = self.voice.look(&way, now);
        let toll = self.toll(link, voice);
        let Some(estimate_bps) = link.estimate_bps else {
            (self.too_dear, self.affordable, self.known) = (None, None, None);
            self.starved = None;
            let step = pinned.unwrap_or(self.step);
            let because = (step < LadderStep::Full).then_some(match pinned {
                Some(_) => Cause::Pinned,
                None => Cause::Bandwidth,
            });
            return Plan { step, because, voice, waves: step > LadderStep::TextOnly };
        };
        let fits = needs.reach(estimate_bps, toll, 100);
        let sound_fits = needs.sound_fits(estimate_bps);
        let growing = self.known_for(now) < GROWS_FOR && sound_fits;
        let bearable =
            if growing { needs.reach(estimate_bps, toll, GROWING_PERCENT) } else { fits };
        let far_too_dear = !growing && needs.cost_bps(self.step, toll) > estimate_bps * 2;
        self.fall(bearable, far_too_dear, now);
        self.rise(needs.reach(estimate_bps, toll, RISE_PERCENT), now);
        let pinned = pinned.filter(|pin| sound_fits || *pin <= LadderStep::AudioOnly);
        let step = pinned.unwrap_or(self.step);
        let because = (step < LadderStep::Full).then(|| {
            let without_loss = needs.reach(estimate_bps, NO_TOLL, 100);
            match pinned {
                Some(_) => Cause::Pinned,
                None if toll != NO_TOLL && without_loss > step => Cause::Loss,
                None => Cause::Bandwidth,
            }
        });
        let waves = needs.live_bps(voice.copies) + needs.waves_bps <= estimate_bps;
        Plan { step, because, voice, waves }
    }

    /// Whether the link has shown that it has no room for more than a voice.
    pub(crate) fn is_narrow(&self) -> bool {
        self.voice.is_narrow()
    }

    /// Least and greatest rates worth trying for: padding up to the first makes room for the next
    /// step shortly before it may be taken, the second is all that is wished.
    pub(crate) fn worth_bps(&self, needs: &Needs, now: Instant) -> (u64, u64) {
        let wished = needs.cost_bps(LadderStep::Full, NO_TOLL) * RISE_PERCENT / 100;
        let next = STEPS.into_iter().find(|step| *step > self.step);
        let soon = self.changed.is_some_and(|changed| {
            now.saturating_duration_since(changed) + RISE_AFTER >= self.rise_wait
        });
        let floor = next.filter(|_| soon && self.voice.loss() < BROKEN_LOSS);
        let floor = floor.map_or(0, |step| needs.cost_bps(step, NO_TOLL) * RISE_PERCENT / 100);
        (floor, wished)
    }

    fn toll(&self, link: &Link, voice: Manner) -> Toll {
        let far = link.rtt.is_some_and(|rtt| rtt >= BROKEN_RTT);
        Toll { copies: voice.copies.min(1), broken: far && self.voice.loss() >= BROKEN_LOSS }
    }

    /// Down to what was bearable at best since it was too dear; past that when sound is in danger.
    fn fall(&mut self, bearable: LadderStep, far_too_dear: bool, now: Instant) {
        let starved = bearable == LadderStep::AudioOnly;
        self.starved = self.starved.filter(|_| starved).or(starved.then_some(now));
        if bearable >= self.step {
            self.too_dear = None;
            return;
        }
        let case = self.too_dear.get_or_insert(Case { since: now, step: bearable });
        case.step = case.step.max(bearable);
        let lasted = |since: Instant, long: Duration| now.saturating_duration_since(since) >= long;
        if self.starved.is_some_and(|since| lasted(since, FALL_FAST)) {
            case.step = bearable;
        } else if !lasted(case.since, if far_too_dear { FALL_FAST } else { FALL_AFTER }) {
            return;
        }
        self.step = case.step;
        let mistake =
            self.risen.take().is_some_and(|at| now.saturating_duration_since(at) < RISE_LASTS);
        self.rise_wait = if mistake { (self.rise_wait * 2).min(RISE_WAIT_MAX) } else { RISE_WAIT };
        // A first fall while the estimate still grows need not rest before the way up.
        let first = self.changed.is_none() && self.known_for(now) < GROWS_FOR * 2;
        self.settle((!first).then_some(now));
    }

    /// Up to what was affordable at worst for as long as it takes.
    fn rise(&mut self, affordable: LadderStep, now: Instant) {
        if affordable <= self.step {
            self.affordable = None;
            return;
        }
        let case = self.affordable.get_or_insert(Case { since: now, step: affordable });
        case.step = case.step.min(affordable);
        let ripe = now.saturating_duration_since(case.since) >= RISE_AFTER;
        let rested = self
            .changed
            .is_none_or(|changed| now.saturating_duration_since(changed) >= self.rise_wait);
        if ripe && rested {
            self.step = case.step;
            self.risen = Some(now);
            self.settle(Some(now));
        }
    }

    fn known_for(&mut self, now: Instant) -> Duration {
        now.saturating_duration_since(*self.known.get_or_insert(now))
    }

    fn settle(&mut self, changed: Option<Instant>) {
        self.changed = changed;
        self.too_dear = None;
        self.affordable = None;
    }
}

#[cfg(test)]
mod tests;
