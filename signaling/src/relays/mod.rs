//! Which relay serves a visit, who may be in it, and the tokens that open it.

mod assignment;
mod control;
mod dial;
mod fleet;
mod helm;
mod turn_door;
mod wishes;

pub use assignment::{LEASE, RelayNo, Seat, Settled, Table};
pub use dial::Dialer;
pub use fleet::{Fleet, Serving};
pub use helm::{Helm, steer};
pub use turn_door::{TurnDoor, TurnPasswords};
pub use wishes::{List, WaveParty, Wishes};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use minato_protocol::media::{
    CONTROL_DOMAIN, ControlClaims, MEDIA_DOMAIN, MediaClaims, PartyRole, Rights, token_payload,
    token_signed_bytes, token_text,
};
use minato_protocol::{ParticipantId, Span, Timestamp, VisitId};
use serde::Serialize;
use std::fmt;

/// Tokens live so long, at most.
const TOKEN_LIFE: Span = Span::seconds(45);

/// Where a relay listens.
#[derive(Debug, Clone)]
pub struct RelayPlace {
    /// `ws://…/relay/control`, as this node reaches it.
    pub control_url: String,
    /// Base address for pages; empty for the page's own origin.
    pub page_url: String,
    /// Base address for gateways.
    pub gateway_url: String,
}

/// The key that signs media tokens. Relays know only its public half.
pub struct MediaKey(Ed25519KeyPair);

impl fmt::Debug for MediaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MediaKey(…)")
    }
}

/// The seed is no Ed25519 seed.
#[derive(Debug, thiserror::Error)]
#[error("the media key's seed is not usable")]
pub struct SeedInvalid;

impl RelayPlace {
    /// A relay in a process of its own: one base address for this node, pages and gateways.
    pub fn elsewhere(base: &str) -> Self {
        let base = base.trim_end_matches('/');
        let control = base.replacen("http", "ws", 1);
        Self {
            control_url: format!("{control}/relay/control"),
            page_url: base.to_owned(),
            gateway_url: base.to_owned(),
        }
    }
}

impl MediaKey {
    /// From 32 secret bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, SeedInvalid> {
        Ed25519KeyPair::from_seed_unchecked(seed).map(Self).map_err(|_| SeedInvalid)
    }

    /// What relays check signatures with.
    pub fn public(&self) -> [u8; 32] {
        let mut public = [0; 32];
        let bytes = self.0.public_key().as_ref();
        public.copy_from_slice(bytes.get(..32).unwrap_or(&[0; 32]));
        public
    }

    fn sign<C: Serialize>(&self, domain: &str, claims: &C) -> String {
        let payload = token_payload(claims);
        let signature = self.0.sign(&token_signed_bytes(domain, &payload));
        token_text(&payload, signature.as_ref())
    }

    /// A token for one participant of one visit, good for one POST.
    pub fn media_token(&self, pass: &Pass, now: Timestamp) -> String {
        let claims = MediaClaims {
            visit: pass.visit,
            participant: pass.participant,
            claim_epoch: pass.epoch,
            role: pass.role,
            rights: rights(pass.role),
            jti: crate::access::random_text(16),
            not_after: now + TOKEN_LIFE,
            generation: pass.epoch,
        };
        self.sign(MEDIA_DOMAIN, &claims)
    }

    /// A token for the control socket.
    pub fn control_token(&self, now: Timestamp) -> String {
        let claims = ControlClaims { node: "minato".into(), not_after: now + TOKEN_LIFE };
        self.sign(CONTROL_DOMAIN, &claims)
    }
}

/// Who gets a token for what.
#[derive(Debug, Clone, Copy)]
pub struct Pass {
    /// The consultation.
    pub visit: VisitId,
    /// This endpoint's name in it.
    pub participant: ParticipantId,
    /// The claim.
    pub epoch: u32,
    /// Role of whoever holds it.
    pub role: PartyRole,
}

fn rights(role: PartyRole) -> Rights {
    let person = role != PartyRole::Gateway;
    Rights { publish_audio: person, publish_video: person, publish_waves: !person, receive: person }
}
