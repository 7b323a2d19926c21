//! What a synthetic participant sends: sound, and a picture as a browser cuts and paces it.

use std::collections::VecDeque;
use std::time::Duration;

/// How often something is sent; libwebrtc's pacer works in such steps.
pub(crate) const STEP: Duration = Duration::from_millis(5);
const STEPS_A_SECOND: usize = 200;
const STEPS_A_SOUND: u64 = 4;
const SOUND_BYTES: usize = 100;
/// A frame is cut into pieces of no more than this, all of nearly the same size.
const PIECE_BYTES_MAX: usize = 1_050;
/// libwebrtc sends a frame two and a half times as fast as pictures cost on average.
const HASTE: (usize, usize) = (5, 2);
/// Bytes of a payload descriptor with a picture number of 15 bits (RFC 7741 §4.2).
const DESCRIPTOR_BYTES: usize = 4;

/// A camera.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Film {
    pub(crate) frames_a_second: usize,
    pub(crate) frame_bytes: usize,
}

/// With its sound about 390 packets a second.
pub(crate) const FULL: Film = Film { frames_a_second: 30, frame_bytes: 11_300 };
/// One packet a frame.
pub(crate) const THUMBNAIL: Film = Film { frames_a_second: 15, frame_bytes: 700 };

/// Something to send now, still without its stamp.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) is_sound: bool,
    /// It is the first of its picture.
    pub(crate) begins: bool,
    pub(crate) marker: bool,
    /// In ticks of the codec's clock.
    pub(crate) time: u32,
    pub(crate) payload: Vec<u8>,
    /// How many of its bytes stay as they are; where the others begin in the whole picture.
    pub(crate) fixed: usize,
    pub(crate) offset: usize,
}

/// A participant's microphone and camera.
#[derive(Debug)]
pub(crate) struct Studio {
    film: Film,
    steps: u64,
    owed: usize,
    picture: u16,
    time: u32,
    waiting: VecDeque<Piece>,
    dice: u32,
    keyframe_wanted: bool,
}

impl Studio {
    pub(crate) fn new(film: Film, seed: u32) -> Self {
        Self {
            film,
            steps: 0,
            owed: 0,
            picture: 0,
            time: 0,
            waiting: VecDeque::new(),
            dice: seed,
            keyframe_wanted: true,
        }
    }

    /// The next frame will be a keyframe.
    pub(crate) fn want_keyframe(&mut self) {
        self.keyframe_wanted = true;
    }

    /// A step of time passed: what is sent at its end.
    pub(crate) fn step(&mut self) -> Vec<Piece> {
        self.steps += 1;
        let mut pieces = Vec::new();
        if self.steps.is_multiple_of(STEPS_A_SOUND) {
            let time = u32::try_from(self.steps * 240 % (1 << 32)).unwrap_or_default();
            let payload = vec![9; SOUND_BYTES];
            let (is_sound, begins, marker, fixed, offset) = (true, true, false, 0, 0);
            pieces.push(Piece { is_sound, begins, marker, time, payload, fixed, offset });
        }
        self.owed += self.film.frames_a_second;
        if self.owed >= STEPS_A_SECOND {
            self.owed -= STEPS_A_SECOND;
            self.shoot();
        }
        let average = self.film.frames_a_second * self.film.frame_bytes / STEPS_A_SECOND;
        let mut room = average * HASTE.0 / HASTE.1;
        while let Some(piece) = self.waiting.pop_front() {
            let bytes = piece.payload.len();
            pieces.push(piece);
            if bytes >= room {
                break;
            }
            room -= bytes;
        }
        pieces
    }

    /// Cuts one frame: a fifth larger or smaller than usual.
    fn shoot(&mut self) {
        self.dice = self.dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let percent = 80 + usize::try_from(self.dice >> 16).unwrap_or_default() % 41;
        let bytes = self.film.frame_bytes * percent / 100;
        let pieces = bytes.div_ceil(PIECE_BYTES_MAX);
        let keyframe = std::mem::take(&mut self.keyframe_wanted);
        self.picture = (self.picture + 1) & 0x7fff;
        self.time =
            self.time.wrapping_add(90_000 / u32::try_from(self.film.frames_a_second).unwrap_or(1));
        let mut before = 0;
        for piece in 0..pieces {
            let length = (bytes + piece) / pieces;
            let begins = piece == 0;
            let head = vp8(self.picture, begins, keyframe);
            let (fixed, offset) = (head.len(), before + head.len() - DESCRIPTOR_BYTES);
            before += length - DESCRIPTOR_BYTES;
            let mut payload = head;
            payload.resize(length, 0);
            let (is_sound, marker, time) = (false, piece + 1 == pieces, self.time);
            let piece = Piece { is_sound, begins, marker, time, payload, fixed, offset };
            self.waiting.push_back(piece);
        }
    }
}

/// A payload descriptor, and at a frame's begin its header (RFC 6386 §9.1).
fn vp8(picture: u16, begins: bool, keyframe: bool) -> Vec<u8> {
    let [high, low] = picture.to_be_bytes();
    let mut payload = vec![0x80 | if begins { 0x10 } else { 0 }, 0x80, 0x80 | high, low];
    match (begins, keyframe) {
        (true, true) => payload.extend([0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01]),
        (true, false) => payload.extend([0x11, 0, 0]),
        (false, _) => {}
    }
    payload
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_picture_and_its_sound_are_about_390_packets_a_second() {
        let mut studio = Studio::new(FULL, 1);
        let pieces: Vec<_> = (0..2_000).flat_map(|_| studio.step()).collect();
        assert_eq!(pieces.iter().filter(|piece| piece.is_sound).count(), 500);
        assert!((3_700..4_100).contains(&pieces.len()), "{} in ten seconds", pieces.len());
        let bytes: usize = pieces.iter().filter(|p| !p.is_sound).map(|p| p.payload.len()).sum();
        assert!((900..1_050).contains(&(bytes / (pieces.len() - 500))));
    }
}
