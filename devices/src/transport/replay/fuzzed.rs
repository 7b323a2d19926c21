//! Captures, broken in every way.

use super::tests::CAPTURE;
use super::{Line, read};
use minato_protocol::Timestamp;

#[test]
fn no_capture_breaks_its_reader_and_what_is_read_can_be_written_and_read_again() {
    let lines: Vec<&[u8]> = CAPTURE.lines().map(str::as_bytes).collect();
    let seeds = [&[CAPTURE.as_bytes()], lines.as_slice()].concat();
    minato_fuzz::feed_for("replay", &seeds, 4, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        let Ok(lines) = read(text) else { return };
        for line in lines {
            let heard = line.clone().heard(Timestamp(0));
            assert_eq!(Line::of(&heard, line.at_ms()).as_ref(), Some(&line));
            let written = serde_json::to_string(&line).expect("JSON");
            assert_eq!(read(&written).expect("a line"), [line], "{written}");
        }
    });
}
