//! Reaches relays: TCP, or TLS where their address says so.

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::http::Uri;

/// Where Debian keeps the certificates of public authorities.
const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// An open connection of either kind.
pub(super) trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// Knows whom to trust.
#[derive(Debug, Clone)]
pub struct Dialer {
    /// `None`: there are no authorities to trust, so nobody is reached by TLS.
    tls: Option<Arc<ClientConfig>>,
}

/// Trusts the system's authorities.
impl Default for Dialer {
    fn default() -> Self {
        Self { tls: client_config(Path::new(SYSTEM_ROOTS)).ok() }
    }
}

impl Dialer {
    /// Trusts the authorities in a PEM file and no others.
    pub fn trusting(authorities: &Path) -> io::Result<Self> {
        Ok(Self { tls: Some(client_config(authorities)?) })
    }

    /// Connects to the host of a `ws:` or `wss:` address.
    pub(super) async fn connect(&self, to: &Uri) -> io::Result<Box<dyn Connection>> {
        let secure = match to.scheme_str() {
            Some("wss") => true,
            Some("ws") => false,
            _ => return Err(io::Error::other("a relay is reached by http:// or https://")),
        };
        let host = to.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = to.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let stream = TcpStream::connect((host.as_str(), port)).await?;
        // Without waiting to fill a packet: a removal acts within two seconds on any link.
        stream.set_nodelay(true)?;
        if !secure {
            return Ok(Box::new(stream));
        }
        let tls = self.tls.clone().ok_or_else(|| io::Error::other("no authorities to trust"))?;
        let name = ServerName::try_from(host).map_err(io::Error::other)?;
        Ok(Box::new(TlsConnector::from(tls).connect(name, stream).await?))
    }
}

fn client_config(authorities: &Path) -> io::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(authorities).map_err(io::Error::other)?;
    let (added, _) = roots.add_parsable_certificates(certificates.flatten());
    if added == 0 {
        return Err(io::Error::other("there is no certificate in it"));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::ServerConfig;
    use rustls::pki_types::PrivatePkcs8KeyDer;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    /// A door with TLS that says one word to each guest; its port, and its certificate as PEM.
    async fn door() -> (u16, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("made");
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()).into();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("a certificate with its key");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        tokio::spawn(async move {
            let acceptor = TlsAcceptor::from(Arc::new(config));
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let _ = stream.write_all(b"relay").await;
                let _ = stream.shutdown().await;
            }
        });
        (port, made.cert.pem())
    }

    #[tokio::test]
    async fn a_relay_behind_tls_is_reached_when_its_authority_is_trusted_and_not_else() {
        let (port, pem) = door().await;
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), pem).expect("written");
        let to: Uri = format!("wss://localhost:{port}/relay/control").parse().expect("an address");
        let dialer = Dialer::trusting(file.path()).expect("a certificate");
        let mut stream = dialer.connect(&to).await.expect("trusted");
        let mut said = String::new();
        stream.read_to_string(&mut said).await.expect("said");
        assert_eq!(said, "relay");
        assert!(Dialer::default().connect(&to).await.is_err(), "of no known authority");
    }

    #[tokio::test]
    async fn an_address_of_another_kind_reaches_nobody() {
        for wrong in ["ftp://relay.example", "/relay/control", "https://relay.example"] {
            assert!(Dialer::default().connect(&wrong.parse().expect("a form")).await.is_err());
        }
    }

    #[test]
    fn a_file_without_a_certificate_is_no_file_of_authorities() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        assert!(Dialer::trusting(file.path()).is_err());
        assert!(Dialer::trusting(Path::new("/nowhere.pem")).is_err());
    }
}
