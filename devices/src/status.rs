//! A page for the machine itself: how the gateway is, and in a rehearsal the buttons that no
//! browser has. It listens on loopback only.

use crate::clock::Clock;
use crate::identity::Identity;
pub use crate::lan::LanState;
use crate::ledger::Ledger;
use crate::uplink::Ask;
pub use crate::uplink::LinkState;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use minato_protocol::reading::DeviceId;
use minato_protocol::uplink::{DeviceStatus, RequestRefusal, SimulatedFault};
use minato_protocol::{GatewayId, SiteId, Span, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// No step of the clock is longer.
const ADVANCE_MS_MAX: i64 = 24 * 60 * 60 * 1_000;

/// What the page shows and what its buttons reach.
#[derive(Debug, Clone)]
pub(crate) struct Panel {
    /// Who, once enrolled.
    pub(crate) identity: watch::Receiver<Option<Identity>>,
    /// What waits.
    pub(crate) ledger: Ledger,
    /// What hangs here.
    pub(crate) devices: watch::Receiver<Vec<DeviceStatus>>,
    /// The link to the broker.
    pub(crate) link: watch::Receiver<LinkState>,
    /// The gateway's clock.
    pub(crate) clock: Clock,
    /// The door on the clinic's own network, where there is one.
    pub(crate) lan: Option<watch::Receiver<LanState>>,
    /// Only in a rehearsal.
    pub(crate) rehearsal: Option<Buttons>,
}

/// What a rehearsal can do to itself. Clone it to press from inside the process.
#[derive(Debug, Clone)]
pub struct Buttons {
    pub(crate) asks: mpsc::Sender<Ask>,
    pub(crate) cable: watch::Sender<bool>,
    pub(crate) clock: Clock,
}

/// `GET /status`.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// Who, once enrolled.
    pub gateway: Option<GatewayId>,
    /// Where it hangs, once enrolled.
    pub site: Option<SiteId>,
    /// The gateway's clock.
    pub now: Timestamp,
    /// The link to the broker.
    pub link: LinkState,
    /// The door on the clinic's own network, where one is wanted.
    pub lan: Option<LanState>,
    /// Entries that the broker has not acknowledged.
    pub waiting: u64,
    /// The newest entry's number.
    pub last_seq: u64,
    /// No new bindings are taken.
    pub outbox_full: bool,
    /// What hangs here.
    pub devices: Vec<DeviceStatus>,
}

impl Buttons {
    /// Presses start on a simulated cuff.
    pub async fn measure(&self, device: DeviceId) -> Result<(), RequestRefusal> {
        let (reply, answer) = oneshot::channel();
        self.ask(Ask::Measure { device, reply }, answer).await
    }

    /// Lets a simulated device fail.
    pub async fn fail(
        &self,
        device: DeviceId,
        fault: SimulatedFault,
    ) -> Result<(), RequestRefusal> {
        let (reply, answer) = oneshot::channel();
        self.ask(Ask::Fail { device, fault, reply }, answer).await
    }

    /// Steps the gateway's clock forward; the devices do what they would have done meanwhile.
    pub fn advance(&self, span: Span) {
        self.clock.advance(span);
    }

    /// Pulls the cable to the broker, or plugs it in again.
    pub fn plug(&self, plugged: bool) {
        self.cable.send_replace(plugged);
    }

    async fn ask(
        &self,
        ask: Ask,
        answer: oneshot::Receiver<Result<(), RequestRefusal>>,
    ) -> Result<(), RequestRefusal> {
        // A bench that is gone has no devices.
        self.asks.send(ask).await.map_err(|_| RequestRefusal::UnknownDevice)?;
        answer.await.unwrap_or(Err(RequestRefusal::UnknownDevice))
    }
}

/// So long the disk may take until the count is told as it is known.
const SETTLES_WITHIN: Duration = Duration::from_millis(500);

/// The routes.
pub(crate) fn router(panel: Panel) -> Router {
    let mut router = Router::new().route("/status", get(status)).with_state(panel.clone());
    if let Some(buttons) = panel.rehearsal {
        let pressed = Router::new()
            .route("/simulate/measure", post(measure))
            .route("/simulate/fault", post(fault))
            .route("/simulate/advance", post(advance))
            .route("/simulate/link", post(link))
            .with_state(buttons);
        router = router.merge(pressed);
    }
    router.layer(axum::middleware::from_fn(only_by_loopback_name))
}

/// A page of somebody's in a browser on this machine could give its own name to 127.0.0.1: only
/// requests that call the gateway by a loopback name are answered.
async fn only_by_loopback_name(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let authority = host.and_then(|host| host.parse::<http::uri::Authority>().ok());
    let near = authority.is_some_and(|authority| {
        let name = authority.host().trim_matches(['[', ']']).to_owned();
        let address = name.parse::<std::net::IpAddr>();
        name == "localhost" || address.is_ok_and(|address| address.is_loopback())
    });
    if near { next.run(request).await } else { StatusCode::MISDIRECTED_REQUEST.into_response() }
}

async fn status(State(panel): State<Panel>) -> Json<Status> {
    // The count is that of this moment: what was measured before it is in it. A disk that does not
    // answer is no reason to be silent.
    let now = panel.clock.now();
    let _ = tokio::time::timeout(SETTLES_WITHIN, panel.ledger.settled()).await;
    let identity = *panel.identity.borrow();
    let head = panel.ledger.head().borrow().clone();
    Json(Status {
        gateway: identity.map(|identity| identity.gateway),
        site: identity.map(|identity| identity.site),
        now,
        link: panel.link.borrow().clone(),
        lan: panel.lan.as_ref().map(|state| state.borrow().clone()),
        waiting: head.waiting,
        last_seq: head.last_seq,
        outbox_full: head.is_full(),
        devices: panel.devices.borrow().clone(),
    })
}

#[derive(Debug, Deserialize)]
struct MeasureBody {
    device: DeviceId,
}

#[derive(Debug, Deserialize)]
struct FaultBody {
    device: DeviceId,
    fault: SimulatedFault,
}

#[derive(Debug, Deserialize)]
struct AdvanceBody {
    ms: i64,
}

#[derive(Debug, Deserialize)]
struct LinkBody {
    up: bool,
}

/// `{"code": …}` of a button that did nothing.
#[derive(Debug, Serialize)]
struct Refusal {
    code: RequestRefusal,
}

fn answer(done: Result<(), RequestRefusal>) -> Response {
    match done {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(code) => (StatusCode::CONFLICT, Json(Refusal { code })).into_response(),
    }
}

async fn measure(State(buttons): State<Buttons>, Json(body): Json<MeasureBody>) -> Response {
    answer(buttons.measure(body.device).await)
}

async fn fault(State(buttons): State<Buttons>, Json(body): Json<FaultBody>) -> Response {
    answer(buttons.fail(body.device, body.fault).await)
}

async fn advance(State(buttons): State<Buttons>, Json(body): Json<AdvanceBody>) -> Response {
    if !(0..=ADVANCE_MS_MAX).contains(&body.ms) {
        return StatusCode::UNPROCESSABLE_ENTITY.into_response();
    }
    buttons.advance(Span(body.ms));
    StatusCode::NO_CONTENT.into_response()
}

async fn link(State(buttons): State<Buttons>, Json(body): Json<LinkBody>) -> Response {
    buttons.plug(body.up);
    StatusCode::NO_CONTENT.into_response()
}
