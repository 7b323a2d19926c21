//! Which pages may ask: those of the broker and no others. A browser asks first (CORS), and asks more
//! where a page from outside wants to reach into a house's network (Private Network Access).

use super::answers::Refusal;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ORIGIN, VARY,
};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::Uri;
use minato_protocol::Code;
use std::sync::Arc;

const ASKS_PRIVATE: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOWS_PRIVATE: HeaderName = HeaderName::from_static("access-control-allow-private-network");
/// A browser need not ask again for so long.
const REMEMBERED_S: &str = "600";

/// Origins as browsers write them: `https://clinic.example`, without a usual port.
#[derive(Debug, Clone)]
pub(crate) struct Origins(Arc<[String]>);

impl Origins {
    /// The broker's own and further ones by which its pages are opened. `None`: one is no address of
    /// http or https.
    pub(crate) fn of<'a>(bases: impl Iterator<Item = &'a str>) -> Option<Self> {
        bases.map(origin_of).collect::<Option<Vec<_>>>().map(|all| Self(all.into()))
    }
}

fn origin_of(base: &str) -> Option<String> {
    let uri: Uri = base.parse().ok()?;
    let (scheme, host) = (uri.scheme_str()?, uri.host()?.to_ascii_lowercase());
    let usual = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    let port = uri.port_u16().filter(|port| *port != usual);
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{scheme}://{host}{port}"))
}

/// Answers what a browser asks first, and lets only the broker's pages ask anything. Whoever is no
/// page says no origin: a pass is asked of everybody.
pub(crate) async fn only_own_pages(
    State(Origins(own)): State<Origins>,
    request: Request,
    next: Next,
) -> Response {
    let origin = request.headers().get(ORIGIN).cloned();
    let known = |origin: &HeaderValue| own.iter().any(|one| one.as_bytes() == origin.as_bytes());
    if origin.as_ref().is_some_and(|origin| !known(origin)) {
        return Refusal(StatusCode::FORBIDDEN, Code::OriginForbidden).into_response();
    }
    let mut answer = if request.method() == Method::OPTIONS {
        allowed(request.headers().contains_key(ASKS_PRIVATE))
    } else {
        next.run(request).await
    };
    let headers = answer.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    answer
}

fn allowed(private: bool) -> Response {
    let mut answer = StatusCode::NO_CONTENT.into_response();
    let headers = answer.headers_mut();
    let mut say = |name, value| headers.insert(name, HeaderValue::from_static(value));
    say(ACCESS_CONTROL_ALLOW_METHODS, "GET, POST");
    say(ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type");
    say(ACCESS_CONTROL_MAX_AGE, REMEMBERED_S);
    if private {
        say(ALLOWS_PRIVATE, "true");
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_a_browser_writes_it() {
        let of = |base| origin_of(base).unwrap_or_default();
        assert_eq!(of("https://Clinic.example/minato/"), "https://clinic.example");
        assert_eq!(of("https://clinic.example:443"), "https://clinic.example");
        assert_eq!(of("http://127.0.0.1:8080"), "http://127.0.0.1:8080");
        for base in ["", "clinic.example", "ftp://clinic.example", "*", "null"] {
            assert_eq!(origin_of(base), None, "{base}");
        }
    }
}
