//! When something was sent, written all over it: read from any eight bytes that follow each other,
//! because a relay may cut a picture at other places than its sender did.

const BYTES: usize = 8;
/// Seven bits of the moment are in each byte; this bit is set in the first alone.
const FIRST: u8 = 0x80;

/// Writes a moment over bytes that stand at `offset` in a text which it fills.
pub(crate) fn fill(text: &mut [u8], offset: usize, micros: u64) {
    for (at, byte) in text.iter_mut().enumerate() {
        let place = (offset + at) % BYTES;
        let bits = u8::try_from(micros >> (7 * place) & 0x7f).unwrap_or_default();
        *byte = if place == 0 { bits | FIRST } else { bits };
    }
}

/// The moment in the last bytes of a payload.
pub(crate) fn read(payload: &[u8]) -> Option<u64> {
    let last = payload.last_chunk::<BYTES>()?;
    let first = last.iter().position(|byte| byte & FIRST != 0)?;
    let bits = |place: usize| u64::from(last[(first + place) % BYTES] & !FIRST);
    Some((0..BYTES).fold(0, |micros, place| micros | bits(place) << (7 * place)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_wherever_a_text_is_cut() {
        let moment = 0x00ab_cdef_0123_4567;
        let mut text = [0; 40];
        let (front, back) = text.split_at_mut(13);
        fill(front, 0, moment);
        fill(back, 13, moment);
        for end in BYTES..text.len() {
            assert_eq!(read(&text[..end]), Some(moment), "{end}");
        }
        assert_eq!(read(&[1; 40]), None);
        assert_eq!(read(&[0x80; 7]), None);
    }
}
