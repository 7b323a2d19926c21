//! Each guard taken out: the checker finds what it is there for. A guard whose loss is not noticed
//! would be no guard.

use minato_model::{Guards, LAWS, Plan, Script};
use minato_protocol::{StaffId, TicketId};
use stateright::{Checker, HasDiscoveries, Model};

const NOTHING: Script =
    Script { next: false, pick: false, end: false, back: false, hand_over: false };
const PICK: Script = Script { pick: true, ..NOTHING };

/// The shortest way to break the first law that breaks, one action a line.
fn broken(plan: Plan) -> Option<(&'static str, String)> {
    found(&plan.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join())
}

fn found(checker: &impl Checker<Plan>) -> Option<(&'static str, String)> {
    LAWS.into_iter().find_map(|law| {
        let path = checker.discovery(law)?;
        let steps: Vec<String> = path.into_actions().iter().map(|it| format!("{it:?}")).collect();
        Some((law, steps.join("\n")))
    })
}

fn assert_broken(plan: Plan, laws: &[&str]) {
    let Some((law, how)) = broken(plan) else { panic!("nobody misses the guard") };
    eprintln!("{law}:\n{how}");
    assert!(laws.contains(&law), "another law was broken: {law}\n{how}");
}

#[test]
fn without_the_expected_version_two_doctors_are_told_that_the_patient_is_theirs() {
    let guards = Guards { expected_version: false, ..Guards::ALL };
    let plan = Plan { guards, rounds: 0, crashes: 0, ..Plan::new(1, PICK) };
    assert_broken(plan, &[LAWS[2], LAWS[3], LAWS[4]]);
}

#[test]
fn without_the_epoch_in_the_call_a_slow_node_takes_a_patient_for_a_doctor_who_was_freed() {
    let guards = Guards { epoch: false, ..Guards::ALL };
    assert_broken(Plan { guards, rounds: 1, crashes: 0, ..Plan::new(1, PICK) }, &[LAWS[2]]);
}

#[test]
fn without_the_burning_a_slow_node_takes_a_patient_for_a_doctor_who_was_freed() {
    let guards = Guards { burn_before_release: false, ..Guards::ALL };
    assert_broken(Plan { guards, rounds: 1, crashes: 0, ..Plan::new(1, PICK) }, &[LAWS[2]]);
}

#[test]
fn a_refused_claim_that_gives_back_without_asking_frees_the_winners_nurse() {
    let guards = Guards { undo_asks_the_room: false, ..Guards::ALL };
    assert_broken(Plan { guards, rounds: 0, crashes: 0, ..Plan::new(1, PICK) }, &[LAWS[2]]);
}

#[test]
fn a_refused_claim_at_a_second_screen_frees_the_doctor_who_won_at_the_first() {
    let guards = Guards { undo_asks_the_room: false, ..Guards::ALL };
    let screens = vec![StaffId(0), StaffId(0)];
    assert_broken(
        Plan { guards, screens, rounds: 0, crashes: 0, ..Plan::new(1, PICK) },
        &[LAWS[2]],
    );
}

#[test]
fn without_the_renewal_a_burnt_hand_over_frees_the_doctor_who_still_has_the_patient() {
    let guards = Guards { renew: false, ..Guards::ALL };
    let script = Script { hand_over: true, ..NOTHING };
    let claimed = vec![(TicketId(1), StaffId(0))];
    let plan = Plan { guards, claimed, rounds: 2, crashes: 1, ..Plan::new(2, script) };
    assert_broken(plan, &[LAWS[2]]);
}

#[test]
fn two_refused_claims_that_burn_whatever_stands_burn_each_other_for_ever() {
    let guards = Guards { undo_only_its_own: false, ..Guards::ALL };
    let script = Script { next: true, ..NOTHING };
    let plan = Plan { guards, rounds: 1, crashes: 0, ..Plan::new(1, script) };
    // Depth first, because the way round is long.
    let checker = plan.checker().finish_when(HasDiscoveries::AnyFailures).spawn_dfs().join();
    assert_eq!(found(&checker).map(|(law, _)| law), Some(LAWS[6]));
}
