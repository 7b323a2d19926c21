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
