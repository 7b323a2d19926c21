//! The chance of a link, from a seed: the same seed throws the same numbers for the same frames.
//! PURE.

/// A small generator (SplitMix64). It decides which frames are lost; it protects nothing.
#[derive(Debug, Clone)]
pub struct Dice {
    state: u64,
}

/// What one frame draws. Every frame draws all of it whatever the link's shape, so that a change of
/// one setting does not shift the fate of the frames under another.
#[derive(Debug, Clone, Copy)]
pub struct Throw {
    /// Against the even loss; 0 up to, not including, 1. So are the next two.
    pub loss: f64,
    /// Against entering or leaving a burst.
    pub turn: f64,
    /// Against the loss within a burst.
    pub burst: f64,
    /// Share of the jitter; -1 to 1.
    pub jitter: f64,
}

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    pub fn throw(&mut self) -> Throw {
        Throw {
            loss: self.unit(),
            turn: self.unit(),
            burst: self.unit(),
            jitter: self.unit() * 2.0 - 1.0,
        }
    }

    fn unit(&mut self) -> f64 {
        // 53 bits are what an f64 holds without rounding up to 1.
        const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
        (self.next() >> 11) as f64 * STEP
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spread_evenly_over_their_range() {
        let mut dice = Dice::new(7);
        let throws: Vec<Throw> = (0..20_000).map(|_| dice.throw()).collect();
        let mean = |of: fn(&Throw) -> f64| throws.iter().map(of).sum::<f64>() / 20_000.0;
        assert!((mean(|t| t.loss) - 0.5).abs() < 0.01);
        assert!((mean(|t| t.turn) - 0.5).abs() < 0.01);
        assert!((mean(|t| t.burst) - 0.5).abs() < 0.01);
        assert!(mean(|t| t.jitter).abs() < 0.02);
        assert!(throws.iter().all(|t| (0.0..1.0).contains(&t.loss)));
        assert!(throws.iter().all(|t| (-1.0..1.0).contains(&t.jitter)));
    }
}
