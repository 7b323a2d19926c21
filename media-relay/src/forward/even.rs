//! Pieces of a picture, cut anew so that they are equally long: PURE.
//!
//! Browsers cut a picture into pieces whose sizes differ by a byte, the longer ones last, and the
//! kernel sends no piece in the same call that is longer than the one before it. A piece is some
//! stretch of the picture's bytes behind a descriptor (RFC 7741 §4.2), so bytes may move from the
//! beginning of one to the end of the one before.

use std::sync::Arc;

/// Pieces that would be shorter than this stay as they are: what a picture says of itself is in its
/// first bytes and stays in the first piece.
const SIZE_MIN: usize = 64;
/// The bits of a descriptor.
const EXTENDED: u8 = 0x80;
const STARTS_PARTITION: u8 = 0x10;
const HAS_PICTURE_ID: u8 = 0x80;
const LONG_PICTURE_ID: u8 = 0x80;
const HAS_TL0PICIDX: u8 = 0x40;
const HAS_TID_OR_KEYIDX: u8 = 0x30;

/// Cuts the payloads of VP8 packets that follow each other in one picture: all are equally long
/// then, the last perhaps shorter. `None` if they are right as they are or cannot be cut.
pub(crate) fn even(payloads: &[Arc<[u8]>]) -> Option<Vec<Arc<[u8]>>> {
    let grows = payloads.windows(2).any(|pair| pair[1].len() > pair[0].len());
    let shortens = payloads.iter().rev().skip(1).any(|one| one.len() != payloads[0].len());
    if !grows && !shortens {
        return None;
    }
    let parted: Vec<_> = payloads.iter().map(|one| part(one)).collect::<Option<_>>()?;
    if parted.iter().skip(1).any(|(descriptor, _)| descriptor[0] & STARTS_PARTITION != 0) {
        return None;
    }
    let bytes: usize = payloads.iter().map(|one| one.len()).sum();
    let size = bytes.div_ceil(payloads.len());
    if size < SIZE_MIN {
        return None;
    }
    let body: Vec<u8> = parted.iter().flat_map(|(_, body)| body.iter().copied()).collect();
    let mut rest = body.as_slice();
    let mut cut = Vec::with_capacity(payloads.len());
    for (descriptor, _) in parted {
        let (own, left) = rest.split_at(size.checked_sub(descriptor.len())?.min(rest.len()));
        if own.is_empty() {
            return None;
        }
        cut.push([descriptor, own].concat().into());
        rest = left;
    }
    Some(cut)
}

/// A payload's descriptor and what is behind it.
fn part(payload: &[u8]) -> Option<(&[u8], &[u8])> {
    let first = *payload.first()?;
    let mut length = 1;
    if first & EXTENDED != 0 {
        let extension = *payload.get(1)?;
        length += 1;
        if extension & HAS_PICTURE_ID != 0 {
            length += if payload.get(length)? & LONG_PICTURE_ID == 0 { 1 } else { 2 };
        }
        length += usize::from(extension & HAS_TL0PICIDX != 0);
        length += usize::from(extension & HAS_TID_OR_KEYIDX != 0);
    }
    payload.split_at_checked(length).filter(|(_, body)| !body.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use str0m::rtp::Vp8Descriptor;

    /// Payloads of these sizes with one descriptor, the body counting through.
    fn picture(descriptor: &[u8], sizes: &[usize]) -> Vec<Arc<[u8]>> {
        let mut bytes = (0u8..=250).cycle();
        let piece = |(at, size): (usize, &usize)| {
            let mut piece = descriptor.to_vec();
            piece[0] |= if at == 0 { STARTS_PARTITION } else { 0 };
            piece.extend(bytes.by_ref().take(size - descriptor.len()));
            piece.into()
        };
        sizes.iter().enumerate().map(piece).collect()
    }

    fn body(payloads: &[Arc<[u8]>]) -> Vec<u8> {
        payloads.iter().flat_map(|one| part(one).expect("a body").1.to_vec()).collect()
    }

    fn sizes(payloads: &[Arc<[u8]>]) -> Vec<usize> {
        payloads.iter().map(|one| one.len()).collect()
    }

    const PLAIN: [u8; 1] = [0x00];
    const SHORT: [u8; 3] = [0x80, 0x80, 0x05];
    const LONG: [u8; 6] = [0x80, 0xf0, 0x80, 0x05, 0x07, 0x20];

    #[test]
    fn pieces_that_differ_by_a_byte_become_equal_and_keep_the_picture() {
        for descriptor in [&PLAIN[..], &SHORT, &LONG] {
            let before = picture(descriptor, &[1_100, 1_100, 1_100, 1_101, 1_101]);
            let after = even(&before).expect("cut");
            assert_eq!(sizes(&after), [1_101, 1_101, 1_101, 1_101, 1_098]);
            assert_eq!(body(&after), body(&before));
        }
    }

    #[test]
    fn what_can_leave_together_or_is_no_picture_stays_as_it_is() {
        assert_eq!(even(&picture(&LONG, &[900, 900, 30])), None);
        assert_eq!(even(&picture(&LONG, &[900])), None);
        assert_eq!(even(&[]), None);
        assert_eq!(even(&picture(&LONG, &[20, 30])), None, "too short to be worth it");
        assert_eq!(even(&picture(&[0x10], &[900, 901])), None, "each begins a partition");
        assert_eq!(even(&[vec![0; 900].into(), vec![].into(), vec![0; 901].into()]), None);
        assert_eq!(even(&[vec![0; 70].into(), vec![0x80].into(), vec![0; 71].into()]), None);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_piece_becomes_longer_than_the_longest(
            wanted in prop::collection::vec(100usize..1_200, 1..40), long in any::<bool>()
        ) {
            let descriptor = if long { &LONG[..] } else { &PLAIN };
            let before = picture(descriptor, &wanted);
            let Some(after) = even(&before) else {
                let (last, others) = wanted.split_last().expect("some");
                prop_assert!(others.iter().all(|size| *size == wanted[0]) && *last <= wanted[0]);
                return Ok(());
            };
            prop_assert_eq!(body(&after), body(&before));
            for (after, before) in after.iter().zip(&before) {
                prop_assert_eq!(part(after).map(|both| both.0), part(before).map(|both| both.0));
            }
            let sizes = sizes(&after);
            let (last, others) = sizes.split_last().expect("some");
            prop_assert!(others.iter().all(|size| *size == sizes[0]) && *last <= sizes[0]);
            prop_assert!(wanted.iter().any(|size| *size >= sizes[0]));
            prop_assert_eq!(sizes.len(), wanted.len());
        }

        #[test]
        fn any_bytes_may_come_and_what_the_media_engine_reads_is_parted(
            payload in prop::collection::vec(any::<u8>(), 0..12)
        ) {
            if Vp8Descriptor::parse(&payload).is_ok() {
                prop_assert!(part(&payload).is_some());
            }
            let _ = even(&[payload.clone().into(), vec![0; 200].into(), payload.into()]);
        }
    }
}
