//! The relay by itself, as an operator and an orchestrator see it.

use crate::server::{MINATO, PATIENCE, Server};
use std::process::{Command, Output};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What a program does by itself, which is ended if it does not end.
async fn ran(program: &str, words: &[&str]) -> Output {
    let mut command = Command::new("timeout");
    command.args([&PATIENCE.as_secs().to_string(), program]).args(words);
    let run = tokio::task::spawn_blocking(move || command.output()).await;
    run.expect("nothing panics").expect("`timeout` is part of every system")
}

/// Status and body of a page.
async fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    let read = timeout(PATIENCE, stream.read_to_string(&mut answer)).await;
    read.expect("in time").expect("an answer");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let (_, body) = answer.split_once("\r\n\r\n").expect("a whole answer");
    (status.expect("a status"), body.to_owned())
}

#[tokio::test]
async fn a_relay_by_itself_tells_its_figures_and_that_it_is_ready() {
    let key = "0".repeat(64);
    let words = ["relay", "--listen", "127.0.0.1:0", "--media", "127.0.0.1:0"];
    let further = ["--ice-tcp", "127.0.0.1:0", "--token-key", &key];
    let mut relay = Server::run(&[&words[..], &further].concat());
    let line = relay.says("relay listens").await;
    let http = line.split_once("http=").expect("its address").1;
    let http = http.split(' ').next().expect("a word").to_owned();
    assert_eq!(get(&http, "/livez").await, (200, "alive\n".to_owned()));
    assert_eq!(get(&http, "/readyz").await, (200, "ready\n".to_owned()));
    let (status, _) = get(&http, "/relay/sessions/none/stats").await;
    assert_eq!(status, 403, "it serves its own work too");
    let (status, figures) = get(&http, "/metrics").await;
    assert_eq!(status, 200);
    assert!(figures.contains("minato_relay_refused_total{"), "{figures}");
}

#[tokio::test]
async fn a_credential_made_by_hand_opens_the_way_to_a_peer_in_an_opened_range() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "a secret of more than 16 bytes\n").expect("written");
    let secret = secret.to_str().expect("a name in text");
    let key = "0".repeat(64);
    let words = ["relay", "--listen", "127.0.0.1:0", "--media", "127.0.0.1:0", "--token-key", &key];
    let turn = ["--turn", "127.0.0.1:0", "--turn-secret-file", secret];
    let mut open = Server::run(&[&words[..], &turn, &["--allow-peer", "127.0.0.0/8"]].concat());
    let mut shut = Server::run(&[&words[..], &turn].concat());
    let asked = ["relay", "credential", "--ttl", "60", "--secret-file", secret];
    let said = String::from_utf8(ran(MINATO, &asked).await.stdout).expect("text");
    let told = |name: &str| said.lines().find_map(|line| line.strip_prefix(name)).expect("told");
    for (relay, opens) in [(&mut open, true), (&mut shut, false)] {
        let line = relay.says("TURN is ready").await;
        let port: String = line
            .split_once("udp=[127.0.0.1:")
            .expect("its address")
            .1
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        // Two clients that are each other's peers.
        let user = ["-u", told("username="), "-w", told("password="), "-p", &port];
        let words = [&["-y", "-c", "-n", "5"], &user[..], &["127.0.0.1"]].concat();
        let run = ran("turnutils_uclient", &words).await;
        let output = String::from_utf8_lossy(&[run.stdout, run.stderr].concat()).into_owned();
        if opens {
            assert!(run.status.success() && output.contains("Total lost packets 0 "), "{output}");
        } else {
            assert!(!run.status.success() && output.contains("error 403"), "{output}");
        }
    }
}
