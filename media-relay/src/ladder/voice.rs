//! How a voice crosses one direction of a link: PURE. Losses are met with repetitions (RFC 2198),
//! a link that queues with fewer bits. An estimate has no say: where packets are lost by chance it
//! sinks far below what the link carries, and a voice needs its repetitions just there.

use super::narrowing::{Look, Narrowing};
use std::time::{Duration, Instant};

/// From this loss on each packet repeats the one before it.
const LOSSY: f32 = 0.02;
/// From this mean loss on the two before it, and a lean voice pays for that; below the second it
/// is over.
const VERY_LOSSY: (f32, f32) = (0.08, 0.05);
/// How long a loss must have been less before it counts as less.
const BETTER_AFTER: Duration = Duration::from_secs(5);
/// Remembered loss halves in this time.
const LOSS_HALVES: Duration = Duration::from_secs(4);
/// Time over which the mean is taken.
const MEAN_OVER: Duration = Duration::from_secs(4);

/// How long a queue must last before the voice gets leaner, and how long with pictures on the
/// link, which are taken away first.
const PATIENCE: Duration = Duration::from_millis(1_500);
const PATIENCE_WITH_PICTURES: Duration = Duration::from_secs(10);
/// The same before the last repetition is given up: late is better than lost.
const PATIENCE_WITH_COPIES: Duration = Duration::from_secs(5);

/// How long the link must be calm before the voice takes more room, and how long where the room is
/// for a repetition that is missing.
const CALM_FOR: Duration = Duration::from_secs(15);
const CALM_FOR_COPIES: Duration = Duration::from_secs(5);

/// What a change needs to show: a page has to hear of it, and the queue to empty.
const REST: Duration = Duration::from_secs(4);

/// How a voice is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Manner {
    /// Longer packets of fewer bits.
    pub(crate) lean: bool,
    /// How many earlier packets each one repeats.
    pub(crate) copies: u8,
}

const fn full(copies: u8) -> Manner {
    Manner { lean: false, copies }
}

const fn lean(copies: u8) -> Manner {
    Manner { lean: true, copies }
}

/// By how much is lost, then by how little room there is. In kbit/s on the wire with the ordinary
/// and the lean voice of a page: 59 and 22; 91, 33 and 22; 45, 33 and 22.
const MANNERS: [&[Manner]; 3] =
    [&[full(0), lean(0)], &[full(1), lean(1), lean(0)], &[lean(2), lean(1), lean(0)]];

/// What is seen of one direction of a link.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Way {
    /// Share of packets lost, 0 to 1.
    pub(crate) loss: f32,
    /// How long packets wait on the way; `None` while nothing is known.
    pub(crate) queue: Option<Duration>,
    /// Moving pictures share it.
    pub(crate) pictures: bool,
}

/// The voice on one direction of a link.
#[derive(Debug, Default)]
pub(crate) struct VoiceWay {
    /// The worst of late, fading.
    loss: f32,
    mean_loss: f32,
    looked: Option<Instant>,
    /// Index into [`MANNERS`].
    lossy: usize,
    less_lossy: Option<Instant>,
    /// Index into one of them.
    narrowing: Narrowing,
}

impl VoiceWay {
    /// Looks at the link; called at least every half second.
    pub(crate) fn look(&mut self, way: &Way, now: Instant) -> Manner {
        self.feel_loss(way, now);
        let manners = MANNERS[self.lossy];
        let narrowest = manners.len() - 1;
        let last_copies = self.lossy > 0 && self.narrowing.level() + 1 == narrowest;
        let patience = match () {
            () if way.pictures => PATIENCE_WITH_PICTURES,
            () if last_copies => PATIENCE_WITH_COPIES,
            () => PATIENCE,
        };
        let queue = way.queue;
        let lacks_copies = self.lossy > 0 && self.narrowing.level() == narrowest;
        let calm_for = Some(if lacks_copies { CALM_FOR_COPIES } else { CALM_FOR });
        let look = Look { queue, patience, narrowest, first: 1, rest: REST, calm_for };
        manners[self.narrowing.look(&look, now)]
    }

    /// Whether the link has shown that it has no room to spare.
    pub(crate) fn is_narrow(&self) -> bool {
        self.narrowing.is_narrow()
    }

    /// The share of packets lost of late, remembered for some seconds.
    pub(crate) fn loss(&self) -> f32 {
        self.loss
    }

    fn feel_loss(&mut self, way: &Way, now: Instant) {
        let passed = self.looked.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.looked = Some(now);
        let lost = way.loss.clamp(0.0, 1.0);
        let keep = (-passed.as_secs_f32() / MEAN_OVER.as_secs_f32()).exp();
        self.mean_loss = self.mean_loss * keep + lost * (1.0 - keep);
        let fade = 0.5_f32.powf(passed.as_secs_f32() / LOSS_HALVES.as_secs_f32());
        self.loss = lost.max(self.loss * fade);
        let very = if self.lossy == 2 { VERY_LOSSY.1 } else { VERY_LOSSY.0 };
        let lossy = match () {
            () if self.mean_loss >= very => 2,
            () if self.loss >= LOSSY => 1,
            () => 0,
        };
        if lossy >= self.lossy {
            self.less_lossy = None;
            self.lossy = lossy;
            return;
        }
        let since = *self.less_lossy.get_or_insert(now);
        if now.saturating_duration_since(since) >= BETTER_AFTER {
            self.less_lossy = None;
            self.lossy = lossy;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TICK: Duration = Duration::from_millis(100);

    fn way(loss: f32, queue_ms: u64) -> Way {
        let queue = Some(Duration::from_millis(queue_ms));
        Way { loss, queue, pictures: false }
    }

    /// Manners at the end of each second.
    fn run(voice: &mut VoiceWay, now: &mut Instant, seconds: usize, way: Way) -> Vec<Manner> {
        let look = |_| {
            *now += TICK;
            voice.look(&way, *now)
        };
        let all: Vec<_> = (0..seconds * 10).map(look).collect();
        all.chunks(10).map(|second| second[9]).collect()
    }

    #[test]
    fn loss_is_met_with_repetitions_and_they_end_some_seconds_after_it() {
        let (mut voice, mut now) = (VoiceWay::default(), Instant::now());
        assert_eq!(voice.look(&way(0.0, 0), now), full(0));
        assert_eq!(voice.look(&way(0.05, 0), now), full(1), "at once");
        assert_eq!(run(&mut voice, &mut now, 20, way(0.05, 0))[19], full(1));
        let after = run(&mut voice, &mut now, 14, way(0.0, 0));
        assert_eq!((after[8], after[12]), (full(1), full(0)));
        assert_eq!(run(&mut voice, &mut now, 20, way(0.10, 0))[19], lean(2));
    }

    #[test]
    fn a_queue_makes_the_voice_leaner_step_by_step_whatever_is_lost() {
        let (mut voice, mut now) = (VoiceWay::default(), Instant::now());
        run(&mut voice, &mut now, 10, way(0.15, 0));
        let seen = run(&mut voice, &mut now, 9, way(0.15, 400));
        assert_eq!((seen[0], seen[2], seen[8]), (lean(2), lean(1), lean(0)));
        let seen = run(&mut voice, &mut now, 40, way(0.15, 0));
        assert_eq!(
            (seen[3], seen[6], seen[39]),
            (lean(0), lean(1), lean(2)),
            "repeated soon again"
        );
    }

    #[test]
    fn pictures_make_room_before_the_voice_does() {
        let (mut voice, mut now) = (VoiceWay::default(), Instant::now());
        let shared = Way { pictures: true, ..way(0.05, 400) };
        let seen = run(&mut voice, &mut now, 12, shared);
        assert_eq!((seen[8], seen[11]), (full(1), lean(1)));
    }

    #[test]
    fn a_voice_that_took_too_much_room_tries_again_later_each_time() {
        let (mut voice, mut now) = (VoiceWay::default(), Instant::now());
        let mut waited = Vec::new();
        for _ in 0..4 {
            while voice.look(&way(0.0, 300), now) == full(0) {
                now += TICK;
            }
            let since = now;
            while voice.look(&way(0.0, 0), now) == lean(0) {
                now += TICK;
            }
            waited.push(now.duration_since(since).as_secs());
        }
        assert_eq!(waited, [15, 30, 60, 120]);
    }

    proptest! {
        #[test]
        fn a_loss_that_lasts_is_repeated_for_where_nothing_queues(
            before in prop::collection::vec((0.0f32..0.4, 0u64..900), 0..60), loss in 0.02f32..0.4
        ) {
            let (mut voice, mut now) = (VoiceWay::default(), Instant::now());
            for (loss, queue) in before {
                run(&mut voice, &mut now, 1, way(loss, queue));
            }
            // The longest wait for calm, twice over.
            let manners = run(&mut voice, &mut now, 250, way(loss, 0));
            prop_assert!(manners[249].copies > 0);
        }

        #[test]
        fn a_queue_that_lasts_brings_the_voice_down_to_its_least(
            before in prop::collection::vec((0.0f32..0.4, 0u64..900), 0..60), loss in 0.0f32..0.4
        ) {
            let (mut voice, mut now) = (VoiceWay::default(), Instant::now());
            for (loss, queue) in before {
                run(&mut voice, &mut now, 1, way(loss, queue));
            }
            let manners = run(&mut voice, &mut now, 20, way(loss, 300));
            prop_assert_eq!(manners[19], lean(0));
        }
    }
}
