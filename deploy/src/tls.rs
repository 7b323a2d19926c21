//! The door for HTTPS, with a certificate of one's own or one made on the spot. Where TURN runs, its
//! clients come through the same door: some networks let nothing else out.

use crate::prefixed::Prefixed;
use anyhow::Context as _;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use minato_relay::first_bytes::{FIRST_BYTES, Guest, guest};
use minato_relay::{TurnCertificate, TurnServer};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// A client says within so long what it speaks.
const FIRST_BYTES_WITHIN: Duration = Duration::from_secs(10);
/// Handshakes that are done and wait to be served. When it is full further ones wait.
const ACCEPTED_MAX: usize = 64;

/// A certificate with its key.
pub(crate) enum Certificate {
    /// Signed by itself.
    OnTheSpot { chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static> },
    /// From files, which are read again now and then.
    Files(TurnCertificate),
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Certificate(…)")
    }
}

impl Certificate {
    /// Signed by itself, for these addresses.
    pub(crate) fn made_on_the_spot(addresses: &[IpAddr]) -> anyhow::Result<Self> {
        let names = addresses.iter().map(IpAddr::to_string).chain(["localhost".to_owned()]);
        let made = rcgen::generate_simple_self_signed(names.collect::<Vec<_>>())
            .context("no certificate can be made")?;
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()).into();
        Ok(Self::OnTheSpot { chain: vec![made.cert.der().clone()], key })
    }

    fn server_config(&self) -> anyhow::Result<Arc<ServerConfig>> {
        match self {
            Self::Files(certificate) => Ok(certificate.server_config()?),
            Self::OnTheSpot { chain, key } => {
                let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
                let config = ServerConfig::builder_with_provider(provider)
                    .with_protocol_versions(&[&rustls::version::TLS13])?
                    .with_no_client_auth()
                    .with_single_cert(chain.clone(), key.clone_key())?;
                Ok(Arc::new(config))
            }
        }
    }
}

/// The other end of a TLS connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

impl Connected<IncomingStream<'_, TlsListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        Self(*stream.remote_addr())
    }
}

type Connection = Prefixed<TlsStream<TcpStream>>;

/// Accepts, shakes hands and sees who comes; a slow or broken connection holds up nobody else.
#[derive(Debug)]
pub(crate) struct TlsListener {
    accepted: mpsc::Receiver<(Connection, SocketAddr)>,
    local: SocketAddr,
}

impl TlsListener {
    /// With a TURN server its clients are let through to it.
    pub(crate) fn new(
        listener: TcpListener,
        certificate: &Certificate,
        turn: Option<TurnServer>,
    ) -> anyhow::Result<Self> {
        let local = listener.local_addr()?;
        let (done, accepted) = mpsc::channel(ACCEPTED_MAX);
        let porter = Porter { acceptor: certificate.server_config()?.into(), turn, done };
        tokio::spawn(porter.stand_at(listener));
        Ok(Self { accepted, local })
    }
}

#[derive(Clone)]
struct Porter {
    acceptor: TlsAcceptor,
    turn: Option<TurnServer>,
    done: mpsc::Sender<(Connection, SocketAddr)>,
}

impl Porter {
    async fn stand_at(self, listener: TcpListener) {
        loop {
            let Ok((stream, peer)) = listener.accept().await else {
                // Out of descriptors, most probably: wait until some are given back.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            crate::serve::at_once(&stream);
            tokio::spawn(Box::pin(self.clone().let_in(stream, peer)));
        }
    }

    async fn let_in(self, stream: TcpStream, peer: SocketAddr) {
        let shaken = tokio::time::timeout(HANDSHAKE_WITHIN, self.acceptor.accept(stream)).await;
        let Ok(Ok(stream)) = shaken else { return };
        let Some(turn) = self.turn else {
            drop(self.done.send((Prefixed::new(Vec::new(), stream), peer)).await);
            return;
        };
        let Ok(seen) = tokio::time::timeout(FIRST_BYTES_WITHIN, see(stream)).await else { return };
        match seen {
            Some((Guest::Http, stream)) => drop(self.done.send((stream, peer)).await),
            Some((Guest::Turn, stream)) => {
                if let Err(error) = turn.serve(stream, peer).await {
                    tracing::debug!(%error, "a TURN connection ended");
                }
            }
            Some((Guest::Stranger, _)) | None => tracing::debug!("a stranger at the door"),
        }
    }
}

/// Reads until it is clear what a connection speaks; nothing, when it ended before.
async fn see(mut stream: TlsStream<TcpStream>) -> Option<(Guest, Connection)> {
    let mut first = Vec::with_capacity(FIRST_BYTES);
    loop {
        let mut next = [0; FIRST_BYTES];
        let count =
            stream.read(next.get_mut(first.len()..)?).await.ok().filter(|count| *count > 0)?;
        first.extend_from_slice(next.get(first.len()..first.len() + count)?);
        if let Some(who) = guest(&first) {
            return Some((who, Prefixed::new(first, stream)));
        }
    }
}

impl Listener for TlsListener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.accepted.recv().await {
            Some(accepted) => accepted,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(self.local)
    }
}
