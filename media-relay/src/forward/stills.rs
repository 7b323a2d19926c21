//! Stills on their way through: PURE. What a participant may send of them, and which of them a page
//! is given: whole ones or none, and never more than wait for it already.

use minato_protocol::media::{STILL_GAP_MS, StillPiece};
use minato_protocol::{ParticipantId, Timestamp};
use std::time::{Duration, Instant};

/// Senders of stills that a page is given: more than there are slots. When full the one that was
/// silent longest is forgotten.
const SENDERS_MAX: usize = 8;

/// Why a piece is not passed on; the words are those of the metric.
pub(crate) type Refused = &'static str;

/// A piece that may be passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Admitted {
    /// Which still of its sender it belongs to.
    pub(crate) taken: Timestamp,
    /// It is the first that has come of it.
    pub(crate) begins: bool,
}

/// What one participant sends.
#[derive(Debug, Default)]
pub(crate) struct StillsIn {
    current: Option<Still>,
}

#[derive(Debug)]
struct Still {
    taken: Timestamp,
    count: u8,
    /// One bit for each piece that has come.
    came: u8,
    began: Instant,
}

impl StillsIn {
    /// Whether one came of late.
    pub(crate) fn come(&self, now: Instant) -> bool {
        let lately = |still: &Still| now.saturating_duration_since(still.began) < LATELY;
        self.current.as_ref().is_some_and(lately)
    }

    /// Looks at a message: one piece of the present still, or the first that comes of a newer one.
    pub(crate) fn admit(&mut self, message: &[u8], now: Instant) -> Result<Admitted, Refused> {
        let piece = StillPiece::read(message).ok_or("still_malformed")?;
        let bit = 1 << piece.index;
        let mut begins = false;
        match &mut self.current {
            Some(still) if still.taken == piece.taken => {
                if still.count != piece.count || still.came & bit != 0 {
                    return Err("still_malformed");
                }
                still.came |= bit;
            }
            Some(still) if piece.taken < still.taken => return Err("still_late"),
            Some(still) if now.saturating_duration_since(still.began) < GAP => {
                return Err("still_too_soon");
            }
            _ => {
                begins = true;
                let (taken, count) = (piece.taken, piece.count);
                self.current = Some(Still { taken, count, came: bit, began: now });
            }
        }
        Ok(Admitted { taken: piece.taken, begins })
    }
}

/// Two in a row may be lost.
const LATELY: Duration = Duration::from_secs(15);
const GAP: Duration = Duration::from_millis(STILL_GAP_MS);

/// What one page is given.
#[derive(Debug, Default)]
pub(crate) struct StillsOut {
    /// The newest still of each sender, and whether it is being given; latest last.
    given: Vec<(ParticipantId, Timestamp, bool)>,
}

impl StillsOut {
    /// Whether a piece goes out. A still is given from its first piece on, if there is room then.
    pub(crate) fn takes(&mut self, from: ParticipantId, piece: Admitted, room: bool) -> bool {
        let Admitted { taken, begins } = piece;
        let known = self.given.iter().position(|(sender, ..)| *sender == from);
        let before = known.map(|at| self.given.remove(at));
        let goes = match before {
            Some((_, present, goes)) if present == taken => goes,
            _ => begins && room,
        };
        if self.given.len() >= SENDERS_MAX {
            self.given.remove(0);
        }
        self.given.push((from, taken, goes));
        goes
    }

    /// A piece could not go out: the rest of the still is of no use.
    pub(crate) fn spoilt(&mut self, from: ParticipantId) {
        for (sender, _, goes) in &mut self.given {
            *goes &= *sender != from;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use minato_protocol::media::STILL_PIECES_MAX;
    use proptest::prelude::*;

    const SATO: ParticipantId = ParticipantId(2);

    fn piece(taken: i64, index: u8, count: u8) -> Vec<u8> {
        StillPiece { taken: Timestamp(taken), index, count, jpeg: &[1] }.write()
    }

    #[test]
    fn a_still_comes_in_any_order_once_and_another_only_after_a_while() {
        let (mut stills, start) = (StillsIn::default(), Instant::now());
        let mut admit = |taken, index, count, at| {
            stills.admit(&piece(taken, index, count), at).map(|admitted| admitted.begins)
        };
        assert_eq!(admit(9, 1, 2, start), Ok(true));
        assert_eq!(admit(9, 0, 2, start), Ok(false));
        assert_eq!(admit(9, 0, 2, start), Err("still_malformed"), "twice");
        assert_eq!(admit(9, 0, 3, start), Err("still_malformed"), "of another count");
        assert_eq!(admit(8, 0, 1, start + GAP), Err("still_late"));
        assert_eq!(admit(10, 0, 1, start + GAP / 2), Err("still_too_soon"));
        assert_eq!(admit(10, 0, 1, start + GAP), Ok(true));
        assert_eq!(stills.admit(b"what", start), Err("still_malformed"));
    }

    #[test]
    fn a_page_is_given_a_whole_still_or_nothing_of_it() {
        let mut out = StillsOut::default();
        let piece = |taken, begins| Admitted { taken: Timestamp(taken), begins };
        assert!(!out.takes(SATO, piece(1, true), false), "no room when it begins");
        assert!(!out.takes(SATO, piece(1, false), true), "the rest is of no use");
        assert!(out.takes(SATO, piece(2, true), true));
        assert!(out.takes(SATO, piece(2, false), false), "what was begun goes on");
        out.spoilt(SATO);
        assert!(!out.takes(SATO, piece(2, false), true));
        assert!(!out.takes(SATO, piece(3, false), true), "stills were not wanted when it began");
        for other in 10..10 + SENDERS_MAX as u64 {
            assert!(out.takes(ParticipantId(other), piece(1, true), true));
        }
        assert_eq!(out.given.len(), SENDERS_MAX);
    }

    proptest! {
        #[test]
        fn no_sender_gets_more_through_than_its_share(
            messages in prop::collection::vec((0i64..6, 0u8..10, 0u8..10, 0u64..900), 1..200)
        ) {
            let (mut stills, start) = (StillsIn::default(), Instant::now());
            let (mut ms, mut passed) = (0, 0);
            for (taken, index, count, pause) in messages {
                ms += pause;
                let at = start + Duration::from_millis(ms);
                passed += u64::from(stills.admit(&piece(taken, index, count), at).is_ok());
            }
            prop_assert!(passed <= (ms / STILL_GAP_MS + 1) * u64::from(STILL_PIECES_MAX));
        }

        #[test]
        fn no_bytes_make_it_panic(message in prop::collection::vec(any::<u8>(), 0..1_100)) {
            let _ = StillsIn::default().admit(&message, Instant::now());
        }
    }
}
