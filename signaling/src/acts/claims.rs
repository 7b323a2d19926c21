//! A doctor's verbs: duty, calling in, handing over, ending.

use super::{Acted, Press, Refusal};
use crate::desk::Claimed;
use crate::log::StreamId;
use crate::room::{Command, Ticket};
use crate::visit::Command as VisitCommand;
use minato_protocol::act::{Disposition, Duty, Outcome};
use minato_protocol::view::Why;
use minato_protocol::{Code, RoomId, Span, StaffId, TicketId, VisitId};

/// Two presses within so long are "at once".
const AT_ONCE: Span = Span::seconds(3);

impl Press<'_> {
    pub(super) async fn set_duty(&self, room: RoomId, duty: Duty) -> Acted {
        let doctor = self.doctor()?;
        self.known_room(room)?;
        self.in_room(room, Command::SetDuty { doctor, duty }).await
    }

    pub(super) async fn call(&self, room: RoomId, pick: Option<TicketId>) -> Acted {
        let doctor = self.doctor()?;
        self.known_room(room)?;
        let desk = &self.edge.desk;
        let visit = VisitId(desk.secrets.derive_id("visit", &self.key.id.to_be_bytes()));
        match desk.call(room, doctor, pick, visit, self.key).await {
            Ok(claimed) => Ok(Outcome::Called {
                ticket: claimed.ticket,
                visit: claimed.visit,
                epoch: claimed.epoch,
            }),
            Err(code @ (Code::AlreadyTaken | Code::NobodyCallable)) => {
                Err(self.lost(room, doctor, pick, code).await)
            }
            Err(code) => Err(code.into()),
        }
    }

    /// Whoever pressed at the same time and lost is told who has the patient: the owner of the
    /// picked one, or with Next the colleague who was called a patient a moment ago.
    async fn lost(
        &self,
        room: RoomId,
        doctor: StaffId,
        pick: Option<TicketId>,
        code: Code,
    ) -> Refusal {
        let Ok(seen) = self.edge.desk.room(room).await else { return code.into() };
        let now = self.edge.desk.clock.now();
        let just_now = |ticket: &&Ticket| {
            let claim = ticket.claim().filter(|claim| claim.doctor != doctor);
            claim.is_some_and(|claim| now - claim.since <= AT_ONCE)
        };
        let taken = match pick {
            Some(ticket) => seen.state.ticket(ticket).ok(),
            None => seen.state.live().filter(just_now).max_by_key(|t| t.claim().map(|c| c.since)),
        };
        match taken.and_then(Ticket::owner) {
            Some(owner) => Refusal { code: Code::AlreadyTaken, by: Some(self.edge.name_of(owner)) },
            None => code.into(),
        }
    }

    pub(super) async fn cancel_call(&self, ticket: TicketId, epoch: u32) -> Acted {
        let (room, known) = self.ticket(ticket).await?;
        let doctor = self.doctor()?;
        let acted = self.in_room(room, Command::Cancel { ticket, doctor, epoch }).await;
        self.settle(&known).await;
        acted
    }

    pub(super) async fn answer(&self, ticket: TicketId, epoch: u32) -> Acted {
        let (room, known) = self.ticket(ticket).await?;
        // Nobody at home sits at the page: the doctor telephones, and the visit begins with that.
        let by_telephone = |_| self.owner(&known).map(drop).map_err(|_| Code::NotAllowed);
        match known.kit() {
            Some(_) => self.at_the_bed(room, &known).or_else(by_telephone)?,
            None => self.at_the_bed(room, &known)?,
        }
        self.in_room(room, Command::Answer { ticket, epoch }).await
    }

    pub(super) async fn park(&self, ticket: TicketId, epoch: u32) -> Acted {
        let (room, known) = self.ticket(ticket).await?;
        let doctor = self.doctor()?;
        let acted = self.in_room(room, Command::Park { ticket, doctor, epoch }).await;
        self.settle(&known).await;
        acted
    }

    pub(super) async fn return_to_front(&self, ticket: TicketId, epoch: u32) -> Acted {
        let (room, known) = self.ticket(ticket).await?;
        let doctor = self.doctor()?;
        let why = Why::ReturnedByDoctor;
        let command = Command::ReturnToFront { ticket, doctor, epoch, why };
        let acted = self.in_room(room, command).await;
        self.settle(&known).await;
        acted
    }

    pub(super) async fn end_visit(
        &self,
        ticket: TicketId,
        epoch: u32,
        disposition: Disposition,
        note: String,
    ) -> Acted {
        let (room, known) = self.ticket(ticket).await?;
        let doctor = self.doctor()?;
        // Who has to be seen in person is told where.
        if disposition == Disposition::Unsuitable && note.trim().is_empty() {
            return Err(Code::FieldWrong.into());
        }
        if note.chars().count() > crate::visit::TEXT_CHARS_MAX {
            return Err(Code::FieldWrong.into());
        }
        if is_treatment(disposition) && known.owner() == Some(doctor) && known.epoch == epoch {
            self.may_be_treated(&known).await?;
        }
        let note = self.private(&known, note);
        let end = Command::End { ticket, doctor, epoch, disposition, note: note.clone() };
        self.in_room(room, end).await?;
        self.close_papers(&known, disposition, note).await;
        self.settle(&known).await;
        Ok(Outcome::Done)
    }

    /// Nobody is sent home as treated whom nobody knows or asked. Whoever presses too late or
    /// without the patient learns that from the room.
    async fn may_be_treated(&self, ticket: &Ticket) -> Result<(), Code> {
        let visit = ticket.visit().ok_or(Code::VisitUnknown)?;
        let papers = self.edge.desk.visits.see(&StreamId::visit(visit)).await?;
        // 急変 from before the call is in the room's stream alone.
        papers.state.may_be_treated(ticket.emergency.is_some())
    }

    /// The room's event ended the visit; the papers follow, and may be late.
    async fn close_papers(
        &self,
        ticket: &Ticket,
        disposition: Disposition,
        note: minato_protocol::Pii<String>,
    ) {
        let Some(visit) = ticket.visit() else { return };
        let close = VisitCommand::Close { disposition: Some(disposition), note };
        let closed = self.edge.desk.visits.submit(&StreamId::visit(visit), None, close).await;
        if let Err(code) = closed {
            tracing::warn!(?code, %visit, "papers stay open");
        }
    }

    pub(super) async fn offer_hand_over(&self, ticket: TicketId, epoch: u32, to: StaffId) -> Acted {
        let (room, _) = self.ticket(ticket).await?;
        let from = self.doctor()?;
        self.in_room(room, Command::OfferHandOver { ticket, from, to, epoch }).await
    }

    pub(super) async fn ask_hand_over(&self, ticket: TicketId) -> Acted {
        let (room, _) = self.ticket(ticket).await?;
        let to = self.doctor()?;
        self.in_room(room, Command::AskHandOver { ticket, to }).await
    }

    /// The colleague takes what was offered, or the owner grants what was asked.
    pub(super) async fn accept_hand_over(&self, ticket: TicketId, epoch: u32) -> Acted {
        let doctor = self.doctor()?;
        let (room, known) = self.ticket(ticket).await?;
        let desk = &self.edge.desk;
        if let Some(claimed) = desk.handed_over_before(room, self.key).await? {
            let Claimed { ticket, visit, epoch } = claimed;
            return Ok(Outcome::Called { ticket, visit, epoch });
        }
        let proposal = known.hand_over.ok_or(Code::NoOffer)?;
        let from = known.owner().ok_or(Code::NotWaiting)?;
        if known.epoch != epoch {
            return Err(Code::StaleEpoch.into());
        }
        let may = if proposal.offered { doctor == proposal.to } else { doctor == from };
        if !may {
            return Err(Code::NotYours.into());
        }
        let claimed = desk.hand_over(room, ticket, from, proposal.to, self.key).await?;
        Ok(Outcome::Called { ticket, visit: claimed.visit, epoch: claimed.epoch })
    }

    pub(super) async fn decline_hand_over(&self, ticket: TicketId, epoch: u32) -> Acted {
        let (room, known) = self.ticket(ticket).await?;
        let by = self.doctor()?;
        if known.epoch != epoch {
            return Err(Code::StaleEpoch.into());
        }
        self.in_room(room, Command::DropHandOver { ticket, by }).await
    }
}

/// Endings that say that the patient was treated.
const fn is_treatment(disposition: Disposition) -> bool {
    match disposition {
        Disposition::Treated | Disposition::FollowUp => true,
        Disposition::Unsuitable | Disposition::EmergencyTransfer | Disposition::Refused => false,
    }
}
