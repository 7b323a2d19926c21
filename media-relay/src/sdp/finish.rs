//! The last words on an answer, line by line: PURE.

use super::{Lines, opus_payload_type, payload_type, sections, stream_of};
use std::fmt::Write as _;

/// What str0m says for all lines at once is put right for each.
///
/// The sender of a stethoscope is asked for stereo, because Opus in mono cuts what lies below
/// 80 Hz, never to fall silent between beats, and not to repeat itself, because its rate is high
/// enough. Where the page receives, the relay does not promise to send sound again: it repeats it
/// beforehand.
pub(crate) fn finish_answer(text: &str, lines: &Lines) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let heard = |mid: &str| stream_of(lines, mid).is_some();
    for section in sections(text) {
        let mid = section.lines().find_map(|row| row.strip_prefix("a=mid:"));
        match opus_payload_type(section).zip(mid) {
            Some((pt, mid)) if lines.stethoscope.as_deref() == Some(mid) => {
                stereo(&mut out, &without_repetition(section), pt);
            }
            Some((pt, mid)) if heard(mid) => {
                let nack = format!("a=rtcp-fb:{pt} nack");
                keep_rows(&mut out, section, |row| row != nack);
            }
            _ => out.push_str(section),
        }
    }
    out
}

fn keep_rows(out: &mut String, section: &str, keep: impl Fn(&str) -> bool) {
    for row in section.lines().filter(|row| keep(row)) {
        out.push_str(row);
        out.push_str("\r\n");
    }
}

/// A section without RED (RFC 2198).
fn without_repetition(section: &str) -> String {
    let Some(pt) = payload_type(section, "red/") else { return section.to_owned() };
    let rows = ["rtpmap", "fmtp", "rtcp-fb"].map(|name| format!("a={name}:{pt} "));
    let mut out = String::with_capacity(section.len());
    keep_rows(&mut out, section, |row| !rows.iter().any(|red| row.starts_with(red)));
    // The first three words of the media row are kind, port and protocol.
    let (media, rest) = out.split_once("\r\n").unwrap_or((&out, ""));
    let words = media.split(' ').enumerate().filter(|(at, word)| *at < 3 || *word != pt);
    let media: Vec<_> = words.map(|(_, word)| word).collect();
    format!("{}\r\n{rest}", media.join(" "))
}

fn stereo(out: &mut String, section: &str, pt: &str) {
    const WORDS: &str = "stereo=1;usedtx=0;maxaveragebitrate=64000";
    let ours = format!("a=fmtp:{pt} ");
    let mut said = false;
    for row in section.lines() {
        out.push_str(row);
        if row.starts_with(&ours) {
            said = true;
            let _ = write!(out, ";{WORDS}");
        }
        out.push_str("\r\n");
    }
    if !said {
        let _ = write!(out, "{ours}{WORDS}\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stethoscope_is_answered_in_stereo_and_the_microphone_is_not() {
        let lines = Lines {
            microphone: Some("0".into()),
            stethoscope: Some("1".into()),
            ..Lines::default()
        };
        let row = |mid| {
            format!(
                "m=audio 9 X 111\r\na=mid:{mid}\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10\r\n"
            )
        };
        let text = format!("v=0\r\n{}{}", row(0), row(1));
        let answer = finish_answer(&text, &lines);
        assert_eq!(answer.matches("stereo=1").count(), 1);
        assert!(
            answer
                .ends_with("a=fmtp:111 minptime=10;stereo=1;usedtx=0;maxaveragebitrate=64000\r\n")
        );
    }

    #[test]
    fn the_stethoscope_does_not_repeat_itself_and_nothing_is_sent_to_the_page_again() {
        let lines = Lines {
            microphone: Some("0".into()),
            stethoscope: Some("1".into()),
            auscultation: Some("2".into()),
            ..Lines::default()
        };
        let row = |mid| {
            format!(
                "m=audio 9 X 63 111\r\na=mid:{mid}\r\na=rtpmap:63 red/48000/2\r\n\
                 a=fmtp:63 111/111\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 nack\r\n"
            )
        };
        let answer = finish_answer(&format!("v=0\r\n{}{}{}", row(0), row(1), row(2)), &lines);
        let parts = sections(&answer);
        assert_eq!(parts[1], row(0));
        assert!(parts[2].starts_with("m=audio 9 X 111\r\na=mid:1\r\na=rtpmap:111 opus"));
        assert!(!parts[2].contains("63") && parts[2].contains("a=rtcp-fb:111 nack"));
        assert!(parts[3].contains("red/48000/2") && !parts[3].contains("nack"));
    }
}
