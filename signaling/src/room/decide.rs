//! What the clinic's rules say to each command. Nothing changes here.

use super::{
    Command, DEVICE_REQUESTS_MAX, Event, NewTicket, OnRoster, Room, Stage, TICKETS_MAX, Ticket,
    UNHEARD_MAX,
};
use minato_protocol::act::{ContactOutcome, Duty, Triage};
use minato_protocol::view::{HandOver, Why};
use minato_protocol::{Code, StaffId, TicketId, Timestamp};
use std::collections::BTreeSet;

type Decided = Result<Vec<Event>, Code>;

pub(super) fn decide(room: &Room, command: &Command, now: Timestamp) -> Decided {
    if let Command::Open { name, clinic } = command {
        return open(room, name, clinic);
    }
    if !room.is_open() {
        return Err(Code::RoomUnknown);
    }
    match command {
        Command::Open { .. } => Ok(Vec::new()),
        Command::SetRoster { doctors } => set_roster(room, doctors),
        Command::SetIntake { closed } => {
            Ok(when(room.intake_closed != *closed, Event::IntakeSet { closed: *closed }))
        }
        Command::Invite { tickets } => invite(room, tickets),
        Command::Arrive { ticket } => arrive(room, *ticket),
        Command::Admit { new, bedside } => {
            make_room_for(room, std::slice::from_ref(new))?;
            Ok(vec![Event::Admitted { new: new.clone(), bedside: *bedside }])
        }
        Command::Raise { new, kit, firings, fired } => {
            super::raised::raise(room, new, *kit, *firings.end(), fired)
        }
        Command::SetReady { ticket, ready } => set_ready(room, *ticket, *ready),
        Command::SetTriage { ticket, triage } => {
            let live = live(room, *ticket)?;
            let event = Event::TriageSet { ticket: *ticket, triage: *triage };
            Ok(when(live.triage != *triage, event))
        }
        Command::RaiseEmergency { ticket } => {
            let live = live(room, *ticket)?;
            Ok(when(live.emergency.is_none(), Event::EmergencyRaised { ticket: *ticket }))
        }
        Command::SetDuty { doctor, duty } => set_duty(room, *doctor, *duty),
        Command::Call { ticket, doctor, epoch, visit } => {
            let called =
                Event::Called { ticket: *ticket, doctor: *doctor, epoch: *epoch, visit: *visit };
            call(room, *ticket, *doctor, *epoch).map(|()| vec![called])
        }
        Command::BurnClaim { ticket, epoch } => burn(room, *ticket, *epoch),
        Command::Answer { ticket, epoch } => answer(room, *ticket, *epoch),
        Command::Cancel { ticket, doctor, epoch } => {
            let owned = room.owned(*ticket, *doctor, *epoch)?;
            let Stage::Called(_) = owned.stage else { return Err(Code::NotWaiting) };
            Ok(vec![Event::CallCancelled { ticket: *ticket, epoch: owned.next_epoch() }])
        }
        Command::ReturnToFront { ticket, doctor, epoch, why } => {
            let epoch = room.owned(*ticket, *doctor, *epoch)?.next_epoch();
            Ok(vec![Event::ReturnedToFront { ticket: *ticket, epoch, why: *why }])
        }
        Command::Park { ticket, doctor, epoch } => {
            let epoch = room.owned(*ticket, *doctor, *epoch)?.next_epoch();
            Ok(vec![Event::Parked { ticket: *ticket, epoch }])
        }
        Command::End { ticket, doctor, epoch, disposition, note } => {
            let epoch = room.owned(*ticket, *doctor, *epoch)?.next_epoch();
            Ok(vec![Event::Ended {
                ticket: *ticket,
                epoch,
                disposition: *disposition,
                note: note.clone(),
            }])
        }
        Command::OfferHandOver { ticket, from, to, epoch } => {
            room.owned(*ticket, *from, *epoch)?;
            propose(room, *ticket, *to, true)
        }
        Command::AskHandOver { ticket, to } => ask_hand_over(room, *ticket, *to),
        Command::DropHandOver { ticket, by } => drop_hand_over(room, *ticket, *by),
        Command::HandOver { ticket, from, to, epoch } => {
            hand_over(room, *ticket, *from, *to, *epoch)
        }
        Command::Leave { ticket } => leave(room, *ticket),
        Command::RecordContact { ticket, outcome } => record_contact(room, *ticket, *outcome),
        Command::ReportDoctorSilent { ticket } => {
            let known = live(room, *ticket)?;
            let claimed = known.claim().ok_or(Code::VisitUnknown).map(|_| ());
            claimed.map(|()| {
                when(known.doctor_silent.is_none(), Event::DoctorSilent { ticket: *ticket })
            })
        }
        Command::SetPatientPresent { ticket, present, heard } => {
            patient_present(room, *ticket, *present, last_heard(*heard, now))
        }
        Command::SetDoctorPresent { doctor, present, heard } => {
            doctor_present(room, *doctor, *present, last_heard(*heard, now))
        }
        Command::RevokeLinks { ticket } => {
            let generation = room.ticket(*ticket)?.link_generation.saturating_add(1);
            Ok(vec![Event::LinksRevoked { ticket: *ticket, generation }])
        }
        Command::OpenPerson { ticket, by } => {
            room.ticket(*ticket)?;
            Ok(vec![Event::PersonOpened { ticket: *ticket, by: *by }])
        }
        Command::AskDevice { ticket, request } => {
            let asked = &live(room, *ticket)?.device_requests;
            let known = asked.contains(request);
            if !known && asked.len() >= DEVICE_REQUESTS_MAX {
                return Err(Code::TooMany);
            }
            let event = Event::DeviceAsked { ticket: *ticket, request: request.clone() };
            Ok(when(!known, event))
        }
        Command::SettleDevice { ticket, request, yes } => {
            if !room.ticket(*ticket)?.device_requests.contains(request) {
                return Err(Code::DeviceUnknown);
            }
            let request = request.clone();
            Ok(vec![Event::DeviceSettled { ticket: *ticket, request, yes: *yes }])
        }
        Command::Expire => Ok(room.due(now)),
        Command::ExtendGraces { span } => {
            Ok(when(span.0 > 0, Event::ServiceWasAway { span: *span }))
        }
    }
}

fn when(so: bool, event: Event) -> Vec<Event> {
    if so { vec![event] } else { Vec::new() }
}

fn live(room: &Room, ticket: TicketId) -> Result<&Ticket, Code> {
    let known = room.ticket(ticket)?;
    if known.is_over() { Err(Code::TicketOver) } else { Ok(known) }
}

fn open(room: &Room, name: &str, clinic: &minato_protocol::view::Clinic) -> Decided {
    let event = Event::Opened { name: name.to_owned(), clinic: clinic.clone() };
    if name.trim().is_empty() { Err(Code::FieldWrong) } else { Ok(when(!room.is_open(), event)) }
}

/// Whoever has a patient here stays on the roster until the patient is with somebody: otherwise
/// nobody would notice that this doctor's screen is gone.
fn set_roster(room: &Room, doctors: &[StaffId]) -> Decided {
    let mut owners = room.claimed().filter_map(Ticket::owner);
    if owners.any(|owner| !doctors.contains(&owner)) {
        return Err(Code::DoctorBusy);
    }
    Ok(vec![Event::RosterSet { doctors: doctors.to_vec() }])
}

fn make_room_for(room: &Room, new: &[NewTicket]) -> Result<(), Code> {
    if room.intake_closed {
        return Err(Code::IntakeClosed);
    }
    let ids: BTreeSet<TicketId> = new.iter().map(|new| new.ticket).collect();
    // An id that is in use would take the place of somebody: the next try draws another.
    if ids.len() < new.len() || ids.iter().any(|id| room.tickets.contains_key(id)) {
        return Err(Code::Busy);
    }
    if room.live.len() + new.len() > TICKETS_MAX { Err(Code::RoomFull) } else { Ok(()) }
}

fn invite(room: &Room, tickets: &[NewTicket]) -> Decided {
    make_room_for(room, tickets)?;
    Ok(tickets.iter().map(|new| Event::Invited { new: new.clone() }).collect())
}

fn arrive(room: &Room, ticket: TicketId) -> Decided {
    let known = live(room, ticket)?;
    // Who was invited before intake closed is still let in.
    Ok(when(known.stage == Stage::Invited, Event::Arrived { ticket }))
}

fn set_ready(room: &Room, ticket: TicketId, ready: bool) -> Decided {
    let known = live(room, ticket)?;
    let set = when(known.ready != ready, Event::ReadySet { ticket, ready });
    let back = ready && matches!(known.stage, Stage::Parked { .. });
    Ok(set.into_iter().chain(when(back, Event::Resumed { ticket })).collect())
}

fn set_duty(room: &Room, doctor: StaffId, duty: Duty) -> Decided {
    let entry = room.roster.get(&doctor).ok_or(Code::DoctorNotNamed)?;
    let has_patient = room.claimed().any(|ticket| ticket.owner() == Some(doctor));
    if duty == Duty::Off && has_patient {
        return Err(Code::DoctorBusy);
    }
    Ok(when(entry.duty != duty, Event::DutySet { doctor, duty }))
}

/// The guard that makes two winners impossible: the ticket is free, and its epoch is exactly the
/// one before the claim's.
fn call(room: &Room, ticket: TicketId, doctor: StaffId, epoch: u32) -> Result<(), Code> {
    let known = live(room, ticket)?;
    if known.claim().is_some() {
        return Err(Code::AlreadyTaken);
    }
    room.roster_entry(doctor)?;
    let free = known.is_waiting() || matches!(known.stage, Stage::Parked { .. });
    if !free {
        return Err(Code::NotWaiting);
    }
    if !known.may_be_called() {
        return Err(Code::NotReady);
    }
    claims_next(known, epoch)
}

fn claims_next(known: &Ticket, epoch: u32) -> Result<(), Code> {
    let next = known.next_epoch();
    if next == epoch && next > known.epoch { Ok(()) } else { Err(Code::StaleEpoch) }
}

fn burn(room: &Room, ticket: TicketId, epoch: u32) -> Decided {
    let known = room.ticket(ticket)?;
    let pending = known.epoch < epoch;
    Ok(when(pending, Event::ClaimBurned { ticket, epoch }))
}

fn answer(room: &Room, ticket: TicketId, epoch: u32) -> Decided {
    let known = live(room, ticket)?;
    match &known.stage {
        Stage::Called(_) if known.epoch == epoch => Ok(vec![Event::Answered { ticket }]),
        Stage::InVisit(_) if known.epoch == epoch => Ok(Vec::new()),
        Stage::Called(_) | Stage::InVisit(_) => Err(Code::StaleEpoch),
        Stage::Invited
        | Stage::Waiting { .. }
        | Stage::Parked { .. }
        | Stage::Unanswered
        | Stage::Ended { .. }
        | Stage::Left => Err(Code::NotWaiting),
    }
}

/// A doctor on a break may still be handed a patient; one who is off may not.
fn may_get(room: &Room, to: StaffId) -> Result<(), Code> {
    let entry = room.roster.get(&to).ok_or(Code::DoctorNotNamed)?;
    if entry.duty == Duty::Off { Err(Code::DoctorOffDuty) } else { Ok(()) }
}

fn propose(room: &Room, ticket: TicketId, to: StaffId, offered: bool) -> Decided {
    may_get(room, to)?;
    let known = room.ticket(ticket)?;
    if known.owner() == Some(to) {
        return Err(Code::NotWaiting);
    }
    let same = known.hand_over == Some(HandOver { to, offered });
    Ok(when(!same, Event::HandOverProposed { ticket, to, offered }))
}

fn ask_hand_over(room: &Room, ticket: TicketId, to: StaffId) -> Decided {
    live(room, ticket)?.claim().ok_or(Code::NotWaiting)?;
    propose(room, ticket, to, false)
}

fn drop_hand_over(room: &Room, ticket: TicketId, by: StaffId) -> Decided {
    let known = live(room, ticket)?;
    let proposal = known.hand_over.ok_or(Code::NoOffer)?;
    if proposal.to != by && known.owner() != Some(by) {
        return Err(Code::NotYours);
    }
    Ok(vec![Event::HandOverDropped { ticket }])
}

fn hand_over(room: &Room, ticket: TicketId, from: StaffId, to: StaffId, epoch: u32) -> Decided {
    let known = live(room, ticket)?;
    let proposal = known.hand_over.ok_or(Code::NoOffer)?;
    if known.owner() != Some(from) || proposal.to != to {
        return Err(Code::NotYours);
    }
    claims_next(known, epoch)?;
    may_get(room, to)?;
    Ok(vec![Event::HandedOver { ticket, from, to, epoch }])
}

fn leave(room: &Room, ticket: TicketId) -> Decided {
    let known = room.ticket(ticket)?;
    if known.is_over() {
        return Ok(Vec::new());
    }
    // Somebody in a call does not vanish from under the doctor: the doctor ends the visit.
    if known.claim().is_some() {
        return Err(Code::NotWaiting);
    }
    Ok(vec![Event::Left { ticket, why: Why::GaveUp }])
}

fn record_contact(room: &Room, ticket: TicketId, outcome: ContactOutcome) -> Decided {
    match live(room, ticket)?.stage {
        Stage::Unanswered => Ok(vec![Event::ContactRecorded { ticket, outcome }]),
        Stage::Invited
        | Stage::Waiting { .. }
        | Stage::Called(_)
        | Stage::InVisit(_)
        | Stage::Parked { .. }
        | Stage::Ended { .. }
        | Stage::Left => Err(Code::NotWaiting),
    }
}

/// A grace begins with the last sign of life, but never long before anybody could be told: what
/// lies further back is time in which the service itself did not look.
fn last_heard(heard: Timestamp, now: Timestamp) -> Option<Timestamp> {
    Some(heard.min(now).max(now - UNHEARD_MAX))
}

fn patient_present(
    room: &Room,
    ticket: TicketId,
    present: bool,
    since: Option<Timestamp>,
) -> Decided {
    let known = room.ticket(ticket)?;
    if known.is_over() || known.stage == Stage::Invited {
        return Ok(Vec::new());
    }
    Ok(match (present, known.away_since) {
        (false, None) => vec![Event::PatientAway { ticket, since }],
        (true, Some(_)) => {
            // Back from an interruption, or heard of again before anybody had to telephone.
            let returns = match known.stage {
                Stage::Parked { .. } => known.ready,
                Stage::Unanswered => known.why == Why::GraceOver,
                Stage::Invited
                | Stage::Waiting { .. }
                | Stage::Called(_)
                | Stage::InVisit(_)
                | Stage::Ended { .. }
                | Stage::Left => false,
            };
            let resumed = when(returns, Event::Resumed { ticket });
            std::iter::once(Event::PatientBack { ticket }).chain(resumed).collect()
        }
        (true, None) | (false, Some(_)) => Vec::new(),
    })
}

fn doctor_present(
    room: &Room,
    doctor: StaffId,
    present: bool,
    since: Option<Timestamp>,
) -> Decided {
    let Some(OnRoster { duty, away_since }) = room.roster.get(&doctor).copied() else {
        return Ok(Vec::new());
    };
    Ok(match (present, away_since) {
        (false, None) if duty != Duty::Off => vec![Event::DoctorAway { doctor, since }],
        (true, Some(_)) => vec![Event::DoctorBack { doctor }],
        (true | false, _) => Vec::new(),
    })
}

/// Emergencies keep their lane wherever they go.
pub(super) fn triage_now(ticket: &Ticket) -> Triage {
    if ticket.emergency.is_some() { Triage::Emergency } else { ticket.triage }
}
