//! What a TCP connection may begin with and bring, broken in every way.

use super::first_bytes::{FIRST_BYTES, guest, newcomer};
use super::tcp::framing::{framed, packets, whole_packets};
use crate::turn::{Framing, frame_len};

const TLS_HELLO: [u8; 12] = [22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 7];
const BINDING: [u8; 22] =
    [0, 20, 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

#[test]
fn who_comes_is_told_alike_however_the_bytes_arrive() {
    let seeds: [&[u8]; 5] = [&TLS_HELLO, &BINDING, &BINDING[2..], b"GET / HTTP/1.1", b"PRI * HTTP"];
    minato_fuzz::feed("first_bytes", &seeds, |bytes| {
        let cuts = || (0..=bytes.len()).map(|cut| &bytes[..cut]);
        let (who, later) = (newcomer(bytes), guest(bytes));
        assert!(bytes.len() < FIRST_BYTES || (who.is_some() && later.is_some()));
        for early in cuts().take(FIRST_BYTES + 2) {
            assert!(newcomer(early).is_none_or(|early| Some(early) == who));
            assert!(guest(early).is_none_or(|early| Some(early) == later));
        }
    });
}

#[test]
fn a_stream_of_packets_is_read_alike_however_it_is_cut() {
    let two = [framed(&[128; 40]), framed(&[0; 20]), framed(&[])].into_iter().flatten();
    let stream: Vec<u8> = two.flatten().collect();
    minato_fuzz::feed("ice_tcp", &[&stream, &BINDING, &[0, 0, 0, 0], &[8, 0]], |bytes| {
        let at_once = whole_packets(bytes);
        let mut waiting: Vec<u8> = Vec::new();
        let mut read: Vec<Vec<u8>> = Vec::new();
        for piece in bytes.chunks(usize::from(bytes.first().copied().unwrap_or(1) % 7) + 1) {
            waiting.extend_from_slice(piece);
            let Ok(whole) = whole_packets(&waiting) else {
                return assert!(at_once.is_err());
            };
            let rest = waiting.split_off(whole);
            read.extend(packets(&waiting).map(<[u8]>::to_vec));
            waiting = rest;
        }
        let whole = at_once.expect("it was read piece by piece");
        assert!(packets(&bytes[..whole]).eq(read.iter().map(Vec::as_slice)));
        let again: Vec<u8> = read.iter().filter_map(|packet| framed(packet)).flatten().collect();
        assert!(again.len() <= whole);
    });
}

#[test]
fn a_stream_of_turn_is_cut_into_frames_that_go_on() {
    let seeds: [&[u8]; 3] = [&BINDING[2..], &[0x40, 0, 0, 3, 1, 2, 3, 0], &[0, 3, 0, 8, 0x21]];
    minato_fuzz::feed("turn_frames", &seeds, |mut bytes| {
        while let Framing::Length(length) = frame_len(bytes) {
            assert!(length >= 4);
            let Some(rest) = bytes.get(length..) else { return };
            bytes = rest;
        }
    });
}
