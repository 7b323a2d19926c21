//! A home kit, from the nurse who lends it to the doctor who calls: its link, its page, its rules.

mod wire_support;

use minato_protocol::act::{Act, Outcome};
use minato_protocol::kit::{ChangeRule, KitRow};
use minato_protocol::reading::{Decimal, Quantity, TypedValue, Unit};
use minato_protocol::uplink::{Entry, FromBroker, OutboxEntry};
use minato_protocol::view::{AlertKind, Origin, TicketRow, TicketState, Why};
use minato_protocol::{Code, KitId, Span, SubjectId};
use minato_signaling::access::{Secrets, doors, random_text};
use minato_signaling::clock::Clock;
use minato_signaling::log::{EventLog, MemoryLog};
use serde_json::json;
use std::sync::Arc;
use wire_support::{
    Broker, Clinic, Screen, Seen, Wall, cuff, cuff_status, kept_of, nurse_id, person, reading_of,
    site,
};

const FAST: ChangeRule =
    ChangeRule::Above { what: Quantity::PulseRate, limit: Decimal::whole(120) };

fn pulse(value: i32) -> Vec<TypedValue> {
    let value = Decimal::whole(value);
    vec![TypedValue { what: Quantity::PulseRate, value, unit: Unit::PerMinute }]
}

fn enter(kit: KitId, value: i32) -> Act {
    Act::EnterKitReading { kit, values: pulse(value), measured_at: None }
}

/// A nurse, a kit with a rule, and its link's secret.
struct Lent {
    clinic: Clinic,
    nurse: Screen,
    kit: KitId,
    subject: SubjectId,
    secret: String,
}

impl Lent {
    async fn over(log: Arc<dyn EventLog>, secrets: Secrets) -> Self {
        let broker = Broker::start(log, Clock::start(), secrets).await;
        let clinic = Clinic::within(broker, 2).await;
        let nurse = clinic.nurse(1).await;
        let set_up = Act::SetUpKit { room: clinic.room, person: person(1) };
        let Outcome::KitSetUp { kit } = nurse.must(set_up).await else { panic!("a kit") };
        nurse.must(Act::SetKitRule { kit, is: FAST, replaces: None }).await;
        let subject =
            nurse.find("the kit shows", |seen| row(seen, kit).map(|row| row.subject)).await;
        let secret = link(&nurse, kit).await;
        // What is measured in the very millisecond of the rule is not measured after it.
        clinic.advance(Span(1));
        Self { clinic, nurse, kit, subject, secret }
    }

    async fn new() -> Self {
        Self::over(Arc::new(MemoryLog::default()), Secrets::random()).await
    }

    /// The page at home, in a browser of its own.
    async fn page(&self) -> Screen {
        Screen::open(&self.clinic.broker, &self.clinic.join(&self.secret).await).await
    }

    async fn tries(&self, secret: &str) -> Code {
        let body = json!({ "secret": secret, "browser": random_text(16) });
        let tried = self.clinic.broker.post("/api/join", body, None).await;
        assert_ne!(tried.status, 200, "{:?}", tried.body);
        tried.code()
    }
}

async fn link(nurse: &Screen, kit: KitId) -> String {
    let outcome = nurse.must(Act::IssueKitLink { kit }).await;
    let Outcome::KitLink { secret, .. } = outcome else { panic!("{outcome:?}") };
    secret
}

fn row(seen: &Seen, kit: KitId) -> Option<&KitRow> {
    seen.kits().into_iter().find(|row| row.kit == kit)
}

fn raised(seen: &Seen) -> Option<TicketRow> {
    seen.tickets().into_iter().find(|row| row.origin == Origin::Kit).cloned()
}

#[tokio::test]
async fn a_value_typed_at_home_over_the_limit_calls_a_doctor_and_the_page_is_in_the_call() {
    let lent = Lent::new().await;
    let (kit, clinic) = (lent.kit, &lent.clinic);
    let (page, doctor) = (lent.page().await, clinic.doctor(1).await);
    page.must(enter(kit, 118)).await;
    let last = |seen: &Seen| row(seen, kit).is_some_and(|row| row.present && row.last.len() == 1);
    lent.nurse.until("the nurse sees the value and the open page", last).await;
    assert!(doctor.shows(|seen| raised(seen).is_none()));

    page.must(enter(kit, 128)).await;
    let ticket = doctor.find("the ticket is in the queue", raised).await;
    assert_eq!((ticket.state, ticket.why), (TicketState::Waiting, Why::ValuesChanged));
    assert_eq!(ticket.fired.len(), 1);
    assert_eq!((ticket.fired[0].rule, ticket.fired[0].value), (FAST, Some(Decimal::whole(128))));
    assert_eq!((ticket.person, ticket.subject), (None, None), "who it is is opened, and logged");
    let ticket = ticket.ticket;
    let told = |seen: &Seen| seen.has_alert(AlertKind::ValuesChanged, ticket);
    lent.nurse.until("the nurse is told", told).await;
    clinic.board.until("the board is told", told).await;
    let own = |seen: &Seen| seen.you().ticket == Some(ticket) && seen.place().is_some();
    page.until("the page knows that a doctor will call", own).await;
    assert!(doctor.shows(|seen| seen.ticket(ticket).is_some_and(|row| row.away_since.is_none())));

    let (visit, epoch) = clinic.call(&doctor, ticket).await;
    let called = |seen: &Seen| seen.place().is_some_and(|row| row.state == TicketState::Called);
    page.until("the page is called", called).await;
    page.must(Act::Answer { ticket, epoch }).await;
    // It may: here is only no relay to join.
    assert_eq!(page.refused(Act::JoinMedia { visit }).await, Code::RelayAway);
    doctor.must(Act::WatchReadings { subject: lent.subject, after: 0 }).await;
    let both = |seen: &Seen| seen.readings.get(&lent.subject).is_some_and(|rows| rows.len() == 2);
    doctor.until("the doctor sees what was measured before the ticket too", both).await;

    clinic.end(&doctor, ticket, epoch).await;
    let over = |seen: &Seen| row(seen, kit).is_some_and(|row| row.ticket.is_none());
    page.until("the kit goes on without a ticket", over).await;
    page.must(enter(kit, 119)).await;
    assert_eq!(kept_of(&clinic.broker, lent.subject).await.len(), 3);
}

#[tokio::test]
async fn without_an_open_page_next_still_takes_the_ticket_and_the_doctor_telephones() {
    let lent = Lent::new().await;
    let (clinic, doctor) = (&lent.clinic, lent.clinic.doctor(1).await);
    // Told by telephone; the page was never opened.
    lent.nurse.must(enter(lent.kit, 128)).await;
    let ticket = doctor.find("the ticket is in the queue", raised).await.ticket;
    clinic.advance(Span::seconds(20));
    let away = |seen: &Seen| seen.ticket(ticket).is_some_and(|row| row.away_since.is_some());
    doctor.until("the doctor sees that nobody is at the page", away).await;
    clinic.advance(Span::minutes(40));
    let outcome = doctor.must(Act::CallNext { room: clinic.room }).await;
    let Outcome::Called { ticket: called, epoch, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(called, ticket, "it lost no place in forty minutes");
    let other = clinic.doctor(2).await;
    assert_eq!(other.refused(Act::Answer { ticket, epoch }).await, Code::NotAllowed);
    assert_eq!(lent.nurse.refused(Act::Answer { ticket, epoch }).await, Code::NotAllowed);
    let number = |seen: &Seen| Some(seen.ticket(ticket)?.person.as_ref()?.call_back.clone());
    assert_eq!(doctor.find("whom to telephone", number).await, person(1).call_back);
    doctor.must(Act::Answer { ticket, epoch }).await;
    clinic.until(ticket, TicketState::InVisit).await;
}

#[tokio::test]
async fn a_kits_link_lets_one_browser_in_until_the_clinic_makes_another() {
    let lent = Lent::new().await;
    let page = lent.page().await;
    assert_eq!(lent.tries(&lent.secret).await, Code::KitElsewhere);
    let newer = link(&lent.nurse, lent.kit).await;
    assert_eq!(page.end().await, Some(Code::LinkRevoked), "the old page dies with its link");
    assert_eq!(lent.tries(&lent.secret).await, Code::LinkRevoked);
    let page = Screen::open(&lent.clinic.broker, &lent.clinic.join(&newer).await).await;
    lent.nurse.must(Act::TakeKitBack { kit: lent.kit }).await;
    assert_eq!(page.end().await, Some(Code::LinkRevoked));
    assert_eq!(lent.nurse.refused(Act::IssueKitLink { kit: lent.kit }).await, Code::KitUnknown);
    let unopened = |seen: &Seen| row(seen, lent.kit).is_none();
    lent.nurse.until("the kit is off the list", unopened).await;
}

#[tokio::test]
async fn a_kits_link_is_opened_within_two_weeks_or_not_at_all() {
    let lent = Lent::new().await;
    lent.clinic.advance(doors::KIT_LINK_LIFE);
    assert_eq!(lent.tries(&lent.secret).await, Code::LinkExpired);
}

#[tokio::test]
async fn a_kits_page_lasts_for_months_and_then_its_time_is_over() {
    let lent = Lent::new().await;
    let page = lent.page().await;
    lent.clinic.advance(doors::KIT_LINK_LIFE);
    page.must(enter(lent.kit, 118)).await;
    lent.clinic.advance(doors::KIT_SESSION_LIFE);
    assert_eq!(page.end().await, Some(Code::LinkExpired));
}

#[tokio::test]
async fn only_the_sites_nurse_has_a_say_and_the_page_only_its_own_values() {
    let lent = Lent::new().await;
    let (kit, clinic) = (lent.kit, &lent.clinic);
    let (page, doctor, other) = (lent.page().await, clinic.doctor(1).await, clinic.nurse(2).await);
    for screen in [&page, &doctor, &other, &clinic.board] {
        for act in [
            Act::SetKitRule { kit, is: FAST, replaces: None },
            Act::TakeKitRule { kit, rule: 1 },
            Act::IssueKitLink { kit },
            Act::TakeKitBack { kit },
        ] {
            assert_eq!(screen.refused(act).await, Code::NotAllowed);
        }
    }
    for screen in [&doctor, &other, &clinic.board] {
        assert_eq!(screen.refused(enter(kit, 128)).await, Code::NotAllowed);
        assert!(screen.shows(|seen| seen.kits().is_empty()));
        let watch = Act::WatchReadings { subject: lent.subject, after: 0 };
        assert_eq!(screen.refused(watch).await, Code::NotAllowed);
    }
    assert_eq!(page.refused(enter(KitId(1), 128)).await, Code::NotAllowed);
    page.must(Act::WatchReadings { subject: lent.subject, after: 0 }).await;
    let own = page.shows(|seen| seen.kits()[0].clone());
    assert_eq!((own.person, own.rules), (None, vec![]), "limits are the clinic's");
}

#[tokio::test]
async fn the_patient_does_not_make_undone_that_a_doctor_looks() {
    let lent = Lent::new().await;
    let (page, doctor) = (lent.page().await, lent.clinic.doctor(1).await);
    page.must(enter(lent.kit, 128)).await;
    let ticket = doctor.find("the ticket is in the queue", raised).await.ticket;
    let own = |seen: &Seen| seen.you().ticket == Some(ticket);
    page.until("it is the page's own", own).await;
    assert_eq!(page.refused(Act::Leave { ticket }).await, Code::NotAllowed);
}

#[tokio::test]
async fn rules_are_changed_and_taken_away_with_who_and_when() {
    let lent = Lent::new().await;
    let kit = lent.kit;
    let lower = ChangeRule::Above { what: Quantity::PulseRate, limit: Decimal::whole(110) };
    lent.nurse.must(Act::SetKitRule { kit, is: lower, replaces: Some(1) }).await;
    let two = |seen: &Seen| row(seen, kit).filter(|row| row.rules.len() == 2).cloned();
    let rules = lent.nurse.find("both rules show", two).await.rules;
    let name = wire_support::name_of(nurse_id(1));
    assert_eq!(rules[0].taken.as_ref().map(|(by, _)| by.clone()), Some(name.clone()));
    assert_eq!((rules[1].is, rules[1].by.clone()), (lower, name));
    assert!(rules[1].taken.is_none());
    let again = Act::SetKitRule { kit, is: lower, replaces: Some(1) };
    assert_eq!(lent.nurse.refused(again).await, Code::RuleUnknown);
}

#[tokio::test]
async fn a_box_of_the_site_measures_for_somebody_at_home() {
    let lent = Lent::new().await;
    let (kit, subject, clinic) = (lent.kit, lent.subject, &lent.clinic);
    let now = || clinic.broker.edge.desk.clock.now();
    let high = ChangeRule::Above { what: Quantity::Systolic, limit: Decimal::whole(1) };
    lent.nurse.must(Act::SetKitRule { kit, is: high, replaces: None }).await;
    clinic.advance(Span::seconds(1));
    Wall::enrol(&clinic.broker, wire_support::BOX, site(1)).await;
    let mut wall = Wall::connect(&clinic.broker, wire_support::BOX).await;
    wall.status(vec![cuff_status(cuff(), None)]).await;
    lent.nurse.until("the cuff shows", |seen| seen.devices().len() == 1).await;
    let attach = Act::AttachToKit { kit, device: cuff(), takes_over: false };
    let (answer, ()) = tokio::join!(lent.nurse.press(attach), async {
        let Some(FromBroker::Bind { key, device, subject: whose, by, .. }) = wall.next().await
        else {
            panic!("no bind")
        };
        assert_eq!((whose, by), (subject, nurse_id(1)));
        let entry = Entry::Bound { key, device, subject, since: now(), by };
        wall.deliver_all(now(), vec![OutboxEntry { seq: 1, at: now(), entry }]).await;
    });
    assert_eq!(answer, Ok(Outcome::Done));
    wall.deliver_all(now(), vec![reading_of(Some(subject), 2, now())]).await;
    let doctor = clinic.doctor(1).await;
    doctor.find("the ticket is in the queue", raised).await;
    // While the ticket is open the box still speaks for its patient.
    wall.deliver_all(now(), vec![reading_of(Some(subject), 3, now())]).await;
    assert_eq!(kept_of(&clinic.broker, subject).await.len(), 2);
}

#[tokio::test]
async fn after_a_start_what_had_fired_is_there_once_and_the_page_is_still_in() {
    let (log, secrets) = (Arc::new(MemoryLog::default()), Secrets::random());
    let lent = Lent::over(Arc::clone(&log) as _, secrets.clone()).await;
    let kit = lent.kit;
    let cookie = lent.clinic.join(&lent.secret).await;
    lent.nurse.must(enter(kit, 128)).await;
    lent.clinic.board.find("the ticket is there", raised).await;
    let Lent { clinic, .. } = lent;
    let clock = clinic.broker.edge.desk.clock.clone();
    clinic.broker.kill().await;
    let broker = Broker::start(log, clock, secrets).await;
    let page = Screen::open(&broker, &cookie).await;
    page.until("its own kit shows", |seen| row(seen, kit).is_some_and(|row| !row.last.is_empty()))
        .await;
    let nurse = Screen::open(&broker, &broker.sign_in(nurse_id(1)).await).await;
    nurse.must(enter(kit, 130)).await;
    let kept =
        |seen: &Seen| row(seen, kit).is_some_and(|row| row.last[0].value == Decimal::whole(130));
    nurse.until("the newer value was judged", kept).await;
    let tickets = nurse.shows(|seen| seen.tickets().len());
    assert_eq!(tickets, 1);
    assert_eq!(nurse.shows(|seen| raised(seen).map(|row| row.fired.len())), Some(1));
}
