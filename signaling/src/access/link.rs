//! A patient's way in: a join link, a spoken code or a transfer code. Pure.
//!
//! A link says which place it opens. It is exchanged for one session, once; whoever else comes
//! with it is a second device. A spoken code names the join link of the same ticket, so that the
//! two together still let in one device.

use super::secret_hash::SecretHash;
use crate::aggregate::Aggregate;
use minato_protocol::{Code, KitId, RoomId, TicketId, Timestamp};
use serde::{Deserialize, Serialize};

/// How somebody got hold of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An address with the secret in its fragment.
    Join,
    /// Eight digits, dictated by telephone.
    Spoken,
    /// Eight digits, carried from one browser to another on the same phone.
    Transfer,
}

impl Kind {
    /// What is said when a link of this kind is not good: whoever holds a long secret learns what
    /// to do next, whoever guesses at digits learns nothing.
    pub const fn refusal(self, reason: Code) -> Code {
        match self {
            Kind::Join => reason,
            Kind::Spoken | Kind::Transfer => Code::CodeWrong,
        }
    }
}

/// What a link opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// How it travels.
    pub kind: Kind,
    /// The waiting room.
    pub room: RoomId,
    /// The place in it.
    pub ticket: TicketId,
    /// The ticket's generation of links; a ticket that moved on has withdrawn this one.
    pub generation: u32,
    /// From then on it can no longer be exchanged.
    pub expires: Timestamp,
    /// A spoken code's join link; a transfer code's old session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<SecretHash>,
    /// The home kit whose page it opens, in place of a ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kit: Option<KitId>,
}

impl Issued {
    fn is_for_the_same(&self, other: &Issued) -> bool {
        let place = |of: &Issued| (of.kind, of.room, of.ticket, of.generation, of.of, of.kit);
        place(self) == place(other)
    }
}

/// Imperative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Makes it. Made before for the same place: nothing happens, the first expiry stands.
    Issue(Issued),
    /// Binds it to the session of this hash.
    Exchange {
        /// The session.
        session: SecretHash,
    },
}

/// Past tense.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It exists. An eight-digit code that is dead may be issued anew for another place.
    Issued(Issued),
    /// It is bound.
    Exchanged {
        /// To this session.
        session: SecretHash,
    },
}

/// The state of one link.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Link {
    /// What it opens; `None` until issued.
    pub issued: Option<Issued>,
    /// The session that it is bound to.
    pub exchanged: Option<SecretHash>,
}

impl Link {
    /// Whether it could still be exchanged.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.exchanged.is_none() && self.issued.is_some_and(|issued| now < issued.expires)
    }

    fn issue(&self, wanted: &Issued, now: Timestamp) -> Result<Vec<Event>, Code> {
        match &self.issued {
            Some(standing) if standing.is_for_the_same(wanted) => Ok(Vec::new()),
            // Long secrets never meet; digits do, and a dead code's digits are used again.
            Some(standing) if standing.kind == Kind::Join || self.is_live(now) => {
                Err(Code::KeyReused)
            }
            Some(_) | None => Ok(vec![Event::Issued(*wanted)]),
        }
    }

    fn exchange(&self, session: SecretHash, now: Timestamp) -> Result<Vec<Event>, Code> {
        let issued = self.issued.ok_or(Code::LinkUnknown)?;
        match self.exchanged {
            Some(bound) if bound == session => Ok(Vec::new()),
            Some(_) => Err(issued.kind.refusal(Code::LinkElsewhere)),
            None if now < issued.expires => Ok(vec![Event::Exchanged { session }]),
            None => Err(issued.kind.refusal(Code::LinkExpired)),
        }
    }
}

impl Aggregate for Link {
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command, now: Timestamp) -> Result<Vec<Event>, Code> {
        match command {
            Command::Issue(wanted) => self.issue(wanted, now),
            Command::Exchange { session } => self.exchange(*session, now),
        }
    }

    fn evolve(&mut self, event: &Event, _at: Timestamp) {
        match event {
            Event::Issued(issued) => *self = Self { issued: Some(*issued), exchanged: None },
            Event::Exchanged { session } => self.exchanged = Some(*session),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHONE: SecretHash = SecretHash([1; 32]);
    const TABLET: SecretHash = SecretHash([2; 32]);
    const T0: Timestamp = Timestamp(0);

    fn of_kind(kind: Kind, ticket: u64) -> Issued {
        let expires = Timestamp(1_000);
        let (room, ticket) = (RoomId(1), TicketId(ticket));
        Issued { kind, room, ticket, generation: 0, expires, of: None, kit: None }
    }

    fn given(events: &[Event]) -> Link {
        let mut link = Link::default();
        events.iter().for_each(|event| link.evolve(event, T0));
        link
    }

    fn exchange(link: &Link, session: SecretHash, now: i64) -> Result<Vec<Event>, Code> {
        link.decide(&Command::Exchange { session }, Timestamp(now))
    }

    #[test]
    fn a_link_is_exchanged_once_and_gives_the_same_session_the_same_answer() {
        let issued = Event::Issued(of_kind(Kind::Join, 1));
        let fresh = given(std::slice::from_ref(&issued));
        let bound = Event::Exchanged { session: PHONE };
        assert_eq!(exchange(&fresh, PHONE, 0), Ok(vec![bound.clone()]));
        let used = given(&[issued, bound]);
        assert_eq!(exchange(&used, PHONE, 5_000), Ok(vec![]));
        assert_eq!(exchange(&used, TABLET, 0), Err(Code::LinkElsewhere));
    }

    #[test]
    fn a_link_dies_at_its_expiry_and_not_before() {
        let fresh = given(&[Event::Issued(of_kind(Kind::Join, 1))]);
        assert!(exchange(&fresh, PHONE, 999).is_ok());
        assert_eq!(exchange(&fresh, PHONE, 1_000), Err(Code::LinkExpired));
    }

    #[test]
    fn a_link_that_was_never_issued_is_unknown() {
        assert_eq!(exchange(&Link::default(), PHONE, 0), Err(Code::LinkUnknown));
    }

    #[test]
    fn issuing_again_for_the_same_place_changes_nothing() {
        let first = of_kind(Kind::Spoken, 1);
        let again = Issued { expires: Timestamp(9_000), ..first };
        let link = given(&[Event::Issued(first)]);
        assert_eq!(link.decide(&Command::Issue(again), T0), Ok(vec![]));
    }

    #[test]
    fn digits_in_use_are_not_given_to_another_and_dead_ones_are() {
        let other = of_kind(Kind::Spoken, 2);
        let link = given(&[Event::Issued(of_kind(Kind::Spoken, 1))]);
        assert_eq!(link.decide(&Command::Issue(other), T0), Err(Code::KeyReused));
        let later = link.decide(&Command::Issue(other), Timestamp(1_000));
        assert_eq!(later, Ok(vec![Event::Issued(other)]));
        let used =
            given(&[Event::Issued(of_kind(Kind::Spoken, 1)), Event::Exchanged { session: PHONE }]);
        assert_eq!(used.decide(&Command::Issue(other), T0), Ok(vec![Event::Issued(other)]));
    }

    #[test]
    fn a_guessed_code_does_not_learn_why_it_is_wrong() {
        let used =
            given(&[Event::Issued(of_kind(Kind::Spoken, 1)), Event::Exchanged { session: PHONE }]);
        assert_eq!(exchange(&used, TABLET, 0), Err(Code::CodeWrong));
    }
}
