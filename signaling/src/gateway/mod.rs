//! The boxes on the clinics' walls: who they are (stored), and which are connected (not stored).

mod delivery;
mod linked;
mod unbinding;

pub use delivery::{Origin, take_in};
pub use linked::{Gateways, Link};
pub(crate) use unbinding::take_off;
pub use unbinding::watch;

use crate::aggregate::Aggregate;
use minato_protocol::reading::Hex;
use minato_protocol::{Code, SiteId, Timestamp};
use serde::{Deserialize, Serialize};

/// Imperative.
#[derive(Debug, Clone)]
pub enum Command {
    /// A place for a gateway, with the hash of its one-time code.
    Expect {
        /// Where it will hang.
        site: SiteId,
        /// HMAC of the code, as hex.
        code_hash: String,
    },
    /// The box showed its code and its key.
    Enrol {
        /// Ed25519.
        public_key: Hex<32>,
    },
}

/// Past tense.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A gateway may enrol.
    Expected {
        /// Where it will hang.
        site: SiteId,
        /// HMAC of the code, as hex.
        code_hash: String,
    },
    /// It did.
    Enrolled {
        /// Ed25519.
        public_key: Hex<32>,
    },
}

/// One gateway, as far as it is stored.
#[derive(Debug, Clone, Default)]
pub struct Gateway {
    /// Where it hangs.
    pub site: Option<SiteId>,
    /// HMAC of its one-time code.
    pub code_hash: String,
    /// Its key, once enrolled.
    pub public_key: Option<Hex<32>>,
}

impl Aggregate for Gateway {
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command, _now: Timestamp) -> Result<Vec<Event>, Code> {
        match command {
            Command::Expect { site, code_hash } if self.site.is_none() => {
                Ok(vec![Event::Expected { site: *site, code_hash: code_hash.clone() }])
            }
            Command::Expect { .. } => Ok(Vec::new()),
            Command::Enrol { public_key } => match self.public_key {
                _ if self.site.is_none() => Err(Code::CodeWrong),
                None => Ok(vec![Event::Enrolled { public_key: *public_key }]),
                Some(known) if known == *public_key => Ok(Vec::new()),
                Some(_) => Err(Code::CodeWrong),
            },
        }
    }

    fn evolve(&mut self, event: &Event, _at: Timestamp) {
        match event {
            Event::Expected { site, code_hash } => {
                self.site = Some(*site);
                self.code_hash.clone_from(code_hash);
            }
            Event::Enrolled { public_key } => self.public_key = Some(*public_key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected() -> Gateway {
        let mut gateway = Gateway::default();
        let event = Event::Expected { site: SiteId(1), code_hash: "h".into() };
        gateway.evolve(&event, Timestamp(0));
        gateway
    }

    #[test]
    fn a_code_is_good_for_one_key() {
        let mut gateway = expected();
        let first = Command::Enrol { public_key: Hex([1; 32]) };
        let events = gateway.decide(&first, Timestamp(0)).expect("enrolled");
        events.iter().for_each(|event| gateway.evolve(event, Timestamp(0)));
        assert!(gateway.decide(&first, Timestamp(0)).expect("again").is_empty());
        let other = Command::Enrol { public_key: Hex([2; 32]) };
        assert_eq!(gateway.decide(&other, Timestamp(0)).err(), Some(Code::CodeWrong));
    }
}
