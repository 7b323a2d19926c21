//! The TURN server against coturn's client programs: UDP, TCP and TLS, channels and indications.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod coturn;
mod credentials;
mod stage;
mod ways;
