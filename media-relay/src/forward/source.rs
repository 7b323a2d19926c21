//! What one participant sends: which streams flow, and when a keyframe may be asked for.

use super::codecs::PictureCodec;
use super::keyframe::KeyframeRation;
use super::layer::Layer;
use super::rate::Rate;
use super::red::Frames;
use minato_protocol::media::VideoWish;
use std::time::{Duration, Instant};

/// A layer that was silent for this long does not flow.
const FLOWING: Duration = Duration::from_millis(2_000);

/// Layers of one camera are sent together: one that is so far behind another has been left out by
/// its browser, and whoever is shown it sees a picture that stands still.
const LEFT_OUT: Duration = Duration::from_millis(400);

/// What a voice takes when it speaks; kept free for one that is silent, too.
const VOICE_BPS: u64 = 32_000;

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
    waves: Option<Instant>,
    voice_rate: Rate,
    stethoscope_rate: Rate,
    layer_rates: [Rate; Layer::ALL.len()],
    waves_rate: Rate,
    voice: Frames,
    heart: Frames,
    /// What its picture is encoded with.
    pub(crate) codec: Option<PictureCodec>,
    pub(crate) keyframes: KeyframeRation,
}

impl Source {
    /// A packet came. Answers whether its stream has begun to flow with it.
    pub(crate) fn saw(&mut self, track: Track, layer: Layer, bytes: usize, now: Instant) -> bool {
        let (flowed, last) = match track {
            Track::Microphone => (flows(self.microphone, now), &mut self.microphone),
            Track::Stethoscope => (flows(self.stethoscope, now), &mut self.stethoscope),
            Track::Camera => {
                self.layer_rates[layer.index()].add(bytes, now);
                (self.layer_flows(layer, now), &mut self.layers[layer.index()])
            }
        };
        *last = Some(now);
        !flowed
    }

    /// A frame of sound came, for the first time.
    pub(crate) fn sounded(&mut self, track: Track, bytes: usize, now: Instant) {
        match track {
            Track::Stethoscope => self.stethoscope_rate.add(bytes, now),
            Track::Microphone | Track::Camera => self.voice_rate.add(bytes, now),
        }
    }

    /// Whether the microphone has been heard lately.
    pub(crate) fn sounds(&self, now: Instant) -> bool {
        flows(self.microphone, now)
    }

    /// Whether the stethoscope has been heard lately.
    pub(crate) fn auscultates(&self, now: Instant) -> bool {
        flows(self.stethoscope, now)
    }

    /// Whether a layer of the camera has been seen lately, and as lately as the others.
    pub(crate) fn layer_flows(&self, layer: Layer, now: Instant) -> bool {
        let last = self.layers[layer.index()];
        let newest = self.layers.iter().flatten().max();
        let behind = newest.zip(last).map(|(newest, last)| newest.saturating_duration_since(last));
        flows(last, now) && behind.is_none_or(|behind| behind < LEFT_OUT)
    }

    /// The latest frames of a track of sound.
    pub(crate) fn frames(&mut self, track: Track) -> &mut Frames {
        match track {
            Track::Microphone | Track::Camera => &mut self.voice,
            Track::Stethoscope => &mut self.heart,
        }
    }

    /// A wave came.
    pub(crate) fn waved(&mut self, bytes: usize, now: Instant) {
        self.waves = Some(now);
        self.waves_rate.add(bytes, now);
    }

    /// What waves cost now.
    pub(crate) fn waves_bps(&self, now: Instant) -> u64 {
        if flows(self.waves, now) { self.waves_rate.bps().unwrap_or(0) } else { 0 }
    }

    /// What the voice costs, at its loudest or silent.
    pub(crate) fn voice_bps(&self) -> u64 {
        self.voice_rate.bps().unwrap_or(0).max(VOICE_BPS)
    }

    /// What the stethoscope costs now.
    pub(crate) fn auscultation_bps(&self, now: Instant) -> u64 {
        let rate = self.stethoscope_rate.bps().unwrap_or(VOICE_BPS);
        if self.auscultates(now) { rate } else { 0 }
    }

    /// Whether the camera has layers to choose from.
    pub(crate) fn has_layers(&self) -> bool {
        Layer::ALL
            .into_iter()
            .any(|layer| layer != Layer::Whole && self.layer_rates[layer.index()].is_known())
    }

    /// What a picture of a size costs, also one that is not sent now.
    pub(crate) fn picture_bps(&self, wish: VideoWish) -> u64 {
        let layer = match wish {
            VideoWish::Off => return 0,
            _ if !self.has_layers() => Layer::Whole,
            VideoWish::Quarter => Layer::Quarter,
            VideoWish::Half => Layer::Half,
            VideoWish::Full => Layer::Full,
        };
        self.layer_rates[layer.index()].bps().unwrap_or(layer.usual_bps())
    }

    /// The largest picture that has been seen lately.
    pub(crate) fn shown(&self, now: Instant) -> VideoWish {
        let flows = |layer| self.layer_flows(layer, now);
        match () {
            () if flows(Layer::Full) || flows(Layer::Whole) => VideoWish::Full,
            () if flows(Layer::Half) => VideoWish::Half,
            () if flows(Layer::Quarter) => VideoWish::Quarter,
            () => VideoWish::Off,
        }
    }

    /// Whether any layer of the camera has been seen lately.
    pub(crate) fn shows(&self, now: Instant) -> bool {
        Layer::ALL.into_iter().any(|layer| self.layer_flows(layer, now))
    }
}

fn flows(last: Option<Instant>, now: Instant) -> bool {
    last.is_some_and(|last| now.saturating_duration_since(last) < FLOWING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_that_is_left_out_does_not_flow_and_a_camera_that_is_silent_flows_a_while() {
        let (mut source, start) = (Source::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        let mut saw = |layer, ms| source.saw(Track::Camera, layer, 100, at(ms));
        assert!(saw(Layer::Half, 0) && saw(Layer::Full, 1));
        assert!(!saw(Layer::Half, 50) && !saw(Layer::Full, 51));
        assert!(!saw(Layer::Half, 440));
        assert_eq!(source.shown(at(440)), VideoWish::Full, "some frames are left out now and then");
        source.saw(Track::Camera, Layer::Half, 100, at(460));
        assert_eq!(source.shown(at(460)), VideoWish::Half);
        assert!(source.saw(Track::Camera, Layer::Full, 100, at(600)), "it begins anew");
        assert_eq!(source.shown(at(2_400)), VideoWish::Full, "all of them are silent");
        assert_eq!(source.shown(at(2_700)), VideoWish::Off);
    }
}
