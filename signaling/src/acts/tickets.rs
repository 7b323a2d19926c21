//! Verbs about a place in the waiting room.

use super::{Acted, Press};
use crate::room::{Bedside, Command, NewTicket, Room, free_code};
use crate::visit::Command as VisitCommand;
use minato_protocol::act::{ContactOutcome, Outcome, Triage};
use minato_protocol::{Code, Person, Pii, Role, RoomId, SubjectId, TicketId};

/// A room's name is at most so long.
const ROOM_NAME_CHARS_MAX: usize = 60;

impl Press<'_> {
    pub(super) async fn open_room(&self, name: String) -> Acted {
        self.coordinator()?;
        if name.chars().count() > ROOM_NAME_CHARS_MAX {
            return Err(Code::FieldWrong.into());
        }
        let desk = &self.edge.desk;
        let room = RoomId(desk.secrets.derive_id("room", &self.key.id.to_be_bytes()));
        let clinic = self.edge.register.clinic()?;
        let opened = desk.in_room(room, Some(self.key), Command::Open { name, clinic }).await?;
        let doctors = self.edge.staff_with(Role::Doctor);
        // A press that was cut off in between is finished by pressing again.
        let roster = &opened.seen.state.roster;
        if doctors.iter().any(|doctor| !roster.contains_key(doctor)) {
            desk.in_room(room, None, Command::SetRoster { doctors }).await?;
        }
        desk.room_was_opened(room);
        desk.bell.ring();
        Ok(Outcome::RoomOpened { room })
    }

    pub(super) async fn close_intake(&self, room: RoomId, closed: bool) -> Acted {
        self.coordinator()?;
        self.known_room(room)?;
        self.in_room(room, Command::SetIntake { closed }).await
    }

    pub(super) async fn record_contact(&self, ticket: TicketId, outcome: ContactOutcome) -> Acted {
        self.coordinator()?;
        let (room, _) = self.ticket(ticket).await?;
        self.in_room(room, Command::RecordContact { ticket, outcome }).await
    }

    /// A ticket drawn from the press, so that a repeated press makes the same one.
    pub(super) fn new_ticket(
        &self,
        room: &Room,
        index: usize,
        person: Person,
        (triage, first_visit): (Triage, bool),
    ) -> Result<NewTicket, Code> {
        if !person.is_well_formed() {
            return Err(Code::FieldWrong);
        }
        let secrets = &self.edge.desk.secrets;
        let from = [self.key.id.to_be_bytes(), (index as u64).to_be_bytes()].concat();
        let ticket = TicketId(secrets.derive_id("ticket", &from));
        let subject = SubjectId(secrets.derive_id("subject", &from));
        let code = free_code(room, ticket, index);
        let person = Pii::new(subject, person);
        Ok(NewTicket { ticket, code, subject, person, triage, first_visit })
    }

    pub(super) async fn admit(
        &self,
        room: RoomId,
        person: Person,
        triage: Triage,
        first_visit: bool,
    ) -> Acted {
        let nurse = self.staff_in(Role::Nurse)?;
        let site = self.actor.viewer.site.ok_or(Code::NotAllowed)?;
        self.known_room(room)?;
        let seen = self.edge.desk.room(room).await?;
        let new = self.new_ticket(&seen.state, 0, person, (triage, first_visit))?;
        let ticket = new.ticket;
        let admit = Command::Admit { new, bedside: Bedside { site, nurse } };
        self.in_room(room, admit).await?;
        Ok(Outcome::Admitted { ticket })
    }

    pub(super) async fn set_ready(&self, ticket: TicketId, ready: bool) -> Acted {
        let (room, known) = self.ticket(ticket).await?;
        self.nurse_of(&known)?;
        self.in_room(room, Command::SetReady { ticket, ready }).await
    }

    pub(super) async fn set_triage(&self, ticket: TicketId, triage: Triage) -> Acted {
        let (room, known) = self.ticket(ticket).await?;
        self.coordinator()
            .or_else(|_| self.nurse_around(&known))
            .or_else(|_| self.owner(&known))?;
        self.in_room(room, Command::SetTriage { ticket, triage }).await
    }

    pub(super) async fn leave(&self, ticket: TicketId) -> Acted {
        let (room, known) = self.ticket(ticket).await?;
        self.at_the_bed(room, &known)?;
        // What changed at home is not made undone by not wanting to be called: a doctor looks.
        if known.kit().is_some() {
            return Err(Code::NotAllowed.into());
        }
        self.in_room(room, Command::Leave { ticket }).await
    }

    pub(super) async fn doctor_silent(&self, ticket: TicketId) -> Acted {
        let (room, known) = self.ticket(ticket).await?;
        self.at_the_bed(room, &known)?;
        self.in_room(room, Command::ReportDoctorSilent { ticket }).await
    }

    /// 急変: by the nurse, the doctor who has the patient, or the coordinator; also on a tablet
    /// in patient view.
    pub(super) async fn raise_emergency(&self, ticket: TicketId) -> Acted {
        let (room, known) = self.ticket(ticket).await?;
        let behind = self.actor.nurse_behind.filter(|_| self.is_own(room, &known));
        if behind.is_none() {
            self.nurse_around(&known)
                .or_else(|_| self.owner(&known))
                .or_else(|_| self.coordinator())?;
        }
        self.in_room(room, Command::RaiseEmergency { ticket }).await?;
        if known.claim().is_some() {
            self.in_visit(room, &known, VisitCommand::RaiseEmergency).await?;
        }
        Ok(Outcome::Done)
    }

    /// Looking is written down before anything is shown.
    pub(super) async fn open_person(&self, ticket: TicketId) -> Acted {
        let by = self.doctor()?;
        let (room, known) = self.ticket(ticket).await?;
        let seen = self.edge.desk.room(room).await?;
        if !seen.state.roster.contains_key(&by) {
            return Err(Code::NotAllowed.into());
        }
        self.in_room(room, Command::OpenPerson { ticket, by }).await?;
        let person = known.person.reveal().cloned().ok_or(Code::TicketUnknown)?;
        Ok(Outcome::PersonOpened { person })
    }
}
