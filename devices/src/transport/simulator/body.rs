//! PURE: a body to measure on: values that wander slowly within what a rested adult shows, and a
//! pulse wave that fits them.

use minato_protocol::Timestamp;
use std::f64::consts::TAU;

/// SplitMix64: enough to make values wander, and the same everywhere.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Evenly from -1 to 1.
    pub(super) fn swing(&mut self) -> f64 {
        // 53 bits fill the mantissa exactly.
        let part = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        part * 2.0 - 1.0
    }
}

/// One person.
#[derive(Debug, Clone)]
pub(super) struct Body {
    systolic: f64,
    diastolic: f64,
    pulse: f64,
    spo2: f64,
    /// Where in the heart's beat the pulse wave is, 0 to 1.
    beat: f64,
}

/// A pulse wave goes from 0 to 1; without a finger it lies flat.
const BREATHS_A_MINUTE: f64 = 15.0;

impl Body {
    pub(super) fn new(dice: &mut Dice) -> Self {
        Self {
            systolic: 126.0 + 9.0 * dice.swing(),
            diastolic: 76.0 + 6.0 * dice.swing(),
            pulse: 72.0 + 7.0 * dice.swing(),
            spo2: 97.0 + 1.2 * dice.swing(),
            beat: 0.0,
        }
    }

    /// Systolic, diastolic and mean in mmHg at one measurement.
    pub(super) fn pressures(&self, dice: &mut Dice) -> [i32; 3] {
        let systolic = self.systolic + 4.0 * dice.swing();
        let diastolic = self.diastolic + 3.0 * dice.swing();
        let mean = diastolic + (systolic - diastolic) / 3.0;
        [systolic, diastolic, mean].map(whole)
    }

    /// Saturation in percent and pulse a minute at a moment: slow waves, no jumps.
    pub(super) fn saturation_and_pulse(&self, at: Timestamp, dice: &mut Dice) -> [i32; 2] {
        let minutes = at.0 as f64 / 60_000.0;
        let spo2 = self.spo2 + 0.6 * (TAU * minutes / 2.3).sin() + 0.2 * dice.swing();
        [whole(spo2.min(100.0)), whole(self.pulse_at(at) + 0.5 * dice.swing())]
    }

    fn pulse_at(&self, at: Timestamp) -> f64 {
        let minutes = at.0 as f64 / 60_000.0;
        // The heart follows the breath a little, and wanders.
        let breath = 1.5 * (TAU * minutes * BREATHS_A_MINUTE).sin();
        self.pulse + 2.5 * (TAU * minutes / 3.7).sin() + breath
    }

    /// The next sample of the pulse wave, `strength` 0 to 1 of the full height.
    pub(super) fn pleth(&mut self, at: Timestamp, rate_hz: f64, strength: f64) -> u8 {
        self.beat = (self.beat + self.pulse_at(at) / 60.0 / rate_hz).fract();
        let peak = bump(self.beat, 0.18, 0.09);
        let notch = 0.42 * bump(self.beat, 0.47, 0.13);
        let sample = 25.0 + 200.0 * strength * (peak + notch).min(1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "25 to 225")]
        let byte = sample as u8;
        byte
    }
}

/// Microvolts of one step of a lead, and where its zero is.
const LEAD_MICROVOLTS_A_STEP: f64 = 20.0;
const LEAD_ZERO: f64 = 128.0;

impl Body {
    /// The next sample of one lead of an electrocardiogram: P, Q, R, S and T, in steps of 20 µV
    /// around 128.
    pub(super) fn lead(&mut self, at: Timestamp, rate_hz: f64, strength: f64) -> u8 {
        self.beat = (self.beat + self.pulse_at(at) / 60.0 / rate_hz).fract();
        let waves = [
            (0.14, 0.030, 120.0),
            (0.245, 0.010, -110.0),
            (0.27, 0.012, 1_150.0),
            (0.295, 0.010, -240.0),
            (0.50, 0.050, 280.0),
        ];
        let microvolts: f64 =
            waves.iter().map(|(centre, width, high)| high * bump(self.beat, *centre, *width)).sum();
        let step = LEAD_ZERO + strength * microvolts / LEAD_MICROVOLTS_A_STEP;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "110 to 190")]
        let byte = step as u8;
        byte
    }
}

fn bump(at: f64, centre: f64, width: f64) -> f64 {
    (-((at - centre) / width).powi(2)).exp()
}

fn whole(value: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "bodily values are far below 2^31")]
    let whole = value.round() as i32;
    whole
}
