//! Oximeters on serial cables: which port has which device, and, in a build with the feature
//! `serial`, the open line itself.

#[cfg(feature = "serial")]
mod line;
#[cfg(feature = "serial")]
pub use line::run;

use crate::driver::{Line, Offer, Way, family_of};
use minato_protocol::reading::{DeviceId, SHORT_TEXT_BYTES_MAX};
use std::collections::BTreeSet;
use std::str::FromStr;
use thiserror::Error;

/// A port and what hangs at it, as the operator gives it: `/dev/ttyUSB0=contec`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialPort {
    /// Such as `/dev/ttyUSB0`, or better `/dev/serial/by-id/…`, which names the cable and not the
    /// order of plugging in.
    pub path: String,
    /// Which family of devices: `contec`, `emay` or `nonin`.
    pub name: String,
}

/// Why ports cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SerialError {
    /// The text was no port with a name.
    #[error("a serial port is given with its device, such as /dev/ttyUSB0=contec")]
    Form,
    /// This program was built without.
    #[error("this build has no serial ports; build it with the feature `serial`")]
    NotBuilt,
    /// No driver reads such a device by cable.
    #[error("{0} is no serial device that is known here; known are contec, emay and nonin")]
    Unknown(String),
    /// The port's name has other than visible ASCII characters.
    #[error("the port {0} has a name that cannot name a device")]
    Name(String),
    /// Two devices could not be told apart.
    #[error("{0} is given twice: each port needs a name of its own")]
    Twice(DeviceId),
}

impl FromStr for SerialPort {
    type Err = SerialError;

    fn from_str(text: &str) -> Result<Self, SerialError> {
        match text.rsplit_once('=') {
            Some((path, name)) if !path.is_empty() && !name.is_empty() => {
                Ok(Self { path: path.to_owned(), name: name.to_owned() })
            }
            _ => Err(SerialError::Form),
        }
    }
}

impl SerialPort {
    /// What a driver is chosen by.
    pub fn offer(&self) -> Offer {
        Offer { name: self.name.clone(), attributes: Vec::new() }
    }

    /// How the line is set.
    pub fn line(&self) -> Result<Line, SerialError> {
        match family_of(&self.offer()).map(|family| family.way) {
            Some(Way::Serial(line)) => Ok(line),
            Some(Way::Bluetooth(_)) | None => Err(SerialError::Unknown(self.name.clone())),
        }
    }

    /// `serial-contec-ttyUSB0`. Of a port's name that is too long the end is kept, because names by
    /// id begin with the maker's.
    pub fn device(&self) -> Result<DeviceId, SerialError> {
        let wrong = || SerialError::Name(self.path.clone());
        let last = self.path.rsplit('/').next().unwrap_or_default();
        if last.is_empty() || !last.is_ascii() {
            return Err(wrong());
        }
        let prefix = format!("serial-{}-", self.name);
        let room = SHORT_TEXT_BYTES_MAX.saturating_sub(prefix.len());
        let kept = &last[last.len().saturating_sub(room)..];
        format!("{prefix}{kept}").parse().map_err(|_| wrong())
    }
}

/// Refuses at once what could never work.
pub fn check(ports: &[SerialPort]) -> Result<(), SerialError> {
    if !ports.is_empty() && !cfg!(feature = "serial") {
        return Err(SerialError::NotBuilt);
    }
    let mut seen = BTreeSet::new();
    for port in ports {
        port.line()?;
        let device = port.device()?;
        if !seen.insert(device.clone()) {
            return Err(SerialError::Twice(device));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(text: &str) -> SerialPort {
        text.parse().expect("a port")
    }

    #[test]
    fn a_port_is_given_with_what_hangs_at_it() {
        let contec = port("/dev/ttyUSB0=contec");
        assert_eq!(contec.device().expect("an id").as_str(), "serial-contec-ttyUSB0");
        let line = contec.line().expect("known");
        assert_eq!((line.baud, line.odd_parity), (19_200, true));
        for text in ["", "/dev/ttyUSB0", "=contec", "/dev/ttyUSB0="] {
            assert_eq!(text.parse::<SerialPort>(), Err(SerialError::Form), "{text}");
        }
        let unknown = port("/dev/ttyUSB0=toaster").line();
        assert_eq!(unknown, Err(SerialError::Unknown("toaster".into())));
    }

    #[test]
    fn a_long_name_keeps_its_end_and_a_strange_one_is_refused() {
        let maker = "usb-Silicon_Labs_CP2102N_USB_to_UART_Bridge_Controller";
        let long = format!("/dev/serial/by-id/{maker}_0123456789abcdef-if00-port0=contec");
        let device = port(&long).device().expect("an id");
        assert_eq!(device.as_str().len(), SHORT_TEXT_BYTES_MAX);
        assert!(device.as_str().ends_with("0123456789abcdef-if00-port0"), "{device}");
        for text in ["/dev/=contec", "/dev/脈=contec", "/dev/a b=contec"] {
            assert!(matches!(port(text).device(), Err(SerialError::Name(_))), "{text}");
        }
    }

    #[test]
    fn two_ports_that_would_be_one_device_are_refused() {
        let ports = [port("/dev/a/x=contec"), port("/dev/b/x=contec")];
        let refused = check(&ports).expect_err("the same device");
        if cfg!(feature = "serial") {
            assert!(matches!(refused, SerialError::Twice(_)));
        } else {
            assert_eq!(refused, SerialError::NotBuilt);
        }
        assert_eq!(check(&[]), Ok(()));
    }
}
