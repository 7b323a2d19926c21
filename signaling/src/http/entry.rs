//! The few HTTP requests that make, ask for or end a session. Everything else needs its cookie.
//!
//! Only POST changes anything, so whoever previews a link consumes nothing. Nothing of a body or
//! a cookie is ever logged.

use super::Edge;
use crate::access::{doors, who};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, FromRequest, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, COOKIE, HOST, ORIGIN, RETRY_AFTER, SET_COOKIE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use minato_protocol::entry::{Entry, HttpRefusal, JoinByCode, JoinByLink, SignIn, SignInOnce};
use minato_protocol::{Code, Span};
use serde::de::DeserializeOwned;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// The session's cookie, followed by `-` and the page where a page names itself.
pub const COOKIE_NAME: &str = "minato";
/// Which page asks; set by [`name_the_page`] alone.
const PAGE_HEADER: &str = "minato-page";
/// One browser may hold one session a page: a rehearsal plays every role in one browser.
const PAGES: [&str; 4] = ["patient", "nurse", "doctor", "board"];
/// A body is at most so long; more is refused unread.
const BODY_BYTES_MAX: usize = 4 * 1024;
/// A try costs one token of a bucket that fills within a minute.
const RETRY_AFTER_S: &str = "60";

/// The routes under `/api` that deal with sessions.
pub fn router() -> axum::Router<Arc<Edge>> {
    axum::Router::new()
        .route("/api/join", post(join))
        .route("/api/join/spoken", post(join_spoken))
        .route("/api/transfer", post(transfer))
        .route("/api/transfer/use", post(transfer_use))
        .route("/api/sign-in", post(sign_in))
        .route("/api/sign-in/once", post(sign_in_once))
        .route("/api/sign-out", post(sign_out))
        .route("/api/me", get(me))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

async fn join(
    State(edge): State<Arc<Edge>>,
    Asked { headers, body, .. }: Asked<JoinByLink>,
) -> Result<Response, Refusal> {
    let cookie = session_cookie(&headers);
    let joined = doors::join_by_link(&edge.desk, &edge.limits, &body, cookie).await?;
    Ok(came_in(&edge, &headers, joined))
}

async fn join_spoken(
    State(edge): State<Arc<Edge>>,
    Asked { headers, from, body }: Asked<JoinByCode>,
) -> Result<Response, Refusal> {
    let joined = doors::join_by_code(&edge.desk, &edge.limits, &body, from).await?;
    Ok(came_in(&edge, &headers, joined))
}

async fn transfer(State(edge): State<Arc<Edge>>, headers: HeaderMap) -> Result<Response, Refusal> {
    same_origin(&headers)?;
    let cookie = session_cookie(&headers).ok_or(Code::SignInFirst)?;
    let code = doors::transfer_issue(&edge.desk, &edge.limits, cookie).await?;
    Ok(answer(StatusCode::OK, &code))
}

async fn transfer_use(
    State(edge): State<Arc<Edge>>,
    Asked { headers, from, body }: Asked<JoinByCode>,
) -> Result<Response, Refusal> {
    let joined = doors::transfer_use(&edge.desk, &edge.limits, &body, from).await?;
    Ok(came_in(&edge, &headers, joined))
}

async fn sign_in(
    State(edge): State<Arc<Edge>>,
    Asked { headers, from, body }: Asked<SignIn>,
) -> Result<Response, Refusal> {
    let Edge { desk, directory, limits, .. } = &*edge;
    let joined = doors::sign_in(desk, directory, limits, &body, from).await?;
    Ok(came_in(&edge, &headers, joined))
}

async fn sign_in_once(
    State(edge): State<Arc<Edge>>,
    Asked { headers, body, .. }: Asked<SignInOnce>,
) -> Result<Response, Refusal> {
    let joined = doors::sign_in_once(&edge.desk, &body.secret).await?;
    Ok(came_in(&edge, &headers, joined))
}

async fn sign_out(State(edge): State<Arc<Edge>>, headers: HeaderMap) -> Result<Response, Refusal> {
    same_origin(&headers)?;
    if let Some(cookie) = session_cookie(&headers) {
        doors::sign_out(&edge.desk, cookie).await?;
    }
    let mut response = answer(StatusCode::OK, &Entry::Outside);
    set_cookie(&mut response, (&headers, is_tls(&edge, &headers)), "", Span(0));
    Ok(response)
}

/// Who the cookie's holder is here. Without a session that is `Outside`; a session that died says
/// why.
async fn me(State(edge): State<Arc<Edge>>, headers: HeaderMap) -> Result<Response, Refusal> {
    let known = match session_cookie(&headers) {
        Some(cookie) => who(&edge.desk, cookie).await,
        None => Err(Code::SignInFirst),
    };
    let entry = match known {
        Ok(known) if known.pending => Entry::Pending,
        Ok(known) => Entry::Open { role: known.role },
        Err(Code::SignInFirst) => Entry::Outside,
        Err(code) => return Err(code.into()),
    };
    Ok(answer(StatusCode::OK, &entry))
}

/// A POST from one of our own pages, read whole and understood whole.
struct Asked<T> {
    headers: HeaderMap,
    from: SocketAddr,
    body: T,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Asked<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let headers = request.headers().clone();
        same_origin(&headers)?;
        let from = client(&request);
        if !is_json(&headers) {
            return Err(Code::NotUnderstood.into());
        }
        let bytes = Bytes::from_request(request, state).await.map_err(unread)?;
        let body = serde_json::from_slice(&bytes).map_err(|_| Code::NotUnderstood)?;
        Ok(Self { headers, from, body })
    }
}

fn unread(rejection: BytesRejection) -> Code {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge,
        _ => Code::NotUnderstood,
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// The connection's other end. What a header says about it is anybody's word. Without one (a
/// server set up without it) everybody shares one address, and its limits.
pub(super) fn client(request: &Request) -> SocketAddr {
    let connected = request.extensions().get::<ConnectInfo<SocketAddr>>();
    connected.map_or((Ipv4Addr::UNSPECIFIED, 0).into(), |ConnectInfo(address)| *address)
}

/// Whether a request comes from a page of this very host: its `Origin` names the host that `Host`
/// names. Browsers send `Origin` with every POST and WebSocket; without it: `OriginForbidden`.
pub fn same_origin(headers: &HeaderMap) -> Result<(), Code> {
    let one = |name: HeaderName| {
        let mut all = headers.get_all(name).iter();
        let first = all.next()?.to_str().ok()?;
        all.next().is_none().then_some(first)
    };
    let same = || {
        let (scheme, origin) = one(ORIGIN)?.split_once("://")?;
        let usual = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return None,
        };
        Some(host_and_port(origin, usual)? == host_and_port(one(HOST)?, usual)?)
    };
    if same() == Some(true) { Ok(()) } else { Err(Code::OriginForbidden) }
}

fn host_and_port(text: &str, usual: u16) -> Option<(String, u16)> {
    let authority = text.parse::<Uri>().ok()?.into_parts().authority?;
    let plain = authority.as_str() == text && !text.contains('@');
    plain.then(|| (authority.host().to_ascii_lowercase(), authority.port_u16().unwrap_or(usual)))
}

/// Which page asks, from `?as=`. Whatever a request itself says in our header is dropped.
pub(super) async fn name_the_page(mut request: Request, next: Next) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let named = query.split('&').find_map(|pair| pair.strip_prefix("as="));
    let page = named.and_then(|named| PAGES.into_iter().find(|page| *page == named));
    request.headers_mut().remove(PAGE_HEADER);
    if let Some(page) = page {
        request.headers_mut().insert(PAGE_HEADER, HeaderValue::from_static(page));
    }
    next.run(request).await
}

/// The cookie that this page's session is in.
fn cookie_name(headers: &HeaderMap) -> String {
    match headers.get(PAGE_HEADER).and_then(|page| page.to_str().ok()) {
        Some(page) => format!("{COOKIE_NAME}-{page}"),
        None => COOKIE_NAME.to_owned(),
    }
}

/// The session's secret among the cookies.
pub fn session_cookie(headers: &HeaderMap) -> Option<&str> {
    cookie(headers, &cookie_name(headers))
}

/// The secret of the nurse's own session, while her page itself is loaded.
pub(super) fn nurse_cookie(headers: &HeaderMap) -> Option<&str> {
    cookie(headers, &format!("{COOKIE_NAME}-nurse"))
}

fn cookie<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let lists = headers.get_all(COOKIE).iter().filter_map(|list| list.to_str().ok());
    let mut pairs = lists.flat_map(|list| list.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| name.trim() == wanted).map(|(_, value)| value.trim())
}

fn came_in(edge: &Edge, headers: &HeaderMap, joined: doors::Joined) -> Response {
    let mut response = answer(StatusCode::OK, &joined.entry);
    set_cookie(&mut response, (headers, is_tls(edge, headers)), &joined.secret, joined.lasts);
    response
}

/// Whether the page came by TLS: one process may serve loopback without and the house with it.
fn is_tls(edge: &Edge, headers: &HeaderMap) -> bool {
    let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok()).unwrap_or_default();
    edge.secure_cookies || origin.starts_with("https://")
}

fn set_cookie(
    response: &mut Response,
    (headers, tls): (&HeaderMap, bool),
    secret: &str,
    lasts: Span,
) {
    let name = cookie_name(headers);
    let max_age_s = (lasts.0 / 1_000).max(0);
    let secure = if tls { "; Secure" } else { "" };
    let text =
        format!("{name}={secret}; HttpOnly; SameSite=Strict; Path=/; Max-Age={max_age_s}{secure}");
    let value = HeaderValue::try_from(text).expect("a session's secret is base64url");
    response.headers_mut().insert(SET_COOKIE, value);
}

fn answer<T: serde::Serialize>(status: StatusCode, body: &T) -> Response {
    let never_kept = [(CACHE_CONTROL, "no-store")];
    (status, never_kept, Json(body)).into_response()
}

/// A refusal on its way out: a status for machines, a code for pages, a sentence for people.
#[derive(Debug)]
pub struct Refusal(pub Code);

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self(code)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(code) = self;
        metrics::counter!("minato_refused_total", "code" => format!("{code:?}")).increment(1);
        let refusal = HttpRefusal { code, message: code.sentence().to_owned() };
        let mut response = answer(status_of(code), &refusal);
        if code == Code::TooMany {
            let wait = HeaderValue::from_static(RETRY_AFTER_S);
            response.headers_mut().insert(RETRY_AFTER, wait);
        }
        response
    }
}

/// The status that goes with a code.
pub fn status_of(code: Code) -> StatusCode {
    match code {
        Code::SignInFirst
        | Code::SignInWrong
        | Code::CodeWrong
        | Code::PinWrong
        | Code::PassWrong
        | Code::PassExpired
        | Code::PassEnded => StatusCode::UNAUTHORIZED,
        Code::NotAllowed
        | Code::OriginForbidden
        | Code::NotYours
        | Code::NotPresent
        | Code::PassElsewhere
        | Code::NotOnPass
        | Code::DoctorNotNamed => StatusCode::FORBIDDEN,
        Code::TicketUnknown
        | Code::RoomUnknown
        | Code::VisitUnknown
        | Code::OrderUnknown
        | Code::LinkUnknown
        | Code::SiteUnknown
        | Code::AccountUnknown
        | Code::DeviceUnknown
        | Code::KitUnknown
        | Code::RuleUnknown
        | Code::ReadingUnknown => StatusCode::NOT_FOUND,
        Code::LinkExpired | Code::LinkRevoked => StatusCode::GONE,
        Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::OutcomeUnknown => StatusCode::GATEWAY_TIMEOUT,
        Code::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Code::NotUnderstood
        | Code::VersionUnknown
        | Code::FieldWrong
        | Code::FrameRefused
        | Code::PhotoUnfit => StatusCode::BAD_REQUEST,
        Code::NotDurable | Code::Busy | Code::RelayAway | Code::GatewayAway | Code::SlowReader => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        // What is asked for does not fit how things stand.
        Code::LinkElsewhere
        | Code::KitElsewhere
        | Code::RulesTooMany
        | Code::KitsTooMany
        | Code::TransferTooLate
        | Code::TicketOver
        | Code::NotWaiting
        | Code::NotReady
        | Code::NobodyCallable
        | Code::AlreadyTaken
        | Code::DoctorBusy
        | Code::DoctorOffDuty
        | Code::NurseBusy
        | Code::StaleEpoch
        | Code::NoOffer
        | Code::IntakeClosed
        | Code::RoomFull
        | Code::VisitOver
        | Code::IdentityFirst
        | Code::ConsentFirst
        | Code::ReadBackFirst
        | Code::Quarantined
        | Code::VisitFull
        | Code::DeviceElsewhere
        | Code::IdentifiersWrong
        | Code::ReasonFirst
        | Code::PhotoEnough
        | Code::ClinicFirst
        | Code::HospitalFirst
        | Code::NameTaken
        | Code::KeyReused => StatusCode::CONFLICT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(origin: Option<&'static str>, host: Option<&'static str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        origin.map(|origin| headers.insert(ORIGIN, HeaderValue::from_static(origin)));
        host.map(|host| headers.insert(HOST, HeaderValue::from_static(host)));
        headers
    }

    #[test]
    fn a_page_of_the_same_host_may_ask() {
        for (origin, host) in [
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("https://clinic.example", "clinic.example"),
            ("https://clinic.example", "clinic.example:443"),
            ("https://Clinic.example", "clinic.EXAMPLE"),
            ("http://[::1]:8080", "[::1]:8080"),
        ] {
            assert_eq!(same_origin(&headers(Some(origin), Some(host))), Ok(()), "{origin}");
        }
    }

    #[test]
    fn a_page_of_another_host_or_of_none_may_not() {
        for (origin, host) in [
            (None, Some("clinic.example")),
            (Some("https://clinic.example"), None),
            (Some("null"), Some("clinic.example")),
            (Some("https://evil.example"), Some("clinic.example")),
            (Some("https://clinic.example.evil.example"), Some("clinic.example")),
            (Some("https://clinic.example:8443"), Some("clinic.example")),
            (Some("http://clinic.example"), Some("clinic.example:443")),
            (Some("https://x@clinic.example"), Some("clinic.example")),
            (Some("https://clinic.example/"), Some("clinic.example")),
            (Some("file://clinic.example"), Some("clinic.example")),
            (Some("https://"), Some("clinic.example")),
        ] {
            let refused = same_origin(&headers(origin, host));
            assert_eq!(refused, Err(Code::OriginForbidden), "{origin:?} {host:?}");
        }
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=b; xminato=1"));
        headers.append(COOKIE, HeaderValue::from_static("c=d;minato=secret ; e=f"));
        assert_eq!(session_cookie(&headers), Some("secret"));
        assert_eq!(session_cookie(&HeaderMap::new()), None);
    }

    #[test]
    fn no_refusal_looks_like_a_success() {
        for code in Code::ALL {
            assert!(status_of(*code).is_client_error() || status_of(*code).is_server_error());
        }
    }
}
