//! The way from one page: what is known of it, how its voice should come and how much picture.

use super::lag::Lag;
use crate::ladder::{CameraWay, Manner, VoiceWay, Way};
use minato_protocol::media::VideoWish;
use std::time::{Duration, Instant};

/// The longest round trip over which sound is asked for again, and the longest queue.
const ASK_RTT_MAX: Duration = Duration::from_millis(250);
const ASK_QUEUE_MAX: Duration = Duration::from_millis(150);
/// Where more is lost, a wait that does not change may be a queue that others keep full.
const SETTLE_LOSS_MAX: f32 = 0.03;

/// The link from a page.
#[derive(Debug)]
pub(crate) struct Uplink {
    lag: Lag,
    voice: VoiceWay,
    camera: CameraWay,
    loss: f32,
    pub(crate) manner: Manner,
    /// The largest picture the link has room for.
    pub(crate) cap: VideoWish,
}

impl Default for Uplink {
    fn default() -> Self {
        Self {
            lag: Lag::default(),
            voice: VoiceWay::default(),
            camera: CameraWay::default(),
            loss: 0.0,
            manner: Manner::default(),
            cap: VideoWish::Full,
        }
    }
}

impl Uplink {
    /// A packet of the voice came that was sent at `time` in its own clock.
    pub(crate) fn heard(&mut self, time: u32, now: Instant) {
        self.lag.heard(time, now);
    }

    /// The share of packets that were lost since it was last said.
    pub(crate) fn measured(&mut self, loss: Option<f32>) {
        self.loss = loss.unwrap_or(0.0);
    }

    /// How long packets wait on the way, by the clock of the page's voice.
    pub(crate) fn lags(&self, now: Instant) -> Option<Duration> {
        self.lag.queue(now)
    }

    /// How long packets wait on the way. No longer than on the way there and back, which must be
    /// known: the clock of a page that is too busy to listen falls behind as a queue would make it.
    pub(crate) fn queue(&self, both: Option<Duration>, now: Instant) -> Option<Duration> {
        Some(self.lags(now)?.min(both?))
    }

    /// Looks at the link anew, on which pictures up to `shown` come; `both` is the wait on the way
    /// there and back. Answers by how much the link has become longer, if that is found out now.
    pub(crate) fn look(
        &mut self,
        shown: VideoWish,
        both: Option<Duration>,
        now: Instant,
    ) -> Option<Duration> {
        let pictures = shown > VideoWish::Off;
        let longer = self.lag.settle(!pictures && self.voice.loss() < SETTLE_LOSS_MAX);
        let queue = self.queue(both, now);
        self.manner = self.voice.look(&Way { loss: self.loss, queue, pictures }, now);
        self.cap = self.camera.look(shown, queue, &self.voice, now);
        longer
    }

    /// Whether what was lost is worth asking for again, sound and pictures. What comes again
    /// makes a queue longer, and sound comes too late.
    pub(crate) fn is_worth_asking(
        &self,
        rtt: Option<Duration>,
        both: Option<Duration>,
        now: Instant,
    ) -> (bool, bool) {
        let pictures = self.queue(both, now).is_none_or(|queue| queue <= ASK_QUEUE_MAX);
        (pictures && rtt.is_none_or(|rtt| rtt <= ASK_RTT_MAX), pictures)
    }
}
