//! What pages may load and whom they may speak to: their own files, this service and the relays; a
//! nurse's page also the boxes on the network of the clinic where she works.

use super::Edge;
use super::entry::nurse_cookie;
use crate::access::who;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, HOST};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;

/// The page whose policy depends on who is signed in.
const NURSE_PAGE: &str = "/nurse";

/// The content policy, but for the host that a page came from.
#[derive(Debug, Clone)]
pub(super) struct ContentPolicy {
    /// Base addresses of relays at other origins, each after a blank.
    relays: Arc<str>,
}

impl ContentPolicy {
    pub(super) fn new<'a>(relays: impl Iterator<Item = &'a str>) -> Self {
        let fits = |url: &&str| {
            let fits = url.bytes().all(|byte| byte.is_ascii_graphic() && !b";,".contains(&byte));
            if !fits {
                tracing::warn!("a relay's address fits no header: pages do not speak to it");
            }
            fits
        };
        let spaced: String = relays.filter(fits).flat_map(|url| [" ", url]).collect();
        Self { relays: spaced.into() }
    }

    /// `boxes` like the relays, each after a blank.
    fn header(&self, host: Option<&str>, boxes: &str) -> Option<HeaderValue> {
        let relays = &self.relays;
        // `'self'` has covered the socket of the same host since the third edition of the policy.
        // Safari before 15.4 read it by the letter: for it the host is named.
        let socket = host.map(|host| format!(" ws://{host} wss://{host}")).unwrap_or_default();
        let policy = format!(
            "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; \
             connect-src 'self'{socket}{relays}{boxes}; style-src 'self' 'unsafe-inline'; \
             frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
        );
        HeaderValue::try_from(policy).ok()
    }
}

/// The host of a request where it is a plain name or number with its port. Whatever else somebody
/// sends there does not become a part of the policy.
fn plain_host(headers: &HeaderMap) -> Option<&str> {
    let host = headers.get(HOST)?.to_str().ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:".contains(&byte);
    (!host.is_empty() && host.bytes().all(plain)).then_some(host)
}

/// Where the boxes of a signed-in nurse's site listen. Others are not told what a clinic's network
/// looks like inside.
async fn boxes_of(edge: &Edge, headers: &HeaderMap) -> Option<String> {
    let known = who(&edge.desk, nurse_cookie(headers)?).await.ok()?;
    let site = edge.directory.card(known.staff()?)?.site?;
    let boxes = edge.gateways.on_lan(site);
    Some(boxes.iter().flat_map(|one| [" ", one.place.url.as_str()]).collect())
}

/// Puts the policy on every answer that has none of its own.
pub(super) async fn put(
    State((policy, edge)): State<(ContentPolicy, Arc<Edge>)>,
    request: Request,
    next: Next,
) -> Response {
    let boxes = if request.uri().path() == NURSE_PAGE {
        boxes_of(&edge, request.headers()).await.unwrap_or_default()
    } else {
        String::new()
    };
    let header = policy.header(plain_host(request.headers()), &boxes);
    let mut answer = next.run(request).await;
    if let Some(header) = header {
        answer.headers_mut().entry(CONTENT_SECURITY_POLICY).or_insert(header);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whom a page of this host may speak to.
    fn connects(host: &str, relays: &[&str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).expect("a header"));
        let policy = ContentPolicy::new(relays.iter().copied());
        let header = policy.header(plain_host(&headers), "").expect("a policy");
        let text = header.to_str().expect("ASCII");
        let connect = text.split("; ").find_map(|part| part.strip_prefix("connect-src "));
        connect.expect("it is said").split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_page_speaks_to_its_own_host_and_to_the_relays_by_name() {
        assert_eq!(
            connects(
                "minato.example:8443",
                &["https://relay-1.example", "https://relay-2.example"]
            ),
            [
                "'self'",
                "ws://minato.example:8443",
                "wss://minato.example:8443",
                "https://relay-1.example",
                "https://relay-2.example",
            ]
        );
    }

    #[test]
    fn whatever_stands_in_for_a_host_is_not_believed() {
        for host in
            ["", "*", "a b", "x;script-src", "evil.example/", "user@minato.example", "[::1]"]
        {
            assert_eq!(connects(host, &[]), ["'self'"], "{host}");
        }
    }

    #[test]
    fn a_relay_whose_address_would_end_the_line_is_left_out() {
        let relays = ["https://one.example;script-src *", "https://two.example"];
        assert_eq!(connects("", &relays), ["'self'", "https://two.example"]);
    }
}
