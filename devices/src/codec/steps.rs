//! Numbers of scales: 16 bits count steps of a resolution, in metric or in imperial units (Weight
//! Scale Service 1.0.0, 3.2; Body Composition Service 1.0.0, 3.2).

use super::words::Value;
use minato_protocol::reading::{Decimal, Special, Unit};

/// "Measurement unsuccessful". The services say so of the weight and of the body fat; in every
/// other field it is the last step, which no person reaches (655 lb of muscle), and no number
/// either.
const FAILED: u16 = 0xFFFF;

/// What one step is worth.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resolution {
    multiplier: i32,
    exponent: i8,
    /// In which unit.
    pub(super) unit: Unit,
}

impl Resolution {
    /// 0.1 %.
    pub(super) const SHARE: Self = Self::new(1, -1, Unit::Percent);
    /// 0.1 kg/m2.
    pub(super) const BODY_MASS_INDEX: Self = Self::new(1, -1, Unit::KilogramPerSquareMetre);
    /// 1 kJ.
    pub(super) const ENERGY: Self = Self::new(1, 0, Unit::Kilojoule);
    /// 0.1 ohm.
    pub(super) const IMPEDANCE: Self = Self::new(1, -1, Unit::Ohm);

    const fn new(multiplier: i32, exponent: i8, unit: Unit) -> Self {
        Self { multiplier, exponent, unit }
    }

    /// 0.005 kg or 0.01 lb.
    pub(super) const fn mass(imperial: bool) -> Self {
        if imperial { Self::new(1, -2, Unit::Pound) } else { Self::new(5, -3, Unit::Kilogram) }
    }

    /// 0.001 m or 0.1 in.
    pub(super) const fn height(imperial: bool) -> Self {
        if imperial { Self::new(1, -1, Unit::Inch) } else { Self::new(1, -3, Unit::Metre) }
    }

    /// So many steps.
    pub(super) fn of(self, steps: u16) -> Value {
        if steps == FAILED {
            return Value::Special(Special::NaN);
        }
        let mantissa = i32::from(steps) * self.multiplier;
        Value::Number(Decimal { mantissa, exponent: self.exponent })
    }
}
