//! The pulse wave, in small blocks that may be lost: they travel over the relay's unordered data
//! channel and never over the durable path.

use super::DeviceId;
use crate::Timestamp;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// No encoded block is longer than this: it fits one packet, so one lost packet loses one block.
pub const WAVE_MESSAGE_BYTES_MAX: usize = 1_024;

/// What the samples draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum WaveKind {
    /// The oximeter's pulse wave (plethysmogram).
    Pleth,
    /// One lead of an electrocardiogram.
    Ecg,
}

/// Samples 0 to 255, written as standard base64. A pulse wave has no unit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
pub struct Samples(pub Vec<u8>);

impl Serialize for Samples {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Samples {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        if text.len() > WAVE_MESSAGE_BYTES_MAX {
            return Err(D::Error::custom("a wave block has too many samples"));
        }
        STANDARD.decode(text.as_bytes()).map(Self).map_err(D::Error::custom)
    }
}

/// About a fifth of a second of one wave. A jump in `first_sample` is a gap and is drawn as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct WaveBlock {
    /// Which device.
    pub device: DeviceId,
    /// What it draws.
    pub kind: WaveKind,
    /// The run of the gateway that counts the samples; a new run starts a new count.
    pub run: u32,
    /// Number of the first sample since the run began.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub first_sample: u64,
    /// Samples a second is `rate_num / rate_den`.
    pub rate_num: u32,
    /// See `rate_num`; never 0.
    pub rate_den: u32,
    /// The gateway's time of the first sample.
    pub at: Timestamp,
    /// Microvolts of one step, for an ECG, whose zero is 128; absent where there is no unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub microvolts_per_step: Option<u32>,
    /// One byte a sample.
    pub samples: Samples,
}
