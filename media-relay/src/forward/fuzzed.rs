//! Media from outside, broken in every way: read and rewritten by itself, and sent through a whole
//! call by somebody who is in it.

mod hall;

use super::addresses::{Addresses, Key, local_user};
use super::red::{Frame, Frames, Wrapper};
use super::splice::{Incoming, Splice};
use crate::net::{Way, sort};
use hall::Hall;
use std::sync::Arc;
use std::time::{Duration, Instant};
use str0m::media::Pt;
use str0m::rtp::Vp8Descriptor;

/// RED: one repetition and a frame. VP8: a keyframe with every field, one with few.
const PAYLOADS: [&[u8]; 5] = [
    &[0x80 | 111, 0x0f, 0x00, 4, 111, 1, 2, 3, 4, 5, 6, 7, 8],
    &[0x80 | 111, 0x1e, 0x00, 2, 0x80 | 111, 0x0f, 0x00, 2, 111, 1, 2, 3, 4, 5],
    &[0x90, 0xf0, 0x81, 0x23, 7, 0x20, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a],
    &[0x10, 0x01, 0x00, 0x9d, 0x01, 0x2a],
    &[0x90, 0x80, 0x12, 0x00, 0x00],
];

#[test]
fn no_packet_breaks_who_reads_repetitions_or_numbers_pictures_anew() {
    let opus = Pt::from(111);
    let begun = Instant::now();
    let mut frames = Frames::default();
    let (mut sound, mut picture) = (Splice::new(48_000), Splice::new(90_000));
    let mut number = 1_000;
    minato_fuzz::feed("rtp", &PAYLOADS, |bytes| {
        let [step, time @ .., _] = bytes.first_chunk().copied().unwrap_or([1; 6]);
        // Forward mostly, now and then back or far ahead.
        number += u64::from(step % 4) * if step > 250 { 30_000 } else { 1 };
        let seq = number.saturating_sub(u64::from(step % 64 / 60) * 40);
        let time = u32::from_be_bytes(time);
        let at = begun + Duration::from_millis(number % 100_000);
        let taken = frames.repeated(seq, time, bytes, opus);
        assert!(taken.windows(2).all(|pair| pair[0].seq < pair[1].seq), "in their order");
        for frame in &taken {
            for copies in 0..3 {
                assert!(!Wrapper::new(&frames, frame).with_copies(opus, copies).is_empty());
            }
        }
        frames.plain(Frame { seq, time, payload: Arc::from(bytes) });
        let vp8 = Vp8Descriptor::parse(bytes).ok();
        let keyframe = vp8.is_some_and(|descriptor| descriptor.starts_keyframe(bytes));
        for (splice, vp8) in [(&mut sound, None), (&mut picture, vp8)] {
            let incoming = Incoming { seq, time, vp8, at };
            if keyframe && step % 8 == 0 {
                splice.begin(&incoming);
            }
            if let Some(placed) = splice.place(&incoming) {
                assert!(placed.seq >= 1, "numbers begin at 1");
            }
        }
    });
}

#[test]
fn no_datagram_breaks_the_address_book_and_none_is_anybodys_without_proof() {
    let request =
        [&[0u8, 1, 0, 16, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12], &[0, 6, 0, 9], b"abcd:page\0\0\0"]
            .concat();
    let seeds: [&[u8]; 4] = [&request, &[22; 20], &[128; 12], &[1; 20]];
    let mut book = Addresses::default();
    book.answers_to("abcd", Key(1));
    let stranger = Way::udp(([192, 0, 2, 9], 9).into());
    minato_fuzz::feed("datagram", &seeds, |bytes| {
        let _ = (sort(bytes), local_user(bytes));
        let routed = Addresses::route(&mut book, stranger, bytes);
        assert!(routed.is_none() || matches!(bytes, [0 | 1, ..]), "no DTLS, no media");
    });
}

#[test]
fn nobody_in_a_call_breaks_it_for_another_by_what_is_sent() {
    let mut hall = Hall::open();
    assert!(hall.play(&hall::script(PAYLOADS[2])) && hall.received() > 0, "it is forwarded");
    let seeds: Vec<Vec<u8>> = PAYLOADS.iter().map(|payload| hall::script(payload)).collect();
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    minato_fuzz::feed("call", &seeds, |bytes| {
        if !hall.play(bytes) {
            hall = Hall::open();
        }
    });
}
