//! What an operator reads of a running process: its figures, and whether it is alive.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use minato_relay::Relay;
use std::time::Duration;

/// How often what was counted is summed up, whether or not anybody asks for it.
const SUM_UP_EVERY: Duration = Duration::from_secs(5);

/// Counts from now on. To be called once, inside a tokio runtime.
pub(crate) fn count() -> anyhow::Result<PrometheusHandle> {
    let figures = PrometheusBuilder::new().install_recorder()?;
    let summed_up = figures.clone();
    tokio::spawn(async move {
        let mut every = tokio::time::interval(SUM_UP_EVERY);
        loop {
            every.tick().await;
            summed_up.run_upkeep();
        }
    });
    Ok(figures)
}

/// `/metrics`.
pub(crate) fn figures(figures: PrometheusHandle) -> Router {
    Router::new().route("/metrics", get(move || async move { figures.render() }))
}

/// `/livez` and `/readyz` of a relay by itself: whether it forwards, and whether it takes somebody
/// new.
pub(crate) fn health(relay: &Relay) -> Router {
    let (alive, ready) = (relay.clone(), relay.clone());
    Router::new()
        .route("/livez", get(move || async move { told(alive.is_alive(), "alive\n") }))
        .route("/readyz", get(move || async move { told(ready.is_ready(), "ready\n") }))
}

fn told(is_so: bool, word: &'static str) -> Result<&'static str, (StatusCode, &'static str)> {
    if is_so { Ok(word) } else { Err((StatusCode::SERVICE_UNAVAILABLE, "no\n")) }
}
