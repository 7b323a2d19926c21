//! The way of a picture in and out. In: who it is and what it is of are asked before a byte of it is
//! read. Out: only to whoever sees the reading, as a picture and as nothing else.

use super::Edge;
use super::entry::{Refusal, same_origin, session_cookie};
use super::socket::actor;
use crate::access::admitted;
use crate::acts::{Actor, may_photograph, may_see};
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::StreamExt as _;
use minato_protocol::Code;
use minato_protocol::photo::{PHOTO_BYTES_MAX, PhotoId, READING_HEADER, TICKET_HEADER};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tower_http::timeout::TimeoutLayer;

/// A picture is through within so long: 400 kB take a minute at 64 kbit/s.
const THROUGH_WITHIN: Duration = Duration::from_secs(180);

pub(super) fn router() -> Router<Arc<Edge>> {
    let late = StatusCode::SERVICE_UNAVAILABLE;
    Router::new()
        .route("/api/photos", post(take_in))
        .route("/api/photos/{photo}", get(show))
        .layer(TimeoutLayer::with_status_code(late, THROUGH_WITHIN))
}

async fn take_in(State(edge): State<Arc<Edge>>, request: Request) -> Result<Response, Refusal> {
    let (head, body) = request.into_parts();
    let headers = head.headers;
    same_origin(&headers)?;
    let actor = asker(&edge, &headers).await?;
    let (ticket, reading) = (named(&headers, TICKET_HEADER)?, named(&headers, READING_HEADER)?);
    let may = may_photograph(&edge, &actor, ticket, reading).await;
    let photographer = may.map_err(|refusal| refusal.code)?;
    edge.limits.photo(&actor.session, edge.desk.clock.now())?;
    let _place = edge.photos.place_in()?;
    let bytes = whole(&headers, body).await?;
    let into = (&*edge.desk, &edge.readings);
    let photo = edge.photos.keep(into, photographer.of, photographer.by, bytes).await?;
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Json(photo)).into_response())
}

async fn show(
    State(edge): State<Arc<Edge>>,
    Path(photo): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let actor = asker(&edge, &headers).await?;
    let photo: PhotoId = photo.parse().map_err(|_| Code::ReadingUnknown)?;
    let _place = edge.photos.place_out()?;
    let sealed = edge.photos.find(photo).await?;
    may_see(&edge, &actor, sealed.of, photo).await?;
    let (kind, bytes) = edge.photos.open(sealed).await?;
    let headers = [
        (CONTENT_TYPE, kind.mime()),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // A page shows it in a frame of its own; opened by itself it is a file, never a page.
        (CONTENT_DISPOSITION, "attachment; filename=\"display\""),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ];
    Ok((headers, [CORP], bytes).into_response())
}

/// No page of another origin embeds it.
const CORP: (&str, &str) = ("cross-origin-resource-policy", "same-origin");

async fn asker(edge: &Edge, headers: &HeaderMap) -> Result<Actor, Code> {
    let cookie = session_cookie(headers).ok_or(Code::SignInFirst)?;
    let who = admitted(&edge.desk, cookie).await?;
    Ok(actor(edge, &who))
}

fn named<T: FromStr>(headers: &HeaderMap, header: &str) -> Result<T, Code> {
    let text = headers.get(header).and_then(|value: &HeaderValue| value.to_str().ok());
    text.and_then(|text| text.parse().ok()).ok_or(Code::NotUnderstood)
}

/// What says that it is too long is not even begun.
async fn whole(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Code> {
    let told = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if told.is_some_and(|length: usize| length > PHOTO_BYTES_MAX) {
        return Err(Code::TooLarge);
    }
    let mut stream = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(part) = stream.next().await {
        let part = part.map_err(|_broken| Code::NotUnderstood)?;
        if bytes.len() + part.len() > PHOTO_BYTES_MAX {
            return Err(Code::TooLarge);
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}
