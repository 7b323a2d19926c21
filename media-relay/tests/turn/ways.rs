//! Every way of relaying, each with coturn's client: nothing is lost.

use super::coturn::{Echo, Run, run, uclient};
use super::stage::{Stage, credential};
use std::net::SocketAddr;

/// Runs all ways at once; each is mostly waiting. Nothing may be lost.
fn all(ways: &[(&str, SocketAddr, &[&str])]) {
    for (name, run) in run_all(ways) {
        assert!(run.lost_nothing(), "{name}: {:?}\n{}", run.status, run.output);
    }
}

fn run_all<'a>(ways: &[(&'a str, SocketAddr, &[&str])]) -> Vec<(&'a str, Run)> {
    std::thread::scope(|scope| {
        let started: Vec<_> = ways
            .iter()
            .map(|&(name, server, more)| {
                // Each its own user: together they would be above one user's quota.
                let (user, password) = credential(name, 600);
                (name, scope.spawn(move || uclient(server, &user, &password, more)))
            })
            .collect();
        started.into_iter().map(|(name, run)| (name, run.join().unwrap())).collect()
    })
}

#[test]
fn over_udp_nothing_is_lost() {
    let stage = Stage::on("127.0.0.1");
    let echo = Echo::start("127.0.0.1");
    let port = echo.port.to_string();
    let udp = stage.udp();
    all(&[
        ("client to client, channels", udp, &["-y", "-c"]),
        ("client to client, indications", udp, &["-y", "-c", "-s"]),
        ("client to client, with a port for RTCP", udp, &["-y"]),
        ("to a peer, channels", udp, &["-e", "127.0.0.1", "-r", &port, "-c"]),
        ("to a peer, indications", udp, &["-e", "127.0.0.1", "-r", &port, "-c", "-s"]),
        ("to a peer, many clients", udp, &["-e", "127.0.0.1", "-r", &port, "-c", "-m", "8"]),
        ("to a peer, long", udp, &["-e", "127.0.0.1", "-r", &port, "-c", "-l", "1200"]),
    ]);
    stage.stop();
}

#[test]
fn over_tcp_nothing_is_lost() {
    let stage = Stage::on("127.0.0.1");
    let echo = Echo::start("127.0.0.1");
    let port = echo.port.to_string();
    let tcp = stage.tcp();
    all(&[
        ("client to client, channels", tcp, &["-t", "-y", "-c"]),
        ("client to client, indications", tcp, &["-t", "-y", "-c", "-s"]),
        ("client to client, with a port for RTCP", tcp, &["-t", "-y"]),
        ("to a peer, channels", tcp, &["-t", "-e", "127.0.0.1", "-r", &port, "-c"]),
        ("odd lengths", tcp, &["-t", "-e", "127.0.0.1", "-r", &port, "-c", "-l", "101"]),
    ]);
    stage.stop();
}

#[test]
fn over_tls_messages_come_back_also_while_the_certificate_is_renewed() {
    let stage = Stage::on("127.0.0.1");
    let echo = Echo::start("127.0.0.1");
    let port = echo.port.to_string();
    let (chain, key) = stage.client_files();
    let tls = stage.tls();
    let of_tls = ["-t", "-S", "-i", &chain, "-k", &key];
    let channels = [&of_tls[..], &["-e", "127.0.0.1", "-r", &port, "-c"]].concat();
    // Not counted to the last one: over TLS coturn's client leaves records unread that it has
    // taken from the socket already, and calls them lost, against coturn's own server too. That
    // none is lost on this way is for the browser to say: its calls go through TLS as well.
    let indications = [&of_tls[..], &["-e", "127.0.0.1", "-r", &port, "-c", "-s"]].concat();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for (name, run) in run_all(&[("c", tls, &channels), ("s", tls, &indications)]) {
                let came_back = run.ended_well() && run.received().is_some_and(|count| count > 0);
                assert!(came_back, "{name}: {:?}\n{}", run.status, run.output);
            }
        });
        stage.renew_certificate();
    });
    stage.stop();
}

#[test]
fn over_ipv6_nothing_is_lost() {
    let stage = Stage::on("::1");
    all(&[
        ("UDP", stage.udp(), &["-y", "-c", "-x"]),
        ("TCP", stage.tcp(), &["-t", "-y", "-c", "-x"]),
    ]);
    stage.stop();
}

#[test]
fn a_stun_client_learns_its_own_address() {
    for ip in ["127.0.0.1", "::1"] {
        let stage = Stage::on(ip);
        let port = stage.udp().port().to_string();
        let asked = run("turnutils_stunclient", &["-p", &port, ip]);
        assert!(asked.ended_well(), "{asked:?}");
        assert!(asked.output.contains(ip), "{asked:?}");
        stage.stop();
    }
}
