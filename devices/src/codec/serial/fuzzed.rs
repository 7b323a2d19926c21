//! Streams of serial oximeters, broken in every way and cut anywhere.

use super::bci::{Bci, PACKET_BYTES};
use super::emay::{Emay, WAVE_BYTES};
use super::nonin::{Nonin, tests::frame};
use super::{Found, PACKET_BYTES_MAX, Packet, Protocol, Stream};

/// What a stream says that comes in pieces of the lengths that `cuts` gives in turns.
fn read<P: Protocol>(bytes: &[u8], cuts: &[u8]) -> (Vec<Found<P::Packet>>, u64) {
    let (mut stream, mut found) = (Stream::<P>::default(), Vec::new());
    let mut rest = bytes;
    for cut in cuts.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, behind) = rest.split_at((1 + usize::from(*cut)).min(rest.len()));
        stream.feed(piece, &mut found);
        rest = behind;
    }
    (found, stream.rest_bytes())
}

fn endure<P: Protocol>(name: &str, seeds: &[&[u8]], packet_bytes_min: usize) {
    minato_fuzz::feed_for(name, seeds, 4, |bytes| {
        let (cuts, stream) = bytes.split_at(bytes.len().min(4));
        let (whole, rest) = read::<P>(stream, &[u8::MAX]);
        assert!(whole.len() * packet_bytes_min <= stream.len());
        assert_eq!(read::<P>(stream, &[0]), (whole.clone(), rest), "byte by byte");
        if !cuts.is_empty() {
            assert_eq!(read::<P>(stream, cuts), (whole.clone(), rest), "cut by {cuts:?}");
        }
        let lost: u64 = whole.iter().map(|found| found.lost_bytes).sum::<u64>() + rest;
        assert!(lost <= stream.len() as u64, "{lost} bytes lost");
        for found in whole {
            assert!(!found.packet.raw().is_empty());
            let Some(frame) = found.packet.frame() else { continue };
            assert_eq!(frame.characteristic, P::CHARACTERISTIC);
            assert!(frame.quality.is_sorted(), "remarks are sorted");
        }
    });
}

#[test]
fn no_stream_breaks_the_reader_of_bci_packets_and_no_cut_changes_what_it_says() {
    let good = [0xc4, 0x28, 0x03, 0x48, 0x61];
    let off = [0x90, 0x00, 0x00, 0x7f, 0x7f];
    let stream = [&[7, 0, 3, 1], good.as_slice(), &good[..3], &off, &good].concat();
    endure::<Bci>("serial_bci", &[&stream], PACKET_BYTES);
}

#[test]
fn no_stream_breaks_the_reader_of_emays_packets_and_no_cut_changes_what_it_says() {
    let values = [0xEB, 0x01, 0x05, 0x3E, 0x62, 0x7F, 0x00, 0x10];
    assert_eq!(values.len(), PACKET_BYTES_MAX);
    let wave = [0xEB, 0x00, 0x00, 0x40, 0x03, 0x2E];
    let stream = [&[7, 0, 3, 1], wave.as_slice(), &values, &wave, &values[..5], &values].concat();
    endure::<Emay>("serial_emay", &[&stream], WAVE_BYTES);
}

#[test]
fn no_stream_breaks_the_reader_of_nonins_packets_and_no_cut_changes_what_it_says() {
    let streams = [false, true].map(|format_7| {
        let frame = frame(format_7, 72, 97, 0);
        [&[7, 0, 3, 1], frame.as_slice(), &frame[..33], &frame].concat()
    });
    endure::<Nonin>("serial_nonin", &[&streams[0], &streams[1]], PACKET_BYTES);
}
