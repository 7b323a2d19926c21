//! One screen's process at the desk: a claim or a hand-over, step by step.

use crate::clinic::{Clinic, DOCTORS, NOW, ROOMS, Seen, TICKETS, room_of, visit_of};
use crate::plan::Guards;
use crate::settling::Settling;
use minato_protocol::act::Disposition;
use minato_protocol::view::{HandOver, Why};
use minato_protocol::{Code, Pii, RoomId, StaffId, SubjectId, TicketId};
use minato_signaling::aggregate::Aggregate;
use minato_signaling::room::{Command, Ticket};
use minato_signaling::staff::{self, Reservation};
use std::sync::Arc;

/// What a doctor may press.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// 呼び入れ of the next one.
    Next(RoomId),
    /// 呼び入れ of one patient.
    Pick(TicketId),
    /// The visit is over.
    End(TicketId),
    /// Interrupted.
    Park(TicketId),
    /// Back to the front.
    Return(TicketId),
    /// Push: offered to the other doctor.
    Offer(TicketId),
    /// Pull: wished by this doctor.
    Ask(TicketId),
    /// Takes what is offered, or grants what is wished.
    Accept(TicketId),
}

/// A claim or a hand-over under way. Whoever runs it knows no more than this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// Who gets the ticket.
    doctor: StaffId,
    /// Who has it now: a hand-over.
    from: Option<StaffId>,
    nurse: Option<StaffId>,
    reservation: Reservation,
    /// Next goes on to the next ticket, leaving these out; a pick gives up.
    next: Option<[bool; 3]>,
}

/// Where a process stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Nothing under way.
    Idle,
    /// Next looks for a ticket, leaving these out.
    Choosing { room: RoomId, skip: [bool; 3] },
    /// Has seen the room and reckoned the epoch.
    Chosen(Wanted),
    /// The doctor is reserved.
    DoctorReserved(Wanted),
    /// The nurse is too, where there is one.
    Reserved(Wanted),
    /// Gives back, then perhaps chooses again.
    Settling { settling: Settling, again: Option<(RoomId, [bool; 3])> },
}

/// One screen.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Process {
    /// Whose.
    pub doctor: StaffId,
    /// How far.
    pub step: Step,
    /// How often it may press yet.
    pub presses: u8,
    /// What it was told: this ticket is yours under this epoch.
    pub told: Option<(TicketId, u32)>,
    /// What it saw, kept only without the guarded append.
    view: Option<Arc<Seen>>,
}

impl Process {
    /// A screen that may press so often.
    pub fn new(doctor: StaffId, presses: u8) -> Self {
        Self { doctor, step: Step::Idle, presses, told: None, view: None }
    }

    /// Everything that can be pressed now.
    pub fn verbs(&self, clinic: &Clinic) -> Vec<Verb> {
        if self.step != Step::Idle || self.presses == 0 {
            return Vec::new();
        }
        let nexts = ROOMS.iter().map(|room| Verb::Next(*room));
        nexts.chain(clinic.tickets().flat_map(|ticket| self.verbs_for(ticket))).collect()
    }

    fn verbs_for(&self, ticket: &Ticket) -> Vec<Verb> {
        let id = ticket.id;
        let granted = |wish: HandOver| {
            if wish.offered { wish.to == self.doctor } else { ticket.owner() == Some(self.doctor) }
        };
        let mut verbs = Vec::new();
        match ticket.owner() {
            Some(owner) if owner == self.doctor => {
                verbs.extend([Verb::End(id), Verb::Park(id), Verb::Return(id), Verb::Offer(id)]);
            }
            Some(_) => verbs.push(Verb::Ask(id)),
            None if !ticket.is_over() => verbs.push(Verb::Pick(id)),
            None => {}
        }
        verbs.extend(ticket.hand_over.filter(|wish| granted(*wish)).map(|_| Verb::Accept(id)));
        verbs
    }

    /// Presses.
    pub fn press(&mut self, verb: Verb, clinic: &mut Clinic, guards: Guards) {
        self.presses -= 1;
        match verb {
            Verb::Next(room) => self.step = Step::Choosing { room, skip: [false; 3] },
            Verb::Pick(ticket) => self.choose(ticket, None, clinic, guards),
            Verb::Accept(ticket) => self.choose_hand_over(ticket, clinic, guards),
            Verb::Offer(_) | Verb::Ask(_) => self.propose(verb, clinic),
            Verb::End(ticket) | Verb::Park(ticket) | Verb::Return(ticket) => {
                self.finish(verb, ticket, clinic);
            }
        }
    }

    /// The room first, then doctor and nurse are settled.
    fn finish(&mut self, verb: Verb, id: TicketId, clinic: &mut Clinic) {
        let ticket = clinic.ticket(id);
        let people = people(self.doctor, nurse_of(ticket));
        let (doctor, epoch) = (self.doctor, ticket.epoch);
        let command = match verb {
            Verb::Park(ticket) => Command::Park { ticket, doctor, epoch },
            Verb::Return(ticket) => {
                Command::ReturnToFront { ticket, doctor, epoch, why: Why::ReturnedByDoctor }
            }
            Verb::End(_)
            | Verb::Next(_)
            | Verb::Pick(_)
            | Verb::Offer(_)
            | Verb::Ask(_)
            | Verb::Accept(_) => end(id, doctor, epoch),
        };
        if clinic.ask_room(room_of(id), &command).is_ok() {
            self.told = None;
            self.step = Step::Settling { settling: Settling::of(people), again: None };
        }
    }

    fn propose(&self, verb: Verb, clinic: &mut Clinic) {
        let (id, command) = match verb {
            Verb::Ask(ticket) => (ticket, Command::AskHandOver { ticket, to: self.doctor }),
            Verb::Offer(ticket)
            | Verb::End(ticket)
            | Verb::Park(ticket)
            | Verb::Return(ticket)
            | Verb::Pick(ticket)
            | Verb::Accept(ticket) => {
                let epoch = clinic.ticket(ticket).epoch;
                let to = other(self.doctor);
                (ticket, Command::OfferHandOver { ticket, from: self.doctor, to, epoch })
            }
            Verb::Next(_) => return,
        };
        // What is refused changes nothing; the doctor sees why and presses again or not.
        let _refused = clinic.ask_room(room_of(id), &command);
    }

    fn choose(&mut self, id: TicketId, next: Option<[bool; 3]>, clinic: &Clinic, guards: Guards) {
        let ticket = clinic.ticket(id);
        let nurse = nurse_of(ticket);
        self.chosen(
            Wanted { doctor: self.doctor, from: None, nurse, reservation: after(ticket), next },
            clinic,
            guards,
        );
    }

    fn choose_hand_over(&mut self, id: TicketId, clinic: &Clinic, guards: Guards) {
        let ticket = clinic.ticket(id);
        let (Some(wish), Some(from)) = (ticket.hand_over, ticket.owner()) else { return };
        let wanted = Wanted {
            doctor: wish.to,
            from: Some(from),
            nurse: None,
            reservation: after(ticket),
            next: None,
        };
        self.chosen(wanted, clinic, guards);
    }

    fn chosen(&mut self, wanted: Wanted, clinic: &Clinic, guards: Guards) {
        let seen = clinic.room(wanted.reservation.room);
        self.view = (!guards.expected_version).then(|| Arc::clone(seen));
        self.step = Step::Chosen(wanted);
    }

    /// One step further.
    pub fn go(&mut self, clinic: &mut Clinic, guards: Guards) {
        match self.step {
            Step::Idle => {}
            Step::Choosing { room, skip } => self.look_for_next(room, skip, clinic, guards),
            Step::Chosen(wanted) => {
                let reserve = staff::Command::ReserveDoctor(wanted.reservation);
                match clinic.ask_staff(wanted.doctor, &reserve) {
                    Ok(()) if wanted.nurse.is_some() => self.step = Step::DoctorReserved(wanted),
                    Ok(()) => self.step = Step::Reserved(wanted),
                    Err(_busy) => self.rest(),
                }
            }
            Step::DoctorReserved(wanted) => {
                let reserve = staff::Command::ReserveNurse(wanted.reservation);
                let nurse = wanted.nurse.expect("only entered with a nurse");
                match clinic.ask_staff(nurse, &reserve) {
                    Ok(()) => self.step = Step::Reserved(wanted),
                    Err(code) => self.refused(wanted, code, guards),
                }
            }
            Step::Reserved(wanted) => match self.take(wanted, clinic, guards) {
                Ok(()) => self.took(wanted, clinic),
                Err(code) => self.refused(wanted, code, guards),
            },
            Step::Settling { settling, again } => match settling.step(clinic, guards) {
                Some(settling) => self.step = Step::Settling { settling, again },
                None => match again {
                    Some((room, skip)) => self.step = Step::Choosing { room, skip },
                    None => self.rest(),
                },
            },
        }
    }

    fn look_for_next(&mut self, room: RoomId, skip: [bool; 3], clinic: &Clinic, guards: Guards) {
        let left_out: Vec<TicketId> =
            TICKETS.iter().zip(skip).filter(|(_, skip)| *skip).map(|(it, _)| it.0).collect();
        match clinic.room(room).room.next_for(self.doctor, &left_out, NOW).map(|ticket| ticket.id) {
            Ok(ticket) => self.choose(ticket, Some(skip), clinic, guards),
            Err(_nobody) => self.rest(),
        }
    }

    /// The one event that makes somebody the owner.
    fn take(&self, wanted: Wanted, clinic: &mut Clinic, guards: Guards) -> Result<(), Code> {
        let Reservation { room, ticket, epoch } = wanted.reservation;
        let epoch = if guards.epoch { epoch } else { clinic.ticket(ticket).epoch + 1 };
        let to = wanted.doctor;
        let command = match wanted.from {
            Some(from) => Command::HandOver { ticket, from, to, epoch },
            None => Command::Call { ticket, doctor: to, epoch, visit: visit_of(ticket) },
        };
        match &self.view {
            None => clinic.ask_room(room, &command),
            // Without an expected version: decided on what was seen, appended to what is.
            Some(view) => {
                let events = view.room.decide(&command, NOW)?;
                clinic.append(room, &events);
                Ok(())
            }
        }
    }

    fn took(&mut self, wanted: Wanted, clinic: &Clinic) {
        let Reservation { ticket, .. } = wanted.reservation;
        self.view = None;
        if wanted.doctor == self.doctor {
            self.told = Some((ticket, clinic.ticket(ticket).epoch));
        }
        self.step = match wanted.from {
            None => Step::Idle,
            Some(from) => {
                let settling = Settling::of(people(from, nurse_of(clinic.ticket(ticket))));
                Step::Settling { settling, again: None }
            }
        };
    }

    fn rest(&mut self) {
        self.view = None;
        self.step = Step::Idle;
    }

    /// Whether a refusal may come here for no reason of the rules.
    pub fn may_be_refused(&self) -> Option<Wanted> {
        match self.step {
            Step::DoctorReserved(wanted) | Step::Reserved(wanted) => Some(wanted),
            Step::Idle | Step::Choosing { .. } | Step::Chosen(_) | Step::Settling { .. } => None,
        }
    }

    /// Undoes what is reserved; Next looks further, leaving a ticket out whose nurse was busy.
    pub fn refused(&mut self, wanted: Wanted, code: Code, guards: Guards) {
        let nurse = wanted.nurse.filter(|_| matches!(self.step, Step::Reserved(_)));
        let people = people(wanted.doctor, nurse);
        self.view = None;
        let again = wanted.next.map(|mut skip| {
            let place = TICKETS.iter().position(|it| it.0 == wanted.reservation.ticket);
            if let Some(place) = place.filter(|_| code == Code::NurseBusy) {
                skip[place] = true;
            }
            (wanted.reservation.room, skip)
        });
        let settling = Settling::undo(people, wanted.reservation, guards);
        self.step = Step::Settling { settling, again };
    }

    /// The node dies: everything it knew is gone, everything durable stays.
    pub fn crash(&mut self) {
        self.told = None;
        self.rest();
    }
}

fn after(ticket: &Ticket) -> Reservation {
    Reservation { room: room_of(ticket.id), ticket: ticket.id, epoch: ticket.epoch + 1 }
}

fn nurse_of(ticket: &Ticket) -> Option<StaffId> {
    ticket.bedside.map(|bedside| bedside.nurse)
}

fn people(doctor: StaffId, nurse: Option<StaffId>) -> impl Iterator<Item = StaffId> {
    std::iter::once(doctor).chain(nurse)
}

fn other(doctor: StaffId) -> StaffId {
    if doctor == DOCTORS[0] { DOCTORS[1] } else { DOCTORS[0] }
}

/// How an owner ends a visit.
pub fn end(ticket: TicketId, doctor: StaffId, epoch: u32) -> Command {
    let note = Pii::new(SubjectId(ticket.0), String::new());
    Command::End { ticket, doctor, epoch, disposition: Disposition::Treated, note }
}
