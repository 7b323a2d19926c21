//! PURE: how a simulated device hangs at the gateway: away for a while, with an empty battery, with
//! a clock that is days off.

use super::FAULT_LASTS;
use crate::codec::encode_current_time;
use crate::driver::Attribute;
use crate::transport::Heard;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use minato_protocol::reading::DeviceId;
use minato_protocol::uplink::{SimulatedFault, Trouble};
use minato_protocol::{Span, Timestamp};
use std::collections::VecDeque;

/// How far a wrong clock is off.
const CLOCK_OFF: Span = Span::minutes(-3 * 24 * 60);
/// A wrong clock stays so for long enough to measure.
const CLOCK_WRONG_FOR: Span = Span::seconds(60);
const BATTERY_PERCENT: u8 = 87;
const BATTERY_EMPTY_PERCENT: u8 = 2;

/// One device's link.
#[derive(Debug)]
pub(super) struct Link {
    device: DeviceId,
    zone: TimeZone,
    /// What will be heard of the link, in the order of time.
    news: VecDeque<(Timestamp, Heard)>,
    away: bool,
    clock_off_until: Option<Timestamp>,
}

impl Link {
    pub(super) fn new(device: DeviceId, zone: TimeZone) -> Self {
        Self { device, zone, news: VecDeque::new(), away: false, clock_off_until: None }
    }

    pub(super) fn device(&self) -> &DeviceId {
        &self.device
    }

    /// Whether the device cannot be heard: what it does meanwhile comes afterwards, or never.
    pub(super) fn is_away(&self) -> bool {
        self.away
    }

    /// Takes a fault of the link; `false` for one that is none. `back` is what is heard when the
    /// device is there again.
    pub(super) fn fail(&mut self, fault: SimulatedFault, now: Timestamp, back: Heard) -> bool {
        let until = now + FAULT_LASTS;
        match fault {
            SimulatedFault::Silent => self.leave(Trouble::OutOfRange, now, back),
            SimulatedFault::NotPaired => self.leave(Trouble::NotPaired, now, back),
            SimulatedFault::HeldElsewhere => self.leave(Trouble::HeldElsewhere, now, back),
            SimulatedFault::BatteryEmpty => {
                self.tell(now, self.battery(BATTERY_EMPTY_PERCENT, now));
                self.tell(until, self.battery(BATTERY_PERCENT, until));
            }
            SimulatedFault::ClockWrong => {
                let until = now + CLOCK_WRONG_FOR;
                self.clock_off_until = Some(until);
                self.tell(now, self.clock_shown(now));
                self.tell(until, self.clock_shown(until));
            }
            SimulatedFault::CuffError
            | SimulatedFault::BodyMovement
            | SimulatedFault::CuffLoose
            | SimulatedFault::LowPerfusion
            | SimulatedFault::SensorDisplaced
            | SimulatedFault::SensorOff
            | SimulatedFault::Implausible => return false,
        }
        true
    }

    fn leave(&mut self, by: Trouble, now: Timestamp, back: Heard) {
        self.away = true;
        self.tell(now, Heard::Gone { device: self.device.clone() });
        self.tell(now, Heard::Obstructed { device: self.device.clone(), by: Some(by) });
        self.tell(now + FAULT_LASTS, back);
    }

    fn tell(&mut self, at: Timestamp, heard: Heard) {
        let place = self.news.partition_point(|(known, _)| *known <= at);
        self.news.insert(place, (at, heard));
    }

    /// When the next news of the link comes.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.news.front().map(|(at, _)| *at)
    }

    /// The news that are due, with their time; back again if the device has appeared.
    pub(super) fn step(&mut self, due: Timestamp) -> Option<News> {
        self.news.front().filter(|(at, _)| *at <= due)?;
        let (at, heard) = self.news.pop_front()?;
        let back = matches!(heard, Heard::Appeared(_)).then_some(at);
        if back.is_some() {
            self.away = false;
        }
        Some(News { heard, back })
    }

    /// What the device's clock shows.
    pub(super) fn civil(&self, at: Timestamp) -> DateTime {
        let off = self.clock_off_until.is_some_and(|until| at < until);
        let shown = at + if off { CLOCK_OFF } else { Span(0) };
        let instant = jiff::Timestamp::from_millisecond(shown.0);
        self.zone.to_datetime(instant.unwrap_or(jiff::Timestamp::UNIX_EPOCH))
    }

    fn clock_shown(&self, at: Timestamp) -> Heard {
        let bytes = encode_current_time(self.civil(at)).to_vec();
        Heard::Bytes { device: self.device.clone(), from: Attribute::CURRENT_TIME, bytes, at }
    }

    fn battery(&self, percent: u8, at: Timestamp) -> Heard {
        let (device, from) = (self.device.clone(), Attribute::BATTERY_LEVEL);
        Heard::Bytes { device, from, bytes: vec![percent], at }
    }
}

/// Something heard of the link.
#[derive(Debug)]
pub(super) struct News {
    pub(super) heard: Heard,
    /// When the device came back, if this says so.
    pub(super) back: Option<Timestamp>,
}
