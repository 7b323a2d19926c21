//! What is walked: the screens, how often they press, which guards stand, and every next step.

use crate::clinic::{Clinic, DOCTORS, NURSE, STAFF, room_of};
use crate::laws;
use crate::process::{Process, Step, Verb};
use crate::settling::Settling;
use minato_protocol::view::Why;
use minato_protocol::{Code, StaffId, TicketId};
use minato_signaling::room::Command;
use stateright::{Model, Property};
use std::collections::HashMap;
use std::sync::Mutex;

/// The guards of the protocol. All stand in the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guards {
    /// An append names the version that it was decided on.
    pub expected_version: bool,
    /// `Call` and `HandOver` name the epoch that the reservations name.
    pub epoch: bool,
    /// A claim that may still come is burnt before its reservation is released.
    pub burn_before_release: bool,
    /// A claim that is refused asks the room before it gives back its own reservations.
    pub undo_asks_the_room: bool,
    /// It looks only at what it reserved itself.
    pub undo_only_its_own: bool,
    /// A reservation whose ticket is still owned under a later epoch is renewed, not released.
    pub renew: bool,
}

impl Guards {
    /// As in the service.
    pub const ALL: Self = Self {
        expected_version: true,
        epoch: true,
        burn_before_release: true,
        undo_asks_the_room: true,
        undo_only_its_own: true,
        renew: true,
    };
}

/// Which verbs are walked; the rest is left to another plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Script {
    /// Next, in both rooms.
    pub next: bool,
    /// Picking any ticket.
    pub pick: bool,
    /// End.
    pub end: bool,
    /// Park and return to the front.
    pub back: bool,
    /// Offer, ask, accept.
    pub hand_over: bool,
}

impl Script {
    fn allows(self, verb: Verb) -> bool {
        match verb {
            Verb::Next(_) => self.next,
            Verb::Pick(_) => self.pick,
            Verb::End(_) => self.end,
            Verb::Park(_) | Verb::Return(_) => self.back,
            Verb::Offer(_) | Verb::Ask(_) | Verb::Accept(_) => self.hand_over,
        }
    }
}

/// Whether everybody can still be seen, by the print of what is durable: a memory of the last law,
/// because many states of the processes share one durable state.
#[derive(Debug, Default)]
pub struct Mendable(pub(crate) Mutex<HashMap<u64, bool>>);

/// A bounded world.
#[derive(Debug)]
pub struct Plan {
    /// One process each.
    pub screens: Vec<StaffId>,
    /// How often each of them presses.
    pub presses: u8,
    /// How often the watchman settles somebody.
    pub rounds: u8,
    /// How often a node dies.
    pub crashes: u8,
    /// How often somebody is refused for no reason.
    pub refusals: u8,
    /// How often the expiry takes a patient back to the front.
    pub expiries: u8,
    /// What the screens press.
    pub script: Script,
    /// Tickets owned from the start, by whom, as complete claims.
    pub claimed: Vec<(TicketId, StaffId)>,
    /// Which guards stand.
    pub guards: Guards,
    /// Starts empty.
    pub mendable: Mendable,
}

impl Plan {
    /// Two doctors who press `presses` times, with all guards.
    pub fn new(presses: u8, script: Script) -> Self {
        Self {
            screens: DOCTORS.to_vec(),
            presses,
            rounds: 1,
            crashes: 1,
            refusals: 0,
            expiries: 0,
            script,
            claimed: Vec::new(),
            guards: Guards::ALL,
            mendable: Mendable::default(),
        }
    }
}

/// Everything at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// What is durable.
    pub clinic: Clinic,
    /// The doctors' processes.
    pub screens: Vec<Process>,
    watchman: Option<Settling>,
    rounds: u8,
    crashes: u8,
    refusals: u8,
    expiries: u8,
    /// What happened on the way here, for the wishes.
    pub handed_over: bool,
    /// A nurse was in another call and her second patient was left out.
    pub skipped: bool,
}

/// One step of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A doctor presses.
    Press(usize, Verb),
    /// A process does its next step.
    Go(usize),
    /// A process is refused for no reason.
    Refuse(usize),
    /// A process dies.
    Crash(usize),
    /// The watchman turns to somebody.
    Watch(StaffId),
    /// The watchman does the next step.
    Settle,
    /// The watchman dies.
    WatchmanCrash,
    /// The doctor's screen was gone too long: back to the front.
    Expire(TicketId),
}

impl Model for Plan {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let mut clinic = Clinic::at_opening();
        for (ticket, doctor) in &self.claimed {
            laws::claim(&mut clinic, *ticket, *doctor).expect("the plan's own claims succeed");
        }
        let screens = self.screens.iter().map(|who| Process::new(*who, self.presses)).collect();
        vec![State {
            clinic,
            screens,
            watchman: None,
            rounds: self.rounds,
            crashes: self.crashes,
            refusals: self.refusals,
            expiries: self.expiries,
            handed_over: false,
            skipped: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (at, screen) in state.screens.iter().enumerate() {
            let verbs = screen.verbs(&state.clinic).into_iter();
            let allowed = verbs.filter(|verb| self.script.allows(*verb));
            actions.extend(allowed.map(|verb| Action::Press(at, verb)));
            if screen.step != Step::Idle {
                actions.push(Action::Go(at));
                actions.extend((state.crashes > 0).then_some(Action::Crash(at)));
            }
            if state.refusals > 0 && screen.may_be_refused().is_some() {
                actions.push(Action::Refuse(at));
            }
        }
        match state.watchman {
            Some(_) => {
                actions.push(Action::Settle);
                actions.extend((state.crashes > 0).then_some(Action::WatchmanCrash));
            }
            None if state.rounds > 0 => {
                let reserved = |who: &StaffId| state.clinic.staff(*who).reserved.is_some();
                actions.extend(STAFF.into_iter().filter(reserved).map(Action::Watch));
            }
            None => {}
        }
        if state.expiries > 0 {
            let owned = state.clinic.tickets().filter(|ticket| ticket.owner().is_some());
            actions.extend(owned.map(|ticket| Action::Expire(ticket.id)));
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut next = last.clone();
        match action {
            Action::Press(at, verb) => {
                next.screens[at].press(verb, &mut next.clinic, self.guards);
            }
            Action::Go(at) => next.go(at, self.guards),
            Action::Refuse(at) => {
                next.refusals -= 1;
                let wanted = next.screens[at].may_be_refused()?;
                next.screens[at].refused(wanted, Code::Busy, self.guards);
            }
            Action::Crash(at) => {
                next.crashes -= 1;
                next.screens[at].crash();
            }
            Action::Watch(who) => {
                next.rounds -= 1;
                next.watchman = Some(Settling::of([who]));
            }
            Action::Settle => {
                next.watchman = next.watchman?.step(&mut next.clinic, self.guards);
            }
            Action::WatchmanCrash => {
                next.crashes -= 1;
                next.watchman = None;
            }
            Action::Expire(id) => {
                next.expiries -= 1;
                next.expire(id)?;
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        laws::properties()
    }
}

impl State {
    fn go(&mut self, at: usize, guards: Guards) {
        let before = self.screens[at].step;
        let had = self.clinic.tickets().map(|ticket| ticket.owner()).collect::<Vec<_>>();
        self.screens[at].go(&mut self.clinic, guards);
        self.skipped |= matches!(
            (before, self.screens[at].step),
            (Step::DoctorReserved(_), Step::Settling { again: Some(_), .. })
        );
        let moved = |(had, has): (&Option<StaffId>, Option<StaffId>)| {
            had.is_some() && has.is_some() && *had != has
        };
        let has = self.clinic.tickets().map(|ticket| ticket.owner());
        self.handed_over |= had.iter().zip(has).any(moved);
    }

    fn expire(&mut self, id: TicketId) -> Option<()> {
        let ticket = self.clinic.ticket(id);
        let (doctor, epoch) = (ticket.owner()?, ticket.epoch);
        let back = Command::ReturnToFront { ticket: id, doctor, epoch, why: Why::DoctorGone };
        self.clinic.ask_room(room_of(id), &back).ok()
    }

    /// Nobody is in the middle of anything.
    pub fn is_quiet(&self) -> bool {
        let idle = |screen: &Process| screen.step == Step::Idle;
        self.watchman.is_none() && self.screens.iter().all(idle)
    }

    /// The nurse's patients who are in a call.
    pub fn nurse_calls(&self) -> usize {
        let hers = |nurse: StaffId| nurse == NURSE;
        let at_bedside = |ticket: &&minato_signaling::room::Ticket| {
            ticket.owner().is_some() && ticket.bedside.is_some_and(|bedside| hers(bedside.nurse))
        };
        self.clinic.tickets().filter(at_bedside).count()
    }
}
