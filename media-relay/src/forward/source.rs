//! What one participant sends: which streams flow, and when a keyframe may be asked for.

use super::keyframe::KeyframeRation;
use super::layer::Layer;
use std::time::{Duration, Instant};

/// A layer that was silent for this long does not flow.
const FLOWING: Duration = Duration::from_millis(2_000);

/// The lines a participant sends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Track {
    /// The microphone.
    Microphone,
    /// The camera.
    Camera,
    /// The stethoscope.
    Stethoscope,
}

/// The state of a participant's streams.
#[derive(Debug, Default)]
pub(crate) struct Source {
    microphone: Option<Instant>,
    stethoscope: Option<Instant>,
    layers: [Option<Instant>; Layer::ALL.len()],
    pub(crate) keyframes: KeyframeRation,
}

impl Source {
    /// A packet came. Answers whether its stream has begun to flow with it.
    pub(crate) fn saw(&mut self, track: Track, layer: Layer, now: Instant) -> bool {
        let last = match track {
            Track::Microphone => &mut self.microphone,
            Track::Stethoscope => &mut self.stethoscope,
            Track::Camera => &mut self.layers[layer.index()],
        };
        let began = !flows(*last, now);
        *last = Some(now);
        began
    }

    /// Whether the microphone has been heard lately.
    pub(crate) fn sounds(&self, now: Instant) -> bool {
        flows(self.microphone, now)
    }

    /// Whether the stethoscope has been heard lately.
    pub(crate) fn auscultates(&self, now: Instant) -> bool {
        flows(self.stethoscope, now)
    }

    /// Whether a layer of the camera has been seen lately.
    pub(crate) fn layer_flows(&self, layer: Layer, now: Instant) -> bool {
        flows(self.layers[layer.index()], now)
    }

    /// Whether any layer of the camera has been seen lately.
    pub(crate) fn shows(&self, now: Instant) -> bool {
        Layer::ALL.into_iter().any(|layer| self.layer_flows(layer, now))
    }
}

fn flows(last: Option<Instant>, now: Instant) -> bool {
    last.is_some_and(|last| now.saturating_duration_since(last) < FLOWING)
}
