//! What holds for every message of every profile.

use super::*;
use proptest::prelude::*;

/// Every message that a Bluetooth codec reads.
pub(super) const ALL: [Characteristic; NUMBERED.len() + 1] = {
    let mut all = [Characteristic::NoninOximetry; NUMBERED.len() + 1];
    let mut place = 0;
    while place < NUMBERED.len() {
        all[place] = NUMBERED[place];
        place += 1;
    }
    all
};

/// The law of the shorter frame. What is cut off a frame without an error are bytes behind its
/// known end: then the rest says the same, and only the remark about these bytes may go. A heart
/// rate's intervals go to the end of the frame, so a cut among them cannot be seen: there the
/// values are the first ones of the whole's, each as it was, and half an interval is remarked.
pub(super) fn assert_says_no_other(part: &Frame, whole: &Frame) {
    let beside = |frame: &Frame| {
        let of = |remark: &Quality| *remark != Quality::TrailingBytes;
        let remarks: Vec<_> = frame.quality.iter().copied().filter(of).collect();
        (frame.characteristic, remarks, frame.time, frame.user, frame.site)
    };
    assert_eq!(beside(part), beside(whole));
    if whole.characteristic == Characteristic::HeartRate {
        assert!(whole.values.starts_with(&part.values), "{part:?} of {whole:?}");
        let cut = &whole.values[part.values.len()..];
        assert!(
            cut.iter().all(|value| value.what == Quantity::RrInterval),
            "{part:?} of {whole:?}"
        );
    } else {
        assert!(whole.quality.contains(&Quality::TrailingBytes), "{part:?} of {whole:?}");
        assert_eq!(part.values, whole.values);
    }
}

/// What every frame keeps to that was read from these bytes.
pub(super) fn assert_sound(frame: &Frame, characteristic: Characteristic, bytes: &[u8]) {
    assert!(bytes.len() <= FRAME_BYTES_MAX);
    assert_eq!(frame.characteristic, characteristic);
    assert!(frame.quality.is_sorted_by(|one, next| one < next), "{:?}", frame.quality);
    let unknown = frame.quality.contains(&Quality::ClockUnknown);
    assert_eq!(frame.time == FrameTime::Unusable, unknown, "{frame:?}");
    assert_ne!(frame.user, Some(USER_UNKNOWN));
    // Each field has two bytes at least, but for a heart rate of one.
    assert!(frame.values.len() <= bytes.len() / 2, "{frame:?}");
}

#[test]
fn every_characteristic_is_found_by_its_number() {
    for characteristic in NUMBERED {
        assert_eq!(by_assigned_number(assigned_number(characteristic)), Some(characteristic));
    }
    assert_eq!(by_assigned_number(assigned_number(Characteristic::Typed)), None);
    assert_eq!(by_assigned_number(0x2A19), None);
}

#[test]
fn a_frame_longer_than_bluetooth_carries_is_refused() {
    let refused = decode(Characteristic::BloodPressure, &[0; FRAME_BYTES_MAX + 1]);
    assert_eq!(refused, Err(Refused::TooLong { bytes: FRAME_BYTES_MAX + 1 }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12_000))]

    #[test]
    fn no_bytes_make_a_codec_panic_and_a_prefix_never_says_something_else(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..48),
        which in 0..ALL.len(),
    ) {
        let characteristic = ALL[which];
        // Random bytes hardly ever begin with their own length.
        if characteristic == Characteristic::NoninOximetry && let Some(first) = bytes.first_mut() {
            *first %= 20;
        }
        if let Ok(whole) = decode(characteristic, &bytes) {
            assert_sound(&whole, characteristic, &bytes);
            for end in 0..bytes.len() {
                let Ok(part) = decode(characteristic, &bytes[..end]) else { continue };
                assert_says_no_other(&part, &whole);
            }
        }
    }

    #[test]
    fn bytes_behind_the_end_keep_what_was_said(
        bytes in proptest::collection::vec(any::<u8>(), 0..40),
        more in proptest::collection::vec(any::<u8>(), 1..8),
        which in 0..ALL.len(),
    ) {
        let characteristic = ALL[which];
        if let Ok(part) = decode(characteristic, &bytes) {
            let longer = [bytes.as_slice(), &more].concat();
            let whole = decode(characteristic, &longer).expect("bytes behind the end are kept out");
            assert_says_no_other(&part, &whole);
        }
    }

    #[test]
    fn undefined_flags_keep_the_values_and_are_remarked(
        bytes in proptest::collection::vec(any::<u8>(), 1..40),
        which in 0..ALL.len(),
    ) {
        let characteristic = ALL[which];
        let (place, undefined) = undefined_flags(characteristic);
        prop_assume!(bytes.len() > place);
        let mut plain = bytes.clone();
        plain[place] &= !undefined;
        let mut marked = bytes;
        marked[place] |= undefined;
        let plain = decode(characteristic, &plain);
        let marked = decode(characteristic, &marked);
        prop_assert_eq!(plain.is_ok(), marked.is_ok());
        if let (Ok(plain), Ok(marked)) = (plain, marked) {
            prop_assert!(marked.quality.contains(&Quality::ReservedBits));
            prop_assert_eq!(plain.values, marked.values);
            prop_assert_eq!((plain.time, plain.user), (marked.time, marked.user));
        }
    }
}

/// Which byte of the flags has bits that its layout leaves undefined, and which.
fn undefined_flags(characteristic: Characteristic) -> (usize, u8) {
    match characteristic {
        Characteristic::Temperature | Characteristic::IntermediateTemperature => (0, 0b1111_1000),
        Characteristic::Weight => (0, 0b1111_0000),
        Characteristic::BodyComposition => (1, 0b1110_0000),
        Characteristic::NoninOximetry => (1, 0b1000_0000),
        _ => (0, 0b1110_0000),
    }
}
