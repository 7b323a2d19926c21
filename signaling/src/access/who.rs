//! Whose cookie this is, and whether it still opens anything: asked at every step.

use super::secret_hash::SecretHash;
use super::secrets::Label;
use super::session::{Principal, Session};
use crate::desk::Desk;
use crate::log::StreamId;
use crate::room::Ticket;
use minato_protocol::{Code, KitId, Role, RoomId, StaffId, TicketId};

/// Whoever holds a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Who {
    /// The session's name; not its secret.
    pub session: SecretHash,
    /// Whose it is.
    pub principal: Principal,
    /// In which role. A nurse's tablet in patient view is still a nurse's.
    pub role: Role,
    /// Only this patient's side may be shown and asked for.
    pub patient_view: Option<(RoomId, TicketId)>,
    /// The home kit whose page this is.
    pub kit: Option<KitId>,
    /// The ticket that the kit's changes opened last.
    kit_ticket: Option<(RoomId, TicketId)>,
    /// A second device that waits for the clinic's yes: it opens nothing yet.
    pub pending: bool,
}

impl Who {
    /// The member of staff.
    pub fn staff(&self) -> Option<StaffId> {
        match self.principal {
            Principal::Staff { staff, .. } => Some(staff),
            Principal::Patient { .. } | Principal::Kit { .. } => None,
        }
    }

    /// The patient's own place, or the one that a tablet in patient view shows.
    pub fn place(&self) -> Option<(RoomId, TicketId)> {
        match self.principal {
            Principal::Patient { room, ticket, .. } => Some((room, ticket)),
            Principal::Staff { .. } => self.patient_view,
            Principal::Kit { .. } => self.kit_ticket,
        }
    }
}

/// Whose session a cookie is, [`pending`](Who::pending) ones too. All states are in memory after
/// the first time. `SignInFirst`: no session; `LinkRevoked`, `LinkExpired`, `NotAllowed`: it died.
pub async fn who(desk: &Desk, cookie: &str) -> Result<Who, Code> {
    if !desk.secrets.is_ours(Label::Session, cookie) {
        return Err(Code::SignInFirst);
    }
    who_is(desk, desk.secrets.lookup_hash(Label::Session, cookie)).await
}

/// As [`who`], for whoever must be let in: a second device that still waits is refused.
pub async fn admitted(desk: &Desk, cookie: &str) -> Result<Who, Code> {
    let known = who(desk, cookie).await?;
    if known.pending { Err(Code::LinkElsewhere) } else { Ok(known) }
}

/// Whether a session opens nothing any more. A log that cannot be read ends nobody's.
pub(crate) async fn session_is_over(desk: &Desk, session: SecretHash) -> bool {
    who_is(desk, session).await.is_err_and(|code| !matches!(code, Code::NotDurable | Code::Busy))
}

pub(super) async fn who_is(desk: &Desk, session: SecretHash) -> Result<Who, Code> {
    let seen = desk.sessions.see(&StreamId::session(&session.0)).await?;
    let state = &seen.state;
    let (principal, expires) = state.opened.ok_or(Code::SignInFirst)?;
    if let Some(why) = state.closed {
        return Err(why.code());
    }
    let expired = desk.clock.now() >= expires;
    let role = match principal {
        Principal::Staff { .. } if expired => return Err(Code::SignInFirst),
        Principal::Patient { .. } | Principal::Kit { .. } if expired => {
            return Err(Code::LinkExpired);
        }
        Principal::Staff { staff, generation } => role_of(desk, staff, generation).await?,
        Principal::Patient { room, ticket, generation } => {
            let seen = desk.room(room).await?;
            let known = seen.state.ticket(ticket).map_err(|_forgotten| Code::LinkExpired)?;
            is_of_generation(known, generation)?;
            Role::Patient
        }
        Principal::Kit { .. } => Role::Patient,
    };
    let (kit, kit_ticket) = match principal {
        Principal::Kit { kit, generation } => (Some(kit), kit_ticket(desk, kit, generation).await?),
        Principal::Staff { .. } | Principal::Patient { .. } => (None, None),
    };
    let Session { allowed, patient_view, .. } = *state;
    Ok(Who { session, principal, role, patient_view, kit, kit_ticket, pending: !allowed })
}

/// The ticket of a kit whose page may still be used: also one that is over, so that what the doctor
/// left to read is still there.
async fn kit_ticket(
    desk: &Desk,
    kit: KitId,
    generation: u32,
) -> Result<Option<(RoomId, TicketId)>, Code> {
    let seen = desk.kits.see(&StreamId::kit(kit)).await?;
    if seen.state.standing().is_err() || seen.state.link_generation != generation {
        return Err(Code::LinkRevoked);
    }
    Ok(seen.state.ticket.map(|ticket| (ticket.room, ticket.ticket)))
}

async fn role_of(desk: &Desk, staff: StaffId, generation: u32) -> Result<Role, Code> {
    let seen = desk.accounts.see(&StreamId::account(staff)).await?;
    let record = seen.state.usable().ok_or(Code::SignInFirst)?;
    if seen.state.generation == generation { Ok(record.role) } else { Err(Code::SignInFirst) }
}

/// Links and sessions of a ticket live as long as its generation.
pub(super) fn is_of_generation(ticket: &Ticket, generation: u32) -> Result<(), Code> {
    if ticket.link_generation == generation { Ok(()) } else { Err(Code::LinkRevoked) }
}
