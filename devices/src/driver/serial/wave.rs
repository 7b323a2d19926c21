//! The pulse wave in pieces of a fifth of a second, counted so that what is missing shows as a gap.

use crate::driver::{Piece, Said};
use minato_protocol::Timestamp;
use minato_protocol::reading::WaveKind;

const PIECES_PER_SECOND: u32 = 5;
const MS_PER_SECOND: u64 = 1_000;

/// Counts the samples of one device.
#[derive(Debug)]
pub(super) struct Wave {
    samples_per_second: u32,
    /// When sample 0 was taken.
    began_at: Option<Timestamp>,
    /// Number of the next sample.
    next: u64,
    /// Whether samples are missing before the next one.
    broken: bool,
    /// Samples that are not told yet, fewer than a piece has.
    piece: Vec<u8>,
    piece_at: Timestamp,
}

impl Wave {
    pub(super) fn new(samples_per_second: u32) -> Self {
        Self {
            samples_per_second,
            began_at: None,
            next: 0,
            broken: false,
            piece: Vec::new(),
            piece_at: Timestamp(0),
        }
    }

    /// Adds a sample that came at `at`.
    pub(super) fn push(&mut self, sample: u8, at: Timestamp, said: &mut Vec<Said>) {
        let began_at = *self.began_at.get_or_insert(at);
        if std::mem::take(&mut self.broken) {
            // By the time since the beginning: rounding in many gaps does not add up.
            let passed_ms = u64::try_from((at - began_at).0).unwrap_or(0);
            let by_time = passed_ms * u64::from(self.samples_per_second) / MS_PER_SECOND;
            self.next = by_time.max(self.next + 1);
        }
        if self.piece.is_empty() {
            self.piece_at = at;
        }
        self.piece.push(sample);
        self.next += 1;
        if self.piece.len() >= (self.samples_per_second / PIECES_PER_SECOND) as usize {
            self.tell(said);
        }
    }

    /// Samples are missing from here on: the next one jumps by the time that will have passed.
    pub(super) fn interrupt(&mut self, said: &mut Vec<Said>) {
        self.tell(said);
        self.broken = self.began_at.is_some();
    }

    fn tell(&mut self, said: &mut Vec<Said>) {
        if self.piece.is_empty() {
            return;
        }
        let samples = std::mem::take(&mut self.piece);
        said.push(Said::Wave(Piece {
            kind: WaveKind::Pleth,
            first_sample: self.next - samples.len() as u64,
            rate_num: self.samples_per_second,
            rate_den: 1,
            at: self.piece_at,
            microvolts_per_step: None,
            samples,
        }));
    }
}
