//! The laws of the ladder.

use super::*;
use LadderStep::{AudioOnly, Full, Small, Stills, TextOnly, Thumbnail};
use proptest::prelude::*;

const TICK: Duration = Duration::from_millis(100);

/// One person with a camera, as a page of ours sends.
const CALL: Needs = Needs {
    audio_bps: 40_000,
    waves_bps: 8_000,
    stills_bps: 20_000,
    thumbnail_bps: 110_000,
    small_bps: 350_000,
    full_bps: 900_000,
};

fn link(estimate_bps: u64) -> Link {
    Link { estimate_bps: Some(estimate_bps), ..Link::default() }
}

/// Looks every tick for some time; answers with the plan at each.
fn run(
    ladder: &mut Ladder,
    now: &mut Instant,
    lasting: Duration,
    needs: &Needs,
    mut at: impl FnMut(usize) -> Link,
) -> Vec<Plan> {
    let ticks = usize::try_from(lasting.as_millis() / TICK.as_millis()).expect("short");
    let look = |tick| {
        *now += TICK;
        ladder.look(&at(tick), needs, None, *now)
    };
    (0..ticks).map(look).collect()
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_good_link_gets_everything_and_an_unmeasured_one_too() {
    let (mut ladder, mut now) = (Ladder::default(), Instant::now());
    let plans = run(&mut ladder, &mut now, SECOND * 60, &CALL, |_| link(3_000_000));
    assert!(plans.iter().all(|plan| *plan == Plan::default()));
    let plans = run(&mut ladder, &mut now, SECOND * 60, &CALL, |_| Link::default());
    assert!(plans.iter().all(|plan| *plan == Plan::default()));
}

#[test]
fn links_of_the_field_get_the_step_that_fits_them() {
    let step = |estimate_bps, loss, rtt_ms| {
        let rtt = Some(Duration::from_millis(rtt_ms));
        let seen = Link { estimate_bps: Some(estimate_bps), loss, rtt, queue: None };
        let plans = run(&mut Ladder::default(), &mut Instant::now(), SECOND * 9, &CALL, |_| seen);
        plans.last().map(|plan| (plan.step, plan.because, plan.voice.copies)).expect("looked")
    };
    use Cause::{Bandwidth, Loss};
    assert_eq!(step(450_000, 0.05, 100), (Small, Some(Bandwidth), 1));
    assert_eq!(step(240_000, 0.05, 600), (Stills, Some(Loss), 1), "broken pictures help nobody");
    assert_eq!(step(120_000, 0.10, 200), (Stills, Some(Bandwidth), 2));
    assert_eq!(step(80_000, 0.05, 200), (AudioOnly, Some(Loss), 1), "sound is repeated first");
    assert_eq!(step(60_000, 0.15, 200), (AudioOnly, Some(Bandwidth), 2), "whatever is guessed");
    assert_eq!(step(20_000, 0.0, 200), (AudioOnly, Some(Bandwidth), 0), "sound stays");
}

#[test]
fn the_way_up_waits_fifteen_seconds_and_longer_after_a_mistake() {
    let (mut ladder, mut now) = (Ladder::default(), Instant::now());
    run(&mut ladder, &mut now, SECOND * 20, &CALL, |_| link(3_000_000));
    run(&mut ladder, &mut now, SECOND * 4, &CALL, |_| link(100_000));
    assert_eq!(ladder.step, Stills);
    let plans = run(&mut ladder, &mut now, SECOND * 11, &CALL, |_| link(3_000_000));
    assert!(plans.iter().all(|plan| plan.step == Stills), "not yet");
    run(&mut ladder, &mut now, SECOND * 4, &CALL, |_| link(3_000_000));
    assert_eq!(ladder.step, Full);
    run(&mut ladder, &mut now, SECOND * 4, &CALL, |_| link(100_000));
    let plans = run(&mut ladder, &mut now, SECOND * 25, &CALL, |_| link(3_000_000));
    assert!(plans.iter().all(|plan| plan.step == Stills), "that step up was a mistake");
    run(&mut ladder, &mut now, SECOND * 10, &CALL, |_| link(3_000_000));
    assert_eq!(ladder.step, Full);
}

#[test]
fn an_estimate_that_still_grows_is_given_time() {
    let (mut ladder, mut now) = (Ladder::default(), Instant::now());
    let grows = |tick: usize| link(300_000 + 20_000 * u64::try_from(tick).expect("small"));
    let plans = run(&mut ladder, &mut now, SECOND * 4, &Needs { full_bps: 0, ..CALL }, grows);
    assert!(plans.iter().all(|plan| plan.step == Full));
    let (mut ladder, mut now) = (Ladder::default(), Instant::now());
    run(&mut ladder, &mut now, SECOND * 4, &CALL, |_| link(120_000));
    assert_eq!(ladder.step, Thumbnail, "so little is too little even then");
    run(&mut ladder, &mut now, SECOND * 6, &CALL, |_| link(3_000_000));
    assert_eq!(ladder.step, Full, "and what was a false start is put right soon");
}

#[test]
fn a_doctor_may_pin_the_step_but_not_against_sound() {
    let (mut ladder, mut now) = (Ladder::default(), Instant::now());
    let plan = ladder.look(&link(3_000_000), &CALL, Some(AudioOnly), now);
    assert_eq!((plan.step, plan.because), (AudioOnly, Some(Cause::Pinned)));
    let plan = ladder.look(&link(100_000), &CALL, Some(Small), now);
    assert_eq!(plan.step, Small, "the doctor wants to see, and sound fits");
    run(&mut ladder, &mut now, SECOND * 4, &CALL, |_| link(30_000));
    let plan = ladder.look(&link(30_000), &CALL, Some(Small), now);
    assert_eq!((plan.step, plan.because), (AudioOnly, Some(Cause::Bandwidth)));
    let plan = ladder.look(&link(3_000_000), &CALL, Some(TextOnly), now);
    assert_eq!(
        (plan.step, plan.because),
        (TextOnly, Some(Cause::Pinned)),
        "asked for in so many words"
    );
}

#[test]
fn loss_brings_copies_and_they_go_when_it_is_over() {
    let (mut ladder, mut now) = (Ladder::default(), Instant::now());
    let lossy = Link { loss: 0.05, ..link(3_000_000) };
    let plans = run(&mut ladder, &mut now, SECOND, &CALL, |_| lossy);
    assert_eq!(plans[0].voice.copies, 1, "at once");
    let plans = run(&mut ladder, &mut now, SECOND * 15, &CALL, |_| link(3_000_000));
    assert_eq!((plans[10].voice.copies, plans[140].voice.copies), (1, 0));
}

#[test]
fn what_is_worth_trying_for_is_padded_only_shortly_before_a_step_up() {
    let (mut ladder, mut now) = (Ladder::default(), Instant::now());
    run(&mut ladder, &mut now, SECOND * 20, &CALL, |_| link(3_000_000));
    run(&mut ladder, &mut now, SECOND * 4, &CALL, |_| link(100_000));
    assert_eq!(ladder.worth_bps(&CALL, now), (0, 1_187_500));
    run(&mut ladder, &mut now, SECOND * 10, &CALL, |_| link(100_000));
    assert_eq!(ladder.worth_bps(&CALL, now).0, 200_000, "a thumbnail with some to spare");
}

fn any_needs() -> impl Strategy<Value = Needs> {
    let bps = |most| 0u64..most;
    (bps(120_000), bps(20_000), bps(40_000), bps(300_000), bps(800_000), bps(3_000_000)).prop_map(
        |(audio, waves, stills, thumbnail, small, full)| Needs {
            audio_bps: audio + 8_000,
            waves_bps: waves,
            stills_bps: stills,
            thumbnail_bps: thumbnail,
            small_bps: small,
            full_bps: full,
        },
    )
}

fn any_link() -> impl Strategy<Value = Link> {
    (0u64..2_000_000, 0.0f32..0.3, 0u64..900).prop_map(|(estimate, loss, rtt)| Link {
        estimate_bps: Some(estimate),
        loss,
        rtt: Some(Duration::from_millis(rtt)),
        queue: None,
    })
}

/// Seconds of a wild link, each of its own.
fn any_minutes() -> impl Strategy<Value = Vec<Link>> {
    prop::collection::vec(any_link(), 5..120)
}

proptest! {
    #[test]
    fn three_seconds_are_enough_to_come_down(before in any_minutes(), needs in any_needs(), now_is in any_link()) {
        let (mut ladder, mut now) = (Ladder::default(), Instant::now());
        let lasting = SECOND * u32::try_from(before.len()).expect("short");
        run(&mut ladder, &mut now, lasting, &needs, |tick| before[tick / 10]);
        let plans = run(&mut ladder, &mut now, SECOND * 3, &needs, |_| now_is);
        let fits = needs.reach(now_is.estimate_bps.expect("measured"), ladder.toll(&now_is, plans[plans.len() - 1].voice), 100);
        prop_assert!(plans[plans.len() - 1].step <= fits);
    }

    #[test]
    fn there_is_no_picture_where_sound_does_not_fit_and_sound_stays(
        minutes in any_minutes(), needs in any_needs()
    ) {
        let (mut ladder, mut now) = (Ladder::default(), Instant::now());
        let mut starved_for = 0;
        let ticks = minutes.len() * 10;
        let lasting = TICK * u32::try_from(ticks).expect("short");
        let plans = run(&mut ladder, &mut now, lasting, &needs, |tick| minutes[tick / 10]);
        for (tick, plan) in plans.iter().enumerate() {
            let sound = needs.live_bps(0);
            let starved = minutes[tick / 10].estimate_bps.is_some_and(|bps| bps < sound);
            starved_for = if starved { starved_for + 1 } else { 0 };
            if starved_for > 6 {
                prop_assert_eq!(plan.step, AudioOnly, "within a second");
            }
            prop_assert!(plan.step >= AudioOnly, "no link takes the sound away");
        }
    }

    #[test]
    fn more_bandwidth_never_gets_less(
        needs in any_needs(), seen in any_link(), more in 0u64..2_000_000, seconds in 1u32..60
    ) {
        let richer = Link { estimate_bps: seen.estimate_bps.map(|bps| bps + more), ..seen };
        let [poor, rich] = [seen, richer].map(|seen| {
            run(&mut Ladder::default(), &mut Instant::now(), SECOND * seconds, &needs, |_| seen)
        });
        for (poor, rich) in poor.iter().zip(&rich) {
            prop_assert!(poor.step <= rich.step);
        }
    }

    #[test]
    fn the_way_up_is_taken_at_most_once_in_fifteen_seconds(minutes in any_minutes(), needs in any_needs()) {
        let (mut ladder, mut now) = (Ladder::default(), Instant::now());
        let lasting = SECOND * u32::try_from(minutes.len()).expect("short");
        let plans = run(&mut ladder, &mut now, lasting, &needs, |tick| minutes[tick / 10]);
        let ups: Vec<_> =
            (1..plans.len()).filter(|tick| plans[*tick].step > plans[*tick - 1].step).collect();
        for pair in ups.windows(2) {
            prop_assert!(pair[1] - pair[0] >= 150);
        }
    }

    #[test]
    fn noise_does_not_make_it_flap(
        needs in any_needs(),
        middle in 30_000u64..2_000_000,
        noise in prop::collection::vec(85u64..115, 6_000)
    ) {
        let (mut ladder, mut now) = (Ladder::default(), Instant::now());
        let plans = run(&mut ladder, &mut now, SECOND * 600, &needs, |tick| {
            link(middle * noise[tick] / 100)
        });
        // Coming down in several steps is no flapping; up and down again is.
        let ups = plans.windows(2).filter(|pair| pair[0].step < pair[1].step).count();
        prop_assert!(ups <= 1, "{ups} steps up in ten minutes");
    }

    #[test]
    fn every_step_above_thumbnail_needs_what_is_below_it(needs in any_needs(), seen in any_link()) {
        let toll = Toll { copies: 1, broken: false };
        let costs = STEPS.map(|step| needs.cost_bps(step, toll));
        prop_assert!(costs.windows(2).all(|pair| pair[0] <= pair[1]));
        let step = needs.reach(seen.estimate_bps.unwrap_or(0), toll, 100);
        prop_assert!(step < Thumbnail || needs.live_bps(1) <= seen.estimate_bps.unwrap_or(0));
    }
}
