//! What must be true in every state, and what must be possible at all.

use crate::clinic::{Clinic, DOCTORS, STAFF, TICKETS, room_of, visit_of};
use crate::plan::{Guards, Plan, State};
use crate::process::end;
use crate::settling::Settling;
use minato_protocol::{Code, StaffId, TicketId};
use minato_signaling::room::{Command, Stage, Ticket};
use minato_signaling::staff::{self, Reservation, Verdict, judge};
use stateright::Property;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::PoisonError;

/// True in every state that can be reached.
pub const LAWS: [&str; 8] = [
    "a doctor owns at most one ticket over all rooms",
    "a nurse is in at most one call",
    "whoever owns a ticket is reserved for it, and so is its nurse",
    "owners change only by the event that says so, and then the epoch rises",
    "who was told that a patient is theirs owns the patient under that epoch",
    "no ticket is lost",
    "claims do not burn each other for ever",
    "from here on everybody can be seen after the watchman's rounds",
];

/// Possible at all, so that the laws are not kept by doing nothing.
pub const WISHES: [&str; 4] = [
    "both doctors have a patient",
    "a hand-over is complete",
    "next leaves out a patient whose nurse is in another call",
    "a claim is left half done",
];

/// No plan presses often enough to get here, unless something goes round in circles.
const EPOCH_MAX: u32 = 16;

pub(crate) fn properties() -> Vec<Property<Plan>> {
    vec![
        Property::always(LAWS[0], |_, state: &State| {
            DOCTORS.iter().all(|doctor| owned_by(&state.clinic, *doctor).count() <= 1)
        }),
        Property::always(LAWS[1], |_, state: &State| state.nurse_calls() <= 1),
        Property::always(LAWS[2], |_, state: &State| {
            state.clinic.tickets().all(|ticket| is_reserved_for(&state.clinic, ticket))
        }),
        Property::always(LAWS[3], |_, state: &State| {
            !state.clinic.ghost.owner_jumped && !state.clinic.ghost.epoch_stood
        }),
        Property::always(LAWS[4], what_was_told_is_true),
        Property::always(LAWS[5], |_, state: &State| nobody_is_lost(&state.clinic)),
        Property::always(LAWS[6], |_, state: &State| {
            state.clinic.tickets().all(|ticket| ticket.epoch <= EPOCH_MAX)
        }),
        Property::always(LAWS[7], |plan, state: &State| is_mendable(plan, &state.clinic)),
        Property::sometimes(WISHES[0], |_, state: &State| {
            DOCTORS.iter().all(|doctor| owned_by(&state.clinic, *doctor).count() == 1)
        }),
        Property::sometimes(WISHES[1], |_, state: &State| state.handed_over && state.is_quiet()),
        Property::sometimes(WISHES[2], |_, state: &State| state.skipped),
        Property::sometimes(WISHES[3], |_, state: &State| {
            state.is_quiet() && STAFF.iter().any(|who| !stands(&state.clinic, *who))
        }),
    ]
}

fn owned_by(clinic: &Clinic, doctor: StaffId) -> impl Iterator<Item = &Ticket> {
    clinic.tickets().filter(move |ticket| ticket.owner() == Some(doctor))
}

fn is_reserved_for(clinic: &Clinic, ticket: &Ticket) -> bool {
    let Some(owner) = ticket.owner() else { return true };
    let people = [Some(owner), ticket.bedside.map(|bedside| bedside.nurse)];
    people.into_iter().flatten().all(|who| {
        clinic.staff(who).reserved.is_some_and(|(standing, _)| {
            (standing.room, standing.ticket) == (room_of(ticket.id), ticket.id)
                && standing.epoch <= ticket.epoch
        })
    })
}

fn what_was_told_is_true(_: &Plan, state: &State) -> bool {
    state.screens.iter().all(|screen| {
        screen.told.is_none_or(|(id, epoch)| {
            let ticket = state.clinic.ticket(id);
            ticket.epoch != epoch || ticket.owner() == Some(screen.doctor)
        })
    })
}

fn nobody_is_lost(clinic: &Clinic) -> bool {
    clinic.tickets().all(|ticket| {
        let room = &clinic.room(room_of(ticket.id)).room;
        let places = room.waiting().filter(|other| other.id == ticket.id).count();
        match &ticket.stage {
            Stage::Waiting { .. } => places == 1,
            Stage::Called(_) | Stage::InVisit(_) | Stage::Parked { .. } => {
                places == 0 && room.live().any(|other| other.id == ticket.id)
            }
            Stage::Ended { .. } => places == 0,
            Stage::Invited | Stage::Unanswered | Stage::Left => false,
        }
    })
}

fn stands(clinic: &Clinic, who: StaffId) -> bool {
    clinic.staff(who).reserved.is_none_or(|(standing, _)| {
        judge(&clinic.room(standing.room).room, who, standing) == Verdict::Stands
    })
}

/// Every process dies here. The watchman goes round; then no reservation dangles. Then every owner
/// can end, and every patient who is not over can be called and ended by either doctor.
fn is_mendable(plan: &Plan, clinic: &Clinic) -> bool {
    let mut hasher = DefaultHasher::new();
    clinic.hash(&mut hasher);
    let print = hasher.finish();
    let known = plan.mendable.0.lock().unwrap_or_else(PoisonError::into_inner).get(&print).copied();
    known.unwrap_or_else(|| {
        let mendable = mend(clinic.clone()).is_ok();
        plan.mendable.0.lock().unwrap_or_else(PoisonError::into_inner).insert(print, mendable);
        mendable
    })
}

fn mend(mut clinic: Clinic) -> Result<(), Code> {
    go_round(&mut clinic)?;
    let owned: Vec<_> = clinic.tickets().filter_map(|it| Some((it.id, it.owner()?))).collect();
    for (ticket, doctor) in owned {
        finish(&mut clinic, ticket, doctor)?;
    }
    for (number, (ticket, room, _)) in TICKETS.iter().enumerate() {
        if !clinic.ticket(*ticket).is_over() {
            let doctor = DOCTORS[number % 2];
            debug_assert_eq!(*room, room_of(*ticket));
            claim(&mut clinic, *ticket, doctor)?;
            finish(&mut clinic, *ticket, doctor)?;
        }
    }
    Ok(())
}

/// Settles everybody twice, because burning for one may ask for a renewal of another. Afterwards
/// every reservation stands.
fn go_round(clinic: &mut Clinic) -> Result<(), Code> {
    for _ in 0..2 {
        let mut settling = Some(Settling::of(STAFF));
        while let Some(now) = settling {
            settling = now.step(clinic, Guards::ALL);
        }
    }
    let clean = STAFF.iter().all(|who| stands(clinic, *who));
    if clean { Ok(()) } else { Err(Code::DoctorBusy) }
}

fn finish(clinic: &mut Clinic, ticket: TicketId, doctor: StaffId) -> Result<(), Code> {
    let epoch = clinic.ticket(ticket).epoch;
    clinic.ask_room(room_of(ticket), &end(ticket, doctor, epoch))?;
    go_round(clinic)
}

/// A whole claim with nobody between.
pub(crate) fn claim(clinic: &mut Clinic, id: TicketId, doctor: StaffId) -> Result<(), Code> {
    let ticket = clinic.ticket(id);
    let nurse = ticket.bedside.map(|bedside| bedside.nurse);
    let reservation =
        Reservation { room: room_of(id), ticket: id, epoch: ticket.epoch.saturating_add(1) };
    clinic.ask_staff(doctor, &staff::Command::ReserveDoctor(reservation))?;
    if let Some(nurse) = nurse {
        clinic.ask_staff(nurse, &staff::Command::ReserveNurse(reservation))?;
    }
    let epoch = reservation.epoch;
    clinic.ask_room(room_of(id), &Command::Call { ticket: id, doctor, epoch, visit: visit_of(id) })
}
