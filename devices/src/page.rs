//! PURE: what a page hands in becomes a reading or a fault: frames that it received by Web Bluetooth,
//! by the same drivers and codecs as a gateway's, and values that a person typed.

use crate::codec::{FrameValue, Value};
use crate::device_clock::ClockHistory;
use crate::driver::{Attribute, Message, Offer, Said, family_of};
use crate::plausible;
use crate::reading::{Received, measurement, outcome};
use jiff::tz::TimeZone;
use minato_protocol::reading::{
    Characteristic, Device, DeviceId, DeviceKind, EnteredBy, Hex, HexBytes, Measurement, Outcome,
    Provenance, Quality, Quantity, Reading, ReadingId, TransportKind, TypedValue, Unit,
};
use minato_protocol::{GatewayId, Timestamp};
use thiserror::Error;

/// Stands in the readings in place of a gateway.
const NO_GATEWAY: GatewayId = GatewayId(0);
/// What a person who types is called in place of a device and of a driver.
const TYPED: &str = "typed";

/// A frame as a page received it.
#[derive(Debug, Clone, Copy)]
pub struct Handed<'a> {
    /// Which device.
    pub device: &'a DeviceId,
    /// Maker's model name, at most 40 characters.
    pub model: &'a str,
    /// The characteristic: four hex digits of an assigned one, or a UUID of 36 characters.
    pub characteristic: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// The page's run.
    pub boot: Hex<8>,
    /// Count of frames in this run.
    pub sequence: u64,
    /// When the page received it.
    pub at: Timestamp,
}

/// Values that somebody typed.
#[derive(Debug, Clone, Copy)]
pub struct Typed<'a> {
    /// The reading's name.
    pub id: ReadingId,
    /// What, each quantity once.
    pub values: &'a [TypedValue],
    /// Who.
    pub entered: EnteredBy,
    /// When it was measured.
    pub at: Timestamp,
}

/// The name belongs to no time zone.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0} is no time zone")]
pub struct ZoneUnknown(String);

/// The time zone in which devices at pages tell the time.
#[derive(Debug, Clone)]
pub struct PageZone(TimeZone);

impl PageZone {
    /// By its name, such as `Asia/Tokyo`.
    pub fn named(name: &str) -> Result<Self, ZoneUnknown> {
        TimeZone::get(name).map(Self).map_err(|_| ZoneUnknown(name.to_owned()))
    }
}

/// Reads one frame. Nothing for a characteristic that no driver reads values from; bytes that are
/// no frame are a fault that keeps them. Each frame stands alone: the nurse holds the device.
pub fn frame(handed: &Handed<'_>, zone: &PageZone) -> Option<Outcome> {
    let attribute: Attribute = handed.characteristic.parse().ok()?;
    let offer = Offer { name: handed.model.to_owned(), attributes: vec![attribute] };
    let mut driver = (family_of(&offer)?.make)();
    let mut said = Vec::new();
    driver.on_bytes(attribute, handed.bytes, handed.at, &mut said);
    let Message { characteristic, raw, frame, live, .. } = said.into_iter().find_map(message)?;
    let meta = driver.meta();
    let (id, model) = (handed.device.clone(), handed.model.to_owned());
    let received = Received {
        device: &Device { id, kind: meta.kind, model },
        gateway: NO_GATEWAY,
        transport: TransportKind::WebBluetooth,
        driver: meta.name,
        characteristic,
        raw: &raw,
        boot: handed.boot,
        sequence: handed.sequence,
        at: handed.at,
        live,
        // Nobody compares the clock of a device that hangs at a page.
        clock: ClockHistory::default(),
    };
    Some(outcome(&received, frame, &zone.0))
}

fn message(said: Said) -> Option<Message> {
    match said {
        Said::Frame(message) => Some(message),
        Said::Wave(_) | Said::Battery(_) | Said::Clock(_) => None,
    }
}

/// Reads what was typed, in the units that are shown. Nothing where a unit does not measure that
/// quantity. What no living person shows is marked, as a device's is.
pub fn typed(typed: &Typed<'_>) -> Option<Outcome> {
    let measurements: Vec<_> = typed.values.iter().map(shown).collect::<Option<_>>()?;
    let quality = if plausible::all(&measurements) { vec![] } else { vec![Quality::Implausible] };
    let raw = serde_json::to_vec(typed.values).ok()?;
    let device = Device {
        id: TYPED.parse().expect("a short text"),
        kind: DeviceKind::Person,
        model: String::new(),
    };
    Some(Outcome::Reading(Reading {
        id: typed.id,
        device,
        characteristic: Characteristic::Typed,
        measurements,
        quality,
        device_time: None,
        gateway_time: typed.at,
        device_user: None,
        site: None,
        provenance: Provenance {
            gateway: NO_GATEWAY,
            transport: TransportKind::Manual,
            entered: Some(typed.entered),
            driver: TYPED.to_owned(),
            raw: HexBytes(raw),
            boot: Hex([0; 8]),
            sequence: 0,
        },
    }))
}

fn shown(typed: &TypedValue) -> Option<Measurement> {
    let TypedValue { what, value, unit } = *typed;
    let shown = measurement(&FrameValue { what, value: Value::Number(value), unit }, None);
    (shown.unit == unit_of(what)).then_some(shown)
}

/// The unit in which a quantity is shown.
const fn unit_of(what: Quantity) -> Unit {
    match what {
        Quantity::Systolic
        | Quantity::Diastolic
        | Quantity::MeanArterial
        | Quantity::CuffPressure => Unit::MmHg,
        Quantity::Spo2
        | Quantity::Spo2Fast
        | Quantity::Spo2Slow
        | Quantity::PulseAmplitudeIndex
        | Quantity::BodyFat
        | Quantity::MusclePercentage => Unit::Percent,
        Quantity::PulseRate
        | Quantity::PulseRateFast
        | Quantity::PulseRateSlow
        | Quantity::HeartRate
        | Quantity::RespirationRate => Unit::PerMinute,
        Quantity::Temperature => Unit::Celsius,
        Quantity::RrInterval => Unit::Millisecond,
        Quantity::EnergyExpended | Quantity::BasalMetabolism => Unit::Kilojoule,
        Quantity::Weight
        | Quantity::MuscleMass
        | Quantity::FatFreeMass
        | Quantity::SoftLeanMass
        | Quantity::BodyWaterMass => Unit::Kilogram,
        Quantity::Height => Unit::Metre,
        Quantity::BodyMassIndex => Unit::KilogramPerSquareMetre,
        Quantity::Impedance => Unit::Ohm,
        Quantity::Glucose => Unit::MgPerDl,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use minato_protocol::StaffId;
    use minato_protocol::reading::{Decimal, FaultReason, MeasuredValue, Original};

    const AT: Timestamp = Timestamp(1_764_000_000_000);
    const CUFF_RESULT: [u8; 7] = [0x00, 0x78, 0x00, 0x50, 0x00, 0x5a, 0x00];

    fn hand(characteristic: &str, bytes: &[u8]) -> Option<Outcome> {
        let device = "cuff-at-the-page".parse().expect("a name");
        let handed = Handed {
            device: &device,
            model: "HEM-7600T",
            characteristic,
            bytes,
            boot: Hex([1; 8]),
            sequence: 1,
            at: AT,
        };
        frame(&handed, &PageZone::named("Asia/Tokyo").expect("a zone"))
    }

    fn type_in(values: &[(Quantity, &str, Unit)]) -> Option<Reading> {
        let value = |(what, value, unit): &(Quantity, &str, Unit)| TypedValue {
            what: *what,
            value: value.parse().expect("a number"),
            unit: *unit,
        };
        let values: Vec<_> = values.iter().map(value).collect();
        let entered = EnteredBy::Staff { staff: StaffId(1) };
        let id = ReadingId(Hex([9; 16]));
        match typed(&Typed { id, values: &values, entered, at: AT })? {
            Outcome::Reading(reading) => Some(reading),
            Outcome::Fault(fault) => panic!("{fault:?}"),
        }
    }

    #[test]
    fn a_frame_of_a_page_is_read_as_a_gateways_by_short_and_long_number() {
        for characteristic in ["2A35", "00002a35-0000-1000-8000-00805f9b34fb"] {
            let Some(Outcome::Reading(reading)) = hand(characteristic, &CUFF_RESULT) else {
                panic!("{characteristic} is not read")
            };
            assert_eq!(reading.number(Quantity::Systolic), Some(Decimal::whole(120)));
            assert_eq!(reading.provenance.transport, TransportKind::WebBluetooth);
            assert_eq!(
                (reading.provenance.gateway, reading.device.kind),
                (NO_GATEWAY, DeviceKind::Cuff)
            );
        }
    }

    #[test]
    fn bytes_that_are_no_frame_are_a_fault_that_keeps_them() {
        let Some(Outcome::Fault(fault)) = hand("2A35", &CUFF_RESULT[..3]) else {
            panic!("no fault")
        };
        assert_eq!(fault.reason, FaultReason::FrameRefused);
        assert_eq!(fault.provenance.raw.0, CUFF_RESULT[..3]);
    }

    #[test]
    fn what_no_driver_reads_values_from_is_nothing() {
        for characteristic in ["2A19", "2A99", "", "blood pressure", "0000"] {
            assert_eq!(hand(characteristic, &CUFF_RESULT), None, "{characteristic}");
        }
    }

    #[test]
    fn typed_kilopascals_are_shown_as_mmhg_with_what_was_typed() {
        let reading = type_in(&[(Quantity::Systolic, "16.0", Unit::KPa)]).expect("a reading");
        let systolic = reading.measurement(Quantity::Systolic).expect("it is there");
        assert_eq!(systolic.value, MeasuredValue::Number { value: Decimal::whole(120) });
        let original = Original { value: "16.0".parse().expect("a number"), unit: Unit::KPa };
        assert_eq!((systolic.unit, systolic.original), (Unit::MmHg, Some(original)));
        let raw = String::from_utf8(reading.provenance.raw.0).expect("text");
        assert_eq!(raw, r#"[{"what":"systolic","value":"16.0","unit":"kPa"}]"#);
    }

    #[test]
    fn typed_values_that_no_living_person_shows_are_marked_and_kept() {
        let breaths = type_in(&[(Quantity::RespirationRate, "400", Unit::PerMinute)]);
        assert_eq!(breaths.expect("it is kept").quality, [Quality::Implausible]);
        let breaths = type_in(&[(Quantity::RespirationRate, "18", Unit::PerMinute)]);
        assert!(breaths.expect("a reading").quality.is_empty());
    }

    #[test]
    fn a_unit_that_does_not_measure_that_is_refused() {
        assert!(type_in(&[(Quantity::Systolic, "120", Unit::Kilogram)]).is_none());
        assert!(type_in(&[(Quantity::Temperature, "98.6", Unit::Fahrenheit)]).is_some());
        assert!(PageZone::named("Asia/Atlantis").is_err());
    }
}
