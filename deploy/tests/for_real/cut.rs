//! Half an hour without the cable at a value a second, while gateway and broker are killed at
//! random: what was on the gateway's disk is on the screen once, in order, late where it is late.

mod clinic;
mod wall;

use clinic::Clinic;
use minato_protocol::reading::{Characteristic, DeviceKind, Hex, Outcome};
use minato_protocol::view::ReadingRow;
use minato_protocol::{Span, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::sleep;
use wall::{Seen, Wall};

/// Where the blows fall; each is a run of its own, beside the others.
const SEEDS: [u64; 3] = [1, 2, 3];
/// The cut: half an hour in steps after which no oximeter has been silent for long enough to come
/// off, whatever a blow took from the gateway's memory.
const STEPS: u64 = 20;
const STEP: Duration = Duration::from_secs(90);
/// What is put on at the first bed, and at the second one.
const WORN: [&[&str]; 2] = [&["sim-oximeter-1", "sim-cuff-1"], &["sim-oximeter-2"]];
/// Each device goes on once and comes off once.
const BINDINGS: u64 = 2 * 3;
/// Values of both oximeters in a step.
const STEP_VALUES: u64 = 2 * STEP.as_secs();
/// A reading that was sent later than this is late.
const LATE_AFTER: Span = Span::seconds(15);
/// Beyond a step that passes in real time.
const PATIENCE: Duration = Duration::from_secs(60);

/// The same seed gives the same blows.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % bound
    }

    /// A blow falls at a moment, not at a condition: that is what it proves.
    async fn moment(&mut self, within: Duration) {
        let within_us = u64::try_from(within.as_micros()).expect("short");
        sleep(Duration::from_micros(self.below(within_us))).await;
    }
}

/// `MINATO_CUT=real` lets the half hour pass; otherwise the gateway's clock is stepped.
fn in_real_time() -> bool {
    std::env::var("MINATO_CUT").is_ok_and(|how| how == "real")
}

/// A bedside under the storm.
struct Storm {
    clinic: Clinic,
    wall: Wall,
    dice: Dice,
    /// Blood pressures whose runs no blow hit.
    results: usize,
}

/// When the cable was pulled and plugged in again, by the gateway's clock.
struct Cut {
    from: Timestamp,
    until: Timestamp,
}

impl Storm {
    /// A step passes; a blow may fall in the middle of it.
    async fn step(&mut self, number: u64, blow: bool) {
        let before = self.wall.look().await;
        // A run that is over before the blow is not what this is about.
        let measures = number.is_multiple_of(4);
        if measures {
            self.wall.measure("sim-cuff-1").await;
        }
        if !in_real_time() {
            self.wall.advance(STEP).await;
        }
        if blow {
            let within = if in_real_time() { STEP } else { Duration::from_millis(120) };
            self.dice.moment(within).await;
            self.blow_on_the_wall().await;
            return;
        }
        let all = before.last_seq + STEP_VALUES;
        self.wall.until("measured", STEP + PATIENCE, |seen| seen.last_seq >= all).await;
        self.results += usize::from(measures);
    }

    /// Whatever the page counted before is there after the blow, and both oximeters go on.
    async fn blow_on_the_wall(&mut self) {
        let before = self.wall.look().await;
        self.dice.moment(Duration::from_millis(60)).await;
        self.wall.killed_and_started_again();
        let after = self.wall.look().await;
        assert!(after.last_seq >= before.last_seq, "{before:?} became {after:?}");
        let goes_on = |seen: &Seen| seen.last_seq >= after.last_seq + 8 && seen.worn.len() == 3;
        self.wall.until("measuring again", PATIENCE, goes_on).await;
    }

    async fn blow_on_the_broker(self) -> Self {
        Self { clinic: self.clinic.killed_and_started_again().await, ..self }
    }

    /// The half hour, with a blow on the gateway in some of its steps and one on the broker.
    async fn cut(mut self) -> (Self, Cut) {
        let from = self.wall.look().await.now;
        self.wall.plug(false).await;
        let hit: BTreeSet<_> = (0..3).map(|_| self.dice.below(STEPS)).collect();
        for number in 0..STEPS {
            self.step(number, hit.contains(&number)).await;
        }
        if in_real_time() {
            // A step that is hit is over with the blow.
            let is_over = |seen: &Seen| seen.now - from >= Span::minutes(30);
            self.wall.until("half an hour later", 3 * STEP + PATIENCE, is_over).await;
        }
        self = self.blow_on_the_broker().await;
        let until = self.wall.look().await;
        assert!(until.now - from >= Span::minutes(29), "half an hour has passed");
        assert!(until.waiting > STEP_VALUES * (STEPS - 4), "all of it waits: {until:?}");
        (self, Cut { from, until: until.now })
    }

    /// The backlog goes out under blows on both sides, until all of it was taken.
    async fn catch_up(mut self) -> Self {
        self.wall.plug(true).await;
        for _ in 0..2 {
            self.wall.until("connected", PATIENCE, |seen| seen.connected).await;
            self.dice.moment(Duration::from_millis(200)).await;
            self = self.blow_on_the_broker().await;
            self.wall.until("connected", PATIENCE, |seen| seen.connected).await;
            self.dice.moment(Duration::from_millis(200)).await;
            self.blow_on_the_wall().await;
        }
        self.wall.until("caught up", PATIENCE, |seen| seen.waiting == 0).await;
        self
    }
}

async fn run(seed: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut clinic = Clinic::open(&folder.path().join("broker")).await;
    let code = clinic.gateway_code().await;
    let wall = Wall::start(&folder.path().join("gateway"), &clinic.url(), &code).await;
    let mut nurse = clinic.nurse().await;
    let room = nurse.sees_the_devices().await;
    for (name, devices) in ["佐藤 ハナ", "伊藤 キヨ"].into_iter().zip(WORN) {
        let ticket = nurse.admits(room, name).await;
        for device in devices {
            nurse.puts_on(ticket, device).await;
        }
    }
    let is_live = |seen: &Seen| seen.last_seq >= 12 && seen.waiting == 0 && seen.worn.len() == 3;
    let seen = wall.until("live", PATIENCE, is_live).await;
    let subjects = WORN.map(|devices| seen.worn[devices[0]]);
    drop(nurse);

    let dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let storm = Storm { clinic, wall, dice, results: 0 };
    let (storm, cut) = storm.cut().await;
    let mut storm = storm.catch_up().await;
    let mut nurse = storm.clinic.nurse().await;
    for device in WORN.into_iter().flatten() {
        nurse.takes_off(device).await;
    }
    let off = |seen: &Seen| seen.worn.is_empty() && seen.waiting == 0;
    let last = storm.wall.until("off and told", PATIENCE, off).await;
    let told = [nurse.reads(subjects[0]).await, nurse.reads(subjects[1]).await];
    check_count(&told, last.last_seq);
    for (rows, worn) in told.iter().zip(WORN) {
        check_person(rows, worn, &cut);
    }
    let results = told[0].iter().filter(|row| is_result(row)).count();
    assert!(results >= storm.results, "{results} of {} blood pressures", storm.results);
    drop(nurse);
    storm = storm.blow_on_the_broker().await;
    let mut nurse = storm.clinic.nurse().await;
    for (subject, rows) in subjects.into_iter().zip(&told) {
        assert_eq!(&nurse.reads(subject).await, rows, "the log after one more blow");
    }
}

/// Every entry of the gateway's disk is on a screen once: it numbers them without a gap.
fn check_count(told: &[Vec<ReadingRow>; 2], last_seq: u64) {
    let ids: BTreeSet<_> = told.iter().flatten().map(|row| row.outcome.id()).collect();
    let rows = told.iter().map(Vec::len).sum::<usize>();
    assert_eq!(ids.len(), rows, "one of them is there twice");
    assert_eq!(rows as u64, last_seq - BINDINGS, "readings on the screens and on the disk");
}

/// Their own devices', in order, a second apart, and late if they waited.
fn check_person(rows: &[ReadingRow], worn: &[&str], cut: &Cut) {
    let mut last = (0, Timestamp(0));
    let mut seconds: BTreeMap<_, Vec<Timestamp>> = BTreeMap::new();
    let (mut late, mut live) = (0, 0);
    for row in rows {
        let device = row.outcome.device();
        assert!(worn.contains(&device.id.as_str()), "{device:?} is on somebody else");
        assert!(!row.quarantined && row.assigned.is_none(), "{row:?}");
        let (boot, at) = received(row);
        assert!(row.seq > last.0 && at >= last.1, "not in order: {row:?} after {last:?}");
        last = (row.seq, at);
        if device.kind == DeviceKind::Oximeter {
            seconds.entry(boot).or_default().push(at);
        }
        let measured_at = row.outcome.measured_at();
        let waited = measured_at > cut.from && cut.until - measured_at > LATE_AFTER;
        let before = cut.from - measured_at > Span::seconds(3);
        assert!(row.late || !waited, "it waited and stands in now: {row:?}");
        assert!(!(row.late && before), "it came at once and is late: {row:?}");
        late += usize::from(waited);
        live += usize::from(!row.late);
    }
    let [first, .., newest] = rows else { panic!("none") };
    assert!(!first.late && !newest.late, "live before the cut and after it");
    let half_an_hour = usize::try_from(STEPS * STEP.as_secs()).expect("small");
    assert!(late > half_an_hour * 4 / 5 && live > 10, "{late} late and {live} live");
    for times in seconds.values() {
        let apart = times.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(apart.clone().all(|apart| apart == Span::seconds(1)), "a value is lost in a run");
    }
}

/// In which run, and when, the gateway received it.
fn received(row: &ReadingRow) -> (Hex<8>, Timestamp) {
    match &row.outcome {
        Outcome::Reading(reading) => (reading.provenance.boot, reading.gateway_time),
        Outcome::Fault(fault) => (fault.provenance.boot, fault.gateway_time),
    }
}

fn is_result(row: &ReadingRow) -> bool {
    matches!(&row.outcome, Outcome::Reading(reading)
        if reading.characteristic == Characteristic::BloodPressure)
}

#[tokio::test(flavor = "multi_thread")]
async fn half_an_hour_s_cut_with_blows_on_both_sides_loses_doubles_and_moves_no_reading() {
    let runs = SEEDS.map(|seed| (seed, tokio::spawn(run(seed))));
    for (seed, run) in runs {
        run.await.unwrap_or_else(|failed| panic!("seed {seed}: {failed}"));
    }
}
