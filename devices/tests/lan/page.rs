//! A page on the clinic's network, as far as the box can tell: HTTPS by the certificate that the box
//! hands out, an origin, a pass; and the broker's key that signs passes.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use minato_protocol::lan::{PASS_DOMAIN, PASS_LIFE, PassClaims};
use minato_protocol::media::{token_payload, token_signed_bytes, token_text};
use minato_protocol::reading::Hex;
use minato_protocol::{SiteId, StaffId, SubjectId, Timestamp};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

pub const ORIGIN: &str = "https://clinic.example";

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// A browser that trusts what the box handed out.
pub struct Page {
    pub address: SocketAddr,
    pub tls: Arc<ClientConfig>,
    pub pass: Option<String>,
    pub origin: Option<&'static str>,
}

impl Page {
    pub fn trusting(address: SocketAddr, authority: &Path) -> Self {
        let mut roots = RootCertStore::empty();
        let certificates = CertificateDer::pem_file_iter(authority).expect("a file");
        roots.add_parsable_certificates(certificates.map(|one| one.expect("a certificate")));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { address, tls: Arc::new(tls), pass: None, origin: Some(ORIGIN) }
    }

    pub fn with(&self, pass: &str) -> Self {
        Self {
            address: self.address,
            tls: Arc::clone(&self.tls),
            pass: Some(pass.to_owned()),
            origin: self.origin,
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Bytes::new()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        let json = [("content-type", "application/json")];
        self.send(Method::POST, path, &json, Bytes::from(body.to_string())).await
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "box");
        if let Some(origin) = self.origin {
            request = request.header(header::ORIGIN, origin);
        }
        if let Some(pass) = &self.pass {
            request = request.header(header::AUTHORIZATION, format!("Bearer {pass}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body)).expect("a request");
        let stream = TcpStream::connect(self.address).await.expect("the door is open");
        let name = ServerName::from(self.address.ip());
        let stream = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream).await;
        let stream = TokioIo::new(stream.expect("the certificate is trusted"));
        let shaken = hyper::client::conn::http1::handshake(stream).await;
        let (mut sender, connection) = shaken.expect("it speaks HTTP");
        let driver = tokio::spawn(connection);
        let answer = sender.send_request(request).await.expect("an answer");
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        driver.abort();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

/// The broker's key for passes.
pub struct PassKey(Ed25519KeyPair);

impl PassKey {
    pub fn of(seed: u8) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a seed"))
    }

    pub fn public(&self) -> Hex<32> {
        let mut public = [0; 32];
        public.copy_from_slice(self.0.public_key().as_ref());
        Hex(public)
    }

    pub fn sign(&self, claims: &PassClaims) -> String {
        let payload = token_payload(claims);
        let signature = self.0.sign(&token_signed_bytes(PASS_DOMAIN, &payload));
        token_text(&payload, signature.as_ref())
    }
}

/// A nurse's, from the broker's moment 0 on.
pub fn claims(site: SiteId, subjects: &[SubjectId]) -> PassClaims {
    PassClaims {
        holder: Hex([1; 8]),
        staff: StaffId(9),
        site,
        subjects: subjects.to_vec(),
        issued: Timestamp(0),
        not_after: Timestamp(0) + PASS_LIFE,
    }
}
