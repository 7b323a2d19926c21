use super::*;
use minato_protocol::reading::{
    Characteristic, Device, DeviceKind, Fault, FaultReason, Hex, Outcome, Provenance, Quality,
    ReadingId, TransportKind,
};
use minato_protocol::{GatewayId, Span, SubjectId};

const VISIT: VisitId = VisitId(9);
const NURSE: StaffId = StaffId(7);
const READING: ReadingId = ReadingId(Hex([5; 16]));

fn measured(device: &str, at: i64) -> Outcome {
    let id = device.parse().expect("a short text");
    Outcome::Fault(Fault {
        id: ReadingId(Hex([0; 16])),
        device: Device { id, kind: DeviceKind::Cuff, model: "model".into() },
        characteristic: Characteristic::BloodPressure,
        reason: FaultReason::CuffError,
        quality: Vec::new(),
        device_time: None,
        gateway_time: Timestamp(at),
        provenance: Provenance {
            gateway: GatewayId(1),
            transport: TransportKind::Simulator,
            entered: None,
            driver: "driver".into(),
            raw: "00".parse().expect("hex"),
            boot: Hex([0; 8]),
            sequence: 1,
        },
    })
}

fn pressed_at(at: i64) -> Subject {
    let mut subject = Subject::default();
    let held = Event::HeldBack { visit: VISIT, from: Timestamp(100) };
    subject.evolve(&held, Timestamp(at));
    subject
}

fn hides(subject: &Subject, outcome: Outcome) -> bool {
    let at = outcome.measured_at();
    subject.hides(&Item::sent(outcome, at, at))
}

fn note(device: &str, since: i64) -> Command {
    let (device, since) = (device.parse().expect("a short text"), Timestamp(since));
    Command::NoteBinding { device, by: NURSE, since, since_here: since, run: None }
}

fn bound(subject: &mut Subject, device: &str, since: i64) {
    let note = note(device, since);
    let events = subject.decide(&note, Timestamp(since)).expect("never refused");
    events.iter().for_each(|event| subject.evolve(event, Timestamp(since)));
}

#[test]
fn what_was_measured_in_the_visit_is_held_back_and_what_was_measured_before_is_not() {
    let subject = pressed_at(500);
    assert!(!hides(&subject, measured("cuff", 99)));
    assert!(hides(&subject, measured("cuff", 100)));
}

#[test]
fn a_device_that_stays_on_the_wrong_person_goes_on_being_held_back() {
    assert!(hides(&pressed_at(500), measured("oximeter", 9_999)));
}

#[test]
fn a_binding_made_after_the_press_shows_that_device_again_and_no_other() {
    let mut subject = pressed_at(500);
    bound(&mut subject, "cuff", 600);
    assert!(!hides(&subject, measured("cuff", 600)));
    assert!(hides(&subject, measured("cuff", 599)));
    assert!(hides(&subject, measured("oximeter", 600)));
}

#[test]
fn a_binding_from_before_the_press_that_arrives_late_shows_nothing() {
    let mut subject = pressed_at(500);
    bound(&mut subject, "cuff", 400);
    assert!(hides(&subject, measured("cuff", 9_999)));
}

#[test]
fn pressing_twice_in_one_visit_is_pressing_once() {
    let again = Command::HoldBack { visit: VISIT, from: Timestamp(100) };
    assert_eq!(pressed_at(500).decide(&again, Timestamp(700)), Ok(vec![]));
}

#[test]
fn a_person_belongs_to_the_site_that_first_put_a_device_on() {
    let mut subject = Subject::default();
    let placed = subject.decide(&Command::Place { site: SiteId(1) }, Timestamp(1));
    assert_eq!(placed, Ok(vec![Event::Placed { site: SiteId(1) }]));
    subject.evolve(&Event::Placed { site: SiteId(1) }, Timestamp(1));
    assert_eq!(subject.decide(&Command::Place { site: SiteId(1) }, Timestamp(2)), Ok(vec![]));
    let elsewhere = subject.decide(&Command::Place { site: SiteId(2) }, Timestamp(3));
    assert_eq!(elsewhere, Err(Code::DeviceElsewhere));
    assert_eq!(subject.shown_version, 0, "no screen has to begin anew");
}

fn did(subject: &mut Subject, command: &Command, at: i64) -> Result<usize, Code> {
    let events = subject.decide(command, Timestamp(at))?;
    events.iter().for_each(|event| subject.evolve(event, Timestamp(at)));
    Ok(events.len())
}

fn off(device: &str, at: i64) -> Command {
    let device = device.parse().expect("a short text");
    Command::NoteUnbinding { device, by: NURSE, at: Timestamp(at), why: UnboundWhy::Swapped }
}

fn worn(subject: &Subject) -> Vec<(i64, Option<i64>)> {
    let times = |known: &Attachment| (known.since.0, known.until.map(|(until, _)| until.0));
    subject.attachments.iter().map(times).collect()
}

#[test]
fn what_came_on_and_off_is_told_once_however_often_it_is_delivered() {
    let mut subject = Subject::default();
    for round in 0..3 {
        let news = usize::from(round == 0);
        assert_eq!(did(&mut subject, &note("cuff", 10), 11), Ok(news));
        assert_eq!(did(&mut subject, &off("cuff", 20), 21), Ok(news));
        // On again in the very millisecond in which it came off.
        assert_eq!(did(&mut subject, &note("cuff", 20), 22), Ok(news));
        assert_eq!(worn(&subject), [(10, Some(20)), (20, None)]);
    }
    assert_eq!(did(&mut subject, &off("oximeter", 30), 31), Ok(0), "it never was on");
    assert_eq!(subject.shown_version, 0, "no screen has to begin anew");
}

#[test]
fn the_last_attachments_are_remembered_and_older_ones_do_not_come_back() {
    let mut subject = Subject::default();
    let many = i64::try_from(ATTACHMENTS_MAX).expect("few") + 5;
    for since in 1..=many {
        assert_eq!(did(&mut subject, &note("cuff", since), since), Ok(1));
    }
    assert_eq!(worn(&subject).len(), ATTACHMENTS_MAX);
    assert_eq!(did(&mut subject, &note("cuff", 2), many), Ok(0));
    assert_eq!(worn(&subject).first(), Some(&(6, Some(7))));
    assert_eq!(worn(&subject).last(), Some(&(many, None)));
}

#[test]
fn a_device_at_a_page_is_on_once_for_each_of_the_pages_runs() {
    let mut subject = pressed_at(500);
    let device: DeviceId = "cuff".parse().expect("a short text");
    let run = |run, since| {
        let (device, since) = (device.clone(), Timestamp(since));
        let run = Some(Hex([run; 8]));
        Command::NoteBinding { device, by: NURSE, since, since_here: since, run }
    };
    assert_eq!(did(&mut subject, &run(1, 400), 400), Ok(1));
    assert_eq!(did(&mut subject, &run(1, 600), 600), Ok(0), "it hung there before the press");
    assert!(hides(&subject, measured("cuff", 600)));
    assert_eq!(did(&mut subject, &run(2, 700), 700), Ok(2), "connected anew after the press");
    assert!(!hides(&subject, measured("cuff", 700)));
    assert_eq!(worn(&subject), [(400, Some(700)), (700, None)]);
}

#[test]
fn what_was_typed_after_the_press_is_shown_and_what_was_typed_before_is_not() {
    let typed = |at| {
        let Outcome::Fault(mut fault) = measured("typed", at) else { panic!("a fault") };
        fault.device.kind = DeviceKind::Person;
        Outcome::Fault(fault)
    };
    let subject = pressed_at(500);
    assert!(hides(&subject, typed(500)));
    assert!(!hides(&subject, typed(501)));
}

#[test]
fn a_picture_is_news_of_its_own_reading_and_of_no_other() {
    let mut subject = Subject::default();
    let name = |photo| {
        let photo = minato_protocol::photo::PhotoId(Hex([photo; 16]));
        Command::NamePhoto { reading: READING, photo, by: Some(NURSE) }
    };
    assert_eq!(did(&mut subject, &name(1), 10), Ok(1));
    assert_eq!(did(&mut subject, &name(1), 11), Ok(0));
    assert_eq!(subject.shown_version, 0, "no screen has to begin anew");
    assert_eq!(subject.photographed_after(0), [READING]);
    assert_eq!(subject.photographed_after(1), []);
}

fn withdraw(replaced_by: Option<ReadingId>) -> Command {
    let reason = Pii::new(SubjectId(1), "別の腕".to_owned());
    Command::Withdraw { reading: READING, by: NURSE, reason, replaced_by }
}

#[test]
fn the_last_word_on_a_reading_counts_and_no_reading_comes_back() {
    let mut subject = Subject::default();
    let names = |staff: StaffId| format!("{}", staff.0);
    let confirm = Command::Confirm { reading: READING, by: NURSE };
    assert_eq!(did(&mut subject, &confirm, 10), Ok(1));
    assert_eq!(did(&mut subject, &confirm, 11), Ok(0));
    let confirmed = Checked::Confirmed { by: "7".into(), at: Timestamp(10) };
    assert_eq!(subject.checked(READING, &names), Some(confirmed));
    assert_eq!(did(&mut subject, &withdraw(None), 20), Ok(1));
    assert_eq!(did(&mut subject, &withdraw(None), 21), Ok(0));
    assert_eq!(did(&mut subject, &confirm, 30), Err(Code::ReadingUnknown));
    let withdrawn = Checked::Withdrawn {
        by: "7".into(),
        at: Timestamp(20),
        reason: "別の腕".into(),
        replaced_by: None,
    };
    assert_eq!(subject.checked(READING, &names), Some(withdrawn));
    assert_eq!(subject.shown_version, 2, "screens get the flow anew");
}

#[test]
fn of_two_corrections_at_once_the_later_one_stands_in_its_place() {
    let mut subject = Subject::default();
    let (one, two) = (ReadingId(Hex([1; 16])), ReadingId(Hex([2; 16])));
    assert_eq!(did(&mut subject, &withdraw(Some(one)), 10), Ok(1));
    assert_eq!(did(&mut subject, &withdraw(Some(two)), 10), Ok(1));
    assert_eq!(subject.successor(READING), Some(Some(two)));
}

#[test]
fn a_corrected_clock_and_a_devices_memory_make_a_reading_late_however_fresh_it_is() {
    let remarked = |remark| {
        let Outcome::Fault(mut fault) = measured("cuff", 100) else { panic!("a fault") };
        fault.quality = vec![remark];
        Outcome::Fault(fault)
    };
    let sent_at = Timestamp(100);
    assert!(remarked(Quality::ClockCorrected).is_late(sent_at));
    assert!(remarked(Quality::FromStorage).is_late(sent_at));
    assert!(!remarked(Quality::ClockWrong).is_late(sent_at));
}

#[test]
fn a_reading_that_waited_while_the_gateways_clock_was_set_back_is_late() {
    let measured = measured("cuff", 3_600_000);
    let sent_at = Timestamp(3_600_000);
    let set_back_by = |span: Span| measured.is_late(sent_at - span);
    assert!(!set_back_by(Span::seconds(15)), "a clock that is only disciplined");
    assert!(set_back_by(Span::seconds(16)));
    assert!(set_back_by(Span::minutes(60)));
}

#[test]
fn events_that_were_written_before_attachments_were_known_still_read() {
    for text in [
        r#"{"event":"rebound","device":"cuff","since":5}"#,
        r#"{"event":"attached","device":"cuff","by":"0000000000007","since":5}"#,
    ] {
        assert!(serde_json::from_str::<Event>(text).is_ok(), "{text}");
    }
}

#[test]
fn what_somebody_assigned_after_the_press_is_shown() {
    let subject = pressed_at(500);
    let assigned = |at| {
        let assigned = AssignedBy { by: NURSE, at: Timestamp(at), reason: String::new() };
        Item::settled(measured("cuff", 200), assigned)
    };
    assert!(subject.hides(&assigned(400)));
    assert!(!subject.hides(&assigned(600)));
    assert!(hides(&subject, measured("cuff", 200)));
}

#[test]
fn what_a_box_measured_whose_clock_is_a_day_off_is_held_back_by_our_own_clock() {
    let day = 86_400_000;
    for off in [-day, day] {
        let mut subject = pressed_at(500);
        let item = |at: i64| {
            let (by_the_box, now) = (Timestamp(at + off), Timestamp(at));
            Item::sent(measured("cuff", by_the_box.0), by_the_box, now)
        };
        assert!(!subject.hides(&item(99)), "{off}: it was measured before the visit");
        assert!(subject.hides(&item(100)), "{off}");
        assert!(subject.hides(&item(9_999)), "{off}: nobody looked who that is");
        let device = || "cuff".parse().expect("a short text");
        let bound = |at: i64| {
            let (since, since_here) = (Timestamp(at + off), Timestamp(at));
            Command::NoteBinding { device: device(), by: NURSE, since, since_here, run: None }
        };
        assert_eq!(did(&mut subject, &bound(400), 600), Ok(1), "{off}: from before the press");
        assert!(subject.hides(&item(9_999)), "{off}");
        let off_again = UnboundWhy::Asked;
        let at = Timestamp(450 + off);
        let came_off = Command::NoteUnbinding { device: device(), by: NURSE, at, why: off_again };
        assert_eq!(did(&mut subject, &came_off, 600), Ok(1));
        assert_eq!(did(&mut subject, &bound(700), 700), Ok(2), "{off}: bound anew");
        assert!(!subject.hides(&item(700)) && subject.hides(&item(699)), "{off}");
    }
}

#[test]
fn what_was_assigned_in_the_visit_is_held_back_whatever_the_clock_of_its_box_said() {
    let subject = pressed_at(500);
    let assigned = AssignedBy { by: NURSE, at: Timestamp(400), reason: String::new() };
    assert!(subject.hides(&Item::settled(measured("cuff", -86_400_000), assigned)));
}

#[test]
fn items_that_were_written_before_clocks_were_compared_still_read() {
    let item = Item::sent(measured("cuff", 5), Timestamp(5), Timestamp(5));
    let text = serde_json::to_string(&item).expect("plain");
    assert!(!text.contains("ahead"));
    assert_eq!(serde_json::from_str::<Item>(&text).expect("it reads"), item);
}
