//! PURE: marks values that no living person shows. It marks and never drops: a marked value waits
//! for a person's confirmation.

use minato_protocol::reading::{MeasuredValue, Measurement, Quantity};
use std::ops::RangeInclusive;

/// What a device of its kind can measure on a living person, in the shown unit. Wide on purpose:
/// outside is a wrong decode, a wrong unit or a sensor on a table.
const fn range(what: Quantity) -> RangeInclusive<i32> {
    match what {
        Quantity::Systolic => 40..=300,
        Quantity::Diastolic => 20..=220,
        Quantity::MeanArterial => 25..=260,
        Quantity::CuffPressure => 0..=320,
        Quantity::Spo2 | Quantity::Spo2Fast | Quantity::Spo2Slow => 30..=100,
        Quantity::PulseRate | Quantity::PulseRateFast | Quantity::PulseRateSlow => 20..=300,
        Quantity::PulseAmplitudeIndex => 0..=100,
    }
}

/// Whether every number is one that a living person shows.
pub fn all(measurements: &[Measurement]) -> bool {
    let systolic = number(measurements, Quantity::Systolic);
    let diastolic = number(measurements, Quantity::Diastolic);
    let crossed = matches!((systolic, diastolic), (Some(high), Some(low)) if high <= low);
    !crossed && measurements.iter().all(one)
}

fn one(measurement: &Measurement) -> bool {
    let MeasuredValue::Number { value } = measurement.value else { return true };
    let allowed = range(measurement.what);
    (f64::from(*allowed.start())..=f64::from(*allowed.end())).contains(&value.to_f64())
}

fn number(measurements: &[Measurement], what: Quantity) -> Option<f64> {
    let found = measurements.iter().find(|measurement| measurement.what == what)?;
    match found.value {
        MeasuredValue::Number { value } => Some(value.to_f64()),
        MeasuredValue::Special { .. } | MeasuredValue::Withheld { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use minato_protocol::reading::{Decimal, Unit};

    fn value(what: Quantity, number: i32) -> Measurement {
        let value = MeasuredValue::Number { value: Decimal::whole(number) };
        Measurement { what, value, unit: Unit::MmHg, original: None }
    }

    #[test]
    fn a_pressure_of_2047_is_implausible() {
        assert!(!all(&[value(Quantity::Systolic, 2047)]));
    }

    #[test]
    fn a_systolic_below_the_diastolic_is_implausible() {
        assert!(!all(&[value(Quantity::Systolic, 80), value(Quantity::Diastolic, 120)]));
        assert!(all(&[value(Quantity::Systolic, 120), value(Quantity::Diastolic, 80)]));
    }
}
