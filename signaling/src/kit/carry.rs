//! What has fired, on its way into the kit's room. Each step is durable before the next; begun
//! again anywhere, it ends the same.

use super::{Command, Kit, KitTicket};
use crate::desk::Desk;
use crate::log::StreamId;
use crate::room::{Command as RoomCommand, KitOrigin, NewTicket};
use minato_protocol::act::Triage;
use minato_protocol::kit::Fired;
use minato_protocol::{Code, KitId, TicketId};

/// A ticket that went over under our hands leaves its firings to the next one, so often in one go.
const TICKETS_AT_ONCE: usize = 3;

/// Carries everything pending into the room, and notes when a ticket is over. Answers whether
/// something is left to do: a ticket is open, or the room takes nobody.
pub(super) async fn carry(desk: &Desk, kit: KitId) -> Result<bool, Code> {
    let stream = StreamId::kit(kit);
    for _ in 0..TICKETS_AT_ONCE {
        let seen = desk.kits.see(&stream).await?;
        let state = &seen.state;
        let Some(open) = state.open_ticket() else {
            let Some(command) = choice(desk, kit, state) else { return Ok(false) };
            desk.kits.submit(&stream, None, command).await?;
            continue;
        };
        if !state.pending.is_empty() {
            match raise(desk, kit, state, open).await {
                Ok(()) => {
                    let up_to = state.last_firing();
                    let carried = Command::NoteCarried { ticket: open.ticket, up_to };
                    desk.kits.submit(&stream, None, carried).await?;
                }
                Err(Code::TicketOver) => {}
                Err(code) => return Err(code),
            }
        }
        let Some(up_to) = over_with(desk, open).await? else { return Ok(true) };
        // It may have had some of them before it was over, and we were cut off before noting it.
        if up_to >= state.first_pending() {
            let carried = Command::NoteCarried { ticket: open.ticket, up_to };
            desk.kits.submit(&stream, None, carried).await?;
        }
        let over = Command::NoteTicketOver { ticket: open.ticket };
        desk.kits.submit(&stream, None, over).await?;
    }
    Ok(true)
}

/// The ticket for what is pending. Its id comes from the firing: chosen again, it is the same.
fn choice(desk: &Desk, kit: KitId, state: &Kit) -> Option<Command> {
    let (new, _) = state.set_up.as_ref().filter(|_| !state.pending.is_empty())?;
    let from = [kit.0.to_be_bytes(), u64::from(state.first_pending()).to_be_bytes()].concat();
    let ticket = TicketId(desk.secrets.derive_id("kit ticket", &from));
    Some(Command::ChooseTicket { room: new.room, ticket })
}

async fn raise(desk: &Desk, kit: KitId, state: &Kit, open: KitTicket) -> Result<(), Code> {
    let Some((home, _)) = &state.set_up else { return Ok(()) };
    let seen = desk.room(open.room).await?;
    let new = NewTicket {
        ticket: open.ticket,
        code: crate::room::free_code(&seen.state, open.ticket, 0),
        subject: home.subject,
        person: home.person.clone(),
        triage: Triage::Urgent,
        first_visit: false,
    };
    let first = state.first_pending();
    // Where the person was erased nobody can be told why: the number alone is carried.
    let fired: Vec<Fired> = state.pending.iter().filter_map(|pii| pii.reveal().copied()).collect();
    let kit = KitOrigin { kit, site: home.site };
    let raise =
        RoomCommand::Raise { new: Box::new(new), kit, firings: first..=state.last_firing(), fired };
    desk.in_room(open.room, None, raise).await.map(drop)
}

/// Up to which firing a ticket has them that is over; nothing while it is not. A room forgets tickets a
/// day after they were over.
async fn over_with(desk: &Desk, open: KitTicket) -> Result<Option<u32>, Code> {
    let seen = desk.room(open.room).await?;
    let Ok(known) = seen.state.ticket(open.ticket) else { return Ok(Some(0)) };
    let up_to = known.raised.as_ref().map_or(0, |raised| raised.up_to);
    Ok(known.is_over().then_some(up_to))
}
