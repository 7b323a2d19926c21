//! decide + evolve + order + view difference, in rooms of growing size.

use minato_protocol::act::{Duty, Triage};
use minato_protocol::view::{Clinic, Why};
use minato_protocol::{
    Person, Pii, Role, RoomId, StaffId, SubjectId, TicketId, Timestamp, VisitId,
};
use minato_signaling::aggregate::Aggregate as _;
use minato_signaling::room::{Command, NewTicket, Room};
use minato_signaling::views::{Table, Viewer, ticket_row};
use std::time::Instant;

const DOCTOR: StaffId = StaffId(1);
const ROOM: RoomId = RoomId(1);
const COMMANDS: u64 = 100_000;

pub(crate) fn run() {
    println!("rules: decide + evolve + order + view difference, one core");
    let mut first = None;
    for waiting in [100, 500, 2_000, 4_500] {
        let per_second = measure(waiting);
        let base = *first.get_or_insert(per_second);
        println!(
            "  {waiting:>5} waiting: {per_second:>9.0} commands/s   cost against 100 waiting: {:.2}",
            base / per_second
        );
    }
}

/// Calls, cancels and changes of triage, each with its row on a doctor's screen.
fn measure(waiting: u64) -> f64 {
    let mut house = House::with(waiting);
    let started = Instant::now();
    for step in 0..COMMANDS {
        house.step(step, waiting);
    }
    COMMANDS as f64 / started.elapsed().as_secs_f64()
}

struct House {
    room: Room,
    table: Table,
    viewer: Viewer,
    now: Timestamp,
    called: Option<(TicketId, u32)>,
}

impl House {
    fn with(waiting: u64) -> Self {
        let viewer = Viewer { role: Role::Doctor, staff: Some(DOCTOR), site: None, ticket: None };
        let mut house = Self {
            room: Room::default(),
            table: Table::default(),
            viewer,
            now: Timestamp(0),
            called: None,
        };
        let clinic = Clinic { name: "clinic".into(), phone: "0".into() };
        house.carry_out(&Command::Open { name: "room".into(), clinic });
        house.carry_out(&Command::SetRoster { doctors: vec![DOCTOR] });
        house.carry_out(&Command::SetDuty { doctor: DOCTOR, duty: Duty::On });
        for id in 0..waiting {
            house.carry_out(&Command::Invite { tickets: vec![ticket(id)] });
            house.carry_out(&Command::Arrive { ticket: TicketId(id) });
        }
        house
    }

    fn carry_out(&mut self, command: &Command) {
        self.now.0 += 1;
        let events = self.room.decide(command, self.now);
        let Ok(events) = events else { panic!("the benchmark's own command was refused") };
        for event in events {
            self.room.evolve(&event, self.now);
            let Some(id) = event.ticket() else { continue };
            let Ok(ticket) = self.room.ticket(id) else { continue };
            let rows = ticket_row(&self.viewer, ROOM, ticket, "2026-11-22").into_iter().collect();
            self.table.apply(rows, Vec::new());
        }
    }

    fn step(&mut self, step: u64, waiting: u64) {
        let any = TicketId(step.wrapping_mul(0x9e37_79b9) % waiting);
        let command = match step % 3 {
            0 => {
                let Ok(next) = self.room.next_for(DOCTOR, &[], self.now) else { return };
                let (ticket, epoch) = (next.id, next.epoch + 1);
                self.called = Some((ticket, epoch));
                Command::Call { ticket, doctor: DOCTOR, epoch, visit: VisitId(step) }
            }
            1 => {
                let Some((ticket, epoch)) = self.called.take() else { return };
                Command::ReturnToFront { ticket, doctor: DOCTOR, epoch, why: Why::CallCancelled }
            }
            _ => {
                let triage = if step.is_multiple_of(2) { Triage::Urgent } else { Triage::Standard };
                Command::SetTriage { ticket: any, triage }
            }
        };
        self.carry_out(&command);
    }
}

fn ticket(id: u64) -> NewTicket {
    let subject = SubjectId(id);
    let person = Person {
        name: "佐藤 ハナ".into(),
        kana: "さとう はな".into(),
        birth_date: "1944-12-01".into(),
        call_back: "0599-00-0001".into(),
        location: "港市港島 2-3".into(),
    };
    NewTicket {
        ticket: TicketId(id),
        code: format!("K-{id}"),
        subject,
        person: Pii::new(subject, person),
        triage: Triage::Standard,
        first_visit: false,
    }
}
