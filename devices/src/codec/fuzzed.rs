//! Messages of devices, broken in every way.

use super::tests::ALL;
use super::{FRAME_BYTES_MAX, Quality, assigned_number, decode};
use minato_protocol::reading::HexBytes;

const VECTORS: &str = include_str!("../../tests/vectors/devices.json");

/// Real and constructed frames, each behind the place of its characteristic in [`ALL`].
fn seeds() -> Vec<Vec<u8>> {
    let vectors: serde_json::Value = serde_json::from_str(VECTORS).expect("JSON");
    let frames = vectors["gatt"].as_array().expect("a list");
    let seed = |frame: &serde_json::Value| {
        let number = frame["char"].as_str()?.trim_start_matches("0x");
        let number = u16::from_str_radix(number, 16).ok()?;
        let place = ALL.iter().position(|known| assigned_number(*known) == number)?;
        let bytes: HexBytes = frame["hex"].as_str()?.parse().ok()?;
        Some([&[u8::try_from(place).ok()?], bytes.0.as_slice()].concat())
    };
    frames.iter().filter_map(seed).collect()
}

#[test]
fn no_message_of_a_device_breaks_its_codec_and_a_shorter_one_never_says_something_else() {
    let seeds = seeds();
    assert!(seeds.len() >= 15, "{} frames", seeds.len());
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    minato_fuzz::feed_for("codec", &seeds, 4, |bytes| {
        let Some((which, bytes)) = bytes.split_first() else { return };
        let characteristic = ALL[usize::from(*which) % ALL.len()];
        let Ok(frame) = decode(characteristic, bytes) else { return };
        assert!(bytes.len() <= FRAME_BYTES_MAX);
        assert_eq!(frame.characteristic, characteristic);
        assert!(frame.quality.is_sorted(), "remarks are sorted");
        let Some((_, shorter)) = bytes.split_last() else { return };
        if let Ok(mut part) = decode(characteristic, shorter) {
            assert!(frame.quality.contains(&Quality::TrailingBytes), "{bytes:02x?}");
            part.quality.push(Quality::TrailingBytes);
            part.quality.sort_unstable();
            part.quality.dedup();
            assert_eq!(part, frame);
        }
    });
}
