//! The bench between a transport and the disk: whose a value is, when it was measured, and what
//! stands in a device's way.

mod runs;

use super::*;
use crate::binding::BindRequest;
use crate::codec::{encode_current_time, encode_datetime};
use crate::driver::Offer;
use crate::outbox::Outbox;
use crate::transport::simulator::{Rehearsal, Simulator};
use minato_protocol::reading::{Outcome, Quality, Reading, TransportKind};
use minato_protocol::uplink::{Entry, SimulatedFault, Trouble, UnboundWhy};
use minato_protocol::{StaffId, SubjectId};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

const T0: Timestamp = Timestamp(1_795_300_000_000);
const DAY: Span = Span::minutes(24 * 60);
const SATO: SubjectId = SubjectId(1);
const ITO: SubjectId = SubjectId(2);
const NURSE: StaffId = StaffId(9);

const CUFF_RESULT: [u8; 7] = [0x00, 0x78, 0x00, 0x50, 0x00, 0x5a, 0x00];
const OXIMETER_VALUE: [u8; 5] = [0x00, 0x61, 0x00, 0x4b, 0x00];
const NO_FINGER: [u8; 8] = [0x08, 0xff, 0x07, 0xff, 0x07, 0x00, 0x08, 0x00];

/// A bench with its disk; time stands still until it is told otherwise.
struct Wall {
    bench: Bench,
    ledger: Ledger,
    told: watch::Receiver<Vec<DeviceStatus>>,
    now: Arc<AtomicI64>,
    steady: Arc<AtomicI64>,
    bound: u32,
}

impl Wall {
    fn open(folder: &Path) -> Self {
        let [now, steady] = [(); 2].map(|()| Arc::new(AtomicI64::new(T0.0)));
        let read = |from: &Arc<AtomicI64>| {
            let from = from.clone();
            move || Timestamp(from.load(Ordering::SeqCst))
        };
        let clock = Clock::beside(read(&now), read(&steady));
        let given_up = std::time::Instant::now() + Duration::from_secs(10);
        // The thread of a ledger before lets go of the file a moment after its last handle is gone.
        let outbox = loop {
            match Outbox::open(folder) {
                Ok(outbox) => break outbox,
                Err(error) => assert!(std::time::Instant::now() < given_up, "{error}"),
            }
        };
        let ledger = Ledger::start(outbox, clock.clone()).expect("it starts");
        let (tell, told) = watch::channel(Vec::new());
        let around = (zone(), clock);
        let (waves, _) = broadcast::channel(4);
        let who = (GatewayId(1), Hex([3; 8]));
        let bench = Bench::new(who, around, ledger.clone(), waves, tell);
        Self { bench, ledger, told, now, steady, bound: 0 }
    }

    async fn hear(&mut self, heard: Heard) {
        if let Heard::Bytes { at, .. } = &heard {
            let passed = at.0 - self.now.swap(at.0, Ordering::SeqCst);
            self.steady.fetch_add(passed, Ordering::SeqCst);
        }
        self.bench.hear(heard).await.expect("it runs");
        self.ledger.settled().await.expect("it runs");
        self.bench.tell_status(&self.ledger.head().borrow().clone());
    }

    async fn appear(&mut self, device: &str, numbers: &[u16]) {
        let attributes = numbers.iter().map(|number| Attribute::assigned(*number)).collect();
        let found = Found {
            device: id(device),
            offer: Offer { name: "any".into(), attributes },
            transport: TransportKind::Bluetooth,
            battery_percent: None,
            signal_dbm: None,
            startable: false,
        };
        self.hear(Heard::Appeared(found)).await;
    }

    async fn says(&mut self, device: &str, number: u16, bytes: &[u8], at: Timestamp) {
        let from = Attribute::assigned(number);
        self.hear(Heard::Bytes { device: id(device), from, bytes: bytes.to_vec(), at }).await;
    }

    async fn bind(&mut self, device: &str) {
        self.takes_over(device, SATO).await;
    }

    async fn takes_over(&mut self, device: &str, subject: SubjectId) {
        self.bound += 1;
        let key = format!("{device}-{}", self.bound).parse().expect("a key");
        let off = BindRequest::off(key, id(device), NURSE);
        let request = BindRequest { subject: Some(subject), takes_over: true, ..off };
        self.ledger.bind(request).await.expect("it runs").expect("it may");
    }

    /// Somebody sets the gateway's clock forward by this much.
    fn set_clock(&mut self, by: Span) {
        self.now.fetch_add(by.0, Ordering::SeqCst);
    }

    async fn entries(&self) -> Vec<Entry> {
        let all = self.ledger.after(0, usize::MAX, usize::MAX).await.expect("it runs");
        all.expect("readable").into_iter().map(|line| line.entry).collect()
    }

    async fn readings(&self) -> Vec<(Option<SubjectId>, Reading)> {
        let measured = |entry| match entry {
            Entry::Measured { subject, outcome: Outcome::Reading(reading) } => {
                Some((subject, reading))
            }
            Entry::Measured { .. } | Entry::Bound { .. } | Entry::Unbound { .. } => None,
        };
        self.entries().await.into_iter().filter_map(measured).collect()
    }

    fn trouble(&self, device: &DeviceId) -> Option<Trouble> {
        let told = self.told.borrow();
        told.iter().find(|status| status.device == *device).expect("it hangs here").trouble
    }
}

fn zone() -> TimeZone {
    TimeZone::get("Asia/Tokyo").expect("a zone")
}

fn id(text: &str) -> DeviceId {
    text.parse().expect("an id")
}

fn civil(at: Timestamp) -> DateTime {
    zone().to_datetime(jiff::Timestamp::from_millisecond(at.0).expect("a time"))
}

/// A cuff's result that the device's clock puts at `said`.
fn result_at(said: Timestamp) -> Vec<u8> {
    let mut bytes = CUFF_RESULT.to_vec();
    bytes[0] = 0x02;
    bytes.extend(encode_datetime(civil(said)));
    bytes
}

async fn with_oximeter(folder: &Path) -> Wall {
    let mut wall = Wall::open(folder);
    wall.appear("o1", &[0x2A5F]).await;
    wall.bind("o1").await;
    wall.says("o1", 0x2A5F, &OXIMETER_VALUE, T0 + Span::seconds(1)).await;
    wall
}

fn whose(readings: &[(Option<SubjectId>, Reading)]) -> Vec<Option<SubjectId>> {
    readings.iter().map(|(subject, _)| *subject).collect()
}

#[tokio::test]
async fn an_oximeter_that_was_silent_for_too_long_is_on_nobody_when_it_speaks_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut wall = with_oximeter(folder.path()).await;
    let later = T0 + Span::seconds(2) + SILENCE_UNBINDS;
    wall.says("o1", 0x2A5F, &OXIMETER_VALUE, later).await;
    assert_eq!(whose(&wall.readings().await), [Some(SATO), None]);
    let entries = wall.entries().await;
    let off = |entry: &Entry| matches!(entry, Entry::Unbound { why: UnboundWhy::Silent, .. });
    assert_eq!(entries.iter().filter(|entry| off(entry)).count(), 1);
}

#[tokio::test]
async fn a_sensor_without_a_finger_is_silent_too_however_often_it_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut wall = with_oximeter(folder.path()).await;
    for second in 2..=125 {
        wall.says("o1", 0x2A5F, &NO_FINGER, T0 + Span::seconds(second)).await;
    }
    wall.says("o1", 0x2A5F, &OXIMETER_VALUE, T0 + Span::seconds(126)).await;
    let readings = wall.readings().await;
    assert_eq!(readings.last().map(|(subject, _)| *subject), Some(None));
    let for_sato = readings.iter().filter(|(subject, _)| *subject == Some(SATO)).count();
    assert_eq!(for_sato, 121, "those within two minutes of the last value");
}

#[tokio::test]
async fn a_cuff_may_be_silent_between_two_measurements() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut wall = Wall::open(folder.path());
    wall.appear("c1", &[0x2A35]).await;
    wall.bind("c1").await;
    for minute in [1, 30] {
        wall.says("c1", 0x2A35, &CUFF_RESULT, T0 + Span::minutes(minute)).await;
    }
    assert_eq!(whose(&wall.readings().await), [Some(SATO), Some(SATO)]);
}

#[tokio::test]
async fn a_record_of_a_cuff_three_days_off_is_put_right_and_marked_also_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    for off in [Span(-3 * DAY.0), Span(3 * DAY.0)] {
        let mut wall = Wall::open(folder.path());
        wall.appear("c1", &[0x2A35]).await;
        let shown = encode_current_time(civil(T0 + off));
        wall.says("c1", 0x2A2B, &shown, T0).await;
        drop(wall);
        let mut wall = Wall::open(folder.path());
        wall.appear("c1", &[0x2A35]).await;
        wall.bind("c1").await;
        // Bound at T0, measured a minute later, sent after five more minutes.
        let measured = T0 + Span::seconds(60);
        let received = measured + Span::minutes(5);
        wall.says("c1", 0x2A35, &result_at(measured + off), received).await;
        let (subject, reading) = wall.readings().await.pop().expect("a reading");
        let time = reading.device_time.clone().expect("a time");
        assert_eq!(time.correction, Span(-off.0));
        assert_eq!(reading.measured_at(), measured);
        assert!(reading.quality.contains(&Quality::ClockCorrected), "{:?}", reading.quality);
        assert_eq!(subject, Some(SATO));
        assert_eq!(wall.trouble(&id("c1")), Some(Trouble::ClockWrong));
    }
}

#[tokio::test]
async fn what_was_measured_before_the_binding_by_the_corrected_clock_is_nobodys() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut wall = Wall::open(folder.path());
    wall.appear("c1", &[0x2A35]).await;
    let shown = encode_current_time(civil(T0 - Span(3 * DAY.0)));
    wall.says("c1", 0x2A2B, &shown, T0).await;
    wall.bind("c1").await;
    let before = T0 - Span::minutes(20);
    wall.says("c1", 0x2A35, &result_at(before - Span(3 * DAY.0)), T0 + Span::seconds(5)).await;
    let (subject, reading) = wall.readings().await.pop().expect("a reading");
    assert_eq!((subject, reading.measured_at()), (None, before));
}

#[tokio::test]
async fn a_measurement_seen_live_happened_when_it_was_seen_whatever_the_cuffs_clock_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut wall = Wall::open(folder.path());
    wall.appear("c1", &[0x2A35, 0x2A36]).await;
    wall.bind("c1").await;
    let filling = [0x00, 0x50, 0x00, 0xff, 0x07, 0xff, 0x07];
    for second in [1, 6, 11] {
        wall.says("c1", 0x2A36, &filling, T0 + Span::seconds(second)).await;
    }
    let ended = T0 + Span::seconds(12);
    wall.says("c1", 0x2A35, &result_at(ended - DAY), ended).await;
    let (subject, reading) = wall.readings().await.pop().expect("a reading");
    assert_eq!((subject, reading.measured_at()), (Some(SATO), ended));
    assert!(reading.quality.contains(&Quality::ClockWrong));
    assert!(!reading.quality.contains(&Quality::ClockCorrected));
}

#[tokio::test]
async fn a_record_from_memory_in_the_middle_of_a_run_is_not_taken_for_the_runs_result() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut wall = Wall::open(folder.path());
    wall.appear("c1", &[0x2A35, 0x2A36]).await;
    wall.says("c1", 0x2A2B, &encode_current_time(civil(T0)), T0).await;
    wall.bind("c1").await;
    let filling = [0x00, 0x50, 0x00, 0xff, 0x07, 0xff, 0x07];
    wall.says("c1", 0x2A36, &filling, T0 + Span::seconds(60)).await;
    let before = T0 - Span::minutes(3);
    wall.says("c1", 0x2A35, &result_at(before), T0 + Span::seconds(62)).await;
    let (subject, reading) = wall.readings().await.pop().expect("a reading");
    assert_eq!((subject, reading.measured_at()), (None, before));
}

#[tokio::test]
async fn a_record_that_is_sent_three_times_across_a_restart_is_there_once() {
    let folder = tempfile::tempdir().expect("a folder");
    for _ in 0..3 {
        let mut wall = Wall::open(folder.path());
        wall.appear("c1", &[0x2A35]).await;
        let record = result_at(T0 - Span::minutes(5));
        wall.says("c1", 0x2A35, &record, T0 + Span::seconds(1)).await;
        wall.says("c1", 0x2A35, &record, T0 + Span::seconds(2)).await;
        assert_eq!(wall.readings().await.len(), 1);
    }
}

#[tokio::test]
async fn two_equal_live_values_are_both_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut wall = with_oximeter(folder.path()).await;
    wall.says("o1", 0x2A5F, &OXIMETER_VALUE, T0 + Span::seconds(2)).await;
    assert_eq!(wall.readings().await.len(), 2);
}

#[tokio::test]
async fn each_of_eight_faults_is_named_right_and_forgotten_when_it_is_over() {
    let faults = [
        ("sim-cuff-1", SimulatedFault::BatteryEmpty, Trouble::NoBattery),
        ("sim-cuff-1", SimulatedFault::NotPaired, Trouble::NotPaired),
        ("sim-cuff-1", SimulatedFault::CuffLoose, Trouble::CuffLoose),
        ("sim-cuff-1", SimulatedFault::BodyMovement, Trouble::BodyMoved),
        ("sim-oximeter-1", SimulatedFault::Silent, Trouble::OutOfRange),
        ("sim-cuff-1", SimulatedFault::ClockWrong, Trouble::ClockWrong),
        ("sim-oximeter-1", SimulatedFault::HeldElsewhere, Trouble::HeldElsewhere),
        ("sim-oximeter-1", SimulatedFault::SensorOff, Trouble::SensorOff),
    ];
    for (device, fault, trouble) in faults {
        let folder = tempfile::tempdir().expect("a folder");
        let mut wall = Wall::open(folder.path());
        let rehearsal = Rehearsal { seed: 1, beds: 1, zone: zone(), run: 1 };
        let (mut simulator, device) = (Simulator::new(&rehearsal, T0), id(device));
        for found in simulator.found() {
            wall.hear(found).await;
        }
        simulator.wear(&device, true, T0);
        simulator.fail(&device, fault, T0).expect("its fault");
        let _ = simulator.measure(&device, T0);
        let mut named = Vec::new();
        while let Some(heard) = simulator.poll(T0 + Span::seconds(40)) {
            wall.hear(heard).await;
            named.extend(wall.trouble(&device));
        }
        named.dedup();
        assert_eq!(named, [trouble], "{fault:?}");
        // A second measurement without a fault, and time for a clock to be right again.
        let again = T0 + Span::seconds(41);
        let _ = simulator.measure(&device, again);
        while let Some(heard) = simulator.poll(again + Span::minutes(1)) {
            wall.hear(heard).await;
        }
        assert_eq!(wall.trouble(&device), None, "{fault:?} is over");
    }
}

#[tokio::test]
async fn a_machine_that_was_off_for_nobody_knows_how_long_takes_the_oximeter_off_and_not_the_cuff()
{
    let folder = tempfile::tempdir().expect("a folder");
    let mut wall = with_oximeter(folder.path()).await;
    wall.appear("c1", &[0x2A35]).await;
    wall.bind("c1").await;
    drop(wall);
    for (boot, kept_time, oximeter) in
        [("a", true, Some(SATO)), ("b", true, Some(SATO)), ("c", false, None)]
    {
        let wall = Wall::open(folder.path());
        wall.ledger.machine_started(boot.into(), kept_time).await.expect("it runs");
        wall.ledger.settled().await.expect("it runs");
        let bindings = wall.ledger.head().borrow().bindings.clone();
        let on = |device: &str| bindings.of(&id(device)).map(|on| on.subject);
        assert_eq!((on("o1"), on("c1")), (oximeter, Some(SATO)), "start {boot}");
    }
}

#[tokio::test]
async fn a_second_cuff_takes_the_first_one_off_also_before_the_first_is_found_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut wall = Wall::open(folder.path());
    wall.appear("c1", &[0x2A35]).await;
    wall.bind("c1").await;
    drop(wall);
    let mut wall = Wall::open(folder.path());
    wall.appear("c2", &[0x2A35]).await;
    wall.bind("c2").await;
    let bindings = wall.ledger.head().borrow().bindings.clone();
    assert_eq!(bindings.iter().map(|(device, _)| device.clone()).collect::<Vec<_>>(), [id("c2")]);
}
