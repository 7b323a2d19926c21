//! Time without a leader: every node looks once a second at what is due and sends idempotent
//! commands; nothing here is true before it is appended.

use super::Desk;
use crate::kit::Command as KitCommand;
use crate::log::{Noun, StreamId};
use crate::room::{Command, Event, Room};
use minato_protocol::{Code, RoomId, Span, StaffId};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The service notes that it is there every so many rounds.
const ROUNDS_A_BEAT: u32 = 2;
/// All reservations are looked through every so many rounds.
const ROUNDS_A_SETTLE: u32 = 5;

/// Gives back the time in which the service was away to every running grace. Nothing is judged by a
/// deadline before this is done.
pub async fn give_back(desk: &Desk) {
    if let Err(code) = extend_graces(desk).await {
        tracing::error!(?code, "graces could not be extended");
    }
}

/// Watches until the task is dropped.
pub async fn watch(desk: Arc<Desk>) {
    let mut round: u32 = 0;
    loop {
        desk.clock.tick().await;
        round = round.wrapping_add(1);
        for room in desk.room_ids() {
            if let Err(code) = expire(&desk, room).await {
                tracing::warn!(?code, %room, "deadlines wait");
            }
        }
        if round.is_multiple_of(ROUNDS_A_SETTLE) {
            settle_all(&desk).await;
        }
        if round.is_multiple_of(ROUNDS_A_BEAT)
            && let Err(error) = desk.log.beat(desk.clock.now()).await
        {
            tracing::error!(%error, "the service cannot note that it is there");
        }
    }
}

async fn extend_graces(desk: &Desk) -> Result<(), Code> {
    let last = desk.log.last_beat().await.map_err(|_| Code::NotDurable)?;
    let Some(last) = last else { return Ok(()) };
    let span = desk.clock.now() - last;
    if span <= Span::seconds(1) {
        return Ok(());
    }
    for room in desk.room_ids() {
        desk.in_room(room, None, Command::ExtendGraces { span }).await?;
    }
    // Nobody at home could send a value meanwhile.
    let kits = desk.log.streams(Noun::Kit.prefix()).await.map_err(|_| Code::NotDurable)?;
    for kit in kits {
        // One kit that cannot be told keeps no other waiting.
        if let Err(code) = desk.kits.submit(&kit, None, KitCommand::ExtendGraces { span }).await {
            tracing::error!(?code, kit = kit.key(), "a home kit does not know that we were away");
        }
    }
    desk.log.beat(desk.clock.now()).await.map_err(|_| Code::NotDurable)
}

async fn expire(desk: &Desk, room: RoomId) -> Result<(), Code> {
    let seen = desk.room(room).await?;
    if seen.state.next_deadline().is_none_or(|deadline| deadline > desk.clock.now()) {
        return Ok(());
    }
    let before = seen;
    let settled = desk.in_room(room, None, Command::Expire).await?;
    for staff in freed_by(&before.state, &settled.events) {
        desk.settle(staff).await;
    }
    Ok(())
}

/// Who may be free after these events: the owners and nurses of the tickets they took away.
fn freed_by(before: &Room, events: &[Event]) -> BTreeSet<StaffId> {
    events
        .iter()
        .filter_map(Event::ticket)
        .filter_map(|ticket| before.ticket(ticket).ok())
        .flat_map(|ticket| [ticket.owner(), ticket.bedside.map(|bedside| bedside.nurse)])
        .flatten()
        .collect()
}

/// Also finds what a node that died left half done.
async fn settle_all(desk: &Desk) {
    let Ok(streams) = desk.log.streams(Noun::Staff.prefix()).await else { return };
    for staff in streams.iter().filter_map(|stream: &StreamId| stream.key().parse().ok()) {
        desk.settle(staff).await;
    }
}
