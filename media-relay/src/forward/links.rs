//! What signaling says and is told.

use super::engine::Engine;
use crate::admission::{LinkId, Listing};
use minato_protocol::media::{FromRelay, LeftReason, Present, ToRelay};
use minato_protocol::{ParticipantId, VisitId};
use std::time::Instant;
use tokio::sync::mpsc;

impl Engine {
    pub(super) fn link_up(&mut self, link: LinkId, out: mpsc::Sender<FromRelay>) {
        let present = self
            .sessions
            .values()
            .filter(|session| session.connected)
            .map(|s| Present { visit: s.claims.visit, participant: s.claims.participant })
            .collect();
        let hello = FromRelay::Hello {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            media: self.here.advertised().iter().map(ToString::to_string).collect(),
            present,
            // It stands beside this unit; whoever has the connection knows.
            turn: None,
        };
        self.links.insert(link, out);
        self.tell_link(link, hello);
    }

    pub(super) fn link_down(&mut self, link: LinkId, now: Instant) {
        self.links.remove(&link);
        self.admissions.link_lost(link, now);
    }

    pub(super) fn link_says(&mut self, link: LinkId, message: ToRelay, now: Instant) {
        match message {
            ToRelay::Desired { visit, seq, generation, participants } => {
                self.desired(link, visit, (generation, seq), participants, now);
            }
            ToRelay::Close { visit } => {
                self.admissions.close(visit, now);
                self.clear_visit(visit, LeftReason::Closed, now);
            }
            ToRelay::Ping => self.tell_link(link, FromRelay::Pong),
        }
    }

    fn desired(
        &mut self,
        link: LinkId,
        visit: VisitId,
        order: (u32, u64),
        participants: Vec<ParticipantId>,
        now: Instant,
    ) {
        match self.admissions.desired(link, visit, order, participants, now) {
            Listing::InForce => {
                let keys = self.keys_by_visit.get(&visit).cloned().unwrap_or_default();
                for key in keys {
                    let Some(session) = self.sessions.get(&key) else { continue };
                    if !self.admissions.holds(visit, session.claims.participant) {
                        self.remove(key, LeftReason::Removed, now);
                    }
                }
                self.retry_joins(visit, now);
            }
            Listing::Old => tracing::debug!(%visit, "an old list changes nothing"),
            Listing::TooMany => {
                tracing::warn!(%visit, "a list is too long or one visit too many, not taken");
                return;
            }
        }
        self.tell_link(link, FromRelay::Applied { visit, seq: order.1 });
    }

    /// Tells every connected signaling.
    pub(super) fn tell(&mut self, message: &FromRelay) {
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        for link in links {
            self.tell_link(link, message.clone());
        }
    }

    /// A signaling that does not read is dropped: it connects again and gets the whole picture.
    fn tell_link(&mut self, link: LinkId, message: FromRelay) {
        let full = self.links.get(&link).is_some_and(|out| out.try_send(message).is_err());
        if full {
            tracing::warn!(link, "signaling does not read, its connection is dropped");
            self.links.remove(&link);
        }
    }
}
