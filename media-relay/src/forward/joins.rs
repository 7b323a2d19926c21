//! Coming in and going out: admission, the short wait for a list, restart, removal.

use super::addresses::Key;
use super::engine::{Engine, answered};
use super::session::{Opening, Session};
use super::{Reply, WaitingJoin};
use crate::sdp::{Offer, finish_answer, ice_ufrag};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use minato_protocol::media::{FromRelay, LeftReason, RelayCode, SLOTS, SessionStats};
use minato_protocol::{Timestamp, VisitId};
use std::collections::HashSet;
use std::time::{Duration, Instant};
use str0m::change::SdpOffer;

/// How long a token waits for its list: the two travel by different ways.
const LIST_WAIT: Duration = Duration::from_secs(2);
/// Joins that wait for their list. When full the next is refused at once.
const WAITING_MAX: usize = 64;
/// People of one visit: everybody has a slot for everybody else.
const PEOPLE_MAX: usize = SLOTS as usize + 1;
/// Gateways and other participants without a face of one visit.
const DEVICES_MAX: usize = 4;

impl Engine {
    /// A verified token with an answered offer. The `jti` is used up here, whatever comes of it.
    pub(super) fn join(
        &mut self,
        opening: Box<Opening>,
        at: Timestamp,
        reply: Reply<()>,
        now: Instant,
    ) {
        if let Err(code) = self.replays.claim(&opening.claims.jti, at) {
            return answered(reply, Err(code));
        }
        match self.admissions.admit(&opening.claims) {
            Ok(()) => self.open(opening, reply, now),
            Err(RelayCode::NotDesired) if self.waiting.len() < WAITING_MAX => {
                self.waiting.push(WaitingJoin { opening, until: now + LIST_WAIT, reply });
            }
            Err(code) => answered(reply, Err(code)),
        }
    }

    /// A list came: whoever waited for it may come in now.
    pub(super) fn retry_joins(&mut self, visit: VisitId, now: Instant) {
        let waiting = std::mem::take(&mut self.waiting);
        for join in waiting {
            let admitted = if join.opening.claims.visit == visit {
                self.admissions.admit(&join.opening.claims)
            } else {
                Err(RelayCode::NotDesired)
            };
            match admitted {
                Ok(()) => self.open(join.opening, join.reply, now),
                Err(RelayCode::NotDesired) => self.waiting.push(join),
                Err(code) => answered(join.reply, Err(code)),
            }
        }
    }

    pub(super) fn refuse_overdue_joins(&mut self, now: Instant) {
        for join in self.waiting.extract_if(.., |join| join.until <= now) {
            answered(join.reply, Err(RelayCode::NotDesired));
        }
    }

    fn open(&mut self, opening: Box<Opening>, reply: Reply<()>, now: Instant) {
        if let Err(code) = self.room_for(&opening) {
            return answered(reply, Err(code));
        }
        let key = self.fresh_key();
        let visit = opening.claims.visit;
        self.drop_unconnected(&opening, now);
        self.addresses.answers_to(&opening.user, key);
        self.key_by_id.insert(opening.id.clone(), key);
        self.keys_by_visit.entry(visit).or_default().push(key);
        self.sessions.insert(key, Session::new(key, *opening, now));
        self.touched.push(key);
        self.span(key).in_scope(|| tracing::info!("a session was opened"));
        self.count();
        answered(reply, Ok(()));
    }

    fn room_for(&self, opening: &Opening) -> Result<(), RelayCode> {
        if self.sessions.len() >= self.sessions_max {
            return Err(RelayCode::RelayFull);
        }
        let claims = &opening.claims;
        let face = claims.rights.publish_audio || claims.rights.publish_video;
        let keys = self.keys_by_visit.get(&claims.visit).map(Vec::as_slice).unwrap_or_default();
        let others: HashSet<_> = keys
            .iter()
            .filter_map(|key| self.sessions.get(key))
            .filter(|s| s.has_a_face() == face && s.claims.participant != claims.participant)
            .map(|s| s.claims.participant)
            .collect();
        let most = if face { PEOPLE_MAX } else { DEVICES_MAX };
        if others.len() >= most { Err(RelayCode::VisitFull) } else { Ok(()) }
    }

    /// An earlier try of the same participant that never connected is given up; one that is
    /// connected goes on until the new one is.
    fn drop_unconnected(&mut self, opening: &Opening, now: Instant) {
        let claims = &opening.claims;
        let (visit, participant) = (claims.visit, claims.participant);
        let keys = self.keys_by_visit.get(&visit).cloned().unwrap_or_default();
        for key in keys {
            let stale = self
                .sessions
                .get(&key)
                .is_some_and(|s| !s.connected && s.claims.participant == participant);
            if stale {
                self.remove(key, LeftReason::Goodbye, now);
            }
        }
    }

    /// Media is up: the session takes its participant's place from an earlier one.
    pub(super) fn connected(&mut self, key: Key, now: Instant) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        session.connected = true;
        session.stats.connected = true;
        session.keep_for_resends(&mut self.drained);
        session.put_lines_aside();
        let (visit, participant) = (session.claims.visit, session.claims.participant);
        tracing::info!("media is up");
        let keys = self.keys_by_visit.get(&visit).cloned().unwrap_or_default();
        for earlier in keys.into_iter().filter(|earlier| *earlier < key) {
            let replaced =
                self.sessions.get(&earlier).is_some_and(|s| s.claims.participant == participant);
            if replaced {
                self.remove(earlier, LeftReason::Goodbye, now);
            }
        }
        self.tell(&FromRelay::Joined { visit, participant });
        self.refresh(visit, now);
    }

    /// Ends a session: says goodbye, frees its slot, tells signaling unless the participant is
    /// there with another session.
    pub(super) fn remove(&mut self, key: Key, reason: LeftReason, now: Instant) {
        let Some(mut session) = self.sessions.remove(&key) else { return };
        let _ = session.with(&mut self.drained, |rtc| rtc.close());
        self.drained.events.retain(|(owner, _)| *owner != key);
        self.timers.forget(key);
        self.addresses.forget(key);
        self.key_by_id.remove(&session.id);
        let (visit, participant) = (session.claims.visit, session.claims.participant);
        if let Some(keys) = self.keys_by_visit.get_mut(&visit) {
            keys.retain(|other| *other != key);
            if keys.is_empty() {
                self.keys_by_visit.remove(&visit);
            }
        }
        if self.auscultator_by_visit.get(&visit) == Some(&key) {
            self.auscultator_by_visit.remove(&visit);
        }
        session.span.in_scope(|| tracing::info!(?reason, "a session was closed"));
        if session.connected && self.present(visit, participant).is_none() {
            self.tell(&FromRelay::Left { visit, participant, reason });
        }
        self.count();
        self.refresh(visit, now);
    }

    /// Ends all sessions of a visit.
    pub(super) fn clear_visit(&mut self, visit: VisitId, reason: LeftReason, now: Instant) {
        for key in self.keys_by_visit.get(&visit).cloned().unwrap_or_default() {
            self.remove(key, reason, now);
        }
    }

    /// The session with this name, if the secret is its own.
    pub(super) fn owned(&self, id: &str, secret: &str) -> Result<Key, RelayCode> {
        let key = self.key_by_id.get(id).ok_or(RelayCode::SessionUnknown)?;
        let session = self.sessions.get(key).ok_or(RelayCode::SessionUnknown)?;
        verify_slices_are_equal(session.secret.as_bytes(), secret.as_bytes())
            .map_err(|_| RelayCode::SecretWrong)?;
        Ok(*key)
    }

    /// Answers the offer of an ICE restart. Its lines must be those of the first offer.
    pub(super) fn restart(
        &mut self,
        id: &str,
        secret: &str,
        offer: Offer,
        now: Instant,
    ) -> Result<String, RelayCode> {
        let key = self.owned(id, secret)?;
        let session = self.sessions.get_mut(&key).ok_or(RelayCode::SessionUnknown)?;
        if offer.lines != session.lines {
            return Err(RelayCode::SdpInvalid);
        }
        let sdp = SdpOffer::from_sdp_string(&offer.text).map_err(|_| RelayCode::SdpInvalid)?;
        let drained = &mut self.drained;
        let answer = session
            .with_all_lines(|session| session.with(drained, |rtc| rtc.sdp_api().accept_offer(sdp)));
        let Some(Ok(answer)) = answer else {
            return Err(RelayCode::SdpInvalid);
        };
        let answer = finish_answer(&answer.to_sdp_string(), &session.lines);
        session.heard = now;
        session.path.forget();
        if let Some(user) = ice_ufrag(&answer) {
            self.addresses.answers_to(user, key);
        }
        self.touched.push(key);
        Ok(answer)
    }

    /// The figures of a session.
    pub(super) fn stats(
        &self,
        id: &str,
        secret: &str,
        now: Instant,
    ) -> Result<SessionStats, RelayCode> {
        let key = self.owned(id, secret)?;
        let session = self.sessions.get(&key).ok_or(RelayCode::SessionUnknown)?;
        let age_s = now.saturating_duration_since(session.born).as_secs();
        Ok(SessionStats {
            age_s: u32::try_from(age_s).unwrap_or(u32::MAX),
            ..session.stats.clone()
        })
    }

    fn count(&self) {
        crate::metrics::present(self.sessions.len(), self.keys_by_visit.len());
    }

    /// Says goodbye to everybody.
    pub(super) fn stop(&mut self, now: Instant) {
        let keys: Vec<Key> = self.sessions.keys().copied().collect();
        for key in keys {
            self.remove(key, LeftReason::Closed, now);
        }
    }
}
