use super::*;
use minato_protocol::reading::Quantity;
use proptest::prelude::*;

const PULSE: Quantity = Quantity::PulseRate;
const FAST: ChangeRule = ChangeRule::Above { what: PULSE, limit: Decimal::whole(120) };
const SLOW: ChangeRule = ChangeRule::Below { what: PULSE, limit: Decimal::whole(40) };
const JUMP: ChangeRule =
    ChangeRule::Changed { what: PULSE, by: Decimal::whole(30), within: Span::minutes(60) };
const SILENT: ChangeRule = ChangeRule::Missing { what: PULSE, within: Span::minutes(60) };

fn minute(count: i64) -> Timestamp {
    Timestamp(1_700_000_000_000) + Span::minutes(count)
}

fn sample(at: i64, value: i32) -> Sample {
    Sample { at: minute(at), stored: minute(at), value: Decimal::whole(value) }
}

/// Set at minute 0.
fn armed(is: &ChangeRule) -> Standing<'_> {
    Standing { is, armed_since: minute(0), fired: None, away: &[] }
}

fn fired(is: &ChangeRule, at: i64) -> Standing<'_> {
    Standing { fired: Some(minute(at)), ..armed(is) }
}

fn fires(at: i64, value: i32) -> Option<Verdict> {
    Some(Verdict::Fires { value: Some(Decimal::whole(value)), before: None, at: minute(at) })
}

/// A moment before.
fn back(at: i64) -> Option<Verdict> {
    Some(Verdict::BackToNormal { at: minute(at) - Span(1) })
}

fn judged(standing: &Standing<'_>, samples: &[Sample]) -> Option<Verdict> {
    judge(standing, samples, minute(10_000))
}

#[test]
fn a_value_beyond_the_limit_fires_and_one_at_the_limit_does_not() {
    assert_eq!(judged(&armed(&FAST), &[sample(1, 120)]), None);
    assert_eq!(judged(&armed(&FAST), &[sample(1, 120), sample(2, 121)]), fires(2, 121));
    assert_eq!(judged(&armed(&SLOW), &[sample(1, 40)]), None);
    assert_eq!(judged(&armed(&SLOW), &[sample(1, 39)]), fires(1, 39));
}

#[test]
fn what_was_measured_before_the_rule_was_set_fires_nothing() {
    assert_eq!(judged(&armed(&FAST), &[sample(-1, 180), sample(0, 180)]), None);
}

#[test]
fn what_came_late_fires_for_a_day_and_not_longer() {
    let late =
        |minutes: i64| Sample { stored: minute(1) + Span::minutes(minutes), ..sample(1, 180) };
    assert_eq!(judged(&armed(&FAST), &[late(24 * 60)]), fires(1, 180));
    assert_eq!(judged(&armed(&FAST), &[late(24 * 60 + 1)]), None);
}

#[test]
fn a_change_is_looked_for_within_its_span_and_names_the_farthest_value() {
    let jump = [sample(-5, 80), sample(1, 90), sample(30, 115)];
    let wanted = Verdict::Fires {
        value: Some(Decimal::whole(115)),
        before: Some(Decimal::whole(80)),
        at: minute(30),
    };
    assert_eq!(judged(&armed(&JUMP), &jump), Some(wanted));
    assert_eq!(judged(&armed(&JUMP), &[sample(1, 80), sample(61, 110)]), None, "exactly as much");
    assert_eq!(judged(&armed(&JUMP), &[sample(1, 80), sample(62, 130)]), None, "too long ago");
}

#[test]
fn a_difference_of_exactly_the_limit_is_no_more_in_tenths_either() {
    let tenths = |mantissa| Decimal { mantissa, exponent: -1 };
    let rule = ChangeRule::Changed {
        what: Quantity::Temperature,
        by: tenths(5),
        within: Span::minutes(60),
    };
    for low in 340..400 {
        let at = |at, mantissa| Sample { value: tenths(mantissa), ..sample(at, 0) };
        assert_eq!(judged(&armed(&rule), &[at(1, low), at(2, low + 5)]), None, "{low}");
        assert!(judged(&armed(&rule), &[at(1, low), at(2, low + 6)]).is_some(), "{low}");
    }
}

#[test]
fn a_rule_that_fired_does_not_fire_again_before_it_is_back_to_normal() {
    let high = [sample(1, 130), sample(20, 131), sample(60, 132)];
    assert_eq!(judged(&fired(&FAST, 1), &high), None);
    let to_and_fro: Vec<Sample> =
        (1..200).map(|at| sample(at, if at % 2 == 0 { 119 } else { 121 })).collect();
    assert_eq!(judged(&fired(&FAST, 1), &to_and_fro), None);
    assert_eq!(judged(&fired(&FAST, 1), &[sample(1, 130), sample(5, 80)]), None, "too soon to say");
    assert_eq!(
        judged(&fired(&FAST, 1), &[sample(1, 130), sample(5, 80), sample(16, 81)]),
        back(16)
    );
    // The next high one ends the quiet that lay before it, and fires anew.
    let again = [sample(1, 130), sample(5, 80), sample(60, 131)];
    assert_eq!(judged(&fired(&FAST, 1), &again), back(16));
    let rearmed = Standing { armed_since: minute(16), ..armed(&FAST) };
    assert_eq!(judged(&rearmed, &again), fires(60, 131));
}

#[test]
fn a_value_is_missing_after_the_span_and_once() {
    let silent = |now: i64| judge(&armed(&SILENT), &[], minute(now));
    assert_eq!(silent(59), None);
    let since = Verdict::Fires { value: None, before: None, at: minute(0) };
    assert_eq!(silent(60), Some(since));
    let some = [sample(30, 80)];
    assert_eq!(judge(&armed(&SILENT), &some, minute(89)), None);
    let since = Verdict::Fires { value: None, before: None, at: minute(30) };
    assert_eq!(judge(&armed(&SILENT), &some, minute(90)), Some(since));
    assert_eq!(judge(&fired(&SILENT, 30), &some, minute(500)), None);
    let came = [sample(30, 80), sample(500, 80)];
    let back = Verdict::BackToNormal { at: minute(500) };
    assert_eq!(judge(&fired(&SILENT, 30), &came, minute(501)), Some(back));
    assert_eq!(
        judge(&fired(&SILENT, 30), &came, minute(561)),
        None,
        "too old to say how it is now"
    );
}

#[test]
fn nobody_is_awaited_while_the_service_is_away() {
    let due_with = |away: &[(Timestamp, Span)]| {
        due(&Standing { away, ..armed(&SILENT) }, None).expect("a deadline")
    };
    assert_eq!(due_with(&[]), minute(60));
    assert_eq!(due_with(&[(minute(50), Span::minutes(20))]), minute(80));
    assert_eq!(due_with(&[(minute(10), Span::minutes(30))]), minute(70), "from the rule on");
    assert_eq!(due_with(&[(minute(200), Span::minutes(150))]), minute(210), "a long one");
    assert_eq!(due_with(&[(minute(200), Span::minutes(20))]), minute(60), "too late to excuse");
    assert_eq!(due_with(&[(minute(-5), Span::minutes(20))]), minute(60), "before the rule");
    let twice = [(minute(50), Span::minutes(20)), (minute(79), Span::minutes(5))];
    assert_eq!(due_with(&twice), minute(85));
}

/// What a kit would remember of its rule.
#[derive(Debug, Clone, Copy)]
struct Kept {
    armed_since: Timestamp,
    fired: Option<Timestamp>,
}

/// Asks until nothing more happens, as [`super::super::watch()`] does.
fn settle(is: &ChangeRule, kept: &mut Kept, samples: &[Sample], now: Timestamp) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    loop {
        let Kept { armed_since, fired } = *kept;
        let standing = Standing { is, armed_since, fired, away: &[] };
        let Some(verdict) = judge(&standing, samples, now) else { return verdicts };
        match verdict {
            Verdict::Fires { at, .. } => kept.fired = Some(at),
            Verdict::BackToNormal { at } => (kept.fired, kept.armed_since) = (None, at),
        }
        verdicts.push(verdict);
        assert!(verdicts.len() <= 2 * samples.len() + 2, "it never ends: {verdicts:?}");
    }
}

fn rules() -> impl Strategy<Value = ChangeRule> {
    prop_oneof![Just(FAST), Just(SLOW), Just(JUMP)]
}

/// Values about the limits, measured up to a day ago, each arriving up to two hours late.
fn arrivals() -> impl Strategy<Value = Vec<Sample>> {
    let one = (1..1_440i64, 0..120i64, 30..140i32);
    let samples = prop::collection::vec(one, 1..60);
    samples.prop_map(|all| {
        let mut all: Vec<Sample> = all
            .into_iter()
            .map(|(at, late, value)| Sample { stored: minute(at + late), ..sample(at, value) })
            .collect();
        all.sort_by_key(|sample| sample.stored);
        all
    })
}

fn take_in(known: &mut Vec<Sample>, new: Sample) {
    let place = known.partition_point(|other| other.at <= new.at);
    known.insert(place, new);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    /// Whatever arrives, in whatever order: what fires is truly beyond the limit and measured after
    /// the rule was armed; the same value never fires twice; two firings lie apart, with a value in
    /// between that is on the right side.
    #[test]
    fn a_rule_fires_truly_and_once_until_it_is_back_to_normal(is in rules(), all in arrivals()) {
        let mut kept = Kept { armed_since: minute(0), fired: None };
        let (mut known, mut firings) = (Vec::new(), Vec::new());
        for arrived in all {
            take_in(&mut known, arrived);
            let armed_before = kept.armed_since;
            for verdict in settle(&is, &mut kept, &known, arrived.stored) {
                if let Verdict::Fires { value, at, .. } = verdict {
                    let index = known.iter().position(|one| one.at == at && Some(one.value) == value);
                    let index = index.expect("a value that was measured");
                    prop_assert!(is_outside(&is, &known[..index], &known[index]).is_some());
                    prop_assert!(at > armed_before);
                    firings.push(at);
                }
            }
        }
        for pair in firings.windows(2) {
            prop_assert!(pair[1] - pair[0] >= QUIET, "{firings:?}");
        }
    }

    /// A value beyond a limit, of which nobody knew before, is never passed over.
    #[test]
    fn whatever_is_beyond_a_limit_is_told_or_belongs_to_what_was_told(all in arrivals()) {
        let mut kept = Kept { armed_since: minute(0), fired: None };
        let mut known: Vec<Sample> = Vec::new();
        let mut in_order = all;
        in_order.sort_by_key(|sample| sample.at);
        for arrived in in_order {
            let arrived = Sample { stored: arrived.at, ..arrived };
            take_in(&mut known, arrived);
            settle(&FAST, &mut kept, &known, arrived.stored);
            if arrived.value.to_f64() > 120.0 {
                prop_assert!(kept.fired.is_some());
            }
        }
    }

    /// A start in between changes nothing: what is judged one after the other and what is judged at
    /// once after an outage fires as often, when values come in the order in which they were measured.
    #[test]
    fn an_outage_loses_no_firing_and_makes_none(is in rules(), all in arrivals()) {
        let mut in_order = all;
        in_order.sort_by_key(|sample| sample.at);
        in_order.dedup_by_key(|sample| sample.at);
        in_order.iter_mut().for_each(|sample| sample.stored = sample.at);
        let fresh = Kept { armed_since: minute(0), fired: None };
        let (mut one_by_one, mut known, mut firings) = (fresh, Vec::new(), Vec::new());
        let at_of = |verdict: &Verdict| match verdict {
            Verdict::Fires { at, .. } => Some(*at),
            Verdict::BackToNormal { .. } => None,
        };
        for arrived in &in_order {
            take_in(&mut known, *arrived);
            firings.extend(settle(&is, &mut one_by_one, &known, arrived.at).iter().filter_map(at_of));
        }
        let mut at_once = fresh;
        let all_at_once = settle(&is, &mut at_once, &known, minute(10_000));
        prop_assert_eq!(firings, all_at_once.iter().filter_map(at_of).collect::<Vec<_>>());
    }
}
