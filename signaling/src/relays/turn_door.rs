//! TURN for a page that no UDP packet reaches: where it is asked, and the password for one visit.

use minato_protocol::act::TurnPass;
use minato_protocol::media::{TURN_PROOF_USER, TurnPlace};
use minato_protocol::{ParticipantId, Span, Timestamp};
use std::fmt;
use std::sync::Arc;

/// A password is good for so long: the longest visit. The relay's own side ends with the visit.
const PASS_LIFE: Span = Span::minutes(2 * 60);

/// Addresses of one relay that are told. When there are more the rest is left out.
const URLS_MAX: usize = 8;
/// Longest address that is told.
const URL_BYTES_MAX: usize = 300;

type MakePassword = dyn Fn(&str, u64) -> (String, String) + Send + Sync;

/// How the passwords of relays elsewhere are made: from the secret that they were given too.
#[derive(Clone)]
pub struct TurnPasswords(Arc<MakePassword>);

impl fmt::Debug for TurnPasswords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TurnPasswords(…)")
    }
}

impl TurnPasswords {
    /// `credential` makes name and password for a user until a time in Unix seconds.
    pub fn new(credential: impl Fn(&str, u64) -> (String, String) + Send + Sync + 'static) -> Self {
        Self(Arc::new(credential))
    }

    /// The door to a relay's TURN server; `None` when the relay has another secret, so that no
    /// password from here would open it.
    pub(super) fn door(&self, place: &TurnPlace) -> Option<TurnDoor> {
        let (_, proof) = (self.0)(TURN_PROOF_USER, 0);
        if proof != place.proof {
            return None;
        }
        let is_url = |url: &&String| {
            let known = url.starts_with("turn:") || url.starts_with("turns:");
            known && url.len() <= URL_BYTES_MAX
        };
        let urls: Vec<String> = place.urls.iter().filter(is_url).take(URLS_MAX).cloned().collect();
        let credential = Arc::clone(&self.0);
        (!urls.is_empty()).then_some(TurnDoor { urls, same_door: false, credential })
    }
}

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

    fn passwords(secret: &'static str) -> TurnPasswords {
        TurnPasswords::new(move |user, until_s| {
            (format!("{until_s}:{user}"), format!("{secret} {user} {until_s}"))
        })
    }

    fn place(urls: &[&str]) -> TurnPlace {
        let urls = urls.iter().map(|url| (*url).to_owned()).collect();
        TurnPlace { urls, proof: "theirs proof 0".into() }
    }

    #[test]
    fn a_relay_with_the_same_secret_is_told_to_pages_and_another_is_not() {
        let theirs = place(&["turn:203.0.113.1:3478?transport=udp"]);
        let door = passwords("theirs").door(&theirs).expect("the same secret");
        let pass = door.pass(ParticipantId(7), Timestamp(0));
        assert_eq!(pass.urls, theirs.urls);
        assert_eq!(pass.credential, format!("theirs {} 7200", ParticipantId(7)));
        assert!(!pass.same_door);
        assert!(passwords("ours").door(&theirs).is_none());
    }

    #[test]
    fn only_addresses_of_turn_are_told_and_not_without_end() {
        let long = format!("turn:{}", "a".repeat(URL_BYTES_MAX));
        let none = place(&["https://elsewhere.example/", "stun:203.0.113.1", &long]);
        assert!(passwords("theirs").door(&none).is_none());
        let many = place(&["turns:relay.example:5349?transport=tcp"; 99]);
        let door = passwords("theirs").door(&many).expect("some");
        assert_eq!(door.pass(ParticipantId(7), Timestamp(0)).urls.len(), URLS_MAX);
    }

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
