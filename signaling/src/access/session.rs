//! One browser's session: whose it is, whether it was let in, whether it ended. Pure.
//!
//! A session is opened first and let in by a second event, after its link was bound to it. So a
//! crash between the two, or a lost race for the link, leaves a session that opens nothing.

use crate::aggregate::Aggregate;
use minato_protocol::{Code, KitId, RoomId, StaffId, TicketId, Timestamp};
use serde::{Deserialize, Serialize};

/// Whose session it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "who", rename_all = "snake_case")]
pub enum Principal {
    /// A member of staff.
    Staff {
        /// Which.
        staff: StaffId,
        /// The account's generation; it moves on when the account is disabled.
        generation: u32,
    },
    /// A patient with one place.
    Patient {
        /// The waiting room.
        room: RoomId,
        /// The place.
        ticket: TicketId,
        /// The ticket's generation of links.
        generation: u32,
    },
    /// A home kit's page: a place only while a ticket is open.
    Kit {
        /// Which.
        kit: KitId,
        /// The kit's generation of links.
        generation: u32,
    },
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The person left.
    SignedOut,
    /// A transfer code carried it to another browser.
    Moved,
    /// A second device that the clinic did not let in.
    Refused,
}

/// Imperative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Opens it, shut. Opened before for the same principal: nothing happens.
    Open {
        /// Whose.
        principal: Principal,
        /// Until when.
        expires: Timestamp,
    },
    /// Lets it in.
    Allow,
    /// This tablet shows only one patient's side from here on.
    EnterPatientView {
        /// The waiting room.
        room: RoomId,
        /// Whose side.
        ticket: TicketId,
    },
    /// It shows the nurse's again. The PIN is checked before.
    LeavePatientView,
    /// Ends it.
    Close(Why),
}

/// Past tense.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It exists and opens nothing yet.
    Opened {
        /// Whose.
        principal: Principal,
        /// Until when.
        expires: Timestamp,
    },
    /// It opens what its principal may see.
    Allowed,
    /// Only one patient's side is shown.
    PatientViewEntered {
        /// The waiting room.
        room: RoomId,
        /// Whose side.
        ticket: TicketId,
    },
    /// The nurse's side is shown.
    PatientViewLeft,
    /// It is over, for good.
    Closed {
        /// Why.
        why: Why,
    },
}

/// The state of one session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Session {
    /// Whose, and until when; `None` until opened.
    pub opened: Option<(Principal, Timestamp)>,
    /// It was let in.
    pub allowed: bool,
    /// It is over.
    pub closed: Option<Why>,
    /// Only this patient's side is shown.
    pub patient_view: Option<(RoomId, TicketId)>,
}

impl Session {
    fn principal(&self) -> Result<Principal, Code> {
        let (principal, _) = self.opened.ok_or(Code::SignInFirst)?;
        match self.closed {
            None => Ok(principal),
            Some(why) => Err(why.code()),
        }
    }

    fn open(&self, wanted: Principal, expires: Timestamp) -> Result<Vec<Event>, Code> {
        match (self.opened, self.closed) {
            (_, Some(why)) => Err(why.code()),
            (Some((standing, _)), None) if standing == wanted => Ok(Vec::new()),
            (Some(_), None) => Err(Code::KeyReused),
            (None, None) => Ok(vec![Event::Opened { principal: wanted, expires }]),
        }
    }

    fn enter(&self, room: RoomId, ticket: TicketId) -> Result<Vec<Event>, Code> {
        match (self.principal()?, self.patient_view) {
            (Principal::Staff { .. }, None) if self.allowed => {
                Ok(vec![Event::PatientViewEntered { room, ticket }])
            }
            (Principal::Staff { .. }, Some(shown)) if shown == (room, ticket) => Ok(Vec::new()),
            // From one patient's side to another's leads only through the PIN.
            (Principal::Staff { .. } | Principal::Patient { .. } | Principal::Kit { .. }, _) => {
                Err(Code::NotAllowed)
            }
        }
    }

    fn close(&self, why: Why) -> Result<Vec<Event>, Code> {
        match (self.closed, why) {
            (Some(_), _) => Ok(Vec::new()),
            // Yes and no from two people: the first one stands.
            (None, Why::Refused) if self.allowed => Err(Code::NotAllowed),
            (None, Why::SignedOut) if self.patient_view.is_some() => Err(Code::NotAllowed),
            (None, _) => {
                self.principal()?;
                Ok(vec![Event::Closed { why }])
            }
        }
    }
}

impl Why {
    /// What a browser is told that comes with a session that is over.
    pub const fn code(self) -> Code {
        match self {
            Why::SignedOut | Why::Moved => Code::SignInFirst,
            Why::Refused => Code::NotAllowed,
        }
    }
}

impl Aggregate for Session {
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command, _now: Timestamp) -> Result<Vec<Event>, Code> {
        match command {
            Command::Open { principal, expires } => self.open(*principal, *expires),
            Command::Allow => {
                self.principal()?;
                Ok(if self.allowed { Vec::new() } else { vec![Event::Allowed] })
            }
            Command::EnterPatientView { room, ticket } => self.enter(*room, *ticket),
            Command::LeavePatientView => {
                self.principal()?;
                Ok(self.patient_view.map(|_| Event::PatientViewLeft).into_iter().collect())
            }
            Command::Close(why) => self.close(*why),
        }
    }

    fn evolve(&mut self, event: &Event, _at: Timestamp) {
        match event {
            Event::Opened { principal, expires } => self.opened = Some((*principal, *expires)),
            Event::Allowed => self.allowed = true,
            Event::PatientViewEntered { room, ticket } => {
                self.patient_view = Some((*room, *ticket));
            }
            Event::PatientViewLeft => self.patient_view = None,
            Event::Closed { why } => {
                self.closed = Some(*why);
                self.patient_view = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp(0);
    const NURSE: Principal = Principal::Staff { staff: StaffId(1), generation: 0 };
    const SATO: Principal =
        Principal::Patient { room: RoomId(1), ticket: TicketId(1), generation: 0 };
    const SHOW: Command = Command::EnterPatientView { room: RoomId(1), ticket: TicketId(1) };

    fn after(commands: &[Command]) -> Session {
        let mut session = Session::default();
        for command in commands {
            let events = session.decide(command, T0).expect("the story is possible");
            events.iter().for_each(|event| session.evolve(event, T0));
        }
        session
    }

    fn open(principal: Principal) -> Command {
        Command::Open { principal, expires: Timestamp(1_000) }
    }

    #[test]
    fn a_session_that_was_only_opened_is_not_let_in() {
        assert!(!after(&[open(SATO)]).allowed);
        assert!(after(&[open(SATO), Command::Allow]).allowed);
    }

    #[test]
    fn opening_and_allowing_again_changes_nothing() {
        let session = after(&[open(SATO), Command::Allow]);
        assert_eq!(session.decide(&open(SATO), T0), Ok(vec![]));
        assert_eq!(session.decide(&Command::Allow, T0), Ok(vec![]));
        assert_eq!(session.decide(&open(NURSE), T0), Err(Code::KeyReused));
    }

    #[test]
    fn what_is_closed_stays_closed() {
        let refused = after(&[open(SATO), Command::Close(Why::Refused)]);
        assert_eq!(refused.decide(&Command::Allow, T0), Err(Code::NotAllowed));
        assert_eq!(refused.decide(&open(SATO), T0), Err(Code::NotAllowed));
        assert_eq!(refused.decide(&Command::Close(Why::SignedOut), T0), Ok(vec![]));
    }

    #[test]
    fn of_yes_and_no_the_first_one_stands() {
        let allowed = after(&[open(SATO), Command::Allow]);
        let no = Command::Close(Why::Refused);
        assert_eq!(allowed.decide(&no, T0), Err(Code::NotAllowed));
    }

    #[test]
    fn patient_view_is_for_staff_and_shows_one_patient() {
        let tablet = after(&[open(NURSE), Command::Allow, SHOW]);
        let other = Command::EnterPatientView { room: RoomId(1), ticket: TicketId(2) };
        assert_eq!(tablet.decide(&SHOW, T0), Ok(vec![]));
        assert_eq!(tablet.decide(&other, T0), Err(Code::NotAllowed));
        let phone = after(&[open(SATO), Command::Allow]);
        assert_eq!(phone.decide(&SHOW, T0), Err(Code::NotAllowed));
    }

    #[test]
    fn nobody_signs_out_of_patient_view_without_the_pin() {
        let tablet = after(&[open(NURSE), Command::Allow, SHOW]);
        let out = Command::Close(Why::SignedOut);
        assert_eq!(tablet.decide(&out, T0), Err(Code::NotAllowed));
        let back = after(&[open(NURSE), Command::Allow, SHOW, Command::LeavePatientView]);
        assert_eq!(back.decide(&out, T0), Ok(vec![Event::Closed { why: Why::SignedOut }]));
    }
}
