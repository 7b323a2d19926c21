//! PURE: what BlueZ says when a device does not let itself be reached, in a nurse's terms.

use bluer::ErrorKind;
use minato_protocol::uplink::Trouble;

/// Errors of the Attribute Protocol that ask for a bond (Core specification, vol 3, part F, 3.4.1.1):
/// insufficient authentication, authorization, key size, encryption.
const ASK_FOR_A_BOND: [&str; 4] = ["0x05", "0x08", "0x0c", "0x0f"];
/// Words with which a connection is refused by a device that has another.
const TAKEN: [&str; 4] = ["refused", "busy", "page-timeout", "page timeout"];
/// Words that mean the same only when they come again: a single try fails for many reasons.
const TAKEN_PERHAPS: [&str; 4] = ["abort", "timeout", "timed out", "host is down"];

/// Why something that was asked of a device did not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// BlueZ says so.
    Said(ErrorKind, String),
    /// The message bus says so: its error's name and words.
    Bus(String, String),
    /// Nothing came for too long.
    NoAnswer,
    /// It hung up before it was asked everything.
    HungUp,
}

impl From<bluer::Error> for Failure {
    fn from(error: bluer::Error) -> Self {
        Self::Said(error.kind, error.message)
    }
}

impl From<dbus::Error> for Failure {
    fn from(error: dbus::Error) -> Self {
        let name = error.name().unwrap_or_default();
        let words = error.message().unwrap_or_default();
        Self::Bus(name.to_owned(), words.to_owned())
    }
}

impl Failure {
    /// Whether a bond would help.
    pub(super) fn asks_for_a_bond(&self) -> bool {
        match self {
            Self::Said(kind, words) => kind_asks(kind) || words_ask(words),
            Self::Bus(name, words) => name_asks(name) || words_ask(words),
            Self::NoAnswer | Self::HungUp => false,
        }
    }

    /// What stands in the way of a device that was on the air just now; `before` is how many tries
    /// failed before this one. Nothing that a nurse could mend: the next try tells.
    pub(super) fn trouble(&self, before: u32) -> Option<Trouble> {
        if self.asks_for_a_bond() {
            return Some(Trouble::NotPaired);
        }
        let is_taken = match self {
            Self::Said(ErrorKind::ConnectionAttemptFailed, _) => true,
            Self::Said(_, words) | Self::Bus(_, words) => {
                has_any(words, &TAKEN) || (before > 0 && has_any(words, &TAKEN_PERHAPS))
            }
            Self::NoAnswer => before > 0,
            Self::HungUp => false,
        };
        // BlueZ's own limit is nobody else's connection.
        is_taken.then_some(Trouble::HeldElsewhere)
    }
}

fn kind_asks(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::AuthenticationCanceled
            | ErrorKind::AuthenticationFailed
            | ErrorKind::AuthenticationRejected
            | ErrorKind::AuthenticationTimeout
            | ErrorKind::NotAuthorized
    )
}

fn name_asks(name: &str) -> bool {
    name.starts_with("org.bluez.Error.Authentication") || name == "org.bluez.Error.NotAuthorized"
}

fn words_ask(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    words.contains("key-missing")
        || words.contains("insufficient")
        || (words.contains("att error") && ASK_FOR_A_BOND.iter().any(|code| words.contains(code)))
}

fn has_any(words: &str, of: &[&str]) -> bool {
    let words = words.to_ascii_lowercase();
    of.iter().any(|word| words.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(words: &str) -> Failure {
        Failure::Said(ErrorKind::Failed, words.into())
    }

    #[test]
    fn a_device_that_wants_a_bond_is_not_paired() {
        let rejected = Failure::Said(ErrorKind::AuthenticationRejected, String::new());
        let by_bus = Failure::Bus("org.bluez.Error.AuthenticationFailed".into(), String::new());
        let att = Failure::Bus("org.bluez.Error.Failed".into(), "ATT error: 0x0f".into());
        for failure in [rejected, by_bus, att, failed("le-connection-key-missing")] {
            assert_eq!(failure.trouble(0), Some(Trouble::NotPaired), "{failure:?}");
        }
        assert_eq!(failed("ATT error: 0x0e").trouble(0), None);
    }

    #[test]
    fn a_device_that_refuses_while_it_is_on_the_air_is_held_by_somebody_else() {
        for words in ["le-connection-refused", "le-connection-busy", "br-connection-page-timeout"] {
            assert_eq!(failed(words).trouble(0), Some(Trouble::HeldElsewhere), "{words}");
        }
        let attempt = Failure::Said(ErrorKind::ConnectionAttemptFailed, "Page Timeout".into());
        assert_eq!(attempt.trouble(0), Some(Trouble::HeldElsewhere));
    }

    #[test]
    fn one_try_that_timed_out_says_nothing_and_the_second_does() {
        for failure in [failed("le-connection-abort-by-local"), Failure::NoAnswer] {
            assert_eq!(failure.trouble(0), None, "{failure:?}");
            assert_eq!(failure.trouble(1), Some(Trouble::HeldElsewhere), "{failure:?}");
        }
        assert_eq!(failed("le-connection-concurrent-connection-limit").trouble(3), None);
        assert_eq!(Failure::HungUp.trouble(3), None);
    }
}
