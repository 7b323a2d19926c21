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

use answer::Answerer;
use axum::Router;
use forward::Command;
use http::Desk;
use minato_protocol::media::TurnPlace;
use net::Here;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use token::TokenKey;
use tokio::sync::{mpsc, watch};

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
            turn: None,
        }
    }
}

/// Why a relay did not start.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The media port is taken or not allowed.
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
    turn: Option<TurnServer>,
    turn_place: Option<TurnPlace>,
    draining: Arc<watch::Sender<bool>>,
}

impl Relay {
    /// Opens the media port and starts forwarding. The router carries the relay's HTTP. With a
    /// TURN server it has to be called inside a tokio runtime.
    pub fn start(config: RelayConfig) -> Result<(Self, Router), RelayError> {
        metrics::describe();
        let address = config.udp_bind;
        let in_words = |source| RelayError::Port { address, source };
        let port = net::bind(address).map_err(in_words)?;
        let here = Here::new(port.local_addr().map_err(in_words)?, &config.advertised);
        let answerer = Answerer::new(here.clone()).ok_or(RelayError::Certificate)?;
        let commands =
            forward::start(port, here.clone(), config.sessions_max).map_err(RelayError::Thread)?;
        let turn_settings = config.turn;
        let turn =
            turn_settings.as_ref().map(|settings| start_turn(settings, &here)).transpose()?;
        let turn_place = turn.as_ref().zip(turn_settings.as_ref()).map(|(turn, s)| turn.place(s));
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
        tracing::info!(media = ?here.advertised(), "the relay is ready");
        Ok((Self { commands, here, turn, turn_place, draining }, router))
    }

    /// The UDP addresses that pages are told.
    pub fn media_addresses(&self) -> &[SocketAddr] {
        self.here.advertised()
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

    /// Takes nobody new (`unavailable`), tells signaling so that visits move, and returns when the
    /// last one has gone, or after `within`. Who is still here is forwarded to all the while.
    pub async fn drain(&self, within: Duration) {
        self.draining.send_replace(true);
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
        // A relay that has ended already is stopped enough.
        let _ = self.commands.send(Command::Stop).await;
        self.commands.closed().await;
        if let Some(turn) = &self.turn {
            turn.stop().await;
        }
    }
}

/// TURN beside the forwarding unit, which is always a peer.
fn start_turn(settings: &TurnSettings, here: &Here) -> Result<TurnServer, TurnError> {
    let mut settings = settings.clone();
    settings.inside.extend(here.advertised());
    TurnServer::start(&settings)
}
