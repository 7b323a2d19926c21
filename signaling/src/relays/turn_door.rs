//! TURN for a page that no UDP packet reaches: where it is asked, and the password for one visit.

use minato_protocol::act::TurnPass;
use minato_protocol::{ParticipantId, Span, Timestamp};
use std::fmt;
use std::sync::Arc;

/// A password is good for so long: the longest visit. The relay's own side ends with the visit.
const PASS_LIFE: Span = Span::minutes(2 * 60);

type MakePassword = dyn Fn(&str, u64) -> (String, String) + Send + Sync;

/// Where the TURN server is, and how its passwords are made.
#[derive(Clone)]
pub struct TurnDoor {
    urls: Vec<String>,
    same_door: bool,
    credential: Arc<MakePassword>,
}

impl fmt::Debug for TurnDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TurnDoor").field("urls", &self.urls).finish_non_exhaustive()
    }
}

impl TurnDoor {
    /// `urls` as pages use them; `same_door`: also through HTTPS of this service. `credential`
    /// makes name and password for a user until a time in Unix seconds.
    pub fn new(
        urls: Vec<String>,
        same_door: bool,
        credential: impl Fn(&str, u64) -> (String, String) + Send + Sync + 'static,
    ) -> Self {
        Self { urls, same_door, credential: Arc::new(credential) }
    }

    /// The pass of one participant. Its name says nothing about a person.
    pub fn pass(&self, participant: ParticipantId, now: Timestamp) -> TurnPass {
        let until_s = u64::try_from((now + PASS_LIFE).0 / 1_000).unwrap_or(0);
        let (username, credential) = (self.credential)(&participant.to_string(), until_s);
        let (urls, same_door) = (self.urls.clone(), self.same_door);
        TurnPass { urls, same_door, username, credential }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_names_a_participant_and_ends_after_a_visit() {
        let make = |user: &str, until_s: u64| (format!("{until_s}:{user}"), "secret".to_owned());
        let door = TurnDoor::new(vec!["turn:relay.example:3478".into()], true, make);
        let pass = door.pass(ParticipantId(7), Timestamp(1_700_000_000_000));
        assert_eq!(pass.username, format!("1700007200:{}", ParticipantId(7)));
        assert!(pass.same_door);
        assert!(!format!("{pass:?} {door:?}").contains("secret"));
    }
}
