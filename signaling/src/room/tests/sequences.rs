//! Random presses by random people: what is true of a waiting room after every one of them.

use super::support::*;
use crate::staff::{self, Reservation, Staff, Verdict, judge};
use proptest::prelude::*;
use std::collections::BTreeMap;

const DOCTORS: [StaffId; 3] = [ABE, IDA, MORI];
const NURSES: [StaffId; 2] = [NURSE, StaffId(202)];
const TICKETS: u64 = 30;

/// One press, or something that happens by itself.
#[derive(Debug, Clone)]
enum Press {
    Command(Command),
    /// A whole claim through the reservations; without a ticket, Next.
    Claim {
        doctor: StaffId,
        pick: Option<TicketId>,
    },
    /// Something about one of those who are not over; see [`about_live`].
    Live {
        nth: usize,
        verb: u8,
    },
    /// A colleague asks for one of the patients in a call.
    Ask {
        nth: usize,
        to: StaffId,
    },
    /// A whole hand-over of one that is proposed.
    HandOver(usize),
    /// An owner's verb under the epoch that is right, or one before.
    Owned {
        nth: usize,
        verb: u8,
        stale: bool,
    },
    /// What a telephone call to one of the unanswered brought.
    Contact {
        nth: usize,
        outcome: ContactOutcome,
    },
    /// So many seconds go by.
    Time(i64),
}

/// A room with the reservations around it.
struct Clinic {
    room: Room,
    staff: BTreeMap<StaffId, Staff>,
    now: Timestamp,
    history: Vec<(Timestamp, Event)>,
}

impl Clinic {
    fn opened() -> Self {
        let mut clinic =
            Self { room: Room::default(), staff: BTreeMap::new(), now: T0, history: Vec::new() };
        clinic.happens(vec![opened(), Event::RosterSet { doctors: DOCTORS.to_vec() }]);
        for doctor in DOCTORS {
            clinic.happens(vec![Event::DutySet { doctor, duty: Duty::On }]);
        }
        clinic
    }

    fn happens(&mut self, events: Vec<Event>) {
        for event in events {
            let before = places(&self.room);
            self.room.evolve(&event, self.now);
            if !moves(&event) {
                assert_eq!(before, places(&self.room), "{event:?} changed the order");
            }
            self.history.push((self.now, event));
        }
    }

    fn ask(&mut self, command: &Command) -> bool {
        match self.room.decide(command, self.now) {
            Ok(events) => {
                self.happens(events);
                true
            }
            Err(_refused) => false,
        }
    }

    fn reserve(&mut self, who: StaffId, command: &staff::Command) -> bool {
        let member = self.staff.entry(who).or_default();
        let Ok(events) = member.decide(command, self.now) else { return false };
        events.iter().for_each(|event| member.evolve(event, self.now));
        true
    }

    fn settle(&mut self, who: StaffId) {
        for _ in 0..2 {
            let Some((standing, _)) = self.staff.entry(who).or_default().reserved else { return };
            match judge(&self.room, who, standing) {
                Verdict::Stands => return,
                Verdict::Renew(later) => {
                    self.reserve(who, &staff::Command::Renew(later));
                }
                Verdict::Release => {
                    self.reserve(who, &staff::Command::Release(standing));
                }
                Verdict::BurnFirst => {
                    let Reservation { ticket, epoch, .. } = standing;
                    self.ask(&Command::BurnClaim { ticket, epoch });
                }
            }
        }
    }

    fn settle_all(&mut self) {
        for who in self.staff.keys().copied().collect::<Vec<_>>() {
            self.settle(who);
        }
    }

    fn claim(&mut self, doctor: StaffId, pick: Option<TicketId>) {
        let chosen = match pick {
            Some(id) => self.room.ticket(id).cloned(),
            None => self.room.next_for(doctor, &[], self.now).cloned(),
        };
        let Ok(chosen) = chosen else { return };
        let (ticket, epoch) = (chosen.id, chosen.next_epoch());
        let reservation = Reservation { room: RoomId(1), ticket, epoch };
        let mut reserved = self.reserve(doctor, &staff::Command::ReserveDoctor(reservation));
        if let Some(bedside) = chosen.bedside.filter(|_| reserved) {
            reserved = self.reserve(bedside.nurse, &staff::Command::ReserveNurse(reservation));
        }
        if reserved {
            self.ask(&call(ticket, doctor, epoch));
        }
        self.settle_all();
    }

    /// One of those live tickets that are like this.
    fn nth(&self, nth: usize, like: impl Fn(&Ticket) -> bool) -> Option<Ticket> {
        let those: Vec<&Ticket> = self.room.live().filter(|ticket| like(ticket)).collect();
        those.get(nth % those.len().max(1)).map(|ticket| (*ticket).clone())
    }

    fn hand_over(&mut self, nth: usize) {
        let Some(known) = self.nth(nth, |it| it.hand_over.is_some()) else { return };
        let (Some(from), Some(wish)) = (known.owner(), known.hand_over) else { return };
        let id = known.id;
        let epoch = known.next_epoch();
        let reservation = Reservation { room: RoomId(1), ticket: id, epoch };
        if self.reserve(wish.to, &staff::Command::ReserveDoctor(reservation)) {
            self.ask(&Command::HandOver { ticket: id, from, to: wish.to, epoch });
        }
        self.settle_all();
    }

    fn owned(&mut self, nth: usize, verb: u8, stale: bool) {
        let Some(known) = self.nth(nth, |it| it.owner().is_some()) else { return };
        let Some(doctor) = known.owner() else { return };
        let ticket = known.id;
        let epoch = known.epoch - u32::from(stale);
        let to = DOCTORS[usize::from(verb) % DOCTORS.len()];
        let command = match verb % 6 {
            0 => end(ticket, doctor, epoch),
            1 => Command::Park { ticket, doctor, epoch },
            2 => Command::Cancel { ticket, doctor, epoch },
            3 => Command::Answer { ticket, epoch },
            4 => Command::OfferHandOver { ticket, from: doctor, to, epoch },
            _ => Command::ReturnToFront { ticket, doctor, epoch, why: Why::ReturnedByDoctor },
        };
        let done = self.ask(&command);
        assert!(!(done && stale), "an old epoch was taken: {command:?}");
        self.settle_all();
    }

    fn press(&mut self, press: Press) {
        match press {
            Press::Command(command) => {
                self.ask(&command);
                self.settle_all();
            }
            Press::Claim { doctor, pick } => self.claim(doctor, pick),
            Press::Live { nth, verb } => {
                if let Some(known) = self.nth(nth, |_| true) {
                    self.ask(&about_live(known.id, verb));
                }
                self.settle_all();
            }
            Press::Ask { nth, to } => {
                if let Some(known) = self.nth(nth, |it| it.owner().is_some()) {
                    self.ask(&Command::AskHandOver { ticket: known.id, to });
                }
            }
            Press::HandOver(nth) => self.hand_over(nth),
            Press::Owned { nth, verb, stale } => self.owned(nth, verb, stale),
            Press::Contact { nth, outcome } => {
                if let Some(known) = self.nth(nth, |it| it.stage == Stage::Unanswered) {
                    self.ask(&Command::RecordContact { ticket: known.id, outcome });
                }
            }
            Press::Time(seconds) => self.time(seconds),
        }
    }

    /// Deadlines come due, and what is due is done once.
    fn time(&mut self, seconds: i64) {
        self.now = self.now + Span::seconds(seconds);
        // A missed patient whose screen is also gone for too long is due twice.
        for _ in 0..2 {
            let due = self.room.next_deadline().is_some_and(|deadline| deadline <= self.now);
            let events = self.room.decide(&Command::Expire, self.now).unwrap();
            assert_eq!(due, !events.is_empty(), "the deadline and what is due disagree");
            self.happens(events);
        }
        assert!(self.room.next_deadline().is_none_or(|deadline| deadline > self.now));
        self.settle_all();
    }

    fn check(&self) {
        self.check_owners();
        self.check_queue();
        self.check_lists();
        self.check_nobody_is_lost();
    }

    fn check_owners(&self) {
        for doctor in DOCTORS {
            let owned = self.room.live().filter(|it| it.owner() == Some(doctor));
            assert!(owned.count() <= 1, "two patients for {doctor}");
        }
        for nurse in NURSES {
            let calls = self.room.live().filter(|it| {
                it.owner().is_some() && it.bedside.is_some_and(|bedside| bedside.nurse == nurse)
            });
            assert!(calls.count() <= 1, "two calls for {nurse}");
        }
    }

    /// What is kept beside the tickets is what they say, and a room read from its snapshot agrees.
    fn check_lists(&self) {
        let claimed = |room: &Room| room.claimed().map(|it| it.id).collect::<Vec<_>>();
        let owned = self.room.live().filter(|it| it.owner().is_some()).map(|it| it.id);
        assert_eq!(claimed(&self.room), owned.collect::<Vec<_>>());
        let oldest = self.room.waiting().filter_map(|it| it.arrived).min();
        assert_eq!(self.room.oldest_wait(), oldest);
        let read = Room::from_snapshot(self.room.to_snapshot()).expect("it was just written");
        assert_eq!(claimed(&read), claimed(&self.room));
        assert_eq!(read.oldest_wait(), oldest);
    }

    fn check_queue(&self) {
        let ranks: Vec<Rank> = self.room.waiting().map(|it| it.rank).collect();
        assert!(ranks.windows(2).all(|pair| pair[0] < pair[1]), "{ranks:?}");
        let stage = self.room.tickets.values().filter(|it| it.is_waiting());
        assert_eq!(self.room.waiting_len(), stage.count());
        assert_eq!(self.room.waiting().count(), self.room.waiting_len());
        let ahead = self.room.waiting().map(|it| self.room.ahead_of(it));
        assert!(ahead.eq(0..self.room.waiting_len()));
        let urgent = |it: &&Ticket| it.emergency.is_some() || it.triage == Triage::Emergency;
        let emergencies = self.room.waiting().filter(urgent).count();
        assert!(self.room.waiting().take(emergencies).all(|it| urgent(&it)));
    }

    fn check_nobody_is_lost(&self) {
        for (at, event) in &self.history {
            let (Event::Invited { new } | Event::Admitted { new, .. }) = event else { continue };
            let kept = self.room.ticket(new.ticket).is_ok();
            assert!(kept || self.now - *at > OVER_KEPT, "lost: {new:?}");
        }
        let over = self.room.tickets.values().filter(|it| it.is_over()).count();
        assert_eq!(self.room.live().count() + over, self.room.tickets.len());
        for ticket in self.room.tickets.values().filter(|it| it.stage == Stage::Left) {
            let a_person_said_so = self.history.iter().any(|(_, event)| match event {
                Event::Left { ticket: id, .. } => *id == ticket.id,
                Event::ContactRecorded { ticket: id, outcome } => {
                    *id == ticket.id
                        && matches!(outcome, ContactOutcome::GivesUp | ContactOutcome::HelpSent)
                }
                _ => false,
            });
            assert!(a_person_said_so, "{ticket:?} left by itself");
        }
    }
}

fn about_live(ticket: TicketId, verb: u8) -> Command {
    match verb % 9 {
        0 | 1 => Command::Arrive { ticket },
        2 => Command::SetReady { ticket, ready: true },
        3 => Command::SetReady { ticket, ready: verb.is_multiple_of(3) },
        4 | 5 => Command::SetPatientPresent { ticket, present: true, heard: JUST_NOW },
        6 => Command::SetPatientPresent { ticket, present: false, heard: JUST_NOW },
        7 => Command::DropHandOver { ticket, by: DOCTORS[usize::from(verb) % 3] },
        _ => Command::ReportDoctorSilent { ticket },
    }
}

fn places(room: &Room) -> Vec<(TicketId, Rank)> {
    room.waiting().map(|ticket| (ticket.id, ticket.rank)).collect()
}

/// Whether an event may change the order of the queue.
fn moves(event: &Event) -> bool {
    matches!(
        event,
        Event::Arrived { .. }
            | Event::Admitted { .. }
            | Event::TriageSet { .. }
            | Event::EmergencyRaised { .. }
            | Event::Called { .. }
            | Event::Missed { .. }
            | Event::Unanswered { .. }
            | Event::ContactRecorded { .. }
            | Event::CallCancelled { .. }
            | Event::ReturnedToFront { .. }
            | Event::Resumed { .. }
            | Event::Left { .. }
    )
}

fn tickets() -> impl Strategy<Value = TicketId> {
    (1..=TICKETS).prop_map(TicketId)
}

fn doctors() -> impl Strategy<Value = StaffId> {
    prop::sample::select(DOCTORS.to_vec())
}

fn triages() -> impl Strategy<Value = Triage> {
    use Triage::{Emergency, Revisit, Standard, Urgent};
    prop_oneof![1 => Just(Emergency), 3 => Just(Urgent), 6 => Just(Standard), 3 => Just(Revisit)]
}

fn outcomes() -> impl Strategy<Value = ContactOutcome> {
    use ContactOutcome::{GivesUp, HelpSent, NotReached, Ready};
    prop::sample::select(vec![Ready, GivesUp, NotReached, HelpSent])
}

fn commands_of_patients() -> impl Strategy<Value = Command> {
    prop_oneof![
        3 => (tickets(), triages()).prop_map(|(ticket, triage)| Command::Invite {
            tickets: vec![patient(ticket, triage)]
        }),
        3 => tickets().prop_map(|ticket| Command::Arrive { ticket }),
        3 => (tickets(), triages(), 0..2usize).prop_map(|(ticket, triage, nurse)| Command::Admit {
            new: patient(ticket, triage),
            bedside: Bedside { site: SiteId(7), nurse: NURSES[nurse] },
        }),
        3 => (tickets(), any::<bool>()).prop_map(|(ticket, ready)| Command::SetReady { ticket, ready }),
        2 => (tickets(), any::<bool>())
            .prop_map(|(ticket, present)| Command::SetPatientPresent { ticket, present, heard: JUST_NOW }),
        1 => tickets().prop_map(|ticket| Command::Leave { ticket }),
        1 => tickets().prop_map(|ticket| Command::RaiseEmergency { ticket }),
        1 => tickets().prop_map(|ticket| Command::ReportDoctorSilent { ticket }),
        1 => tickets().prop_map(|ticket| Command::RevokeLinks { ticket }),
        1 => tickets().prop_map(|ticket| Command::AskDevice { ticket, request: "r".into() }),
    ]
}

fn commands_of_staff() -> impl Strategy<Value = Command> {
    use Duty::{Break, Off, On};
    let duties = prop::sample::select(vec![On, On, On, On, On, Break, Off]);
    prop_oneof![
        2 => (tickets(), triages()).prop_map(|(ticket, triage)| Command::SetTriage { ticket, triage }),
        2 => (doctors(), duties).prop_map(|(doctor, duty)| Command::SetDuty { doctor, duty }),
        2 => (doctors(), prop::bool::weighted(0.7))
            .prop_map(|(doctor, present)| Command::SetDoctorPresent { doctor, present, heard: JUST_NOW }),
        1 => prop::bool::weighted(0.3).prop_map(|closed| Command::SetIntake { closed }),
        1 => prop::sample::subsequence(DOCTORS.to_vec(), 2..=3)
            .prop_map(|doctors| Command::SetRoster { doctors }),
        1 => (0i64..900).prop_map(|s| Command::ExtendGraces { span: Span::seconds(s) }),
    ]
}

fn times() -> impl Strategy<Value = i64> {
    prop_oneof![12 => 0i64..50, 3 => 50i64..200, 1 => 0i64..2_500, 1 => Just(90_000i64)]
}

fn presses() -> impl Strategy<Value = Press> {
    let nth = || 0..4usize;
    prop_oneof![
        5 => commands_of_patients().prop_map(Press::Command),
        10 => (0..30usize, any::<u8>()).prop_map(|(nth, verb)| Press::Live { nth, verb }),
        2 => commands_of_staff().prop_map(Press::Command),
        6 => (doctors(), prop::option::weighted(0.3, tickets()))
            .prop_map(|(doctor, pick)| Press::Claim { doctor, pick }),
        4 => (nth(), any::<u8>(), prop::bool::weighted(0.1))
            .prop_map(|(nth, verb, stale)| Press::Owned { nth, verb, stale }),
        1 => (nth(), doctors()).prop_map(|(nth, to)| Press::Ask { nth, to }),
        2 => nth().prop_map(Press::HandOver),
        2 => (nth(), outcomes()).prop_map(|(nth, outcome)| Press::Contact { nth, outcome }),
        2 => times().prop_map(Press::Time),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn whatever_is_pressed_the_rules_of_the_room_hold(
        sequence in prop::collection::vec(presses(), 1..200)
    ) {
        let mut clinic = Clinic::opened();
        for press in sequence {
            clinic.press(press);
            clinic.check();
        }
    }

    #[test]
    fn the_events_told_again_make_the_same_room(
        sequence in prop::collection::vec(presses(), 1..200)
    ) {
        let mut clinic = Clinic::opened();
        sequence.into_iter().for_each(|press| clinic.press(press));
        let mut again = Room::default();
        for (at, event) in &clinic.history {
            let stored = serde_json::to_string(event).unwrap();
            again.evolve(&serde_json::from_str(&stored).unwrap(), *at);
        }
        prop_assert_eq!(format!("{again:?}"), format!("{:?}", clinic.room));
    }

    #[test]
    fn who_waits_is_seen_at_last_when_doctors_go_on_pressing_next(
        sequence in prop::collection::vec(presses(), 1..80)
    ) {
        let mut clinic = Clinic::opened();
        sequence.into_iter().for_each(|press| clinic.press(press));
        let at_end = clinic.room.waiting_len() + clinic.room.live().count();
        for doctor in DOCTORS {
            clinic.press(Press::Command(Command::SetDoctorPresent { doctor, present: true, heard: JUST_NOW }));
        }
        clinic.press(Press::Command(Command::SetRoster { doctors: DOCTORS.to_vec() }));
        for doctor in DOCTORS {
            clinic.press(Press::Command(Command::SetDuty { doctor, duty: Duty::On }));
        }
        for ticket in (1..=TICKETS).map(TicketId) {
            clinic.press(Press::Owned { nth: 0, verb: 0, stale: false });
            clinic.press(Press::Command(Command::SetPatientPresent { ticket, present: true, heard: JUST_NOW }));
            clinic.press(Press::Command(Command::SetReady { ticket, ready: true }));
        }
        clinic.now = clinic.now + PREFERENCE + SKIP_AFTER_MISS;
        for _ in 0..at_end {
            clinic.press(Press::Claim { doctor: ABE, pick: None });
            clinic.press(Press::Owned { nth: 0, verb: 0, stale: false });
        }
        prop_assert_eq!(clinic.room.waiting_len(), 0);
        clinic.check();
    }
}

/// The rules above would hold easily if nothing ever happened.
#[test]
fn the_random_presses_bring_about_every_kind_of_event() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let sequences = prop::collection::vec(presses(), 200);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..256 {
        let mut clinic = Clinic::opened();
        let sequence = sequences.new_tree(&mut runner).unwrap().current();
        sequence.into_iter().for_each(|press| clinic.press(press));
        for (_, event) in &clinic.history {
            let kind = serde_json::to_value(event).unwrap()["event"].as_str().unwrap().to_owned();
            *seen.entry(kind).or_default() += 1;
        }
    }
    for kind in [
        "arrived",
        "admitted",
        "called",
        "answered",
        "missed",
        "unanswered",
        "contact_recorded",
        "call_cancelled",
        "returned_to_front",
        "parked",
        "resumed",
        "hand_over_proposed",
        "hand_over_dropped",
        "handed_over",
        "ended",
        "left",
        "doctor_silent",
        "service_was_away",
        "triage_set",
        "emergency_raised",
    ] {
        assert!(seen.get(kind).is_some_and(|times| *times >= 10), "{kind} is too rare: {seen:?}");
    }
}
