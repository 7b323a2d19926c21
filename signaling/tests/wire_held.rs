//! Readings of nobody: shown as device and time, settled once, for one person, by somebody who knows
//! who that is.

mod wire_support;

use minato_protocol::act::{Act, Outcome};
use minato_protocol::reading::{Characteristic, Hex, Outcome as Measured, ReadingId};
use minato_protocol::uplink::{Entry, OutboxEntry};
use minato_protocol::view::HeldBecause;
use minato_protocol::{Code, GatewayId, Pii, Span, SubjectId, TicketId, Timestamp};
use minato_signaling::gateway::{Event, RUNNING_MAX, Whose};
use minato_signaling::log::{Draft, EventLog as _, Fault, StreamId};
use serde_json::json;
use std::sync::Arc;
use wire_support::{
    BOX, Broker, Clinic, OUTBOX, Screen, Seen, Wall, Ward, id_of, kept_of, name_of, nurse_id,
    person, reading_of, site, until,
};

fn nobodys(seq: u64, at: Timestamp) -> OutboxEntry {
    reading_of(None, seq, at)
}

/// What a nurse reads from the wristband of the patient of this number.
async fn settle(clinic: &Clinic, reading: ReadingId, ticket: TicketId, number: u32) -> Act {
    let look = move |edge: Arc<minato_signaling::http::Edge>| async move {
        edge.desk.ticket(ticket).await
    };
    let (_, known) = clinic.broker.inside(look).await.expect("the ticket is known");
    let (code, birth_date) = (known.code.clone(), person(number).birth_date);
    Act::SettleReading { reading, ticket, code, birth_date, reason: String::new() }
}

fn with_reason(act: Act, why: &str) -> Act {
    match act {
        Act::SettleReading { reading, ticket, code, birth_date, .. } => {
            Act::SettleReading { reading, ticket, code, birth_date, reason: why.into() }
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_reading_of_nobody_is_device_and_time_until_it_is_settled_and_then_it_is_late() {
    let ward = Ward::open().await;
    let line = nobodys(1, ward.now());
    let id = id_of(&line);
    ward.deliver(vec![line]).await;
    ward.nurse.until("it is held", |seen| seen.holds(id)).await;
    let row = ward.nurse.shows(|seen| seen.held()[0].clone());
    assert_eq!((row.because, row.device.model.as_str()), (HeldBecause::Unbound, "HEM-7600T"));
    let elsewhere = ward.clinic.nurse(2).await;
    for screen in [&ward.nurse, &ward.doctor, &elsewhere, &ward.clinic.board] {
        let told = screen.shows(|seen| seen.transcript.clone());
        assert!(!told.contains("systolic") && !told.contains("\"120\""), "a value of nobody");
    }
    assert!(!elsewhere.shows(|seen| seen.holds(id)), "at another site");

    let act = settle(&ward.clinic, id, ward.ticket, 1).await;
    ward.nurse.must(act).await;
    for screen in [&ward.nurse, &ward.doctor] {
        let row = |seen: &Seen| seen.reading(ward.subject, id).cloned();
        let row = screen.find("it is the patient's", row).await;
        let assigned = row.assigned.expect("somebody said so");
        assert_eq!((row.late, assigned.by), (true, name_of(nurse_id(1))));
    }
    ward.nurse.until("it is held no more", |seen| seen.held().is_empty()).await;
}

#[tokio::test]
async fn both_identifiers_have_to_be_the_patients_and_cannot_be_found_by_trying() {
    let ward = Ward::open().await;
    let line = nobodys(1, ward.now());
    let id = id_of(&line);
    ward.deliver(vec![line]).await;
    let right = settle(&ward.clinic, id, ward.ticket, 1).await;
    let before = ward.clinic.broker.heads().await;
    let Act::SettleReading { code, birth_date, .. } = right.clone() else { panic!("settle") };
    let wrong = [
        (String::new(), birth_date.clone()),
        ("Z-00".to_owned(), birth_date),
        (code.clone(), String::new()),
        (code.clone(), person(2).birth_date),
        (code, "1931-02-03".to_owned()),
    ];
    for (code, birth_date) in wrong {
        let (ticket, reason) = (ward.ticket, String::new());
        let act = Act::SettleReading { reading: id, ticket, code, birth_date, reason };
        assert_eq!(ward.nurse.refused(act).await, Code::IdentifiersWrong);
    }
    assert_eq!(ward.nurse.refused(right.clone()).await, Code::TooMany);
    assert_eq!(ward.clinic.broker.heads().await, before);
    ward.clinic.advance(Span::minutes(1));
    ward.nurse.must(right).await;
}

#[tokio::test]
async fn what_was_measured_more_than_half_an_hour_ago_needs_a_reason() {
    let ward = Ward::open().await;
    let line = nobodys(1, ward.now());
    let id = id_of(&line);
    ward.deliver(vec![line]).await;
    ward.clinic.advance(Span::minutes(31));
    let act = settle(&ward.clinic, id, ward.ticket, 1).await;
    assert_eq!(ward.nurse.refused(act.clone()).await, Code::ReasonFirst);
    assert_eq!(ward.nurse.refused(with_reason(act.clone(), " ")).await, Code::ReasonFirst);
    let long = with_reason(act.clone(), &"あ".repeat(81));
    assert_eq!(ward.nurse.refused(long).await, Code::FieldWrong);
    let why = "受付の前に測った";
    ward.nurse.must(with_reason(act, why)).await;
    let row = |seen: &Seen| seen.reading(ward.subject, id).cloned();
    let row = ward.doctor.find("it is the patient's", row).await;
    assert_eq!(row.assigned.expect("somebody said so").reason, why);
}

#[tokio::test]
async fn of_two_nurses_with_two_patients_exactly_one_gets_a_reading() {
    let ward = Ward::open().await;
    let other = ward.clinic.nurse(1).await;
    let ito = ward.clinic.in_bed(&other, 2).await;
    let ito_subject = ward.clinic.subject_of(ito).await;
    let rounds = 20u64;
    let lines: Vec<_> = (1..=rounds).map(|seq| nobodys(seq, ward.now())).collect();
    let ids: Vec<_> = lines.iter().map(id_of).collect();
    ward.deliver(lines).await;
    let mut won = 0;
    for id in &ids {
        let mine = settle(&ward.clinic, *id, ward.ticket, 1).await;
        let hers = settle(&ward.clinic, *id, ito, 2).await;
        let (mine, hers) = tokio::join!(ward.nurse.press(mine), other.press(hers));
        let lost = Err((Code::ReadingUnknown, None));
        assert!(
            (mine == Ok(Outcome::Done) && hers == lost)
                || (hers == Ok(Outcome::Done) && mine == lost),
            "{mine:?} {hers:?}"
        );
        won += u64::from(mine.is_ok());
    }
    let (sato, ito) = (ward.ids_kept().await, kept_of(&ward.clinic.broker, ito_subject).await);
    assert_eq!(sato.len() as u64, won);
    let mut all: Vec<_> = ito.iter().map(|item| item.outcome.id()).chain(sato).collect();
    all.sort_unstable();
    assert_eq!(all, ids, "each with one person, once");
}

#[tokio::test]
async fn of_two_nurses_at_two_nodes_exactly_one_gets_a_reading() {
    let ward = Ward::open().await;
    let ito = ward.clinic.in_bed(&ward.nurse, 2).await;
    let ito_subject = ward.clinic.subject_of(ito).await;
    let rounds = 10u64;
    let lines: Vec<_> = (1..=rounds).map(|seq| nobodys(seq, ward.now())).collect();
    let ids: Vec<_> = lines.iter().map(id_of).collect();
    ward.deliver(lines).await;
    let cookie = ward.clinic.broker.sign_in(nurse_id(1)).await;
    let (log, clock) = (Arc::clone(&ward.log), ward.clinic.broker.edge.desk.clock.clone());
    // Neither knows what the other has in memory: only the stream is between them.
    let node = Broker::start(log, clock, ward.secrets.clone()).await;
    let other = Screen::open(&node, &cookie).await;
    for id in &ids {
        let mine = settle(&ward.clinic, *id, ward.ticket, 1).await;
        let hers = settle(&ward.clinic, *id, ito, 2).await;
        let (mine, hers) = tokio::join!(ward.nurse.press(mine), other.press(hers));
        assert_eq!(u8::from(mine.is_ok()) + u8::from(hers.is_ok()), 1, "{mine:?} {hers:?}");
    }
    let mut all = ward.ids_kept().await;
    let ito = kept_of(&ward.clinic.broker, ito_subject).await;
    all.extend(ito.iter().map(|item| item.outcome.id()));
    all.sort_unstable();
    assert_eq!(all, ids, "each with one person, once");
}

#[tokio::test]
async fn two_boxes_that_heard_the_same_record_hold_it_once() {
    let ward = Ward::open().await;
    let second = GatewayId(5);
    Wall::enrol(&ward.clinic.broker, second, site(1)).await;
    let line = nobodys(1, ward.now());
    let id = id_of(&line);
    ward.deliver(vec![line.clone()]).await;
    let mut wall = Wall::connect(&ward.clinic.broker, second).await;
    wall.deliver_all(ward.now(), vec![line.clone()]).await;
    let fresh = ward.clinic.nurse(1).await;
    assert_eq!(fresh.shows(|seen| seen.held().len()), 1);
    let act = settle(&ward.clinic, id, ward.ticket, 1).await;
    ward.nurse.must(act).await;
    let other = ward.clinic.in_bed(&ward.nurse, 2).await;
    let act = settle(&ward.clinic, id, other, 2).await;
    assert_eq!(ward.nurse.refused(act).await, Code::ReadingUnknown);
    // Neither of them brings it back.
    ward.deliver(vec![line.clone()]).await;
    wall.deliver_all(ward.now(), vec![OutboxEntry { seq: 9, ..line }]).await;
    let fresh = ward.clinic.nurse(1).await;
    assert!(fresh.shows(|seen| seen.held().is_empty()));
    assert_eq!(ward.ids_kept().await, [id]);
}

#[tokio::test]
async fn a_repeated_press_settles_once_and_another_one_finds_nothing_to_settle() {
    let ward = Ward::open().await;
    let line = nobodys(1, ward.now());
    let id = id_of(&line);
    ward.deliver(vec![line]).await;
    let act = settle(&ward.clinic, id, ward.ticket, 1).await;
    for _ in 0..3 {
        let answer = ward.nurse.press_as("the-one-press", act.clone()).await;
        assert_eq!(answer, Ok(Outcome::Done));
    }
    assert_eq!(ward.nurse.refused(act.clone()).await, Code::ReadingUnknown);
    let unknown = ReadingId(Hex([9; 16]));
    let act = settle(&ward.clinic, unknown, ward.ticket, 1).await;
    assert_eq!(ward.nurse.refused(act).await, Code::ReadingUnknown);
    assert_eq!(ward.ids_kept().await, [id]);
}

#[tokio::test]
async fn what_the_log_could_not_take_is_settled_by_the_same_press_again() {
    let ward = Ward::open().await;
    let faults = [Fault::Refuse, Fault::LoseAnswer, Fault::Full];
    for (seq, fault) in (1..).zip(faults) {
        let line = nobodys(seq, ward.now());
        let id = id_of(&line);
        ward.deliver(vec![line]).await;
        let act = settle(&ward.clinic, id, ward.ticket, 1).await;
        let press = format!("press-of-fault-{seq}");
        ward.log.inject(fault);
        let refused = ward.nurse.press_as(&press, act.clone()).await;
        assert_eq!(refused, Err((Code::NotDurable, None)), "{fault:?}");
        assert_eq!(ward.nurse.press_as(&press, act).await, Ok(Outcome::Done), "{fault:?}");
        assert_eq!(ward.ids_kept().await.last(), Some(&id));
    }
    assert_eq!(ward.kept().await.len(), faults.len());
}

#[tokio::test]
async fn what_is_no_patients_leaves_the_list_with_a_reason_and_stays_in_the_log() {
    let ward = Ward::open().await;
    let line = nobodys(1, ward.now());
    let id = id_of(&line);
    ward.deliver(vec![line]).await;
    let dismiss = |reason: &str| Act::DismissReading { reading: id, reason: reason.into() };
    assert_eq!(ward.nurse.refused(dismiss(" ")).await, Code::FieldWrong);
    assert_eq!(ward.nurse.refused(dismiss(&"あ".repeat(81))).await, Code::FieldWrong);
    let elsewhere = ward.clinic.nurse(2).await;
    assert_eq!(elsewhere.refused(dismiss("試し")).await, Code::ReadingUnknown);
    for _ in 0..2 {
        let answer = ward.nurse.press_as("the-one-press", dismiss("試し")).await;
        assert_eq!(answer, Ok(Outcome::Done));
    }
    ward.nurse.until("it is held no more", |seen| seen.held().is_empty()).await;
    let act = settle(&ward.clinic, id, ward.ticket, 1).await;
    assert_eq!(ward.nurse.refused(act).await, Code::ReadingUnknown);
    assert!(ward.kept().await.is_empty());
    let heads = ward.clinic.broker.heads().await;
    let of_box = format!("gateway/{BOX}");
    assert!(heads.iter().any(|(stream, _, items)| *stream == of_box && *items == 1));
}

#[tokio::test]
async fn what_a_box_says_of_another_sites_patient_is_held_at_the_boxs_site() {
    let ward = Ward::open().await;
    let other_box = GatewayId(2);
    Wall::enrol(&ward.clinic.broker, other_box, site(2)).await;
    let elsewhere = ward.clinic.nurse(2).await;
    let ito = ward.clinic.in_bed(&elsewhere, 2).await;
    let line = ward.line(1);
    let id = id_of(&line);
    let mut wall = Wall::connect(&ward.clinic.broker, other_box).await;
    wall.deliver_all(ward.now(), vec![line]).await;
    let because = |seen: &Seen| seen.held().first().map(|row| row.because);
    let because = elsewhere.find("it is held", because).await;
    assert_eq!(because, HeldBecause::OtherSite);
    assert!(ward.nurse.shows(|seen| seen.held().is_empty()));
    // The nurse of the other patient's site cannot reach it, and the box's can.
    let act = settle(&ward.clinic, id, ward.ticket, 1).await;
    assert_eq!(ward.nurse.refused(act.clone()).await, Code::ReadingUnknown);
    assert_eq!(elsewhere.refused(act).await, Code::NotAllowed);
    let act = settle(&ward.clinic, id, ito, 2).await;
    elsewhere.must(act).await;
    let subject = ward.clinic.subject_of(ito).await;
    assert_eq!(kept_of(&ward.clinic.broker, subject).await.len(), 1);
    assert!(ward.kept().await.is_empty());
}

#[tokio::test]
async fn an_oximeter_on_nobody_does_not_push_a_cuffs_reading_from_the_list() {
    let ward = Ward::open().await;
    let cuffs = nobodys(1, ward.now());
    let running = |seq, characteristic| {
        let mut line = nobodys(seq, ward.now());
        let Entry::Measured { outcome: Measured::Reading(reading), .. } = &mut line.entry else {
            panic!("a reading")
        };
        reading.characteristic = characteristic;
        line
    };
    let id = id_of(&cuffs);
    ward.deliver(vec![cuffs]).await;
    for batch in 0..3u64 {
        ward.clinic.advance(Span::seconds(60));
        let seqs = 2 + 60 * batch..62 + 60 * batch;
        let lines = seqs.map(|seq| running(seq, Characteristic::OximeterContinuous));
        ward.deliver(lines.collect()).await;
    }
    // The pressure in the cuff while it measures is in no trend and on no list.
    ward.deliver(vec![running(500, Characteristic::IntermediateCuffPressure)]).await;
    let fresh = ward.clinic.nurse(1).await;
    assert_eq!(fresh.shows(|seen| (seen.holds(id), seen.held().len())), (true, RUNNING_MAX + 1));
    let newest = id_of(&nobodys(181, ward.now()));
    assert!(fresh.shows(|seen| seen.holds(newest)));
}

/// What a process leaves behind that died after it had said whose a reading is, and before the
/// reading was with its person.
async fn settle_only(ward: &Ward, reading: ReadingId, seq: u64, of: SubjectId) {
    let mut line = [0; 16];
    line[..8].copy_from_slice(&OUTBOX.0);
    line[8..].copy_from_slice(&seq.to_be_bytes());
    let reason = Pii::new(of, "受付の前".to_owned());
    let whose = Whose { line: Hex(line), of, by: nurse_id(1), reason };
    let body = serde_json::to_value(Event::Settled { reading, whose }).expect("plain");
    let stream = StreamId::gateway(BOX);
    let version = ward.log.verify_chain(&stream).await.expect("whole").version;
    let draft = Draft { kind: "settled".into(), at: ward.now(), body: json!({ "is": body }) };
    ward.log.append(&stream, version, vec![draft]).await.expect("appended");
}

#[tokio::test]
async fn what_was_settled_before_a_crash_is_with_its_person_after_it_and_the_rest_is_still_held() {
    let ward = Ward::open().await;
    let lines = vec![nobodys(1, ward.now()), nobodys(2, ward.now()), nobodys(3, ward.now())];
    let ids: Vec<_> = lines.iter().map(id_of).collect();
    ward.deliver(lines).await;
    ward.nurse.must(Act::DismissReading { reading: ids[2], reason: "試し".into() }).await;
    settle_only(&ward, ids[0], 1, ward.subject).await;
    let (log, secrets) = (Arc::clone(&ward.log), ward.secrets.clone());
    let clock = ward.clinic.broker.edge.desk.clock.clone();
    let (cookie, subject) = (ward.clinic.broker.sign_in(nurse_id(1)).await, ward.subject);
    let Ward { clinic, .. } = ward;
    clinic.broker.kill().await;

    let broker = Broker::start(log, clock, secrets).await;
    until("it is with its person", || async { kept_of(&broker, subject).await.len() == 1 }).await;
    let kept = kept_of(&broker, subject).await.remove(0);
    assert_eq!((kept.outcome.id(), kept.late), (ids[0], true));
    let assigned = kept.assigned.expect("somebody said so");
    assert_eq!((assigned.by, assigned.reason.as_str()), (nurse_id(1), "受付の前"));
    let nurse = Screen::open(&broker, &cookie).await;
    let held: Vec<_> = nurse.shows(|seen| seen.held().iter().map(|row| row.reading).collect());
    assert_eq!(held, [ids[1]], "neither what was settled nor what was dismissed");
}
