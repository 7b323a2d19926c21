//! PURE: a decoded frame becomes a reading or a fault of a device at a gateway: its name for ever,
//! both clocks, shown units, and the numbers that are nobody's withheld.

use crate::codec::{Frame, FrameTime, FrameValue, Refused, Value, assigned_number};
use crate::device_clock::{CLOCK_WRONG, ClockHistory};
use crate::plausible;
use aws_lc_rs::digest::{Context, SHA256};
use jiff::{civil::DateTime, tz::TimeZone};
use minato_protocol::reading::{
    Characteristic, Decimal, Device, DeviceTime, Fault, FaultReason, Hex, HexBytes, MeasuredValue,
    Measurement, Original, Outcome, Provenance, Quality, Quantity, Reading, ReadingId,
    TransportKind, Unit,
};
use minato_protocol::{GatewayId, Span, Timestamp};

/// First bytes of everything that is hashed into a [`ReadingId`].
const ID_DOMAIN: &[u8] = b"minato reading v1\0";
/// 1 kPa in mmHg (conventional millimetre of mercury, 133.322 Pa).
const MMHG_PER_KPA: f64 = 7.500_62;
/// The international avoirdupois pound.
const KG_PER_POUND: f64 = 0.453_592_37;
const METRES_PER_INCH: f64 = 0.025_4;
/// Glucose has a molar mass of 180.16 g/mol.
const GLUCOSE_MG_DL_PER_MMOL_L: f64 = 18.016;
/// A device clock further from the gateway's than this does not tell when something seen live was
/// measured, and a record is not said to come before its time. Below it is the coarseness of a clock
/// that shows whole seconds.
const CLOCK_AHEAD: Span = Span::seconds(5);

/// A frame with everything that the gateway knows around it.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// Who sent it.
    pub device: &'a Device,
    /// Who received it.
    pub gateway: GatewayId,
    /// How it came.
    pub transport: TransportKind,
    /// Which driver read it.
    pub driver: &'a str,
    /// Which message.
    pub characteristic: Characteristic,
    /// Its bytes.
    pub raw: &'a [u8],
    /// The gateway's run.
    pub boot: Hex<8>,
    /// Count of frames of this device in this run.
    pub sequence: u64,
    /// When it came, by the gateway's clock.
    pub at: Timestamp,
    /// The measurement was seen while it happened: the gateway's clock tells when it was.
    pub live: bool,
    /// What is known of the device's clock.
    pub clock: ClockHistory,
}

/// What came of a frame. A single measurement without its main numbers is a fault, whatever its
/// status bits say; a running oximeter without numbers is a reading that says why.
pub fn outcome(received: &Received<'_>, frame: Result<Frame, Refused>, zone: &TimeZone) -> Outcome {
    let Ok(mut frame) = frame else {
        return fault(received, FaultReason::FrameRefused, Vec::new(), None);
    };
    let device_time = device_time(received, &mut frame, zone);
    let withheld = frame.quality.iter().copied().find(|remark| remark.withholds());
    if let Some(reason) = failure(&frame, withheld.is_some()) {
        return fault(received, reason, frame.quality, device_time);
    }
    let mains = main_quantities(frame.characteristic);
    let has_all = mains.iter().all(|what| frame_number(&frame, *what).is_some());
    if !has_all {
        frame.quality.push(Quality::Incomplete);
    }
    let measurements: Vec<_> =
        frame.values.iter().map(|value| measurement(value, withheld)).collect();
    // A thermometer begins in the room's air; nobody is asked about that.
    let warms_up = frame.characteristic == Characteristic::IntermediateTemperature;
    if !warms_up && !plausible::all(&measurements) {
        frame.quality.push(Quality::Implausible);
    }
    frame.quality.sort_unstable();
    Outcome::Reading(Reading {
        id: id(received, device_time.as_ref()),
        device: received.device.clone(),
        characteristic: frame.characteristic,
        measurements,
        quality: frame.quality,
        device_time,
        gateway_time: received.at,
        device_user: frame.user,
        site: frame.site,
        provenance: provenance(received),
    })
}

fn fault(
    received: &Received<'_>,
    reason: FaultReason,
    mut quality: Vec<Quality>,
    device_time: Option<DeviceTime>,
) -> Outcome {
    quality.sort_unstable();
    Outcome::Fault(Fault {
        id: id(received, device_time.as_ref()),
        device: received.device.clone(),
        characteristic: received.characteristic,
        reason,
        quality,
        device_time,
        gateway_time: received.at,
        provenance: provenance(received),
    })
}

/// Without which a message says nothing; empty where any number is worth being said.
const fn main_quantities(characteristic: Characteristic) -> &'static [Quantity] {
    match characteristic {
        Characteristic::BloodPressure => &[Quantity::Systolic, Quantity::Diastolic],
        Characteristic::IntermediateCuffPressure => &[Quantity::CuffPressure],
        Characteristic::OximeterSpot
        | Characteristic::OximeterContinuous
        | Characteristic::NoninOximetry
        | Characteristic::SerialBci
        | Characteristic::SerialEmay
        | Characteristic::SerialNonin => &[Quantity::Spo2],
        Characteristic::Temperature | Characteristic::IntermediateTemperature => {
            &[Quantity::Temperature]
        }
        Characteristic::HeartRate => &[Quantity::HeartRate],
        Characteristic::Weight => &[Quantity::Weight],
        Characteristic::BodyComposition => &[Quantity::BodyFat],
        Characteristic::Glucose => &[Quantity::Glucose],
        Characteristic::Other | Characteristic::Typed => &[],
    }
}

/// Whether a single measurement failed: none of its main values is a number of the patient's.
pub fn failure(frame: &Frame, withheld: bool) -> Option<FaultReason> {
    let reason = match frame.characteristic {
        Characteristic::BloodPressure => FaultReason::CuffError,
        Characteristic::OximeterSpot => FaultReason::OximeterError,
        other if other.is_intermediate() || other.is_running() => return None,
        _ => FaultReason::NoValue,
    };
    let mains = main_quantities(frame.characteristic);
    let empty = if mains.is_empty() {
        frame.values.iter().all(|value| matches!(value.value, Value::Special(_)))
    } else {
        mains.iter().all(|what| frame_number(frame, *what).is_none())
    };
    (empty || withheld).then_some(reason)
}

fn frame_number(frame: &Frame, what: Quantity) -> Option<Decimal> {
    match frame.values.iter().find(|value| value.what == what)?.value {
        Value::Number(number) => Some(number),
        Value::Special(_) => None,
    }
}

/// The value in the unit that is shown, or the reason why it is not.
pub fn measurement(said: &FrameValue, withheld: Option<Quality>) -> Measurement {
    let FrameValue { what, value, unit } = *said;
    let shown = shown(unit);
    let unit_shown = shown.map_or(unit, |(unit, _)| unit);
    let plain = |value| Measurement { what, value, unit: unit_shown, original: None };
    match (value, withheld, shown) {
        (Value::Special(special), _, _) => plain(MeasuredValue::Special { special }),
        (Value::Number(_), Some(because), _) => plain(MeasuredValue::Withheld { because }),
        (Value::Number(value), None, None) => plain(MeasuredValue::Number { value }),
        (Value::Number(value), None, Some((_, convert))) => Measurement {
            original: Some(Original { value, unit }),
            ..plain(MeasuredValue::Number { value: convert(value) })
        },
    }
}

type Convert = fn(Decimal) -> Decimal;

/// The unit in which a device's is shown, where it is another one, and how it is converted: to as
/// many digits as the device's own resolution is worth.
const fn shown(unit: Unit) -> Option<(Unit, Convert)> {
    match unit {
        // 0.1 kPa is 0.75 mmHg.
        Unit::KPa => Some((Unit::MmHg, |kpa| rounded(kpa.to_f64() * MMHG_PER_KPA, 0))),
        // 0.1 °F is 0.06 °C.
        Unit::Fahrenheit => {
            Some((Unit::Celsius, |fahrenheit| rounded((fahrenheit.to_f64() - 32.0) / 1.8, 1)))
        }
        Unit::Per1024Second => {
            Some((Unit::Millisecond, |ticks| rounded(ticks.to_f64() * 1_000.0 / 1_024.0, 0)))
        }
        Unit::Pound => Some((Unit::Kilogram, |pounds| rounded(pounds.to_f64() * KG_PER_POUND, 2))),
        Unit::Inch => Some((Unit::Metre, |inches| rounded(inches.to_f64() * METRES_PER_INCH, 3))),
        Unit::MmolPerL => {
            Some((Unit::MgPerDl, |mmol| rounded(mmol.to_f64() * GLUCOSE_MG_DL_PER_MMOL_L, 0)))
        }
        Unit::MmHg
        | Unit::Percent
        | Unit::PerMinute
        | Unit::Celsius
        | Unit::Millisecond
        | Unit::Kilojoule
        | Unit::Kilogram
        | Unit::Metre
        | Unit::KilogramPerSquareMetre
        | Unit::Ohm
        | Unit::MgPerDl => None,
    }
}

/// A number with so many digits behind the point.
fn rounded(number: f64, places: u8) -> Decimal {
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and 2^31 is implausible")]
    let mantissa = (number * 10f64.powi(i32::from(places))).round() as i32;
    Decimal { mantissa, exponent: -places.cast_signed() }
}

/// The device's time in UTC. Devices know no zone; the gateway's decides. In the hour that a zone
/// repeats, the earlier one is meant; in the hour that it skips, the clock was not put forward.
///
/// A measurement that was seen live happened when it was seen, whatever the device's clock says. A
/// record from memory is put where the known error of the clock says that it belongs.
fn device_time(received: &Received<'_>, frame: &mut Frame, zone: &TimeZone) -> Option<DeviceTime> {
    let FrameTime::Civil(civil) = frame.time else { return None };
    let said = civil_at(civil, zone)?;
    let off = said - received.at;
    let correction = if received.live {
        Span(if off.0.abs() > CLOCK_AHEAD.0 { -off.0 } else { 0 })
    } else {
        received.clock.correction(said, received.at)
    };
    let at = said + correction;
    if received.live && off.0.abs() > CLOCK_WRONG.0 {
        frame.quality.push(Quality::ClockWrong);
    } else if !received.live && correction.0.abs() > CLOCK_WRONG.0 {
        frame.quality.push(Quality::ClockCorrected);
    } else if at > received.at + CLOCK_AHEAD {
        frame.quality.push(Quality::ClockAhead);
    }
    Some(DeviceTime { civil: civil.to_string(), at, correction })
}

/// When a clock in this zone shows this.
pub fn civil_at(civil: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let zoned = zone.to_ambiguous_zoned(civil).compatible().ok()?;
    Some(Timestamp(zoned.timestamp().as_millisecond()))
}

/// See [`ReadingId`]. Variable parts carry their length, so that no two inputs hash alike.
fn id(received: &Received<'_>, device_time: Option<&DeviceTime>) -> ReadingId {
    let mut hash = Context::new(&SHA256);
    let mut part = |bytes: &[u8]| {
        hash.update(&(bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    part(ID_DOMAIN);
    part(received.device.id.as_str().as_bytes());
    part(&assigned_number(received.characteristic).to_be_bytes());
    part(received.raw);
    match device_time {
        Some(time) => part(time.civil.as_bytes()),
        // A meter's record carries its own number, and is sent again with each connection.
        None if received.characteristic == Characteristic::Glucose => {}
        None => {
            part(&received.boot.0);
            part(&received.sequence.to_be_bytes());
        }
    }
    let mut short = [0; 16];
    short.copy_from_slice(&hash.finish().as_ref()[..16]);
    ReadingId(Hex(short))
}

fn provenance(received: &Received<'_>) -> Provenance {
    Provenance {
        gateway: received.gateway,
        transport: received.transport,
        entered: None,
        driver: received.driver.to_owned(),
        raw: HexBytes(received.raw.to_vec()),
        boot: received.boot,
        sequence: received.sequence,
    }
}
