//! Which datagrams may leave in one system call: PURE.
//!
//! The kernel cuts one buffer into datagrams of one size for one destination (UDP generic
//! segmentation offload); only the last may be shorter.

use super::{Sort, sort};
use std::ops::Range;
use str0m::net::Transmit;

/// Most bytes of a run: what fits an IPv4 datagram with some room for headers.
pub(crate) const RUN_BYTES_MAX: usize = 65_000;

/// Brings datagrams to one destination together, and there those of one stream: the pacer takes the
/// pictures of two people in turns, and their pieces are not of one size. A stream's order is
/// kept. Streams of small packets go in front, for sound is one and must not wait for a picture.
pub(crate) fn gather(transmits: &mut [Transmit]) {
    let grouped = transmits.windows(2).all(|pair| pair[0].destination <= pair[1].destination);
    if !grouped {
        transmits.sort_by_key(|transmit| transmit.destination);
    }
    let groups = transmits.chunk_by_mut(|one, next| one.destination == next.destination);
    for group in groups.filter(|group| group.len() > 1) {
        let mut streams: Vec<(Option<[u8; 4]>, usize)> = Vec::new();
        for transmit in group.iter() {
            let (stream, size) = (stream(&transmit.contents), transmit.contents.len());
            match streams.iter_mut().find(|(known, _)| *known == stream) {
                Some((_, longest)) => *longest = size.max(*longest),
                None => streams.push((stream, size)),
            }
        }
        streams.sort_by_key(|(_, longest)| *longest);
        if streams.len() > 1 {
            group.sort_by_cached_key(|transmit| {
                let stream = stream(&transmit.contents);
                streams.iter().position(|(known, _)| *known == stream)
            });
        }
    }
}

/// The synchronisation source of an RTP packet (RFC 3550 §5.1); all else is one stream.
fn stream(bytes: &[u8]) -> Option<[u8; 4]> {
    bytes.get(8..12).filter(|_| sort(bytes) == Sort::Media)?.try_into().ok()
}

/// Cuts a list into runs that may each leave in one call, of at most `segments_max` datagrams.
pub(crate) fn runs(
    transmits: &[Transmit],
    segments_max: usize,
) -> impl Iterator<Item = Range<usize>> + '_ {
    runs_of(transmits, segments_max, |transmit| {
        ((transmit.proto, transmit.destination, transmit.source), transmit.contents.len())
    })
}

/// The same for anything of which `facts` tells the way and the size.
pub(crate) fn runs_of<T, W: PartialEq>(
    list: &[T],
    segments_max: usize,
    facts: impl Fn(&T) -> (W, usize),
) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = list.get(start..).filter(|rest| !rest.is_empty())?;
        let run = start..start + run_length(rest, segments_max, &facts);
        start = run.end;
        Some(run)
    })
}

fn run_length<T, W: PartialEq>(
    list: &[T],
    segments_max: usize,
    facts: impl Fn(&T) -> (W, usize),
) -> usize {
    let mut list = list.iter().map(facts);
    let Some((way, size)) = list.next() else { return 0 };
    let most = segments_max.min(RUN_BYTES_MAX / size.max(1)).max(1);
    let mut length = 1;
    for (other, len) in list.take(most - 1) {
        if other != way || len > size {
            break;
        }
        length += 1;
        if len < size {
            break;
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use str0m::net::Protocol;

    fn datagram(port: u16, size: usize) -> Transmit {
        Transmit {
            proto: Protocol::Udp,
            source: ([127, 0, 0, 1], 9).into(),
            destination: ([127, 0, 0, 1], port).into(),
            contents: vec![0; size].into(),
        }
    }

    fn lengths(transmits: &[Transmit], most: usize) -> Vec<usize> {
        runs(transmits, most).map(|run| run.len()).collect()
    }

    #[test]
    fn a_frame_of_equal_pieces_and_a_shorter_last_is_one_run() {
        let frame: Vec<_> = [1_100, 1_100, 1_100, 300].map(|size| datagram(1, size)).into();
        assert_eq!(lengths(&frame, 64), [4]);
        assert_eq!(lengths(&frame, 1), [1, 1, 1, 1], "a kernel without offload");
    }

    #[test]
    fn a_larger_piece_or_another_receiver_begins_a_run() {
        let mixed = [datagram(1, 900), datagram(1, 901), datagram(2, 901), datagram(2, 100)];
        assert_eq!(lengths(&mixed, 64), [1, 1, 2]);
    }

    #[test]
    fn pictures_of_two_people_that_come_in_turns_leave_in_a_run_each_behind_the_sound() {
        let packet = |ssrc: u8, kind: u8, size: usize| {
            let mut contents = vec![0; size];
            (contents[0], contents[1], contents[11]) = (0x80, kind, ssrc);
            Transmit { contents: contents.into(), ..datagram(1, 0) }
        };
        let mut turns: Vec<_> = vec![packet(1, 96, 900), packet(7, 111, 90), packet(2, 96, 950)];
        turns.extend([packet(1, 96, 900), packet(2, 96, 950), packet(3, 200, 80)]);
        turns.extend([packet(1, 96, 800), packet(2, 224, 700), packet(4, 201, 60)]);
        gather(&mut turns);
        let sizes: Vec<_> = turns.iter().map(|transmit| transmit.contents.len()).collect();
        assert_eq!(sizes, [80, 60, 90, 900, 900, 800, 950, 950, 700], "reports are one stream");
        assert_eq!(lengths(&turns, 64), [2, 1, 3, 3]);
    }

    proptest! {
        #[test]
        fn every_datagram_is_in_one_run_in_its_order_and_every_run_is_lawful(
            wanted in prop::collection::vec((1u16..4, 1usize..1_500), 0..200), most in 1usize..65
        ) {
            let mut list: Vec<_> = wanted.iter().map(|(port, size)| datagram(*port, *size)).collect();
            gather(&mut list);
            for port in 1..4 {
                let before = wanted.iter().filter(|(p, _)| *p == port).map(|(_, size)| *size);
                let after = list.iter().filter(|t| t.destination.port() == port);
                prop_assert!(before.eq(after.map(|t| t.contents.len())));
            }
            let mut next = 0;
            for run in runs(&list, most) {
                prop_assert_eq!(run.start, next);
                next = run.end;
                let run = &list[run];
                let size = run[0].contents.len();
                prop_assert!(run.len() <= most);
                prop_assert!(run.iter().all(|t| t.destination == run[0].destination));
                prop_assert!(run[..run.len() - 1].iter().all(|t| t.contents.len() == size));
                prop_assert!(run[run.len() - 1].contents.len() <= size);
                prop_assert!(run.iter().map(|t| t.contents.len()).sum::<usize>() <= RUN_BYTES_MAX);
            }
            prop_assert_eq!(next, list.len());
        }
    }
}
