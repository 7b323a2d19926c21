//! Who has no good credential relays nothing, and who has one reaches no closed peer.

use super::coturn::{Echo, uclient};
use super::stage::{Stage, credential};

#[test]
fn a_wrong_password_relays_nothing() {
    let stage = Stage::on("127.0.0.1");
    let (user, _) = credential("anybody", 600);
    let run = uclient(stage.udp(), &user, "wrong", &["-y", "-c"]);
    assert!(!run.ended_well() && run.received().is_none(), "{run:?}");
    stage.stop();
}

#[test]
fn a_name_that_has_ended_relays_nothing() {
    let stage = Stage::on("127.0.0.1");
    let (user, password) = credential("anybody", -1);
    for (server, more) in [(stage.udp(), &["-y", "-c"][..]), (stage.tcp(), &["-t", "-y", "-c"][..])]
    {
        let run = uclient(server, &user, &password, more);
        assert!(!run.ended_well() && run.received().is_none(), "{run:?}");
    }
    stage.stop();
}

#[test]
fn a_peer_that_was_not_opened_is_not_reached() {
    let stage = Stage::with("127.0.0.1", |settings| settings.allowed_peers.clear());
    let echo = Echo::start("127.0.0.1");
    let (user, password) = credential("anybody", 600);
    let port = echo.port.to_string();
    let run = uclient(stage.udp(), &user, &password, &["-e", "127.0.0.1", "-r", &port, "-c"]);
    assert!(!run.lost_nothing(), "{run:?}");
    assert_eq!(run.received().unwrap_or(0), 0, "{run:?}");
    stage.stop();
}

#[test]
fn a_user_above_the_quota_is_told_so() {
    let stage = Stage::with("127.0.0.1", |settings| settings.per_user_max = 2);
    let (user, password) = credential("anybody", 600);
    let run = uclient(stage.udp(), &user, &password, &["-y", "-c", "-m", "4"]);
    assert!(!run.ended_well() && run.output.contains("error 486"), "{run:?}");
    stage.stop();
}
