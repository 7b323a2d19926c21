//! `minato-gateway decode`, as somebody at a keyboard meets it.

use std::process::{Command, Output};

fn decode(characteristic: &str, hex: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_minato-gateway"))
        .args(["decode", "--characteristic", characteristic, hex])
        .output()
        .expect("it runs")
}

#[test]
fn a_good_frame_is_printed_as_json() {
    let output = decode("2A35", "00780050005a00");
    assert!(output.status.success());
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("json");
    assert_eq!(json["values"]["systolic"]["value"], 120);
}

#[test]
fn a_refused_frame_exits_with_2_and_its_reason() {
    let output = decode("2A35", "04780050005a00");
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let reason = String::from_utf8(output.stderr).expect("text");
    assert!(reason.contains("the pulse"), "{reason}");
}

#[test]
fn intervals_between_beats_are_a_list() {
    let output = decode("2A37", "164800040a03");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("json");
    assert_eq!(json["values"]["heart_rate"]["value"], 72);
    assert_eq!(json["values"]["rr_interval"][1]["original"]["value"], 778);
}

#[test]
fn a_devices_clock_and_its_answers_about_records_are_printed_too() {
    for (characteristic, hex, key) in [
        ("2A08", "ea070b16080000", "time"),
        ("2A2B", "ea070b16080000070001", "time"),
        ("2A19", "57", "battery"),
        ("2A52", "0101", "records"),
    ] {
        let output = decode(characteristic, hex);
        assert!(output.status.success(), "{characteristic}");
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("json");
        assert_eq!(json["characteristic"], characteristic);
        assert!(!json[key].is_null(), "{json}");
    }
}

#[test]
fn a_message_that_nobody_reads_is_refused_with_those_that_are_read() {
    let output = decode("2A99", "00");
    assert_eq!(output.status.code(), Some(2));
    let reason = String::from_utf8(output.stderr).expect("text");
    assert!(reason.contains("2A99") && reason.contains("2A18, 2A19, 2A1C"), "{reason}");
}
