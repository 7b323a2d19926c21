//! The certificate of TURN over TLS, which can be replaced while connections go on.

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, crypto::CryptoProvider};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use tokio_rustls::TlsAcceptor;

/// A certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// No certificate in the file, or no file.
    #[error("{path} holds no certificate in PEM: {reason}")]
    Chain {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// No private key in the file, or no file.
    #[error("{path} holds no private key in PEM: {reason}")]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The two do not belong together, or are of an unknown kind.
    #[error("certificate and key do not fit: {0}")]
    Unfit(rustls::Error),
}

/// A certificate with its key, read from two files in PEM. Clones share it.
#[derive(Debug, Clone)]
pub struct TurnCertificate {
    files: Arc<(PathBuf, PathBuf)>,
    current: Arc<Current>,
}

#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl TurnCertificate {
    /// Reads the chain (the server's own certificate first) and its key.
    pub fn open(chain: &Path, key: &Path) -> Result<Self, CertificateError> {
        let read = read(chain, key)?;
        Ok(Self {
            files: Arc::new((chain.to_owned(), key.to_owned())),
            current: Arc::new(Current(RwLock::new(Arc::new(read)))),
        })
    }

    /// Reads the files again: new connections get the new certificate, the others go on. After an
    /// error the old one stays.
    pub fn reload(&self) -> Result<(), CertificateError> {
        let read = Arc::new(read(&self.files.0, &self.files.1)?);
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = read;
        Ok(())
    }

    /// How other doors that show this certificate shake hands: TLS 1.3 only.
    pub fn server_config(&self) -> Result<Arc<ServerConfig>, CertificateError> {
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(CertificateError::Unfit)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&self.current) as Arc<dyn ResolvesServerCert>);
        Ok(Arc::new(config))
    }

    /// TLS 1.2 and 1.3, without ALPN: clients of TURN that name a protocol (RFC 7443) go on
    /// without an answer, those that name none are the rule.
    pub(super) fn acceptor(&self) -> Result<TlsAcceptor, CertificateError> {
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(CertificateError::Unfit)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&self.current) as Arc<dyn ResolvesServerCert>);
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn read(chain: &Path, key: &Path) -> Result<CertifiedKey, CertificateError> {
    let bad_chain = |reason: String| CertificateError::Chain { path: chain.to_owned(), reason };
    let certificates = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| bad_chain(error.to_string()))?;
    if certificates.is_empty() {
        return Err(bad_chain("it is empty".to_owned()));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| CertificateError::Key {
        path: key.to_owned(),
        reason: error.to_string(),
    })?;
    CertifiedKey::from_der(certificates, secret, &provider()).map_err(CertificateError::Unfit)
}
