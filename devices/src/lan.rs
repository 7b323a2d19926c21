//! The box's door on the clinic's own network: while the line to the broker is cut, the nurse beside
//! the patient puts devices on and takes them off, and sees what is measured. HTTPS only, for pages of
//! the broker only, with a pass that the broker signed before.

mod answers;
mod authority;
mod certificate;
mod door;
mod limits;
mod origin;
mod page;
mod pass;
mod recent;

pub(crate) use authority::Authority;
pub use certificate::{CertificateError, CertificateFiles};

use crate::clock::Clock;
use crate::identity::Identity;
use crate::ledger::{Ledger, Stopped};
use crate::uplink::{Ask, LinkState};
use certificate::{Certificate, Own};
use limits::Limits;
use minato_protocol::lan::LanPlace;
use minato_protocol::reading::{Hex, RequestKey};
use minato_protocol::uplink::DeviceStatus;
use origin::Origins;
use recent::Recent;
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

/// Entries of the outbox that are read again after a start: what a page shows is at most minutes old.
const READ_AGAIN_MAX: u64 = 4_096;
/// Entries of the outbox that are read at once, and their JSON.
const READ_ENTRIES_MAX: usize = 64;
const READ_BYTES_MAX: usize = 64 * 1024;
/// A wish to measure that is repeated after so many others is old news; the oldest is forgotten.
const ASKED_MAX: usize = 64;

/// How the door is set up.
#[derive(Debug, Clone)]
pub struct LanConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// `https://box.clinic.example:8443`: how tablets call it, where that is not its address.
    pub url: Option<String>,
    /// The operator's certificate; without one the box makes its own.
    pub certificate: Option<CertificateFiles>,
    /// Further addresses by which the broker's pages are opened; the broker's own is known.
    pub origins: Vec<String>,
}

/// Why there is no door.
#[derive(Debug, Error)]
pub enum LanError {
    /// The port is taken, or the address is none of this machine.
    #[error("the clinic's network cannot be listened to on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// Nobody said how tablets call this box, and it cannot be told.
    #[error("say with --lan-url how tablets call this box: it has no address on a network")]
    Nameless,
    /// The address does not fit into a page's policy.
    #[error("{0} is no https:// address of a host with its port")]
    Address(String),
    /// One of the pages' addresses is none.
    #[error("the addresses of the broker's pages are http:// or https://")]
    Origin,
    /// See [`CertificateError`].
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// A door whose port and certificate are its own, not yet open.
#[derive(Debug)]
pub(crate) struct Door {
    listener: TcpListener,
    certificate: Certificate,
    origins: Origins,
    /// Where tablets find it.
    pub(crate) place: LanPlace,
    /// Believes passes.
    pub(crate) authority: Arc<Authority>,
}

/// Everything that an answer needs.
#[derive(Debug, Clone)]
struct Lan {
    identity: watch::Receiver<Option<Identity>>,
    ledger: Ledger,
    devices: watch::Receiver<Vec<DeviceStatus>>,
    link: watch::Receiver<LinkState>,
    clock: Clock,
    asks: mpsc::Sender<Ask>,
    run: Hex<8>,
    authority: Arc<Authority>,
    recent: Arc<Mutex<Recent>>,
    limits: Limits,
    origins: Origins,
    own: Option<Own>,
    asked: Arc<Mutex<VecDeque<RequestKey>>>,
}

/// What the box tells of itself behind the door.
#[derive(Debug)]
pub(crate) struct Behind {
    /// Who, once enrolled.
    pub(crate) identity: watch::Receiver<Option<Identity>>,
    /// Takes bindings, and has what was measured.
    pub(crate) ledger: Ledger,
    /// What hangs here.
    pub(crate) devices: watch::Receiver<Vec<DeviceStatus>>,
    /// The link to the broker.
    pub(crate) link: watch::Receiver<LinkState>,
    /// The gateway's clock.
    pub(crate) clock: Clock,
    /// To the devices.
    pub(crate) asks: mpsc::Sender<Ask>,
    /// This run.
    pub(crate) run: Hex<8>,
}

impl Door {
    /// Opens everything that can be refused at once.
    pub(crate) async fn open(
        config: &LanConfig,
        broker_url: &str,
        folder: &Path,
        clock: &Clock,
    ) -> Result<Self, LanError> {
        let bases = std::iter::once(broker_url).chain(config.origins.iter().map(String::as_str));
        let origins = Origins::of(bases).ok_or(LanError::Origin)?;
        let bound = TcpListener::bind(config.listen).await;
        let listener = bound.map_err(|error| LanError::Listen(config.listen, error))?;
        let local = listener.local_addr();
        let local = local.map_err(|error| LanError::Listen(config.listen, error))?;
        let url = match &config.url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => {
                let ip = if local.ip().is_unspecified() { own_address() } else { Some(local.ip()) };
                let ip = ip.ok_or(LanError::Nameless)?;
                format!("https://{}", SocketAddr::new(ip, local.port()))
            }
        };
        let named = LanPlace { url, fingerprint: None };
        let host = host_of(&named).ok_or_else(|| LanError::Address(named.url.clone()))?;
        let certificate = match &config.certificate {
            Some(files) => Certificate::of_files(files.clone())?,
            None => Certificate::own(folder, &host, clock.now())?,
        };
        let fingerprint = certificate.own.as_ref().map(|own| own.fingerprint);
        let place = LanPlace { fingerprint, ..named };
        let authority = Arc::new(Authority::open(folder, clock.clone()));
        Ok(Self { listener, certificate, origins, place, authority })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// Serves until it is dropped or the gateway stops.
    pub(crate) async fn serve(self, behind: Behind) {
        let Behind { identity, ledger, devices, link, clock, asks, run } = behind;
        match self.place.fingerprint {
            Some(sha256) => tracing::info!(
                url = %self.place.url, %sha256,
                "the clinic's network: tablets trust /ca.pem, once the fingerprint was compared"
            ),
            None => tracing::info!(url = %self.place.url, "the clinic's network"),
        }
        let lan = Lan {
            identity,
            ledger,
            devices,
            link,
            clock,
            asks,
            run,
            authority: self.authority,
            recent: Arc::default(),
            limits: Limits::default(),
            origins: self.origins,
            own: self.certificate.own.clone(),
            asked: Arc::default(),
        };
        let (limits, router) = (lan.limits.clone(), answers::router(lan.clone()));
        tokio::select! {
            ended = lan.follow() => tracing::debug!(?ended, "the outbox is followed no more"),
            () = door::serve(self.listener, self.certificate, limits, router) => {}
        }
    }
}

impl Lan {
    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a wish to measure; `false` if it was there before.
    fn is_new(&self, key: &RequestKey) -> bool {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.contains(key) {
            return false;
        }
        if asked.len() >= ASKED_MAX {
            asked.pop_front();
        }
        asked.push_back(key.clone());
        true
    }

    /// Reads what the outbox takes. While the broker is away all of it is there; what was
    /// acknowledged before it was read is the broker's to show.
    async fn follow(&self) -> Result<(), Stopped> {
        let mut head = self.ledger.head();
        let mut seen = head.borrow().last_seq.saturating_sub(READ_AGAIN_MAX);
        loop {
            let now = head.borrow_and_update().clone();
            while seen < now.last_seq {
                let read = self.ledger.after(seen, READ_ENTRIES_MAX, READ_BYTES_MAX).await?;
                let batch = read.unwrap_or_default();
                // Gone already, or not readable: the uplink says so.
                seen = batch.last().map_or(now.last_seq, |line| line.seq);
                let mut recent = self.recent();
                batch.into_iter().for_each(|line| recent.take(line));
            }
            if now.waiting == 0 {
                let wears = |subject| now.bindings.iter().any(|(_, on)| on.subject == subject);
                self.recent().forget_all_but(wears);
            }
            head.changed().await.map_err(|_| Stopped)?;
        }
    }
}

/// The name that stands in the certificate.
fn host_of(place: &LanPlace) -> Option<String> {
    let host = |url: &str| {
        let uri: http::Uri = url.parse().ok()?;
        Some(uri.host()?.trim_matches(['[', ']']).to_owned())
    };
    // An IPv6 address has brackets, which no policy takes: such a box needs a name.
    host(&place.url).filter(|_| place.is_plain())
}

/// The address by which this machine would reach others; nothing is sent.
fn own_address() -> Option<IpAddr> {
    let socket = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}
