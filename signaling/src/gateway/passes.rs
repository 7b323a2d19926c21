//! Passes for boxes on the clinics' own networks: given to nurses' pages while the broker is there,
//! and taken back once the session that got them is over.
//!
//! A pass is checked by a box that asks nobody, so taking it back is a message to every box of the
//! site, repeated on each of its connections until the pass has ended by itself. Who got one is kept in
//! memory: after a restart a session that was not seen again here ends its passes with their time.

use super::Gateways;
use crate::access::{SecretHash, Secrets, session_is_over};
use crate::desk::Desk;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use minato_protocol::lan::{PASS_DOMAIN, PASS_LIFE, PassClaims};
use minato_protocol::media::{token_payload, token_signed_bytes, token_text};
use minato_protocol::reading::Hex;
use minato_protocol::uplink::FromBroker;
use minato_protocol::{GatewayId, SiteId, StaffId, SubjectId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Sessions whose passes may have to be taken back. When it is full the one whose passes end first
/// is forgotten: those end by themselves.
const GIVEN_MAX: usize = 4_096;

/// Signs passes. Boxes know its public half.
pub(crate) struct PassKey(Ed25519KeyPair);

impl fmt::Debug for PassKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PassKey(…)")
    }
}

impl PassKey {
    /// The same on every node with this secret.
    pub(crate) fn of(secrets: &Secrets) -> Self {
        let seed = secrets.derive_key("lan pass");
        Self(Ed25519KeyPair::from_seed_unchecked(&seed).expect("32 bytes are a seed"))
    }

    /// What boxes check passes with.
    pub(crate) fn public(&self) -> Hex<32> {
        let mut public = [0; 32];
        public.copy_from_slice(self.0.public_key().as_ref());
        Hex(public)
    }

    fn sign(&self, claims: &PassClaims) -> String {
        let payload = token_payload(claims);
        let signature = self.0.sign(&token_signed_bytes(PASS_DOMAIN, &payload));
        token_text(&payload, signature.as_ref())
    }
}

/// Whoever gets a pass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Holder {
    /// The session.
    pub(crate) session: SecretHash,
    /// Whose it is.
    pub(crate) staff: StaffId,
    /// Where she works.
    pub(crate) site: SiteId,
}

#[derive(Debug)]
struct Given {
    session: SecretHash,
    site: SiteId,
    until: Timestamp,
    over: bool,
    told: BTreeSet<GatewayId>,
}

/// Who was given a pass that has not ended.
#[derive(Debug, Default)]
pub(super) struct Passes(Mutex<BTreeMap<Hex<8>, Given>>);

impl Passes {
    fn with<T>(&self, change: impl FnOnce(&mut BTreeMap<Hex<8>, Given>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A connection has begun: whatever the one before was told last may never have left.
    pub(super) fn tell_again(&self, gateway: GatewayId) {
        self.with(|given| {
            given.values_mut().for_each(|one| {
                one.told.remove(&gateway);
            });
        });
    }

    fn note(&self, name: Hex<8>, holder: &Holder, until: Timestamp) {
        let Holder { session, site, .. } = *holder;
        self.with(|given| {
            if given.len() >= GIVEN_MAX
                && !given.contains_key(&name)
                && let Some(first) = given.iter().min_by_key(|(_, one)| one.until)
            {
                let first = *first.0;
                given.remove(&first);
            }
            let told = BTreeSet::new();
            given.insert(name, Given { session, site, until, over: false, told });
        });
    }
}

/// A pass for these patients, from now on for a shift.
pub(crate) fn give(
    desk: &Desk,
    gateways: &Gateways,
    holder: &Holder,
    subjects: Vec<SubjectId>,
) -> (String, Timestamp) {
    let name = desk.secrets.derive_id("lan pass holder", &holder.session.0);
    let name = Hex(name.to_be_bytes());
    let issued = desk.clock.now();
    let not_after = issued + PASS_LIFE;
    gateways.passes.note(name, holder, not_after);
    let Holder { staff, site, .. } = *holder;
    let claims = PassClaims { holder: name, staff, site, subjects, issued, not_after };
    (PassKey::of(&desk.secrets).sign(&claims), not_after)
}

/// Takes back what was given to sessions that are over. Called again and again.
pub(super) async fn take_back(desk: &Desk, gateways: &Gateways) {
    let now = desk.clock.now();
    let running: Vec<(Hex<8>, SecretHash)> = gateways.passes.with(|given| {
        given.retain(|_, one| now < one.until);
        let running = given.iter().filter(|(_, one)| !one.over);
        running.map(|(name, one)| (*name, one.session)).collect()
    });
    for (name, session) in running {
        if session_is_over(desk, session).await {
            gateways.passes.with(|given| {
                given.get_mut(&name).into_iter().for_each(|one| one.over = true);
            });
        }
    }
    for (gateway, holder, until) in untold(gateways) {
        // Noted first: a connection that begins meanwhile forgets it.
        gateways.passes.with(|given| {
            given.get_mut(&holder).into_iter().for_each(|one| {
                one.told.insert(gateway);
            });
        });
        match gateways.tell(gateway, FromBroker::EndPass { holder, until }) {
            Ok(()) => tracing::info!(%gateway, "a pass was taken back"),
            Err(_) => gateways.passes.with(|given| {
                given.get_mut(&holder).into_iter().for_each(|one| {
                    one.told.remove(&gateway);
                });
            }),
        }
    }
}

fn untold(gateways: &Gateways) -> Vec<(GatewayId, Hex<8>, Timestamp)> {
    let boxes: Vec<(GatewayId, SiteId)> = gateways.look(|links| {
        let reached = links.iter().filter(|(_, link)| link.present && link.lan.is_some());
        reached.map(|(gateway, link)| (*gateway, link.site)).collect()
    });
    gateways.passes.with(|given| {
        let over = given.iter().filter(|(_, one)| one.over);
        over.flat_map(|(name, one)| {
            let here = boxes
                .iter()
                .filter(|(gateway, site)| *site == one.site && !one.told.contains(gateway));
            here.map(|(gateway, _)| (*gateway, *name, one.until)).collect::<Vec<_>>()
        })
        .collect()
    })
}
