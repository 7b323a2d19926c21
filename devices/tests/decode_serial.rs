//! `minato-gateway decode --serial`, against what another program reads from the same bytes.

use serde_json::{Value, json};
use std::process::{Command, Output};

fn decode(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_minato-gateway"))
        .arg("decode")
        .args(arguments)
        .output()
        .expect("it runs")
}

fn list(protocol: &str, hex: &str) -> Vec<Value> {
    let output = decode(&["--serial", protocol, hex]);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("a list")
}

/// What the other program wrote as a text: a number, or the word for none.
fn number(text: &Value) -> Option<i64> {
    text.as_str().and_then(|text| text.parse().ok())
}

fn flag(text: &Value) -> bool {
    text.as_str() == Some("True")
}

#[test]
fn packets_say_what_another_program_reads_from_them() {
    let all: Value =
        serde_json::from_str(include_str!("vectors/devices.json")).expect("the vectors");
    let vectors = all["serial"].as_array().expect("a list");
    assert_eq!(vectors.len(), 3);
    for vector in vectors {
        let id = vector["id"].as_str().expect("an id");
        let read = list("bci", vector["hex"].as_str().expect("hex"));
        let expected = vector["expected_berry_oximeter_0_0_3"].as_array().expect("a list");
        assert_eq!(read.len(), expected.len(), "{id}");
        for (read, expected) in read.iter().zip(expected) {
            let off = flag(&expected["no_signal"]) || flag(&expected["no_finger"]);
            let quality = read["quality"].as_array().expect("remarks");
            assert_eq!(quality.contains(&json!("sensor_off")), off, "{id}");
            let searching = flag(&expected["pulse_searching"]);
            assert_eq!(quality.contains(&json!("signal_analysis")), searching, "{id}");
            for (name, key) in [("spo2", "spo2"), ("pulse_rate", "pulse_rate")] {
                // The other one repeats the pulse of a finger that is out (127, none in seven bits).
                let number = number(&expected[key]).filter(|_| !off);
                assert_eq!(read["values"][name]["value"].as_i64(), number, "{id} {name}");
            }
        }
    }
}

#[test]
fn a_packet_cut_short_before_a_good_one_is_counted() {
    let read = list("bci", "c42803c428034861");
    assert_eq!(read[0]["lost_bytes"], 3);
    assert_eq!(read[0]["raw"], "c428034861");
    assert_eq!(read[0]["values"]["spo2"], json!({ "value": 97, "unit": "%" }));
}

#[test]
fn emays_and_nonins_packets_are_read_too() {
    let read = list("emay", "EB 01 05 3E 62 7F 00 10");
    assert_eq!(read[0]["values"]["pulse_rate"], json!({ "value": 62, "unit": "/min" }));
    // 25 packets of format 2 with a pulse of 72 and a saturation of 97.
    let packet = |place: usize| {
        let slot: u8 = [0, 72, 97].get(place).copied().unwrap_or(0);
        let status = if place == 0 { 0x81 } else { 0x80 };
        let sum = 1u8.wrapping_add(status).wrapping_add(0x40).wrapping_add(slot);
        format!("01{status:02x}40{slot:02x}{sum:02x}")
    };
    let read = list("nonin", &(0..25).map(packet).collect::<String>());
    assert_eq!(read.len(), 1, "one frame of 25 packets");
    assert_eq!(read[0]["characteristic"], "serial_nonin");
    assert_eq!(read[0]["values"]["spo2"], json!({ "value": 97, "unit": "%" }));
    assert_eq!(read[0]["values"]["pulse_rate"], json!({ "value": 72, "unit": "/min" }));
}

#[test]
fn bytes_without_a_packet_exit_with_2_and_a_reason() {
    for (protocol, hex, word) in [
        ("bci", "c42803", "whole packet"),
        ("bci", "c4280", "hex"),
        ("toaster", "00", "known are bci, emay and nonin"),
    ] {
        let output = decode(&["--serial", protocol, hex]);
        assert_eq!(output.status.code(), Some(2), "{protocol} {hex}");
        assert!(output.stdout.is_empty());
        let reason = String::from_utf8(output.stderr).expect("text");
        assert!(reason.contains(word), "{reason}");
    }
}

#[test]
fn exactly_one_kind_of_message_is_asked_for() {
    let both = decode(&["--serial", "bci", "--characteristic", "2A35", "c428034861"]);
    let neither = decode(&["c428034861"]);
    for output in [both, neither] {
        assert!(!output.status.success());
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_port_that_could_never_work_is_refused_in_words() {
    let data = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_minato-gateway"))
        .args(["run", "--broker", "http://127.0.0.1:9", "--serial", "/dev/ttyUSB0=toaster"])
        .arg("--data")
        .arg(data.path())
        .output()
        .expect("it runs");
    assert!(!output.status.success());
    let reason = String::from_utf8(output.stderr).expect("text");
    let expected = if cfg!(feature = "serial") {
        "known are contec, emay and nonin"
    } else {
        "this build has no serial ports"
    };
    assert!(reason.contains(expected), "{reason}");
}
