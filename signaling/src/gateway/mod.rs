//! The boxes on the clinics' walls: who they are (stored), and which are connected (not stored).

mod at_page;
mod delivery;
mod held;
mod linked;
mod paged;
mod passes;
mod settling;
mod unbinding;

pub use at_page::{AtPages, HANGINGS_MAX, HangOff, HangOn, Hanging, SILENCE_UNBINDS};
pub use delivery::{Origin, take_in};
pub use held::{HELD_MAX, HELD_SHOWN_MAX, Held, RUNNING_MAX};
pub use linked::{Gateways, Link};
pub(crate) use paged::{PageFrames, Pages, Received};
pub(crate) use passes::{Holder, PassKey, give};
pub use settling::{Whose, finish};
pub(crate) use settling::{Word, dismiss, settle};
pub(crate) use unbinding::take_off;
pub use unbinding::watch;

use crate::aggregate::Aggregate;
use minato_protocol::reading::{Hex, ReadingId};
use minato_protocol::{Code, Pii, SiteId, StaffId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    /// Somebody said whose a reading of nobody is.
    Settle {
        /// Which.
        reading: ReadingId,
        /// Whose, and who says so.
        whose: Whose,
    },
    /// Somebody said that a reading of nobody is no patient's.
    Dismiss {
        /// Which.
        reading: ReadingId,
        /// Who says so.
        by: StaffId,
        /// Why.
        reason: Pii<String>,
    },
    /// A settled reading stands in its person's stream.
    Carry {
        /// Which.
        reading: ReadingId,
    },
    /// Somebody connected a device to a page of the site.
    HangOn {
        /// Which, and beside whom.
        on: HangOn,
        /// Somebody confirmed that it comes off whoever it is on.
        takes_over: bool,
    },
    /// It came off.
    HangOff(HangOff),
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
    /// A reading of nobody is this person's.
    Settled {
        /// Which.
        reading: ReadingId,
        /// Whose, and who said so.
        #[serde(flatten)]
        whose: Whose,
    },
    /// A reading of nobody is no patient's.
    Dismissed {
        /// Which.
        reading: ReadingId,
        /// Who said so.
        by: StaffId,
        /// Why.
        reason: Pii<String>,
    },
    /// What was settled stands in its person's stream.
    Carried {
        /// Which.
        reading: ReadingId,
    },
    /// A device at a page is on somebody.
    HungOn(HangOn),
    /// It is not any more.
    CameOff(HangOff),
}

/// What became of a reading of nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is somebody's, and has to be carried into that person's stream.
    Settled {
        /// Whose, and who said so.
        whose: Whose,
        /// When.
        at: Timestamp,
    },
    /// It is with its person.
    Carried,
    /// It is no patient's.
    Dismissed,
}

/// One gateway, as far as it is stored.
///
/// Law: **a reading of nobody becomes one person's, once.** Whose it is stands in the stream of the
/// box that delivered it, before it stands anywhere else.
#[derive(Debug, Clone, Default)]
pub struct Gateway {
    /// Where it hangs.
    pub site: Option<SiteId>,
    /// HMAC of its one-time code.
    pub code_hash: String,
    /// Its key, once enrolled.
    pub public_key: Option<Hex<32>>,
    /// What became of readings of nobody; one for each press.
    pub fate_by_reading: BTreeMap<ReadingId, Fate>,
    /// Whose the devices at the site's pages are; empty at a box.
    pub at_pages: AtPages,
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
            Command::Settle { reading, .. } | Command::Dismiss { reading, .. }
                if self.fate_by_reading.contains_key(reading) =>
            {
                Err(Code::ReadingUnknown)
            }
            Command::Settle { reading, whose } => {
                Ok(vec![Event::Settled { reading: *reading, whose: whose.clone() }])
            }
            Command::Dismiss { reading, by, reason } => {
                let (reading, by, reason) = (*reading, *by, reason.clone());
                Ok(vec![Event::Dismissed { reading, by, reason }])
            }
            Command::Carry { reading } => match self.fate_by_reading.get(reading) {
                Some(Fate::Settled { .. }) => Ok(vec![Event::Carried { reading: *reading }]),
                Some(Fate::Carried | Fate::Dismissed) | None => Ok(Vec::new()),
            },
            Command::HangOn { on, takes_over } => self.at_pages.put_on(on, *takes_over),
            Command::HangOff(off) => Ok(self.at_pages.take_off(off)),
        }
    }

    fn evolve(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::Expected { site, code_hash } => {
                self.site = Some(*site);
                self.code_hash.clone_from(code_hash);
            }
            Event::Enrolled { public_key } => self.public_key = Some(*public_key),
            Event::Settled { reading, whose } => {
                let fate = Fate::Settled { whose: whose.clone(), at };
                self.fate_by_reading.insert(*reading, fate);
            }
            Event::Dismissed { reading, .. } => {
                self.fate_by_reading.insert(*reading, Fate::Dismissed);
            }
            Event::Carried { reading } => {
                self.fate_by_reading.insert(*reading, Fate::Carried);
            }
            Event::HungOn(on) => self.at_pages.hung_on(on),
            Event::CameOff(off) => self.at_pages.came_off(off),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use minato_protocol::SubjectId;

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

    fn settle(of: u64) -> Command {
        let (of, by) = (SubjectId(of), StaffId(9));
        let whose = Whose { line: Hex([1; 16]), of, by, reason: Pii::new(of, String::new()) };
        Command::Settle { reading: ReadingId(Hex([5; 16])), whose }
    }

    fn carried_out(gateway: &mut Gateway, command: &Command) -> Result<usize, Code> {
        let events = gateway.decide(command, Timestamp(7))?;
        events.iter().for_each(|event| gateway.evolve(event, Timestamp(7)));
        Ok(events.len())
    }

    #[test]
    fn a_reading_of_nobody_becomes_one_persons_once() {
        let mut gateway = expected();
        let carry = Command::Carry { reading: ReadingId(Hex([5; 16])) };
        assert_eq!(carried_out(&mut gateway, &carry), Ok(0), "nothing is settled yet");
        assert_eq!(carried_out(&mut gateway, &settle(1)), Ok(1));
        assert_eq!(carried_out(&mut gateway, &settle(2)), Err(Code::ReadingUnknown));
        assert_eq!(carried_out(&mut gateway, &carry), Ok(1));
        assert_eq!(carried_out(&mut gateway, &carry), Ok(0));
        assert_eq!(carried_out(&mut gateway, &settle(2)), Err(Code::ReadingUnknown));
    }

    #[test]
    fn what_was_dismissed_becomes_nobodys() {
        let mut gateway = expected();
        let (reading, by) = (ReadingId(Hex([5; 16])), StaffId(9));
        let reason = Pii::new(SubjectId(3), "試し".to_owned());
        assert_eq!(carried_out(&mut gateway, &Command::Dismiss { reading, by, reason }), Ok(1));
        assert_eq!(carried_out(&mut gateway, &settle(1)), Err(Code::ReadingUnknown));
    }
}
