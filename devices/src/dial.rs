//! Reaches the broker and the relay: TCP or TLS, and the few HTTP requests that a gateway makes.

use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// Where Debian keeps the certificates of public authorities.
const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";
/// Connecting, TLS included, and each whole request take at most so long.
const PATIENCE: Duration = Duration::from_secs(10);
/// No answer to a request is longer: an answer of the relay has about 16 kB.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Why somebody could not be reached.
#[derive(Debug, Error)]
pub enum DialError {
    /// The address is no http or https address with a host.
    #[error("{0} is no http:// or https:// address")]
    Address(String),
    /// Nobody answers there.
    #[error("nobody answers at {0}: {1}")]
    Connect(String, std::io::Error),
    /// It took too long.
    #[error("no answer within {} s", PATIENCE.as_secs())]
    TooSlow,
    /// The authorities' certificates cannot be read.
    #[error("the certificates in {0} cannot be read")]
    Roots(PathBuf),
    /// The other side does not speak HTTP as expected.
    #[error("the request failed: {0}")]
    Http(String),
}

/// An open connection of either kind.
pub(crate) trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// Knows whom to trust.
#[derive(Debug, Clone)]
pub(crate) struct Dialer {
    tls: Option<Arc<ClientConfig>>,
    roots: PathBuf,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: StatusCode,
    /// The body.
    pub(crate) body: Bytes,
}

impl Dialer {
    /// Trusts the authorities in a PEM file, by default the system's. A missing file matters only
    /// once something is reached by https.
    pub(crate) fn new(ca_file: Option<&Path>) -> Self {
        let roots = ca_file.map_or_else(|| PathBuf::from(SYSTEM_ROOTS), Path::to_path_buf);
        Self { tls: client_config(&roots), roots }
    }

    /// Connects to the host of an http or https address.
    pub(crate) async fn connect(&self, to: &Uri) -> Result<Box<dyn Connection>, DialError> {
        tokio::time::timeout(PATIENCE, self.connect_patiently(to))
            .await
            .map_err(|_| DialError::TooSlow)?
    }

    async fn connect_patiently(&self, to: &Uri) -> Result<Box<dyn Connection>, DialError> {
        let address = || DialError::Address(to.to_string());
        let host = to.host().ok_or_else(address)?.trim_matches(['[', ']']).to_owned();
        let secure = match to.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(address()),
        };
        let port = to.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let refused = |error| DialError::Connect(format!("{host}:{port}"), error);
        let stream = TcpStream::connect((host.as_str(), port)).await.map_err(refused)?;
        stream.set_nodelay(true).map_err(refused)?;
        if !secure {
            return Ok(Box::new(stream));
        }
        let tls = self.tls.clone().ok_or_else(|| DialError::Roots(self.roots.clone()))?;
        let name = ServerName::try_from(host.clone()).map_err(|_| address())?;
        let stream = tokio_rustls::TlsConnector::from(tls).connect(name, stream).await;
        Ok(Box::new(stream.map_err(refused)?))
    }

    /// One request with a JSON body, on a connection of its own.
    pub(crate) async fn request(
        &self,
        method: Method,
        to: &Uri,
        bearer: Option<&str>,
        body: &(impl Serialize + Sync),
    ) -> Result<Answer, DialError> {
        let body = serde_json::to_vec(body).map_err(|error| DialError::Http(error.to_string()))?;
        let mut request = Request::builder()
            .method(method)
            .uri(to.path_and_query().map_or("/", |path| path.as_str()))
            .header(header::HOST, authority(to))
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(bearer) = bearer {
            request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
        }
        let request = request.body(Full::new(Bytes::from(body)));
        let request = request.map_err(|error| DialError::Http(error.to_string()))?;
        let stream = self.connect(to).await?;
        tokio::time::timeout(PATIENCE, exchange(stream, request))
            .await
            .map_err(|_| DialError::TooSlow)?
    }
}

async fn exchange(
    stream: Box<dyn Connection>,
    request: Request<Full<Bytes>>,
) -> Result<Answer, DialError> {
    let failed = |error: hyper::Error| DialError::Http(error.to_string());
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    // Ends with the exchange: the answer's end or its error is seen by whoever asked.
    let driver = tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(failed)?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
    driver.abort();
    let body = body.map_err(|error| DialError::Http(error.to_string()))?.to_bytes();
    Ok(Answer { status, body })
}

/// `host:port` as it stands in the address, without anybody's name and password.
pub(crate) fn authority(of: &Uri) -> String {
    let host = of.host().unwrap_or_default();
    of.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The address of a path below a base such as `https://clinic.example/minato`.
pub(crate) fn below(base: &str, path: &str) -> Result<Uri, DialError> {
    let whole = format!("{}{path}", base.trim_end_matches('/'));
    let uri: Uri = whole.parse().map_err(|_| DialError::Address(base.to_owned()))?;
    let known = matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
    known.then_some(uri).ok_or_else(|| DialError::Address(base.to_owned()))
}

fn client_config(roots: &Path) -> Option<Arc<ClientConfig>> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(CertificateDer::pem_file_iter(roots).ok()?.flatten());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(store)
        .with_no_client_auth();
    Some(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_below_a_base_keeps_the_bases_own_path() {
        let uri = below("https://clinic.example/minato/", "/gateway").expect("an address");
        assert_eq!(uri.to_string(), "https://clinic.example/minato/gateway");
        assert_eq!(authority(&below("http://[::1]:81", "/x").expect("v6")), "[::1]:81");
    }

    #[test]
    fn only_http_and_https_are_addresses() {
        for base in ["", "clinic", "ftp://clinic.example", "file:///etc", "http://"] {
            assert!(matches!(below(base, "/gateway"), Err(DialError::Address(_))), "{base}");
        }
    }
}
