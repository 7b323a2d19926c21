//! Takes devices off patients whose visit is over, or who are not at this site: a cuff that stays
//! on a finished ticket would measure the next patient under the old name. A home kit has no ticket
//! to finish: its devices stay until somebody takes them off, or the kit comes back.

use super::{Gateways, passes};
use crate::desk::Desk;
use crate::kit::Kits;
use crate::log::StreamId;
use minato_protocol::reading::{DeviceId, RequestKey};
use minato_protocol::uplink::FromBroker;
use minato_protocol::{GatewayId, SiteId, StaffId, SubjectId};
use std::sync::Arc;

/// Who says so when nobody pressed: the service.
const BY_THE_SERVICE: StaffId = StaffId(0);

/// Watches until the task is dropped, and takes back passes of sessions that are over. The gateway
/// decides and answers; asking again is harmless.
pub async fn watch(desk: Arc<Desk>, gateways: Arc<Gateways>, kits: Arc<Kits>) {
    loop {
        for Worn { gateway, site, device, subject, told } in worn(&gateways) {
            // What it said before it was away may be somebody else's by now.
            if !told {
                continue;
            }
            let found = desk.ticket_of_subject(subject).await;
            // A ticket that a kit opened is no reason of its own: the kit may have come back.
            let has_ticket =
                found.is_some_and(|(_, ticket)| ticket.kit().is_none() && ticket.is_at(site));
            if !has_ticket && !stands_at_home(&desk, &kits, subject, site).await {
                ask(&desk, &gateways, gateway, device, subject);
            }
        }
        passes::take_back(&desk, &gateways).await;
        desk.clock.tick().await;
    }
}

/// Whether a kit of this site stands at this person's home. An unread log is no reason to take
/// anything off.
async fn stands_at_home(desk: &Desk, kits: &Kits, subject: SubjectId, site: SiteId) -> bool {
    let known = kits.of_subject(subject).filter(|(_, of)| *of == site);
    let Some((kit, _)) = known else { return false };
    let seen = desk.kits.see(&StreamId::kit(kit)).await;
    seen.map_or(true, |seen| seen.state.standing().is_ok())
}

/// 別の方です: asks for every device of a subject to be taken off. A gateway that is away keeps it
/// on for now, and what it measures stays held back.
pub(crate) fn take_off(desk: &Desk, gateways: &Gateways, subject: SubjectId) {
    for worn in worn(gateways).into_iter().filter(|worn| worn.subject == subject) {
        ask(desk, gateways, worn.gateway, worn.device, subject);
    }
}

/// A device on somebody, as its gateway said.
struct Worn {
    gateway: GatewayId,
    site: SiteId,
    device: DeviceId,
    subject: SubjectId,
    /// On this connection.
    told: bool,
}

fn worn(gateways: &Gateways) -> Vec<Worn> {
    gateways.look(|links| {
        let present = links.iter().filter(|(_, link)| link.present);
        present
            .flat_map(|(gateway, link)| {
                let bound = |status: &minato_protocol::uplink::DeviceStatus| {
                    let (device, subject) = (status.device.clone(), status.bound?);
                    let (gateway, site, told) = (*gateway, link.site, link.told);
                    Some(Worn { gateway, site, device, subject, told })
                };
                link.devices.iter().filter_map(bound).collect::<Vec<_>>()
            })
            .collect()
    })
}

fn ask(desk: &Desk, gateways: &Gateways, gateway: GatewayId, device: DeviceId, subject: SubjectId) {
    // A wish said again within the same second has the same key.
    let second = desk.clock.now().0 / 1_000;
    let name = format!("{subject}/{device}/{second}");
    let name = desk.secrets.derive_id("unbind", name.as_bytes());
    let Ok(key) = format!("over-{name:016x}").parse::<RequestKey>() else { return };
    let message = FromBroker::Unbind { key, device, by: BY_THE_SERVICE, subject: Some(subject) };
    if let Err(code) = gateways.tell(gateway, message) {
        tracing::debug!(?code, %gateway, "a device stays on a finished ticket for now");
    }
}
