//! A member of staff's account: name, role, and what proves that it is them. Pure.
//!
//! Nothing here can be turned back into a password, a PIN or a link: hashes are keyed, and the
//! authenticator's secret is sealed. Staff names are shown to patients and are not sealed.

use super::secret_hash::SecretHash;
use crate::aggregate::Aggregate;
use minato_protocol::{Code, Role, SiteId, Timestamp};
use serde::{Deserialize, Serialize};

/// Sign-in links of one account that may be live at a time. A further one ends the oldest.
const ONCE_LINKS_MAX: usize = 16;

/// An account as it is made and stored.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAccountRecord {
    /// The name typed at sign-in.
    pub account: String,
    /// The role, for the whole clinic.
    pub role: Role,
    /// Name shown to patients and colleagues.
    pub name: String,
    /// Affiliation shown to patients.
    pub affiliation: String,
    /// A nurse's site.
    pub site: Option<SiteId>,
    /// argon2id in PHC format, keyed.
    pub password_hash: String,
    /// Base64 of the sealed authenticator secret.
    pub totp_sealed: String,
    /// argon2id in PHC format, keyed; a nurse's PIN.
    pub pin_hash: Option<String>,
}

impl std::fmt::Debug for NewAccountRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewAccountRecord(…)")
    }
}

/// Imperative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Makes the account.
    Create(Box<NewAccountRecord>),
    /// Makes a link that signs in once.
    IssueOnce {
        /// The secret's hash.
        hash: SecretHash,
        /// From then on it is dead.
        expires: Timestamp,
    },
    /// Uses it up.
    UseOnce {
        /// The secret's hash.
        hash: SecretHash,
    },
    /// Password and code were right; the code belonged to this step of 30 s.
    SignIn {
        /// Seconds since 1970 divided by 30 (RFC 6238 section 4.2).
        totp_step: u64,
    },
    /// Ends every session and lets nobody in.
    Disable,
    /// Lets this person in again; sessions from before stay dead.
    Enable,
}

/// Past tense.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The account exists.
    Created(Box<NewAccountRecord>),
    /// A link that signs in once exists.
    OnceIssued {
        /// The secret's hash.
        hash: SecretHash,
        /// From then on it is dead.
        expires: Timestamp,
    },
    /// It was used.
    OnceUsed {
        /// The secret's hash.
        hash: SecretHash,
    },
    /// Signed in by password and code.
    SignedIn {
        /// The code's step.
        totp_step: u64,
    },
    /// Every session ended.
    Disabled,
    /// May come in again.
    Enabled,
}

/// The state of one account.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// What it was made with; `None` until made.
    pub record: Option<Box<NewAccountRecord>>,
    /// Nobody may come in with it.
    pub disabled: bool,
    /// One higher each time it is disabled; sessions of an older one are dead.
    pub generation: u32,
    last_step: Option<u64>,
    once: Vec<(SecretHash, Timestamp)>,
}

impl Account {
    /// What it was made with, unless nobody may come in with it.
    pub fn usable(&self) -> Option<&NewAccountRecord> {
        self.record.as_deref().filter(|_| !self.disabled)
    }

    fn use_once(&self, hash: SecretHash, now: Timestamp) -> Result<Vec<Event>, Code> {
        self.usable().ok_or(Code::NotAllowed)?;
        // The secret was made here, so one that is not kept any more was used or pushed out.
        let (_, expires) =
            self.once.iter().find(|(known, _)| *known == hash).ok_or(Code::LinkExpired)?;
        if now < *expires { Ok(vec![Event::OnceUsed { hash }]) } else { Err(Code::LinkExpired) }
    }

    fn sign_in(&self, totp_step: u64) -> Result<Vec<Event>, Code> {
        let fresh = self.last_step.is_none_or(|last| totp_step > last);
        match self.usable() {
            Some(_) if fresh => Ok(vec![Event::SignedIn { totp_step }]),
            Some(_) | None => Err(Code::SignInWrong),
        }
    }
}

impl Aggregate for Account {
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command, now: Timestamp) -> Result<Vec<Event>, Code> {
        if let Command::Create(record) = command {
            let free = self.record.is_none();
            return if free {
                Ok(vec![Event::Created(record.clone())])
            } else {
                Err(Code::KeyReused)
            };
        }
        self.record.as_ref().ok_or(Code::SignInWrong)?;
        match command {
            Command::Create(_) => Ok(Vec::new()),
            Command::IssueOnce { hash, expires } => {
                self.usable().ok_or(Code::NotAllowed)?;
                Ok(vec![Event::OnceIssued { hash: *hash, expires: *expires }])
            }
            Command::UseOnce { hash } => self.use_once(*hash, now),
            Command::SignIn { totp_step } => self.sign_in(*totp_step),
            Command::Disable if self.disabled => Ok(Vec::new()),
            Command::Disable => Ok(vec![Event::Disabled]),
            Command::Enable if self.disabled => Ok(vec![Event::Enabled]),
            Command::Enable => Ok(Vec::new()),
        }
    }

    fn evolve(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::Created(record) => self.record = Some(record.clone()),
            Event::OnceIssued { hash, expires } => {
                self.once.retain(|(_, until)| at < *until);
                if self.once.len() >= ONCE_LINKS_MAX {
                    self.once.remove(0);
                }
                self.once.push((*hash, *expires));
            }
            Event::OnceUsed { hash } => self.once.retain(|(known, _)| known != hash),
            Event::SignedIn { totp_step } => self.last_step = Some(*totp_step),
            Event::Disabled => {
                self.disabled = true;
                self.generation += 1;
                self.once.clear();
            }
            Event::Enabled => self.disabled = false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp(0);
    const LINK: SecretHash = SecretHash([7; 32]);

    fn record() -> Box<NewAccountRecord> {
        Box::new(NewAccountRecord {
            account: "abe".into(),
            role: Role::Doctor,
            name: "阿部".into(),
            affiliation: "港診療所".into(),
            site: None,
            password_hash: "$argon2id$…".into(),
            totp_sealed: "c2VhbGVk".into(),
            pin_hash: None,
        })
    }

    fn given(events: &[Event]) -> Account {
        let mut account = Account::default();
        account.evolve(&Event::Created(record()), T0);
        events.iter().for_each(|event| account.evolve(event, T0));
        account
    }

    fn sign_in(account: &Account, totp_step: u64) -> Result<Vec<Event>, Code> {
        account.decide(&Command::SignIn { totp_step }, T0)
    }

    #[test]
    fn a_code_of_the_authenticator_is_good_once() {
        let account = given(&[Event::SignedIn { totp_step: 10 }]);
        assert_eq!(sign_in(&account, 10), Err(Code::SignInWrong));
        assert_eq!(sign_in(&account, 9), Err(Code::SignInWrong));
        assert!(sign_in(&account, 11).is_ok());
    }

    #[test]
    fn a_sign_in_link_is_good_once_until_it_expires() {
        let issued = Event::OnceIssued { hash: LINK, expires: Timestamp(10) };
        let account = given(std::slice::from_ref(&issued));
        let press = Command::UseOnce { hash: LINK };
        assert_eq!(account.decide(&press, T0), Ok(vec![Event::OnceUsed { hash: LINK }]));
        assert_eq!(account.decide(&press, Timestamp(10)), Err(Code::LinkExpired));
        let used = given(&[issued, Event::OnceUsed { hash: LINK }]);
        assert_eq!(used.decide(&press, T0), Err(Code::LinkExpired));
    }

    #[test]
    fn a_seventeenth_sign_in_link_ends_the_first() {
        let issue = |n: u8| Event::OnceIssued { hash: SecretHash([n; 32]), expires: Timestamp(9) };
        let account = given(&(0..17).map(issue).collect::<Vec<_>>());
        let press = |n: u8| account.decide(&Command::UseOnce { hash: SecretHash([n; 32]) }, T0);
        assert_eq!(press(0), Err(Code::LinkExpired));
        assert!(press(1).is_ok() && press(16).is_ok());
    }

    #[test]
    fn a_disabled_account_lets_nobody_in_and_its_old_sessions_stay_dead() {
        let issued = Event::OnceIssued { hash: LINK, expires: Timestamp(10) };
        let disabled = given(&[issued.clone(), Event::Disabled]);
        assert_eq!(sign_in(&disabled, 1), Err(Code::SignInWrong));
        let press = Command::UseOnce { hash: LINK };
        assert_eq!(disabled.decide(&press, T0), Err(Code::NotAllowed));
        let again = given(&[issued, Event::Disabled, Event::Enabled]);
        assert_eq!((again.disabled, again.generation), (false, 1));
        assert_eq!(again.decide(&press, T0), Err(Code::LinkExpired));
    }

    #[test]
    fn an_account_is_made_once() {
        let taken = given(&[]).decide(&Command::Create(record()), T0);
        assert_eq!(taken, Err(Code::KeyReused));
    }

    #[test]
    fn a_record_shows_no_secret_by_debug() {
        assert_eq!(format!("{:?}", Event::Created(record())), "Created(NewAccountRecord(…))");
    }
}
