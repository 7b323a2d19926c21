//! Verbs within a consultation.

use super::{Acted, Press, Refusal, is_companion};
use crate::gateway::take_off;
use crate::log::StreamId;
use crate::relays::Pass;
use crate::room::{Command as RoomCommand, Ticket};
use crate::views::may_be_in;
use crate::visit::{Command, Party, Side};
use minato_protocol::act::{CONSENT_VERSION, IdentityMethod, Language, MediaGrant, Outcome};
use minato_protocol::media::PartyRole;
use minato_protocol::view::Why;
use minato_protocol::{Code, Role, RoomId, VisitId};

/// The longest name of who explained the consent, in characters.
const EXPLAINED_BY_CHARS_MAX: usize = 80;

impl Press<'_> {
    pub(super) async fn write_order(&self, visit: VisitId, text: String) -> Acted {
        let (room, known) = self.ticket_of_visit(visit).await?;
        self.owner(&known)?;
        if known.emergency.is_some() {
            // 急変 from before the call belongs into the papers too; said again, nothing happens.
            self.in_visit_now(room, &known, Command::RaiseEmergency).await?;
        }
        let text = self.private(&known, text);
        self.in_visit(room, &known, Command::WriteOrder { text }).await
    }

    pub(super) async fn read_back(&self, visit: VisitId, order: u32) -> Acted {
        let (room, known) = self.ticket_of_visit(visit).await?;
        self.nurse_of(&known)?;
        self.in_visit(room, &known, Command::ReadBack { order }).await
    }

    pub(super) async fn order_done(&self, visit: VisitId, order: u32) -> Acted {
        let (room, known) = self.ticket_of_visit(visit).await?;
        self.nurse_of(&known)?;
        self.in_visit(room, &known, Command::FinishOrder { order }).await
    }

    pub(super) async fn defer(&self, visit: VisitId, reason: String) -> Acted {
        let (room, known) = self.ticket_of_visit(visit).await?;
        self.owner(&known)?;
        let reason = self.private(&known, reason);
        self.in_visit(room, &known, Command::Defer { reason }).await
    }

    pub(super) async fn confirm_identity(&self, visit: VisitId, method: IdentityMethod) -> Acted {
        let (room, known) = self.ticket_of_visit(visit).await?;
        self.in_the_visit(room, &known)?;
        let side = match (self.owner(&known), method) {
            (Ok(_), IdentityMethod::Spoken) => Side::Patient,
            (Ok(_), _) => Side::Doctor,
            // Who is there presses; only the doctor writes down what was said.
            (Err(_), IdentityMethod::Spoken) => return Err(Code::FieldWrong.into()),
            (Err(_), _) => Side::Patient,
        };
        self.in_visit(room, &known, Command::ConfirmIdentity { side, method }).await
    }

    pub(super) async fn consent(
        &self,
        visit: VisitId,
        version: u32,
        explained_by: String,
        language: Option<Language>,
    ) -> Acted {
        let (room, known) = self.ticket_of_visit(visit).await?;
        self.at_the_bed(room, &known)?;
        let fits = explained_by.chars().count() <= EXPLAINED_BY_CHARS_MAX;
        if version != CONSENT_VERSION || !fits {
            return Err(Code::FieldWrong.into());
        }
        let explained_by = self.private(&known, explained_by);
        self.in_visit(room, &known, Command::Consent { version, explained_by, language }).await
    }

    /// 別の方です: the data is hidden first, then the readings are held back, then the ticket goes
    /// back to the front. Whatever is cut off in between is finished by pressing again.
    pub(super) async fn wrong_patient(&self, visit: VisitId) -> Acted {
        let (room, known) = self.ticket_of_visit(visit).await?;
        self.in_the_visit(room, &known)?;
        let claim = known.claim().ok_or(Code::VisitOver)?;
        self.in_visit(room, &known, Command::MarkWrongPatient).await?;
        let edge = self.edge;
        edge.readings.hold_back(&edge.desk, known.subject, visit, known.made).await?;
        take_off(&edge.desk, &edge.gateways, known.subject);
        if let Some(bed) = known.bedside {
            self.pages(bed.site).take_off(known.subject).await?;
        }
        let back = RoomCommand::ReturnToFront {
            ticket: known.id,
            doctor: claim.doctor,
            epoch: known.epoch,
            why: Why::WrongPatient,
        };
        let acted = self.in_room(room, back).await;
        self.settle(&known).await;
        acted
    }

    pub(super) async fn say(&self, visit: VisitId, text: String) -> Acted {
        let (room, known) = self.ticket_of_visit(visit).await?;
        self.in_the_visit(room, &known)?;
        let text = self.private(&known, text);
        let viewer = &self.actor.viewer;
        let patient = self.patient_side();
        let from = viewer.staff.filter(|_| !patient);
        let role = if patient { Role::Patient } else { viewer.role };
        self.in_visit(room, &known, Command::Say { from, role, text }).await
    }

    pub(super) async fn audio_only(&self, visit: VisitId, reason: String) -> Acted {
        let (room, known) = self.ticket_of_visit(visit).await?;
        self.in_the_visit(room, &known)?;
        let reason = self.private(&known, reason);
        self.in_visit(room, &known, Command::GoAudioOnly { reason }).await
    }

    /// Puts this endpoint on the visit's list, durably, and gives it a token for the relay.
    pub(super) async fn join_media(&self, visit: VisitId) -> Acted {
        let (room, known) = self.ticket_of_visit(visit).await?;
        if !self.is_companion(room, &known) {
            self.in_the_visit(room, &known)?;
        }
        let party = self.party(visit, &known).await?;
        let (participant, companion, role) = (party.participant, party.companion, party.role);
        self.see_off(visit, room, &known).await?;
        self.in_visit_now(room, &known, Command::Enter(party)).await?;
        let serving = self.edge.fleet.serving(visit).ok_or(Code::RelayAway)?;
        let pass = Pass { visit, participant, epoch: known.epoch, role: media_role(role) };
        let now = self.edge.desk.clock.now_elsewhere();
        let token = self.edge.media_key.media_token(&pass, now);
        let relay_url = serving.place.page_url.clone();
        // Media of a relay is reached through its own TURN server alone.
        let here = self.edge.turn.get().filter(|_| relay_url.is_empty());
        let turn = serving.turn.as_ref().or(here).map(|door| door.pass(participant, now));
        let relay = serving.generation;
        let grant = MediaGrant { relay_url, token, participant, companion, relay, turn };
        Ok(Outcome::Media(grant))
    }

    /// Whoever does not belong here any more (after a hand-over) makes room for the next one.
    async fn see_off(&self, visit: VisitId, room: RoomId, ticket: &Ticket) -> Result<(), Refusal> {
        let papers = self.edge.desk.visits.see(&StreamId::visit(visit)).await?;
        let gone = papers.state.parties.iter().filter(|party| !may_be_in(ticket, visit, party));
        for party in gone {
            let exit = Command::Exit { participant: party.participant };
            self.in_visit_now(room, ticket, exit).await?;
        }
        Ok(())
    }

    async fn party(&self, visit: VisitId, ticket: &Ticket) -> Result<Party, Code> {
        let participant = self.participant(visit);
        let viewer = &self.actor.viewer;
        let role = viewer.role;
        let papers = self.edge.desk.visits.see(&StreamId::visit(visit)).await?;
        // At the bedside the tablet is the room's ear and mouth, whichever device is quicker.
        let beside_a_tablet = is_companion(viewer, ticket);
        // A second screen on the same side of the link: its sound would howl.
        let companion = beside_a_tablet
            || papers.state.parties.iter().any(|other| {
                let same_side = (other.role == Role::Doctor) == (role == Role::Doctor);
                let is_another = other.participant != participant && !other.companion;
                // A doctor who handed the patient over is not in the room any more.
                same_side && is_another && may_be_in(ticket, visit, other)
            });
        let shared = ticket.bedside.is_some() && role == Role::Nurse;
        let staff = viewer.staff.or(self.actor.nurse_behind);
        Ok(Party { participant, role, staff, shared, companion })
    }

    /// As `in_visit`, but a reload within the same press's life is a new entry, not a repetition.
    async fn in_visit_now(&self, room: RoomId, ticket: &Ticket, command: Command) -> Acted {
        self.in_papers(room, ticket, None, command).await
    }
}

fn media_role(role: Role) -> PartyRole {
    match role {
        Role::Doctor => PartyRole::Doctor,
        Role::Nurse => PartyRole::Nurse,
        Role::Patient => PartyRole::Patient,
        Role::Coordinator => PartyRole::Guest,
    }
}
