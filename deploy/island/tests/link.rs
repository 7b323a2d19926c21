//! The link between two real namespaces, measured from its ends against what was set. Needs what
//! `minato-island run` needs: root, or user namespaces for everybody; it says so where it has neither.

mod island;

use island::Island;

/// On a busy machine a packet may wait for its process; it never comes early.
const LATE_MS: f64 = 40.0;

#[test]
fn a_round_trip_takes_both_delays_and_loses_on_both_ways() {
    let said = Island::plays(
        &["--delay", "150", "--loss", "5"],
        "$I in mainland -- $I echo & $I in island -- $I probe --count 1500 --every 5 --size 100
         $I tell status",
    );
    let [probe, status] = said.as_slice() else { panic!("{said:?}") };
    let [least, median] = [&probe["rtt_ms"]["min"], &probe["rtt_ms"]["median"]].map(island::number);
    assert!(least >= 300.0, "{probe}");
    assert!((300.0..300.0 + LATE_MS).contains(&median), "{probe}");
    // 1 - 0.95^2 = 9.75 %; four standard deviations of 1500 packets are 3.1.
    let lost = island::number(&probe["lost_percent"]);
    assert!((lost - 9.75).abs() < 3.1, "{probe}");
    assert_eq!(probe["reordered"], 0);
    for way in ["up", "down"] {
        let way = &status[way];
        let lost = island::number(&way["lost_evenly"]) / island::number(&way["offered"]);
        assert!((lost - 0.05).abs() < 0.025, "{status}");
        assert_eq!(way["queue_full"], 0);
        assert_eq!(way["refused_at_the_end"], 0);
    }
}

#[test]
fn each_direction_has_a_rate_of_its_own() {
    let said = Island::plays(
        &["--up", "rate 256k", "--down", "rate 64k"],
        "$I in mainland -- $I echo & $I in island -- $I echo --listen 203.0.113.2:7000 &
         $I in island -- $I pour --rate 600000 --seconds 4
         $I tell status
         $I in mainland -- $I pour --to 203.0.113.2:7000 --rate 200000 --seconds 4",
    );
    let [up, status, down] = said.as_slice() else { panic!("{said:?}") };
    let rate = |arrived: &island::Value| island::number(&arrived["rate_bit_s"]);
    assert!((rate(up) / 256_000.0 - 1.0).abs() < 0.03, "{up}");
    assert!((rate(down) / 64_000.0 - 1.0).abs() < 0.03, "{down}");
    let full = island::number(&status["up"]["queue_full"]);
    let lost = island::number(&up["sent"]) - island::number(&up["received"]);
    assert!((full - lost).abs() < f64::EPSILON, "the queue alone lost packets: {up} {status}");
}

#[test]
fn a_black_out_is_as_long_as_was_said_and_ends_by_itself() {
    let said = Island::plays(
        &["--delay", "20"],
        "$I in mainland -- $I echo &
         (sleep 1; $I tell 'blackout 1500ms' >/dev/null) &
         $I in island -- $I probe --count 200 --every 20
         $I tell status",
    );
    let [probe, status] = said.as_slice() else { panic!("{said:?}") };
    let gap = island::number(&probe["longest_gap_ms"]);
    assert!((1_470.0..1_500.0 + 20.0 + 2.0 * LATE_MS).contains(&gap), "{probe}");
    let lost = island::number(&probe["sent"]) - island::number(&probe["received"]);
    assert!((70.0..85.0).contains(&lost), "{probe}");
    assert_eq!(status["up"]["is_blacked_out"], false);
    let ways = ["up", "down"].map(|way| island::number(&status[way]["lost_in_black_outs"]));
    assert!((ways[0] + ways[1] - lost).abs() < f64::EPSILON, "{status} {probe}");
}

#[test]
fn a_link_changes_while_it_runs() {
    let said = Island::plays(
        &["--delay", "10"],
        "$I in mainland -- $I echo &
         $I in island -- $I probe --count 40
         $I tell 'delay 100' 'down delay 200, loss 100'
         $I in island -- $I probe --count 20 --wait 500 --at-once
         $I tell 'loss 0' 'up colour red'
         $I in island -- $I probe --count 40",
    );
    let [before, changed, both, cut, healed, refused, after] = said.as_slice() else {
        panic!("{said:?}")
    };
    let median = |probe: &island::Value| island::number(&probe["rtt_ms"]["median"]);
    assert!((20.0..20.0 + LATE_MS).contains(&median(before)), "{before}");
    assert_eq!(changed["down"]["shape"]["delay_ms"], 100);
    assert!(both.get("up").is_some() && both["down"]["shape"]["delay_ms"] == 200, "{both}");
    assert_eq!(both["up"]["shape"]["loss_percent"], 0.0);
    assert_eq!(cut["received"], 0, "all answers were lost");
    assert_eq!(healed["down"]["shape"]["loss_percent"], 0.0);
    assert!(refused["error"].as_str().is_some_and(|why| why.contains("colour")), "{refused}");
    assert!((300.0..300.0 + LATE_MS).contains(&median(after)), "{after}");
}

#[test]
fn the_island_gets_another_address_and_is_found_there() {
    let said = Island::plays(
        &["--delay", "10"],
        "$I in island -- $I echo --listen 0.0.0.0:7000 &
         $I in mainland -- $I probe --to 203.0.113.2:7000 --count 5
         $I tell 'address 203.0.113.3' 'address 203.0.113.1'
         $I in mainland -- $I probe --to 203.0.113.3:7000 --count 5
         $I in mainland -- $I probe --to 203.0.113.2:7000 --count 5 --wait 300 --at-once",
    );
    let [before, moved, refused, there, gone] = said.as_slice() else { panic!("{said:?}") };
    assert_eq!(before["received"], 5);
    assert_eq!(moved["island"], "203.0.113.3");
    assert!(refused["error"].as_str().is_some_and(|why| why.contains("203.0.113.1")), "{refused}");
    assert_eq!(there["received"], 5);
    assert_eq!(gone["received"], 0);
}

#[test]
fn the_same_seed_loses_the_same_frames() {
    let lost = |seed: &str| {
        let said = Island::plays(
            &["--loss", "20", "--burst", "5 25", "--seed", seed],
            "$I in island -- $I probe --count 400 --every 1 --wait 1 --at-once >/dev/null
             $I tell status",
        );
        let up = &said[0]["up"];
        assert_eq!(up["offered"], 400, "nothing else is on the link: {up}");
        (up["lost_evenly"].clone(), up["lost_in_bursts"].clone())
    };
    assert_eq!(lost("11"), lost("11"));
    assert_ne!(lost("11"), lost("12"));
}

#[test]
fn a_link_with_a_name_may_be_changed_by_what_is_said_after_it() {
    let said = Island::plays(&["--profile", "128k10", "--delay", "300"], "$I tell status");
    let shape = &said[0]["up"]["shape"];
    assert_eq!(shape["rate_bit_s"], 128_000);
    assert_eq!(shape["loss_percent"], 10.0);
    assert_eq!(shape["delay_ms"], 300);
}
