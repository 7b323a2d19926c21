//! The page's single offer: PURE reading of what its lines are for, and the few words that are
//! changed on the way in and out.
//!
//! The order of lines is the contract with the page:
//! 1. the first audio line that sends is the microphone, the second the stethoscope;
//! 2. the first video line that sends is the camera;
//! 3. receiving lines pair up in order, the i-th audio with the i-th video, to slot i; the next
//!    receiving audio line is the stethoscope of somebody else.

mod finish;
#[cfg(test)]
mod fuzzed;

pub(crate) use finish::finish_answer;

use minato_protocol::media::SLOTS;
use std::fmt::Write as _;

/// Largest offer that is read. A page's full offer has about 16 kB.
pub(crate) const OFFER_BYTES_MAX: usize = 64 * 1024;
/// Most media lines of an offer: 3 to send, 11 to receive, data, and some room.
const LINES_MAX: usize = 24;
/// Longest `a=mid` value that names a line without being cut.
const MID_BYTES_MAX: usize = 16;

/// Why an offer cannot be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OfferInvalid {
    #[error("the offer is longer than {OFFER_BYTES_MAX} bytes")]
    TooLong,
    #[error("the offer is not an SDP with at least one media line")]
    NoLines,
    #[error("the offer has too many media lines, or two with the same mid")]
    Lines,
    #[error("a media line has no usable a=mid")]
    Mid,
}

/// The two receiving lines of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SlotLines {
    pub(crate) audio: String,
    pub(crate) video: Option<String>,
}

/// What each line of an offer is for, by mid.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Lines {
    pub(crate) microphone: Option<String>,
    pub(crate) camera: Option<String>,
    pub(crate) stethoscope: Option<String>,
    pub(crate) slots: Vec<SlotLines>,
    pub(crate) auscultation: Option<String>,
    /// The page sends sound again when it is asked to.
    pub(crate) resends_sound: bool,
}

/// An offer, read.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) lines: Lines,
    /// What the engine gets to see: without candidates, with named streams.
    pub(crate) text: String,
}

#[derive(Debug, Default)]
struct Line<'a> {
    kind: &'a str,
    mid: &'a str,
    sends: bool,
    receives: bool,
}

/// Reads and prepares an offer.
///
/// Candidates are removed: the relay sends to no address that has not proved itself by a STUN
/// request with the right password, so an offer cannot aim it at anybody.
pub(crate) fn read_offer(text: &str) -> Result<Offer, OfferInvalid> {
    if text.len() > OFFER_BYTES_MAX {
        return Err(OfferInvalid::TooLong);
    }
    let lines = Lines { resends_sound: resends_sound(text), ..classify(&media_lines(text)?) };
    let text = prepare(text, &lines);
    Ok(Offer { lines, text })
}

fn media_lines(text: &str) -> Result<Vec<Line<'_>>, OfferInvalid> {
    let mut found: Vec<Line<'_>> = Vec::new();
    for row in text.lines() {
        if let Some(media) = row.strip_prefix("m=") {
            let kind = media.split(' ').next().unwrap_or_default();
            found.push(Line { kind, ..Line::default() });
            continue;
        }
        let Some(line) = found.last_mut() else { continue };
        match row {
            "a=sendrecv" => (line.sends, line.receives) = (true, false),
            "a=sendonly" => line.sends = true,
            "a=recvonly" => line.receives = true,
            _ => {
                if let Some(mid) = row.strip_prefix("a=mid:") {
                    line.mid = mid;
                }
            }
        }
    }
    let usable = |mid: &str| {
        (1..=MID_BYTES_MAX).contains(&mid.len()) && mid.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    if found.is_empty() {
        return Err(OfferInvalid::NoLines);
    }
    if found.iter().any(|line| !usable(line.mid)) {
        return Err(OfferInvalid::Mid);
    }
    let mut mids: Vec<_> = found.iter().map(|line| line.mid).collect();
    mids.sort_unstable();
    mids.dedup();
    if found.len() > LINES_MAX || mids.len() < found.len() {
        return Err(OfferInvalid::Lines);
    }
    Ok(found)
}

fn classify(found: &[Line<'_>]) -> Lines {
    let of = |kind: &str, wanted: fn(&Line<'_>) -> bool| {
        let fitting = found.iter().filter(|line| line.kind == kind && wanted(line));
        fitting.map(|line| line.mid.to_owned()).collect::<Vec<_>>()
    };
    let mut voices = of("audio", |line| line.sends).into_iter();
    let mut ears = of("audio", |line| line.receives).into_iter();
    let eyes = of("video", |line| line.receives);
    let most = usize::from(SLOTS);
    let count = if eyes.is_empty() { most } else { eyes.len().min(most) };
    let mut eyes = eyes.into_iter();
    let slots =
        ears.by_ref().take(count).map(|audio| SlotLines { audio, video: eyes.next() }).collect();
    Lines {
        microphone: voices.next(),
        stethoscope: voices.next(),
        camera: of("video", |line| line.sends).into_iter().next(),
        slots,
        auscultation: ears.next(),
        resends_sound: false,
    }
}

fn resends_sound(text: &str) -> bool {
    sections(text).into_iter().filter(|section| section.starts_with("m=audio")).any(|section| {
        let ours = opus_payload_type(section).map(|pt| format!("a=rtcp-fb:{pt} nack"));
        section.lines().any(|row| Some(row) == ours.as_deref() && !section.contains("a=recvonly"))
    })
}

/// Name of the stream a receiving line belongs to. Sound and picture of a slot share it.
fn stream_of(lines: &Lines, mid: &str) -> Option<String> {
    let slot = lines.slots.iter().position(|s| s.audio == mid || s.video.as_deref() == Some(mid));
    match slot {
        Some(index) => Some(format!("slot{index}")),
        None if lines.auscultation.as_deref() == Some(mid) => Some("auscultation".to_owned()),
        None => None,
    }
}

fn prepare(text: &str, lines: &Lines) -> String {
    let mut out = String::with_capacity(text.len() + 512);
    let mut section = String::new();
    for row in text.lines() {
        if row.starts_with("m=") {
            flush(&mut out, &mut section, lines);
        }
        if !row.starts_with("a=candidate:") && row != "a=end-of-candidates" && !row.is_empty() {
            section.push_str(row);
            section.push_str("\r\n");
        }
    }
    flush(&mut out, &mut section, lines);
    out
}

fn flush(out: &mut String, section: &mut String, lines: &Lines) {
    let stream = section
        .lines()
        .find_map(|row| row.strip_prefix("a=mid:"))
        .and_then(|m| stream_of(lines, m));
    for row in section.lines() {
        let renamed = stream.is_some() && row.starts_with("a=msid");
        if !renamed {
            out.push_str(row);
            out.push_str("\r\n");
        }
        if let (Some(stream), "a=recvonly") = (&stream, row) {
            let kind = if section.starts_with("m=audio") { "audio" } else { "video" };
            // Writing into a String cannot fail.
            let _ = write!(out, "a=msid:{stream} {stream}-{kind}\r\n");
        }
    }
    section.clear();
}

/// The session part and each media part, line ends included.
fn sections(text: &str) -> Vec<&str> {
    let mut starts: Vec<usize> = text.match_indices("\nm=").map(|(at, _)| at + 1).collect();
    starts.insert(0, 0);
    starts.push(text.len());
    starts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect()
}

fn opus_payload_type(section: &str) -> Option<&str> {
    payload_type(section, "opus/")
}

fn payload_type<'a>(section: &'a str, name: &str) -> Option<&'a str> {
    section.lines().find_map(|row| {
        let (pt, codec) = row.strip_prefix("a=rtpmap:")?.split_once(' ')?;
        codec.to_ascii_lowercase().starts_with(name).then_some(pt)
    })
}

/// The payload type of a codec in the first line of pictures that has it; `row`: a row that the
/// line's section must have.
pub(crate) fn picture_payload_type(text: &str, row: &str, name: &str) -> Option<u8> {
    let sections = sections(text);
    let fitting = sections
        .iter()
        .filter(|section| section.starts_with("m=video") && section.lines().any(|r| r == row));
    fitting.filter_map(|section| payload_type(section, name)?.parse().ok()).next()
}

/// The ICE user name fragment of an SDP.
pub(crate) fn ice_ufrag(text: &str) -> Option<&str> {
    text.lines().find_map(|row| row.strip_prefix("a=ice-ufrag:"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn offer(rows: &[(&str, &str)]) -> String {
        let mut text = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n".to_owned();
        for (mid, (kind, direction)) in rows.iter().enumerate() {
            let _ = write!(
                text,
                "m={kind} 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:{mid}\r\na={direction}\r\n\
                 a=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\n"
            );
        }
        text
    }

    #[test]
    fn a_staff_page_has_every_line_in_its_place() {
        let mut rows = vec![
            ("application", "sendrecv"),
            ("audio", "sendonly"),
            ("video", "sendonly"),
            ("audio", "sendonly"),
        ];
        for _ in 0..5 {
            rows.extend([("audio", "recvonly"), ("video", "recvonly")]);
        }
        rows.push(("audio", "recvonly"));
        let read = read_offer(&offer(&rows)).expect("an offer");
        assert_eq!(read.lines.microphone.as_deref(), Some("1"));
        assert_eq!(read.lines.camera.as_deref(), Some("2"));
        assert_eq!(read.lines.stethoscope.as_deref(), Some("3"));
        assert_eq!(read.lines.slots.len(), 5);
        let last = SlotLines { audio: "12".into(), video: Some("13".into()) };
        assert_eq!(read.lines.slots[4], last);
        assert_eq!(read.lines.auscultation.as_deref(), Some("14"));
        assert!(read.text.contains("a=recvonly\r\na=msid:slot4 slot4-video\r\n"));
        assert!(read.text.contains("a=msid:auscultation auscultation-audio\r\n"));
    }

    #[test]
    fn an_offer_cannot_aim_the_relay_at_an_address() {
        let read = read_offer(&offer(&[("audio", "sendonly")])).expect("an offer");
        assert!(!read.text.contains("candidate"));
    }

    #[test]
    fn a_page_without_pictures_still_has_slots() {
        let read = read_offer(&offer(&[("audio", "recvonly"); 6])).expect("an offer");
        assert_eq!(read.lines.slots.len(), 5);
        assert!(read.lines.slots.iter().all(|slot| slot.video.is_none()));
        assert_eq!(read.lines.auscultation.as_deref(), Some("5"));
    }

    #[test]
    fn a_page_that_resends_sound_says_so_where_it_sends() {
        let offer = |direction, nack| {
            format!(
                "v=0\r\nm=audio 9 X 111\r\na=mid:0\r\na={direction}\r\n\
                 a=rtpmap:111 opus/48000/2\r\n{nack}"
            )
        };
        let nack = "a=rtcp-fb:111 nack\r\n";
        let resends = |text: String| read_offer(&text).expect("an offer").lines.resends_sound;
        assert!(resends(offer("sendonly", nack)));
        assert!(!resends(offer("recvonly", nack)));
        assert!(!resends(offer("sendonly", "")));
    }

    #[test]
    fn two_lines_of_one_name_are_refused() {
        let one = offer(&[("audio", "sendonly")]);
        let two = format!("{one}m=audio 9 X 1\r\na=mid:0\r\na=sendonly\r\n");
        assert_eq!(read_offer(&two).err(), Some(OfferInvalid::Lines));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "(m=|a=mid:|a=recvonly|audio|[ -~]|\r?\n){0,80}") {
            if let Ok(read) = read_offer(&text) {
                let _ = finish_answer(&read.text, &read.lines);
            }
        }
    }
}
