//! PURE: what stands in the way of a device, from what is known of it: the one thing that its nurse
//! should mend first.

use crate::device_clock::CLOCK_WRONG;
use minato_protocol::Span;
use minato_protocol::reading::Quality;
use minato_protocol::uplink::Trouble;

/// A device that says this or less is about to stop.
pub const BATTERY_LOW_PERCENT: u8 = 5;

/// What is known of a device now.
#[derive(Debug, Clone, Copy, Default)]
pub struct Signs<'a> {
    /// What the transport met.
    pub obstructed: Option<Trouble>,
    /// Percent, if it says so.
    pub battery_percent: Option<u8>,
    /// The device's clock minus the gateway's.
    pub clock_off: Option<Span>,
    /// The remarks of its last message, while that is news.
    pub remarks: &'a [Quality],
}

/// The gravest trouble. An empty battery explains why a device cannot be reached, and what keeps it
/// from being reached comes before what it said when it last was.
pub fn gravest(signs: &Signs<'_>) -> Option<Trouble> {
    let low = signs.battery_percent.is_some_and(|percent| percent <= BATTERY_LOW_PERCENT);
    if low || signs.remarks.contains(&Quality::BatteryLow) {
        return Some(Trouble::NoBattery);
    }
    let said = || {
        let named = SAID.iter().find(|(remark, _)| signs.remarks.contains(remark));
        named.map(|(_, trouble)| *trouble)
    };
    let clock = || {
        let wrong = signs.clock_off.is_some_and(|off| off.0.abs() > CLOCK_WRONG.0);
        wrong.then_some(Trouble::ClockWrong)
    };
    signs.obstructed.or_else(said).or_else(clock)
}

/// Remarks that name a trouble which a nurse can mend.
const SAID: [(Quality, Trouble); 7] = [
    (Quality::CuffLoose, Trouble::CuffLoose),
    (Quality::BodyMovement, Trouble::BodyMoved),
    (Quality::SensorOff, Trouble::SensorOff),
    (Quality::SensorDisplaced, Trouble::SensorOff),
    (Quality::SensorDisconnected, Trouble::SensorOff),
    (Quality::NoContact, Trouble::SensorOff),
    (Quality::ClockFault, Trouble::ClockWrong),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_battery_is_named_before_the_range_that_it_explains() {
        let signs = Signs {
            obstructed: Some(Trouble::OutOfRange),
            battery_percent: Some(2),
            ..Signs::default()
        };
        assert_eq!(gravest(&signs), Some(Trouble::NoBattery));
    }

    #[test]
    fn what_keeps_a_device_from_being_reached_is_named_before_what_it_last_said() {
        let signs = Signs {
            obstructed: Some(Trouble::HeldElsewhere),
            remarks: &[Quality::CuffLoose],
            ..Signs::default()
        };
        assert_eq!(gravest(&signs), Some(Trouble::HeldElsewhere));
    }

    #[test]
    fn a_wrong_clock_is_named_when_nothing_else_is() {
        let clock_off = Some(Span::minutes(-3));
        let signs = Signs { clock_off, battery_percent: Some(80), ..Signs::default() };
        assert_eq!(gravest(&signs), Some(Trouble::ClockWrong));
        let signs = Signs { remarks: &[Quality::SensorOff], ..signs };
        assert_eq!(gravest(&signs), Some(Trouble::SensorOff));
        let clock_off = Some(Span::seconds(20));
        assert_eq!(gravest(&Signs { clock_off, ..Signs::default() }), None);
    }
}
