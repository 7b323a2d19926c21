//! As much of H.264 in RTP (RFC 6184) as says where a decoder can begin: PURE.

/// A sequence parameter set (H.264 table 7-1).
const SPS: u8 = 7;
/// Several units in one packet (§5.7.1).
const STAP_A: u8 = 24;
/// A part of a unit (§5.8).
const FU_A: u8 = 28;
/// The bit of a part's header that says it is the first.
const FU_START: u8 = 0x80;
/// The bit that is never set in a unit's first byte.
const FORBIDDEN: u8 = 0x80;

/// Whether a decoder that has seen nothing yet can begin with this packet: it carries a sequence
/// parameter set, which browsers send before each picture that stands for itself. That picture
/// alone would not do: it does not say how large it is.
pub(crate) fn starts_sequence(payload: &[u8]) -> bool {
    let Some((&head, rest)) = payload.split_first() else { return false };
    match kind(head) {
        Some(STAP_A) => {
            aggregated(rest).any(|unit| unit.first().copied().and_then(kind) == Some(SPS))
        }
        Some(FU_A) => rest.first().is_some_and(|part| part & FU_START != 0 && part & 0x1f == SPS),
        kind => kind == Some(SPS),
    }
}

/// The type in a unit's first byte.
fn kind(head: u8) -> Option<u8> {
    (head & FORBIDDEN == 0).then_some(head & 0x1f)
}

/// The whole units of an aggregate, each behind its length; what is cut off ends them.
fn aggregated(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, behind) = rest.split_first_chunk::<2>()?;
        let (unit, left) = behind.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        rest = left;
        Some(unit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn aggregate(units: &[Vec<u8>]) -> Vec<u8> {
        let mut payload = vec![0x60 | STAP_A];
        for unit in units {
            payload.extend(u16::try_from(unit.len()).expect("small").to_be_bytes());
            payload.extend(unit);
        }
        payload
    }

    #[test]
    fn a_decoder_begins_at_the_parameters_and_not_at_the_picture_behind_them() {
        assert!(starts_sequence(&[0x67, 0x42, 0xe0, 0x1f]), "alone");
        assert!(starts_sequence(&aggregate(&[vec![0x67, 1], vec![0x68, 2], vec![0x65, 3]])));
        assert!(starts_sequence(&[0x7c, FU_START | SPS, 1]), "the first part of one");
        assert!(!starts_sequence(&[0x7c, SPS, 1]), "a later part");
        assert!(!starts_sequence(&[0x65, 1]), "an IDR picture");
        assert!(!starts_sequence(&[0x61, 7]) && !starts_sequence(&[0xe7]) && !starts_sequence(&[]));
    }

    #[test]
    fn an_aggregate_that_is_cut_off_is_read_as_far_as_it_goes() {
        let whole = aggregate(&[vec![0x68, 2], vec![0x67, 1]]);
        assert!(starts_sequence(&whole));
        assert!(!starts_sequence(&whole[..whole.len() - 1]));
        assert!(!starts_sequence(&[0x78, 0]));
    }

    proptest! {
        #[test]
        fn parameters_are_found_wherever_they_are_among_others(
            units in prop::collection::vec(
                (prop::sample::select(vec![1u8, 5, 6, 7, 8, 9]), prop::collection::vec(any::<u8>(), 0..40)),
                1..8,
            )
        ) {
            let wanted = units.iter().any(|(kind, _)| *kind == SPS);
            let units: Vec<_> = units.into_iter().map(|(kind, body)| [vec![0x60 | kind], body].concat()).collect();
            prop_assert_eq!(starts_sequence(&aggregate(&units)), wanted);
        }

        #[test]
        fn no_bytes_make_it_panic(payload in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = starts_sequence(&payload);
        }
    }
}
