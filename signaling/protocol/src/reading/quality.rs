//! What a device says about the worth of its own numbers, by name.

use serde::{Deserialize, Serialize};

/// One remark about a reading. From the device's status bits (Blood Pressure Measurement Status;
/// PLX Measurement Status and Device and Sensor Status) unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Quality {
    /// The body moved while the cuff measured.
    BodyMovement,
    /// The cuff was too loose.
    CuffLoose,
    /// The pulse was irregular.
    IrregularPulse,
    /// The pulse was above the range in which the cuff measures well.
    PulseAboveRange,
    /// The pulse was below the range in which the cuff measures well.
    PulseBelowRange,
    /// The arm was not at the height of the heart.
    ImproperPosition,
    /// The measurement has not ended.
    Ongoing,
    /// An early estimate.
    Early,
    /// The device has validated the value.
    Validated,
    /// The device has fully qualified the value.
    FullyQualified,
    /// The value comes from the device's memory.
    FromStorage,
    /// The device is in demonstration mode: not a patient's value.
    Demo,
    /// The device is in test mode: not a patient's value.
    Test,
    /// The device is calibrating.
    Calibrating,
    /// The device has no value.
    Unavailable,
    /// The device doubts the value.
    Questionable,
    /// The device says that the value is invalid.
    Invalid,
    /// The display is slower than the measurement.
    SlowDisplay,
    /// The device is broken.
    EquipmentMalfunction,
    /// The signal was processed irregularly.
    SignalIrregularity,
    /// The signal is inadequate.
    InadequateSignal,
    /// The signal is poor.
    PoorSignal,
    /// Too little blood flows where the sensor is.
    LowPerfusion,
    /// The signal jumps.
    ErraticSignal,
    /// The signal has no pulse in it.
    NonPulsatile,
    /// The pulse is doubtful.
    QuestionablePulse,
    /// The signal is still being analysed.
    SignalAnalysis,
    /// Light or electricity disturbs the sensor.
    Interference,
    /// The sensor is not on the patient.
    SensorOff,
    /// The device does not know this sensor.
    SensorUnknown,
    /// The sensor has slipped.
    SensorDisplaced,
    /// The sensor is broken.
    SensorMalfunction,
    /// The sensor is not plugged in.
    SensorDisconnected,
    /// The strap or electrode has no contact with the skin.
    NoContact,
    /// The blood was a control solution: not a patient's value.
    ControlSolution,
    /// The device's battery is low.
    BatteryLow,
    /// Too little blood on the strip.
    SampleTooSmall,
    /// The strip was put in wrongly.
    StripInsertion,
    /// The strip is of another type.
    StripType,
    /// The result is above what the device can measure.
    AboveRange,
    /// The result is below what the device can measure.
    BelowRange,
    /// The device was too hot to measure.
    TooHot,
    /// The device was too cold to measure.
    TooCold,
    /// The strip was pulled out too soon.
    Interrupted,
    /// The device reports a fault without saying which.
    DeviceFault,
    /// The device doubts its own clock.
    ClockFault,
    /// Several people use the device and the message is one of several (body composition).
    InParts,
    /// Bits were set that the published layout leaves undefined (ours).
    ReservedBits,
    /// The frame was longer than its flags say; the known part was kept (ours).
    TrailingBytes,
    /// The frame has a time, but an invalid one, or the device's clock is not set (ours).
    ClockUnknown,
    /// The device's clock runs ahead: the value came before its own time (ours).
    ClockAhead,
    /// The device's time was corrected by a known offset (ours).
    ClockCorrected,
    /// The device's clock is off, and the measurement was seen live: the gateway's time stands
    /// (ours).
    ClockWrong,
    /// One of the main values is no number (ours).
    Incomplete,
    /// A value is outside what a living person shows; it waits for a confirmation (ours).
    Implausible,
}

impl Quality {
    /// Whether numbers that carry this remark are not the patient's at all, and are withheld.
    pub const fn withholds(self) -> bool {
        matches!(
            self,
            Self::Demo
                | Self::Test
                | Self::Invalid
                | Self::Unavailable
                | Self::SensorOff
                | Self::SensorDisconnected
                | Self::NoContact
                | Self::ControlSolution
        )
    }
}
