//! Keeps the broker told: connects, proves who it is, delivers the outbox in order, carries out
//! what the broker asks, and comes back by itself when the link was gone.

mod pace;
mod session;

pub(crate) use pace::Pace;

use crate::clock::Clock;
use crate::dial::{DialError, Dialer};
use crate::identity::Identity;
use crate::key::{self, GatewayKey};
use crate::lan::{Authority, LanState};
use crate::ledger::{Ledger, Stopped};
use minato_protocol::reading::{DeviceId, Hex, RequestKey};
use minato_protocol::uplink::{DeviceStatus, RefusedCode, RequestRefusal, SimulatedFault};
use minato_protocol::{SubjectId, VisitId};
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};

/// The wait before the first new attempt; it doubles with each.
const BACKOFF_MIN: Duration = Duration::from_millis(250);
/// No wait is longer.
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// A request to measure that is repeated after so many others is old news to everybody.
const ASKED_MAX: usize = 64;

/// What the broker asks of the devices. The bench beside the outbox answers.
#[derive(Debug)]
pub(crate) enum Ask {
    /// Press start.
    Measure {
        /// On which.
        device: DeviceId,
        /// What came of it.
        reply: oneshot::Sender<Result<(), RequestRefusal>>,
    },
    /// Let a simulated device fail.
    Fail {
        /// Which.
        device: DeviceId,
        /// How.
        fault: SimulatedFault,
        /// What came of it.
        reply: oneshot::Sender<Result<(), RequestRefusal>>,
    },
}

/// What the broker asks of the waves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MediaOrder {
    /// Join a visit.
    Join {
        /// Which.
        visit: VisitId,
        /// Whose waves.
        subject: SubjectId,
        /// Where.
        relay_url: String,
        /// With what.
        token: String,
    },
    /// Leave a visit.
    Leave {
        /// Which.
        visit: VisitId,
    },
}

/// The door on the clinic's own network: whether it is open, and what believes its passes.
pub(crate) type LanDoor = (watch::Receiver<LanState>, Arc<Authority>);

/// Everything that the uplink needs.
#[derive(Debug)]
pub(crate) struct Uplink {
    /// Where the broker is, `https://…` or `http://…`.
    pub(crate) broker_url: String,
    /// Reaches it.
    pub(crate) dialer: Dialer,
    /// Who this gateway is.
    pub(crate) identity: Identity,
    /// Proves it.
    pub(crate) key: Arc<GatewayKey>,
    /// This run.
    pub(crate) boot: Hex<8>,
    /// The gateway's clock.
    pub(crate) clock: Clock,
    /// What is to be told.
    pub(crate) ledger: Ledger,
    /// What hangs here.
    pub(crate) devices: watch::Receiver<Vec<DeviceStatus>>,
    /// To the devices. At most 32 wait; then the broker's requests wait.
    pub(crate) asks: mpsc::Sender<Ask>,
    /// To the waves. At most 32 wait; then the broker's requests wait.
    pub(crate) media: mpsc::Sender<MediaOrder>,
    /// From the waves.
    pub(crate) media_lost: mpsc::Receiver<VisitId>,
    /// Whether waves rest, because numbers are late on this line.
    pub(crate) waves_rest: watch::Sender<bool>,
    /// How much is sent at once.
    pub(crate) pace: Pace,
    /// A rehearsal pulls the cable: `false`.
    pub(crate) cable: watch::Sender<bool>,
    /// Keys of what was asked of the devices lately; at most [`ASKED_MAX`], the oldest is forgotten.
    pub(crate) asked: VecDeque<RequestKey>,
    /// The door on the clinic's own network, where there is one: what the broker says for it.
    pub(crate) lan: Option<LanDoor>,
    /// For the status page.
    pub(crate) state: watch::Sender<LinkState>,
}

/// How the link is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LinkState {
    /// The broker has welcomed this gateway.
    pub connected: bool,
    /// Why not, in words.
    pub trouble: Option<String>,
}

/// Why a connection ended.
#[derive(Debug, Error)]
enum Ended {
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error("the connection broke: {0}")]
    Socket(#[from] tokio_tungstenite::tungstenite::Error),
    #[error("the broker closed the connection")]
    Closed,
    #[error("the broker was silent for too long")]
    Silent,
    #[error("the broker refused: {message} ({code:?})")]
    Refused { code: RefusedCode, message: String },
    #[error("the broker sent something that is not in the protocol: {0}")]
    Protocol(&'static str),
    #[error("the outbox cannot be read")]
    Outbox,
    #[error("the cable is pulled")]
    Unplugged,
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl Uplink {
    /// Remembers a request to the devices; `false` if it was asked before.
    fn is_new(&mut self, key: &RequestKey) -> bool {
        if self.asked.contains(key) {
            return false;
        }
        if self.asked.len() == ASKED_MAX {
            self.asked.pop_front();
        }
        self.asked.push_back(key.clone());
        true
    }

    /// Tells the waves whether there is room for them.
    fn let_waves_rest(&mut self) {
        let rest = self.pace.is_late(Instant::now());
        let changed =
            self.waves_rest.send_if_modified(|told| std::mem::replace(told, rest) != rest);
        if changed {
            tracing::info!(rest, "waves rest while numbers are late");
        }
    }

    /// Runs until the gateway stops.
    pub(crate) async fn run(mut self) {
        let mut wait = BACKOFF_MIN;
        let mut cable = self.cable.subscribe();
        loop {
            // The sender is our own: it cannot be gone.
            let _ = cable.wait_for(|plugged| *plugged).await;
            let mut welcomed = false;
            let Err(ended) = Box::pin(session::run(&mut self, &mut welcomed)).await;
            let trouble = Some(ended.to_string());
            self.state.send_replace(LinkState { connected: false, trouble });
            match ended {
                Ended::Stopped(_) => return,
                Ended::Refused { .. } | Ended::Protocol(_) => {
                    tracing::warn!(reason = %ended, "the broker does not take this gateway");
                    wait = BACKOFF_MAX;
                }
                _ => tracing::info!(reason = %ended, "the link to the broker is down"),
            }
            if welcomed {
                wait = BACKOFF_MIN;
            }
            tokio::time::sleep(jittered(wait)).await;
            wait = (wait * 2).min(BACKOFF_MAX);
        }
    }
}

/// Between half and all of it, so that many gateways do not come back at once.
fn jittered(wait: Duration) -> Duration {
    let [dice] = key::random();
    wait.mul_f64(0.5 + f64::from(dice) / 510.0)
}

#[cfg(test)]
mod fuzzed;
