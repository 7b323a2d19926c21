//! Steers all relays of this node: looks at their leases, moves visits, tells relays and gateways.

use super::assignment::{LOOK, Seat, Settled};
use super::control::{Orders, follow};
use super::{Fleet, MediaKey, Pass, WaveParty, Wishes};
use crate::desk::Desk;
use crate::gateway::Gateways;
use minato_protocol::media::PartyRole;
use minato_protocol::uplink::FromBroker;
use minato_protocol::{Code, VisitId};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What this node needs to steer relays.
#[derive(Debug)]
pub struct Helm {
    /// States.
    pub desk: Arc<Desk>,
    /// Gateways that can be told where to send waves.
    pub gateways: Arc<Gateways>,
    /// Signs tokens.
    pub key: Arc<MediaKey>,
    /// The relays.
    pub fleet: Arc<Fleet>,
}

/// Steers until the task is dropped.
pub async fn steer(helm: Helm) {
    let helm = Arc::new(helm);
    let orders = watch::Sender::new(None);
    // Dropped with this task, and the followers with it.
    let mut followers = JoinSet::new();
    for (relay, _) in helm.fleet.relays() {
        followers.spawn(follow(Arc::clone(&helm), relay, orders.subscribe()));
    }
    let mut bell = helm.desk.bell.listen();
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut wishes: Option<Arc<Wishes>> = None;
    let mut sent = BTreeMap::new();
    let mut is_rung = true;
    loop {
        if is_rung {
            match Wishes::now(&helm.desk, &helm.gateways).await {
                Ok(newest) => wishes = Some(Arc::new(newest.or_as_before(wishes.as_deref()))),
                Err(code) => tracing::warn!(?code, "which calls go on cannot be read now"),
            }
        }
        let is_quiet = !is_rung;
        if let Some(wishes) = &wishes {
            let settled = settle(&helm, wishes);
            tell_gateways(&helm, &mut sent, wishes);
            publish(&helm, &orders, wishes, is_quiet && settled == Settled::default());
        }
        let asked_again = wishes.is_none();
        is_rung = tokio::select! {
            changed = bell.changed() => match changed {
                Ok(()) => true,
                Err(_) => return,
            },
            () = helm.fleet.news.notified() => true,
            _ = look.tick() => asked_again,
        };
    }
}

fn settle(helm: &Helm, wishes: &Wishes) -> Settled {
    let settled = helm.fleet.settle(&wishes.lists.keys().copied().collect());
    for relay in &settled.ended {
        tracing::warn!(relay = relay.0, "a relay is not heard any more");
    }
    if !settled.moved.is_empty() {
        tracing::warn!(visits = settled.moved.len(), "visits go on at another relay");
    }
    if settled.stranded > 0 && !settled.ended.is_empty() {
        tracing::warn!(visits = settled.stranded, "no other relay can take these visits");
    }
    if !(settled.moved.is_empty() && settled.seated.is_empty()) {
        helm.desk.bell.ring();
    }
    for list in settled.moved.iter().filter_map(|visit| wishes.lists.get(visit)) {
        // A patient's screen looks at everybody's news late, and at its own at once.
        helm.desk.bell.ring_for(list.ticket);
    }
    settled
}

/// Followers look at the orders when there may be something new in them.
fn publish(
    helm: &Helm,
    orders: &watch::Sender<Option<Arc<Orders>>>,
    wishes: &Arc<Wishes>,
    is_unchanged: bool,
) {
    if is_unchanged && orders.borrow().is_some() {
        return;
    }
    let told = helm.fleet.relays().map(|(relay, _)| {
        let visits = wishes.lists.keys().filter(|visit| helm.fleet.is_told(relay, **visit));
        (relay, visits.copied().collect())
    });
    let told = told.collect();
    orders.send_replace(Some(Arc::new(Orders { wishes: Arc::clone(wishes), told })));
}

/// What gateways were granted: for whom, and at which generation of the visit's place.
type Sent = BTreeMap<VisitId, (WaveParty, u32)>;

fn tell_gateways(helm: &Helm, sent: &mut Sent, wishes: &Wishes) {
    let mut lost = helm.gateways.take_lost();
    lost.retain(|(gateway, visit)| {
        sent.get(visit).is_some_and(|(party, _)| party.gateway == *gateway)
    });
    for (_, visit) in lost {
        sent.remove(&visit);
    }
    sent.retain(|visit, (party, _)| {
        let is_wanted = wishes.waves.get(visit) == Some(party);
        if !is_wanted {
            // A gateway that is away has left the visit by itself.
            let _ = helm.gateways.tell(party.gateway, FromBroker::MediaRevoke { visit: *visit });
        }
        is_wanted
    });
    for (visit, party) in &wishes.waves {
        let Some(seat) = helm.fleet.seat(*visit) else { continue };
        let news = (*party, seat.generation);
        if sent.get(visit) != Some(&news) && grant(helm, *visit, party, seat).is_ok() {
            sent.insert(*visit, news);
        }
    }
}

/// Gives a gateway the right to send waves into a visit. One that the relay knows nothing of may
/// still believe itself there, at another relay or since this one began anew without a goodbye: it
/// is sent out first.
fn grant(helm: &Helm, visit: VisitId, party: &WaveParty, seat: Seat) -> Result<(), Code> {
    let place = helm.fleet.place(seat.relay).ok_or(Code::RelayAway)?;
    if !helm.fleet.is_present(seat, visit, party.participant) {
        helm.gateways.tell(party.gateway, FromBroker::MediaRevoke { visit })?;
    }
    let pass = Pass {
        visit,
        participant: party.participant,
        epoch: party.epoch,
        role: PartyRole::Gateway,
    };
    let token = helm.key.media_token(&pass, helm.desk.clock.now_elsewhere());
    let relay_url = place.gateway_url.clone();
    let message = FromBroker::MediaGrant { visit, subject: party.subject, relay_url, token };
    helm.gateways.tell(party.gateway, message)
}
