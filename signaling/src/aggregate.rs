//! How every noun with a history behaves: decide without changing, evolve without failing.

use minato_protocol::{Code, Span, TicketId, Timestamp};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::collections::{HashMap, VecDeque};

/// A noun whose state is the fold of its events. Pure: time comes as an argument, ids that have
/// to be random come inside the command.
pub trait Aggregate: Default + Clone + Send + Sync + 'static {
    /// Imperative: what somebody wants.
    type Command: Send + 'static;
    /// Past tense: what happened.
    type Event: Clone + Serialize + DeserializeOwned + Send + 'static;

    /// Says what would happen, or why nothing may. Changes nothing.
    fn decide(&self, command: &Self::Command, now: Timestamp) -> Result<Vec<Self::Event>, Code>;

    /// Takes in what happened. Cannot fail: an event that fits nothing changes nothing.
    fn evolve(&mut self, event: &Self::Event, at: Timestamp);

    /// The ticket whose screens are told of an event at once, if it is about one.
    fn concerns(_event: &Self::Event) -> Option<TicketId> {
        None
    }

    /// Version of the fold, for nouns whose streams are long enough to be worth a snapshot.
    const FOLD: Option<u32> = None;

    /// The state as a disposable cache; personal data stay marked and are sealed.
    fn to_snapshot(&self) -> Value {
        Value::Null
    }

    /// The state of a snapshot of this very [`FOLD`](Self::FOLD), or nothing.
    fn from_snapshot(_body: Value) -> Option<Self> {
        None
    }
}

/// Names one press of one person, so that it is carried out once however often it arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CommandKey {
    /// Digest of who pressed and the screen's random key.
    pub id: u64,
    /// Digest of the command itself: the same key with another command is a mistake.
    pub command: u32,
}

/// A key is remembered for a day.
pub const KEY_LIFE: Span = Span(24 * 60 * 60 * 1_000);

/// The keys carried out in the last 24 hours, with the version after each.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    seen: HashMap<u64, (u32, u64)>,
    oldest_first: VecDeque<(Timestamp, u64)>,
}

/// What is known about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Never seen: carry it out.
    New,
    /// Carried out; the stream was at this version afterwards.
    Before(u64),
    /// Seen with another command.
    Reused,
}

impl Keys {
    /// Whether a key was carried out.
    pub fn ask(&self, key: CommandKey) -> Known {
        match self.seen.get(&key.id) {
            None => Known::New,
            Some((command, version)) if *command == key.command => Known::Before(*version),
            Some(_) => Known::Reused,
        }
    }

    /// Remembers a key and forgets those older than [`KEY_LIFE`].
    pub fn remember(&mut self, key: CommandKey, version: u64, at: Timestamp) {
        if self.seen.insert(key.id, (key.command, version)).is_none() {
            self.oldest_first.push_back((at, key.id));
        }
        while let Some((then, id)) = self.oldest_first.front().copied() {
            if at - then <= KEY_LIFE {
                break;
            }
            self.oldest_first.pop_front();
            self.seen.remove(&id);
        }
    }

    /// All of them, the oldest first, for a snapshot.
    pub fn to_list(&self) -> Vec<(Timestamp, CommandKey, u64)> {
        let one = |(at, id): &(Timestamp, u64)| {
            let (command, version) = self.seen.get(id)?;
            Some((*at, CommandKey { id: *id, command: *command }, *version))
        };
        self.oldest_first.iter().filter_map(one).collect()
    }

    /// From a snapshot's list.
    pub fn from_list(list: Vec<(Timestamp, CommandKey, u64)>) -> Self {
        let mut keys = Self::default();
        list.into_iter().for_each(|(at, key, version)| keys.remember(key, version, at));
        keys
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_forgotten_after_a_day_and_not_before() {
        let mut keys = Keys::default();
        let key = CommandKey { id: 1, command: 2 };
        keys.remember(key, 5, Timestamp(0));
        keys.remember(CommandKey { id: 2, command: 2 }, 6, Timestamp(KEY_LIFE.0));
        assert_eq!(keys.ask(key), Known::Before(5));
        keys.remember(CommandKey { id: 3, command: 2 }, 7, Timestamp(KEY_LIFE.0 + 1));
        assert_eq!(keys.ask(key), Known::New);
        assert_eq!(keys.len(), 2);
    }

    #[test]
    fn a_key_with_another_command_is_a_mistake() {
        let mut keys = Keys::default();
        keys.remember(CommandKey { id: 1, command: 2 }, 5, Timestamp(0));
        assert_eq!(keys.ask(CommandKey { id: 1, command: 3 }), Known::Reused);
    }
}
