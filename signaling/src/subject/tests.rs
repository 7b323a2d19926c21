use super::*;
use minato_protocol::GatewayId;
use minato_protocol::reading::{
    Characteristic, Device, DeviceKind, Fault, FaultReason, Hex, Provenance, ReadingId,
    TransportKind,
};

const VISIT: VisitId = VisitId(9);

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

fn bound(subject: &mut Subject, device: &str, since: i64) {
    let device = device.parse().expect("a short text");
    let note = Command::NoteBinding { device, since: Timestamp(since) };
    let events = subject.decide(&note, Timestamp(since)).expect("never refused");
    events.iter().for_each(|event| subject.evolve(event, Timestamp(since)));
}

#[test]
fn what_was_measured_in_the_visit_is_held_back_and_what_was_measured_before_is_not() {
    let subject = pressed_at(500);
    assert!(!subject.holds_back(&measured("cuff", 99)));
    assert!(subject.holds_back(&measured("cuff", 100)));
}

#[test]
fn a_device_that_stays_on_the_wrong_person_goes_on_being_held_back() {
    assert!(pressed_at(500).holds_back(&measured("oximeter", 9_999)));
}

#[test]
fn a_binding_made_after_the_press_shows_that_device_again_and_no_other() {
    let mut subject = pressed_at(500);
    bound(&mut subject, "cuff", 600);
    assert!(!subject.holds_back(&measured("cuff", 600)));
    assert!(subject.holds_back(&measured("cuff", 599)));
    assert!(subject.holds_back(&measured("oximeter", 600)));
}

#[test]
fn a_binding_from_before_the_press_that_arrives_late_shows_nothing() {
    let mut subject = pressed_at(500);
    bound(&mut subject, "cuff", 400);
    assert!(subject.holds_back(&measured("cuff", 9_999)));
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
