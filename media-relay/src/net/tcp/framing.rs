//! Packets on a byte stream, each behind its length in 16 bits (RFC 4571 §2, RFC 6544 §3): PURE.

/// The longest packet taken from a stream; one that says it is longer ends its connection. What
/// pages send fits an Ethernet frame.
pub(crate) const PACKET_BYTES_MAX: usize = 2_048;
/// The length before each packet.
const LENGTH_BYTES: usize = 2;

/// A packet says it is longer than [`PACKET_BYTES_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a packet of more than {PACKET_BYTES_MAX} bytes")]
pub(crate) struct PacketTooLong;

/// How many bytes the whole packets at the beginning of a stream take, with their lengths.
pub(crate) fn whole_packets(bytes: &[u8]) -> Result<usize, PacketTooLong> {
    let mut whole = 0;
    while let Some([high, low]) = bytes.get(whole..whole + LENGTH_BYTES) {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        if length > PACKET_BYTES_MAX {
            return Err(PacketTooLong);
        }
        let end = whole + LENGTH_BYTES + length;
        if end > bytes.len() {
            break;
        }
        whole = end;
    }
    Ok(whole)
}

/// The packets of a stream, oldest first. Empty ones mean nothing (RFC 4571 §2) and are left out,
/// as is one that is cut off.
pub(crate) fn packets(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        loop {
            let [high, low, rest @ ..] = bytes else { return None };
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            let packet = rest.get(..length)?;
            bytes = rest.get(length..)?;
            if !packet.is_empty() {
                return Some(packet);
            }
        }
    })
}

/// A packet behind its length; nothing, if 16 bits do not hold it.
pub(crate) fn framed(packet: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(packet.len()).ok()?;
    let mut framed = Vec::with_capacity(LENGTH_BYTES + packet.len());
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(packet);
    Some(framed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_stream_is_cut_behind_its_last_whole_packet() {
        let bytes = [0, 2, 7, 8, 0, 0, 0, 1, 9, 0, 3, 1];
        assert_eq!(whole_packets(&bytes), Ok(9));
        assert_eq!(packets(&bytes).collect::<Vec<_>>(), [&[7, 8][..], &[9]]);
        assert_eq!(whole_packets(&bytes[..1]), Ok(0));
    }

    #[test]
    fn a_packet_that_says_it_is_too_long_is_found_at_once() {
        assert_eq!(whole_packets(&[8, 0]), Ok(0));
        assert_eq!(whole_packets(&[8, 1]), Err(PacketTooLong));
        assert_eq!(whole_packets(b"\x16\x03\x01\x02"), Err(PacketTooLong), "a TLS hello");
        assert_eq!(framed(&[0; 70_000]), None);
    }

    proptest! {
        #[test]
        fn what_is_framed_is_read_back_however_it_is_cut(
            list in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..20),
            cut in any::<prop::sample::Index>(),
        ) {
            let stream: Vec<u8> = list.iter().filter_map(|packet| framed(packet)).flatten().collect();
            let (first, _) = stream.split_at(cut.index(stream.len() + 1));
            let whole = whole_packets(first).unwrap();
            let read: Vec<_> = packets(&first[..whole]).chain(packets(&stream[whole..])).collect();
            prop_assert_eq!(read, list.iter().map(Vec::as_slice).collect::<Vec<_>>());
        }

        #[test]
        fn no_stream_makes_the_reader_panic_or_read_past_its_end(
            bytes in prop::collection::vec(any::<u8>(), 0..5_000)
        ) {
            if let Ok(whole) = whole_packets(&bytes) {
                prop_assert!(whole <= bytes.len());
                let length: usize = packets(&bytes[..whole]).map(<[u8]>::len).sum();
                prop_assert!(length <= whole);
            }
        }
    }
}
