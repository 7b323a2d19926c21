//! The link against what was set: by examples, and by properties over shapes and traffic.

use super::*;
use proptest::prelude::*;

/// Sends frames of so many bytes at the given pauses, then lets the link run empty. Gives each
/// frame's number with the time after the start at which it arrived.
fn send(link: &mut Link<usize>, frames: &[(u64, usize)]) -> Vec<(usize, Duration)> {
    let start = Instant::now();
    let mut now = start;
    let mut came = Vec::new();
    for (number, &(pause_us, bytes)) in frames.iter().enumerate() {
        let until = now + Duration::from_micros(pause_us);
        run_until(link, until, start, &mut came);
        now = until;
        let _ = link.offer(number, bytes, now);
    }
    run_until(link, now + Duration::from_secs(3_600), start, &mut came);
    came
}

fn run_until(
    link: &mut Link<usize>,
    until: Instant,
    start: Instant,
    came: &mut Vec<(usize, Duration)>,
) {
    while let Some(due) = link.next_due().filter(|due| *due <= until) {
        while let Some(number) = link.take_due(due) {
            came.push((number, due - start));
        }
    }
}

fn shaped(text: &str) -> Shape {
    let mut shape = Shape::default();
    shape.set_all(text).expect("a shape");
    shape
}

fn every(pause_ms: u64, bytes: usize, count: usize) -> Vec<(u64, usize)> {
    vec![(pause_ms * 1_000, bytes); count]
}

#[test]
fn a_wire_changes_nothing() {
    let came = send(&mut Link::new(Shape::default(), 1), &every(10, 1_500, 100));
    let each = (0..100).map(|n| (n, Duration::from_millis(10 * (n as u64 + 1))));
    let expected: Vec<_> = each.collect();
    assert_eq!(came, expected);
}

#[test]
fn a_delay_moves_every_frame_by_the_same_time() {
    let came = send(&mut Link::new(shaped("delay 300"), 1), &every(20, 160, 50));
    for (number, at) in came {
        assert_eq!(at, Duration::from_millis(20 * (number as u64 + 1) + 300));
    }
}

#[test]
fn a_burst_of_frames_leaves_at_the_rate() {
    // 250 bytes at 256 kbit/s are 7.8125 ms.
    let came = send(&mut Link::new(shaped("rate 256k"), 1), &every(0, 250, 10));
    for (number, at) in came {
        assert_eq!(at, Duration::from_nanos(7_812_500) * (u32::try_from(number).unwrap() + 1));
    }
}

#[test]
fn a_full_queue_drops_what_comes_last() {
    let mut link = Link::new(shaped("rate 64k, queue 500"), 1);
    let now = Instant::now();
    for number in 0..4 {
        assert_eq!(link.offer(number, 1_000, now), Ok(()));
    }
    assert_eq!(link.offer(4, 1_000, now), Err(Dropped::QueueFull));
    assert_eq!(link.tally().queue_full, 1);
    assert_eq!(link.tally().waiting_bytes, 4_000);
    // One has left after an eighth of a second: there is room for one.
    let later = now + Duration::from_millis(125);
    assert_eq!(link.offer(5, 1_000, later), Ok(()));
    assert_eq!(link.offer(6, 1_000, later), Err(Dropped::QueueFull));
}

#[test]
fn an_idle_link_takes_a_frame_longer_than_its_queue() {
    let mut link = Link::new(shaped("rate 8k, queue 0"), 1);
    assert_eq!(link.offer(0, 9_000, Instant::now()), Ok(()));
}

#[test]
fn a_link_that_holds_too_much_drops_rather_than_grow() {
    let mut link = Link::new(shaped("delay 60000"), 1);
    let now = Instant::now();
    let frames = HELD_BYTES_MAX / 65_536;
    for number in 0..frames {
        assert_eq!(link.offer(number, 65_536, now), Ok(()));
    }
    assert_eq!(link.offer(frames, 1, now), Err(Dropped::HeldTooMuch));
    assert!(link.take_due(now + Duration::from_mins(1)).is_some());
    assert_eq!(link.offer(frames, 1, now + Duration::from_mins(1)), Ok(()));
}

#[test]
fn a_black_out_takes_all_that_is_offered_in_it_and_ends() {
    let mut link = Link::new(shaped("delay 100"), 1);
    let start = Instant::now();
    let at = |ms| start + Duration::from_millis(ms);
    assert_eq!(link.offer(0, 100, at(0)), Ok(()));
    link.cut(Duration::from_millis(500), at(50));
    assert_eq!(link.take_due(at(100)), Some(0), "what was on its way arrives");
    assert_eq!(link.offer(1, 100, at(51)), Err(Dropped::BlackOut));
    assert_eq!(link.offer(2, 100, at(549)), Err(Dropped::BlackOut));
    assert_eq!(link.offer(3, 100, at(550)), Ok(()));
    assert_eq!(link.take_due(at(650)), Some(3));
    assert_eq!(link.tally().lost_in_black_outs, 2);
}

#[test]
fn a_black_out_takes_what_would_leave_the_queue_in_it() {
    let mut link = Link::new(shaped("rate 8k"), 1);
    let start = Instant::now();
    let at = |ms| start + Duration::from_millis(ms);
    for number in 0..3 {
        assert_eq!(link.offer(number, 100, at(0)), Ok(()));
    }
    link.cut(Duration::from_millis(100), at(150));
    assert_eq!(link.take_due(at(400)), Some(0));
    assert_eq!(link.take_due(at(400)), Some(2));
    assert_eq!(link.tally().lost_in_black_outs, 1);
}

#[test]
fn what_waits_leaves_at_the_new_rate() {
    let mut link = Link::new(shaped("rate 8k"), 1);
    let start = Instant::now();
    for number in 0..3 {
        assert_eq!(link.offer(number, 1_000, start), Ok(()));
    }
    link.reshape(shaped("rate 80k"), start + Duration::from_millis(500));
    assert_eq!(link.next_due(), Some(start + Duration::from_millis(600)));
    assert_eq!(link.take_due(start + Duration::from_millis(600)), Some(0));
    assert_eq!(link.next_due(), Some(start + Duration::from_millis(700)));
    link.reshape(Shape::default(), start + Duration::from_millis(650));
    assert_eq!(link.take_due(start + Duration::from_millis(650)), Some(1));
    assert_eq!(link.take_due(start + Duration::from_millis(650)), Some(2));
}

#[test]
fn bursts_lose_the_share_and_the_length_of_their_model() {
    // In the bad state for 2 / (2 + 20) of the time, five frames at a time.
    let mut link = Link::new(shaped("burst 2 20"), 3);
    let came = send(&mut link, &every(1, 100, 50_000));
    let lost = 1.0 - came.len() as f64 / 50_000.0;
    assert!((lost - 2.0 / 22.0).abs() < 0.01, "{lost}");
    let runs = came.windows(2).filter(|pair| pair[1].0 != pair[0].0 + 1).count();
    let length = link.tally().lost_in_bursts as f64 / runs as f64;
    assert!((length - 5.0).abs() < 0.4, "{length}");
    assert_eq!(link.tally().lost_evenly, 0);
}

#[test]
fn one_setting_does_not_shift_the_luck_under_another() {
    let lost = |text| {
        let came = send(&mut Link::new(shaped(text), 9), &every(20, 160, 2_000));
        let came: std::collections::HashSet<usize> = came.into_iter().map(|(n, _)| n).collect();
        (0..2_000).filter(|n| !came.contains(n)).collect::<Vec<_>>()
    };
    assert_eq!(lost("loss 5"), lost("loss 5, delay 300, jitter 40"));
    assert_eq!(lost("loss 5"), lost("loss 5, rate 256k"));
}

prop_compose! {
    fn any_shape()(
        delay_ms in 0_u32..1_000,
        jitter_ms in 0_u32..200,
        reorder in any::<bool>(),
        loss_percent in 0.0_f64..40.0,
        burst in proptest::option::of((0.0_f64..10.0, 5.0_f64..100.0, 0.0_f64..=100.0)),
        rate_bit_s in proptest::option::of(8_000_u64..10_000_000),
        queue_ms in 0_u32..2_000,
    ) -> Shape {
        let burst = burst.map(|(enter_percent, leave_percent, loss_percent)| {
            Burst { enter_percent, leave_percent, loss_percent }
        });
        Shape { delay_ms, jitter_ms, reorder, loss_percent, burst, rate_bit_s, queue_ms }
    }
}

fn any_traffic() -> impl Strategy<Value = Vec<(u64, usize)>> {
    proptest::collection::vec((0_u64..50_000, 28_usize..1_500), 1..300)
}

proptest! {
    #[test]
    fn the_same_seed_is_the_same_fate(shape in any_shape(), seed: u64, frames in any_traffic()) {
        let once = send(&mut Link::new(shape.clone(), seed), &frames);
        let again = send(&mut Link::new(shape, seed), &frames);
        prop_assert_eq!(once, again);
    }

    #[test]
    fn every_frame_has_exactly_one_fate(shape in any_shape(), seed: u64, frames in any_traffic()) {
        let mut link = Link::new(shape, seed);
        let came = send(&mut link, &frames);
        let t = link.tally();
        let lost = t.lost_evenly + t.lost_in_bursts + t.lost_in_black_outs + t.queue_full + t.held_too_much;
        prop_assert_eq!(t.offered, frames.len() as u64);
        prop_assert_eq!(t.delivered + lost, t.offered);
        prop_assert_eq!(t.delivered, came.len() as u64);
        prop_assert_eq!((t.waiting, t.waiting_bytes, t.flying), (0, 0, 0));
        prop_assert_eq!(link.held_bytes, 0);
    }

    #[test]
    fn frames_keep_their_order_unless_it_may_change(
        shape in any_shape(), seed: u64, frames in any_traffic(),
    ) {
        let shape = Shape { reorder: false, ..shape };
        let came = send(&mut Link::new(shape, seed), &frames);
        prop_assert!(came.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1));
    }

    #[test]
    fn no_frame_comes_before_its_delay_or_after_queue_and_jitter(
        shape in any_shape(), seed: u64, frames in any_traffic(),
    ) {
        let mut sent = Duration::ZERO;
        let sent: Vec<Duration> = frames.iter().map(|(pause, _)| {
            sent += Duration::from_micros(*pause);
            sent
        }).collect();
        let [delay, jitter] = [shape.delay_ms, shape.jitter_ms].map(|ms| Duration::from_millis(ms.into()));
        // The queue, and the frame that found room in it.
        let queue_bytes = usize::try_from(shape.queue_bytes()).unwrap();
        let queued = shape.busy(queue_bytes + 1_500);
        for (number, at) in send(&mut Link::new(shape.clone(), seed), &frames) {
            let took = at - sent[number];
            let least = shape.busy(frames[number].1) + delay.saturating_sub(jitter);
            prop_assert!(took + Duration::from_micros(1) >= least, "{took:?} < {least:?}");
            let most = queued + delay + jitter + Duration::from_micros(1);
            prop_assert!(took <= most, "{took:?} > {most:?}");
        }
    }

    #[test]
    fn the_rate_is_kept_and_reached(rate_bit_s in 16_000_u64..2_000_000, seed: u64) {
        let shape = Shape { rate_bit_s: Some(rate_bit_s), ..Shape::default() };
        // Twice the rate for ten seconds, in packets of 500 bytes.
        let pause_us = 500 * 8 * 1_000_000 / (2 * rate_bit_s);
        let count = usize::try_from(10_000_000 / pause_us).unwrap();
        let came = send(&mut Link::new(shape, seed), &vec![(pause_us, 500); count]);
        let (first, last) = (came[0].1, came[came.len() - 1].1);
        let got = (came.len() - 1) as f64 * 4_000.0 / (last - first).as_secs_f64();
        prop_assert!((got / rate_bit_s as f64 - 1.0).abs() < 0.001, "{got} of {rate_bit_s}");
    }

    #[test]
    fn loss_is_what_was_set(loss_percent in 0.0_f64..50.0, seed: u64) {
        let shape = Shape { loss_percent, ..Shape::default() };
        let came = send(&mut Link::new(shape, seed), &every(1, 100, 5_000));
        let lost = 100.0 * (1.0 - came.len() as f64 / 5_000.0);
        // Five standard deviations of the worst case.
        prop_assert!((lost - loss_percent).abs() < 3.6, "{lost} of {loss_percent}");
    }
}
