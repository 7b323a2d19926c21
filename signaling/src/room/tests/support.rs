//! The people and the short words of these tests.

pub(super) use super::super::*;
pub(super) use minato_protocol::act::{ContactOutcome, Disposition, Triage};
pub(super) use minato_protocol::view::{HandOver, Why};
pub(super) use minato_protocol::{Person, Pii, RoomId, SiteId, SubjectId, VisitId};

pub(super) const T0: Timestamp = Timestamp(1_700_000_000_000);
/// Heard in the moment in which the absence is written down: nobody is heard later than that.
pub(super) const JUST_NOW: Timestamp = Timestamp(i64::MAX);
pub(super) const ABE: StaffId = StaffId(101);
pub(super) const IDA: StaffId = StaffId(102);
pub(super) const MORI: StaffId = StaffId(103);
/// On no roster.
pub(super) const STRANGER: StaffId = StaffId(199);
pub(super) const NURSE: StaffId = StaffId(201);
pub(super) const SATO: TicketId = TicketId(1);
pub(super) const ITO: TicketId = TicketId(2);
pub(super) const KATO: TicketId = TicketId(3);

pub(super) fn after(seconds: i64) -> Timestamp {
    T0 + Span::seconds(seconds)
}

pub(super) fn minutes(count: i64) -> Timestamp {
    T0 + Span::minutes(count)
}

pub(super) fn opened() -> Event {
    Event::Opened { name: "island".into(), clinic: Clinic::default() }
}

/// Opened, with three doctors on duty; then these events at their times.
pub(super) fn given_at(events: impl IntoIterator<Item = (Timestamp, Event)>) -> Room {
    let mut room = Room::default();
    room.evolve(&opened(), T0);
    room.evolve(&Event::RosterSet { doctors: vec![ABE, IDA, MORI] }, T0);
    for doctor in [ABE, IDA, MORI] {
        room.evolve(&Event::DutySet { doctor, duty: Duty::On }, T0);
    }
    for (at, event) in events {
        room.evolve(&event, at);
    }
    room
}

/// All events at once, [`T0`].
pub(super) fn given(events: impl IntoIterator<Item = Event>) -> Room {
    given_at(events.into_iter().map(|event| (T0, event)))
}

/// Asks and takes in the answer.
pub(super) fn when(room: &mut Room, command: Command, now: Timestamp) -> Vec<Event> {
    let events = room.decide(&command, now).unwrap_or_else(|code| panic!("{command:?}: {code:?}"));
    events.iter().for_each(|event| room.evolve(event, now));
    events
}

pub(super) fn patient(ticket: TicketId, triage: Triage) -> NewTicket {
    let subject = SubjectId(ticket.0);
    let code = format!("K-{}", ticket.0);
    NewTicket { triage, ..NewTicket::standard(ticket, subject, code, Person::default()) }
}

pub(super) fn invited(ticket: TicketId) -> Event {
    Event::Invited { new: patient(ticket, Triage::Standard) }
}

pub(super) fn arrived(ticket: TicketId) -> Event {
    Event::Arrived { ticket }
}

pub(super) const BEDSIDE: Bedside = Bedside { site: SiteId(7), nurse: NURSE };

pub(super) fn admitted(ticket: TicketId) -> Event {
    Event::Admitted { new: patient(ticket, Triage::Standard), bedside: BEDSIDE }
}

pub(super) fn ready(ticket: TicketId, ready: bool) -> Event {
    Event::ReadySet { ticket, ready }
}

pub(super) fn called(ticket: TicketId, doctor: StaffId, epoch: u32) -> Event {
    Event::Called { ticket, doctor, epoch, visit: VisitId(ticket.0) }
}

pub(super) fn answered(ticket: TicketId) -> Event {
    Event::Answered { ticket }
}

pub(super) fn call(ticket: TicketId, doctor: StaffId, epoch: u32) -> Command {
    Command::Call { ticket, doctor, epoch, visit: VisitId(ticket.0) }
}

pub(super) fn end(ticket: TicketId, doctor: StaffId, epoch: u32) -> Command {
    let note = Pii::new(SubjectId(ticket.0), String::new());
    Command::End { ticket, doctor, epoch, disposition: Disposition::Treated, note }
}

/// These patients came in, one a minute, in this order; each standard.
pub(super) fn waiting(tickets: &[TicketId]) -> Room {
    let came = tickets.iter().zip(0..).flat_map(|(ticket, minute)| {
        [(minutes(minute), invited(*ticket)), (minutes(minute), arrived(*ticket))]
    });
    given_at(came)
}

/// Sato is in the visit with Dr Abe under epoch 1.
pub(super) fn sato_with_abe() -> Room {
    given([invited(SATO), arrived(SATO), called(SATO, ABE, 1), answered(SATO)])
}

pub(super) fn queue(room: &Room) -> Vec<TicketId> {
    room.waiting().map(|ticket| ticket.id).collect()
}

pub(super) fn of(room: &Room, ticket: TicketId) -> &Ticket {
    room.ticket(ticket).unwrap()
}
