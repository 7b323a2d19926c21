//! What people say of readings, and who attached what: told beside the values, with names, and nothing
//! that was measured is ever taken away.

mod wire_support;

use minato_protocol::Code;
use minato_protocol::act::{Act, Outcome};
use minato_protocol::reading::{Hex, ReadingId};
use minato_protocol::uplink::{Entry, OutboxEntry, UnboundWhy};
use minato_protocol::view::{AttachmentRow, Checked};
use minato_protocol::{Span, StaffId, Timestamp};
use wire_support::{Screen, Seen, Ward, cuff, doctor_id, id_of, name_of, nurse_id, until};

async fn checked(ward: &Ward, screen: &Screen, id: ReadingId) -> Checked {
    let look = |seen: &Seen| seen.reading(ward.subject, id)?.checked.clone();
    screen.find("somebody said something of it", look).await
}

fn who_and_why(checked: &Checked) -> (&str, Option<&str>) {
    match checked {
        Checked::Confirmed { by, .. } => (by, None),
        Checked::Withdrawn { by, reason, .. } => (by, Some(reason)),
    }
}

#[tokio::test]
async fn what_doctor_and_nurse_say_of_a_reading_is_on_both_screens_with_their_names() {
    let ward = Ward::open().await;
    let lines = vec![ward.line(1), ward.line(2)];
    let (one, two) = (id_of(&lines[0]), id_of(&lines[1]));
    ward.deliver(lines).await;
    let ticket = ward.ticket;
    ward.doctor.must(Act::ConfirmReading { ticket, reading: one }).await;
    let reason = "腕を動かした".to_owned();
    ward.nurse.must(Act::WithdrawReading { ticket, reading: two, reason: reason.clone() }).await;
    let fresh = ward.clinic.nurse(1).await;
    fresh.must(Act::WatchReadings { subject: ward.subject, after: 0 }).await;
    for screen in [&ward.doctor, &ward.nurse, &fresh] {
        let confirmed = checked(&ward, screen, one).await;
        assert_eq!(who_and_why(&confirmed), (name_of(doctor_id(1)).as_str(), None));
        let withdrawn = checked(&ward, screen, two).await;
        let by = name_of(nurse_id(1));
        assert_eq!(who_and_why(&withdrawn), (by.as_str(), Some(reason.as_str())));
        // Each once, although the flow began anew.
        assert_eq!(screen.shows(|seen| seen.reading_ids(ward.subject)), [one, two]);
    }
    assert_eq!(ward.kept().await.len(), 2, "nothing was taken away");
    let again = Act::ConfirmReading { ticket, reading: two };
    assert_eq!(ward.doctor.refused(again).await, Code::ReadingUnknown);
}

#[tokio::test]
async fn nobody_says_anything_of_a_reading_that_is_not_this_tickets() {
    let ward = Ward::open().await;
    let line = ward.line(1);
    let id = id_of(&line);
    ward.deliver(vec![line]).await;
    let other = ward.clinic.in_bed(&ward.nurse, 2).await;
    let before = ward.clinic.broker.heads().await;
    let reason = || "別の方".to_owned();
    for (ticket, reading) in [(other, id), (ward.ticket, ReadingId(Hex([9; 16])))] {
        let confirm = Act::ConfirmReading { ticket, reading };
        assert_eq!(ward.nurse.refused(confirm).await, Code::ReadingUnknown);
        let withdraw = Act::WithdrawReading { ticket, reading, reason: reason() };
        assert_eq!(ward.nurse.refused(withdraw).await, Code::ReadingUnknown);
    }
    for reason in [String::new(), "あ".repeat(81)] {
        let withdraw = Act::WithdrawReading { ticket: ward.ticket, reading: id, reason };
        assert_eq!(ward.nurse.refused(withdraw).await, Code::FieldWrong);
    }
    assert_eq!(ward.clinic.broker.heads().await, before);
}

#[tokio::test]
async fn a_repeated_press_says_it_once() {
    let ward = Ward::open().await;
    let line = ward.line(1);
    let id = id_of(&line);
    ward.deliver(vec![line]).await;
    let (ticket, reason) = (ward.ticket, "別の腕".to_owned());
    let withdraw = Act::WithdrawReading { ticket, reading: id, reason };
    let first = ward.nurse.press_as("the-one-press", withdraw.clone()).await;
    let before = ward.clinic.broker.heads().await;
    let again = ward.nurse.press_as("the-one-press", withdraw).await;
    assert_eq!((&first, &again), (&Ok(Outcome::Done), &Ok(Outcome::Done)));
    assert_eq!(ward.clinic.broker.heads().await, before);
}

fn bound(ward: &Ward, seq: u64, by: StaffId, since: Timestamp) -> OutboxEntry {
    let key = format!("bound-{seq}").parse().expect("a key");
    let entry = Entry::Bound { key, device: cuff(), subject: ward.subject, since, by };
    OutboxEntry { seq, at: since, entry }
}

fn unbound(ward: &Ward, seq: u64, at: Timestamp, why: UnboundWhy) -> OutboxEntry {
    let key = format!("unbound-{seq}").parse().expect("a key");
    let (device, subject, by) = (cuff(), ward.subject, StaffId(0));
    OutboxEntry { seq, at, entry: Entry::Unbound { key, device, subject, by, why } }
}

#[tokio::test]
async fn the_doctor_sees_who_attached_what_and_until_when_once_however_often_it_is_delivered() {
    let ward = Ward::open().await;
    let (on, off) = (ward.now(), ward.now() + Span::seconds(60));
    let again = off + Span::seconds(5);
    let batch = [
        bound(&ward, 1, nurse_id(1), on),
        bound(&ward, 2, nurse_id(1), on),
        unbound(&ward, 3, off, UnboundWhy::Silent),
        bound(&ward, 4, nurse_id(1), again),
    ];
    let row =
        |since, until| AttachmentRow { device: cuff(), by: name_of(nurse_id(1)), since, until };
    let told = |upto: usize| match upto {
        1 | 2 => vec![row(on, None)],
        3 => vec![row(on, Some((off, UnboundWhy::Silent)))],
        _ => vec![row(on, Some((off, UnboundWhy::Silent))), row(again, None)],
    };
    for upto in 1..=batch.len() {
        // Everything from the first line on, as after a lost answer.
        ward.deliver(batch[..upto].to_vec()).await;
        for screen in [&ward.doctor, &ward.nurse] {
            let wanted = told(upto);
            let shows =
                |seen: &Seen| seen.visits().first().is_some_and(|row| row.attachments == wanted);
            screen.until("the visit tells who attached what", shows).await;
        }
    }
    let before = ward.clinic.broker.heads().await;
    ward.deliver(batch.to_vec()).await;
    assert_eq!(ward.clinic.broker.heads().await, before);
    ward.nurse.must(Act::WrongPatient { visit: ward.visit }).await;
    let told = || async { ward.doctor.shows(|seen| seen.visits().is_empty()) };
    until("the visit is not this doctor's any more", told).await;
}
