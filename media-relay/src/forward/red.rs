//! Sound that repeats itself (RFC 2198): PURE. What a publisher lost on its way is taken from the
//! repetitions of what came after, so that no receiver inherits a loss; and each receiver gets as
//! many repetitions as its own link needs.

use std::collections::VecDeque;
use std::sync::Arc;
use str0m::media::Pt;
use str0m::rtp::{RedDecoder, RedEncoder, RedundantBlock};

/// Frames of a source that are remembered: more than a second, so that one asked for again over
/// a long link is still known for what it is. The oldest gives way.
const FRAMES_MAX: usize = 64;
/// A repetition from before a pause of this many ticks (120 ms) cannot be numbered safely.
const STEP_TICKS_MAX: u32 = 5_760;

/// One frame of sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Extended sequence number.
    pub(crate) seq: u64,
    /// RTP timestamp.
    pub(crate) time: u32,
    pub(crate) payload: Arc<[u8]>,
}

/// The latest frames of one source, by number.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    latest: VecDeque<Frame>,
}

impl Frames {
    /// A frame came by itself; `None` if it is known already or too late.
    pub(crate) fn plain(&mut self, frame: Frame) -> Option<Frame> {
        let after = self.latest.iter().rposition(|known| known.seq <= frame.seq);
        let at = match after {
            Some(index) if self.latest[index].seq == frame.seq => return None,
            Some(index) => index + 1,
            None if self.latest.len() >= FRAMES_MAX => return None,
            None => 0,
        };
        self.latest.insert(at, frame.clone());
        if self.latest.len() > FRAMES_MAX {
            self.latest.pop_front();
        }
        Some(frame)
    }

    /// A frame came with repetitions of earlier ones. Answers with all that are new, oldest
    /// first; with nothing if the packet is broken or holds another codec than `opus`.
    pub(crate) fn repeated(&mut self, seq: u64, time: u32, packet: &[u8], opus: Pt) -> Vec<Frame> {
        let blocks = RedDecoder::decode(packet).unwrap_or_default();
        let ours = |pt: u8| Pt::from(pt) == opus;
        let Some(primary) = blocks.last().filter(|block| block.is_primary && ours(block.pt)) else {
            return Vec::new();
        };
        let repetitions = blocks.iter().filter(|block| !block.is_primary && ours(block.pt));
        // The nearest repetition is the frame just before: its distance is the length of one.
        let offsets = repetitions.clone().map(|block| block.timestamp_offset);
        let step = offsets.filter(|ticks| *ticks > 0).min().filter(|t| *t <= STEP_TICKS_MAX);
        let mut found = Vec::new();
        for block in repetitions {
            let Some(step) = step.filter(|step| block.timestamp_offset % step == 0) else {
                continue;
            };
            let back = u64::from(block.timestamp_offset / step);
            let Some(seq) = seq.checked_sub(back).filter(|_| back > 0) else { continue };
            let time = time.wrapping_sub(block.timestamp_offset);
            if self.fits(seq, time) && !block.payload.is_empty() {
                found.extend(self.plain(Frame { seq, time, payload: block.payload.into() }));
            }
        }
        found.extend(self.plain(Frame { seq, time, payload: primary.payload.into() }));
        // A sender may have put them in any order.
        found.sort_by_key(|frame| frame.seq);
        found
    }

    /// Whether a number that is not known lies between frames whose times agree with it.
    fn fits(&self, seq: u64, time: u32) -> bool {
        let before = |a: u32, b: u32| a != b && b.wrapping_sub(a) < u32::MAX / 2;
        let older = self.latest.iter().rev().find(|known| known.seq <= seq);
        let newer = self.latest.iter().find(|known| known.seq > seq);
        older.is_some_and(|known| known.seq < seq && before(known.time, time))
            && newer.is_none_or(|known| before(time, known.time))
    }

    /// The frame with a number.
    fn at(&self, seq: u64) -> Option<&Frame> {
        self.latest.iter().rev().find(|known| known.seq == seq)
    }
}

/// One frame with its repetitions, made once for all receivers that want it the same.
#[derive(Debug)]
pub(crate) struct Wrapper<'a> {
    frames: &'a Frames,
    frame: &'a Frame,
    made: Vec<Made>,
}

#[derive(Debug)]
struct Made {
    opus: Pt,
    copies: u8,
    payload: Arc<[u8]>,
}

impl<'a> Wrapper<'a> {
    pub(crate) fn new(frames: &'a Frames, frame: &'a Frame) -> Self {
        Self { frames, frame, made: Vec::new() }
    }

    /// The payload with the `copies` frames before it, for a receiver that knows Opus as `opus`.
    pub(crate) fn with_copies(&mut self, opus: Pt, copies: u8) -> Arc<[u8]> {
        let same = |made: &&Made| (made.opus, made.copies) == (opus, copies);
        if let Some(made) = self.made.iter().find(same) {
            return made.payload.clone();
        }
        let before = (1..=u64::from(copies)).rev();
        let earlier = before.filter_map(|back| self.frames.at(self.frame.seq.checked_sub(back)?));
        let blocks: Vec<_> = earlier
            .map(|frame| RedundantBlock {
                pt: *opus,
                timestamp_offset: self.frame.time.wrapping_sub(frame.time),
                payload: frame.payload.to_vec(),
            })
            .collect();
        let payload: Arc<[u8]> = RedEncoder::encode(*opus, &self.frame.payload, &blocks).into();
        self.made.push(Made { opus, copies, payload: payload.clone() });
        payload
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn opus() -> Pt {
        Pt::from(111)
    }

    fn frame(number: u64) -> Frame {
        let byte = number.to_le_bytes()[0];
        let time = u32::try_from(number * 960 % (1 << 32)).expect("32 bits");
        Frame { seq: number, time, payload: Arc::from([byte; 5].as_slice()) }
    }

    /// What a page sends for a frame with so many before it.
    fn packet(number: u64, copies: u64) -> Vec<u8> {
        let mut frames = Frames::default();
        (number - copies..=number).for_each(|n| drop(frames.plain(frame(n))));
        let copies = u8::try_from(copies).expect("few");
        Wrapper::new(&frames, &frame(number)).with_copies(opus(), copies).to_vec()
    }

    fn take(frames: &mut Frames, number: u64, copies: u64) -> Vec<u64> {
        let taken = frames.repeated(number, frame(number).time, &packet(number, copies), opus());
        assert!(taken.iter().all(|taken| *taken == frame(taken.seq)), "as it was sent");
        taken.into_iter().map(|frame| frame.seq).collect()
    }

    #[test]
    fn a_lost_frame_is_taken_from_the_packet_after_it() {
        let mut frames = Frames::default();
        assert_eq!(take(&mut frames, 10, 1), [10], "nothing is known before the first");
        assert_eq!(take(&mut frames, 12, 1), [11, 12]);
        assert_eq!(take(&mut frames, 13, 1), [13], "nothing twice");
        assert_eq!(frames.plain(frame(11)), None, "the real one came late");
        assert_eq!(take(&mut frames, 16, 2), [14, 15, 16]);
        assert_eq!(take(&mut frames, 19, 1), [18, 19]);
        assert_eq!(frames.plain(frame(17)), Some(frame(17)), "asked for again");
    }

    #[test]
    fn a_packet_of_another_codec_or_of_rubbish_is_nothing() {
        let mut frames = Frames::default();
        assert!(frames.repeated(1, 960, &packet(1, 1), Pt::from(109)).is_empty());
        assert!(frames.repeated(2, 1_920, &[0x80], opus()).is_empty());
    }

    #[test]
    fn repetitions_in_the_wrong_order_are_handed_on_in_the_right_one() {
        let mut frames = Frames::default();
        take(&mut frames, 10, 0);
        let block = |back: u64| RedundantBlock {
            pt: 111,
            timestamp_offset: u32::try_from(back * 960).expect("few"),
            payload: vec![1],
        };
        let packet = RedEncoder::encode(111, &[2], &[block(1), block(2)]);
        let taken = frames.repeated(13, frame(13).time, &packet, opus());
        assert_eq!(taken.iter().map(|frame| frame.seq).collect::<Vec<_>>(), [11, 12, 13]);
    }

    #[test]
    fn a_repetition_from_before_a_pause_is_left_alone() {
        let mut frames = Frames::default();
        take(&mut frames, 10, 0);
        let old = RedundantBlock { pt: 111, timestamp_offset: 9_600, payload: vec![1] };
        let packet = RedEncoder::encode(111, &[2], &[old]);
        let taken = frames.repeated(11, frame(10).time + 9_600, &packet, opus());
        assert_eq!(taken.len(), 1);
    }

    #[test]
    fn what_is_made_for_one_receiver_is_shared_by_the_next() {
        let mut frames = Frames::default();
        (1..4).for_each(|number| drop(frames.plain(frame(number))));
        let newest = frame(3);
        let mut wrapper = Wrapper::new(&frames, &newest);
        let one = wrapper.with_copies(opus(), 1);
        assert!(Arc::ptr_eq(&one, &wrapper.with_copies(opus(), 1)));
        assert!(wrapper.with_copies(opus(), 2).len() > one.len());
    }

    proptest! {
        #[test]
        fn every_frame_is_handed_on_once_and_none_that_was_repeated_is_missing(
            lost in prop::collection::vec(prop::bool::weighted(0.3), 100), copies in 1u64..3
        ) {
            let mut frames = Frames::default();
            let mut handed = take(&mut frames, 100, copies);
            let arrive = |n: u64| n == 100 || !lost[usize::try_from(n - 101).expect("small")];
            for number in (101..=200).filter(|number| arrive(*number)) {
                handed.extend(take(&mut frames, number, copies));
            }
            prop_assert!(handed.windows(2).all(|pair| pair[0] < pair[1]));
            for number in 100..=200 {
                let carried = (number..=(number + copies).min(200)).any(arrive);
                prop_assert_eq!(handed.contains(&number), carried);
            }
        }

        #[test]
        fn no_packet_makes_the_reader_panic(
            packets in prop::collection::vec(
                (0u64..40, any::<u32>(), prop::collection::vec(any::<u8>(), 0..60)), 0..50)
        ) {
            let mut frames = Frames::default();
            for (seq, time, bytes) in packets {
                frames.repeated(seq, time, &bytes, opus());
                frames.plain(Frame { seq, time, payload: bytes.into() });
            }
            prop_assert!(frames.latest.len() <= FRAMES_MAX);
            let seqs: Vec<_> = frames.latest.iter().map(|frame| frame.seq).collect();
            prop_assert!(seqs.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
