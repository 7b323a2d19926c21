//! The claim protocol as it is built: every law holds in every state that can be reached.

use minato_model::{LAWS, Plan, Script, WISHES};
use minato_protocol::{StaffId, TicketId};
use stateright::{Checker, Model};
use std::time::Instant;

const NOTHING: Script =
    Script { next: false, pick: false, end: false, back: false, hand_over: false };

/// Walks everything and demands all laws and these wishes.
fn walk(name: &str, plan: Plan, wishes: &[usize]) {
    let began = Instant::now();
    let checker = plan.checker().threads(2).spawn_dfs().join();
    eprintln!(
        "{name}: {} states, depth {}, {:.1} s",
        checker.unique_state_count(),
        checker.max_depth(),
        began.elapsed().as_secs_f32()
    );
    for law in LAWS {
        if let Some(path) = checker.discovery(law) {
            panic!("broken: {law}\n{path:#?}");
        }
    }
    for wish in wishes {
        assert!(checker.discovery(WISHES[*wish]).is_some(), "never: {}", WISHES[*wish]);
    }
}

#[test]
fn two_doctors_press_next_in_two_rooms_and_any_node_may_die() {
    let script = Script { next: true, end: true, ..NOTHING };
    walk("next", Plan { rounds: 1, crashes: 1, ..Plan::new(2, script) }, &[0, 2, 3]);
}

#[test]
fn two_doctors_pick_and_put_back_and_pick_again() {
    let script = Script { pick: true, back: true, end: true, ..NOTHING };
    walk("pick", Plan { rounds: 1, crashes: 1, ..Plan::new(2, script) }, &[0, 3]);
}

#[test]
fn no_instant_of_a_hand_over_has_zero_or_two_owners() {
    let script = Script { pick: true, end: true, hand_over: true, ..NOTHING };
    let claimed = vec![(TicketId(0), StaffId(0))];
    walk("hand-over", Plan { claimed, rounds: 1, crashes: 1, ..Plan::new(3, script) }, &[0, 1, 3]);
}

#[test]
fn a_watchman_who_goes_round_twice_burns_no_hand_over_that_stands() {
    let script = Script { end: true, hand_over: true, ..NOTHING };
    let claimed = vec![(TicketId(0), StaffId(0))];
    walk("rounds", Plan { claimed, rounds: 2, crashes: 2, ..Plan::new(3, script) }, &[1, 3]);
}

#[test]
fn one_doctor_at_two_screens_has_one_patient() {
    let script = Script { next: true, pick: true, ..NOTHING };
    let screens = vec![StaffId(0), StaffId(0)];
    walk("two screens", Plan { screens, rounds: 1, crashes: 1, ..Plan::new(2, script) }, &[3]);
}

#[test]
fn one_doctor_at_two_screens_and_a_colleague_have_one_patient_each() {
    let script = Script { next: true, ..NOTHING };
    let screens = vec![StaffId(0), StaffId(0), StaffId(1)];
    walk("three screens", Plan { screens, rounds: 1, crashes: 1, ..Plan::new(1, script) }, &[0, 3]);
}

#[test]
fn a_refusal_for_no_reason_and_an_expiry_break_nothing() {
    let script = Script { pick: true, end: true, ..NOTHING };
    let plan = Plan { rounds: 1, crashes: 0, refusals: 1, expiries: 1, ..Plan::new(2, script) };
    walk("refusals", plan, &[0]);
}
