//! Which message of which profile carried a value.

use serde::{Deserialize, Serialize};

/// The message that carried the value: a Bluetooth characteristic by its profile, a maker's own,
/// a serial device's packets, or what a person typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Characteristic {
    /// 2A35, a cuff's final result.
    BloodPressure,
    /// 2A36, the pressure in the cuff while it measures.
    IntermediateCuffPressure,
    /// 2A5E, an oximeter's single result.
    OximeterSpot,
    /// 2A5F, an oximeter's running values.
    OximeterContinuous,
    /// 2A1C, a thermometer's final result.
    Temperature,
    /// 2A1E, a thermometer's value while it still rises.
    IntermediateTemperature,
    /// 2A37, a heart rate with the intervals between beats.
    HeartRate,
    /// 2A9D, a scale's result.
    Weight,
    /// 2A9C, a body composition analyser's result.
    BodyComposition,
    /// 2A18, a glucose meter's record.
    Glucose,
    /// 0AAD7EA0-0D60-11E2-8E3C-0002A5D5C51B, Nonin's own running values.
    NoninOximetry,
    /// Five-byte packets of the BCI protocol by serial cable (Contec CMS50D+), about 60 a second.
    SerialBci,
    /// Packets of EMAY's oximeters by serial cable.
    SerialEmay,
    /// Packets of Nonin's serial data formats.
    SerialNonin,
    /// Another maker's own message: which one, driver and bytes in the provenance tell.
    Other,
    /// No message of a device: a person typed it.
    Typed,
}

impl Characteristic {
    /// Whether its values only show a measurement under way and belong in no trend.
    pub const fn is_intermediate(self) -> bool {
        matches!(self, Self::IntermediateCuffPressure | Self::IntermediateTemperature)
    }

    /// Whether its values come all the time while the device is worn, so that a finger out or a
    /// loose strap is a remark and not a failed attempt.
    pub const fn is_running(self) -> bool {
        match self {
            Self::OximeterContinuous
            | Self::HeartRate
            | Self::NoninOximetry
            | Self::SerialBci
            | Self::SerialEmay
            | Self::SerialNonin => true,
            Self::BloodPressure
            | Self::IntermediateCuffPressure
            | Self::OximeterSpot
            | Self::Temperature
            | Self::IntermediateTemperature
            | Self::Weight
            | Self::BodyComposition
            | Self::Glucose
            | Self::Other
            | Self::Typed => false,
        }
    }
}
