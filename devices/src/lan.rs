//! The box's door on the clinic's own network: while the line to the broker is cut, the nurse beside
//! the patient puts devices on and takes them off, and sees what is measured. HTTPS only, for pages of
//! the broker only, with a pass that the broker signed before.

mod answers;
mod authority;
mod certificate;
mod door;
mod limits;
mod opening;
mod origin;
mod page;
mod pass;
mod recent;

pub(crate) use authority::Authority;
pub use certificate::CertificateFiles;

use crate::clock::Clock;
use crate::identity::Identity;
use crate::ledger::{Ledger, Stopped};
use crate::uplink::{Ask, LinkState};
use certificate::Own;
use limits::Limits;
use minato_protocol::lan::LanPlace;
use minato_protocol::reading::{Hex, RequestKey};
use minato_protocol::uplink::DeviceStatus;
use opening::{Opened, Opening};
use origin::Origins;
use recent::Recent;
use serde::Serialize;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use thiserror::Error;
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

/// What no later try would mend: how the door is set up is wrong.
#[derive(Debug, Error)]
pub enum LanError {
    /// The address does not fit into a page's policy.
    #[error("{0} is no https:// address of a host with its port")]
    Address(String),
    /// One of the pages' addresses is none.
    #[error("the addresses of the broker's pages are http:// or https://")]
    Origin,
}

/// Whether the door is open, for the status page and for the broker.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LanState {
    /// Where tablets find it; nothing while it is shut.
    pub place: Option<LanPlace>,
    /// Why it is shut.
    pub trouble: Option<String>,
}

/// A door that is set up well; open if it could be opened at once.
#[derive(Debug)]
pub(crate) struct Door {
    opening: Opening,
    opened: Option<Opened>,
    origins: Origins,
    state: watch::Sender<LanState>,
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
    /// Refuses only what is set up wrongly: a door that cannot open now stays shut for a while, and
    /// measuring goes on.
    pub(crate) async fn open(
        config: &LanConfig,
        broker_url: &str,
        folder: &Path,
        clock: &Clock,
    ) -> Result<Self, LanError> {
        let bases = std::iter::once(broker_url).chain(config.origins.iter().map(String::as_str));
        let origins = Origins::of(bases).ok_or(LanError::Origin)?;
        let authority = Arc::new(Authority::open(folder, clock.clone()));
        let (folder, known) = (folder.to_owned(), Arc::clone(&authority));
        let opening = Opening::of(config, folder, clock.clone(), known)?;
        let (opened, state) = match opening.once().await {
            Ok(opened) => {
                let place = Some(opened.place.clone());
                (Some(opened), LanState { place, trouble: None })
            }
            Err(error) => (None, LanState { place: None, trouble: Some(error.to_string()) }),
        };
        Ok(Self { opening, opened, origins, state: watch::Sender::new(state), authority })
    }

    /// Where it listens, if it does yet.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.opened.as_ref()?.listener.local_addr().ok()
    }

    /// Follows whether it is open.
    pub(crate) fn state(&self) -> watch::Receiver<LanState> {
        self.state.subscribe()
    }

    /// Serves until it is dropped or the gateway stops.
    pub(crate) async fn serve(self, behind: Behind) {
        let Self { opening, opened, origins, state, authority } = self;
        let follows = Arc::clone(&authority);
        let served = async {
            let opened = match opened {
                Some(opened) => opened,
                None => {
                    let shut = |why| {
                        state.send_replace(LanState { place: None, trouble: Some(why) });
                    };
                    opening.until_open(shut).await
                }
            };
            state.send_replace(LanState { place: Some(opened.place.clone()), trouble: None });
            serve(opened, origins, authority, behind).await;
        };
        tokio::select! {
            () = served => {}
            () = follows.follow_clock() => {}
        }
    }
}

async fn serve(opened: Opened, origins: Origins, authority: Arc<Authority>, behind: Behind) {
    let Opened { listener, certificate, place } = opened;
    let Behind { identity, ledger, devices, link, clock, asks, run } = behind;
    match place.fingerprint {
        Some(sha256) => tracing::info!(
            url = %place.url, %sha256,
            "the clinic's network: tablets trust /ca.pem, once the fingerprint was compared"
        ),
        None => tracing::info!(url = %place.url, "the clinic's network"),
    }
    let lan = Lan {
        identity,
        ledger,
        devices,
        link,
        clock,
        asks,
        run,
        authority,
        recent: Arc::default(),
        limits: Limits::default(),
        origins,
        own: certificate.own.clone(),
        asked: Arc::default(),
    };
    let (limits, router) = (lan.limits.clone(), answers::router(lan.clone()));
    tokio::select! {
        ended = lan.follow() => tracing::debug!(?ended, "the outbox is followed no more"),
        () = door::serve(listener, certificate, limits, router) => {}
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

    /// It was refused: the same wish again is asked again.
    fn forget(&self, key: &RequestKey) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.retain(|other| other != key);
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
