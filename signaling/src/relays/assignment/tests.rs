//! The law of moving as sentences, and kept by every random sequence.

use super::*;
use proptest::prelude::*;

const A: RelayNo = RelayNo(0);
const B: RelayNo = RelayNo(1);
const C: RelayNo = RelayNo(2);
const HANA: VisitId = VisitId(1);
const FUMI: VisitId = VisitId(2);
const SATO: ParticipantId = ParticipantId(7);
const STAMP: u32 = 1_000;

/// A table with a clock of its own, looked at as often as the watch does.
struct Watch {
    table: Table,
    now: Instant,
    visits: BTreeSet<VisitId>,
    stamp: u32,
}

impl Watch {
    fn over(relays: usize) -> Self {
        let now = Instant::now();
        Self { table: Table::new(relays, now), now, visits: BTreeSet::new(), stamp: STAMP }
    }

    /// All relays are there, each with whom it has.
    fn given(present: &[&[VisitId]], visits: &[VisitId]) -> Self {
        let mut watch = Self::over(present.len());
        watch.visits = visits.iter().copied().collect();
        for (no, visits) in present.iter().enumerate() {
            watch.hello(RelayNo(no), visits);
        }
        watch.settle();
        watch
    }

    fn hello(&mut self, relay: RelayNo, visits: &[VisitId]) {
        let here = |visit: &VisitId| Present { visit: *visit, participant: SATO };
        let present: Vec<_> = visits.iter().map(here).collect();
        self.table.hello(relay, &present, self.now);
    }

    fn settle(&mut self) -> Settled {
        self.table.settle(&self.visits, self.stamp, self.now)
    }

    /// Time passes in looks; the relays that live speak all the while. Gives what was moved.
    fn pass(&mut self, time: Duration, alive: &[RelayNo]) -> Vec<VisitId> {
        let mut moved = Vec::new();
        let end = self.now + time;
        while self.now < end {
            self.now += LOOK;
            for relay in alive {
                self.table.word(*relay, self.now);
            }
            moved.extend(self.settle().moved);
        }
        moved
    }

    fn seat(&mut self, visit: VisitId) -> Option<Seat> {
        self.table.seat(visit, self.stamp, self.now)
    }

    fn relay(&mut self, visit: VisitId) -> Option<RelayNo> {
        self.seat(visit).map(|seat| seat.relay)
    }
}

#[test]
fn new_visits_go_to_the_relay_with_the_fewest() {
    let mut watch = Watch::given(&[&[], &[]], &[HANA, FUMI]);
    assert_eq!([watch.relay(HANA), watch.relay(FUMI)], [Some(A), Some(B)]);
    assert_eq!(watch.seat(HANA).and_then(|seat| seat.standby), Some(B));
    assert_eq!(watch.table.generation(HANA), STAMP);
}

#[test]
fn when_a_lease_ends_the_visits_move_to_the_standby_with_a_higher_generation() {
    let mut watch = Watch::given(&[&[], &[]], &[HANA]);
    assert_eq!(watch.pass(LEASE, &[B]), [], "the lease still runs");
    assert_eq!(watch.pass(2 * LOOK, &[B]), [HANA]);
    let seat = watch.seat(HANA).expect("it has a place");
    assert_eq!((seat.relay, seat.generation, seat.standby), (B, STAMP + 1, None));
}

#[test]
fn a_relay_that_comes_back_takes_nothing_back_and_stands_by() {
    let mut watch = Watch::given(&[&[], &[]], &[HANA]);
    watch.pass(2 * LEASE, &[B]);
    watch.hello(A, &[]);
    assert_eq!(watch.settle().moved, []);
    assert_eq!(watch.pass(2 * LEASE, &[A, B]), []);
    let seat = watch.seat(HANA).expect("it has a place");
    assert_eq!((seat.relay, seat.standby), (B, Some(A)));
}

#[test]
fn without_another_relay_a_visit_stays_and_nobody_is_sent_there() {
    let mut watch = Watch::given(&[&[]], &[HANA]);
    assert_eq!(watch.pass(2 * LEASE, &[]), []);
    assert_eq!(watch.settle().stranded, 1);
    assert_eq!(watch.relay(HANA), None);
    watch.table.word(A, watch.now);
    assert_eq!((watch.settle().stranded, watch.relay(HANA)), (0, Some(A)), "it was only slow");
    assert_eq!(watch.table.generation(HANA), STAMP);
}

#[test]
fn a_relay_that_began_anew_has_lost_its_people_who_join_again_at_once() {
    let mut watch = Watch::given(&[&[]], &[HANA]);
    watch.table.joined(A, HANA, SATO);
    watch.hello(A, &[HANA]);
    assert_eq!(watch.settle().moved, [], "only its line was cut");
    watch.hello(A, &[]);
    assert_eq!(watch.settle().moved, [HANA]);
    let seat = watch.seat(HANA).expect("it has a place");
    assert_eq!((seat.relay, seat.generation), (A, STAMP + 1), "there is no other");
}

#[test]
fn whoever_asks_between_two_looks_gets_the_new_place_and_the_others_are_told_of_it() {
    let mut watch = Watch::given(&[&[], &[]], &[HANA]);
    watch.table.draining(A);
    let asked = watch.seat(HANA).expect("it has a place");
    assert_eq!((asked.relay, asked.generation), (B, STAMP + 1));
    assert_eq!(watch.settle().moved, [HANA]);
    assert_eq!(watch.seat(HANA), Some(asked));
    assert_eq!(watch.settle().moved, []);
}

#[test]
fn a_relay_that_drains_gives_its_visits_away_at_once_though_it_still_speaks() {
    let mut watch = Watch::given(&[&[], &[]], &[HANA]);
    watch.table.joined(A, HANA, SATO);
    watch.table.draining(A);
    assert_eq!(watch.pass(LOOK, &[A, B]), [HANA]);
    assert_eq!(watch.relay(HANA), Some(B));
    assert!(watch.table.is_told(A, HANA), "as long as somebody is there");
    watch.table.left(A, HANA, SATO);
    assert!(!watch.table.is_told(A, HANA));
}

#[test]
fn after_a_restart_of_signaling_calls_stay_where_they_are() {
    let mut watch = Watch::over(2);
    watch.visits = BTreeSet::from([HANA]);
    watch.hello(B, &[HANA]);
    assert_eq!(watch.settle().seated, [], "the other relay may have it too");
    assert_eq!(watch.relay(HANA), None);
    watch.pass(LEASE + LOOK, &[B]);
    assert_eq!(watch.relay(HANA), Some(B), "the other one had its time");
    assert_eq!(watch.table.generation(HANA), 0, "no page takes it for a move");
    watch.pass(2 * LEASE, &[]);
    watch.hello(A, &[]);
    watch.settle();
    assert_eq!(watch.table.generation(HANA), STAMP, "a move later is a move");
}

#[test]
fn a_call_torn_over_two_relays_comes_together_at_the_fuller_one() {
    let mut watch = Watch::over(2);
    watch.visits = BTreeSet::from([HANA]);
    watch.hello(A, &[HANA]);
    watch.hello(B, &[HANA]);
    watch.table.joined(B, HANA, ParticipantId(8));
    watch.settle();
    assert_eq!((watch.relay(HANA), watch.table.generation(HANA)), (Some(B), STAMP));
}

#[test]
fn a_signaling_that_stood_still_moves_nobody() {
    let mut watch = Watch::given(&[&[], &[]], &[HANA]);
    watch.pass(LEASE, &[A, B]);
    watch.now += Duration::from_secs(60);
    assert_eq!(watch.settle(), Settled::default());
    assert_eq!(watch.pass(2 * LEASE, &[B]), [HANA], "silence counts again from here on");
}

#[test]
fn a_visit_that_was_asked_for_before_it_is_listed_keeps_its_place() {
    let mut watch = Watch::given(&[&[], &[]], &[]);
    let asked = watch.seat(HANA);
    watch.settle();
    watch.visits.insert(HANA);
    watch.settle();
    assert!(asked.is_some() && asked == watch.seat(HANA));
    watch.visits.clear();
    watch.settle();
    assert_eq!(watch.table.generation(HANA), 0, "forgotten when it is over");
}

#[test]
fn a_visit_that_ended_right_after_it_got_its_place_is_forgotten_at_the_next_look() {
    let mut watch = Watch::given(&[&[], &[]], &[HANA]);
    watch.visits.clear();
    watch.settle();
    assert!(!watch.table.is_told(A, HANA), "nobody is told of it any more");
}

#[derive(Debug, Clone)]
enum Step {
    Hello(usize, bool),
    Silence(usize),
    Speaks(usize),
    Draining(usize),
    Begins(u64),
    Ends(u64),
    Pass(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..3_usize, any::<bool>()).prop_map(|(relay, keeps)| Step::Hello(relay, keeps)),
        (0..3_usize).prop_map(Step::Silence),
        (0..3_usize).prop_map(Step::Speaks),
        (0..3_usize).prop_map(Step::Draining),
        (1..5_u64).prop_map(Step::Begins),
        (1..5_u64).prop_map(Step::Ends),
        (1..20_u8).prop_map(Step::Pass),
    ]
}

proptest! {
    /// Whatever happens: a place changes only with a higher generation, never to a relay without a
    /// lease, and only away from one that had none or had lost the people.
    #[test]
    fn a_place_changes_only_for_a_reason_and_only_upwards(
        steps in proptest::collection::vec(step(), 1..80)
    ) {
        let mut watch = Watch::over(3);
        let mut speaks = [false; 3];
        for step in steps {
            let mut begun_anew = None;
            match step {
                Step::Hello(relay, keeps) => {
                    speaks[relay] = true;
                    let all: Vec<VisitId> = watch.visits.iter().copied().collect();
                    watch.hello(RelayNo(relay), if keeps { &all } else { &[] });
                    begun_anew = (!keeps).then_some(RelayNo(relay));
                }
                Step::Silence(relay) => speaks[relay] = false,
                Step::Speaks(relay) => speaks[relay] = true,
                Step::Draining(relay) => watch.table.draining(RelayNo(relay)),
                Step::Begins(visit) => drop(watch.visits.insert(VisitId(visit))),
                Step::Ends(visit) => drop(watch.visits.remove(&VisitId(visit))),
                Step::Pass(_) => {}
            }
            let looks = if let Step::Pass(looks) = step { looks } else { 1 };
            for _ in 0..looks {
                watch.now += LOOK;
                for relay in [A, B, C].into_iter().filter(|relay| speaks[relay.0]) {
                    watch.table.word(relay, watch.now);
                }
                let before: BTreeMap<VisitId, Seat> =
                    watch.table.seats.iter().map(|(visit, held)| (*visit, held.seat)).collect();
                let settled = watch.settle();
                for (visit, held) in &watch.table.seats {
                    let Some(was) = before.get(visit) else { continue };
                    let is = held.seat;
                    prop_assert_eq!(settled.moved.contains(visit), is.generation > was.generation);
                    prop_assert!(is.generation >= was.generation);
                    if is.relay != was.relay {
                        let lost = begun_anew == Some(was.relay);
                        prop_assert!(is.generation > was.generation);
                        prop_assert!(lost || !watch.table.is_leased(was.relay));
                        prop_assert!(watch.table.is_leased(is.relay));
                    }
                    prop_assert!(is.standby != Some(is.relay));
                    let others = [A, B, C].iter().any(|relay| {
                        *relay != is.relay && watch.table.is_leased(*relay)
                    });
                    prop_assert!(watch.table.is_leased(is.relay) || !others, "it could have moved");
                }
                let listed = |visit: &VisitId| watch.table.seats.contains_key(visit);
                let leased = [A, B, C].iter().any(|relay| watch.table.is_leased(*relay));
                let placed = watch.visits.iter().all(listed);
                prop_assert!(placed || !leased || !watch.table.has_heard_everybody(watch.now));
            }
        }
    }
}
