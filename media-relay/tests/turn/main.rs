//! The TURN server against coturn's client programs: UDP, TCP and TLS, channels and indications.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod client;
mod coturn;
mod credentials;
mod draining;
mod floods;
mod refusals;
mod stage;
mod ways;
