//! Values that people type, and frames that a page hands in: read like a gateway's, stored once.

mod wire_support;

use minato_protocol::act::{Act, HandedFrame, Outcome};
use minato_protocol::reading::{
    Characteristic, Decimal, EnteredBy, Fault as Failed, FaultReason, Hex, HexBytes,
    Outcome as Measured, Quality, Quantity, Reading, ReadingId, TransportKind, TypedValue, Unit,
};
use minato_protocol::view::{Checked, ReadingRow};
use minato_protocol::{Code, Span, Timestamp};
use minato_signaling::log::Fault;
use wire_support::{Screen, Seen, Ward, cuff, id_of, kept_of, name_of, nurse_id};

fn value(what: Quantity, value: &str, unit: Unit) -> TypedValue {
    TypedValue { what, value: value.parse().expect("a number"), unit }
}

fn breaths(a_minute: &str) -> Vec<TypedValue> {
    vec![value(Quantity::RespirationRate, a_minute, Unit::PerMinute)]
}

fn enter(ward: &Ward, values: Vec<TypedValue>) -> Act {
    enter_at(ward, values, None)
}

fn enter_at(ward: &Ward, values: Vec<TypedValue>, measured_at: Option<Timestamp>) -> Act {
    let (corrects, reason) = (None, String::new());
    Act::EnterReading { ticket: ward.ticket, values, measured_at, corrects, reason }
}

fn correct(ward: &Ward, reading: ReadingId, values: Vec<TypedValue>, reason: &str) -> Act {
    let (corrects, reason) = (Some(reading), reason.to_owned());
    Act::EnterReading { ticket: ward.ticket, values, measured_at: None, corrects, reason }
}

fn reading(row: &ReadingRow) -> &Reading {
    match &row.outcome {
        Measured::Reading(reading) => reading,
        Measured::Fault(fault) => panic!("{fault:?}"),
    }
}

async fn rows(ward: &Ward, screen: &Screen, count: usize) -> Vec<ReadingRow> {
    let look =
        |seen: &Seen| seen.readings.get(&ward.subject).filter(|rows| rows.len() == count).cloned();
    screen.find("so many readings show", look).await
}

#[tokio::test]
async fn what_the_nurse_typed_is_on_the_doctors_screen_with_who_typed_it() {
    let ward = Ward::open().await;
    let pressure = vec![
        value(Quantity::Systolic, "16.0", Unit::KPa),
        value(Quantity::Diastolic, "80", Unit::MmHg),
    ];
    ward.nurse.must(enter(&ward, pressure)).await;
    let row = rows(&ward, &ward.doctor, 1).await.remove(0);
    let typed = reading(&row);
    assert_eq!(typed.number(Quantity::Systolic), Some(Decimal::whole(120)));
    assert_eq!(typed.characteristic, Characteristic::Typed);
    assert_eq!(typed.provenance.transport, TransportKind::Manual);
    assert_eq!(typed.provenance.entered, Some(EnteredBy::Staff { staff: nurse_id(1) }));
    assert_eq!((row.late, row.waits_for_confirmation()), (false, false));
}

#[tokio::test]
async fn a_patient_types_for_their_own_ticket_and_for_no_other() {
    let ward = Ward::open().await;
    let home = ward.clinic.at_home(7).await;
    let subject = ward.clinic.subject_of(home.ticket).await;
    let mut own = enter(&ward, breaths("18"));
    assert_eq!(home.screen.refused(own.clone()).await, Code::NotAllowed);
    if let Act::EnterReading { ticket, .. } = &mut own {
        *ticket = home.ticket;
    }
    home.screen.must(own.clone()).await;
    let kept = kept_of(&ward.clinic.broker, subject).await;
    let Measured::Reading(typed) = &kept[0].outcome else { panic!("a reading") };
    assert_eq!(typed.provenance.entered, Some(EnteredBy::Patient));
    // Correcting is for the nurse.
    if let Act::EnterReading { corrects, reason, .. } = &mut own {
        (*corrects, *reason) = (Some(typed.id), "まちがえた".into());
    }
    assert_eq!(home.screen.refused(own).await, Code::NotAllowed);
}

#[tokio::test]
async fn what_is_no_value_is_refused_and_nothing_is_stored() {
    let ward = Ward::open().await;
    let before = ward.clinic.broker.heads().await;
    let twice = [breaths("18"), breaths("19")].concat();
    let kilograms = vec![value(Quantity::Systolic, "120", Unit::Kilogram)];
    let many = vec![breaths("18"); 9].concat();
    let wrong = [Vec::new(), twice, kilograms, many, breaths("1000000"), breaths("1e99")];
    for values in wrong {
        assert_eq!(ward.nurse.refused(enter(&ward, values)).await, Code::FieldWrong);
    }
    let (future, old) = (ward.now() + Span::seconds(60), ward.now() - Span::minutes(24 * 60 + 1));
    for at in [future, old, Timestamp(i64::MIN), Timestamp(i64::MAX)] {
        let act = enter_at(&ward, breaths("18"), Some(at));
        assert_eq!(ward.nurse.refused(act).await, Code::FieldWrong);
    }
    assert_eq!(ward.clinic.broker.heads().await, before);
}

#[tokio::test]
async fn what_no_living_person_shows_is_marked_until_somebody_confirms_it_and_what_is_old_is_late()
{
    let ward = Ward::open().await;
    ward.nurse.must(enter(&ward, breaths("400"))).await;
    let row = rows(&ward, &ward.doctor, 1).await.remove(0);
    assert!(row.waits_for_confirmation());
    assert_eq!(reading(&row).quality, [Quality::Implausible]);
    let id = row.outcome.id();
    ward.doctor.must(Act::ConfirmReading { ticket: ward.ticket, reading: id }).await;
    let confirmed = |seen: &Seen| {
        seen.reading(ward.subject, id).is_some_and(|row| !row.waits_for_confirmation())
    };
    ward.doctor.until("it is confirmed", confirmed).await;
    let before = ward.now() - Span::minutes(5);
    ward.nurse.must(enter_at(&ward, breaths("18"), Some(before))).await;
    let rows = rows(&ward, &ward.doctor, 2).await;
    assert_eq!((rows[1].late, rows[1].outcome.measured_at()), (true, before));
}

#[tokio::test]
async fn of_values_typed_together_only_the_doubtful_one_waits_and_a_pressure_stays_whole() {
    let ward = Ward::open().await;
    let (celsius, mmhg) = (Unit::Celsius, Unit::MmHg);
    let values = vec![
        value(Quantity::Systolic, "80", mmhg),
        value(Quantity::Temperature, "36.5", celsius),
        value(Quantity::RespirationRate, "18", Unit::PerMinute),
        value(Quantity::Diastolic, "120", mmhg),
    ];
    let act = enter(&ward, values);
    let mut named = None;
    for _ in 0..2 {
        let answer = ward.nurse.press_as("the-one-press", act.clone()).await;
        let Ok(Outcome::Entered { reading }) = answer else { panic!("{answer:?}") };
        named = Some(reading);
    }
    let rows = rows(&ward, &ward.doctor, 2).await;
    let (sure, doubtful) = (reading(&rows[0]), reading(&rows[1]));
    assert!(!rows[0].waits_for_confirmation() && rows[1].waits_for_confirmation());
    assert_eq!((sure.measurements.len(), doubtful.measurements.len()), (2, 2));
    assert_eq!(doubtful.number(Quantity::Systolic), Some(Decimal::whole(80)));
    assert_eq!(named, Some(doubtful.id), "a picture is of the cuff's display");
}

#[tokio::test]
async fn a_repeated_press_is_one_reading_and_says_the_same_values() {
    let ward = Ward::open().await;
    let press = "the-one-press";
    for (fault, count) in [(Some(Fault::Refuse), 0), (Some(Fault::LoseAnswer), 1), (None, 1)] {
        fault.into_iter().for_each(|fault| ward.log.inject(fault));
        let answer = ward.nurse.press_as(press, enter(&ward, breaths("18"))).await;
        let stored = ward.ids_kept().await;
        let expected = match fault {
            Some(_) => Err((Code::NotDurable, None)),
            None => Ok(Outcome::Entered { reading: stored[0] }),
        };
        assert_eq!((answer, stored.len()), (expected, count), "{fault:?}");
    }
    // After a reload the page's connection remembers no presses; the reading does.
    let cookie = ward.clinic.broker.sign_in(nurse_id(1)).await;
    let page = Screen::open(&ward.clinic.broker, &cookie).await;
    assert!(page.press_as(press, enter(&ward, breaths("20"))).await.is_ok());
    drop(page);
    let page = Screen::open(&ward.clinic.broker, &cookie).await;
    let other = page.press_as(press, enter(&ward, breaths("21"))).await;
    assert_eq!(other, Err((Code::KeyReused, None)));
    assert_eq!(ward.kept().await.len(), 2, "one for each session's press");
}

#[tokio::test]
async fn a_corrected_reading_stays_and_names_what_stands_in_its_place() {
    let ward = Ward::open().await;
    let line = ward.line(1);
    let wrong = id_of(&line);
    ward.deliver(vec![line]).await;
    let unknown = ReadingId(Hex([9; 16]));
    let act = correct(&ward, unknown, breaths("18"), "別の値");
    assert_eq!(ward.nurse.refused(act).await, Code::ReadingUnknown);
    let act = correct(&ward, wrong, breaths("18"), " ");
    assert_eq!(ward.nurse.refused(act).await, Code::FieldWrong);
    assert_eq!(ward.kept().await.len(), 1);

    let act = correct(&ward, wrong, breaths("18"), "別の値");
    for _ in 0..2 {
        let answer = ward.nurse.press_as("the-one-press", act.clone()).await;
        assert!(matches!(answer, Ok(Outcome::Entered { .. })), "{answer:?}");
    }
    let withdrawn = |seen: &Seen| seen.reading(ward.subject, wrong)?.checked.clone();
    let withdrawn = ward.doctor.find("it is withdrawn", withdrawn).await;
    let Checked::Withdrawn { by, reason, replaced_by, .. } = withdrawn else {
        panic!("{withdrawn:?}")
    };
    let ids = ward.ids_kept().await;
    assert_eq!((by, reason.as_str()), (name_of(nurse_id(1)), "別の値"));
    assert_eq!((ids.len(), replaced_by), (2, Some(ids[1])));
    // It is its successor that is corrected next.
    assert_eq!(ward.nurse.refused(act).await, Code::ReadingUnknown);
    assert_eq!(ward.kept().await.len(), 2);
    ward.nurse.must(correct(&ward, ids[1], breaths("19"), "数えなおした")).await;
}

#[tokio::test]
async fn a_correction_that_was_cut_off_after_the_new_value_is_finished_by_the_same_press() {
    let ward = Ward::open().await;
    let line = ward.line(1);
    let wrong = id_of(&line);
    ward.deliver(vec![line]).await;
    let act = correct(&ward, wrong, breaths("18"), "別の値");
    ward.log.inject(Fault::LoseAnswer);
    let cut = ward.nurse.press_as("the-one-press", act.clone()).await;
    assert_eq!(cut, Err((Code::NotDurable, None)));
    assert!(ward.doctor.shows(|seen| seen.reading(ward.subject, wrong).is_some()));
    assert!(ward.nurse.press_as("the-one-press", act).await.is_ok());
    let withdrawn = |seen: &Seen| seen.reading(ward.subject, wrong)?.checked.clone();
    ward.doctor.find("it is withdrawn", withdrawn).await;
    assert_eq!(ward.kept().await.len(), 2);
}

fn frame(ward: &Ward, boot: u8, sequence: u64, hex: &str) -> HandedFrame {
    let bytes: HexBytes = hex.parse().expect("hex");
    let characteristic = "2A35".to_owned();
    HandedFrame { characteristic, bytes, at: ward.now(), boot: Hex([boot; 8]), sequence }
}

fn hand(ward: &Ward, frames: Vec<HandedFrame>) -> Act {
    Act::HandFrames { ticket: ward.ticket, device: cuff(), model: "HEM-7600T".into(), frames }
}

const RESULT: &str = "00780050005a00";

#[tokio::test]
async fn frames_of_a_page_are_read_once_by_the_same_codecs_and_the_doctor_sees_who_attached_it() {
    let ward = Ward::open().await;
    let frames = vec![frame(&ward, 1, 1, RESULT), frame(&ward, 1, 2, "0078")];
    for _ in 0..2 {
        ward.nurse.must(hand(&ward, frames.clone())).await;
    }
    let rows = rows(&ward, &ward.doctor, 2).await;
    let read = reading(&rows[0]);
    assert_eq!(read.number(Quantity::Systolic), Some(Decimal::whole(120)));
    assert_eq!(read.provenance.transport, TransportKind::WebBluetooth);
    let Measured::Fault(Failed { reason, provenance, .. }) = &rows[1].outcome else {
        panic!("{:?}", rows[1])
    };
    assert_eq!((*reason, &provenance.raw.0[..]), (FaultReason::FrameRefused, &[0x00, 0x78][..]));
    let by = |seen: &Seen| {
        let row = seen.visits().first()?.attachments.first()?.clone();
        Some((row.device, row.by, row.until))
    };
    let attached = ward.doctor.find("the visit tells who attached it", by).await;
    assert_eq!(attached, (cuff(), name_of(nurse_id(1)), None));
}

/// 120/80 with the device's time, years ago.
const FROM_MEMORY: &str = "02780050005a00e4070101000000";

#[tokio::test]
async fn what_a_device_measured_before_the_page_connected_is_nobodys_until_somebody_says() {
    let ward = Ward::open().await;
    let frames = vec![frame(&ward, 1, 1, FROM_MEMORY), frame(&ward, 1, 2, RESULT)];
    for _ in 0..2 {
        ward.nurse.must(hand(&ward, frames.clone())).await;
    }
    let shown = rows(&ward, &ward.doctor, 1).await;
    assert_eq!(reading(&shown[0]).provenance.sequence, 2);
    assert_eq!(ward.kept().await.len(), 1, "it is not in the person's stream");
    let held = |seen: &Seen| match seen.held().as_slice() {
        [one] => Some(one.device.id.clone()),
        _ => None,
    };
    assert_eq!(ward.nurse.find("it is held at the site", held).await, cuff());
}

#[tokio::test]
async fn of_frames_that_nobody_knows_or_too_many_of_them_nothing_is_stored() {
    let ward = Ward::open().await;
    let before = ward.clinic.broker.heads().await;
    let unknown = HandedFrame { characteristic: "2A99".into(), ..frame(&ward, 1, 2, RESULT) };
    let act = hand(&ward, vec![frame(&ward, 1, 1, RESULT), unknown]);
    assert_eq!(ward.nurse.refused(act).await, Code::FrameRefused);
    let many = (0..65).map(|sequence| frame(&ward, 1, sequence, RESULT)).collect();
    let long = vec![frame(&ward, 1, 1, &"00".repeat(513))];
    for frames in [Vec::new(), many, long] {
        assert_eq!(ward.nurse.refused(hand(&ward, frames)).await, Code::FieldWrong);
    }
    for model in ["あ".repeat(41), "a\nb".to_owned()] {
        let (ticket, device, frames) = (ward.ticket, cuff(), vec![frame(&ward, 1, 1, RESULT)]);
        let act = Act::HandFrames { ticket, device, model, frames };
        assert_eq!(ward.nurse.refused(act).await, Code::FieldWrong);
    }
    assert_eq!(ward.clinic.broker.heads().await, before);
}

#[tokio::test]
async fn after_the_wrong_patient_a_page_has_to_connect_anew_before_its_device_shows() {
    let ward = Ward::open().await;
    ward.nurse.must(hand(&ward, vec![frame(&ward, 1, 1, RESULT)])).await;
    rows(&ward, &ward.nurse, 1).await;
    ward.nurse.must(Act::WrongPatient { visit: ward.visit }).await;
    rows(&ward, &ward.nurse, 0).await;
    ward.clinic.advance(Span::seconds(1));
    ward.nurse.must(hand(&ward, vec![frame(&ward, 1, 2, RESULT)])).await;
    ward.nurse.must(enter(&ward, breaths("18"))).await;
    let shown = rows(&ward, &ward.nurse, 1).await;
    assert_eq!(reading(&shown[0]).characteristic, Characteristic::Typed);
    ward.clinic.advance(Span::seconds(1));
    ward.nurse.must(hand(&ward, vec![frame(&ward, 2, 1, RESULT)])).await;
    rows(&ward, &ward.nurse, 2).await;
    assert_eq!(ward.kept().await.len(), 3, "held back is not lost");
    let held = |seen: &Seen| seen.held().len() == 1;
    ward.nurse.until("what came before she connected anew is held at the site", held).await;
}
