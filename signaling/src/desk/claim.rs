//! The claim: reserve the doctor, then the bedside nurse, then write `Called` in the room. Whoever
//! comes later finishes or undoes what was left half done, from the streams alone.

use super::Desk;
use crate::aggregate::{Aggregate as _, CommandKey};
use crate::log::StreamId;
use crate::room::{Command, Event, Room, Ticket};
use crate::staff::{Command as StaffCommand, Reservation, Verdict, judge};
use crate::visit::Command as VisitCommand;
use minato_protocol::{Code, RoomId, Span, StaffId, TicketId, VisitId};

/// A reservation without a claim is left alone for so long: its claim may be on its way.
const CLAIM_TAKES_MAX: Span = Span::seconds(3);
/// Next tries so many tickets before it says that nobody can be called.
const TRIES_MAX: usize = 32;

/// A doctor has a patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    /// Which.
    pub ticket: TicketId,
    /// The consultation.
    pub visit: VisitId,
    /// The claim's epoch.
    pub epoch: u32,
}

/// A claim to be made.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    room: RoomId,
    ticket: TicketId,
    doctor: StaffId,
    nurse: Option<StaffId>,
    epoch: u32,
    visit: VisitId,
}

impl Wanted {
    fn reservation(&self) -> Reservation {
        Reservation { room: self.room, ticket: self.ticket, epoch: self.epoch }
    }

    fn call(&self) -> Command {
        let Self { ticket, doctor, epoch, visit, .. } = *self;
        Command::Call { ticket, doctor, epoch, visit }
    }
}

impl Desk {
    /// 呼び入れ: of all doctors who press at once exactly one gets the patient. `pick` names one
    /// patient; without it the first callable one is taken. `visit` is drawn from the key, so that
    /// a repeated press finds its own claim.
    pub async fn call(
        &self,
        room: RoomId,
        doctor: StaffId,
        pick: Option<TicketId>,
        visit: VisitId,
        key: CommandKey,
    ) -> Result<Claimed, Code> {
        if let Some(claimed) = self.claimed_before(room, key).await? {
            return Ok(claimed);
        }
        let mut nurse_busy: Vec<TicketId> = Vec::new();
        for _ in 0..TRIES_MAX {
            let seen = self.room(room).await?;
            if let Some(claimed) = standing_claim(&seen.state, doctor, visit) {
                return Ok(claimed);
            }
            let chosen = match pick {
                Some(ticket) => seen.state.ticket(ticket)?,
                None => seen.state.next_for(doctor, &nurse_busy, self.clock.now())?,
            };
            let wanted = wanted(room, chosen, doctor, visit);
            // What the room would refuse reserves nobody: undoing a reservation beyond the epoch
            // of somebody else's claim would burn that epoch from under its owner.
            seen.state.decide(&wanted.call(), self.clock.now())?;
            match self.claim(wanted, key).await {
                Ok(()) => {
                    self.open_papers(&wanted, chosen).await;
                    let Wanted { ticket, visit, epoch, .. } = wanted;
                    return Ok(Claimed { ticket, visit, epoch });
                }
                Err(code) if pick.is_some() => return Err(code),
                // Skipped by Next; the place is kept.
                Err(Code::NurseBusy) => nurse_busy.push(wanted.ticket),
                // Somebody was faster: look again.
                Err(Code::AlreadyTaken | Code::StaleEpoch | Code::NotWaiting | Code::NotReady) => {}
                Err(code) => return Err(code),
            }
        }
        Err(Code::NobodyCallable)
    }

    /// What this very press brought before, although it may be over by now.
    async fn claimed_before(&self, room: RoomId, key: CommandKey) -> Result<Option<Claimed>, Code> {
        let event = self.rooms.brought_before(&StreamId::room(room), key).await?;
        Ok(match event {
            Some(Event::Called { ticket, epoch, visit, .. }) => {
                Some(Claimed { ticket, visit, epoch })
            }
            Some(_) | None => None,
        })
    }

    /// The hand-over that this very press brought before, although it may be over by now.
    pub async fn handed_over_before(
        &self,
        room: RoomId,
        key: CommandKey,
    ) -> Result<Option<Claimed>, Code> {
        let event = self.rooms.brought_before(&StreamId::room(room), key).await?;
        let Some(Event::HandedOver { ticket, epoch, .. }) = event else { return Ok(None) };
        let visit = self.room(room).await?.state.ticket(ticket)?.visit();
        Ok(visit.map(|visit| Claimed { ticket, visit, epoch }))
    }

    async fn claim(&self, wanted: Wanted, key: CommandKey) -> Result<(), Code> {
        let reservation = wanted.reservation();
        self.reserve(wanted.doctor, StaffCommand::ReserveDoctor(reservation)).await?;
        if let Some(nurse) = wanted.nurse
            && let Err(code) = self.reserve(nurse, StaffCommand::ReserveNurse(reservation)).await
        {
            self.undo(wanted.doctor, reservation).await;
            return Err(code);
        }
        let Wanted { ticket, doctor, epoch, .. } = wanted;
        let called = self.in_room(wanted.room, Some(key), wanted.call()).await;
        let refused = match called {
            Ok(settled) if settled.seen.state.holds(ticket, doctor, epoch) => return Ok(()),
            // The key was carried out before and that claim is over already.
            Ok(_) => Code::AlreadyTaken,
            // Not known whether it was stored: `settle` finds out; nothing is given back here.
            Err(Code::NotDurable) => return Err(Code::NotDurable),
            Err(code) => code,
        };
        if let Some(nurse) = wanted.nurse {
            self.undo(nurse, reservation).await;
        }
        self.undo(doctor, reservation).await;
        Err(refused)
    }

    async fn reserve(&self, staff: StaffId, command: StaffCommand) -> Result<(), Code> {
        self.staff.submit(&StreamId::staff(staff), None, command).await.map(|_| ())
    }

    /// A claim was refused: its reservation is judged at once. It is never simply given back,
    /// since another claim may share it. What fails here is found by the watchman.
    async fn undo(&self, staff: StaffId, reservation: Reservation) {
        let undone = self.bring_into_line(staff, Some(reservation), Span(0)).await;
        if let Err(code) = undone {
            tracing::warn!(?code, "a reservation waits for the watchman");
        }
    }

    /// The papers of a consultation exist from the call on.
    async fn open_papers(&self, wanted: &Wanted, ticket: &Ticket) {
        let papers = VisitCommand::Open {
            room: wanted.room,
            ticket: wanted.ticket,
            subject: ticket.subject,
        };
        let visit = ticket.visit().unwrap_or(wanted.visit);
        if let Err(code) = self.visits.submit(&StreamId::visit(visit), None, papers).await {
            tracing::warn!(?code, "papers are opened at the first entry instead");
        }
    }

    /// The owner changes in one event; before it the new doctor is reserved, after it the old one
    /// is released and the nurse follows.
    pub async fn hand_over(
        &self,
        room: RoomId,
        ticket: TicketId,
        from: StaffId,
        to: StaffId,
        key: CommandKey,
    ) -> Result<Claimed, Code> {
        let seen = self.room(room).await?;
        let known = seen.state.ticket(ticket)?;
        let epoch = known.next_epoch();
        let next = Reservation { room, ticket, epoch };
        // As with a call: what the room would refuse reserves nobody.
        seen.state.decide(&Command::HandOver { ticket, from, to, epoch }, self.clock.now())?;
        self.reserve(to, StaffCommand::ReserveDoctor(next)).await?;
        let command = Command::HandOver { ticket, from, to, epoch };
        match self.in_room(room, Some(key), command).await {
            Ok(settled) if settled.seen.state.holds(ticket, to, epoch) => {}
            Ok(_) | Err(Code::NotDurable) => return Err(Code::NotDurable),
            Err(code) => {
                self.undo(to, next).await;
                return Err(code);
            }
        }
        self.settle(from).await;
        if let Some(bedside) = known.bedside {
            self.settle(bedside.nurse).await;
        }
        let visit = known.visit().ok_or(Code::VisitUnknown)?;
        Ok(Claimed { ticket, visit, epoch })
    }

    /// Brings a reservation into line with the room: kept while its claim stands, renewed when
    /// the claim went on under a later epoch, given back when it is over.
    pub async fn settle(&self, staff: StaffId) {
        if let Err(code) = self.bring_into_line(staff, None, CLAIM_TAKES_MAX).await {
            tracing::debug!(?code, "not settled yet");
        }
    }

    /// `only` this reservation, if one is named. A claim that has not come yet is left alone for
    /// `patience`, then burned in the room, so that it cannot come any more.
    async fn bring_into_line(
        &self,
        staff: StaffId,
        only: Option<Reservation>,
        patience: Span,
    ) -> Result<(), Code> {
        let seen = self.staff.see(&StreamId::staff(staff)).await?;
        let Some((standing, since)) = seen.state.reserved else { return Ok(()) };
        if only.is_some_and(|only| only != standing) {
            return Ok(());
        }
        let Reservation { room, ticket, epoch } = standing;
        let mut verdict = judge(&self.room(room).await?.state, staff, standing);
        if verdict == Verdict::BurnFirst {
            if self.clock.now() - since < patience {
                return Ok(());
            }
            self.in_room(room, None, Command::BurnClaim { ticket, epoch }).await?;
            verdict = judge(&self.room(room).await?.state, staff, standing);
        }
        match verdict {
            Verdict::Stands | Verdict::BurnFirst => Ok(()),
            Verdict::Renew(next) => self.reserve(staff, StaffCommand::Renew(next)).await,
            Verdict::Release => self.reserve(staff, StaffCommand::Release(standing)).await,
        }
    }
}

fn standing_claim(room: &Room, doctor: StaffId, visit: VisitId) -> Option<Claimed> {
    room.claimed()
        .find(|ticket| ticket.owner() == Some(doctor) && ticket.visit() == Some(visit))
        .map(|ticket| Claimed { ticket: ticket.id, visit, epoch: ticket.epoch })
}

fn wanted(room: RoomId, chosen: &Ticket, doctor: StaffId, visit: VisitId) -> Wanted {
    Wanted {
        room,
        ticket: chosen.id,
        doctor,
        nurse: chosen.bedside.map(|bedside| bedside.nurse),
        epoch: chosen.next_epoch(),
        // An interrupted visit goes on with its papers.
        visit: chosen.visit().unwrap_or(visit),
    }
}
