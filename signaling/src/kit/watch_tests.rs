use super::watch::look;
use super::*;
use crate::access::Secrets;
use crate::clock::Clock;
use crate::desk::Desk;
use crate::log::{EventLog, Fault, MemoryLog, StreamId};
use crate::readings::Readings;
use crate::room::{Command as RoomCommand, Event as RoomEvent, Room};
use minato_protocol::reading::{
    Characteristic, Decimal, Device, DeviceId, DeviceKind, EnteredBy, Hex, HexBytes, MeasuredValue,
    Measurement, Outcome, Provenance, Quality, Quantity, Reading, ReadingId, TransportKind, Unit,
};
use minato_protocol::view::Clinic;
use minato_protocol::{GatewayId, KitId, Person, SiteId, SubjectId};
use std::collections::HashMap;
use std::sync::Arc;

const KIT: KitId = KitId(5);
const SUBJECT: SubjectId = SubjectId(7);
const ROOM: RoomId = RoomId(1);
const NURSE: StaffId = StaffId(201);
const FAST: ChangeRule =
    ChangeRule::Above { what: Quantity::PulseRate, limit: Decimal::whole(120) };
const WARM: ChangeRule =
    ChangeRule::Above { what: Quantity::Temperature, limit: Decimal::whole(38) };
const SILENT: ChangeRule =
    ChangeRule::Missing { what: Quantity::PulseRate, within: Span::minutes(60) };

/// A home with a kit. What stays over a start is the log, the clock and the secrets.
struct Home {
    log: Arc<MemoryLog>,
    clock: Clock,
    secrets: Secrets,
    desk: Desk,
    readings: Readings,
    readings_made: u8,
}

impl Home {
    async fn with(rules: &[ChangeRule]) -> Self {
        let (log, clock) = (Arc::new(MemoryLog::default()), Clock::start());
        let secrets = Secrets::random();
        let desk = Desk::new(Arc::clone(&log) as _, clock.clone(), secrets.clone());
        desk.room_was_opened(ROOM);
        let open = RoomCommand::Open { name: "夜間".into(), clinic: Clinic::default() };
        desk.in_room(ROOM, None, open).await.unwrap();
        let person = Person {
            name: "自宅 花子".into(),
            kana: "じたく はなこ".into(),
            birth_date: "1940-01-02".into(),
            call_back: "0599-00-0000".into(),
            location: "島 1-2".into(),
        };
        let person = Pii::new(SUBJECT, person);
        let new = NewKit { subject: SUBJECT, person, room: ROOM, site: SiteId(1), by: NURSE };
        let readings = Readings::default();
        let home = Self { log, clock, secrets, desk, readings, readings_made: 0 };
        home.say(Command::SetUp(new)).await;
        for is in rules {
            home.say(Command::SetRule { is: *is, replaces: None, by: NURSE }).await;
        }
        home.clock.advance(Span::minutes(1));
        home
    }

    async fn say(&self, command: Command) {
        self.desk.kits.submit(&StreamId::kit(KIT), None, command).await.unwrap();
    }

    /// The process ends and another one begins over the same log.
    fn restart(&mut self) {
        self.desk = Desk::new(Arc::clone(&self.log) as _, self.clock.clone(), self.secrets.clone());
        self.desk.room_was_opened(ROOM);
    }

    async fn measure(&mut self, what: Quantity, value: i32, quality: &[Quality]) -> ReadingId {
        self.readings_made += 1;
        let reading = typed(self.readings_made, what, value, quality, self.clock.now());
        let (id, now) = (reading.id, self.clock.now());
        let outcomes = vec![Outcome::Reading(reading)];
        self.readings.store(&self.desk, SUBJECT, now, outcomes).await.unwrap();
        id
    }

    /// One round with nothing in memory, as after a start.
    async fn look(&self) -> Result<(), Code> {
        let kits = Kits::default();
        kits.add(KIT, SUBJECT, SiteId(1));
        look(&self.desk, &kits, (KIT, SUBJECT), &mut HashMap::new()).await
    }

    async fn room(&self) -> Room {
        self.desk.room(ROOM).await.unwrap().state.clone()
    }

    /// For each ticket of the kit what changed, by number of the firing.
    async fn tickets(&self) -> Vec<Vec<u32>> {
        let room = self.room().await;
        let mut all: Vec<_> = room.tickets.iter().map(|(_, ticket)| Arc::clone(ticket)).collect();
        all.sort_by_key(|ticket| ticket.serial);
        let told = |ticket: &Arc<crate::room::Ticket>| {
            let raised = ticket.raised.as_ref().expect("from the kit");
            raised.told().iter().map(|fired| fired.firing).collect()
        };
        all.iter().map(told).collect()
    }

    async fn end_ticket(&self) {
        let ticket = self.room().await.live().next().expect("a ticket").id;
        let left = RoomCommand::Leave { ticket };
        self.desk.in_room(ROOM, None, left).await.unwrap();
    }

    async fn raised_events(&self) -> usize {
        let events = self.log.read_after(&StreamId::room(ROOM), 0, 1_000).await.unwrap();
        events.iter().filter(|event| event.kind.starts_with("raised")).count()
    }
}

fn typed(number: u8, what: Quantity, value: i32, quality: &[Quality], at: Timestamp) -> Reading {
    let kind = DeviceKind::Person;
    let id: DeviceId = "person".parse().expect("a short name");
    let device = Device { id, kind, model: String::new() };
    let unit = minato_protocol::kit::watched_unit(what).unwrap_or(Unit::Percent);
    let value = MeasuredValue::Number { value: Decimal::whole(value) };
    Reading {
        id: ReadingId(Hex([number; 16])),
        device,
        characteristic: Characteristic::Typed,
        measurements: vec![Measurement { what, value, unit, original: None }],
        quality: quality.to_vec(),
        device_time: None,
        gateway_time: at,
        device_user: None,
        site: None,
        provenance: Provenance {
            gateway: GatewayId(0),
            transport: TransportKind::Manual,
            entered: Some(EnteredBy::Patient),
            driver: "typed".into(),
            raw: HexBytes(vec![number]),
            boot: Hex([0; 8]),
            sequence: u64::from(number),
        },
    }
}

#[tokio::test]
async fn a_value_over_the_limit_opens_one_ticket_with_its_reason() {
    let mut home = Home::with(&[FAST, WARM]).await;
    home.measure(Quantity::PulseRate, 120, &[]).await;
    home.look().await.unwrap();
    assert!(home.tickets().await.is_empty());
    home.measure(Quantity::PulseRate, 128, &[]).await;
    home.look().await.unwrap();
    home.look().await.unwrap();
    let room = home.room().await;
    let ticket = room.waiting().next().expect("in the queue");
    let fired = ticket.raised.as_ref().expect("from the kit").told();
    assert_eq!((fired[0].rule, fired[0].value), (FAST, Some(Decimal::whole(128))));
    assert_eq!(ticket.subject, SUBJECT);
    assert_eq!(home.tickets().await, [[1]]);
}

#[tokio::test]
async fn while_a_ticket_is_open_it_gains_the_further_rule_and_no_other_opens() {
    let mut home = Home::with(&[FAST, WARM]).await;
    home.measure(Quantity::PulseRate, 128, &[]).await;
    home.look().await.unwrap();
    home.measure(Quantity::Temperature, 39, &[]).await;
    home.look().await.unwrap();
    assert_eq!(home.tickets().await, [[1, 2]]);
    // Over, and nothing new: no ticket a reading.
    home.end_ticket().await;
    home.measure(Quantity::PulseRate, 130, &[]).await;
    home.look().await.unwrap();
    assert_eq!(home.tickets().await, [[1, 2]]);
    // Back to normal, and up again.
    home.clock.advance(Span::minutes(20));
    home.measure(Quantity::PulseRate, 80, &[]).await;
    home.clock.advance(Span::minutes(20));
    home.measure(Quantity::PulseRate, 131, &[]).await;
    home.look().await.unwrap();
    assert_eq!(home.tickets().await, [vec![1, 2], vec![3]]);
}

#[tokio::test]
async fn cut_off_after_any_step_the_same_firing_opens_one_ticket() {
    // What was written is true, the answer is lost, and the process with it: at every step.
    let mut home = Home::with(&[FAST, WARM]).await;
    home.measure(Quantity::PulseRate, 128, &[]).await;
    home.measure(Quantity::Temperature, 39, &[]).await;
    for _ in 0..12 {
        home.log.inject(Fault::LoseAnswer);
        // Refused as long as there was something to write.
        let _cut_off = home.look().await;
        home.restart();
    }
    assert_eq!(home.tickets().await, [[1, 2]]);
    assert_eq!(home.raised_events().await, 1, "both were there before the ticket was chosen");
    let kit = home.desk.kits.see(&StreamId::kit(KIT)).await.unwrap();
    assert!(kit.state.pending.is_empty() && kit.state.open_ticket().is_some());
}

#[tokio::test]
async fn a_firing_that_the_room_had_before_its_ticket_was_over_goes_to_no_other() {
    let mut home = Home::with(&[FAST]).await;
    home.measure(Quantity::PulseRate, 128, &[]).await;
    // Fired, chosen, raised; then cut off before the kit noted it.
    for _ in 0..3 {
        home.log.inject(Fault::LoseAnswer);
        assert_eq!(home.look().await, Err(Code::NotDurable));
        home.restart();
    }
    home.end_ticket().await;
    home.look().await.unwrap();
    home.look().await.unwrap();
    assert_eq!(home.tickets().await, [[1]]);
}

#[tokio::test]
async fn a_kit_that_was_cut_off_before_it_noted_the_first_ticket_still_opens_the_second() {
    let mut home = Home::with(&[FAST, WARM]).await;
    home.measure(Quantity::PulseRate, 128, &[]).await;
    for _ in 0..3 {
        home.log.inject(Fault::LoseAnswer);
        assert_eq!(home.look().await, Err(Code::NotDurable));
        home.restart();
    }
    home.end_ticket().await;
    home.measure(Quantity::Temperature, 39, &[]).await;
    home.look().await.unwrap();
    assert_eq!(home.tickets().await, [vec![1], vec![2]]);
}

#[tokio::test]
async fn a_value_of_a_box_whose_clock_is_a_day_behind_opens_a_ticket_too() {
    let home = Home::with(&[FAST]).await;
    let there = home.clock.now() - Span::minutes(24 * 60);
    let outcome = Outcome::Reading(typed(1, Quantity::PulseRate, 128, &[], there));
    home.readings.store(&home.desk, SUBJECT, there, vec![outcome]).await.unwrap();
    home.look().await.unwrap();
    assert_eq!(home.tickets().await, [[1]]);
}

#[tokio::test]
async fn a_firing_whose_ticket_went_over_before_it_came_gets_the_next_ticket() {
    let mut home = Home::with(&[FAST, WARM]).await;
    home.measure(Quantity::PulseRate, 128, &[]).await;
    home.look().await.unwrap();
    home.measure(Quantity::Temperature, 39, &[]).await;
    home.log.inject(Fault::LoseAnswer);
    assert_eq!(home.look().await, Err(Code::NotDurable));
    home.end_ticket().await;
    home.restart();
    home.look().await.unwrap();
    assert_eq!(home.tickets().await, [vec![1], vec![2]]);
}

#[tokio::test]
async fn what_is_doubted_withdrawn_or_a_demonstration_fires_nothing_and_is_missed() {
    let mut home = Home::with(&[FAST, SILENT]).await;
    let doubtful = home.measure(Quantity::PulseRate, 290, &[Quality::Implausible]).await;
    home.measure(Quantity::PulseRate, 150, &[Quality::Questionable]).await;
    let wrong = home.measure(Quantity::PulseRate, 151, &[]).await;
    let withdraw = crate::subject::Command::Withdraw {
        reading: wrong,
        by: NURSE,
        reason: Pii::new(SUBJECT, "別の人".into()),
        replaced_by: None,
    };
    home.readings.note(&home.desk, SUBJECT, None, withdraw).await.unwrap();
    home.look().await.unwrap();
    assert!(home.tickets().await.is_empty());
    home.clock.advance(Span::minutes(60));
    home.look().await.unwrap();
    assert_eq!(home.tickets().await, [[1]], "none of them was a value");
    let confirm = crate::subject::Command::Confirm { reading: doubtful, by: NURSE };
    home.readings.note(&home.desk, SUBJECT, None, confirm).await.unwrap();
    home.look().await.unwrap();
    assert_eq!(home.tickets().await, [[1, 2]], "somebody looked: it is real");
}

#[tokio::test]
async fn a_missing_value_opens_a_ticket_once_and_not_for_the_time_we_were_away() {
    let home = Home::with(&[SILENT]).await;
    home.clock.advance(Span::minutes(50));
    // Half an hour in which nobody could have sent anything.
    home.clock.advance(Span::minutes(30));
    home.say(Command::ExtendGraces { span: Span::minutes(30) }).await;
    home.look().await.unwrap();
    assert!(home.tickets().await.is_empty());
    home.clock.advance(Span::minutes(10));
    home.look().await.unwrap();
    home.look().await.unwrap();
    assert_eq!(home.tickets().await, [[1]]);
    home.end_ticket().await;
    home.clock.advance(Span::minutes(600));
    home.look().await.unwrap();
    assert_eq!(home.tickets().await, [[1]], "it is still the same silence");
}

#[tokio::test]
async fn intake_that_is_closed_keeps_no_change_out() {
    let mut home = Home::with(&[FAST]).await;
    let closed = RoomCommand::SetIntake { closed: true };
    home.desk.in_room(ROOM, None, closed).await.unwrap();
    home.measure(Quantity::PulseRate, 128, &[]).await;
    home.look().await.unwrap();
    assert_eq!(home.tickets().await, [[1]]);
}

#[tokio::test]
async fn the_numbers_of_firings_stay_where_the_person_was_forgotten() {
    let mut home = Home::with(&[FAST]).await;
    home.measure(Quantity::PulseRate, 128, &[]).await;
    home.look().await.unwrap();
    let events = home.log.read_after(&StreamId::room(ROOM), 0, 1_000).await.unwrap();
    let raised = events.iter().find(|event| event.kind == "raised").expect("raised");
    let event: RoomEvent = serde_json::from_value(raised.body["is"].clone()).unwrap();
    assert!(matches!(event, RoomEvent::Raised { up_to: 1, .. }));
    let text = raised.body["is"]["fired"].to_string();
    assert!(text.contains("pii"), "values are marked as a person's: {text}");
}
