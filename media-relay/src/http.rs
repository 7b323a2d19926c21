//! Join, ICE restart, leave, figures: the resource model of WHIP (RFC 9725), with JSON bodies
//! for pages and bare SDP for other clients.

use crate::answer::Answerer;
use crate::clock;
use crate::forward::{Command, Opening, Reply};
use crate::refusal::Refused;
use crate::sdp::{OFFER_BYTES_MAX, Offer, read_offer};
use crate::token::TokenKey;
use aws_lc_rs::rand;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use minato_protocol::media::{
    JoinAnswer, JoinOffer, RelayCode, RestartAnswer, RestartOffer, SessionStats, TurnPlace,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot, watch};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// The JSON around an offer and its escaped line ends.
const BODY_BYTES_MAX: usize = OFFER_BYTES_MAX + OFFER_BYTES_MAX / 4;
/// The forwarding thread answers within a list's wait; after this it is stuck.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// Where a client of bare SDP finds the session's secret.
const SESSION_SECRET: HeaderName = HeaderName::from_static("session-secret");
const SDP: HeaderValue = HeaderValue::from_static("application/sdp");

/// What every request needs.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) key: TokenKey,
    pub(crate) answerer: Answerer,
    /// The relay stops soon: nobody new comes in.
    pub(crate) draining: watch::Receiver<bool>,
    /// What signaling is told of the TURN server beside it.
    pub(crate) turn: Option<TurnPlace>,
}

impl Desk {
    /// Asks the forwarding thread. A full queue is an answer too.
    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, Refused> {
        let (reply, answer) = oneshot::channel();
        self.commands.try_send(command(reply)).map_err(|_| RelayCode::Unavailable)?;
        match tokio::time::timeout(ANSWER_WAIT, answer).await {
            Ok(Ok(answer)) => Ok(answer?),
            Ok(Err(_)) | Err(_) => Err(RelayCode::Unavailable.into()),
        }
    }
}

/// The relay's routes; `origins` are the pages of other origins that may use them.
pub(crate) fn router(desk: Arc<Desk>, origins: &[String]) -> Router {
    let router = Router::new()
        .route("/relay/sessions", post(join))
        .route("/relay/sessions/{session}", patch(restart).delete(leave))
        .route("/relay/sessions/{session}/stats", get(stats))
        .route("/relay/control", get(crate::control::control))
        .with_state(desk);
    let origins: Vec<HeaderValue> =
        origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    if origins.is_empty() {
        return router;
    }
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .expose_headers([header::LOCATION, SESSION_SECRET])
        .max_age(Duration::from_secs(600));
    router.layer(cors)
}

/// The text after `Authorization: Bearer`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// How the body was and the answer will be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Sdp,
}

fn form(headers: &HeaderMap) -> Option<Form> {
    let content = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    match content.split(';').next()?.trim().to_ascii_lowercase().as_str() {
        "application/json" => Some(Form::Json),
        "application/sdp" => Some(Form::Sdp),
        _ => None,
    }
}

/// Reads an offer out of a body, in either form.
async fn offer<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
    sdp: fn(T) -> String,
) -> Result<(Form, Offer), Refused> {
    let form = form(headers).ok_or(RelayCode::BodyInvalid)?;
    let bytes = to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| RelayCode::BodyTooLarge)?;
    let text = match form {
        Form::Json => sdp(serde_json::from_slice(&bytes).map_err(|_| RelayCode::BodyInvalid)?),
        Form::Sdp => String::from_utf8(bytes.into()).map_err(|_| RelayCode::BodyInvalid)?,
    };
    if text.len() > OFFER_BYTES_MAX {
        return Err(RelayCode::BodyTooLarge.into());
    }
    let offer = read_offer(&text).map_err(|invalid| {
        tracing::debug!(%invalid, "offer refused");
        RelayCode::SdpInvalid
    })?;
    Ok((form, offer))
}

async fn join(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let token = bearer(&headers).ok_or(RelayCode::TokenMalformed)?;
    let at = clock::wall();
    let claims = desk.key.media(token, at)?;
    if *desk.draining.borrow() {
        return Err(RelayCode::Unavailable.into());
    }
    let (form, offer) = offer(&headers, body, |offer: JoinOffer| offer.sdp).await?;
    let answered = desk.answerer.answer(&offer, Instant::now())?;
    let (id, secret) = (random::<16>()?, random::<32>()?);
    let slots = u8::try_from(offer.lines.slots.len()).unwrap_or(u8::MAX);
    let opening = Box::new(Opening {
        id: id.clone(),
        secret: secret.clone(),
        claims,
        lines: offer.lines,
        user: answered.user,
        codecs: answered.codecs,
        rtc: answered.rtc,
    });
    desk.ask(|reply| Command::Join { opening, at, reply }).await?;
    crate::metrics::joined();
    let location = format!("/relay/sessions/{id}");
    let location = HeaderValue::from_str(&location).map_err(|_| RelayCode::Unavailable)?;
    let sdp = answered.sdp;
    let mut response = match form {
        Form::Json => created(JoinAnswer { sdp, session: id, secret, slots }),
        Form::Sdp => {
            let secret = HeaderValue::from_str(&secret).map_err(|_| RelayCode::Unavailable)?;
            let head = [(header::CONTENT_TYPE, SDP), (SESSION_SECRET, secret)];
            (StatusCode::CREATED, head, sdp).into_response()
        }
    };
    response.headers_mut().insert(header::LOCATION, location);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn created<T: Serialize>(value: T) -> Response {
    (StatusCode::CREATED, Json(value)).into_response()
}

/// `BYTES` random bytes as text.
fn random<const BYTES: usize>() -> Result<String, Refused> {
    let mut bytes = [0; BYTES];
    rand::fill(&mut bytes).map_err(|_| RelayCode::Unavailable)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

async fn restart(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let secret = bearer(&headers).ok_or(RelayCode::SecretWrong)?.to_owned();
    let (form, offer) = offer(&headers, body, |offer: RestartOffer| offer.sdp).await?;
    let sdp = desk.ask(|reply| Command::Restart { id, secret, offer, reply }).await?;
    Ok(match form {
        Form::Json => Json(RestartAnswer { sdp }).into_response(),
        Form::Sdp => ([(header::CONTENT_TYPE, SDP)], sdp).into_response(),
    })
}

async fn leave(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Refused> {
    let secret = bearer(&headers).ok_or(RelayCode::SecretWrong)?.to_owned();
    desk.ask(|reply| Command::Leave { id, secret, reply }).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn stats(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<SessionStats>, Refused> {
    let secret = bearer(&headers).ok_or(RelayCode::SecretWrong)?.to_owned();
    Ok(Json(desk.ask(|reply| Command::Stats { id, secret, reply }).await?))
}
