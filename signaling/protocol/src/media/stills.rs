//! Still pictures as data, for whoever's link carries no moving ones.
//!
//! ```text
//! page to relay   taken (i64, ms since 1970, big-endian) ‖ index (u8) ‖ count (u8) ‖ piece of a JPEG
//! relay to page   the sender's id (13 ASCII characters) ‖ the same
//! ```
//!
//! On [`STILLS_CHANNEL`], each piece one binary message. `taken` is the broker's time as the sender
//! knows it; it names the still among those of one sender, and a greater one is newer.

use crate::{ParticipantId, Timestamp};

/// Label of the unordered data channel with few retransmissions that carries stills.
pub const STILLS_CHANNEL: &str = "stills";
/// Most bytes of a JPEG in one piece: with everything around it one packet.
pub const STILL_PIECE_BYTES_MAX: usize = 1_000;
/// Most pieces of one still, hence 8 kB.
pub const STILL_PIECES_MAX: u8 = 8;
/// Least time between two stills of one sender; a page takes its time and keeps more.
pub const STILL_GAP_MS: u64 = 3_000;

const HEAD_BYTES: usize = 10;

/// A part of a still picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StillPiece<'a> {
    /// When the picture was taken.
    pub taken: Timestamp,
    /// Which part this is, from 0.
    pub index: u8,
    /// How many parts there are, 1 to [`STILL_PIECES_MAX`].
    pub count: u8,
    /// 1 to [`STILL_PIECE_BYTES_MAX`] bytes of a JPEG.
    pub jpeg: &'a [u8],
}

impl<'a> StillPiece<'a> {
    /// Reads a page's message; `None` if it is not one of a still within its bounds.
    pub fn read(message: &'a [u8]) -> Option<Self> {
        let (taken, rest) = message.split_first_chunk::<8>()?;
        let (&[index, count], jpeg) = rest.split_first_chunk::<2>()?;
        let taken = Timestamp(i64::from_be_bytes(*taken));
        let fits = (1..=STILL_PIECES_MAX).contains(&count)
            && index < count
            && (1..=STILL_PIECE_BYTES_MAX).contains(&jpeg.len())
            && taken.0 >= 0;
        fits.then_some(Self { taken, index, count, jpeg })
    }

    /// The message as a page sends it.
    pub fn write(&self) -> Vec<u8> {
        let mut message = Vec::with_capacity(HEAD_BYTES + self.jpeg.len());
        message.extend(self.taken.0.to_be_bytes());
        message.extend([self.index, self.count]);
        message.extend(self.jpeg);
        message
    }
}

/// A page's message as the relay passes it on.
pub fn still_of(sender: ParticipantId, message: &[u8]) -> Vec<u8> {
    [sender.to_string().as_bytes(), message].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_reads_as_it_was_written_and_as_documented() {
        let piece = StillPiece { taken: Timestamp(258), index: 1, count: 3, jpeg: &[0xff, 0xd8] };
        let message = piece.write();
        assert_eq!(message, [0, 0, 0, 0, 0, 0, 1, 2, 1, 3, 0xff, 0xd8]);
        assert_eq!(StillPiece::read(&message), Some(piece));
        let passed_on = still_of(ParticipantId(2), &message);
        assert_eq!(passed_on[..13], *b"0000000000002");
        assert_eq!(passed_on[13..], message);
    }

    #[test]
    fn what_is_out_of_bounds_is_no_piece() {
        let piece = |taken, index, count, length: usize| {
            let jpeg = vec![7; length];
            let message = StillPiece { taken: Timestamp(taken), index, count, jpeg: &jpeg }.write();
            StillPiece::read(&message).is_some()
        };
        assert!(piece(0, 7, 8, STILL_PIECE_BYTES_MAX));
        assert!(!piece(0, 0, 1, STILL_PIECE_BYTES_MAX + 1), "too large");
        assert!(!piece(0, 0, 1, 0), "empty");
        assert!(!piece(0, 0, 9, 1), "of too many");
        assert!(!piece(0, 0, 0, 1) && !piece(0, 3, 3, 1), "beyond its own count");
        assert!(!piece(-1, 0, 1, 1), "before 1970");
        assert_eq!(StillPiece::read(&[]), None);
    }
}
