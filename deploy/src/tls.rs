//! The door for HTTPS, with a certificate of one's own or one made on the spot. Media by TCP, and
//! clients of TURN where it runs, come through the same door: some networks let nothing else out.

use crate::prefixed::Prefixed;
use anyhow::Context as _;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use minato_relay::first_bytes::{FIRST_BYTES, Guest, Newcomer, guest, newcomer};
use minato_relay::{IceTcp, Place, Places, TurnCertificate, TurnServer};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// A client says within so long what it speaks.
const FIRST_BYTES_WITHIN: Duration = Duration::from_secs(10);
/// Handshakes that are done and wait to be served. When it is full further ones wait.
const ACCEPTED_MAX: usize = 64;
/// Connections of which it is not clear yet what they speak. One more is closed.
const UNDECIDED_MAX: usize = 1_024;
/// Of one address: a hospital behind one NAT fits, one machine cannot take all.
const UNDECIDED_PER_IP_MAX: usize = 256;

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

type Connection = Prefixed<TlsStream<Prefixed<TcpStream>>>;

/// Who comes through the door beside HTTP, where it is there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Guests {
    pub(crate) turn: Option<TurnServer>,
    pub(crate) media: Option<IceTcp>,
}

/// Accepts, shakes hands and sees who comes; a slow or broken connection holds up nobody else.
#[derive(Debug)]
pub(crate) struct TlsListener {
    accepted: mpsc::Receiver<(Connection, SocketAddr)>,
    local: SocketAddr,
}

impl TlsListener {
    /// Guests are let through to where they belong.
    pub(crate) fn new(
        listener: TcpListener,
        certificate: &Certificate,
        guests: Guests,
    ) -> anyhow::Result<Self> {
        let local = listener.local_addr()?;
        let (done, accepted) = mpsc::channel(ACCEPTED_MAX);
        let acceptor = certificate.server_config()?.into();
        let undecided = Places::new(UNDECIDED_MAX, UNDECIDED_PER_IP_MAX);
        let porter = Porter { acceptor, guests, done, undecided };
        tokio::spawn(porter.stand_at(listener));
        Ok(Self { accepted, local })
    }
}

#[derive(Clone)]
struct Porter {
    acceptor: TlsAcceptor,
    guests: Guests,
    done: mpsc::Sender<(Connection, SocketAddr)>,
    undecided: Places,
}

impl Porter {
    async fn stand_at(self, listener: TcpListener) {
        loop {
            let Ok((stream, peer)) = listener.accept().await else {
                // Out of descriptors, most probably: wait until some are given back.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            at_once(&stream);
            tokio::spawn(Box::pin(self.clone().let_in(stream, peer)));
        }
    }

    async fn let_in(self, mut stream: TcpStream, peer: SocketAddr) {
        let Some(undecided) = self.undecided.enter(peer.ip()) else { return };
        let seen = see(&mut stream, newcomer);
        let Ok(seen) = tokio::time::timeout(FIRST_BYTES_WITHIN, seen).await else { return };
        match (seen, self.guests.media.clone()) {
            (Some((Newcomer::Tls, first)), _) => {
                let stream = Prefixed::new(first, stream);
                let shaken = self.acceptor.accept(stream);
                let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_WITHIN, shaken).await else {
                    return;
                };
                self.let_in_by_tls(stream, peer, undecided).await;
            }
            (Some((Newcomer::IceTcp, first)), Some(media)) => {
                drop(undecided);
                if let Err(error) = media.serve(first, stream, peer).await {
                    tracing::debug!(%error, "a connection with media ended");
                }
            }
            (Some(_) | None, _) => tracing::debug!("a stranger at the door"),
        }
    }

    async fn let_in_by_tls(
        self,
        mut stream: TlsStream<Prefixed<TcpStream>>,
        peer: SocketAddr,
        undecided: Place,
    ) {
        let Some(turn) = self.guests.turn else {
            drop(self.done.send((Prefixed::new(Vec::new(), stream), peer)).await);
            return;
        };
        let seen = see(&mut stream, guest);
        let Ok(seen) = tokio::time::timeout(FIRST_BYTES_WITHIN, seen).await else { return };
        drop(undecided);
        match seen {
            Some((Guest::Http, first)) => {
                drop(self.done.send((Prefixed::new(first, stream), peer)).await);
            }
            Some((Guest::Turn, first)) => {
                if let Err(error) = turn.serve(Prefixed::new(first, stream), peer).await {
                    tracing::debug!(%error, "a TURN connection ended");
                }
            }
            Some((Guest::Stranger, _)) | None => tracing::debug!("a stranger at the door"),
        }
    }
}

/// Reads until it is clear what a connection speaks; nothing, when it ended before. What was read
/// has to be put back.
async fn see<Who>(
    stream: &mut (impl AsyncRead + Unpin),
    tell: fn(&[u8]) -> Option<Who>,
) -> Option<(Who, Vec<u8>)> {
    let mut first = Vec::with_capacity(FIRST_BYTES);
    loop {
        let mut next = [0; FIRST_BYTES];
        let room = next.get_mut(first.len()..)?;
        let count = stream.read(room).await.ok().filter(|count| *count > 0)?;
        first.extend_from_slice(room.get(..count)?);
        if let Some(who) = tell(&first) {
            return Some((who, first));
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

/// Small messages leave at once: on a long link the second one would wait for a whole round trip.
pub(crate) fn at_once(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection will be slow");
    }
}
