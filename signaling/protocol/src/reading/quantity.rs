//! What is measured, in which unit, and where on the body.

use serde::{Deserialize, Serialize};

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Quantity {
    /// Systolic blood pressure.
    Systolic,
    /// Diastolic blood pressure.
    Diastolic,
    /// Mean arterial pressure.
    MeanArterial,
    /// The pressure in the cuff at this moment; not a blood pressure.
    CuffPressure,
    /// Oxygen saturation.
    Spo2,
    /// Oxygen saturation, fast average.
    Spo2Fast,
    /// Oxygen saturation, slow average.
    Spo2Slow,
    /// Pulse.
    PulseRate,
    /// Pulse, fast average.
    PulseRateFast,
    /// Pulse, slow average.
    PulseRateSlow,
    /// How strong the pulse is where the sensor sits.
    PulseAmplitudeIndex,
    /// Body temperature.
    Temperature,
    /// Heart rate by the heart's electricity.
    HeartRate,
    /// Time between two beats; a message may have several, oldest first.
    RrInterval,
    /// Energy spent since the device was reset.
    EnergyExpended,
    /// Breaths.
    RespirationRate,
    /// Body weight.
    Weight,
    /// Body height.
    Height,
    /// Body mass index, as the device reckons it.
    BodyMassIndex,
    /// Share of fat.
    BodyFat,
    /// Energy spent at rest in a day.
    BasalMetabolism,
    /// Share of muscle.
    MusclePercentage,
    /// Mass of muscle.
    MuscleMass,
    /// Mass without fat.
    FatFreeMass,
    /// Mass of soft tissue without fat.
    SoftLeanMass,
    /// Mass of water.
    BodyWaterMass,
    /// Electrical impedance.
    Impedance,
    /// Glucose concentration.
    Glucose,
}

/// Units as they are shown, and as devices speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Unit {
    /// Millimetres of mercury.
    #[serde(rename = "mmHg")]
    MmHg,
    /// Kilopascals; shown as mmHg, kept as the original.
    #[serde(rename = "kPa")]
    KPa,
    /// Percent.
    #[serde(rename = "%")]
    Percent,
    /// Beats or breaths a minute.
    #[serde(rename = "/min")]
    PerMinute,
    /// Degrees Celsius.
    #[serde(rename = "°C")]
    Celsius,
    /// Degrees Fahrenheit; shown as °C, kept as the original.
    #[serde(rename = "°F")]
    Fahrenheit,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Millisecond,
    /// 1/1024 of a second; shown as ms, kept as the original.
    #[serde(rename = "1/1024 s")]
    Per1024Second,
    /// Kilojoules.
    #[serde(rename = "kJ")]
    Kilojoule,
    /// Kilograms.
    #[serde(rename = "kg")]
    Kilogram,
    /// Pounds; shown as kg, kept as the original.
    #[serde(rename = "lb")]
    Pound,
    /// Metres.
    #[serde(rename = "m")]
    Metre,
    /// Inches; shown as m, kept as the original.
    #[serde(rename = "in")]
    Inch,
    /// Kilograms a square metre.
    #[serde(rename = "kg/m2")]
    KilogramPerSquareMetre,
    /// Ohms.
    #[serde(rename = "Ω")]
    Ohm,
    /// Milligrams a decilitre.
    #[serde(rename = "mg/dL")]
    MgPerDl,
    /// Millimoles a litre; shown as mg/dL, kept as the original.
    #[serde(rename = "mmol/L")]
    MmolPerL,
}

/// Where on the body a thermometer or a blood sample was (Temperature Type, 2A1D; Sample Location
/// of 2A18).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum BodySite {
    /// Armpit.
    Armpit,
    /// The body in general.
    Body,
    /// Ear (usually the lobe).
    Ear,
    /// Finger.
    Finger,
    /// Gastro-intestinal tract.
    Gastrointestinal,
    /// Mouth.
    Mouth,
    /// Rectum.
    Rectum,
    /// Toe.
    Toe,
    /// Ear drum.
    Tympanum,
    /// Another place for a drop of blood.
    AlternateSite,
}
