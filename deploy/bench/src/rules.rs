//! decide + evolve + order + view difference, in rooms of growing size: what the service does for a
//! command between the log and a doctor's screen, the copy for the screens included.

use minato_protocol::act::{Disposition, Duty, Triage};
use minato_protocol::view::Clinic;
use minato_protocol::{
    Person, Pii, Role, RoomId, Span, StaffId, SubjectId, TicketId, Timestamp, VisitId,
};
use minato_signaling::aggregate::Aggregate as _;
use minato_signaling::desk::Seen;
use minato_signaling::feed::{Around, List, Lists};
use minato_signaling::room::{Command, NewTicket, Room};
use minato_signaling::views::{Cards, Table, Viewer, place};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

const DOCTOR: StaffId = StaffId(1);
const ROOM: RoomId = RoomId(1);
const LISTS: [List; 4] = [List::Rooms, List::Tickets, List::Doctors, List::Alerts];
const COMMANDS: u64 = 100_000;
const ROUNDS: usize = 5;
const SIZES: [u64; 4] = [100, 500, 2_000, 4_500];
/// Between two commands: those who are over stay in the room for a day.
const APART: Span = Span::minutes(1);
const GOAL: f64 = 100_000.0;

pub(crate) fn run() {
    println!(
        "rules: decide + evolve + order + a doctor's lists, one core, median of {ROUNDS} runs"
    );
    // Sizes take turns, so that a busy moment of the machine is nobody's alone.
    let mut runs = SIZES.map(|_| Vec::new());
    for _ in 0..ROUNDS {
        for (waiting, runs) in SIZES.iter().zip(&mut runs) {
            runs.push(measure(*waiting));
        }
    }
    let medians = runs.map(crate::forward::median);
    let [first, ..] = medians;
    let [smallest, ..] = SIZES;
    for (waiting, per_second) in SIZES.iter().zip(medians) {
        let of_logs = (*waiting as f64).ln() / (smallest as f64).ln();
        println!(
            "  {waiting:>5} waiting: {per_second:>9.0} commands/s (goal with 500: {GOAL:.0})   cost \
             against {smallest} waiting: {:.2} (logarithms: {of_logs:.2})",
            first / per_second
        );
    }
}

/// One visit after the other, with somebody new for each who went, and changes of triage.
fn measure(waiting: u64) -> f64 {
    let mut house = House::with(waiting);
    let started = Instant::now();
    for step in 0..COMMANDS {
        house.step(step);
    }
    COMMANDS as f64 / started.elapsed().as_secs_f64()
}

/// A room, and a doctor's screen that looks after every command.
struct House {
    rooms: [(RoomId, Arc<Seen<Room>>); 1],
    lists: Lists,
    tables: [Table; 4],
    cards: Cards,
    now: Timestamp,
    waiting: u64,
    next_id: u64,
    called: Option<(TicketId, u32)>,
}

impl House {
    fn with(waiting: u64) -> Self {
        let (staff, site, ticket, kit) = (Some(DOCTOR), None, None, None);
        let viewer = Viewer { role: Role::Doctor, staff, site, ticket, kit };
        let mut house = Self {
            rooms: [(ROOM, Arc::new(Seen::default()))],
            lists: Lists::new(viewer),
            tables: Default::default(),
            cards: Cards::default(),
            now: Timestamp(0),
            waiting,
            next_id: 0,
            called: None,
        };
        let clinic = Clinic { name: "clinic".into(), phone: "0".into() };
        house.carry_out(&Command::Open { name: "room".into(), clinic });
        house.carry_out(&Command::SetRoster { doctors: vec![DOCTOR] });
        house.carry_out(&Command::SetDuty { doctor: DOCTOR, duty: Duty::On });
        for _ in 0..waiting {
            let new = house.invite();
            house.carry_out(&Command::Arrive { ticket: new });
        }
        house
    }

    fn invite(&mut self) -> TicketId {
        let id = TicketId(self.next_id);
        self.next_id += 1;
        self.carry_out(&Command::Invite { tickets: vec![ticket(id.0)] });
        id
    }

    fn state(&self) -> &Room {
        &self.rooms[0].1.state
    }

    /// As the keeper of a stream and a connected screen do it, but for the log between them.
    fn carry_out(&mut self, command: &Command) {
        self.now = self.now + APART;
        let [(_, seen)] = &mut self.rooms;
        let events = seen.state.decide(command, self.now);
        let Ok(events) = events else { panic!("the benchmark's own command was refused") };
        let mut state = seen.state.clone();
        events.iter().for_each(|event| state.evolve(event, self.now));
        *seen = Arc::new(Seen { state, version: seen.version + events.len() as u64 });
        for event in &events {
            // The patient's own page: how many come before.
            let Some(Ok(own)) = event.ticket().map(|id| seen.state.ticket(id)) else { continue };
            black_box(place(&seen.state, own, &self.cards));
        }
        self.look();
    }

    fn look(&mut self) {
        let around = Around { rooms: &self.rooms, cards: &self.cards, today: "2026-11-22" };
        for (list, table) in LISTS.into_iter().zip(&mut self.tables) {
            black_box(self.lists.news(list, table, around));
        }
    }

    fn step(&mut self, step: u64) {
        match (step % 6, self.called) {
            (0, _) => {
                let Ok(next) = self.state().next_for(DOCTOR, &[], self.now) else {
                    panic!("somebody always waits")
                };
                let (ticket, epoch) = (next.id, next.next_epoch());
                self.called = Some((ticket, epoch));
                let visit = VisitId(step);
                self.carry_out(&Command::Call { ticket, doctor: DOCTOR, epoch, visit });
            }
            (1, Some((ticket, epoch))) => self.carry_out(&Command::Answer { ticket, epoch }),
            (2, Some((ticket, epoch))) => {
                let note = Pii::new(SubjectId(ticket.0), String::new());
                let disposition = Disposition::Treated;
                self.carry_out(&Command::End { ticket, doctor: DOCTOR, epoch, disposition, note });
            }
            (3, _) => {
                self.invite();
            }
            (4, _) => {
                let ticket = TicketId(self.next_id - 1);
                self.carry_out(&Command::Arrive { ticket });
            }
            _ => {
                // One of the last who came; where that one is over, whoever is next.
                let back = step.wrapping_mul(0x9e37_79b9) % self.waiting;
                let any = self.state().ticket(TicketId(self.next_id - 1 - back));
                let any = any.ok().filter(|ticket| ticket.is_waiting());
                let next = || self.state().next_for(DOCTOR, &[], self.now).ok();
                let Some(ticket) = any.or_else(next).map(|ticket| ticket.id) else { return };
                let triage = if step.is_multiple_of(4) { Triage::Urgent } else { Triage::Standard };
                self.carry_out(&Command::SetTriage { ticket, triage });
            }
        }
    }
}

fn ticket(id: u64) -> NewTicket {
    let person = Person {
        name: "佐藤 ハナ".into(),
        kana: "さとう はな".into(),
        birth_date: "1944-12-01".into(),
        call_back: "0599-00-0001".into(),
        location: "港市港島 2-3".into(),
    };
    NewTicket::standard(TicketId(id), SubjectId(id), format!("K-{id}"), person)
}
