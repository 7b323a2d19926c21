//! The pages, built into the binary: one address a person, hashed assets, compressed beforehand.

use axum::Router;
use axum::extract::Path;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../web/dist"]
#[allow_missing = true]
struct Dist;

/// Routes of the pages.
pub(crate) fn router() -> Router {
    let page = |name: &'static str| {
        get(move |headers: HeaderMap| async move { file(name, &headers, "no-cache") })
    };
    Router::new()
        .route("/", page("index.html"))
        .route("/p", page("p.html"))
        .route("/nurse", page("nurse.html"))
        .route("/doctor", page("doctor.html"))
        .route("/board", page("board.html"))
        .route("/assets/{*path}", get(asset))
}

async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Response {
    file(&format!("assets/{path}"), &headers, "public, max-age=31536000, immutable")
}

fn file(name: &str, headers: &HeaderMap, keep: &'static str) -> Response {
    let takes_brotli = headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| coding.split(';').next().is_some_and(|name| name.trim() == "br"));
    let kind = kind_of(name);
    let common = [(CONTENT_TYPE, kind), (CACHE_CONTROL, keep), (VARY, "accept-encoding")];
    if takes_brotli && let Some(compressed) = Dist::get(&format!("{name}.br")) {
        return (common, [(CONTENT_ENCODING, "br")], compressed.data).into_response();
    }
    match Dist::get(name) {
        Some(plain) => (common, plain.data).into_response(),
        None => (StatusCode::NOT_FOUND, "There is no such page.\n").into_response(),
    }
}

fn kind_of(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}
