//! How a refusal looks over HTTP: a status, a stable code, a sentence a person can act on.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use minato_protocol::media::{RelayCode, RelayRefusal};

/// A code on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) RelayCode);

impl From<RelayCode> for Refused {
    fn from(code: RelayCode) -> Self {
        Self(code)
    }
}

fn status(code: RelayCode) -> StatusCode {
    match code {
        RelayCode::TokenMalformed
        | RelayCode::TokenSignature
        | RelayCode::TokenExpired
        | RelayCode::TokenTooLong
        | RelayCode::TokenReplayed => StatusCode::UNAUTHORIZED,
        RelayCode::TokenStale | RelayCode::NotDesired | RelayCode::SecretWrong => {
            StatusCode::FORBIDDEN
        }
        RelayCode::VisitFull => StatusCode::CONFLICT,
        RelayCode::RelayFull | RelayCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        RelayCode::SdpInvalid => StatusCode::UNPROCESSABLE_ENTITY,
        RelayCode::BodyInvalid => StatusCode::BAD_REQUEST,
        RelayCode::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        RelayCode::SessionUnknown => StatusCode::NOT_FOUND,
    }
}

fn sentence(code: RelayCode) -> &'static str {
    match code {
        RelayCode::TokenMalformed => {
            "This request has no token of the right form. Open the call from the visit's page."
        }
        RelayCode::TokenSignature => {
            "This token was not signed by the key this relay trusts. Check that signaling and \
             relay are configured with the same key pair."
        }
        RelayCode::TokenExpired => {
            "This token is past its end. Ask signaling for a new one; if it happens again, \
             compare the clocks of both machines."
        }
        RelayCode::TokenTooLong => {
            "This token would live longer than 60 seconds. Compare the clocks of signaling and \
             relay."
        }
        RelayCode::TokenReplayed => "This token was used before. Ask signaling for a new one.",
        RelayCode::TokenStale => {
            "The visit has moved on since this token was made. Ask signaling for a new one."
        }
        RelayCode::NotDesired => {
            "You are not on this visit's list. If you should be, ask signaling for a new token \
             in a moment."
        }
        RelayCode::VisitFull => "This visit has as many people as it can hold.",
        RelayCode::RelayFull => "This relay is full. Ask signaling for another one.",
        RelayCode::SdpInvalid => {
            "This offer cannot be answered. A restart must keep the lines of the first offer."
        }
        RelayCode::BodyInvalid => {
            "Send JSON with the field \"sdp\" as application/json, or the SDP itself as \
             application/sdp."
        }
        RelayCode::BodyTooLarge => "The request is too large: an offer has at most 64 KiB.",
        RelayCode::SessionUnknown => "There is no such session here any more. Join the call anew.",
        RelayCode::SecretWrong => "This is not the secret of this session.",
        RelayCode::Unavailable => "The relay is busy or stopping. Try again in a moment.",
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self(code) = self;
        crate::metrics::refused(code);
        tracing::debug!(?code, "refused");
        let message = sentence(code).to_owned();
        let mut response = (status(code), Json(RelayRefusal { code, message })).into_response();
        let no_store = HeaderValue::from_static("no-store");
        response.headers_mut().insert(header::CACHE_CONTROL, no_store);
        response
    }
}
