//! Cuts a byte stream (TCP, TLS) into STUN messages and ChannelData (RFC 8656 section 12.5). PURE.

/// The longest frame taken from a stream. A longer one closes the connection: a relayed datagram
/// is hardly ever larger than 1500 bytes.
pub(crate) const FRAME_BYTES_MAX: usize = 4_096;

/// What the first bytes of a frame say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Not enough bytes yet to know the length (4 are enough).
    More,
    /// The frame is this long, padding included; hand all of it to `Turn::from_client`.
    Length(usize),
    /// Neither STUN nor ChannelData, or too long: close the connection.
    Broken,
}

/// The length of the frame that begins with these bytes.
pub(crate) fn frame_len(first_bytes: &[u8]) -> Framing {
    let &[kind, _, high, low, ..] = first_bytes else {
        return match first_bytes.first() {
            Some(kind) if kind >> 6 > 1 => Framing::Broken,
            Some(_) | None => Framing::More,
        };
    };
    let body = usize::from(u16::from_be_bytes([high, low]));
    let length = match kind >> 6 {
        0 if body.is_multiple_of(4) => 20 + body,
        1 => 4 + body.next_multiple_of(4),
        _ => return Framing::Broken,
    };
    if length > FRAME_BYTES_MAX { Framing::Broken } else { Framing::Length(length) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_its_header_and_the_length_it_tells() {
        assert_eq!(frame_len(&[0x00, 0x03, 0x00, 0x08]), Framing::Length(28));
        assert_eq!(frame_len(&[0x00, 0x03, 0x00, 0x08, 0x21]), Framing::Length(28));
    }

    #[test]
    fn channel_data_takes_its_padding_along() {
        assert_eq!(frame_len(&[0x40, 0x00, 0x00, 0x05]), Framing::Length(12));
        assert_eq!(frame_len(&[0x40, 0x00, 0x00, 0x00]), Framing::Length(4));
    }

    #[test]
    fn fewer_than_four_bytes_wait_for_more() {
        for some in [&[][..], &[0x00], &[0x40, 0x01], &[0x00, 0x01, 0x00]] {
            assert_eq!(frame_len(some), Framing::More);
        }
    }

    #[test]
    fn what_is_neither_or_too_long_closes_the_connection() {
        let broken: [&[u8]; 6] = [
            &[0x80],
            &[0xff, 0x00],
            &[0x16 | 0x80, 0x03, 0x01, 0x00],
            &[0x00, 0x03, 0x00, 0x07],
            &[0x00, 0x03, 0xff, 0xfc],
            &[0x40, 0x00, 0xff, 0xff],
        ];
        for bytes in broken {
            assert_eq!(frame_len(bytes), Framing::Broken, "{bytes:x?}");
        }
    }
}
