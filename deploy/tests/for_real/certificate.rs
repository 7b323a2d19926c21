//! The HTTPS door's certificate is replaced while connections go on.

use crate::server::{Operator, PATIENCE, Server};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Made as an operator makes one.
fn openssl(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    let [chain, key] = ["chain", "key"].map(|part| folder.join(format!("{name}-{part}.pem")));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "2", "-subj", "/CN=minato"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&chain)
        .stderr(Stdio::null())
        .status();
    assert!(made.expect("openssl is there").success());
    (chain, key)
}

/// Puts another pair into the place of the one in use.
fn replace(used: &(PathBuf, PathBuf), new: &(PathBuf, PathBuf)) {
    std::fs::copy(&new.0, &used.0).expect("copied");
    std::fs::copy(&new.1, &used.1).expect("copied");
}

/// Connects as somebody who trusts one certificate and no other.
async fn connect(door: SocketAddr, trusted: &Path) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(trusted).expect("PEM")).expect("a certificate");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("what the provider has")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(door).await?;
    let name = ServerName::from(IpAddr::from([127, 0, 0, 1]));
    let shaken = TlsConnector::from(Arc::new(config)).connect(name, stream);
    timeout(PATIENCE, shaken).await.expect("in time")
}

/// Asks over a connection that stays open.
async fn is_alive(connection: &mut TlsStream<TcpStream>) {
    let asked = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    connection.write_all(asked).await.expect("it is open");
    let mut answer = Vec::new();
    while !answer.ends_with(b"alive\n") {
        let read = timeout(PATIENCE, connection.read_buf(&mut answer)).await.expect("in time");
        assert!(read.expect("it is open") > 0, "{}", String::from_utf8_lossy(&answer));
    }
}

#[tokio::test]
async fn a_new_certificate_is_shown_to_who_comes_and_nobody_who_is_there_notices() {
    let operator = Operator::new();
    let folder = operator.folder.path();
    let (first, second, third) =
        (openssl(folder, "first"), openssl(folder, "second"), openssl(folder, "third"));
    let used = (folder.join("chain.pem"), folder.join("key.pem"));
    replace(&used, &first);
    let (chain, key) = (used.0.to_str().expect("text"), used.1.to_str().expect("text"));
    let options = ["--https", "127.0.0.1:0", "--certificate", chain, key];
    let mut server = Server::start_with(&operator.data(), &options).await;
    let line = server.says("listening on https://").await;
    let door = line.split_once("https://").expect("an address").1;
    let door: SocketAddr = door.trim().parse().expect("an address");
    let mut before = connect(door, &first.0).await.expect("it shows the first");
    is_alive(&mut before).await;

    replace(&used, &second);
    server.hang_up();
    server.says("certificate_read").await;
    let mut after = connect(door, &second.0).await.expect("it shows the second");
    assert!(connect(door, &first.0).await.is_err(), "and no longer the first");
    is_alive(&mut before).await;

    // A chain of one pair and the key of another; then no certificate at all.
    std::fs::copy(&third.0, &used.0).expect("copied");
    server.hang_up();
    let said = server.says("certificate_kept").await;
    assert!(said.contains("WARN") && said.contains("do not fit"), "{said}");
    std::fs::write(&used.0, "not a certificate").expect("written");
    server.hang_up();
    let said = server.says("holds no certificate").await;
    assert!(said.contains("certificate_kept"), "{said}");
    connect(door, &second.0).await.expect("it still shows the second");
    is_alive(&mut before).await;
    is_alive(&mut after).await;
}
