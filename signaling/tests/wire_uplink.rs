//! A box on the wall: who is let in, what is stored, what is acknowledged, who sees it.

mod wire_support;

use minato_protocol::act::{Act, Outcome};
use minato_protocol::reading::RequestKey;
use minato_protocol::squeeze::Squeezer;
use minato_protocol::uplink::{
    Entry, FromBroker, FromGateway, OutboxEntry, RefusedCode, UPLINK_BATCH_ENTRIES_MAX,
    UPLINK_MESSAGE_BYTES_MAX, UPLINK_VERSION, UnboundWhy,
};
use minato_protocol::{Code, GatewayId, Span, SubjectId, TicketId, Timestamp};
use minato_signaling::log::{Fault, MemoryLog};
use std::sync::Arc;
use wire_support::{
    Clinic, Screen, Seen, Wall, cuff, cuff_status, doctor_id, nurse_id, reading_of, site, until,
};

const BOX: GatewayId = GatewayId(1);

/// A clinic with a box, a bedside patient in a visit, and the doctor who has the patient.
struct Ward {
    clinic: Clinic,
    log: Arc<MemoryLog>,
    nurse: Screen,
    doctor: Screen,
    ticket: TicketId,
    subject: SubjectId,
    visit: minato_protocol::VisitId,
    epoch: u32,
}

impl Ward {
    async fn open() -> Self {
        let log = Arc::new(MemoryLog::default());
        let clinic = Clinic::over(Arc::clone(&log) as _, 2).await;
        Wall::enrol(&clinic.broker, BOX, site(1)).await;
        let (nurse, doctor) = (clinic.nurse(1).await, clinic.doctor(1).await);
        let ticket = clinic.in_bed(&nurse, 1).await;
        let (visit, epoch) = clinic.visit(&doctor, &nurse, ticket).await;
        let subject = clinic.subject_of(ticket).await;
        Self { clinic, log, nurse, doctor, ticket, subject, visit, epoch }
    }

    fn now(&self) -> Timestamp {
        self.clinic.broker.edge.desk.clock.now()
    }

    fn lines(&self, seqs: std::ops::RangeInclusive<u64>) -> Vec<OutboxEntry> {
        seqs.map(|seq| reading_of(Some(self.subject), seq, self.now())).collect()
    }

    async fn watch(&self, screen: &Screen, after: u32) {
        screen.must(Act::WatchReadings { subject: self.subject, after }).await;
    }

    async fn until_shown(&self, screen: &Screen, seqs: std::ops::RangeInclusive<u64>) {
        let wanted: Vec<_> = self.lines(seqs).iter().map(id_of).collect();
        let shown = |seen: &Seen| seen.reading_ids(self.subject).len() >= wanted.len();
        screen.until("the readings show", shown).await;
        assert_eq!(screen.shows(|seen| seen.reading_ids(self.subject)), wanted);
    }
}

fn id_of(line: &OutboxEntry) -> minato_protocol::reading::ReadingId {
    match &line.entry {
        Entry::Measured { outcome, .. } => outcome.id(),
        Entry::Bound { .. } | Entry::Unbound { .. } => panic!("no reading"),
    }
}

#[tokio::test]
async fn a_box_that_is_not_ours_is_told_why_and_let_go() {
    let clinic = Clinic::open(1).await;
    Wall::enrol(&clinic.broker, BOX, site(1)).await;
    let before = clinic.broker.heads().await;

    let mut wrong_version = Wall::dial(&clinic.broker, BOX).await;
    wrong_version.hello(UPLINK_VERSION + 1).await;
    assert_eq!(wrong_version.refusal().await, Some(RefusedCode::Version));

    let mut stranger = Wall::dial(&clinic.broker, GatewayId(99)).await;
    stranger.hello(UPLINK_VERSION).await;
    assert_eq!(stranger.refusal().await, Some(RefusedCode::UnknownGateway));

    let mut liar = Wall::dial(&clinic.broker, BOX).await;
    liar.hello(UPLINK_VERSION).await;
    liar.prove(GatewayId(2)).await;
    assert_eq!(liar.refusal().await, Some(RefusedCode::BadProof));

    let mut hasty = Wall::dial(&clinic.broker, BOX).await;
    hasty.deliver(Timestamp(0), Vec::new()).await;
    assert_eq!(hasty.refusal().await, Some(RefusedCode::BadMessage));

    for text in ["", "{", r#"{"type":"nonsense"}"#, &"[".repeat(30_000)] {
        let mut wall = Wall::connect(&clinic.broker, BOX).await;
        wall.send_text(text.to_owned()).await;
        assert_eq!(wall.refusal().await, Some(RefusedCode::BadMessage), "{text:.20}");
    }
    assert_eq!(clinic.broker.heads().await, before);
}

#[tokio::test]
async fn what_is_too_much_is_refused_whole_and_nothing_of_it_is_stored() {
    let ward = Ward::open().await;
    let before = ward.clinic.broker.heads().await;
    let mut wall = Wall::connect(&ward.clinic.broker, BOX).await;
    let many = ward.lines(1..=UPLINK_BATCH_ENTRIES_MAX as u64 + 1);
    wall.deliver(ward.now(), many).await;
    assert_eq!(wall.refusal().await, Some(RefusedCode::BadMessage));

    let mut wall = Wall::connect(&ward.clinic.broker, BOX).await;
    wall.send_text("x".repeat(UPLINK_MESSAGE_BYTES_MAX + 1)).await;
    assert_eq!(wall.refusal().await, Some(RefusedCode::BadMessage));
    assert_eq!(ward.clinic.broker.heads().await, before);
    let mut honest = Wall::connect(&ward.clinic.broker, BOX).await;
    honest.deliver_all(ward.now(), ward.lines(1..=1)).await;
}

#[tokio::test]
async fn squeezed_deliveries_are_understood_and_bytes_that_are_none_are_refused() {
    let ward = Ward::open().await;
    ward.watch(&ward.doctor, 0).await;
    let mut wall = Wall::connect(&ward.clinic.broker, BOX).await;
    let mut squeezer = Squeezer::default();
    for through in 1..=5 {
        let (sent_at, batch) = (ward.now(), ward.lines(through..=through));
        let said = serde_json::to_string(&FromGateway::Deliver { sent_at, batch }).expect("plain");
        wall.send_bytes(squeezer.squeeze(&said)).await;
        assert_eq!(wall.next().await, Some(FromBroker::Ack { through }));
    }
    ward.until_shown(&ward.doctor, 1..=5).await;

    let before = ward.clinic.broker.heads().await;
    let bomb = Squeezer::default().squeeze(&" ".repeat(100 * UPLINK_MESSAGE_BYTES_MAX));
    for bytes in [vec![0xff; 40], Vec::new(), bomb] {
        let mut wall = Wall::connect(&ward.clinic.broker, BOX).await;
        wall.send_bytes(bytes).await;
        assert_eq!(wall.refusal().await, Some(RefusedCode::BadMessage));
    }
    let mut hasty = Wall::dial(&ward.clinic.broker, BOX).await;
    hasty.send_bytes(Squeezer::default().squeeze("{}")).await;
    assert_eq!(hasty.refusal().await, Some(RefusedCode::BadMessage));
    assert_eq!(ward.clinic.broker.heads().await, before);
}

#[tokio::test]
async fn a_delivery_that_comes_twice_is_on_the_screen_once_and_in_order() {
    let ward = Ward::open().await;
    ward.watch(&ward.doctor, 0).await;
    let mut wall = Wall::connect(&ward.clinic.broker, BOX).await;
    wall.deliver_all(ward.now(), ward.lines(1..=40)).await;
    wall.deliver_all(ward.now(), ward.lines(1..=40)).await;
    drop(wall);
    // The answer was lost: everything from 21 on comes again after the reconnection.
    let mut wall = Wall::connect(&ward.clinic.broker, BOX).await;
    wall.deliver_all(ward.now(), ward.lines(21..=60)).await;
    ward.until_shown(&ward.doctor, 1..=60).await;
    // A screen that was away takes up where it was, and a new one gets all of it.
    let late = ward.clinic.staff(doctor_id(1)).await;
    ward.watch(&late, 0).await;
    ward.until_shown(&late, 1..=60).await;
    let resumed = ward.clinic.nurse(1).await;
    ward.watch(&resumed, 50).await;
    resumed.until("the rest", |seen| seen.reading_ids(ward.subject).len() == 10).await;
    let seqs: Vec<u32> =
        resumed.shows(|seen| seen.readings[&ward.subject].iter().map(|row| row.seq).collect());
    assert_eq!(seqs, (51..=60).collect::<Vec<u32>>());
}

#[tokio::test]
async fn a_reading_older_than_fifteen_seconds_when_it_is_sent_or_of_a_time_still_to_come_is_late() {
    let ward = Ward::open().await;
    ward.watch(&ward.doctor, 0).await;
    let mut wall = Wall::connect(&ward.clinic.broker, BOX).await;
    let sent_at = ward.now();
    let aged = |seq, age| reading_of(Some(ward.subject), seq, sent_at - age);
    let batch = vec![
        aged(1, Span::minutes(10)),
        aged(2, Span(15_001)),
        aged(3, Span(15_000)),
        aged(4, Span(0)),
        aged(5, Span::seconds(-60)),
    ];
    wall.deliver_all(sent_at, batch).await;
    ward.doctor.until("all show", |seen| seen.reading_ids(ward.subject).len() == 5).await;
    let late: Vec<bool> =
        ward.doctor.shows(|seen| seen.readings[&ward.subject].iter().map(|row| row.late).collect());
    assert_eq!(late, [true, true, false, false, true]);
}

#[tokio::test]
async fn readings_of_nobody_stay_with_the_box_and_are_shown_to_nobody() {
    let ward = Ward::open().await;
    ward.watch(&ward.doctor, 0).await;
    let mut wall = Wall::connect(&ward.clinic.broker, BOX).await;
    let mut batch = vec![reading_of(None, 1, ward.now())];
    batch.extend(ward.lines(2..=2));
    wall.deliver_all(ward.now(), batch).await;
    ward.until_shown(&ward.doctor, 2..=2).await;
    let heads = ward.clinic.broker.heads().await;
    let of_box = format!("gateway/{BOX}");
    let kept = heads.iter().find(|(stream, _, _)| *stream == of_box).map(|(_, _, items)| *items);
    assert_eq!(kept, Some(1));
}

#[tokio::test]
async fn nothing_is_acknowledged_before_it_is_durable_and_a_retry_completes_it_once() {
    let ward = Ward::open().await;
    ward.watch(&ward.doctor, 0).await;
    for (round, fault) in (0..).zip([Fault::Refuse, Fault::LoseAnswer, Fault::Full]) {
        let seqs = 10 * round + 1..=10 * round + 10;
        let mut wall = Wall::connect(&ward.clinic.broker, BOX).await;
        ward.log.inject(fault);
        wall.deliver(ward.now(), ward.lines(seqs.clone())).await;
        assert_eq!(wall.refusal().await, Some(RefusedCode::Unavailable), "{fault:?}: no Ack");
        let mut wall = Wall::connect(&ward.clinic.broker, BOX).await;
        wall.deliver_all(ward.now(), ward.lines(seqs.clone())).await;
        ward.until_shown(&ward.doctor, 1..=*seqs.end()).await;
    }
}

#[tokio::test]
async fn putting_a_device_on_waits_for_the_box_to_say_that_it_is_on() {
    let ward = Ward::open().await;
    let mut wall = Wall::connect(&ward.clinic.broker, BOX).await;
    wall.status(vec![cuff_status(cuff(), None)]).await;
    ward.nurse.until("the cuff shows", |seen| seen.devices().len() == 1).await;
    let key = "attach-cuff-1".to_owned();
    let attach = Act::Attach { ticket: ward.ticket, device: cuff(), takes_over: false };
    let nurse = &ward.nurse;
    let (answer, ()) = tokio::join!(nurse.press_as(&key, attach), async {
        let Some(FromBroker::Bind { key, device, subject, by, .. }) = wall.next().await else {
            panic!("no bind")
        };
        assert_eq!((subject, by), (ward.subject, nurse_id(1)));
        assert!(nurse.shows(|seen| !seen.answers.contains_key("attach-cuff-1")), "too early");
        let entry = Entry::Bound { key, device, subject, since: ward.now(), by };
        wall.deliver_all(ward.now(), vec![OutboxEntry { seq: 1, at: ward.now(), entry }]).await;
    });
    assert_eq!(answer, Ok(Outcome::Done));
    let on = |seen: &Seen| seen.devices().first().and_then(|row| row.ticket) == Some(ward.ticket);
    ward.nurse.until("the cuff is on the patient", on).await;

    // At another site the cuff is not known, and its patient is nobody's business.
    let elsewhere = ward.clinic.nurse(2).await;
    assert_eq!(elsewhere.shows(|seen| seen.devices().len()), 0);
    let other = ward.clinic.in_bed(&elsewhere, 2).await;
    let attach = Act::Attach { ticket: other, device: cuff(), takes_over: false };
    assert_eq!(elsewhere.refused(attach).await, Code::DeviceUnknown);
    assert_eq!(elsewhere.refused(Act::Detach { device: cuff() }).await, Code::DeviceUnknown);

    drop(wall);
    ward.nurse.until("the box is gone", |seen| !seen.devices()[0].gateway_present).await;
    let detach = Act::Detach { device: cuff() };
    assert_eq!(ward.nurse.refused(detach).await, Code::GatewayAway);
}

/// A second box on the same wall.
const OTHER_BOX: GatewayId = GatewayId(2);

/// What a box is asked to do with the cuff is done.
async fn does(wall: &mut Wall, seq: u64, now: Timestamp) -> Option<SubjectId> {
    let (entry, on) = match wall.next().await {
        Some(FromBroker::Bind { key, device, subject, by, .. }) => {
            (Entry::Bound { key, device, subject, since: now, by }, Some(subject))
        }
        Some(FromBroker::Unbind { key, device, by, .. }) => {
            let (subject, why) = (SubjectId(1), UnboundWhy::Asked);
            (Entry::Unbound { key, device, subject, by, why }, None)
        }
        other => panic!("nothing is asked: {other:?}"),
    };
    wall.deliver_all(now, vec![OutboxEntry { seq, at: now, entry }]).await;
    on
}

#[tokio::test]
async fn a_device_that_two_boxes_hear_is_one_device_and_is_asked_for_where_it_is_on_somebody() {
    let ward = Ward::open().await;
    Wall::enrol(&ward.clinic.broker, OTHER_BOX, site(1)).await;
    let mut first = Wall::connect(&ward.clinic.broker, BOX).await;
    let mut other = Wall::connect(&ward.clinic.broker, OTHER_BOX).await;
    let next_bed = ward.clinic.in_bed(&ward.nurse, 2).await;
    let worn_by = ward.clinic.subject_of(next_bed).await;
    other.status(vec![cuff_status(cuff(), Some(worn_by))]).await;
    let is_on = |seen: &Seen| seen.devices().iter().any(|row| row.ticket == Some(next_bed));
    ward.nurse.until("it is on the next bed", is_on).await;
    first.status(vec![cuff_status(cuff(), None)]).await;
    let attach = Act::Attach { ticket: ward.ticket, device: cuff(), takes_over: true };
    let asked = tokio::join!(
        ward.nurse.press_as("attach-taken-over", attach),
        does(&mut other, 1, ward.now())
    );
    assert_eq!(asked, (Ok(Outcome::Done), Some(ward.subject)));
    let on = |seen: &Seen| seen.devices().iter().map(|row| row.ticket).collect::<Vec<_>>();
    ward.nurse.until("it is one device", |seen| on(seen) == [Some(ward.ticket)]).await;
}

#[tokio::test]
async fn a_device_that_is_on_somebody_at_two_boxes_comes_off_at_the_one_first() {
    let ward = Ward::open().await;
    Wall::enrol(&ward.clinic.broker, OTHER_BOX, site(1)).await;
    let mut first = Wall::connect(&ward.clinic.broker, BOX).await;
    let mut other = Wall::connect(&ward.clinic.broker, OTHER_BOX).await;
    let [second, third] = [ward.clinic.in_bed(&ward.nurse, 2), ward.clinic.in_bed(&ward.nurse, 3)];
    let (second, third) = (second.await, third.await);
    for (wall, ticket) in [(&mut other, second), (&mut first, third)] {
        let worn_by = ward.clinic.subject_of(ticket).await;
        wall.status(vec![cuff_status(cuff(), Some(worn_by))]).await;
        let is_on = |seen: &Seen| seen.devices().iter().any(|row| row.ticket == Some(ticket));
        ward.nurse.until("it is on that bed", is_on).await;
    }
    let attach = |takes_over| Act::Attach { ticket: ward.ticket, device: cuff(), takes_over };
    assert_eq!(ward.nurse.refused(attach(false)).await, Code::DeviceElsewhere);
    let asked = tokio::join!(ward.nurse.press_as("attach-taken-over", attach(true)), async {
        let off = does(&mut other, 1, ward.now()).await;
        (off, does(&mut first, 1, ward.now()).await)
    });
    assert_eq!(asked, (Ok(Outcome::Done), (None, Some(ward.subject))));
}

#[tokio::test]
async fn readings_held_back_after_the_wrong_patient_reach_no_screen_ever_again() {
    let ward = Ward::open().await;
    let mut wall = Wall::connect(&ward.clinic.broker, BOX).await;
    wall.deliver_all(ward.now(), ward.lines(1..=5)).await;
    ward.watch(&ward.doctor, 0).await;
    ward.watch(&ward.nurse, 0).await;
    ward.until_shown(&ward.doctor, 1..=5).await;
    ward.until_shown(&ward.nurse, 1..=5).await;
    let before_the_press = ward.lines(6..=7);
    ward.nurse.must(Act::WrongPatient { visit: ward.visit }).await;
    let empty = |seen: &Seen| seen.reading_ids(ward.subject).is_empty();
    ward.nurse.until("the nurse's page forgets them", empty).await;
    ward.clinic.advance(Span::seconds(1));
    // The cuff is still on the wrong person, whenever it measured and whenever that arrives.
    wall.deliver_all(ward.now(), before_the_press).await;
    wall.deliver_all(ward.now(), ward.lines(8..=8)).await;

    // The ticket goes on with another doctor, and the nurse's page is opened again.
    let second = ward.clinic.doctor(2).await;
    ward.clinic.visit(&second, &ward.nurse, ward.ticket).await;
    let (again, resumed) = (ward.clinic.nurse(1).await, ward.clinic.nurse(1).await);
    ward.watch(&second, 0).await;
    ward.watch(&again, 0).await;
    ward.watch(&resumed, 2).await;
    // The nurse puts the cuff on anew: from here on it shows.
    let (subject, since, by) = (ward.subject, ward.now(), nurse_id(1));
    let key = "attach-again".parse().expect("a key");
    let entry = Entry::Bound { key, device: cuff(), subject, since, by };
    let mut batch = vec![OutboxEntry { seq: 9, at: since, entry }];
    ward.clinic.advance(Span::seconds(1));
    batch.extend(ward.lines(10..=11));
    wall.deliver_all(ward.now(), batch).await;
    for screen in [&second, &again, &resumed, &ward.nurse] {
        ward.until_shown(screen, 10..=11).await;
    }
    let held_back = ward.lines(1..=8);
    for screen in [&second, &again, &resumed] {
        let told = screen.shows(|seen| seen.transcript.clone());
        let was_told = |line: &OutboxEntry| told.contains(&id_of(line).to_string());
        assert!(!held_back.iter().any(was_told), "held back and sent all the same");
    }
}

#[tokio::test]
async fn nobody_watches_readings_that_are_not_theirs() {
    let ward = Ward::open().await;
    let other = ward.clinic.staff(doctor_id(2)).await;
    let watch = || Act::WatchReadings { subject: ward.subject, after: 0 };
    assert_eq!(other.refused(watch()).await, Code::NotAllowed);
    assert_eq!(ward.clinic.board.refused(watch()).await, Code::NotAllowed);
    assert_eq!(ward.clinic.nurse(2).await.refused(watch()).await, Code::NotAllowed);
    let home = ward.clinic.at_home(7).await;
    assert_eq!(home.screen.refused(watch()).await, Code::NotAllowed);
    let nobody = Act::WatchReadings { subject: SubjectId(77), after: 0 };
    assert_eq!(ward.doctor.refused(nobody).await, Code::NotAllowed);

    // A hand-over stops the flow to the one and opens it to the other.
    ward.watch(&ward.doctor, 0).await;
    let mut wall = Wall::connect(&ward.clinic.broker, BOX).await;
    wall.deliver_all(ward.now(), ward.lines(1..=1)).await;
    ward.until_shown(&ward.doctor, 1..=1).await;
    let second = ward.clinic.doctor(2).await;
    let (ticket, epoch) = (ward.ticket, ward.epoch);
    ward.doctor.must(Act::OfferHandOver { ticket, epoch, to: doctor_id(2) }).await;
    second.must(Act::AcceptHandOver { ticket, epoch }).await;
    ward.watch(&second, 0).await;
    wall.deliver_all(ward.now(), ward.lines(2..=2)).await;
    ward.until_shown(&second, 1..=2).await;
    assert_eq!(ward.doctor.shows(|seen| seen.reading_ids(ward.subject).len()), 1);
}

#[tokio::test]
async fn a_device_is_taken_off_when_its_ticket_is_over() {
    let ward = Ward::open().await;
    let mut wall = Wall::connect(&ward.clinic.broker, BOX).await;
    wall.status(vec![cuff_status(cuff(), Some(ward.subject))]).await;
    ward.nurse.until("the cuff shows", |seen| seen.devices().len() == 1).await;
    ward.clinic.end(&ward.doctor, ward.ticket, ward.epoch).await;
    let unbind = wall.next().await;
    let Some(FromBroker::Unbind { key, device, subject, .. }) = unbind else {
        panic!("{unbind:?}")
    };
    assert_eq!((device.clone(), subject), (cuff(), Some(ward.subject)), "and off nobody else");
    let by = minato_protocol::StaffId(0);
    let entry = Entry::Unbound {
        key,
        device,
        subject: ward.subject,
        by,
        why: minato_protocol::uplink::UnboundWhy::Asked,
    };
    wall.deliver_all(ward.now(), vec![OutboxEntry { seq: 1, at: ward.now(), entry }]).await;
    let off = |seen: &Seen| seen.devices().first().is_some_and(|row| row.status.bound.is_none());
    ward.nurse.until("the cuff is on nobody", off).await;
}

#[tokio::test]
async fn a_second_connection_of_the_same_box_ends_the_first() {
    let clinic = Clinic::open(1).await;
    Wall::enrol(&clinic.broker, BOX, site(1)).await;
    let first = Wall::connect(&clinic.broker, BOX).await;
    let mut second = Wall::connect(&clinic.broker, BOX).await;
    assert_eq!(first.refusal().await, Some(RefusedCode::Superseded));
    second.status(vec![cuff_status(cuff(), None)]).await;
    let edge = Arc::clone(&clinic.broker.edge);
    until("the second one is there", || async {
        edge.gateways.look(|links| links[&BOX].present && links[&BOX].devices.len() == 1)
    })
    .await;
    let key: RequestKey = "nobody-asked".parse().expect("a key");
    let code = minato_protocol::uplink::RequestRefusal::Busy;
    second.send(&FromGateway::RequestRefused { key, code }).await;
    second.deliver_all(Timestamp(0), vec![reading_of(None, 1, Timestamp(0))]).await;
}
