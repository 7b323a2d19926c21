//! Every verb, checked by role and relation, then carried out by the desk.

mod claims;
mod devices;
mod kits;
mod links;
mod page;
mod photos;
mod readings;
mod settling;
mod tickets;
mod visits;

pub(crate) use photos::{may_photograph, may_see};

use crate::aggregate::CommandKey;
use crate::http::Edge;
use crate::log::StreamId;
use crate::room::{Command as RoomCommand, Ticket};
use crate::views::Viewer;
use crate::visit::Command as VisitCommand;
use minato_protocol::act::{Act, Outcome};
use minato_protocol::{Code, ParticipantId, Pii, Role, RoomId, StaffId, TicketId, VisitId};
use readings::Typed;
use settling::Identifiers;
use std::sync::Arc;

/// The longest reason beside a reading, in characters.
const REASON_CHARS_MAX: usize = 80;

/// Why a verb was not carried out; nothing changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Stable.
    pub code: Code,
    /// Who took the patient, with [`Code::AlreadyTaken`].
    pub by: Option<String>,
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self { code, by: None }
    }
}

type Acted = Result<Outcome, Refusal>;

/// Whoever presses: role and relation, from the session alone.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Role, staff id, site, own ticket.
    pub viewer: Viewer,
    /// The session's name: the endpoint.
    pub session: String,
    /// A tablet in patient view: who its nurse is.
    pub nurse_behind: Option<StaffId>,
}

/// One press of one person.
pub(crate) struct Press<'a> {
    edge: &'a Edge,
    actor: &'a Actor,
    key: CommandKey,
}

/// Carries a verb out. Answers after it is durable.
pub async fn carry_out(edge: &Edge, actor: &Actor, key: CommandKey, act: Act) -> Acted {
    let verb = act.verb();
    let press = Press { edge, actor, key };
    let acted = press.dispatch(act).await;
    let result = match &acted {
        Ok(_) => "done",
        Err(_) => "refused",
    };
    metrics::counter!("minato_acts_total", "verb" => verb, "result" => result).increment(1);
    if let Err(refusal) = &acted {
        tracing::debug!(verb, code = ?refusal.code, "refused");
    }
    acted
}

impl Press<'_> {
    async fn dispatch(&self, act: Act) -> Acted {
        match act {
            Act::OpenRoom { name } => self.open_room(name).await,
            Act::Invite { room, people } => self.invite(room, people).await,
            Act::RevokeLink { ticket } => self.revoke_link(ticket).await,
            Act::ReissueLink { ticket } => self.reissue_link(ticket).await,
            Act::AllowDevice { ticket, request, yes } => {
                self.allow_device(ticket, request, yes).await
            }
            Act::EnterPatientView { ticket } => self.enter_patient_view(ticket).await,
            Act::LeavePatientView { pin } => self.leave_patient_view(pin).await,

            Act::CloseIntake { room, closed } => self.close_intake(room, closed).await,
            Act::RecordContact { ticket, outcome } => self.record_contact(ticket, outcome).await,
            Act::AdmitBedside { room, person, triage, first_visit } => {
                self.admit(room, person, triage, first_visit).await
            }
            Act::SetReady { ticket, ready } => self.set_ready(ticket, ready).await,
            Act::SetTriage { ticket, triage } => self.set_triage(ticket, triage).await,
            Act::Leave { ticket } => self.leave(ticket).await,
            Act::DoctorSilent { ticket } => self.doctor_silent(ticket).await,
            Act::RaiseEmergency { ticket } => self.raise_emergency(ticket).await,
            Act::OpenPerson { ticket } => self.open_person(ticket).await,

            Act::SetDuty { room, duty } => self.set_duty(room, duty).await,
            Act::CallNext { room } => self.call(room, None).await,
            Act::CallOne { room, ticket } => self.call(room, Some(ticket)).await,
            Act::CancelCall { ticket, epoch } => self.cancel_call(ticket, epoch).await,
            Act::Answer { ticket, epoch } => self.answer(ticket, epoch).await,
            Act::Park { ticket, epoch } => self.park(ticket, epoch).await,
            Act::ReturnToFront { ticket, epoch } => self.return_to_front(ticket, epoch).await,
            Act::EndVisit { ticket, epoch, disposition, note } => {
                self.end_visit(ticket, epoch, disposition, note).await
            }
            Act::OfferHandOver { ticket, epoch, to } => {
                self.offer_hand_over(ticket, epoch, to).await
            }
            Act::AskHandOver { ticket } => self.ask_hand_over(ticket).await,
            Act::AcceptHandOver { ticket, epoch } => self.accept_hand_over(ticket, epoch).await,
            Act::DeclineHandOver { ticket, epoch } => self.decline_hand_over(ticket, epoch).await,

            Act::WriteOrder { visit, text } => self.write_order(visit, text).await,
            Act::ReadBack { visit, order } => self.read_back(visit, order).await,
            Act::OrderDone { visit, order } => self.order_done(visit, order).await,
            Act::Defer { visit, reason } => self.defer(visit, reason).await,
            Act::ConfirmIdentity { visit, method } => self.confirm_identity(visit, method).await,
            Act::Consent { visit, version, explained_by, language } => {
                self.consent(visit, version, explained_by, language).await
            }
            Act::WrongPatient { visit } => self.wrong_patient(visit).await,
            Act::Say { visit, text } => self.say(visit, text).await,
            Act::AudioOnly { visit, reason } => self.audio_only(visit, reason).await,
            Act::JoinMedia { visit } => self.join_media(visit).await,

            Act::Attach { ticket, device, takes_over } => {
                self.attach(ticket, device, takes_over).await
            }
            Act::SetUpKit { room, person } => self.set_up_kit(room, person).await,
            Act::IssueKitLink { kit } => self.issue_kit_link(kit).await,
            Act::SetKitRule { kit, is, replaces } => self.set_kit_rule(kit, is, replaces).await,
            Act::TakeKitRule { kit, rule } => self.take_kit_rule(kit, rule).await,
            Act::TakeKitBack { kit } => self.take_kit_back(kit).await,
            Act::AttachToKit { kit, device, takes_over } => {
                self.attach_to_kit(kit, device, takes_over).await
            }
            Act::CheckKitReading { kit, reading, real, reason } => {
                self.check_kit_reading(kit, reading, real, reason).await
            }
            Act::EnterKitReading { kit, values, measured_at } => {
                self.enter_kit_reading(kit, values, measured_at).await
            }
            Act::Detach { device } => self.detach(device).await,
            Act::Measure { device } => self.measure(device).await,
            Act::AskLanPass => self.ask_lan_pass().await,
            Act::SimulateFault { device, fault } => self.simulate_fault(device, fault).await,
            Act::HandFrames { ticket, device, model, frames } => {
                self.hand_frames(ticket, device, model, frames).await
            }
            Act::AttachHere { ticket, device, model, run, at, takes_over } => {
                self.attach_here(ticket, (device, model, run), at, takes_over).await
            }
            Act::DetachHere { device, run, at, silent } => {
                self.detach_here((device, run), at, silent).await
            }
            Act::SettleReading { reading, ticket, code, birth_date, reason } => {
                self.settle_reading(reading, ticket, &Identifiers { code, birth_date }, reason)
                    .await
            }
            Act::DismissReading { reading, reason } => self.dismiss_reading(reading, reason).await,
            Act::EnterReading { ticket, values, measured_at, corrects, reason } => {
                let typed = Typed { values, measured_at, corrects, reason };
                self.enter_reading(ticket, typed).await
            }
            Act::ConfirmReading { ticket, reading } => self.confirm_reading(ticket, reading).await,
            Act::WithdrawReading { ticket, reading, reason } => {
                self.withdraw_reading(ticket, reading, reason).await
            }
            // The screen itself follows readings; here it is only a verb out of place.
            Act::WatchReadings { .. } => Err(Code::NotUnderstood.into()),
        }
    }

    // Who may.

    fn patient_side(&self) -> bool {
        self.actor.viewer.is_patient_side()
    }

    fn staff_in(&self, role: Role) -> Result<StaffId, Code> {
        let viewer = &self.actor.viewer;
        if viewer.role != role || self.patient_side() {
            return Err(Code::NotAllowed);
        }
        viewer.staff.ok_or(Code::NotAllowed)
    }

    fn coordinator(&self) -> Result<StaffId, Code> {
        self.staff_in(Role::Coordinator)
    }

    fn doctor(&self) -> Result<StaffId, Code> {
        self.staff_in(Role::Doctor)
    }

    fn nurse_of(&self, ticket: &Ticket) -> Result<StaffId, Code> {
        let nurse = self.staff_in(Role::Nurse)?;
        let here = ticket.bedside.is_some_and(|bed| Some(bed.site) == self.actor.viewer.site);
        if here { Ok(nurse) } else { Err(Code::NotAllowed) }
    }

    /// The nurse whose site looks after a patient, at the bedside or at home with a kit: beside the
    /// bed she speaks for the patient, far from it she does not.
    fn nurse_around(&self, ticket: &Ticket) -> Result<StaffId, Code> {
        let nurse = self.staff_in(Role::Nurse)?;
        let here = self.actor.viewer.site.is_some_and(|site| ticket.is_at(site));
        if here { Ok(nurse) } else { Err(Code::NotAllowed) }
    }

    fn is_own(&self, room: RoomId, ticket: &Ticket) -> bool {
        self.actor.viewer.ticket == Some((room, ticket.id))
    }

    /// A device let in beside a bedside tablet: it sees and hears. The tablet and its nurse speak
    /// for a bedside patient, whoever holds the other device.
    fn is_companion(&self, room: RoomId, ticket: &Ticket) -> bool {
        is_companion(&self.actor.viewer, ticket) && self.is_own(room, ticket)
    }

    /// Who speaks for the patient: the patient, or the nurse beside the patient.
    fn at_the_bed(&self, room: RoomId, ticket: &Ticket) -> Result<(), Code> {
        let speaks = self.is_own(room, ticket) && !self.is_companion(room, ticket);
        if speaks { Ok(()) } else { self.nurse_of(ticket).map(|_| ()) }
    }

    fn owner(&self, ticket: &Ticket) -> Result<StaffId, Code> {
        let doctor = self.doctor()?;
        if ticket.owner() == Some(doctor) { Ok(doctor) } else { Err(Code::NotYours) }
    }

    /// Whoever speaks in a visit. A companion is in it, and may not.
    fn in_the_visit(&self, room: RoomId, ticket: &Ticket) -> Result<(), Code> {
        if self.is_companion(room, ticket) {
            return Err(Code::NotAllowed);
        }
        let owner = || self.owner(ticket).map(|_| ());
        let outside = |code| if code == Code::NotAllowed { Code::NotPresent } else { code };
        self.at_the_bed(room, ticket).or_else(|_| owner()).map_err(outside)
    }

    /// A room that nobody opened is not looked for: anybody can make up ids, and each would be
    /// kept in memory.
    fn known_room(&self, room: RoomId) -> Result<(), Code> {
        if self.edge.desk.room_ids().contains(&room) { Ok(()) } else { Err(Code::RoomUnknown) }
    }

    // What is carried out.

    async fn ticket(&self, ticket: TicketId) -> Result<(RoomId, Arc<Ticket>), Code> {
        self.edge.desk.ticket(ticket).await
    }

    async fn ticket_of_visit(&self, visit: VisitId) -> Result<(RoomId, Arc<Ticket>), Code> {
        let (room, ticket) = self.edge.desk.ticket_of_visit(visit).await?;
        if ticket.claim().is_some() { Ok((room, ticket)) } else { Err(Code::VisitOver) }
    }

    async fn in_room(&self, room: RoomId, command: RoomCommand) -> Acted {
        self.edge.desk.in_room(room, Some(self.key), command).await?;
        Ok(Outcome::Done)
    }

    /// Carries a command out in a visit's papers, opening them first where a crash left none.
    async fn in_visit(&self, room: RoomId, ticket: &Ticket, command: VisitCommand) -> Acted {
        self.in_papers(room, ticket, Some(self.key), command).await
    }

    /// The same under a key, or under none where a repetition is a new entry.
    async fn in_papers(
        &self,
        room: RoomId,
        ticket: &Ticket,
        key: Option<CommandKey>,
        command: VisitCommand,
    ) -> Acted {
        let visit = ticket.visit().ok_or(Code::VisitUnknown)?;
        let stream = StreamId::visit(visit);
        let desk = &self.edge.desk;
        if desk.visits.see(&stream).await?.state.papers.is_none() {
            let open = VisitCommand::Open { room, ticket: ticket.id, subject: ticket.subject };
            desk.visits.submit(&stream, None, open).await?;
        }
        desk.visits.submit(&stream, key, command).await?;
        Ok(Outcome::Done)
    }

    /// This endpoint's name in a visit: the same after a reload, another in another visit.
    fn participant(&self, visit: VisitId) -> ParticipantId {
        participant(self.edge, &self.actor.session, visit)
    }

    /// After a claim is over its doctor and nurse are free at once; what fails here the watchman
    /// finds.
    async fn settle(&self, ticket: &Ticket) {
        let nurse = ticket.bedside.map(|bedside| bedside.nurse);
        for staff in ticket.owner().into_iter().chain(nurse) {
            self.edge.desk.settle(staff).await;
        }
    }

    /// Why somebody did something to a reading: one line that fits beside it.
    fn reason(text: &str, needed: bool) -> Result<String, Code> {
        let text = text.trim();
        let fits = text.chars().count() <= REASON_CHARS_MAX;
        let is_there = !needed || !text.is_empty();
        if fits && is_there { Ok(text.to_owned()) } else { Err(Code::FieldWrong) }
    }

    fn private(&self, ticket: &Ticket, text: String) -> Pii<String> {
        Pii::new(ticket.subject, text)
    }
}

/// Whether a patient's own screen is one beside the tablet of a ticket at a bedside.
pub(crate) fn is_companion(viewer: &Viewer, ticket: &Ticket) -> bool {
    viewer.role == Role::Patient && ticket.bedside.is_some()
}

/// An endpoint's name in a visit.
pub(crate) fn participant(edge: &Edge, session: &str, visit: VisitId) -> ParticipantId {
    let name = format!("{visit}/{session}");
    ParticipantId(edge.desk.secrets.derive_id("party", name.as_bytes()))
}
