//! The TURN server's sockets: one thread for everything by UDP, tasks for TCP and TLS.

mod batch;
mod edge;
mod listeners;
mod orders;
mod packets;
mod passage;
mod relayed;
mod settings;
mod spelling;
mod streams;
mod tally;
mod tls;
mod told;
mod wake;

pub(crate) use passage::{TurnEnd, UnitEnd, passage};
pub use settings::{
    PeerRange, PeerRangeError, TURN_ALLOCATIONS_MAX, TURN_PER_USER_MAX, TURN_REALM,
    TURN_RELAY_PORTS, TurnSecret, TurnSecretTooShort, TurnSettings, TurnTls,
};
pub use tls::{CertificateError, TurnCertificate};

use crate::turn::{REALM_BYTES_MAX, Turn};
use aws_lc_rs::rand;
use edge::{Edge, Port};
use relayed::Relayed;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use streams::{FromStream, Lobby};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use wake::Wake;

/// Messages of streams that wait for the thread. When full, connections wait and so their clients.
const INBOX_MAX: usize = 1_024;

/// Why a TURN server did not start.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// A port is taken or not allowed.
    #[error("the TURN port {address} ({transport}) cannot be opened: {source}")]
    Port {
        /// What was asked for.
        address: SocketAddr,
        /// UDP, TCP or TLS.
        transport: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A longer realm would make the answer to somebody unproved worth asking for.
    #[error("the realm of TURN has at most {REALM_BYTES_MAX} bytes")]
    Realm,
    /// The certificate of TLS.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// No thread, no poll or no randomness to be had.
    #[error("the TURN server cannot be started: {0}")]
    System(#[from] io::Error),
}

/// Where a TURN server listens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TurnAddresses {
    /// UDP listeners as bound.
    pub udp: Vec<SocketAddr>,
    /// TCP listeners as bound.
    pub tcp: Vec<SocketAddr>,
    /// TLS listeners as bound.
    pub tls: Vec<SocketAddr>,
}

/// A running TURN server. Dropping it does not end it.
#[derive(Debug, Clone)]
pub struct TurnServer {
    addresses: TurnAddresses,
    to_thread: mpsc::Sender<FromStream>,
    wake: Arc<Wake>,
    accepting: Arc<[AbortHandle]>,
    lobby: Arc<Lobby>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl TurnServer {
    /// Opens the ports and starts relaying. To be called inside a tokio runtime, which carries
    /// the connections of TCP and TLS.
    pub fn start(settings: &TurnSettings) -> Result<Self, TurnError> {
        Self::beside(settings, None)
    }

    /// The same beside a forwarding unit, which is reached by the short way.
    pub(crate) fn beside(
        settings: &TurnSettings,
        unit: Option<TurnEnd>,
    ) -> Result<Self, TurnError> {
        if settings.realm.len() > REALM_BYTES_MAX {
            return Err(TurnError::Realm);
        }
        tally::describe();
        allow_many_descriptors();
        let opened = Opened::open(settings)?;
        let addresses = opened.addresses()?;
        let mut nonce_key = [0; 32];
        rand::fill(&mut nonce_key).map_err(|_| io::Error::other("no randomness"))?;
        let bound = addresses.udp.iter().chain(&addresses.tcp).chain(&addresses.tls).copied();
        let turn = Turn::new(settings.core(bound), nonce_key);
        let ips = [settings.relay_ip(false), settings.relay_ip(true)];
        let relayed = Relayed::new(settings.relay_ports.clone(), ips);
        let (to_thread, inbox) = mpsc::channel(INBOX_MAX);
        let wake = match &unit {
            Some(unit) => Arc::clone(&unit.wake),
            None => Arc::new(Wake::new()?),
        };
        let heard = Arc::clone(&wake);
        let ports = opened.udp.into_iter().map(Port::new).collect::<io::Result<Vec<_>>>()?;
        let thread = std::thread::Builder::new().name("turn".to_owned()).spawn(move || {
            // The kernel's headers stay on the thread that made them, so the edge is made here.
            let ended = Edge::new(turn, ports, relayed, inbox, unit, heard).and_then(Edge::run);
            if let Err(error) = ended {
                tracing::error!(%error, "the TURN server ended");
            }
        })?;
        let lobby = Arc::new(Lobby::new(to_thread.clone(), Arc::clone(&wake)));
        let mut accepting = Vec::new();
        for (listener, tls) in opened.streams {
            listener.set_nonblocking(true)?;
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let task = tokio::spawn(streams::accept(listener, tls, Arc::clone(&lobby)));
            accepting.push(task.abort_handle());
        }
        tracing::info!(udp = ?addresses.udp, tcp = ?addresses.tcp, tls = ?addresses.tls, "TURN is ready");
        let (accepting, thread) = (accepting.into(), Arc::new(Mutex::new(Some(thread))));
        Ok(Self { addresses, to_thread, wake, accepting, lobby, thread })
    }

    /// Carries a connection that came in through a door shared with others, until either side ends
    /// it. Refused like any other when there are too many.
    pub async fn serve(
        &self,
        stream: impl AsyncRead + AsyncWrite,
        address: SocketAddr,
    ) -> io::Result<()> {
        streams::welcome(stream, address, &self.lobby).await
    }

    /// Where it listens.
    pub fn addresses(&self) -> &TurnAddresses {
        &self.addresses
    }

    /// Gives no allocation to anybody new (508) once this returns. Those that are there go on, and
    /// may be refreshed.
    pub async fn drain(&self) {
        let (done, drains) = oneshot::channel();
        // A thread that has ended already gives nobody anything.
        let _ = self.to_thread.send(FromStream::Drain(done)).await;
        self.wake.ring();
        let _ = drains.await;
    }

    /// Accepts nobody any more, closes every allocation and connection, and ends.
    pub async fn stop(&self) {
        for task in self.accepting.iter() {
            task.abort();
        }
        // A thread that has ended already is stopped enough.
        let _ = self.to_thread.send(FromStream::Stop).await;
        self.wake.ring();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let joined = tokio::task::spawn_blocking(move || thread.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!("the TURN thread broke");
            }
        }
    }
}

/// Listeners, opened and not yet used.
struct Opened {
    udp: Vec<UdpSocket>,
    streams: Vec<(TcpListener, Option<TlsAcceptor>)>,
}

impl Opened {
    fn open(settings: &TurnSettings) -> Result<Self, TurnError> {
        let failed =
            |transport, address| move |source| TurnError::Port { address, transport, source };
        let mut udp = Vec::new();
        for &address in &settings.udp {
            udp.push(listeners::udp(address, &settings.udp).map_err(failed("UDP", address))?);
        }
        let mut streams = Vec::new();
        for &address in &settings.tcp {
            let listener = listeners::tcp(address, &settings.tcp);
            streams.push((listener.map_err(failed("TCP", address))?, None));
        }
        if let Some(tls) = &settings.tls {
            let acceptor = tls.certificate.acceptor()?;
            for &address in &tls.listen {
                let listener = listeners::tcp(address, &tls.listen);
                streams.push((listener.map_err(failed("TLS", address))?, Some(acceptor.clone())));
            }
        }
        Ok(Self { udp, streams })
    }

    fn addresses(&self) -> io::Result<TurnAddresses> {
        let mut addresses = TurnAddresses::default();
        for socket in &self.udp {
            addresses.udp.push(socket.local_addr()?);
        }
        for (listener, tls) in &self.streams {
            let list = if tls.is_some() { &mut addresses.tls } else { &mut addresses.tcp };
            list.push(listener.local_addr()?);
        }
        Ok(addresses)
    }
}

/// Each allocation takes a descriptor; the soft limit is usually 1024.
fn allow_many_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
        tracing::debug!(?maximum, raised = raised.is_ok(), "open files");
    }
}
