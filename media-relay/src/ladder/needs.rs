//! What everything costs one receiver, and how far up the ladder that allows: PURE.

use minato_protocol::media::LadderStep;

/// Kept free for live numbers, whatever else there is.
const NUMBERS_BPS: u64 = 2_000;

/// What everything costs a receiver now, in bit/s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Needs {
    /// Sound of everybody, without copies.
    pub(crate) audio_bps: u64,
    pub(crate) waves_bps: u64,
    pub(crate) stills_bps: u64,
    /// Pictures with every one capped at the quarter layer.
    pub(crate) thumbnail_bps: u64,
    /// Capped at the half layer.
    pub(crate) small_bps: u64,
    /// As wished.
    pub(crate) full_bps: u64,
}

/// How a loss makes things dearer. A second copy is a luxury and makes nothing dearer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Toll {
    pub(super) copies: u8,
    pub(super) broken: bool,
}

pub(super) const NO_TOLL: Toll = Toll { copies: 0, broken: false };

impl Needs {
    /// Live sound with so many copies, and numbers.
    pub(super) fn live_bps(&self, copies: u8) -> u64 {
        NUMBERS_BPS + self.audio_bps * (1 + u64::from(copies))
    }

    pub(super) fn cost_bps(&self, step: LadderStep, toll: Toll) -> u64 {
        let data = self.live_bps(toll.copies) + self.waves_bps;
        let stills = data + self.stills_bps;
        // A higher step never costs less, whatever a camera does.
        let thumbnail = self.thumbnail_bps;
        let small = self.small_bps.max(thumbnail);
        let full = self.full_bps.max(small);
        let moving = |bps: u64| (data + bps * if toll.broken { 2 } else { 1 }).max(stills);
        match step {
            LadderStep::TextOnly => NUMBERS_BPS,
            LadderStep::AudioOnly => self.live_bps(0),
            LadderStep::Stills => stills,
            LadderStep::Thumbnail => moving(thumbnail),
            LadderStep::Small => moving(small),
            LadderStep::Full => moving(full),
        }
    }

    /// Whether sound itself fits.
    pub(super) fn sound_fits(&self, estimate_bps: u64) -> bool {
        self.live_bps(0) <= estimate_bps
    }

    /// The highest step that fits with `percent` of its cost. Sound is never given up for an
    /// estimate: where packets are lost by chance the estimate sinks below what the line carries,
    /// and people who talk notice for themselves what does not come through.
    pub(super) fn reach(&self, estimate_bps: u64, toll: Toll, percent: u64) -> LadderStep {
        let fits = |step: &LadderStep| self.cost_bps(*step, toll) * percent / 100 <= estimate_bps;
        let with_pictures = STEPS.into_iter().filter(|step| *step > LadderStep::AudioOnly);
        with_pictures.take_while(fits).last().unwrap_or(LadderStep::AudioOnly)
    }
}

/// From the least.
pub(crate) const STEPS: [LadderStep; 6] = [
    LadderStep::TextOnly,
    LadderStep::AudioOnly,
    LadderStep::Stills,
    LadderStep::Thumbnail,
    LadderStep::Small,
    LadderStep::Full,
];
