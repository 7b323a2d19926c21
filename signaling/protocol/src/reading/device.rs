//! Which device spoke, what kind of thing it is, and the short texts that name it.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{fmt, str::FromStr};

/// No short text is longer than this, in bytes.
pub const SHORT_TEXT_BYTES_MAX: usize = 64;

/// The text was empty, too long, or had other than visible ASCII characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShortTextInvalid;

impl fmt::Display for ShortTextInvalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("1 to 64 visible ASCII characters without spaces are needed")
    }
}

impl std::error::Error for ShortTextInvalid {}

macro_rules! short_texts {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = ShortTextInvalid;
            fn from_str(text: &str) -> Result<Self, ShortTextInvalid> {
                let fits = (1..=SHORT_TEXT_BYTES_MAX).contains(&text.len());
                if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(ShortTextInvalid)
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    )+};
}

short_texts! {
    /// One device, the same for as long as it lives: its Bluetooth address, its serial number, or
    /// a name such as `sim-cuff-1`. Never a person's name.
    DeviceId,
    /// Names one request, so that repeating it changes nothing.
    RequestKey,
}

/// What a nurse calls the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum DeviceKind {
    /// A blood pressure cuff.
    Cuff,
    /// A pulse oximeter.
    Oximeter,
    /// A thermometer.
    Thermometer,
    /// A chest strap or an ECG.
    HeartMonitor,
    /// A scale, also one that tells the body's composition.
    Scale,
    /// A glucose meter.
    GlucoseMeter,
    /// No device: a person typed.
    Person,
}

impl DeviceKind {
    /// Whether it is worn and sends values all the time: then silence means that it was taken off.
    /// Others speak once a measurement and are silent in between.
    pub const fn is_worn(self) -> bool {
        match self {
            Self::Oximeter | Self::HeartMonitor => true,
            Self::Cuff | Self::Thermometer | Self::Scale | Self::GlucoseMeter | Self::Person => {
                false
            }
        }
    }
}

/// The device as it is told on the wire with each of its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Device {
    /// Which one.
    pub id: DeviceId,
    /// What kind of thing.
    pub kind: DeviceKind,
    /// Maker's model name, as the device or its driver says it.
    pub model: String,
}

/// How the bytes came to the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum TransportKind {
    /// Bluetooth Low Energy through the gateway's own radio.
    Bluetooth,
    /// A serial cable.
    Serial,
    /// A page with Web Bluetooth handed over the raw bytes.
    WebBluetooth,
    /// A rehearsal: real frames, no patient.
    Simulator,
    /// A capture played again.
    Replay,
    /// A person typed it.
    Manual,
}
