//! When a publisher is asked for keyframes: PURE. A request may make keyframes on all layers of a
//! camera and each costs everybody, so requests are rationed by publisher and never forgotten.

use super::layer::Layer;
use std::time::{Duration, Instant};

/// Least time between two rounds of requests to one camera.
pub(crate) const GAP: Duration = Duration::from_millis(500);

/// The requests to one camera.
#[derive(Debug, Default)]
pub(crate) struct KeyframeRation {
    asked: Option<Instant>,
    wanted: Vec<Layer>,
}

impl KeyframeRation {
    /// Somebody needs a keyframe of a layer.
    pub(crate) fn want(&mut self, layer: Layer) {
        if !self.wanted.contains(&layer) {
            self.wanted.push(layer);
        }
    }

    /// The layers to ask for now: each once a want, not oftener than every [`GAP`].
    pub(crate) fn ask(&mut self, now: Instant) -> Vec<Layer> {
        let early = self.asked.is_some_and(|asked| now.saturating_duration_since(asked) < GAP);
        if self.wanted.is_empty() || early {
            return Vec::new();
        }
        self.asked = Some(now);
        std::mem::take(&mut self.wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_wants_make_one_request_now_and_one_later() {
        let start = Instant::now();
        let mut ration = KeyframeRation::default();
        assert!(ration.ask(start).is_empty(), "nobody wants one");
        ration.want(Layer::Half);
        ration.want(Layer::Half);
        assert_eq!(ration.ask(start), [Layer::Half]);
        ration.want(Layer::Full);
        assert!(ration.ask(start + GAP / 2).is_empty(), "too early");
        assert_eq!(ration.ask(start + GAP), [Layer::Full], "but not forgotten");
        assert!(ration.ask(start + GAP * 3).is_empty());
    }
}
