//! Which relay serves a visit, who may be in it, and the tokens that open it.

mod control;

pub use control::{Helm, follow};

use crate::desk::Desk;
use crate::gateway::Gateways;
use crate::log::StreamId;
use crate::room::Ticket;
use crate::views::desired;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use minato_protocol::media::{
    CONTROL_DOMAIN, ControlClaims, MEDIA_DOMAIN, MediaClaims, PartyRole, Rights, ToRelay,
    token_payload, token_signed_bytes, token_text,
};
use minato_protocol::reading::Hex;
use minato_protocol::{GatewayId, ParticipantId, Span, SubjectId, Timestamp, VisitId};
use serde::Serialize;
use std::collections::BTreeMap;
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

/// A gateway that should send waves into a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaveParty {
    /// Which box.
    pub gateway: GatewayId,
    /// Its run: after a restart it needs a new grant.
    pub boot: Hex<8>,
    /// Its name in the visit.
    pub participant: ParticipantId,
    /// Whose waves.
    pub subject: SubjectId,
    /// The claim.
    pub epoch: u32,
}

/// Everybody who may be in a visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// The claim's epoch: a visit that was interrupted is given to the relay anew by the next
    /// claim, and a token of an older claim is stale there.
    pub generation: u32,
    /// Sum of the versions of the streams it was made from.
    pub seq: u64,
    /// Who.
    pub participants: Vec<ParticipantId>,
}

/// What the relays and gateways should know of every visit that goes on.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Full lists by visit.
    pub lists: BTreeMap<VisitId, List>,
    /// Gateways by visit.
    pub waves: BTreeMap<VisitId, WaveParty>,
}

impl Wishes {
    /// From the newest durable states.
    pub async fn now(desk: &Desk, gateways: &Gateways) -> Self {
        let mut wishes = Self::default();
        let Ok(rooms) = desk.all_rooms().await else { return wishes };
        for (_, room) in rooms {
            for ticket in room.state.live() {
                let Some(claim) = ticket.claim() else { continue };
                let stream = StreamId::visit(claim.visit);
                let Ok(papers) = desk.visits.see(&stream).await else { continue };
                let wave = wave_party(desk, gateways, ticket, claim.visit);
                let party = wave.map(|wave| wave.participant);
                let list = List {
                    generation: ticket.epoch,
                    seq: room.version + papers.version,
                    participants: desired(ticket, claim.visit, &papers.state, party),
                };
                wishes.lists.insert(claim.visit, list);
                wishes.waves.extend(wave.map(|wave| (claim.visit, wave)));
            }
        }
        wishes
    }

    /// One list as the relay is told it.
    fn message(&self, visit: VisitId) -> Option<ToRelay> {
        let List { generation, seq, participants } = self.lists.get(&visit)?.clone();
        Some(ToRelay::Desired { visit, seq, generation, participants })
    }
}

fn wave_party(
    desk: &Desk,
    gateways: &Gateways,
    ticket: &Ticket,
    visit: VisitId,
) -> Option<WaveParty> {
    let (subject, epoch) = (ticket.subject, ticket.epoch);
    // A box whose link to us is cut may still be heard by the relay: it stays on the list.
    let (gateway, boot) = gateways.look(|links| {
        let wears = |link: &crate::gateway::Link| {
            let here = ticket.is_at(link.site);
            here && link.devices.iter().any(|device| device.bound == Some(subject))
        };
        links.iter().find(|(_, link)| wears(link)).map(|(gateway, link)| (*gateway, link.boot))
    })?;
    let name = format!("{visit}/{gateway}");
    let participant = ParticipantId(desk.secrets.derive_id("wave party", name.as_bytes()));
    Some(WaveParty { gateway, boot, participant, subject, epoch })
}
