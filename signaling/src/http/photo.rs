//! The way of a picture in and out. In: who it is and what it is of are asked before a byte of it is
//! read. Out: only to whoever sees the reading, as a picture and as nothing else.

use super::Edge;
use super::entry::{Refusal, same_origin, session_cookie};
use super::socket::actor;
use crate::access::admitted;
use crate::acts::{Actor, may_photograph, may_see};
use axum::body::{Body, Bytes};
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
use futures_util::stream::unfold;
use minato_protocol::Code;
use minato_protocol::photo::{PHOTO_BYTES_MAX, PhotoId, READING_HEADER, TICKET_HEADER};
use std::convert::Infallible;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, timeout, timeout_at};
use tower_http::timeout::TimeoutLayer;

/// A picture is through within so long: 400 kB take a minute at 64 kbit/s.
const THROUGH_WITHIN: Duration = Duration::from_secs(180);
/// On its way in so much comes within each [`PACE_WITHIN`], 4 kbit/s: whoever is slower gives the place
/// to others and tries again.
const PACE_BYTES: usize = 8_192;
/// See [`PACE_BYTES`].
const PACE_WITHIN: Duration = Duration::from_secs(16);
/// On its way out it is handed over in pieces of so much, each when there is room for it.
const PIECE_BYTES: usize = 65_536;

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
    let _place = edge.photos.place_in(&actor.session)?;
    let bytes = whole(&headers, body, PACE_WITHIN).await?;
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
    let place = edge.photos.place_out()?;
    let sealed = edge.photos.find(photo).await?;
    may_see(&edge, &actor, sealed.of, photo).await?;
    let (kind, bytes) = edge.photos.open(sealed).await?;
    let length = bytes.len();
    let headers = [
        (CONTENT_TYPE, kind.mime()),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // A page shows it in a frame of its own; opened by itself it is a file, never a page.
        (CONTENT_DISPOSITION, "attachment; filename=\"display\""),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ];
    let body = going_out(bytes, place, THROUGH_WITHIN);
    Ok((headers, [CORP], [(CONTENT_LENGTH, length)], body).into_response())
}

/// The place is taken until the last piece is handed over, or the time is up.
fn going_out(bytes: Vec<u8>, place: OwnedSemaphorePermit, within: Duration) -> Body {
    let (room, pieces) = mpsc::channel(1);
    tokio::spawn(async move {
        let _place = place;
        let hand_over = async {
            for piece in bytes.chunks(PIECE_BYTES) {
                if room.send(Ok(Bytes::copy_from_slice(piece))).await.is_err() {
                    return;
                }
            }
        };
        if timeout(within, hand_over).await.is_err() {
            tracing::debug!("a picture was fetched too slowly");
        }
    });
    let next = |mut pieces: mpsc::Receiver<Result<Bytes, Infallible>>| async move {
        Some((pieces.recv().await?, pieces))
    };
    Body::from_stream(unfold(pieces, next))
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
async fn whole(headers: &HeaderMap, body: Body, pace_within: Duration) -> Result<Vec<u8>, Code> {
    let told = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if told.is_some_and(|length: usize| length > PHOTO_BYTES_MAX) {
        return Err(Code::TooLarge);
    }
    let mut stream = body.into_data_stream();
    let mut bytes = Vec::new();
    let mut until = Instant::now() + pace_within;
    let mut enough = PACE_BYTES;
    while let Some(part) = timeout_at(until, stream.next()).await.map_err(|_slow| Code::Busy)? {
        let part = part.map_err(|_broken| Code::NotUnderstood)?;
        if bytes.len() + part.len() > PHOTO_BYTES_MAX {
            return Err(Code::TooLarge);
        }
        bytes.extend_from_slice(&part);
        if bytes.len() >= enough {
            until = Instant::now() + pace_within;
            enough = bytes.len() + PACE_BYTES;
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream::pending;
    use tokio::sync::Semaphore;

    const SHORT: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn a_picture_that_nobody_fetches_keeps_its_place_until_the_time_is_up() {
        let places = Arc::new(Semaphore::new(1));
        let place = || Arc::clone(&places).acquire_owned();
        let bytes = || vec![7; 10 * PIECE_BYTES];
        let unfetched = going_out(bytes(), place().await.expect("open"), SHORT);
        assert_eq!(places.available_permits(), 0, "it is on its way");
        let again = place().await.expect("open");
        drop(unfetched);
        let body = going_out(bytes(), again, THROUGH_WITHIN);
        let whole = axum::body::to_bytes(body, usize::MAX).await.expect("whole");
        assert_eq!(whole, bytes());
        drop(place().await.expect("open"));
    }

    #[tokio::test]
    async fn a_picture_that_comes_too_slowly_gives_its_place_to_others() {
        let drip = unfold((), |()| async {
            tokio::time::sleep(SHORT / 5).await;
            Some((Ok::<_, Infallible>(Bytes::from_static(b"drip")), ()))
        });
        let nothing = pending::<Result<Bytes, Infallible>>();
        for slow in [Body::from_stream(drip), Body::from_stream(nothing)] {
            assert_eq!(whole(&HeaderMap::new(), slow, SHORT).await, Err(Code::Busy));
        }
        let steady = unfold(0, |sent| async move {
            tokio::time::sleep(SHORT / 5).await;
            let piece = Ok::<_, Infallible>(Bytes::from(vec![1; PACE_BYTES]));
            (sent < 10).then_some((piece, sent + 1))
        });
        let came = whole(&HeaderMap::new(), Body::from_stream(steady), 20 * SHORT).await;
        assert_eq!(came.expect("whole").len(), 10 * PACE_BYTES);
    }
}
