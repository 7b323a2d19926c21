//! The relay by itself, as an operator and an orchestrator see it.

use crate::server::{PATIENCE, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

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
