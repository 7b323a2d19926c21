//! The lines on which one page receives: what is on each, and the packets made for it.

use super::addresses::Key;
use super::layer::Layer;
use super::splice::{Incoming, Splice};
use crate::sdp::Lines;
use std::time::{Duration, Instant};
use str0m::media::{Mid, Pt};
use str0m::rtp::{ExtensionValues, RtpPacket, RtpWrite, Vp8Descriptor};

const OPUS_HZ: u32 = 48_000;
const VIDEO_HZ: u32 = 90_000;
/// After this time a keyframe that did not come is asked for again: more than a round trip of a
/// satellite and the time to encode it.
const ASK_AGAIN: Duration = Duration::from_millis(1_500);

/// A packet from a publisher, read once for all receivers.
#[derive(Debug)]
pub(crate) struct Published<'a> {
    pub(crate) from: Key,
    pub(crate) layer: Layer,
    pub(crate) packet: &'a RtpPacket,
    vp8: Option<Vp8Descriptor>,
    starts_keyframe: bool,
}

impl<'a> Published<'a> {
    /// Sound.
    pub(crate) fn sound(from: Key, packet: &'a RtpPacket) -> Self {
        Self { from, layer: Layer::Whole, packet, vp8: None, starts_keyframe: false }
    }

    /// A piece of a picture.
    pub(crate) fn picture(from: Key, layer: Layer, packet: &'a RtpPacket) -> Self {
        // A packet of nothing but padding has no descriptor; it is forwarded for its number.
        let vp8 = Vp8Descriptor::parse(&packet.payload).ok();
        let starts_keyframe = vp8.is_some_and(|d| d.starts_keyframe(&packet.payload));
        Self { from, layer, packet, vp8, starts_keyframe }
    }

    fn incoming(&self) -> Incoming {
        Incoming {
            seq: *self.packet.seq_no,
            time: self.packet.header.timestamp,
            vp8: self.vp8,
            at: self.packet.timestamp,
        }
    }

    /// The packet as the receiver gets it. Only what describes the content is carried over;
    /// everything about the hop is made anew.
    fn write(&self, pt: Pt, splice: &mut Splice, nackable: bool) -> Option<RtpWrite> {
        let placed = splice.place(&self.incoming())?;
        let from = &self.packet.header.ext_vals;
        let ext_vals = ExtensionValues {
            audio_level: from.audio_level,
            voice_activity: from.voice_activity,
            video_orientation: from.video_orientation,
            ..ExtensionValues::default()
        };
        let payload = self.packet.payload.clone();
        let at = self.packet.timestamp;
        let write = RtpWrite::new(pt, placed.seq.into(), placed.time, at, payload)
            .marker(self.packet.header.marker)
            .ext_vals(ext_vals)
            .nackable(nackable);
        Some(match placed.vp8 {
            Some(patch) => write.vp8_patch(patch),
            None => write,
        })
    }
}

/// A line that carries somebody's sound.
#[derive(Debug)]
pub(crate) struct SoundOut {
    pub(crate) mid: Mid,
    from: Option<Key>,
    splice: Splice,
}

impl SoundOut {
    fn new(mid: &str) -> Self {
        Self { mid: Mid::from(mid), from: None, splice: Splice::new(OPUS_HZ) }
    }

    /// Makes this receiver's packet.
    pub(crate) fn carry(&mut self, published: &Published<'_>, pt: Pt) -> Option<RtpWrite> {
        if self.from != Some(published.from) {
            self.splice.begin(&published.incoming());
            self.from = Some(published.from);
        }
        published.write(pt, &mut self.splice, false)
    }
}

/// A line that carries somebody's picture, one layer of it.
#[derive(Debug)]
pub(crate) struct PictureOut {
    pub(crate) mid: Mid,
    shown: Option<(Key, Layer)>,
    target: Option<(Key, Layer)>,
    asked: Option<Instant>,
    splice: Splice,
}

impl PictureOut {
    fn new(mid: &str) -> Self {
        Self {
            mid: Mid::from(mid),
            shown: None,
            target: None,
            asked: None,
            splice: Splice::new(VIDEO_HZ),
        }
    }

    /// Says what should be shown. The old layer goes on until the new one starts with a
    /// keyframe, unless somebody else or nothing at all is wanted.
    pub(crate) fn aim(&mut self, target: Option<(Key, Layer)>) {
        let same_person = match (self.shown, target) {
            (Some((old, _)), Some((new, _))) => old == new,
            _ => false,
        };
        if !same_person {
            self.shown = None;
        }
        if self.target != target {
            self.target = target;
            self.asked = None;
        }
    }

    /// The layer whose keyframe is to be asked for now, because the line waits for it.
    pub(crate) fn asks(&mut self, now: Instant) -> Option<(Key, Layer)> {
        let waited = self.waits_for()?;
        let early = self.asked.is_some_and(|at| now.saturating_duration_since(at) < ASK_AGAIN);
        if early {
            return None;
        }
        self.asked = Some(now);
        Some(waited)
    }

    fn waits_for(&self) -> Option<(Key, Layer)> {
        self.target.filter(|target| self.shown != Some(*target))
    }

    /// The layer that a receiver's request for a keyframe is about.
    pub(crate) fn wants(&self) -> Option<(Key, Layer)> {
        self.waits_for().or(self.shown)
    }

    /// Makes this receiver's packet, if the packet is of the layer shown.
    pub(crate) fn carry(&mut self, published: &Published<'_>, pt: Pt) -> Option<RtpWrite> {
        let this = Some((published.from, published.layer));
        if self.shown != this {
            if self.target != this || !published.starts_keyframe {
                return None;
            }
            self.splice.begin(&published.incoming());
            self.shown = this;
        }
        published.write(pt, &mut self.splice, true)
    }
}

/// All receiving lines of a page.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) sounds: Vec<SoundOut>,
    pub(crate) pictures: Vec<Option<PictureOut>>,
    pub(crate) auscultation: Option<SoundOut>,
}

impl Outgoing {
    /// The lines of an offer.
    pub(crate) fn new(lines: &Lines) -> Self {
        let picture = |mid: &Option<String>| mid.as_deref().map(PictureOut::new);
        Self {
            sounds: lines.slots.iter().map(|slot| SoundOut::new(&slot.audio)).collect(),
            pictures: lines.slots.iter().map(|slot| picture(&slot.video)).collect(),
            auscultation: lines.auscultation.as_deref().map(SoundOut::new),
        }
    }

    /// The slot whose picture is on a line.
    pub(crate) fn slot_of_picture(&self, mid: Mid) -> Option<usize> {
        self.pictures.iter().position(|out| out.as_ref().is_some_and(|out| out.mid == mid))
    }
}
