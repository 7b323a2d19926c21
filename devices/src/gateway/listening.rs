//! Which transports a gateway listens to: each is a part of its own, and all are heard in one place.

use super::{BluetoothConfig, HEARD_MAX};
use crate::clock::Clock;
use crate::transport::Heard;
#[cfg(feature = "bluetooth")]
use crate::transport::bluez;
use crate::transport::replay::keep::{self, Capture};
#[cfg(feature = "serial")]
use crate::transport::serial;
use crate::transport::serial::SerialPort;
use jiff::tz::TimeZone;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Where real devices are heard: on the way to the bench what they say is written down, if that is
/// wanted.
pub(super) fn written_down(
    capture: Option<Capture>,
    clock: &Clock,
    heard: mpsc::Sender<Heard>,
    parts: &mut JoinSet<()>,
) -> mpsc::Sender<Heard> {
    let Some(capture) = capture else { return heard };
    let (real, from) = mpsc::channel(HEARD_MAX);
    parts.spawn(keep::run(capture, clock.clone(), from, heard));
    real
}

#[cfg(feature = "bluetooth")]
pub(super) fn listen_to_radio(
    bluetooth: Option<BluetoothConfig>,
    clock: &Clock,
    zone: &TimeZone,
    heard: &mpsc::Sender<Heard>,
    parts: &mut JoinSet<()>,
) {
    let Some(bluetooth) = bluetooth else { return };
    parts.spawn(bluez::run(bluetooth, clock.clone(), zone.clone(), heard.clone()));
}

/// [`Gateway::open`] has refused it.
#[cfg(not(feature = "bluetooth"))]
pub(super) fn listen_to_radio(
    _: Option<BluetoothConfig>,
    _: &Clock,
    _: &TimeZone,
    _: &mpsc::Sender<Heard>,
    _: &mut JoinSet<()>,
) {
}

/// Each port is a part of its own.
#[cfg(feature = "serial")]
pub(super) fn listen_to_cables(
    ports: Vec<SerialPort>,
    clock: &Clock,
    heard: &mpsc::Sender<Heard>,
    parts: &mut JoinSet<()>,
) {
    for port in ports {
        let running = serial::run(port, clock.clone(), heard.clone());
        parts.spawn(async move {
            let ended = running.await;
            tracing::error!(?ended, "a serial port is not heard any more");
        });
    }
}

/// [`serial::check`] has refused every port.
#[cfg(not(feature = "serial"))]
pub(super) fn listen_to_cables(
    _: Vec<SerialPort>,
    _: &Clock,
    _: &mpsc::Sender<Heard>,
    _: &mut JoinSet<()>,
) {
}
