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

fn numbers(heard: &[Heard]) -> Vec<u16> {
    let number = |heard: &Heard| match heard {
        Heard::Bytes { from, .. } => from.number(),
        _ => None,
    };
    heard.iter().filter_map(number).collect()
}

#[test]
fn a_thermometer_shows_how_it_rises_and_then_its_result() {
    let mut simulator = bedside();
    simulator.measure(&device("sim-thermometer-1"), T0).expect("a free thermometer");
    let heard = run_until(&mut simulator, T0 + Span::minutes(1));
    assert_eq!(numbers(&heard), [0x2A1E, 0x2A1E, 0x2A1E, 0x2A1E, 0x2A1C]);
    assert_eq!(simulator.next_due(), None);
}

#[test]
fn a_scale_and_a_glucose_meter_send_one_result() {
    for (name, number) in [("sim-scale-1", 0x2A9D), ("sim-glucose-1", 0x2A18)] {
        let mut simulator = bedside();
        simulator.measure(&device(name), T0).expect("free");
        assert_eq!(numbers(&run_until(&mut simulator, T0 + Span::minutes(1))), [number], "{name}");
    }
}

#[test]
fn a_worn_strap_sends_its_rate_once_a_second_and_its_lead_five_times() {
    let mut simulator = bedside();
    simulator.wear(&device("sim-strap-1"), true, T0);
    let mut expected = None;
    let (mut blocks, mut values, mut beats) = (0, 0, false);
    for tick in 1..=50 {
        for heard in run_until(&mut simulator, T0 + Span(tick * 200)) {
            match heard {
                Heard::Wave(block) => {
                    assert!(expected.is_none_or(|expected| expected == block.first_sample));
                    expected = Some(block.first_sample + 25);
                    beats |= block.samples.0.iter().any(|sample| *sample > 170);
                    let bytes = serde_json::to_vec(&block).expect("json").len();
                    assert!(bytes <= WAVE_MESSAGE_BYTES_MAX, "{bytes}");
                    blocks += 1;
                }
                Heard::Bytes { from, .. } if from.number() == Some(0x2A37) => values += 1,
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(beats, "the heart beats");
    assert!((48..=50).contains(&blocks), "{blocks}");
    assert!((9..=10).contains(&values), "{values}");
}

#[test]
fn every_fault_of_a_link_is_heard_as_a_real_gateway_would_hear_it_and_ends() {
    use minato_protocol::uplink::Trouble;
    let away = [
        (SimulatedFault::Silent, Trouble::OutOfRange),
        (SimulatedFault::NotPaired, Trouble::NotPaired),
        (SimulatedFault::HeldElsewhere, Trouble::HeldElsewhere),
    ];
    for name in ["sim-cuff-1", "sim-oximeter-1", "sim-thermometer-1", "sim-strap-1"] {
        for (fault, by) in away {
            let (mut simulator, device) = (bedside(), device(name));
            simulator.fail(&device, fault, T0).expect("its fault");
            let heard = run_until(&mut simulator, T0 + Span::seconds(9));
            let obstructed = Heard::Obstructed { device: device.clone(), by: Some(by) };
            assert_eq!(heard, [Heard::Gone { device }, obstructed]);
            let heard = run_until(&mut simulator, T0 + Span::seconds(10));
            assert!(matches!(heard.as_slice(), [Heard::Appeared(_)]), "{name}: {heard:?}");
        }
    }
}

#[test]
fn a_battery_that_is_empty_and_a_clock_that_is_days_off_are_said_by_the_device() {
    let (mut simulator, cuff) = (bedside(), device("sim-cuff-1"));
    simulator.fail(&cuff, SimulatedFault::BatteryEmpty, T0).expect("its fault");
    simulator.fail(&cuff, SimulatedFault::ClockWrong, T0).expect("its fault");
    let heard = run_until(&mut simulator, T0 + Span::minutes(2));
    assert_eq!(numbers(&heard), [0x2A19, 0x2A2B, 0x2A19, 0x2A2B]);
    let shown = |heard: &Heard| {
        let Heard::Bytes { bytes, .. } = heard else { panic!("{heard:?}") };
        let (time, _) = crate::codec::decode_current_time(bytes).expect("a time");
        let crate::codec::FrameTime::Civil(time) = time else { panic!("{time:?}") };
        let zone = TimeZone::get("Asia/Tokyo").expect("a zone");
        Timestamp(zone.to_timestamp(time).expect("a time").as_millisecond())
    };
    assert_eq!(shown(&heard[1]) + Span::minutes(3 * 24 * 60), Timestamp(T0.0 / 1_000 * 1_000));
    assert_eq!(shown(&heard[3]), Timestamp((T0 + Span::seconds(60)).0 / 1_000 * 1_000));
}
