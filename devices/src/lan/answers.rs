//! What the box answers on the clinic's network: devices and values of a pass's patients, and a
//! device put on, taken off or started. The rules are those of the broker's wishes, and nothing is
//! answered before it is on the disk.

use super::Lan;
use super::door::Peer;
use super::origin::only_own_pages;
use super::page;
use crate::binding::BindRequest;
use crate::uplink::Ask;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Extension, Query, Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use minato_protocol::entry::HttpRefusal;
use minato_protocol::lan::{LanBind, LanDevice, LanDo, LanSeen, PassClaims};
use minato_protocol::reading::{DeviceId, Hex, RequestKey};
use minato_protocol::uplink::RequestRefusal;
use minato_protocol::{Code, SubjectId};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// A body is at most so long; more is refused unread.
const BODY_BYTES_MAX: usize = 2 * 1024;
/// A request is answered within so long, its body included.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Stands before a page's key, so that it is never taken for one of the broker's.
const KEY_PREFIX: &str = "lan-";

/// The routes.
pub(super) fn router(lan: Lan) -> Router {
    let origins = lan.origins.clone();
    let asked = Router::new()
        .route("/lan/seen", get(seen))
        .route("/lan/bind", post(bind))
        .route("/lan/unbind", post(unbind))
        .route("/lan/measure", post(measure))
        .route("/lan/leave", post(leave))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn_with_state(origins, only_own_pages));
    Router::new()
        .route("/", get(page::status))
        .route("/ca.pem", get(page::authority))
        .merge(asked)
        .layer(from_fn_with_state(lan.clone(), not_too_often))
        .layer(from_fn(in_time))
        .with_state(lan)
}

/// A refusal on its way out: a status for machines, a code for pages, a sentence for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) StatusCode, pub(super) Code);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, code) = self;
        let refusal = HttpRefusal { code, message: code.sentence().to_owned() };
        (status, [(CACHE_CONTROL, "no-store")], Json(refusal)).into_response()
    }
}

const BUSY: Refusal = Refusal(StatusCode::SERVICE_UNAVAILABLE, Code::Busy);
const OUTCOME_UNKNOWN: Refusal = Refusal(StatusCode::GATEWAY_TIMEOUT, Code::OutcomeUnknown);
const NOT_ON_PASS: Refusal = Refusal(StatusCode::FORBIDDEN, Code::NotOnPass);
const NOT_UNDERSTOOD: Refusal = Refusal(StatusCode::BAD_REQUEST, Code::NotUnderstood);

impl From<RequestRefusal> for Refusal {
    fn from(refusal: RequestRefusal) -> Self {
        let status = match refusal {
            RequestRefusal::UnknownDevice
            | RequestRefusal::NotBound
            | RequestRefusal::NotStartable
            | RequestRefusal::NotSimulated => StatusCode::NOT_FOUND,
            RequestRefusal::BoundElsewhere => StatusCode::CONFLICT,
            RequestRefusal::Busy | RequestRefusal::OutboxFull => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self(status, refusal.code())
    }
}

async fn not_too_often(
    State(lan): State<Lan>,
    Extension(Peer(from)): Extension<Peer>,
    request: Request,
    next: Next,
) -> Response {
    if lan.limits.ask(from, Instant::now()) {
        return next.run(request).await;
    }
    Refusal(StatusCode::TOO_MANY_REQUESTS, Code::TooMany).into_response()
}

async fn in_time(request: Request, next: Next) -> Response {
    // What was handed on is done all the same, once the disk takes it.
    let late = if request.method() == Method::POST { OUTCOME_UNKNOWN } else { BUSY };
    let answer = tokio::time::timeout(ANSWER_WITHIN, next.run(request)).await;
    answer.unwrap_or_else(|_| late.into_response())
}

/// Whoever shows a good pass.
fn holder(lan: &Lan, from: Peer, headers: &HeaderMap) -> Result<PassClaims, Refusal> {
    let said = headers.get(AUTHORIZATION).and_then(|said| said.to_str().ok());
    let pass = said.and_then(|said| said.strip_prefix("Bearer ")).unwrap_or_default();
    let site = lan.identity.borrow().map(|identity| identity.site);
    lan.authority.read(pass, site).map_err(|code| {
        lan.limits.wrong(from.0, Instant::now());
        let elsewhere = code == Code::PassElsewhere;
        let status = if elsewhere { StatusCode::FORBIDDEN } else { StatusCode::UNAUTHORIZED };
        Refusal(status, code)
    })
}

/// A body that is understood as a whole. Only a page that said that it is JSON was asked about first.
fn body<T: DeserializeOwned>(
    headers: &HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<T, Refusal> {
    let bytes = bytes.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal(StatusCode::PAYLOAD_TOO_LARGE, Code::TooLarge),
        _ => NOT_UNDERSTOOD,
    })?;
    let is_json = headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    let read = serde_json::from_slice(&bytes).ok().filter(|_| is_json);
    read.ok_or(NOT_UNDERSTOOD)
}

#[derive(Debug, Deserialize)]
struct Since {
    run: Option<Hex<8>>,
    after: Option<u32>,
}

async fn seen(
    State(lan): State<Lan>,
    Extension(from): Extension<Peer>,
    headers: HeaderMap,
    since: Result<Query<Since>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refusal> {
    let pass = holder(&lan, from, &headers)?;
    let Query(since) = since.map_err(|_| NOT_UNDERSTOOD)?;
    let gateway = lan.identity.borrow().map(|identity| identity.gateway).ok_or(BUSY)?;
    // A cursor of another run says nothing here.
    let after = since.after.filter(|_| since.run == Some(lan.run)).unwrap_or(0);
    let (rows, cursor, more) = lan.recent().after(after, &pass.subjects);
    let head = lan.ledger.head().borrow().clone();
    let devices = lan.devices.borrow().clone().into_iter().map(|mut status| {
        let on = head.bindings.of(&status.device).map(|binding| binding.subject);
        status.bound = on.filter(|subject| pass.subjects.contains(subject));
        LanDevice { status, worn: on.is_some() }
    });
    let seen = LanSeen {
        gateway,
        run: lan.run,
        now: lan.clock.now(),
        connected: lan.link.borrow().connected,
        waiting: head.waiting,
        devices: devices.collect(),
        rows,
        cursor,
        more,
    };
    Ok(([(CACHE_CONTROL, "no-store")], Json(seen)).into_response())
}

async fn bind(
    State(lan): State<Lan>,
    Extension(from): Extension<Peer>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Refusal> {
    let pass = holder(&lan, from, &headers)?;
    let LanBind { key, device, subject, takes_over } = body(&headers, bytes)?;
    if !pass.subjects.contains(&subject) {
        return Err(NOT_ON_PASS);
    }
    if !lan.devices.borrow().iter().any(|status| status.device == device) {
        return Err(RequestRefusal::UnknownDevice.into());
    }
    let (key, subject) = (own_key(&key)?, Some(subject));
    carry_out(
        &lan,
        BindRequest { key, device, subject, by: pass.staff, takes_over, only_off: None },
    )
    .await
}

async fn unbind(
    State(lan): State<Lan>,
    Extension(from): Extension<Peer>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Refusal> {
    let pass = holder(&lan, from, &headers)?;
    let LanDo { key, device } = body(&headers, bytes)?;
    carry_out(&lan, BindRequest::off(own_key(&key)?, device, pass.staff)).await
}

/// On the disk before it is answered; from there it reaches the broker in its order.
async fn carry_out(lan: &Lan, request: BindRequest) -> Result<StatusCode, Refusal> {
    lan.ledger.bind(request).await.map_err(|_| OUTCOME_UNKNOWN)??;
    Ok(StatusCode::NO_CONTENT)
}

fn own_key(key: &RequestKey) -> Result<RequestKey, Refusal> {
    format!("{KEY_PREFIX}{}", key.as_str()).parse().map_err(|_| NOT_UNDERSTOOD)
}

async fn measure(
    State(lan): State<Lan>,
    Extension(from): Extension<Peer>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Refusal> {
    let pass = holder(&lan, from, &headers)?;
    let LanDo { key, device } = body(&headers, bytes)?;
    let on = on_whom(&lan, &device);
    if !on.is_some_and(|subject| pass.subjects.contains(&subject)) {
        return Err(NOT_ON_PASS);
    }
    if !lan.is_new(&key) {
        return Ok(StatusCode::NO_CONTENT);
    }
    // To its end, also when the page has gone: the same press again is told what came of it.
    let pressed = tokio::spawn(async move {
        let (reply, answer) = oneshot::channel();
        let done = match lan.asks.send(Ask::Measure { device, reply }).await {
            Ok(()) => answer.await.map_err(|_| OUTCOME_UNKNOWN),
            Err(_) => Err(BUSY),
        };
        let done = done.and_then(|done| Ok(done?));
        if done.is_err() {
            lan.forget(&key);
        }
        done
    });
    pressed.await.map_err(|_| OUTCOME_UNKNOWN)??;
    Ok(StatusCode::NO_CONTENT)
}

fn on_whom(lan: &Lan, device: &DeviceId) -> Option<SubjectId> {
    lan.ledger.head().borrow().bindings.of(device).map(|binding| binding.subject)
}

/// Signed out: this session's passes are over here, whether or not the broker can be told.
async fn leave(
    State(lan): State<Lan>,
    Extension(from): Extension<Peer>,
    headers: HeaderMap,
) -> Result<StatusCode, Refusal> {
    let pass = holder(&lan, from, &headers)?;
    lan.authority.end(pass.holder, pass.not_after);
    Ok(StatusCode::NO_CONTENT)
}
