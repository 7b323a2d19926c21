//! Writes down what transports hear, on its way to the bench. The file is its owner's alone; writing
//! never keeps a reading from its way.

use super::{CAPTURE_BYTES_MAX, LINES_MAX, Line};
use crate::clock::Clock;
use crate::private;
use crate::transport::Heard;
use minato_protocol::Timestamp;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use tokio::sync::mpsc;

/// A capture that is being written.
#[derive(Debug)]
pub(crate) struct Capture {
    file: File,
    began_at: Timestamp,
    bytes: u64,
    lines: usize,
    is_full: bool,
}

impl Capture {
    /// Begins a capture in a new file: one that is there already is somebody's, and is left alone.
    pub(crate) fn begin(path: &Path, now: Timestamp) -> io::Result<Self> {
        let file = private::new_file(path)?;
        Ok(Self { file, began_at: now, bytes: 0, lines: 0, is_full: false })
    }

    /// Writes what was heard. A capture that has reached a bound, or whose disk is full, says so
    /// once and ends.
    fn note(&mut self, heard: &Heard, now: Timestamp) {
        if self.is_full {
            return;
        }
        let at_ms = u32::try_from((now - self.began_at).0.max(0)).unwrap_or(u32::MAX);
        let Some(line) = Line::of(heard, at_ms) else { return };
        let mut text = serde_json::to_vec(&line).expect("a line has no maps and no floats");
        text.push(b'\n');
        self.bytes += text.len() as u64;
        self.lines += 1;
        let fits = self.bytes <= CAPTURE_BYTES_MAX && self.lines <= LINES_MAX;
        let written = if fits { self.file.write_all(&text) } else { Ok(()) };
        if let Err(error) = &written {
            tracing::warn!(%error, "the capture cannot be written any more");
        } else if !fits {
            tracing::warn!("the capture is full: nothing more is written to it");
        }
        self.is_full = written.is_err() || !fits;
    }
}

/// Passes on everything that is heard until the bench is gone.
pub(crate) async fn run(
    mut capture: Capture,
    clock: Clock,
    mut from: mpsc::Receiver<Heard>,
    to: mpsc::Sender<Heard>,
) {
    loop {
        let heard = tokio::select! {
            heard = from.recv() => heard,
            () = to.closed() => return,
        };
        // Without a transport there is nothing more to write; the gateway goes on.
        let Some(heard) = heard else { return to.closed().await };
        capture.note(&heard, clock.now());
        if to.send(heard).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::Attribute;
    use crate::transport::replay::play;
    use std::os::unix::fs::PermissionsExt as _;

    fn bytes(at: i64) -> Heard {
        let device = "cuff-1".parse().expect("an id");
        let from = Attribute::assigned(0x2A35);
        Heard::Bytes { device, from, bytes: vec![0; 512], at: Timestamp(at) }
    }

    #[test]
    fn a_capture_is_its_owners_alone_and_can_be_played() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("capture.jsonl");
        let mut capture = Capture::begin(&path, Timestamp(1_000)).expect("a new file");
        capture.note(&bytes(1_500), Timestamp(1_500));
        assert!(Capture::begin(&path, Timestamp(0)).is_err(), "it is not written over");
        let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let lines = play::open(&path).expect("it is read");
        assert_eq!(lines, [Line::of(&bytes(0), 500).expect("a line")]);
    }

    #[test]
    fn a_capture_ends_at_its_bound_and_is_still_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("capture.jsonl");
        let mut capture = Capture::begin(&path, Timestamp(0)).expect("a new file");
        while !capture.is_full {
            capture.note(&bytes(0), Timestamp(0));
        }
        let bytes_written = std::fs::metadata(&path).expect("it is there").len();
        assert!(bytes_written <= CAPTURE_BYTES_MAX, "{bytes_written}");
        assert!(bytes_written > CAPTURE_BYTES_MAX - 2_000, "{bytes_written}");
        play::open(&path).expect("what was written is whole");
    }
}
