//! A home kit: a subject without a ticket, the rules by which a change of its values calls a
//! doctor, and which of them have fired.
//!
//! [`Kit`] and [`judge`] are pure. [`watch`](watch()) reads what was stored, judges it, and carries
//! what fired into the kit's room.

mod carry;
mod event;
mod judge;
mod register;
mod samples;
mod watch;

pub use event::{Command, Event, NewKit};
pub use judge::{QUIET, RECENT, Sample, Standing, Verdict, judge};
pub use register::{KITS_MAX, Kits, LastSeen};
pub use samples::{Samples, sample_of};
pub use watch::watch;

use crate::aggregate::Aggregate;
use minato_protocol::kit::{ChangeRule, Fired, RULES_MAX, WITHIN_MAX};
use minato_protocol::{Code, Pii, RoomId, Span, StaffId, TicketId, Timestamp};
use std::collections::BTreeMap;

/// Rules that were taken away and are still shown; the log keeps all of them.
pub const TAKEN_MAX: usize = 16;
/// Firings that wait for a room that takes nobody more. With so many a rule that sees something
/// waits to fire.
pub const PENDING_MAX: usize = 64;

/// One rule of a kit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What it says. It never changes: another rule has another number.
    pub is: ChangeRule,
    /// Who set it.
    pub by: StaffId,
    /// Since when it stands.
    pub since: Timestamp,
    /// Values measured after this may fire it; where values are missing, awaited from here.
    pub armed_since: Timestamp,
    /// It fired on a value measured then, and is not back to normal.
    pub fired: Option<Timestamp>,
    /// Who took it away, and when.
    pub taken: Option<(StaffId, Timestamp)>,
}

/// The ticket that the firings of a kit went to last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KitTicket {
    /// In which room.
    pub room: RoomId,
    /// Which.
    pub ticket: TicketId,
    /// It is over: the next firing opens another one.
    pub over: bool,
}

/// One home kit: the fold of its events.
///
/// Law: **a rule fires once until it is back to normal, and a firing reaches one ticket.** That it
/// fired is durable here first, under a number; then which ticket it goes to; then the room's own
/// event names that number. Cut off anywhere, the same steps are gone again, and what the room has
/// already it does not take twice.
///
/// Law: no score is computed. A rule looks at one quantity, and says which value it saw.
#[derive(Debug, Clone, Default)]
pub struct Kit {
    /// Whose, where, by whom; `None` until it is set up.
    pub set_up: Option<(NewKit, Timestamp)>,
    /// It was taken back.
    pub taken_back: bool,
    /// By number, those in force and those taken away last.
    pub rules: BTreeMap<u32, Rule>,
    /// Links and sessions of an older generation are dead.
    pub link_generation: u32,
    /// Until when the newest link can be opened.
    pub link_expires: Option<Timestamp>,
    /// The newest link was opened: its page lasts until then.
    pub opened_until: Option<Timestamp>,
    /// Fired, and not in the room yet.
    pub pending: Vec<Pii<Fired>>,
    /// Where the last ones went.
    pub ticket: Option<KitTicket>,
    /// When the service was away, and for how long: nobody is awaited meanwhile.
    pub away: Vec<(Timestamp, Span)>,
    rules_made: u32,
    firings: u32,
}

impl Kit {
    /// A kit that stands; `KitUnknown` for one that never did or was taken back.
    pub fn standing(&self) -> Result<&NewKit, Code> {
        let set_up = self.set_up.as_ref().filter(|_| !self.taken_back);
        set_up.map(|(new, _)| new).ok_or(Code::KitUnknown)
    }

    /// A kit that stands, or that was taken back with something still on its way.
    pub(crate) fn looked_after(&self) -> Option<&NewKit> {
        let is_busy = !self.pending.is_empty() || self.open_ticket().is_some();
        let (new, _) = self.set_up.as_ref().filter(|_| !self.taken_back || is_busy)?;
        Some(new)
    }

    /// Rules in force, by number.
    pub fn in_force(&self) -> impl Iterator<Item = (u32, &Rule)> {
        let all = self.rules.iter().filter(|_| !self.taken_back);
        all.filter(|(_, rule)| rule.taken.is_none()).map(|(number, rule)| (*number, rule))
    }

    /// How a rule stands, for [`judge`].
    pub fn how_stands<'a>(&'a self, rule: &'a Rule) -> Standing<'a> {
        let Rule { is, armed_since, fired, .. } = rule;
        Standing { is, armed_since: *armed_since, fired: *fired, away: &self.away }
    }

    /// The ticket that is open.
    pub fn open_ticket(&self) -> Option<KitTicket> {
        self.ticket.filter(|ticket| !ticket.over)
    }

    /// The number of the newest firing.
    pub fn last_firing(&self) -> u32 {
        self.firings
    }

    fn rule(&self, number: u32) -> Result<&Rule, Code> {
        self.standing()?;
        let found = self.rules.get(&number).filter(|rule| rule.taken.is_none());
        found.ok_or(Code::RuleUnknown)
    }

    fn set_rule(&self, is: ChangeRule, replaces: Option<u32>, by: StaffId) -> Decided {
        self.standing()?;
        if !is.is_well_formed() {
            return Err(Code::FieldWrong);
        }
        let replaced = replaces.map(|rule| self.rule(rule)).transpose()?;
        if replaced.is_none() && self.in_force().count() >= RULES_MAX {
            return Err(Code::RulesTooMany);
        }
        let taken = replaces.map(|rule| Event::RuleTaken { rule, by });
        let set = Event::RuleSet { rule: self.rules_made + 1, is, by };
        Ok(taken.into_iter().chain([set]).collect())
    }

    fn fire(&self, rule: u32, armed_since: Timestamp, saw: &Fired) -> Decided {
        // Another node, or the same one before it fell, was first.
        let stands = self.rule(rule).is_ok_and(|known| {
            known.fired.is_none() && known.armed_since == armed_since && known.is == saw.rule
        }) && self.pending.len() < PENDING_MAX;
        let Ok(NewKit { subject, .. }) = self.standing() else { return Ok(Vec::new()) };
        let fired = Fired { firing: self.firings + 1, ..*saw };
        let event = Event::Fired { rule, on: saw.at, fired: Pii::new(*subject, fired) };
        Ok(Vec::from_iter(stands.then_some(event)))
    }

    /// Which ticket takes what has fired: the open one, or this new one.
    fn choose(&self, room: RoomId, ticket: TicketId) -> Vec<Event> {
        let is_due = !self.pending.is_empty() && self.open_ticket().is_none();
        // The last ticket's id again would be the last ticket again.
        let is_new = self.ticket.is_none_or(|last| last.ticket != ticket);
        Vec::from_iter((is_due && is_new).then_some(Event::TicketChosen { room, ticket }))
    }

    fn is_open(&self, ticket: TicketId) -> bool {
        self.open_ticket().is_some_and(|open| open.ticket == ticket)
    }
}

type Decided = Result<Vec<Event>, Code>;

impl Aggregate for Kit {
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command, _now: Timestamp) -> Decided {
        let news = |is_news: bool, event: Event| Ok(Vec::from_iter(is_news.then_some(event)));
        match command {
            Command::SetUp(new) => match &self.set_up {
                Some((known, _)) if known.subject != new.subject => Err(Code::Busy),
                known => news(known.is_none(), Event::SetUp(new.clone())),
            },
            Command::RenewLink { expires, by } => {
                self.standing()?;
                let generation = self.link_generation.saturating_add(1);
                Ok(vec![Event::LinkRenewed { generation, expires: *expires, by: *by }])
            }
            Command::NoteOpened { generation, until } => {
                let is_news = self.link_generation == *generation && self.opened_until.is_none();
                news(is_news, Event::LinkOpened { generation: *generation, until: *until })
            }
            Command::SetRule { is, replaces, by } => self.set_rule(*is, *replaces, *by),
            Command::TakeRule { rule, by } => {
                self.rule(*rule)?;
                Ok(vec![Event::RuleTaken { rule: *rule, by: *by }])
            }
            Command::TakeBack { by } => {
                let is_there = self.set_up.is_some();
                let event = Event::TakenBack { by: *by };
                if is_there { news(!self.taken_back, event) } else { Err(Code::KitUnknown) }
            }
            Command::Fire { rule, armed_since, saw } => self.fire(*rule, *armed_since, saw),
            Command::Settle { rule, fired, at } => {
                let stands = self.rule(*rule).is_ok_and(|known| known.fired == Some(*fired));
                news(stands, Event::BackToNormal { rule: *rule, at: *at })
            }
            Command::ChooseTicket { room, ticket } => Ok(self.choose(*room, *ticket)),
            Command::NoteCarried { ticket, up_to } => {
                let is_news = self.is_open(*ticket) && !self.pending.is_empty();
                news(is_news, Event::Carried { ticket: *ticket, up_to: *up_to })
            }
            Command::NoteTicketOver { ticket } => {
                news(self.is_open(*ticket), Event::TicketOver { ticket: *ticket })
            }
            Command::ExtendGraces { span } => {
                let waits = self.in_force().any(|(_, rule)| is_waiting(&rule.is));
                news(span.0 > 0 && waits, Event::ServiceWasAway { span: *span })
            }
        }
    }

    fn evolve(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::SetUp(new) => self.set_up = Some((new.clone(), at)),
            Event::LinkRenewed { generation, expires, .. } => {
                self.link_generation = *generation;
                (self.link_expires, self.opened_until) = (Some(*expires), None);
            }
            Event::LinkOpened { until, .. } => self.opened_until = Some(*until),
            Event::RuleSet { rule, is, by } => {
                let (is, by) = (*is, *by);
                let new = Rule { is, by, since: at, armed_since: at, fired: None, taken: None };
                self.rules_made = self.rules_made.max(*rule);
                self.rules.insert(*rule, new);
            }
            Event::RuleTaken { rule, by } => self.take(*rule, *by, at),
            Event::TakenBack { .. } => {
                self.taken_back = true;
                self.link_generation = self.link_generation.saturating_add(1);
                (self.link_expires, self.opened_until) = (None, None);
            }
            Event::Fired { rule, on, fired } => {
                self.firings += 1;
                self.pending.push(fired.clone());
                if let Some(known) = self.rules.get_mut(rule) {
                    known.fired = Some(*on);
                }
            }
            Event::BackToNormal { rule, at } => {
                if let Some(known) = self.rules.get_mut(rule) {
                    (known.fired, known.armed_since) = (None, *at);
                }
            }
            Event::TicketChosen { room, ticket } => {
                self.ticket = Some(KitTicket { room: *room, ticket: *ticket, over: false });
            }
            Event::Carried { up_to, .. } => self.forget_pending(*up_to),
            Event::TicketOver { .. } => {
                if let Some(ticket) = &mut self.ticket {
                    ticket.over = true;
                }
            }
            Event::ServiceWasAway { span } => {
                // What was awaited before the longest span there is, is not awaited any more.
                self.away.retain(|(then, _)| at - *then <= WITHIN_MAX);
                self.away.push((at, *span));
            }
        }
    }
}

impl Kit {
    fn take(&mut self, rule: u32, by: StaffId, at: Timestamp) {
        if let Some(known) = self.rules.get_mut(&rule) {
            known.taken = Some((by, at));
        }
        let taken = self.rules.iter().filter(|(_, rule)| rule.taken.is_some());
        let taken: Vec<u32> = taken.map(|(number, _)| *number).collect();
        for oldest in taken.iter().take(taken.len().saturating_sub(TAKEN_MAX)) {
            self.rules.remove(oldest);
        }
    }

    /// Firings are numbered from 1 and leave in order: what is still pending are the last ones.
    fn forget_pending(&mut self, up_to: u32) {
        let stay = self.firings.saturating_sub(up_to) as usize;
        let gone = self.pending.len().saturating_sub(stay);
        self.pending.drain(..gone);
    }

    /// The number of the first firing that is still pending.
    pub(crate) fn first_pending(&self) -> u32 {
        let pending = u32::try_from(self.pending.len()).unwrap_or(u32::MAX);
        self.firings.saturating_sub(pending) + 1
    }
}

/// Whether a rule waits for something.
const fn is_waiting(is: &ChangeRule) -> bool {
    match is {
        ChangeRule::Missing { .. } => true,
        ChangeRule::Above { .. } | ChangeRule::Below { .. } | ChangeRule::Changed { .. } => false,
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod watch_tests;
