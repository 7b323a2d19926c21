//! The edge: HTTP requests, the screens' WebSocket, the gateways' WebSocket.

pub mod entry;
mod gateway;
mod heartbeat;
mod outbox;
mod photo;
mod policy;
mod rehearsal;
mod socket;

pub use heartbeat::Heartbeat;

use crate::access::{Directory, Limits};
use crate::desk::{Bell, Desk};
use crate::gateway::{Gateways, Held};
use crate::kit::Kits;
use crate::photos::Photos;
use crate::presence::Presence;
use crate::readers::Readers;
use crate::readings::Readings;
use crate::relays::{Fleet, MediaKey, TurnDoor};
use crate::site::Register;
use axum::Router;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use axum::routing::get;
use minato_protocol::{Role, StaffId};
use policy::ContentPolicy;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio_tungstenite::tungstenite;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

/// The body of a request is at most so long.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// A request is answered within so long.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Requests under way at once; the next ones wait for their turn.
const REQUESTS_MAX: usize = 512;

/// Everything a request or a screen may need.
#[derive(Debug)]
pub struct Edge {
    /// Changes and sees states.
    pub desk: Arc<Desk>,
    /// Names of staff.
    pub directory: Directory,
    /// Who is there.
    pub presence: Presence,
    /// Readings on their way to screens.
    pub readings: Readings,
    /// Boxes on the walls.
    pub gateways: Arc<Gateways>,
    /// Home kits.
    pub kits: Arc<Kits>,
    /// Readings of nobody.
    pub held: Held,
    /// Pictures beside typed values.
    pub photos: Photos,
    /// Reads what pages hand in.
    pub readers: Readers,
    /// Signs media tokens.
    pub media_key: Arc<MediaKey>,
    /// The relays, and which of them serves which visit.
    pub fleet: Arc<Fleet>,
    /// Sites, and the institution responsible for new rooms.
    pub register: Register,
    /// Session cookies go over TLS only.
    pub secure_cookies: bool,
    /// Tries per address.
    pub limits: Limits,
    /// TURN, where there is one; known once its ports are open.
    pub turn: OnceLock<TurnDoor>,
    /// This run: versions of views count within it.
    pub epoch: u32,
    /// How screens are found to be gone.
    pub heartbeat: Heartbeat,
    /// Devices may be told to fail and the clock to step.
    pub rehearsal: bool,
}

impl Edge {
    /// A member of staff's name.
    pub fn name_of(&self, staff: StaffId) -> String {
        self.directory.card(staff).map(|card| card.name).unwrap_or_default()
    }

    /// Everybody with a role.
    pub fn staff_with(&self, role: Role) -> Vec<StaffId> {
        let roll = self.directory.roll();
        let with_role = roll.card_by_staff.iter().filter(|(_, card)| card.role == role);
        with_role.map(|(staff, _)| *staff).collect()
    }

    /// Today in Japan, `YYYY-MM-DD`, for ages.
    pub fn today(&self) -> String {
        const JAPAN_AHEAD_MS: i64 = 9 * 3_600_000;
        let days = (self.desk.clock.now().0 + JAPAN_AHEAD_MS).div_euclid(86_400_000);
        civil(days)
    }

    /// What a gateway's one-time code is stored as.
    pub fn gateway_code_hash(&self, code: &str) -> String {
        format!("{:016x}", self.desk.secrets.derive_id("gateway code", code.as_bytes()))
    }

    /// Rings when anything on any screen may have changed.
    pub fn bell(&self) -> &Bell {
        &self.desk.bell
    }
}

/// A day since 1970-01-01 as `YYYY-MM-DD` in the Gregorian calendar.
fn civil(days: i64) -> String {
    // Years begin in March here, so that the leap day is the last one.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// All of signaling's routes, with timeouts, limits, tracing and headers.
pub fn router(edge: Arc<Edge>) -> Router {
    let requests = Router::new()
        .merge(entry::router())
        .merge(gateway::enrolment())
        .merge(rehearsal::router())
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, ANSWER_WITHIN))
        .layer(RequestBodyLimitLayer::new(BODY_BYTES_MAX))
        .layer(GlobalConcurrencyLimitLayer::new(REQUESTS_MAX));
    Router::new()
        .merge(requests)
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .merge(photo::router())
        .merge(socket::router())
        .merge(gateway::router())
        .with_state(edge)
        .layer(from_fn(entry::name_the_page))
        .layer(CatchPanicLayer::new())
        .layer(TraceLayer::new_for_http().make_span_with(span))
}

/// Headers for every answer, pages included.
pub fn with_headers(router: Router, edge: &Arc<Edge>) -> Router {
    let policy = ContentPolicy::new(edge.fleet.page_urls());
    let header = |name: &'static str, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    };
    router
        .layer(from_fn_with_state((policy, Arc::clone(edge)), policy::put))
        .layer(header("x-content-type-options", "nosniff"))
        .layer(header("referrer-policy", "no-referrer"))
        .layer(header("permissions-policy", "camera=(self), microphone=(self), geolocation=()"))
}

/// Whether a WebSocket broke because a message was longer than this side takes.
fn is_too_large(error: &axum::Error) -> bool {
    let cause = std::error::Error::source(error);
    let cause = cause.and_then(|cause| cause.downcast_ref::<tungstenite::Error>());
    matches!(cause, Some(tungstenite::Error::Capacity(_)))
}

/// The path's pattern only: what stands in a path or a query stays out of the log.
fn span(request: &axum::http::Request<axum::body::Body>) -> tracing::Span {
    let path = request.extensions().get::<axum::extract::MatchedPath>();
    let path = path.map_or("other", |path| path.as_str());
    tracing::debug_span!("request", method = %request.method(), path)
}

/// Ready when the log can be written and read.
async fn ready(
    axum::extract::State(edge): axum::extract::State<Arc<Edge>>,
) -> axum::response::Response {
    match edge.desk.log.beat(edge.desk.clock.now()).await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the log cannot be written\n").into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::civil;

    #[test]
    fn a_day_number_is_the_right_date() {
        assert_eq!(civil(0), "1970-01-01");
        assert_eq!(civil(11_016), "2000-02-29");
        assert_eq!(civil(20_779), "2026-11-22");
        assert_eq!(civil(-1), "1969-12-31");
    }
}
