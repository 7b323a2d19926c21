//! A box speaks for patients of its own site: whatever else it says is kept, and shown to nobody.

mod wire_support;

use minato_protocol::act::Act;
use minato_protocol::uplink::{Entry, FromBroker, OutboxEntry, RefusedCode, UPLINK_VERSION};
use minato_protocol::{Code, GatewayId, Span, StaffId, SubjectId, TicketId, Timestamp};
use minato_signaling::http::Edge;
use minato_signaling::log::StreamId;
use serde_json::{Value, json};
use std::sync::Arc;
use wire_support::{
    Broker, Clinic, Screen, Seen, Wall, cuff, cuff_status, nurse_id, reading_of, site, until,
};

/// At site 1.
const BOX: GatewayId = GatewayId(1);
/// At site 2, where the patient is not.
const OTHER_BOX: GatewayId = GatewayId(2);

/// Two sites with a box each; the patient is at the first.
struct Sites {
    clinic: Clinic,
    nurse: Screen,
    ticket: TicketId,
    subject: SubjectId,
}

impl Sites {
    async fn open() -> Self {
        let clinic = Clinic::open(1).await;
        Wall::enrol(&clinic.broker, BOX, site(1)).await;
        Wall::enrol(&clinic.broker, OTHER_BOX, site(2)).await;
        let nurse = clinic.nurse(1).await;
        let ticket = clinic.in_bed(&nurse, 1).await;
        let subject = clinic.subject_of(ticket).await;
        nurse.must(Act::WatchReadings { subject, after: 0 }).await;
        Self { clinic, nurse, ticket, subject }
    }

    fn now(&self) -> Timestamp {
        self.clinic.broker.edge.desk.clock.now()
    }

    fn reading(&self, seq: u64) -> OutboxEntry {
        reading_of(Some(self.subject), seq, self.now())
    }

    fn bound(&self, seq: u64, key: &str) -> OutboxEntry {
        let (key, since) = (key.parse().expect("a key"), self.now());
        let (subject, by) = (self.subject, nurse_id(2));
        let entry = Entry::Bound { key, device: cuff(), subject, since, by };
        OutboxEntry { seq, at: since, entry }
    }

    async fn shown(&self) -> usize {
        // One more of the own box, so that whatever came before it is there.
        let mut wall = Wall::connect(&self.clinic.broker, BOX).await;
        let before = self.nurse.shows(|seen| seen.reading_ids(self.subject).len());
        wall.deliver_all(self.now(), vec![self.reading(1_000 + before as u64)]).await;
        let more = |seen: &Seen| seen.reading_ids(self.subject).len() > before;
        self.nurse.until("one more shows", more).await;
        self.nurse.shows(|seen| seen.reading_ids(self.subject).len())
    }

    async fn kept_by(&self, gateway: GatewayId) -> Vec<Value> {
        kept_by(&self.clinic.broker, gateway).await
    }
}

async fn kept_by(broker: &Broker, gateway: GatewayId) -> Vec<Value> {
    let read = move |edge: Arc<Edge>| async move {
        let items = edge.desk.log.items_after(&StreamId::gateway(gateway), 0, 1_000).await;
        items.expect("readable").into_iter().map(|item| item.body).collect()
    };
    broker.inside(read).await
}

#[tokio::test]
async fn readings_for_somebody_at_another_site_are_kept_sealed_and_shown_to_nobody() {
    let sites = Sites::open().await;
    let mut other = Wall::connect(&sites.clinic.broker, OTHER_BOX).await;
    // Acknowledged, so that they do not stand in the way of the box's own patients.
    other.deliver_all(sites.now(), vec![sites.reading(1), sites.reading(2)]).await;
    other.deliver_all(sites.now(), vec![sites.reading(1), sites.reading(2)]).await;
    assert_eq!(sites.shown().await, 1, "only what the own box measured");
    let kept = sites.kept_by(OTHER_BOX).await;
    assert_eq!(kept.len(), 2, "each once");
    for item in kept {
        assert_eq!(item["held"], "other_site");
        // Erasing the person erases it, wherever it lies.
        assert_eq!(item["line"]["pii"]["of"], json!(sites.subject));
    }
}

#[tokio::test]
async fn a_device_that_another_site_put_on_is_on_nobody_and_is_asked_to_come_off() {
    let sites = Sites::open().await;
    let mut other = Wall::connect(&sites.clinic.broker, OTHER_BOX).await;
    other.status(vec![cuff_status(cuff(), None)]).await;
    let elsewhere = sites.clinic.nurse(2).await;
    elsewhere.until("the cuff shows", |seen| seen.devices().len() == 1).await;
    other.deliver_all(sites.now(), vec![sites.bound(1, "not-asked")]).await;
    other.status(vec![cuff_status(cuff(), Some(sites.subject))]).await;
    let Some(FromBroker::Unbind { device, by, .. }) = other.next().await else {
        panic!("it is not taken off")
    };
    assert_eq!((device, by), (cuff(), StaffId(0)));
    for screen in [&elsewhere, &sites.nurse] {
        let on = |seen: &Seen| seen.devices().iter().any(|row| row.ticket.is_some());
        assert!(!screen.shows(on), "on a patient of another site");
    }
    assert_eq!(sites.kept_by(OTHER_BOX).await[0]["held"], "other_site");
}

#[tokio::test]
async fn a_binding_from_another_site_does_not_show_again_what_is_held_back() {
    let sites = Sites::open().await;
    let doctor = sites.clinic.doctor(1).await;
    let (visit, _) = sites.clinic.visit(&doctor, &sites.nurse, sites.ticket).await;
    sites.nurse.must(Act::WrongPatient { visit }).await;
    sites.clinic.advance(Span::seconds(1));
    let mut other = Wall::connect(&sites.clinic.broker, OTHER_BOX).await;
    other.deliver_all(sites.now(), vec![sites.bound(1, "not-asked")]).await;
    let mut wall = Wall::connect(&sites.clinic.broker, BOX).await;
    sites.clinic.advance(Span::seconds(1));
    wall.deliver_all(sites.now(), vec![sites.reading(2)]).await;
    let fresh = sites.clinic.nurse(1).await;
    let subject = sites.subject;
    fresh.must(Act::WatchReadings { subject, after: 0 }).await;
    assert_eq!(fresh.shows(|seen| seen.reading_ids(subject).len()), 0);
}

#[tokio::test]
async fn a_patient_at_home_and_somebody_unknown_belong_to_no_box() {
    let sites = Sites::open().await;
    let home = sites.clinic.at_home(7).await;
    let subject = sites.clinic.subject_of(home.ticket).await;
    home.screen.must(Act::WatchReadings { subject, after: 0 }).await;
    let mut wall = Wall::connect(&sites.clinic.broker, BOX).await;
    let of = |subject, seq| reading_of(Some(subject), seq, sites.now());
    wall.deliver_all(sites.now(), vec![of(subject, 1), of(SubjectId(77), 2)]).await;
    assert_eq!(sites.kept_by(BOX).await.len(), 2);
    assert_eq!(home.screen.shows(|seen| seen.reading_ids(subject).len()), 0);
}

#[tokio::test]
async fn what_was_measured_before_an_outage_of_days_still_reaches_its_person() {
    let sites = Sites::open().await;
    let mut wall = Wall::connect(&sites.clinic.broker, BOX).await;
    wall.status(vec![cuff_status(cuff(), None)]).await;
    sites.nurse.until("the cuff shows", |seen| seen.devices().len() == 1).await;
    let attach = Act::Attach { ticket: sites.ticket, device: cuff(), takes_over: false };
    let (answer, ()) = tokio::join!(sites.nurse.press(attach), async {
        let Some(FromBroker::Bind { key, device, subject, by, .. }) = wall.next().await else {
            panic!("no bind")
        };
        let since = sites.now();
        let entry = Entry::Bound { key, device, subject, since, by };
        wall.deliver_all(since, vec![OutboxEntry { seq: 1, at: since, entry }]).await;
    });
    assert!(answer.is_ok(), "{answer:?}");
    let measured = sites.reading(2);
    drop(wall);
    sites.nurse.must(Act::Leave { ticket: sites.ticket }).await;
    sites.clinic.advance(Span::minutes(3 * 24 * 60));
    // Somebody else's leaving makes the room forget tickets that are over.
    let nurse = sites.clinic.nurse(1).await;
    let next = sites.clinic.admitted(&nurse, 2).await;
    nurse.must(Act::Leave { ticket: next }).await;

    let mut wall = Wall::connect(&sites.clinic.broker, BOX).await;
    wall.deliver_all(sites.now(), vec![measured.clone()]).await;
    let mut other = Wall::connect(&sites.clinic.broker, OTHER_BOX).await;
    other.deliver_all(sites.now(), vec![sites.reading(3)]).await;
    let subject = sites.subject;
    let stored = move |edge: Arc<Edge>| async move {
        let items = edge.desk.log.items_after(&StreamId::subject(subject), 0, 10).await;
        items.expect("readable").len()
    };
    assert_eq!(sites.clinic.broker.inside(stored).await, 1);
    assert_eq!(sites.kept_by(OTHER_BOX).await.len(), 1);
}

#[tokio::test]
async fn readings_of_nobody_are_sealed_with_a_key_of_the_box() {
    let sites = Sites::open().await;
    let mut wall = Wall::connect(&sites.clinic.broker, BOX).await;
    wall.deliver_all(sites.now(), vec![reading_of(None, 1, sites.now())]).await;
    let kept = sites.kept_by(BOX).await;
    assert!(kept[0]["pii"]["of"].is_string(), "{kept:?}");
    assert_eq!(kept[0]["pii"]["value"]["seq"], 1);
    let mut other = Wall::connect(&sites.clinic.broker, OTHER_BOX).await;
    other.deliver_all(sites.now(), vec![reading_of(None, 1, sites.now())]).await;
    assert_ne!(sites.kept_by(OTHER_BOX).await[0]["pii"]["of"], kept[0]["pii"]["of"]);
}

#[tokio::test]
async fn what_an_older_connection_says_after_the_newer_one_began_is_not_applied() {
    let sites = Sites::open().await;
    let edge = Arc::clone(&sites.clinic.broker.edge);
    for round in 0..20u64 {
        let mut older = Wall::connect(&sites.clinic.broker, BOX).await;
        let mut newer = Wall::connect(&sites.clinic.broker, BOX).await;
        newer.status(vec![cuff_status(cuff(), None)]).await;
        until("the newer one is heard", || async {
            edge.gateways.look(|links| links[&BOX].devices.len() == 1)
        })
        .await;
        older.deliver(sites.now(), vec![sites.bound(round + 1, "too-late")]).await;
        older.status(Vec::new()).await;
        assert_eq!(older.refusal().await, Some(RefusedCode::Superseded));
        let devices = edge.gateways.look(|links| links[&BOX].devices.clone());
        assert_eq!(devices, [cuff_status(cuff(), None)]);
        newer.status(Vec::new()).await;
        until("the box is empty again", || async {
            edge.gateways.look(|links| links[&BOX].devices.is_empty())
        })
        .await;
    }
    assert_eq!(sites.kept_by(BOX).await.len(), 0);
}

#[tokio::test]
async fn whoever_dialled_first_and_proved_last_does_not_end_the_newer_connection() {
    let sites = Sites::open().await;
    let mut older = Wall::dial(&sites.clinic.broker, BOX).await;
    older.hello(UPLINK_VERSION).await;
    let asked = older.challenge().await;
    let mut newer = Wall::connect(&sites.clinic.broker, BOX).await;
    newer.deliver_all(sites.now(), vec![reading_of(None, 1, sites.now())]).await;
    older.answer(BOX, asked).await;
    assert_eq!(older.refusal().await, Some(RefusedCode::Superseded));
    newer.deliver_all(sites.now(), vec![reading_of(None, 2, sites.now())]).await;
}

#[tokio::test]
async fn guessing_at_enrolment_codes_is_slowed_down_like_every_other_door() {
    let clinic = Clinic::open(1).await;
    Wall::enrol(&clinic.broker, BOX, site(1)).await;
    let guess = |n: u32| json!({ "code": format!("guess-{n}"), "public_key": "00".repeat(32) });
    let mut refused = Vec::new();
    for n in 0..12 {
        refused.push(clinic.broker.post("/gateway/enrol", guess(n), None).await.code());
    }
    assert_eq!(refused[0], Code::CodeWrong);
    assert_eq!(refused[11], Code::TooMany, "{refused:?}");
    // The right code is not held up for ever.
    clinic.advance(Span::minutes(1));
    Wall::enrol(&clinic.broker, OTHER_BOX, site(2)).await;
}

#[tokio::test]
async fn many_right_enrolments_are_not_slowed_down() {
    let clinic = Clinic::open(1).await;
    for number in 1..=30 {
        Wall::enrol(&clinic.broker, GatewayId(number), site(1)).await;
    }
}
