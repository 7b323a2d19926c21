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
        Quantity::BodyFat => (1.0, 80.0),
        // Some makers count all that is neither fat nor bone.
        Quantity::MusclePercentage => (5.0, 98.0),
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
    !crossed && !outweighed(measurements) && measurements.iter().all(one)
}

/// Whether a part of the body is said to weigh more than all of it.
fn outweighed(measurements: &[Measurement]) -> bool {
    let Some(weight) = number(measurements, Quantity::Weight) else { return false };
    let parts = [
        Quantity::MuscleMass,
        Quantity::FatFreeMass,
        Quantity::SoftLeanMass,
        Quantity::BodyWaterMass,
    ];
    parts.into_iter().filter_map(|part| number(measurements, part)).any(|part| part > weight)
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

    #[test]
    fn a_thermometer_in_the_room_and_a_scale_with_a_suitcase_are_implausible() {
        for (what, number) in [
            (Quantity::Temperature, 22),
            (Quantity::Temperature, 99),
            (Quantity::Weight, 0),
            (Quantity::Height, 67),
            (Quantity::Glucose, 6),
            (Quantity::HeartRate, 0),
            (Quantity::RrInterval, 64_000),
        ] {
            assert!(!all(&[value(what, number)]), "{what:?} {number}");
        }
    }

    #[test]
    fn what_very_ill_and_very_small_people_show_is_plausible() {
        for (what, number) in [
            (Quantity::Temperature, 28),
            (Quantity::Temperature, 42),
            (Quantity::Weight, 1),
            (Quantity::Glucose, 20),
            (Quantity::Glucose, 1_100),
            (Quantity::HeartRate, 25),
            (Quantity::RrInterval, 3_000),
            (Quantity::MusclePercentage, 90),
        ] {
            assert!(all(&[value(what, number)]), "{what:?} {number}");
        }
    }

    #[test]
    fn a_part_that_weighs_more_than_the_whole_is_implausible() {
        let of_65 = |part| all(&[value(part, 66), value(Quantity::Weight, 65)]);
        assert!(!of_65(Quantity::MuscleMass) && !of_65(Quantity::BodyWaterMass));
        assert!(all(&[value(Quantity::FatFreeMass, 65), value(Quantity::Weight, 65)]));
        assert!(all(&[value(Quantity::FatFreeMass, 65)]));
    }
}
