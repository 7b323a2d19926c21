//! The unit that puts the gateway on a clinic's wall names what the program has, and lets it do no
//! more than it needs.

use std::process::Command;

const UNIT: &str = include_str!("../../deploy/systemd/minato-gateway.service");

fn value(key: &str) -> Option<&'static str> {
    UNIT.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
}

#[test]
fn the_unit_confines_the_gateway() {
    let wanted = [
        ("DynamicUser", "yes"),
        ("StateDirectory", "minato-gateway"),
        ("StateDirectoryMode", "0700"),
        ("UMask", "0077"),
        ("MemoryMax", "64M"),
        ("LimitCORE", "0"),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("CapabilityBoundingSet", ""),
        ("DevicePolicy", "closed"),
        ("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6"),
        ("Restart", "on-failure"),
    ];
    for (key, expected) in wanted {
        assert_eq!(value(key), Some(expected), "{key}");
    }
}

#[test]
fn the_unit_starts_a_command_that_the_program_has() {
    let start = value("ExecStart").expect("it starts something");
    let [program, subcommand, flags] = start.split(' ').collect::<Vec<_>>()[..] else {
        panic!("{start}")
    };
    assert!(program.ends_with("/minato-gateway") && flags == "$MINATO_GATEWAY_FLAGS", "{start}");
    let mut help = Command::new(env!("CARGO_BIN_EXE_minato-gateway"));
    let help = help.args([subcommand, "--help"]).output().expect("it runs");
    let help = String::from_utf8(help.stdout).expect("text");
    let example = UNIT.lines().find_map(|line| line.strip_prefix("#   MINATO_GATEWAY_FLAGS="));
    let flags = example.expect("an example").split(' ').filter(|word| word.starts_with("--"));
    let variables = UNIT.split(['=', ' ', '\n']).filter(|word| word.starts_with("MINATO_"));
    let variables = variables.filter(|name| !name.contains("FLAGS"));
    let named: Vec<_> = flags.chain(variables).collect();
    assert!(named.len() >= 5, "{named:?}");
    for name in named {
        assert!(help.contains(name), "{name}: {help}");
    }
}
