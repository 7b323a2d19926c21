//! Plays a capture in time, by the gateway's clock.

use super::{CAPTURE_BYTES_MAX, Line, Refused, read};
use crate::clock::Clock;
use crate::transport::Heard;
use minato_protocol::Span;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use thiserror::Error;
use tokio::sync::mpsc;

/// Why a capture cannot be opened.
#[derive(Debug, Error)]
pub enum CaptureError {
    /// The file cannot be read.
    #[error("{0} cannot be read: {1}")]
    File(PathBuf, std::io::Error),
    /// See [`CAPTURE_BYTES_MAX`].
    #[error("{0} is longer than {CAPTURE_BYTES_MAX} bytes")]
    TooLong(PathBuf),
    /// See [`Refused`].
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// Reads all of a capture, so that a wrong one is refused before anything of it is heard.
pub(crate) fn open(path: &Path) -> Result<Vec<Line>, CaptureError> {
    let failed = |error| CaptureError::File(path.to_owned(), error);
    let mut text = String::new();
    let file = File::open(path).map_err(failed)?;
    file.take(CAPTURE_BYTES_MAX + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > CAPTURE_BYTES_MAX {
        return Err(CaptureError::TooLong(path.to_owned()));
    }
    Ok(read(&text)?)
}

/// Plays it once. Then its devices are gone, and the gateway goes on delivering what they said.
pub(crate) async fn run(lines: Vec<Line>, clock: Clock, to: mpsc::Sender<Heard>) {
    let began_at = clock.now();
    let mut here = BTreeSet::new();
    for line in lines {
        clock.wait_until(began_at + Span(i64::from(line.at_ms()))).await;
        match &line {
            Line::Appeared { device, .. } => here.insert(device.clone()),
            Line::Gone { device, .. } => here.remove(device),
            Line::Bytes { .. } | Line::ClockSet { .. } | Line::Obstructed { .. } => false,
        };
        if to.send(line.heard(clock.now())).await.is_err() {
            return;
        }
    }
    for device in here {
        if to.send(Heard::Gone { device }).await.is_err() {
            return;
        }
    }
    tracing::info!("the capture has been played");
    to.closed().await;
}
