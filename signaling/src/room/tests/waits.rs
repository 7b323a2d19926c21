//! Whole evenings with random people: what patients are told about the wait, and what comes.
#![expect(clippy::cast_possible_truncation, reason = "small seconds and small counts")]

use super::support::*;
use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};
use std::collections::{BTreeMap, BTreeSet};

const EVENINGS: u64 = 60;
/// 18 to 21 o'clock.
const SECONDS: i64 = 3 * 60 * 60;
const PATIENTS: u64 = 400;
/// A doctor works for about so long between two breaks of 5 to 15 minutes.
const BETWEEN_BREAKS_S: f64 = 3_600.0;
/// So many doctors go home before the evening is over; the first one stays.
const GO_EARLY: f64 = 0.25;

/// The same numbers for the same seed on every machine.
struct Dice(TestRng);

impl Dice {
    fn seeded(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        Self(TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
    }

    /// At least `from`, below `to`.
    fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// How an evening goes.
struct Evening {
    dice: Dice,
    room: Room,
    doctors: Vec<StaffId>,
    /// Mean of a visit in seconds.
    visit_s: f64,
    /// Patients a second.
    arrivals: f64,
    /// What each patient on the way in was told, and when.
    told: BTreeMap<TicketId, (i64, u32, u32)>,
    /// When a doctor has time again.
    busy_until: BTreeMap<StaffId, i64>,
    /// When a doctor goes home.
    home_at: BTreeMap<StaffId, i64>,
    /// Who takes a break before the next patient.
    tired: BTreeSet<StaffId>,
    in_visit: BTreeMap<StaffId, TicketId>,
    next_ticket: u64,
    /// Told and come true, told.
    kept: (u32, u32),
    widths: Vec<f64>,
}

impl Evening {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::seeded(seed);
        let count = dice.between(2.0, 7.0) as u64;
        let doctors: Vec<StaffId> = (0..count).map(|n| StaffId(101 + n)).collect();
        let visit_s = dice.between(300.0, 720.0);
        let load = dice.between(0.8, 1.2);
        let mut home_at = BTreeMap::new();
        for doctor in doctors.iter().skip(1) {
            if dice.between(0.0, 1.0) < GO_EARLY {
                home_at.insert(*doctor, (dice.between(0.3, 1.0) * SECONDS as f64) as i64);
            }
        }
        let mut room = Room::default();
        room.evolve(&opened(), T0);
        room.evolve(&Event::RosterSet { doctors: doctors.clone() }, T0);
        for doctor in &doctors {
            room.evolve(&Event::DutySet { doctor: *doctor, duty: Duty::On }, T0);
        }
        Self {
            arrivals: load * count as f64 / (visit_s + 60.0),
            dice,
            room,
            doctors,
            visit_s,
            told: BTreeMap::new(),
            busy_until: BTreeMap::new(),
            home_at,
            tired: BTreeSet::new(),
            in_visit: BTreeMap::new(),
            next_ticket: 1,
            kept: (0, 0),
            widths: Vec::new(),
        }
    }

    fn happens(&mut self, event: Event, second: i64) {
        self.room.evolve(&event, after(second));
    }

    /// Most are shorter than the mean, a few are much longer (Erlang's distribution with k = 3).
    fn visit_length(&mut self) -> i64 {
        let parts: f64 = (0..3).map(|_| -self.dice.between(1e-9, 1.0).ln()).sum();
        (self.visit_s * parts / 3.0).max(60.0) as i64
    }

    fn second(&mut self, now: i64) {
        if self.next_ticket <= PATIENTS && self.dice.between(0.0, 1.0) < self.arrivals {
            self.arrives(now);
        }
        for doctor in self.doctors.clone() {
            if self.busy_until.get(&doctor).is_some_and(|until| *until > now) {
                continue;
            }
            match self.in_visit.remove(&doctor) {
                Some(ticket) => self.ends(doctor, ticket, now),
                None if self.goes(doctor, now) => {}
                None => self.takes_next(doctor, now),
            }
        }
    }

    /// Home, or on a break, or back from one.
    fn goes(&mut self, doctor: StaffId, now: i64) -> bool {
        if self.home_at.get(&doctor).is_some_and(|at| *at <= now) {
            self.happens(Event::DutySet { doctor, duty: Duty::Off }, now);
            self.busy_until.insert(doctor, i64::MAX);
            return true;
        }
        if self.tired.remove(&doctor) {
            self.happens(Event::DutySet { doctor, duty: Duty::Break }, now);
            self.busy_until.insert(doctor, now + self.dice.between(300.0, 900.0) as i64);
            return true;
        }
        if self.room.roster[&doctor].duty == Duty::Break {
            self.happens(Event::DutySet { doctor, duty: Duty::On }, now);
        }
        false
    }

    fn arrives(&mut self, now: i64) {
        let ticket = TicketId(self.next_ticket);
        self.next_ticket += 1;
        let urgent = self.dice.between(0.0, 1.0) < 0.05;
        let triage = if urgent { Triage::Urgent } else { Triage::Standard };
        self.happens(Event::Invited { new: patient(ticket, triage) }, now);
        self.happens(arrived(ticket), now);
        if let Wait::Range { from_min, to_min } = self.room.wait_of(of(&self.room, ticket)) {
            self.told.insert(ticket, (now, from_min, to_min));
        }
    }

    fn takes_next(&mut self, doctor: StaffId, now: i64) {
        let Ok(next) = self.room.next_for(doctor, &[], after(now)) else { return };
        let (ticket, epoch) = (next.id, next.next_epoch());
        let visit = VisitId(ticket.0);
        self.happens(Event::Called { ticket, doctor, epoch, visit }, now);
        self.happens(Event::Answered { ticket }, now);
        if let Some((then, from_min, to_min)) = self.told.remove(&ticket) {
            let waited_min = (now - then) as f64 / 60.0;
            let kept = (f64::from(from_min)..=f64::from(to_min)).contains(&waited_min);
            self.count(kept, to_min - from_min);
        }
        self.in_visit.insert(doctor, ticket);
        let length = self.visit_length();
        self.busy_until.insert(doctor, now + length);
    }

    /// After a visit a note is written.
    fn ends(&mut self, doctor: StaffId, ticket: TicketId, now: i64) {
        let epoch = of(&self.room, ticket).next_epoch();
        let note = Pii::new(SubjectId(ticket.0), String::new());
        let disposition = Disposition::Treated;
        self.happens(Event::Ended { ticket, epoch, disposition, note }, now);
        let note_s = self.dice.between(20.0, 100.0) as i64;
        self.busy_until.insert(doctor, now + note_s);
        if self.dice.between(0.0, 1.0) < (self.visit_s + 60.0) / BETWEEN_BREAKS_S {
            self.tired.insert(doctor);
        }
    }

    /// Whoever waits still and longer than told was told wrong; of the others nobody can say.
    fn is_over(&mut self) {
        for (then, from_min, to_min) in std::mem::take(&mut self.told).into_values() {
            if (SECONDS - then) as f64 / 60.0 > f64::from(to_min) {
                self.count(false, to_min - from_min);
            }
        }
    }

    fn count(&mut self, kept: bool, width_min: u32) {
        self.kept = (self.kept.0 + u32::from(kept), self.kept.1 + 1);
        self.widths.push(f64::from(width_min));
    }
}

fn of(room: &Room, ticket: TicketId) -> &Ticket {
    room.ticket(ticket).unwrap()
}

#[test]
fn four_out_of_five_patients_wait_as_long_as_they_were_told() {
    let (mut kept, mut told, mut widths) = (0, 0, Vec::new());
    for seed in 0..EVENINGS {
        let mut evening = Evening::new(seed);
        (0..SECONDS).for_each(|now| evening.second(now));
        evening.is_over();
        kept += evening.kept.0;
        told += evening.kept.1;
        widths.extend(evening.widths);
    }
    widths.sort_by(f64::total_cmp);
    let (share, width) = (f64::from(kept) / f64::from(told), widths[widths.len() / 2]);
    println!("{kept} of {told} ranges were kept ({share:.3}); half were at most {width} min wide");
    assert!(told > 1_000, "only {told} were told anything");
    assert!(share >= 0.8, "{kept} of {told} ranges were kept");
    // A range that says everything says nothing.
    assert!(width <= 20.0, "half of the ranges are wider than {width} min");
}
