//! Rehearsals step the clock, so that ten minutes without a link take no ten minutes. The route
//! is only there in a rehearsal.

use super::Edge;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use minato_protocol::Span;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    advance_ms: i64,
}

pub(super) fn router() -> Router<Arc<Edge>> {
    Router::new().route("/rehearsal/clock", post(step))
}

async fn step(State(edge): State<Arc<Edge>>, Json(step): Json<Step>) -> StatusCode {
    if !edge.rehearsal {
        return StatusCode::NOT_FOUND;
    }
    tracing::info!(advance_ms = step.advance_ms, "the clock is stepped");
    edge.desk.clock.advance(Span(step.advance_ms));
    StatusCode::NO_CONTENT
}
