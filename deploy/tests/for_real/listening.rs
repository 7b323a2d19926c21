//! Where the service listens, where it refuses to, and how a phone in the same network comes in.

use crate::server::{Operator, PATIENCE, Server, said_at_the_end};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// A person who goes on although nobody vouches for the certificate.
#[derive(Debug)]
struct GoesOn(Arc<CryptoProvider>);

impl ServerCertVerifier for GoesOn {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("only TLS 1.3 is offered".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// A page over HTTPS, as a phone gets it.
async fn get_by_phone(door: SocketAddr, path: &str) -> String {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("what the provider has")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(GoesOn(provider)))
        .with_no_client_auth();
    let asked = async {
        let stream = TcpStream::connect(door).await?;
        let name = ServerName::from(door.ip());
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {door}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        // A server may close without a goodbye once everything was sent.
        let _ = stream.read_to_end(&mut answer).await;
        std::io::Result::Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    timeout(PATIENCE, asked).await.expect("in time").expect("it listens with TLS")
}

#[tokio::test]
async fn a_taken_port_is_said_in_one_sentence_with_what_can_be_done() {
    let operator = Operator::new();
    let data = operator.data();
    let holder = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let taken = holder.local_addr().expect("its address");
    let words = ["--listen", &taken.to_string(), "--data", data.to_str().expect("text")];
    let said = said_at_the_end(&words).await;
    assert_eq!(said.lines().count(), 1, "{said}");
    let sentence = format!("port {} on 127.0.0.1 is taken by another program", taken.port());
    assert!(said.contains(&sentence) && said.contains("--listen"), "{said}");
    assert!(!data.exists(), "it opened a log although it cannot be reached");

    let lan = ["--listen", "127.0.0.1:0", "--lan", "--advertise", "127.0.0.1"];
    let port = taken.port().to_string();
    let lan_port = ["--lan-port", &port, "--data", data.to_str().expect("text")];
    let said = said_at_the_end(&[&lan[..], &lan_port].concat()).await;
    assert!(said.contains("is taken") && said.contains("--lan-port"), "{said}");
}

#[tokio::test]
async fn the_demonstration_listens_on_this_machine_only_unless_told() {
    let operator = Operator::new();
    let data = operator.data();
    let demo = ["--demo", "--data", data.to_str().expect("text"), "--listen"];
    for beyond in [&["0.0.0.0:0"][..], &["[::]:0"], &["127.0.0.1:0", "--lan"]] {
        let said = said_at_the_end(&[&demo[..], beyond].concat()).await;
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains("--demo-beyond-loopback"), "{said}");
        assert!(!data.exists(), "a refusal leaves nothing behind");
    }
    let told = [&demo[..], &["0.0.0.0:0", "--no-gateway", "--demo-beyond-loopback"]].concat();
    let mut server = Server::run(&told);
    server.says("Minato listens on http://0.0.0.0:").await;
}

#[tokio::test]
async fn a_phone_in_the_same_network_reads_a_qr_code_and_comes_in_by_https() {
    let operator = Operator::new();
    let data = operator.data();
    let demo = ["--demo", "--no-gateway", "--demo-beyond-loopback", "--listen", "127.0.0.1:0"];
    let lan = ["--lan", "--lan-port", "0", "--advertise", "127.0.0.1"];
    let folder = ["--data", data.to_str().expect("text")];
    let mut server = Server::run(&[&demo[..], &lan, &folder].concat());
    let line = server.says("Minato listens on https://").await;
    let door = line.split_once("https://").expect("an address").1.trim().to_owned();
    server.says("The certificate was made on the spot").await;
    let printed = server.log();
    let page = printed.split_whitespace().find(|word| word.contains("/p#")).expect("a link");
    assert!(page.starts_with(&format!("https://{door}/p#")), "{page}");
    // What the phone reads is that link and nothing else.
    let code = qrcode::QrCode::new(page).expect("short enough");
    let drawn = code.render::<qrcode::render::unicode::Dense1x2>().build();
    assert!(printed.contains(&drawn), "{printed}");

    let answer = get_by_phone(door.parse().expect("an address"), "/p").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("<html"), "{answer}");
}
