//! How what a page hands in is read: by functions that the binary gives. The codecs are the gateway's,
//! and this crate knows no device.

use minato_protocol::Timestamp;
use minato_protocol::reading::{DeviceId, EnteredBy, Hex, Outcome, ReadingId, TypedValue};
use std::fmt;
use std::sync::Arc;

/// A frame as a page received it.
#[derive(Debug, Clone, Copy)]
pub struct PageFrame<'a> {
    /// Which device.
    pub device: &'a DeviceId,
    /// Maker's model name.
    pub model: &'a str,
    /// The characteristic's UUID, four hex digits or 36 characters.
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

/// Values as a person typed them.
#[derive(Debug, Clone, Copy)]
pub struct TypedEntry<'a> {
    /// The reading's name, drawn from the press.
    pub id: ReadingId,
    /// What was typed.
    pub values: &'a [TypedValue],
    /// Who typed it.
    pub entered: EnteredBy,
    /// When it was measured.
    pub at: Timestamp,
}

/// Reads a frame; nothing for a characteristic that no driver knows. Bytes that are no frame give a
/// fault that keeps them.
pub type FrameReader = Arc<dyn Fn(&PageFrame<'_>) -> Option<Outcome> + Send + Sync>;

/// Reads typed values in the units that are shown; nothing for a unit that does not measure that.
pub type TypedReader = Arc<dyn Fn(&TypedEntry<'_>) -> Option<Outcome> + Send + Sync>;

/// Both. Cheap to clone.
#[derive(Clone)]
pub struct Readers {
    /// Frames of devices.
    pub frame: FrameReader,
    /// What people typed.
    pub typed: TypedReader,
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Readers(…)")
    }
}

impl Readers {
    /// For a service that pages hand nothing to: whatever they do is refused.
    pub fn none() -> Self {
        Self { frame: Arc::new(|_| None), typed: Arc::new(|_| None) }
    }
}
