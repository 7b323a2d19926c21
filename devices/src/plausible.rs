//! PURE: marks values that no living person shows. It marks and never drops: a marked value waits
//! for a person's confirmation.

use minato_protocol::reading::{MeasuredValue, Measurement, Quantity};

/// What a device of its kind can measure on a living person, in the shown unit. Wide on purpose:
/// outside is a wrong decode, a wrong unit or a sensor on a table.
const fn range(what: Quantity) -> (f64, f64) {
    match what {
        Quantity::Systolic => (40.0, 300.0),
        Quantity::Diastolic => (20.0, 220.0),
        Quantity::MeanArterial => (25.0, 260.0),
        Quantity::CuffPressure => (0.0, 320.0),
        Quantity::Spo2 | Quantity::Spo2Fast | Quantity::Spo2Slow => (30.0, 100.0),
        Quantity::PulseRate
        | Quantity::PulseRateFast
        | Quantity::PulseRateSlow
        | Quantity::HeartRate => (20.0, 300.0),
        Quantity::PulseAmplitudeIndex => (0.0, 100.0),
        Quantity::Temperature => (25.0, 45.0),
        Quantity::RrInterval => (150.0, 4_000.0),
        Quantity::EnergyExpended => (0.0, 65_535.0),
        Quantity::RespirationRate => (3.0, 80.0),
        Quantity::Weight => (0.3, 400.0),
        Quantity::Height => (0.3, 2.6),
        Quantity::BodyMassIndex => (5.0, 120.0),
        Quantity::BodyFat | Quantity::MusclePercentage => (1.0, 80.0),
        Quantity::BasalMetabolism => (500.0, 30_000.0),
        Quantity::MuscleMass
        | Quantity::FatFreeMass
        | Quantity::SoftLeanMass
        | Quantity::BodyWaterMass => (0.2, 300.0),
        Quantity::Impedance => (50.0, 2_000.0),
        Quantity::Glucose => (10.0, 1_200.0),
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
    let (least, most) = range(measurement.what);
    (least..=most).contains(&value.to_f64())
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
