//! Devices that hang at a nurse's page: whose they are, when they come off, and where what they
//! measured goes when nobody can say whose it is.

mod wire_support;

use minato_protocol::act::{Act, HandedFrame, Outcome};
use minato_protocol::reading::{DeviceId, Hex, Outcome as Measured, Quality, ReadingId};
use minato_protocol::uplink::{Entry, OutboxEntry, UnboundWhy};
use minato_protocol::view::ReadingRow;
use minato_protocol::{Code, Span, SubjectId, TicketId, Timestamp};
use std::collections::BTreeSet;
use wire_support::{BOX, Seen, Wall, Ward, cuff, id_of, kept_of, nurse_id, reading_of};

const CUFF: &str = "2A35";
const RESULT: &str = "00780050005a00";
const OXIMETER: &str = "2A5F";
/// SpO2 97, pulse 72.
const ON_A_FINGER: &str = "0061004800";

fn frame(kind: &str, bytes: &str, (run, sequence): (u8, u64), at: Timestamp) -> HandedFrame {
    let (characteristic, bytes) = (kind.to_owned(), bytes.parse().expect("hex"));
    HandedFrame { characteristic, bytes, at, boot: Hex([run; 8]), sequence }
}

fn hand(ticket: TicketId, frames: Vec<HandedFrame>) -> Act {
    Act::HandFrames { ticket, device: cuff(), model: "meter".into(), frames }
}

fn attach(ward: &Ward, ticket: TicketId, run: u8, takes_over: bool) -> Act {
    attach_as(ward, (cuff(), "meter"), ticket, run, takes_over)
}

fn attach_as(
    ward: &Ward,
    (device, model): (DeviceId, &str),
    ticket: TicketId,
    run: u8,
    takes_over: bool,
) -> Act {
    let (model, run, at) = (model.into(), Hex([run; 8]), ward.now());
    Act::AttachHere { ticket, device, model, run, at, takes_over }
}

/// One result now.
async fn measure(ward: &Ward, ticket: TicketId, (run, sequence): (u8, u64)) -> Outcome {
    let frames = vec![frame(CUFF, RESULT, (run, sequence), ward.now())];
    ward.nurse.must(hand(ticket, frames)).await
}

async fn count(ward: &Ward, subject: SubjectId) -> usize {
    kept_of(&ward.clinic.broker, subject).await.len()
}

async fn until_held(ward: &Ward, count: usize) {
    ward.nurse.until("so many are held", |seen| seen.held().len() == count).await;
}

fn off(seen: &Seen) -> Option<UnboundWhy> {
    seen.visits().first()?.attachments.last()?.until.map(|(_, why)| why)
}

/// A second patient at the same site.
async fn second(ward: &Ward) -> (TicketId, SubjectId) {
    let ticket = ward.clinic.in_bed(&ward.nurse, 2).await;
    (ticket, ward.clinic.subject_of(ticket).await)
}

#[tokio::test]
async fn a_device_at_a_page_is_on_one_patient_and_goes_to_another_only_when_the_nurse_says_so() {
    let ward = Ward::open().await;
    let (other, subject) = second(&ward).await;
    ward.nurse.must(attach(&ward, ward.ticket, 1, false)).await;
    assert_eq!(measure(&ward, ward.ticket, (1, 1)).await, Outcome::Done);
    ward.clinic.advance(Span::seconds(1));
    let refused = ward.nurse.refused(attach(&ward, other, 2, false)).await;
    assert_eq!(refused, Code::DeviceElsewhere);
    // A page that hands in without asking: nothing moves, nothing is lost.
    assert_eq!(measure(&ward, other, (2, 1)).await, Outcome::CameOff);
    until_held(&ward, 1).await;
    ward.clinic.advance(Span::seconds(1));
    ward.nurse.must(attach(&ward, other, 3, true)).await;
    let taken = ward.doctor.find("it came off the first patient", off).await;
    assert_eq!(taken, UnboundWhy::TakenOver);
    assert_eq!(measure(&ward, other, (3, 1)).await, Outcome::Done);
    ward.clinic.advance(Span::seconds(1));
    assert_eq!(measure(&ward, ward.ticket, (1, 2)).await, Outcome::CameOff);
    until_held(&ward, 2).await;
    assert_eq!((ward.kept().await.len(), count(&ward, subject).await), (1, 1));
}

#[tokio::test]
async fn one_cuff_at_two_tablets_is_on_one_patient_though_each_has_its_own_name_for_it() {
    let ward = Ward::open().await;
    let (other, subject) = second(&ward).await;
    let here: DeviceId = "web-other-tablet".parse().expect("a name");
    ward.nurse.must(attach(&ward, ward.ticket, 1, false)).await;
    ward.clinic.advance(Span::seconds(1));
    let there = |run, takes_over| attach_as(&ward, (here.clone(), "meter"), other, run, takes_over);
    assert_eq!(ward.nurse.refused(there(2, false)).await, Code::DeviceElsewhere);
    ward.nurse.must(there(3, true)).await;
    let taken = ward.doctor.find("it came off the first patient", off).await;
    assert_eq!(taken, UnboundWhy::TakenOver);
    // The first tablet catches it first: its page is told, and the value is nobody's.
    ward.clinic.advance(Span::seconds(1));
    assert_eq!(measure(&ward, ward.ticket, (1, 1)).await, Outcome::CameOff);
    until_held(&ward, 1).await;
    assert_eq!((ward.kept().await.len(), count(&ward, subject).await), (0, 0));
}

#[tokio::test]
async fn what_the_nurse_declined_never_becomes_that_patients() {
    let ward = Ward::open().await;
    let (other, subject) = second(&ward).await;
    ward.nurse.must(attach(&ward, ward.ticket, 1, false)).await;
    assert_eq!(ward.nurse.refused(attach(&ward, other, 2, false)).await, Code::DeviceElsewhere);
    let measured_at = ward.now();
    ward.clinic.advance(Span::seconds(1));
    let take_off =
        |run| Act::DetachHere { device: cuff(), run: Hex([run; 8]), at: ward.now(), silent: false };
    ward.nurse.must(take_off(2)).await;
    // Meanwhile it came off the first one too: it is on nobody, and still not on whom she declined.
    ward.nurse.must(take_off(1)).await;
    let kept = hand(other, vec![frame(CUFF, RESULT, (2, 0), measured_at)]);
    assert_eq!(ward.nurse.must(kept).await, Outcome::CameOff);
    until_held(&ward, 1).await;
    assert_eq!(count(&ward, subject).await, 0);
}

#[tokio::test]
async fn a_worn_device_was_not_silent_where_the_other_devices_values_hide_its_last_one() {
    let ward = Ward::open().await;
    let oximeter = |sequence| vec![frame(OXIMETER, ON_A_FINGER, (1, sequence), ward.now())];
    ward.nurse.must(hand(ward.ticket, oximeter(1))).await;
    ward.clinic.advance(Span::seconds(100));
    ward.nurse.must(hand(ward.ticket, oximeter(2))).await;
    for delivery in 0..18 {
        let lines = (1..=60).map(|line| ward.line(delivery * 60 + line));
        ward.deliver(lines.collect()).await;
    }
    ward.clinic.advance(Span::seconds(60));
    assert_eq!(ward.nurse.must(hand(ward.ticket, oximeter(3))).await, Outcome::Done);
}

#[tokio::test]
async fn a_worn_device_at_a_page_comes_off_after_two_minutes_without_a_value() {
    let ward = Ward::open().await;
    let oximeter = |sequence, at| frame(OXIMETER, ON_A_FINGER, (1, sequence), at);
    ward.nurse.must(hand(ward.ticket, vec![oximeter(1, ward.now())])).await;
    ward.clinic.advance(Span::seconds(119));
    let still_on = ward.nurse.must(hand(ward.ticket, vec![oximeter(2, ward.now())])).await;
    assert_eq!(still_on, Outcome::Done);
    // Frames without a number are no sign that it is worn.
    ward.clinic.advance(Span::seconds(60));
    let nothing = frame(OXIMETER, "00ff07ff07", (1, 3), ward.now());
    ward.nurse.must(hand(ward.ticket, vec![nothing])).await;
    ward.clinic.advance(Span::seconds(61));
    let came_off = ward.nurse.must(hand(ward.ticket, vec![oximeter(4, ward.now())])).await;
    assert_eq!(came_off, Outcome::CameOff);
    until_held(&ward, 1).await;
    assert_eq!(ward.kept().await.len(), 3);
    assert_eq!(ward.doctor.find("it came off", off).await, UnboundWhy::Silent);
    // A cuff speaks once a measurement.
    let (other, subject) = second(&ward).await;
    let cuff_frame = |sequence, at| vec![frame(CUFF, RESULT, (2, sequence), at)];
    ward.nurse.must(hand(other, cuff_frame(1, ward.now()))).await;
    ward.clinic.advance(Span::minutes(30));
    assert_eq!(ward.nurse.must(hand(other, cuff_frame(2, ward.now()))).await, Outcome::Done);
    assert_eq!(count(&ward, subject).await, 2);
}

#[tokio::test]
async fn a_page_that_was_cut_off_hands_in_what_it_kept_and_was_not_silent() {
    let ward = Ward::open().await;
    let began = ward.now();
    ward.nurse.must(attach(&ward, ward.ticket, 1, false)).await;
    ward.clinic.advance(Span::minutes(10));
    let at = |sequence: u64| began + Span::seconds(i64::try_from(sequence).expect("few") * 10);
    let one = |sequence| frame(OXIMETER, ON_A_FINGER, (1, sequence), at(sequence));
    let frames: Vec<_> = (1..=60).map(one).collect();
    for _ in 0..2 {
        assert_eq!(ward.nurse.must(hand(ward.ticket, frames.clone())).await, Outcome::Done);
    }
    assert_eq!(ward.kept().await.len(), 60);
}

#[tokio::test]
async fn what_a_device_measures_after_the_visit_is_held_with_its_time_and_not_refused() {
    let ward = Ward::open().await;
    ward.nurse.must(attach(&ward, ward.ticket, 1, false)).await;
    measure(&ward, ward.ticket, (1, 1)).await;
    let epoch = ward.doctor.find("the visit", |seen| Some(seen.visits().first()?.epoch)).await;
    let unsent = frame(CUFF, RESULT, (1, 3), ward.now());
    let sent = frame(CUFF, RESULT, (1, 1), ward.now());
    ward.clinic.advance(Span::seconds(1));
    ward.clinic.end(&ward.doctor, ward.ticket, epoch).await;
    ward.clinic.advance(Span::minutes(1));
    // What it gave before the end is this patient's, and not held as well when it is sent again.
    let before = hand(ward.ticket, vec![sent, unsent]);
    assert_eq!(ward.nurse.must(before).await, Outcome::CameOff);
    let at = ward.now();
    let late = hand(ward.ticket, vec![frame(CUFF, RESULT, (1, 2), at)]);
    for _ in 0..2 {
        assert_eq!(ward.nurse.must(late.clone()).await, Outcome::CameOff);
    }
    let held = |seen: &Seen| match seen.held().as_slice() {
        [one] => Some((one.device.id.clone(), one.measured_at)),
        _ => None,
    };
    assert_eq!(ward.nurse.find("it is held", held).await, (cuff(), at));
    assert_eq!(ward.kept().await.len(), 2);
    // Nobody has to confirm anything to put it on the next patient.
    let (other, _) = second(&ward).await;
    ward.nurse.must(attach(&ward, other, 2, false)).await;
    assert_eq!(measure(&ward, other, (2, 1)).await, Outcome::Done);
}

#[tokio::test]
async fn a_page_whose_clock_is_wrong_puts_no_reading_into_another_year_and_loses_none() {
    let ward = Ward::open().await;
    let (year, minute) = (Span::minutes(365 * 24 * 60), Span::minutes(1));
    let wrong = [ward.now() - year, ward.now() + minute, Timestamp(i64::MIN), Timestamp(0)];
    let frame = |(sequence, at)| frame(CUFF, RESULT, (1, sequence), at);
    let frames = (1_u64..).zip(wrong).map(frame).collect();
    assert_eq!(ward.nurse.must(hand(ward.ticket, frames)).await, Outcome::Done);
    let kept = ward.kept().await;
    assert_eq!(kept.len(), wrong.len());
    for item in kept {
        let Measured::Reading(reading) = &item.outcome else { panic!("a reading") };
        assert!(ward.now() - reading.measured_at() < Span::seconds(15));
        assert!(reading.quality.contains(&Quality::ClockCorrected) && item.late);
    }
}

#[tokio::test]
async fn after_the_wrong_patient_a_device_at_a_page_is_on_nobody() {
    let ward = Ward::open().await;
    ward.nurse.must(attach(&ward, ward.ticket, 1, false)).await;
    measure(&ward, ward.ticket, (1, 1)).await;
    ward.nurse.must(Act::WrongPatient { visit: ward.visit }).await;
    ward.clinic.advance(Span::seconds(1));
    assert_eq!(measure(&ward, ward.ticket, (1, 2)).await, Outcome::CameOff);
    until_held(&ward, 1).await;
    assert_eq!(ward.kept().await.len(), 1, "held back, not lost");
}

#[tokio::test]
async fn a_device_that_the_nurse_took_off_measures_for_nobody() {
    let ward = Ward::open().await;
    ward.nurse.must(attach(&ward, ward.ticket, 1, false)).await;
    ward.clinic.advance(Span::seconds(1));
    let take_off =
        Act::DetachHere { device: cuff(), run: Hex([1; 8]), at: ward.now(), silent: false };
    ward.nurse.must(take_off).await;
    assert_eq!(ward.doctor.find("it came off", off).await, UnboundWhy::Asked);
    ward.clinic.advance(Span::seconds(1));
    assert_eq!(measure(&ward, ward.ticket, (1, 1)).await, Outcome::CameOff);
    until_held(&ward, 1).await;
    assert!(ward.kept().await.is_empty());
}

#[tokio::test]
async fn of_a_box_whose_clock_is_a_day_off_the_right_readings_are_held_back() {
    for off in [Span::minutes(-24 * 60), Span::minutes(24 * 60)] {
        let ward = Ward::open().await;
        let mut wall = Wall::connect(&ward.clinic.broker, BOX).await;
        let of = |seq, at| reading_of(Some(ward.subject), seq, at);
        let bound = |seq, since| {
            let (key, device) = (format!("key-{seq}").parse().expect("a key"), cuff());
            let (subject, by) = (ward.subject, nurse_id(1));
            let entry = Entry::Bound { key, device, subject, since, by };
            OutboxEntry { seq, at: since, entry }
        };
        let by_the_box = || ward.now() + off;
        ward.clinic.advance(Span::seconds(1));
        let at = by_the_box();
        wall.deliver_all(at, vec![bound(1, at), of(2, at)]).await;
        ward.doctor.until("it shows", |seen| shown(&ward, seen).len() == 1).await;
        ward.clinic.advance(Span::seconds(1));
        ward.nurse.must(Act::WrongPatient { visit: ward.visit }).await;
        ward.nurse.until("it is held back", |seen| shown(&ward, seen).is_empty()).await;
        ward.clinic.advance(Span::seconds(1));
        let at = by_the_box();
        wall.deliver_all(at, vec![of(3, at)]).await;
        ward.clinic.advance(Span::seconds(1));
        let at = by_the_box();
        let (unbound, again) = (took_off(&ward, 4, at), bound(5, at));
        let line = of(6, at);
        let id = id_of(&line);
        wall.deliver_all(at, vec![unbound, again, line]).await;
        ward.nurse.until("what was bound anew shows", |seen| shows(&ward, seen, id)).await;
        let seen = ward.nurse.find("all of it", |seen| Some(shown(&ward, seen))).await;
        assert_eq!(seen, BTreeSet::from([id]), "{off:?}");
    }
}

fn took_off(ward: &Ward, seq: u64, at: Timestamp) -> OutboxEntry {
    let (key, device) = (format!("key-{seq}").parse().expect("a key"), cuff());
    let (subject, by, why) = (ward.subject, nurse_id(1), UnboundWhy::Asked);
    OutboxEntry { seq, at, entry: Entry::Unbound { key, device, subject, by, why } }
}

fn rows<'a>(ward: &Ward, seen: &'a Seen) -> impl Iterator<Item = &'a ReadingRow> {
    seen.readings.get(&ward.subject).into_iter().flatten()
}

fn shown(ward: &Ward, seen: &Seen) -> BTreeSet<ReadingId> {
    rows(ward, seen).map(|row| row.outcome.id()).collect()
}

fn shows(ward: &Ward, seen: &Seen, id: ReadingId) -> bool {
    shown(ward, seen).contains(&id)
}
