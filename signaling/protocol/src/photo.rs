//! Pictures beside a typed value: the display of the device that it was read from.

use crate::reading::{Hex, HexInvalid};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Bytes of one picture, as it is handed in.
pub const PHOTO_BYTES_MAX: usize = 1_500_000;
/// Pictures of one reading.
pub const PHOTOS_MAX: usize = 3;
/// Names the ticket to which a picture is handed in; a header, so that no address tells it.
pub const TICKET_HEADER: &str = "minato-ticket";
/// Names the reading beside which it stands.
pub const READING_HEADER: &str = "minato-reading";

/// Names a picture; nobody can guess one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
pub struct PhotoId(pub Hex<16>);

impl fmt::Display for PhotoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for PhotoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhotoId(…)")
    }
}

impl FromStr for PhotoId {
    type Err = HexInvalid;
    fn from_str(text: &str) -> Result<Self, HexInvalid> {
        text.parse().map(Self)
    }
}
