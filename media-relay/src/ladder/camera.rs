//! How much of its picture a page may send over its own link: PURE. The sender's browser judges
//! that for itself; where it takes so much that its voice stands in a queue, it is told to take
//! less.

use super::narrowing::{Look, Narrowing};
use super::voice::VoiceWay;
use minato_protocol::media::VideoWish;
use std::time::{Duration, Instant};

/// How long a queue must last before a picture gets smaller: a keyframe makes a shorter one.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// What a change needs to show.
const REST: Duration = Duration::from_secs(2);
/// How long the link must be calm before it is tried with more picture.
const CALM_FOR: Duration = Duration::from_secs(15);
/// A link that loses more than this is not tried again with more picture.
const STEADY_LOSS: f32 = 0.03;
/// From the widest: the full picture is what most links carry.
const CAPS: [VideoWish; 4] = [VideoWish::Full, VideoWish::Half, VideoWish::Quarter, VideoWish::Off];

/// The picture on the link from a page.
#[derive(Debug, Default)]
pub(crate) struct CameraWay {
    narrowing: Narrowing,
}

impl CameraWay {
    /// Looks at the link, on which pictures up to `shown` come; answers with the largest it has
    /// room for.
    pub(crate) fn look(
        &mut self,
        shown: VideoWish,
        queue: Option<Duration>,
        voice: &VoiceWay,
        now: Instant,
    ) -> VideoWish {
        let calm_for = (voice.loss() < STEADY_LOSS).then_some(CALM_FOR);
        let narrowest = CAPS.len() - 1;
        let first = CAPS.iter().position(|cap| *cap < shown).unwrap_or(narrowest);
        let look = Look { queue, patience: PATIENCE, narrowest, first, rest: REST, calm_for };
        CAPS[self.narrowing.look(&look, now)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ladder::Way;

    #[test]
    fn a_picture_that_makes_a_voice_wait_gets_smaller_and_comes_back_when_the_link_is_calm() {
        let (mut camera, mut voice) = (CameraWay::default(), VoiceWay::default());
        let mut now = Instant::now();
        let mut look = |seconds: u32, queue_ms: u64, loss: f32| {
            let queue = Some(Duration::from_millis(queue_ms));
            let mut cap = VideoWish::Full;
            for _ in 0..seconds * 10 {
                now += Duration::from_millis(100);
                voice.look(&Way { loss, queue, pictures: true }, now);
                cap = camera.look(VideoWish::Half, queue, &voice, now);
            }
            cap
        };
        assert_eq!(look(1, 400, 0.0), VideoWish::Full, "a keyframe");
        assert_eq!(look(1, 400, 0.0), VideoWish::Quarter, "half is what came already");
        assert_eq!(look(2, 400, 0.0), VideoWish::Off);
        assert_eq!(look(30, 0, 0.10), VideoWish::Off, "the link loses too much to try");
        assert_eq!(look(14, 0, 0.0), VideoWish::Quarter, "some seconds after the loss is over");
    }
}
