//! The media relay: gets the call through.
//!
//! Pages negotiate with it over HTTP (`/relay/sessions`), media and data channels of all visits
//! share one UDP port, and signaling says over `/relay/control` who may be in which visit. A call
//! goes on without signaling. What crosses the wire is in `minato_protocol::media`.
//!
//! ```no_run
//! # async fn start(key: [u8; 32]) -> Result<(), Box<dyn std::error::Error>> {
//! let config = minato_relay::RelayConfig::new(([0, 0, 0, 0], 3478).into(), key);
//! let (relay, router) = minato_relay::Relay::start(config)?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8081").await?;
//! axum::serve(listener, router).await?;
//! relay.stop().await;
//! # Ok(()) }
//! ```

mod admission;
mod answer;
mod clock;
mod control;
mod forward;
mod http;
mod ladder;
mod metrics;
mod net;
mod refusal;
mod sdp;
pub mod token;
mod turn;

pub use admission::{KEEP_WITHOUT_SIGNALING, LIST_MAX, VISITS_MAX};
pub use net::first_bytes;
pub use net::turn::{
    CertificateError, PeerRange, PeerRangeError, TURN_ALLOCATIONS_MAX, TURN_PER_USER_MAX,
    TURN_REALM, TURN_RELAY_PORTS, TurnAddresses, TurnCertificate, TurnError, TurnSecret,
    TurnSecretTooShort, TurnServer, TurnSettings, TurnTls,
};
pub use net::{IceTcp, Place, Places};

use answer::Answerer;
use axum::Router;
use forward::Command;
use http::Desk;
use minato_protocol::media::TurnPlace;
use net::{Here, TurnEnd};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use token::TokenKey;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

/// Sessions of one relay unless configured otherwise.
pub const SESSIONS_MAX: usize = 600;
/// So long a relay that drains stays at least, so that signaling hears of it and nobody who was
/// sent here a moment ago finds the door gone.
const DRAIN_MIN: Duration = Duration::from_secs(1);

/// How a relay is set up.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RelayConfig {
    /// The media port; port 0 takes a free one.
    pub udp_bind: SocketAddr,
    /// Addresses that pages are told, where they differ from the bound one (behind a NAT, or
    /// bound to all). Empty: the bound one, or those of the default routes.
    pub advertised: Vec<IpAddr>,
    /// Public half of signaling's Ed25519 key.
    pub token_key: [u8; 32],
    /// Origins of pages that come from elsewhere, as `https://host`. Empty: same origin only.
    pub allowed_origins: Vec<String>,
    /// Sessions at once; one more is refused with `relay_full`.
    pub sessions_max: usize,
    /// Where media is taken by TCP too (ICE-TCP, RFC 6544), for pages that no UDP packet reaches.
    /// Pages are told the same addresses as for the media port, with the port of each.
    pub tcp_bind: Vec<SocketAddr>,
    /// Further TCP addresses that pages are told: doors shared with others, which hand connections
    /// to [`Relay::ice_tcp`].
    pub tcp_doors: Vec<SocketAddr>,
    /// A TURN server beside it, for pages that do not reach the media port.
    pub turn: Option<TurnSettings>,
}

impl RelayConfig {
    /// The usual set-up.
    pub fn new(udp_bind: SocketAddr, token_key: [u8; 32]) -> Self {
        Self {
            udp_bind,
            advertised: Vec::new(),
            token_key,
            allowed_origins: Vec::new(),
            sessions_max: SESSIONS_MAX,
            tcp_bind: Vec::new(),
            tcp_doors: Vec::new(),
            turn: None,
        }
    }
}

/// Why a relay did not start.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// A media port is taken or not allowed.
    #[error("the media port {address} cannot be opened: {source}")]
    Port {
        /// What was asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The machine has no room for one more thread.
    #[error("the media thread cannot be started: {0}")]
    Thread(std::io::Error),
    /// The crypto library makes no certificate.
    #[error("no certificate can be made for DTLS")]
    Certificate,
    /// The TURN server beside it.
    #[error(transparent)]
    Turn(#[from] TurnError),
}

/// A running relay. Dropping it does not end it: its router may still be served.
#[derive(Debug, Clone)]
pub struct Relay {
    commands: mpsc::Sender<Command>,
    here: Here,
    ice_tcp: IceTcp,
    accepting: Arc<[AbortHandle]>,
    turn: Option<TurnServer>,
    turn_place: Option<TurnPlace>,
    draining: Arc<watch::Sender<bool>>,
}

impl Relay {
    /// Opens the media ports and starts forwarding. The router carries the relay's HTTP. With a
    /// TURN server or TCP ports it has to be called inside a tokio runtime.
    pub fn start(config: RelayConfig) -> Result<(Self, Router), RelayError> {
        metrics::describe();
        let address = config.udp_bind;
        let in_words = |source| RelayError::Port { address, source };
        let port = net::bind(address).map_err(in_words)?;
        let here = Here::new(port.local_addr().map_err(in_words)?, &config.advertised);
        let (listeners, by_tcp) = listen(&config)?;
        let here = here.and_by_tcp(by_tcp);
        let (ice_tcp, connections) = net::ice_tcp();
        let answerer = Answerer::new(here.clone()).ok_or(RelayError::Certificate)?;
        let (turn_end, unit_end) = net::passage().map_err(RelayError::Thread)?;
        let max = config.sessions_max;
        let commands = forward::start(port, connections, unit_end, here.clone(), max)
            .map_err(RelayError::Thread)?;
        let settings = config.turn;
        let start = |settings: &TurnSettings| start_turn(settings, &here, turn_end);
        let turn = settings.as_ref().map(start).transpose()?;
        let turn_place = turn.as_ref().zip(settings.as_ref()).map(|(turn, s)| turn.place(s));
        let key = TokenKey(config.token_key);
        let draining = Arc::new(watch::Sender::new(false));
        let heard = draining.subscribe();
        let desk = Desk {
            commands: commands.clone(),
            key,
            answerer,
            draining: heard,
            turn: turn_place.clone(),
        };
        let router = http::router(Arc::new(desk), &config.allowed_origins);
        let accept = |listener| tokio::spawn(ice_tcp.clone().accept(listener)).abort_handle();
        let accepting = listeners.into_iter().map(accept).collect();
        tracing::info!(media = ?here.advertised(), tcp = ?here.by_tcp(), "the relay is ready");
        Ok((Self { commands, here, ice_tcp, accepting, turn, turn_place, draining }, router))
    }

    /// Whether it forwards; once it does not it never will again.
    pub fn is_alive(&self) -> bool {
        !self.commands.is_closed()
    }

    /// Whether it takes somebody new: it is alive and does not drain.
    pub fn is_ready(&self) -> bool {
        self.is_alive() && !*self.draining.borrow()
    }

    /// The UDP addresses that pages are told.
    pub fn media_addresses(&self) -> &[SocketAddr] {
        self.here.advertised()
    }

    /// The TCP addresses that pages are told.
    pub fn tcp_addresses(&self) -> &[SocketAddr] {
        self.here.by_tcp()
    }

    /// Where a door shared with others hands in connections with media.
    pub fn ice_tcp(&self) -> &IceTcp {
        &self.ice_tcp
    }

    /// The TURN server beside it, for connections that come in through another door.
    pub fn turn(&self) -> Option<&TurnServer> {
        self.turn.as_ref()
    }

    /// Where the TURN server listens, if there is one.
    pub fn turn_addresses(&self) -> Option<&TurnAddresses> {
        self.turn.as_ref().map(TurnServer::addresses)
    }

    /// What pages and signaling are told of it.
    pub fn turn_place(&self) -> Option<&TurnPlace> {
        self.turn_place.as_ref()
    }

    /// Takes nobody new (`unavailable`, in TURN 508), tells signaling so that visits move, and
    /// returns when the last one has gone, or after `within`. Who is still here is forwarded to all
    /// the while.
    pub async fn drain(&self, within: Duration) {
        self.draining.send_replace(true);
        if let Some(turn) = &self.turn {
            turn.drain().await;
        }
        let gone = async {
            tokio::join!(tokio::time::sleep(DRAIN_MIN), control::empty(&self.commands));
        };
        if tokio::time::timeout(within, gone).await.is_err() {
            tracing::warn!("not everybody has gone to another relay in time");
        }
    }

    /// Says goodbye to every session and ends. Requests are answered with `unavailable` from
    /// then on.
    pub async fn stop(&self) {
        for task in self.accepting.iter() {
            task.abort();
        }
        // A relay that has ended already is stopped enough.
        let _ = self.commands.send(Command::Stop).await;
        self.commands.closed().await;
        if let Some(turn) = &self.turn {
            turn.stop().await;
        }
    }
}

/// Opens the TCP ports for media, and tells where pages find them and the shared doors.
fn listen(config: &RelayConfig) -> Result<(Vec<TcpListener>, Vec<SocketAddr>), RelayError> {
    let mut listeners = Vec::new();
    let mut told = config.tcp_doors.clone();
    for &address in &config.tcp_bind {
        let in_words = |source| RelayError::Port { address, source };
        let listener = std::net::TcpListener::bind(address).map_err(in_words)?;
        listener.set_nonblocking(true).map_err(in_words)?;
        told.extend(net::told(listener.local_addr().map_err(in_words)?, &config.advertised));
        listeners.push(TcpListener::from_std(listener).map_err(in_words)?);
    }
    Ok((listeners, told))
}

/// TURN beside the forwarding unit, which is always a peer.
fn start_turn(
    settings: &TurnSettings,
    here: &Here,
    unit: TurnEnd,
) -> Result<TurnServer, TurnError> {
    let mut settings = settings.clone();
    settings.inside.extend(here.advertised());
    TurnServer::beside(&settings, Some(unit))
}
