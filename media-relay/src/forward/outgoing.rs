//! The lines on which one page receives: what is on each, and the packets made for it.

use super::addresses::Key;
use super::codecs::PictureCodec;
use super::even::even;
use super::h264::starts_sequence;
use super::layer::Layer;
use super::red::{Frame, Frames, Wrapper};
use super::splice::{Incoming, Splice};
use crate::sdp::Lines;
use std::sync::Arc;
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
    seq: u64,
    time: u32,
    at: Instant,
    marker: bool,
    payload: Arc<[u8]>,
    /// Only what describes the content; everything about the hop is made anew.
    ext_vals: ExtensionValues,
    /// What a picture is encoded with.
    pub(crate) codec: PictureCodec,
    vp8: Option<Vp8Descriptor>,
    starts_keyframe: bool,
    repetitions: Option<Wrapper<'a>>,
}

impl<'a> Published<'a> {
    fn of(from: Key, layer: Layer, packet: &RtpPacket) -> Self {
        let described = &packet.header.ext_vals;
        Self {
            from,
            layer,
            seq: *packet.seq_no,
            time: packet.header.timestamp,
            at: packet.timestamp,
            marker: packet.header.marker,
            payload: packet.payload.clone(),
            ext_vals: ExtensionValues {
                audio_level: described.audio_level,
                voice_activity: described.voice_activity,
                video_orientation: described.video_orientation,
                ..ExtensionValues::default()
            },
            codec: PictureCodec::Vp8,
            vp8: None,
            starts_keyframe: false,
            repetitions: None,
        }
    }

    /// A frame of sound that came in `packet`, itself or as a repetition.
    pub(crate) fn sound(
        from: Key,
        packet: &RtpPacket,
        frame: &'a Frame,
        frames: &'a Frames,
    ) -> Self {
        let own = frame.seq == *packet.seq_no;
        let published = Self::of(from, Layer::Whole, packet);
        Self {
            seq: frame.seq,
            time: frame.time,
            payload: frame.payload.clone(),
            marker: published.marker && own,
            repetitions: Some(Wrapper::new(frames, frame)),
            ..published
        }
    }

    /// A piece of a picture.
    pub(crate) fn picture(
        from: Key,
        layer: Layer,
        codec: PictureCodec,
        packet: &RtpPacket,
    ) -> Self {
        // A packet of nothing but padding has no descriptor; it is forwarded for its number.
        let (vp8, starts_keyframe) = match codec {
            PictureCodec::Vp8 => {
                let vp8 = Vp8Descriptor::parse(&packet.payload).ok();
                (vp8, vp8.is_some_and(|d| d.starts_keyframe(&packet.payload)))
            }
            PictureCodec::H264 => (None, starts_sequence(&packet.payload)),
        };
        Self { codec, vp8, starts_keyframe, ..Self::of(from, layer, packet) }
    }

    /// Which packet of which stream of pictures it is.
    pub(crate) fn place(&self) -> (Key, Layer, u64) {
        (self.from, self.layer, self.seq)
    }

    /// Whether another is the next piece of the same picture.
    fn goes_on_in(&self, next: &Self) -> bool {
        (self.from, self.layer, self.time) == (next.from, next.layer, next.time)
            && self.seq + 1 == next.seq
            && self.vp8.is_some()
            && next.vp8.is_some()
    }

    fn incoming(&self) -> Incoming {
        Incoming { seq: self.seq, time: self.time, vp8: self.vp8, at: self.at }
    }

    /// The packet as the receiver gets it.
    fn write(&mut self, voice: Voice, splice: &mut Splice, nackable: bool) -> Option<RtpWrite> {
        let placed = splice.place(&self.incoming())?;
        let (pt, payload) = match (voice.red, self.repetitions.as_mut()) {
            (Some((red, copies)), Some(wrapper)) => (red, wrapper.with_copies(voice.pt, copies)),
            _ => (voice.pt, self.payload.clone()),
        };
        let write = RtpWrite::new(pt, placed.seq.into(), placed.time, self.at, payload)
            .marker(self.marker)
            .ext_vals(self.ext_vals.clone())
            .nackable(nackable);
        Some(match placed.vp8 {
            Some(patch) => write.vp8_patch(patch),
            None => write,
        })
    }
}

/// Makes pieces that go on in each other equally long: then they leave in one call to the kernel.
pub(crate) fn even_out(pieces: &mut [Published<'_>]) {
    for picture in pieces.chunk_by_mut(Published::goes_on_in) {
        let payloads: Vec<_> = picture.iter().map(|piece| piece.payload.clone()).collect();
        for (piece, payload) in picture.iter_mut().zip(even(&payloads).into_iter().flatten()) {
            piece.payload = payload;
        }
    }
}

/// How a receiver names a codec, and how many repetitions it gets under which name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Voice {
    pub(crate) pt: Pt,
    pub(crate) red: Option<(Pt, u8)>,
}

impl Voice {
    fn plain(pt: Pt) -> Self {
        Self { pt, red: None }
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
    pub(crate) fn carry(
        &mut self,
        published: &mut Published<'_>,
        voice: Voice,
    ) -> Option<RtpWrite> {
        if self.from != Some(published.from) {
            self.splice.begin(&published.incoming());
            self.from = Some(published.from);
        }
        published.write(voice, &mut self.splice, false)
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

    /// The layer that is on the line.
    pub(crate) fn shows(&self) -> Option<Layer> {
        self.shown.map(|(_, layer)| layer)
    }

    /// The layer that a receiver's request for a keyframe is about.
    pub(crate) fn wants(&self) -> Option<(Key, Layer)> {
        self.waits_for().or(self.shown)
    }

    /// What was sent is so late that the rest is not worth it: the line waits for a keyframe.
    pub(crate) fn stall(&mut self, now: Instant) {
        self.shown = None;
        self.asked = Some(now);
    }

    /// What was sent lately never arrived: the line waits for a keyframe and asks for it at once.
    pub(crate) fn begin_anew(&mut self) {
        self.shown = None;
        self.asked = None;
    }

    /// Makes this receiver's packet, if the packet is of the layer shown.
    pub(crate) fn carry(&mut self, published: &mut Published<'_>, pt: Pt) -> Option<RtpWrite> {
        let this = Some((published.from, published.layer));
        if self.shown != this {
            if self.target != this || !published.starts_keyframe {
                return None;
            }
            self.splice.begin(&published.incoming());
            self.shown = this;
        }
        published.write(Voice::plain(pt), &mut self.splice, true)
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

    /// Whether a slot has a line for pictures.
    pub(crate) fn has_picture(&self, slot: usize) -> bool {
        self.pictures.get(slot).is_some_and(Option::is_some)
    }

    /// The slot whose picture is on a line.
    pub(crate) fn slot_of_picture(&self, mid: Mid) -> Option<usize> {
        self.pictures.iter().position(|out| out.as_ref().is_some_and(|out| out.mid == mid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(from: u64, layer: Layer, seq: u64, time: u32, size: usize) -> Published<'static> {
        let payload: Arc<[u8]> = vec![0; size].into();
        Published {
            from: Key(from),
            layer,
            seq,
            time,
            at: Instant::now(),
            marker: false,
            vp8: Vp8Descriptor::parse(&payload).ok(),
            payload,
            ext_vals: ExtensionValues::default(),
            codec: PictureCodec::Vp8,
            starts_keyframe: false,
            repetitions: None,
        }
    }

    #[test]
    fn only_neighbours_of_one_picture_are_evened_out() {
        let half = Layer::Half;
        let others = [
            piece(1, half, 2, 90, 101),
            piece(1, half, 3, 90, 101),
            piece(1, Layer::Full, 2, 90, 101),
            piece(2, half, 2, 90, 101),
            piece(1, half, 2, 93, 101),
        ];
        let neighbour = [true, false, false, false, false];
        for (other, neighbour) in others.into_iter().zip(neighbour) {
            let mut pieces = [piece(1, half, 1, 90, 100), other];
            even_out(&mut pieces);
            let sizes = pieces.map(|piece| piece.payload.len());
            assert_eq!(sizes, if neighbour { [101, 100] } else { [100, 101] });
        }
        let mut without_picture = piece(1, half, 2, 90, 101);
        without_picture.vp8 = None;
        let mut pieces = [piece(1, half, 1, 90, 100), without_picture];
        even_out(&mut pieces);
        assert_eq!(pieces.map(|piece| piece.payload.len()), [100, 101]);
    }
}
