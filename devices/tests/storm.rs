//! Random bindings and measurements: nothing is ever given to the wrong patient, nothing is lost,
//! nothing is doubled.

use jiff::tz::TimeZone;
use minato_devices::binding::BindRequest;
use minato_devices::clock::Clock;
use minato_devices::codec::{Value, decode, encode_datetime, encode_sfloat};
use minato_devices::device_clock::ClockHistory;
use minato_devices::ledger::Ledger;
use minato_devices::outbox::Outbox;
use minato_devices::reading::{Received, outcome};
use minato_protocol::reading::{
    Characteristic, Decimal, Device, DeviceId, DeviceKind, Hex, Outcome, TransportKind,
};
use minato_protocol::uplink::{Entry, OutboxEntry, RequestRefusal};
use minato_protocol::{GatewayId, StaffId, SubjectId, Timestamp};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

const T0: i64 = 1_795_300_000_000;
const NURSE: StaffId = StaffId(9);

fn cuff(number: u8) -> Device {
    let id: DeviceId = format!("cuff-{number}").parse().expect("an id");
    Device { id, kind: DeviceKind::Cuff, model: "any".into() }
}

/// A cuff's result with its time; the systolic carries a mark that names the measurement.
fn result(device: &Device, mark: i32, measured_at: i64, heard_at: i64) -> Outcome {
    let zone = TimeZone::get("Asia/Tokyo").expect("a zone");
    let instant = jiff::Timestamp::from_millisecond(measured_at).expect("a time");
    let mut raw = vec![0x02];
    for number in [100 + mark % 100, 60 + mark / 100 % 30, 90] {
        raw.extend(encode_sfloat(Value::Number(Decimal::whole(number))).to_le_bytes());
    }
    raw.extend(encode_datetime(zone.to_datetime(instant)));
    let received = Received {
        device,
        gateway: GatewayId(1),
        transport: TransportKind::Replay,
        driver: "generic-cuff",
        characteristic: Characteristic::BloodPressure,
        raw: &raw,
        boot: Hex([1; 8]),
        sequence: 1,
        at: Timestamp(heard_at),
        live: false,
        clock: ClockHistory::default(),
    };
    outcome(&received, decode(Characteristic::BloodPressure, &raw), &zone)
}

#[derive(Debug, Clone)]
enum Act {
    Bind {
        device: u8,
        subject: u64,
    },
    Unbind {
        device: u8,
    },
    /// A measurement that took `took_s` and ended `ago_s` before it is heard, said `times`.
    Measure {
        device: u8,
        took_s: u8,
        ago_s: u8,
        times: u8,
    },
    Restart,
}

fn acts() -> impl Strategy<Value = Vec<(u8, Act)>> {
    let act = prop_oneof![
        3 => (0u8..3, 1u64..4).prop_map(|(device, subject)| Act::Bind { device, subject }),
        3 => (0u8..3).prop_map(|device| Act::Unbind { device }),
        8 => (0u8..3, 0u8..40, prop_oneof![4 => Just(0u8), 1 => 0u8..200], 1u8..4).prop_map(
            |(device, took_s, ago_s, times)| Act::Measure { device, took_s, ago_s, times }
        ),
        1 => Just(Act::Restart),
    ];
    proptest::collection::vec((1u8..60, act), 1..60)
}

/// What really happened, kept apart from the code under test.
#[derive(Default)]
struct Truth {
    on: BTreeMap<u8, (u64, i64)>,
    expected: Vec<(Outcome, Option<SubjectId>)>,
    known: BTreeSet<minato_protocol::reading::ReadingId>,
}

fn open(folder: &Path, now: &Arc<AtomicI64>) -> Ledger {
    let now = now.clone();
    let clock = Clock::from_source(move || Timestamp(now.load(Ordering::SeqCst)));
    Ledger::start(reopened(folder), clock).expect("it starts")
}

/// The thread of the ledger before lets go of the file a moment after its last handle is gone.
fn reopened(folder: &Path) -> Outbox {
    let given_up = std::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        match Outbox::open(folder) {
            Ok(outbox) => return outbox,
            Err(error) => assert!(std::time::Instant::now() < given_up, "{error}"),
        }
    }
}

async fn storm(acts: Vec<(u8, Act)>) -> (Vec<OutboxEntry>, Truth) {
    let folder = tempfile::tempdir().expect("a folder");
    let now = Arc::new(AtomicI64::new(T0));
    let mut ledger = open(folder.path(), &now);
    let mut truth = Truth::default();
    for (count, (pause_s, act)) in acts.into_iter().enumerate() {
        let at = now.fetch_add(i64::from(pause_s) * 1_000, Ordering::SeqCst)
            + i64::from(pause_s) * 1_000;
        match act {
            Act::Bind { device, subject } => {
                let done = bind(&ledger, count, device, Some(SubjectId(subject))).await;
                match truth.on.get(&device) {
                    Some((other, _)) if *other != subject => {
                        assert_eq!(done, Err(RequestRefusal::BoundElsewhere));
                    }
                    _ => {
                        assert_eq!(done, Ok(()));
                        truth.on.entry(device).or_insert((subject, at));
                    }
                }
            }
            Act::Unbind { device } => {
                let done = bind(&ledger, count, device, None).await;
                let was_on = truth.on.remove(&device).is_some();
                assert_eq!(done.is_ok(), was_on);
            }
            Act::Measure { device, took_s, ago_s, times } => {
                let measured_at = at - i64::from(ago_s) * 1_000;
                let began_at = measured_at - i64::from(took_s) * 1_000;
                let mark = i32::try_from(count).expect("small");
                let outcome = result(&cuff(device), mark, measured_at, at);
                for _ in 0..times {
                    let measured = ledger.measured(outcome.clone(), Timestamp(began_at)).await;
                    measured.expect("it runs");
                }
                let wearer = truth.on.get(&device).filter(|(_, since)| *since <= began_at);
                let wearer = wearer.map(|(subject, _)| SubjectId(*subject));
                if truth.known.insert(outcome.id()) {
                    truth.expected.push((outcome, wearer));
                }
            }
            Act::Restart => {
                ledger.settled().await.expect("it runs");
                drop(ledger);
                ledger = open(folder.path(), &now);
            }
        }
    }
    ledger.settled().await.expect("it runs");
    let entries = ledger.after(0, usize::MAX, usize::MAX).await.expect("it runs");
    (entries.expect("readable"), truth)
}

async fn bind(
    ledger: &Ledger,
    count: usize,
    device: u8,
    subject: Option<SubjectId>,
) -> Result<(), RequestRefusal> {
    let key = format!("k{count}").parse().expect("a key");
    let request = BindRequest { subject, ..BindRequest::off(key, cuff(device).id, NURSE) };
    ledger.bind(request).await.expect("it runs")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn no_reading_goes_to_the_wrong_patient_is_lost_or_doubled(acts in acts()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let (entries, truth) = runtime.expect("a runtime").block_on(storm(acts));
        let mut on: BTreeMap<DeviceId, SubjectId> = BTreeMap::new();
        let mut expected = truth.expected.into_iter();
        for (number, entry) in (1..).zip(entries) {
            prop_assert_eq!(entry.seq, number);
            match entry.entry {
                Entry::Bound { device, subject, .. } => {
                    let before = on.insert(device, subject);
                    prop_assert!(before.is_none_or(|before| before == subject), "on two at once");
                }
                Entry::Unbound { device, subject, .. } => {
                    prop_assert_eq!(on.remove(&device), Some(subject));
                }
                Entry::Measured { subject, outcome } => {
                    let worn_by = on.get(&outcome.device().id).copied();
                    prop_assert!(subject.is_none() || subject == worn_by, "a wrong patient");
                    prop_assert_eq!(Some((outcome, subject)), expected.next());
                }
            }
        }
        prop_assert_eq!(expected.next(), None, "a reading is lost");
    }
}
