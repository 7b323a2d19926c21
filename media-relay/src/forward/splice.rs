//! One outgoing stream made of several incoming ones: PURE renumbering, so that a receiver sees
//! no seam when the person in a slot or the layer of a camera changes.
//!
//! Sequence numbers start low (RFC 3711 §3.3.1: a receiver cannot know a rollover count that was
//! there before it) and keep the gaps of the source, so that a loss upstream is asked for again.

use std::time::Instant;
use str0m::rtp::{Vp8Descriptor, Vp8Patch};

/// An incoming packet, as far as renumbering is concerned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Incoming {
    /// Extended sequence number.
    pub(crate) seq: u64,
    /// RTP timestamp.
    pub(crate) time: u32,
    /// The VP8 descriptor of a video packet.
    pub(crate) vp8: Option<Vp8Descriptor>,
    /// When it arrived.
    pub(crate) at: Instant,
}

/// Where a packet goes in the outgoing stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    /// Extended sequence number.
    pub(crate) seq: u64,
    /// RTP timestamp.
    pub(crate) time: u32,
    /// New picture numbers for a video packet.
    pub(crate) vp8: Option<Vp8Patch>,
}

#[derive(Debug, Clone, Copy)]
struct Seam {
    seq_in: u64,
    seq_out: u64,
    time_shift: u32,
    picture_shift: u16,
    tl0_shift: u8,
}

#[derive(Debug, Clone, Copy)]
struct Latest {
    seq: u64,
    time: u32,
    picture: u16,
    tl0: u8,
    at: Instant,
}

/// The numbering of one outgoing stream.
#[derive(Debug)]
pub(crate) struct Splice {
    clock_hz: u32,
    seam: Option<Seam>,
    latest: Option<Latest>,
}

const PICTURE_MASK: u16 = 0x7fff;

impl Splice {
    /// `clock_hz` is 48000 for Opus, 90000 for video.
    pub(crate) fn new(clock_hz: u32) -> Self {
        Self { clock_hz, seam: None, latest: None }
    }

    /// From this packet on another incoming stream follows. For video it must start a keyframe.
    pub(crate) fn begin(&mut self, first: &Incoming) {
        let picture = first.vp8.and_then(|d| d.picture_id()).unwrap_or(0);
        let tl0 = first.vp8.and_then(|d| d.tl0_pic_idx()).unwrap_or(0);
        self.seam = Some(match self.latest {
            None => Seam {
                seq_in: first.seq,
                seq_out: 1,
                time_shift: 0,
                picture_shift: 0,
                tl0_shift: 0,
            },
            Some(latest) => Seam {
                seq_in: first.seq,
                seq_out: latest.seq + 1,
                time_shift: latest
                    .time
                    .wrapping_add(self.ticks_since(latest.at, first.at))
                    .wrapping_sub(first.time),
                picture_shift: latest.picture.wrapping_add(1).wrapping_sub(picture),
                tl0_shift: latest.tl0.wrapping_add(1).wrapping_sub(tl0),
            },
        });
    }

    /// Media time never stands still at a seam: at least one tick of 10 ms.
    fn ticks_since(&self, then: Instant, now: Instant) -> u32 {
        let elapsed = now.saturating_duration_since(then).as_micros();
        let ticks = elapsed * u128::from(self.clock_hz) / 1_000_000;
        u32::try_from(ticks).unwrap_or(u32::MAX / 2).max(self.clock_hz / 100)
    }

    /// Renumbers a packet of the present stream; `None` for one from before the seam.
    pub(crate) fn place(&mut self, packet: &Incoming) -> Option<Placed> {
        let seam = self.seam?;
        let seq = seam.seq_out + packet.seq.checked_sub(seam.seq_in)?;
        let time = packet.time.wrapping_add(seam.time_shift);
        let picture = packet.vp8.and_then(|d| d.picture_id());
        let tl0 = packet.vp8.and_then(|d| d.tl0_pic_idx());
        let picture = picture.map(|id| id.wrapping_add(seam.picture_shift) & PICTURE_MASK);
        let tl0 = tl0.map(|index| index.wrapping_add(seam.tl0_shift));
        if self.latest.is_none_or(|latest| seq > latest.seq) {
            let last = self.latest;
            self.latest = Some(Latest {
                seq,
                time,
                picture: picture.or(last.map(|l| l.picture)).unwrap_or(0),
                tl0: tl0.or(last.map(|l| l.tl0)).unwrap_or(0),
                at: packet.at,
            });
        }
        Some(Placed { seq, time, vp8: packet.vp8.and_then(|d| patch(&d, picture, tl0)) })
    }
}

/// New numbers for a descriptor, as far as it has the fields; 7-bit picture numbers wrap earlier.
fn patch(descriptor: &Vp8Descriptor, picture: Option<u16>, tl0: Option<u8>) -> Option<Vp8Patch> {
    let build = |mask: u16| {
        let mut builder = descriptor.patch();
        if let Some(id) = picture {
            builder = builder.picture_id(id & mask);
        }
        if let Some(index) = tl0 {
            builder = builder.tl0_pic_idx(index);
        }
        builder.build().ok()
    };
    build(PICTURE_MASK).or_else(|| build(0x7f))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn sound(seq: u64, time: u32, at: Instant) -> Incoming {
        Incoming { seq, time, vp8: None, at }
    }

    /// A VP8 packet with a 15-bit picture number and TL0PICIDX.
    fn picture(seq: u64, id: u16, tl0: u8, at: Instant) -> Incoming {
        let high = u8::try_from(id >> 8).expect("15 bits") | 0x80;
        let low = u8::try_from(id & 0xff).expect("8 bits");
        let payload = [0x90, 0xe0, high, low, tl0, 0x00, 0x00, 0x01];
        Incoming { seq, time: 0, vp8: Vp8Descriptor::parse(&payload).ok(), at }
    }

    #[test]
    fn a_stream_starts_low_and_keeps_the_gaps_of_its_source() {
        let now = Instant::now();
        let mut splice = Splice::new(48_000);
        splice.begin(&sound(1_000_000, 5, now));
        let seqs: Vec<_> = [1_000_000, 1_000_003, 1_000_001]
            .map(|seq| splice.place(&sound(seq, 5, now)).map(|p| p.seq))
            .into();
        assert_eq!(seqs, [Some(1), Some(4), Some(2)]);
        assert_eq!(splice.place(&sound(999_999, 5, now)), None, "from before the seam");
    }

    #[test]
    fn the_next_stream_follows_on_in_number_and_in_time() {
        let now = Instant::now();
        let mut splice = Splice::new(48_000);
        splice.begin(&sound(7, 1_000, now));
        splice.place(&sound(7, 1_000, now));
        let later = now + Duration::from_millis(500);
        splice.begin(&sound(40, u32::MAX, later));
        let placed = splice.place(&sound(40, u32::MAX, later)).expect("the first of its stream");
        assert_eq!((placed.seq, placed.time), (2, 1_000 + 24_000));
        let next = splice.place(&sound(41, 959, later)).expect("the second");
        assert_eq!((next.seq, next.time), (3, 25_000 + 960));
    }

    #[test]
    fn picture_numbers_run_on_over_a_seam() {
        let now = Instant::now();
        let mut splice = Splice::new(90_000);
        let old = picture(10, 0x7fff, 255, now);
        splice.begin(&old);
        splice.place(&old);
        let new = picture(900, 5, 9, now + Duration::from_millis(40));
        splice.begin(&new);
        let placed = splice.place(&new).expect("placed");
        let wanted = new.vp8.map(|d| d.patch().picture_id(0).tl0_pic_idx(0).build());
        assert_eq!(placed.vp8.map(Ok), wanted);
    }

    #[test]
    fn a_late_packet_does_not_turn_the_clock_back() {
        let now = Instant::now();
        let mut splice = Splice::new(48_000);
        splice.begin(&sound(1, 0, now));
        splice.place(&sound(3, 1_920, now));
        splice.place(&sound(2, 960, now));
        splice.begin(&sound(50, 0, now));
        assert_eq!(splice.place(&sound(50, 0, now)).map(|p| (p.seq, p.time)), Some((4, 2_400)));
    }
}
