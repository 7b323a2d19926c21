//! What relays and gateways should know of every visit that goes on, from the newest durable states.

use crate::desk::Desk;
use crate::gateway::Gateways;
use crate::log::StreamId;
use crate::room::Ticket;
use crate::views::desired;
use minato_protocol::reading::Hex;
use minato_protocol::{Code, GatewayId, ParticipantId, SubjectId, TicketId, VisitId};
use std::collections::BTreeMap;

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
    /// Whose visit.
    pub ticket: TicketId,
    /// The claim's epoch: a visit that was interrupted is given to the relay anew by the next
    /// claim, and a token of an older claim is stale there.
    pub generation: u32,
    /// Sum of the versions of the streams it was made from.
    pub seq: u64,
    /// Who.
    pub participants: Vec<ParticipantId>,
}

/// All visits that go on.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Full lists by visit.
    pub lists: BTreeMap<VisitId, List>,
    /// Gateways by visit.
    pub waves: BTreeMap<VisitId, WaveParty>,
    /// Visits that go on and whose papers cannot be read now.
    pub(super) unread: Vec<VisitId>,
}

impl Wishes {
    /// As the states are now.
    pub async fn now(desk: &Desk, gateways: &Gateways) -> Result<Self, Code> {
        let mut wishes = Self::default();
        for (_, room) in desk.all_rooms().await? {
            for ticket in room.state.claimed() {
                let Some(claim) = ticket.claim() else { continue };
                let Ok(papers) = desk.visits.see(&StreamId::visit(claim.visit)).await else {
                    wishes.unread.push(claim.visit);
                    continue;
                };
                let wave = wave_party(desk, gateways, ticket, claim.visit);
                let party = wave.map(|wave| wave.participant);
                let list = List {
                    ticket: ticket.id,
                    generation: ticket.epoch,
                    seq: room.version + papers.version,
                    participants: desired(ticket, claim.visit, &papers.state, party),
                };
                wishes.lists.insert(claim.visit, list);
                wishes.waves.extend(wave.map(|wave| (claim.visit, wave)));
            }
        }
        Ok(wishes)
    }

    /// What cannot be read is no reason to end a call: it stays as it was known before.
    pub(super) fn or_as_before(mut self, before: Option<&Self>) -> Self {
        for visit in &self.unread {
            tracing::warn!(%visit, "who may be in a call cannot be read now");
            let Some(before) = before else { continue };
            self.lists.extend(before.lists.get(visit).map(|list| (*visit, list.clone())));
            self.waves.extend(before.waves.get(visit).map(|wave| (*visit, *wave)));
        }
        self
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
