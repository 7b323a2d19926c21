//! What the rehearsal promises, checked through the same codecs as a real device.

use super::*;
use crate::codec::{Value, by_assigned_number, decode};
use minato_protocol::reading::{
    Characteristic, Quality, Quantity, Special, WAVE_MESSAGE_BYTES_MAX,
};

const T0: Timestamp = Timestamp(1_795_300_000_000);

fn bedside() -> Simulator {
    let zone = TimeZone::get("Asia/Tokyo").expect("a zone");
    Simulator::new(&Rehearsal { seed: 7, beds: 2, zone, run: 3 }, T0)
}

fn device(name: &str) -> DeviceId {
    name.parse().expect("an id")
}

fn run_until(simulator: &mut Simulator, end: Timestamp) -> Vec<Heard> {
    std::iter::from_fn(|| simulator.poll(end)).collect()
}

fn frames(heard: &[Heard]) -> Vec<(Timestamp, crate::codec::Frame)> {
    let frames = heard.iter().filter_map(|heard| match heard {
        Heard::Bytes { from, bytes, at, .. } => {
            let characteristic = from.number().and_then(by_assigned_number).expect("a message");
            Some((*at, decode(characteristic, bytes).expect("a good frame")))
        }
        Heard::Appeared(_)
        | Heard::Gone { .. }
        | Heard::ClockSet { .. }
        | Heard::Obstructed { .. }
        | Heard::Wave(_) => None,
    });
    frames.collect()
}

#[test]
fn a_worn_oximeter_stepped_by_ten_minutes_gives_600_values_at_their_own_seconds() {
    let mut simulator = bedside();
    simulator.wear(&device("sim-oximeter-1"), true, T0);
    let heard = run_until(&mut simulator, T0 + Span::minutes(10));
    let frames = frames(&heard);
    assert_eq!(frames.len(), 600);
    let seconds: Vec<_> = frames.iter().map(|(at, _)| (*at - T0).0).collect();
    assert_eq!(seconds, (1..=600).map(|second| second * 1_000).collect::<Vec<_>>());
    let waves = heard.iter().filter(|heard| matches!(heard, Heard::Wave(_))).count();
    assert!(waves <= 6, "waves older than a second are skipped, {waves} came");
}

#[test]
fn a_started_cuff_shows_its_pressure_and_then_a_result_with_its_time() {
    let mut simulator = bedside();
    simulator.measure(&device("sim-cuff-2"), T0).expect("a free cuff");
    assert_eq!(simulator.measure(&device("sim-cuff-2"), T0), Err(RequestRefusal::Busy));
    let frames = frames(&run_until(&mut simulator, T0 + Span::minutes(1)));
    let (last_at, last) = frames.last().expect("frames");
    assert_eq!(frames.len(), 25);
    assert_eq!(
        (*last_at, last.characteristic),
        (T0 + Span::seconds(12), Characteristic::BloodPressure)
    );
    assert!(matches!(last.time, crate::codec::FrameTime::Civil(_)));
    assert!(last.values.iter().all(|value| matches!(value.value, Value::Number(_))));
    assert_eq!(simulator.next_due(), None);
}

#[test]
fn a_cuff_told_to_fail_sends_nan_with_a_clean_status() {
    let mut simulator = bedside();
    let cuff = device("sim-cuff-1");
    simulator.fail(&cuff, SimulatedFault::CuffError, T0).expect("a cuff's fault");
    simulator.measure(&cuff, T0).expect("a free cuff");
    let frames = frames(&run_until(&mut simulator, T0 + Span::minutes(1)));
    let (_, last) = frames.last().expect("frames");
    assert!(last.quality.is_empty());
    assert!(last.values.iter().all(|value| value.value == Value::Special(Special::NaN)));
}

#[test]
fn a_result_measured_out_of_range_comes_later_with_the_time_of_measuring() {
    let mut simulator = bedside();
    let cuff = device("sim-cuff-1");
    simulator.measure(&cuff, T0).expect("a free cuff");
    run_until(&mut simulator, T0 + Span::seconds(5));
    simulator.fail(&cuff, SimulatedFault::Silent, T0 + Span::seconds(5)).expect("silence");
    let heard = run_until(&mut simulator, T0 + Span::minutes(1));
    assert_eq!(heard.first(), Some(&Heard::Gone { device: cuff }));
    let frames = frames(&heard);
    let [(at, result)] = frames.as_slice() else { panic!("only the result: {frames:?}") };
    assert_eq!(*at, T0 + Span::seconds(15));
    let crate::codec::FrameTime::Civil(time) = result.time else { panic!("a time") };
    let zone = TimeZone::get("Asia/Tokyo").expect("a zone");
    let measured = zone.to_timestamp(time).expect("a time of the zone").as_millisecond();
    assert_eq!(measured, (T0 + Span::seconds(12)).0 / 1_000 * 1_000);
}

#[test]
fn an_oximeter_told_to_slip_says_so_for_ten_seconds() {
    let mut simulator = bedside();
    let oximeter = device("sim-oximeter-1");
    simulator.wear(&oximeter, true, T0);
    run_until(&mut simulator, T0 + Span::seconds(5));
    let from = T0 + Span::seconds(5);
    simulator.fail(&oximeter, SimulatedFault::SensorDisplaced, from).expect("its fault");
    let frames = frames(&run_until(&mut simulator, T0 + Span::seconds(30)));
    let slipped = frames.iter().filter(|(_, f)| f.quality.contains(&Quality::SensorDisplaced));
    assert_eq!(slipped.count(), 9, "from 6 s to 14 s");
    assert_eq!(
        simulator.fail(&oximeter, SimulatedFault::CuffLoose, from),
        Err(RequestRefusal::NotSimulated)
    );
}

#[test]
fn a_finger_taken_out_gives_no_number() {
    let mut simulator = bedside();
    let oximeter = device("sim-oximeter-1");
    simulator.wear(&oximeter, true, T0);
    simulator.fail(&oximeter, SimulatedFault::SensorOff, T0).expect("its fault");
    let frames = frames(&run_until(&mut simulator, T0 + Span::seconds(5)));
    for (_, frame) in frames {
        let spo2 = frame.values.iter().find(|value| value.what == Quantity::Spo2);
        assert_eq!(spo2.map(|value| value.value), Some(Value::Special(Special::NaN)));
    }
}

#[test]
fn wave_blocks_follow_each_other_and_fit_a_packet() {
    let mut simulator = bedside();
    simulator.wear(&device("sim-oximeter-1"), true, T0);
    let mut expected = None;
    let mut blocks = 0;
    for tick in 1..=50 {
        for heard in run_until(&mut simulator, T0 + Span(tick * 200)) {
            let Heard::Wave(block) = heard else { continue };
            blocks += 1;
            assert_eq!(block.samples.0.len(), 15);
            if let Some(expected) = expected {
                assert_eq!(block.first_sample, expected);
            }
            expected = Some(block.first_sample + 15);
            let bytes = serde_json::to_vec(&block).expect("json").len();
            assert!(bytes <= WAVE_MESSAGE_BYTES_MAX, "{bytes}");
        }
    }
    assert!((48..=50).contains(&blocks), "five a second: {blocks}");
}

#[test]
fn the_same_seed_gives_the_same_frames() {
    let run = || {
        let mut simulator = bedside();
        simulator.wear(&device("sim-oximeter-2"), true, T0);
        simulator.measure(&device("sim-cuff-1"), T0).expect("a free cuff");
        run_until(&mut simulator, T0 + Span::seconds(30))
    };
    assert_eq!(run(), run());
}
