//! Who may be in which visit: PURE bookkeeping of the lists that signaling sends.
//!
//! A list is in force until a newer one comes. When signaling is away its last lists stay in
//! force for [`KEEP_WITHOUT_SIGNALING`]; nobody who is not on them comes in.

use minato_protocol::media::{MediaClaims, RelayCode};
use minato_protocol::{ParticipantId, VisitId};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How long a visit goes on that no connected signaling vouches for.
pub const KEEP_WITHOUT_SIGNALING: Duration = Duration::from_secs(2 * 60 * 60);
/// Visits a relay knows at once. A list for one more is not taken, and never `Applied`.
pub const VISITS_MAX: usize = 4_096;
/// Participants on one list; a longer list is not taken.
pub const LIST_MAX: usize = 32;

/// One control connection.
pub(crate) type LinkId = u64;

#[derive(Debug)]
struct Listed {
    generation: u32,
    seq: u64,
    participants: Vec<ParticipantId>,
    /// Highest claim epoch that joined: older ones are stale.
    epoch: u32,
    vouched_by: Option<LinkId>,
    alone_since: Instant,
}

/// What became of a list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Listing {
    /// It is in force now.
    InForce,
    /// A newer one is in force: this one changes nothing.
    Old,
    /// Too many visits or too many participants.
    TooMany,
}

/// All lists in force.
#[derive(Debug, Default)]
pub(crate) struct Admissions {
    visits: HashMap<VisitId, Listed>,
}

impl Admissions {
    /// Takes a list.
    pub(crate) fn desired(
        &mut self,
        link: LinkId,
        visit: VisitId,
        order: (u32, u64),
        participants: Vec<ParticipantId>,
        now: Instant,
    ) -> Listing {
        let (generation, seq) = order;
        if participants.len() > LIST_MAX {
            return Listing::TooMany;
        }
        let Some(listed) = self.visits.get_mut(&visit) else {
            if self.visits.len() >= VISITS_MAX {
                return Listing::TooMany;
            }
            let vouched_by = Some(link);
            let fresh =
                Listed { generation, seq, participants, epoch: 0, vouched_by, alone_since: now };
            self.visits.insert(visit, fresh);
            return Listing::InForce;
        };
        if order < (listed.generation, listed.seq) {
            return Listing::Old;
        }
        *listed = Listed {
            generation,
            seq,
            participants,
            epoch: listed.epoch,
            vouched_by: Some(link),
            alone_since: now,
        };
        Listing::InForce
    }

    /// Ends a visit. It opens again only with a greater generation, so that a list that was on
    /// its way cannot revive it.
    pub(crate) fn close(&mut self, visit: VisitId, now: Instant) {
        if let Some(listed) = self.visits.get_mut(&visit) {
            listed.seq = u64::MAX;
            listed.participants.clear();
            listed.vouched_by = None;
            listed.alone_since = now;
        }
    }

    /// Whether claims get in now. [`RelayCode::NotDesired`] may change with the next list.
    pub(crate) fn admit(&mut self, claims: &MediaClaims) -> Result<(), RelayCode> {
        let listed = self.visits.get_mut(&claims.visit).ok_or(RelayCode::NotDesired)?;
        if claims.generation > listed.generation {
            return Err(RelayCode::NotDesired);
        }
        if claims.generation < listed.generation || claims.claim_epoch < listed.epoch {
            return Err(RelayCode::TokenStale);
        }
        if !listed.participants.contains(&claims.participant) {
            return Err(RelayCode::NotDesired);
        }
        listed.epoch = claims.claim_epoch;
        Ok(())
    }

    /// Whether a participant is on the list in force.
    pub(crate) fn holds(&self, visit: VisitId, participant: ParticipantId) -> bool {
        self.visits.get(&visit).is_some_and(|listed| listed.participants.contains(&participant))
    }

    /// A control connection ended: what it vouched for is alone from now on.
    pub(crate) fn link_lost(&mut self, link: LinkId, now: Instant) {
        for listed in self.visits.values_mut().filter(|l| l.vouched_by == Some(link)) {
            listed.vouched_by = None;
            listed.alone_since = now;
        }
    }

    /// Forgets and names the visits that were alone for too long.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<VisitId> {
        let over = |listed: &Listed| {
            listed.vouched_by.is_none()
                && now.duration_since(listed.alone_since) >= KEEP_WITHOUT_SIGNALING
        };
        let expired = self.visits.iter().filter(|(_, l)| over(l)).map(|(v, _)| *v).collect();
        self.visits.retain(|_, listed| !over(listed));
        expired
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use minato_protocol::Timestamp;
    use minato_protocol::media::{PartyRole, Rights};

    const VISIT: VisitId = VisitId(1);
    const SATO: ParticipantId = ParticipantId(10);
    const ABE: ParticipantId = ParticipantId(11);

    fn claims(participant: ParticipantId, generation: u32, claim_epoch: u32) -> MediaClaims {
        MediaClaims {
            visit: VISIT,
            participant,
            claim_epoch,
            role: PartyRole::Patient,
            rights: Rights::default(),
            jti: "j".into(),
            not_after: Timestamp(0),
            generation,
        }
    }

    fn given(lists: &[(u32, u64, &[ParticipantId])]) -> (Admissions, Instant) {
        let now = Instant::now();
        let mut admissions = Admissions::default();
        for (generation, seq, who) in lists {
            admissions.desired(1, VISIT, (*generation, *seq), who.to_vec(), now);
        }
        (admissions, now)
    }

    #[test]
    fn nobody_comes_in_without_a_list() {
        let (mut admissions, _) = given(&[]);
        assert_eq!(admissions.admit(&claims(SATO, 1, 1)), Err(RelayCode::NotDesired));
    }

    #[test]
    fn an_older_list_changes_nothing() {
        let (mut admissions, now) = given(&[(1, 5, &[SATO])]);
        let listing = admissions.desired(2, VISIT, (1, 4), vec![ABE], now);
        assert_eq!(listing, Listing::Old);
        assert!(admissions.holds(VISIT, SATO) && !admissions.holds(VISIT, ABE));
    }

    #[test]
    fn a_newer_generation_wins_over_a_higher_seq() {
        let (admissions, _) = given(&[(1, 900, &[SATO]), (2, 1, &[ABE])]);
        assert!(admissions.holds(VISIT, ABE) && !admissions.holds(VISIT, SATO));
    }

    #[test]
    fn a_token_of_an_older_claim_or_generation_is_stale() {
        let (mut admissions, _) = given(&[(2, 1, &[SATO, ABE])]);
        assert_eq!(admissions.admit(&claims(SATO, 1, 9)), Err(RelayCode::TokenStale));
        assert_eq!(admissions.admit(&claims(SATO, 2, 4)), Ok(()));
        assert_eq!(admissions.admit(&claims(ABE, 2, 3)), Err(RelayCode::TokenStale));
        assert_eq!(admissions.admit(&claims(ABE, 3, 4)), Err(RelayCode::NotDesired));
    }

    #[test]
    fn a_closed_visit_opens_again_only_with_a_greater_generation() {
        let (mut admissions, now) = given(&[(1, 5, &[SATO])]);
        admissions.close(VISIT, now);
        assert_eq!(admissions.desired(1, VISIT, (1, 6), vec![SATO], now), Listing::Old);
        assert!(!admissions.holds(VISIT, SATO));
        assert_eq!(admissions.desired(1, VISIT, (2, 7), vec![SATO], now), Listing::InForce);
    }

    #[test]
    fn a_visit_outlives_signaling_by_two_hours_and_no_longer() {
        let (mut admissions, now) = given(&[(1, 5, &[SATO])]);
        let long = Duration::from_secs(60 * 60 * 24);
        assert_eq!(admissions.expire(now + long), vec![], "signaling is there");
        admissions.link_lost(1, now + long);
        let end = now + long + KEEP_WITHOUT_SIGNALING;
        assert_eq!(admissions.expire(end - Duration::from_secs(1)), vec![]);
        assert_eq!(admissions.admit(&claims(SATO, 1, 1)), Ok(()), "who is on the list may return");
        assert_eq!(admissions.expire(end), vec![VISIT]);
        assert!(!admissions.holds(VISIT, SATO));
    }
}
