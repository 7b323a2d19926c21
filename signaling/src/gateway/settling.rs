//! Says whose a reading of nobody is: first in the stream of the box that delivered it, where it can
//! be said once, then in the person's own. What is cut off in between is finished from the streams.

use super::held::{Held, boxes, read_line};
use super::paged::end_with_visits;
use super::{Command, Fate};
use crate::aggregate::CommandKey;
use crate::desk::Desk;
use crate::log::StreamId;
use crate::readings::Readings;
use crate::subject::{AssignedBy, Item};
use minato_protocol::reading::{Hex, ReadingId};
use minato_protocol::{Code, GatewayId, Pii, SiteId, StaffId, SubjectId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What was settled and not carried yet is looked for every so many rounds.
const ROUNDS_A_LOOK: u32 = 5;

/// Whose a reading of nobody is, and who says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whose {
    /// The line of the box's stream that keeps it.
    pub line: Hex<16>,
    /// Whose.
    pub of: SubjectId,
    /// Who says so.
    pub by: StaffId,
    /// Why, where it was asked.
    pub reason: Pii<String>,
}

/// A nurse's word about a reading that is held at her site.
#[derive(Debug, Clone)]
pub(crate) struct Word {
    pub(crate) site: SiteId,
    pub(crate) reading: ReadingId,
    pub(crate) by: StaffId,
    pub(crate) reason: String,
    pub(crate) key: CommandKey,
}

/// It is this person's. Durable in both streams when it answers.
pub(crate) async fn settle(
    (desk, readings, held): (&Desk, &Readings, &Held),
    word: Word,
    of: SubjectId,
) -> Result<(), Code> {
    let (site, reading) = (word.site, word.reading);
    let turn = held.turn().await;
    let gateway = match held.find(site, reading) {
        Ok(kept) => {
            let reason = Pii::new(of, word.reason.clone());
            let whose = Whose { line: Hex(kept.line), of, by: word.by, reason };
            say((desk, held), &word, kept.gateway, Command::Settle { reading, whose }).await?;
            kept.gateway
        }
        Err(_) => said_before((desk, held), &word).await?,
    };
    drop(turn);
    carry(desk, readings, gateway, reading).await
}

/// It is no patient's. It leaves the list and stays in the log.
pub(crate) async fn dismiss((desk, held): (&Desk, &Held), word: Word) -> Result<(), Code> {
    let _turn = held.turn().await;
    let Ok(kept) = held.find(word.site, word.reading) else {
        return said_before((desk, held), &word).await.map(drop);
    };
    // Whose it was nobody knows: why it is nobody's is sealed with the box's own key.
    let reason = Pii::new(of_nobody(desk, kept.gateway), word.reason.clone());
    let command = Command::Dismiss { reading: word.reading, by: word.by, reason };
    say((desk, held), &word, kept.gateway, command).await
}

/// The name under which a box's readings of nobody are sealed.
pub(super) fn of_nobody(desk: &Desk, gateway: GatewayId) -> SubjectId {
    SubjectId(desk.secrets.derive_id("box", &gateway.0.to_be_bytes()))
}

async fn say(
    (desk, held): (&Desk, &Held),
    word: &Word,
    gateway: GatewayId,
    command: Command,
) -> Result<(), Code> {
    let said = desk.boxes.submit(&StreamId::gateway(gateway), Some(word.key), command).await;
    match said {
        // Somebody at another node was quicker: it is not held here any more either.
        Ok(_) | Err(Code::ReadingUnknown) => held.mark_over(word.site, word.reading, gateway),
        Err(_) => {}
    }
    said.map(drop)
}

/// The box at which this very press was carried out before. `ReadingUnknown`: it was another one.
async fn said_before((desk, held): (&Desk, &Held), word: &Word) -> Result<GatewayId, Code> {
    let gateway = held.settled_at(word.site, word.reading).ok_or(Code::ReadingUnknown)?;
    let brought = desk.boxes.brought_before(&StreamId::gateway(gateway), word.key).await?;
    brought.map(|_| gateway).ok_or(Code::ReadingUnknown)
}

/// Puts a settled reading into its person's stream, once however often it is done.
async fn carry(
    desk: &Desk,
    readings: &Readings,
    gateway: GatewayId,
    reading: ReadingId,
) -> Result<(), Code> {
    let stream = StreamId::gateway(gateway);
    let seen = desk.boxes.see(&stream).await?;
    let Some(Fate::Settled { whose, at }) = seen.state.fate_by_reading.get(&reading) else {
        return Ok(());
    };
    let line = desk.log.item(&stream, whose.line.0).await.map_err(|error| {
        tracing::error!(%error, "a settled reading cannot be read");
        Code::NotDurable
    })?;
    // Of somebody who was erased in the meantime nothing is left to carry.
    if let Some((_, outcome)) = line.as_ref().and_then(read_line) {
        let reason = whose.reason.reveal().cloned().unwrap_or_default();
        let assigned = AssignedBy { by: whose.by, at: *at, reason };
        readings.keep(desk, whose.of, vec![Item::settled(outcome, assigned)]).await?;
    }
    desk.boxes.submit(&stream, None, Command::Carry { reading }).await.map(drop)
}

/// Finishes what was settled and not carried, and takes devices at pages off whoever's visit is over,
/// now and from time to time, until the task is dropped.
/// Any node may: it is seen from the streams alone.
pub async fn finish(desk: Arc<Desk>, readings: Readings, held: Held) {
    let mut round: u32 = 0;
    loop {
        if round.is_multiple_of(ROUNDS_A_LOOK)
            && let Err(code) = finish_all(&desk, &readings, &held).await
        {
            tracing::warn!(?code, "settled readings wait");
        }
        if round.is_multiple_of(ROUNDS_A_LOOK)
            && let Err(code) = end_with_visits(&desk, &readings).await
        {
            tracing::warn!(?code, "devices at pages stay on finished visits for now");
        }
        desk.clock.tick().await;
        round = round.wrapping_add(1);
    }
}

async fn finish_all(desk: &Desk, readings: &Readings, held: &Held) -> Result<(), Code> {
    for (gateway, stream) in boxes(desk).await? {
        let seen = desk.boxes.see(&stream).await?;
        let fates = seen.state.fate_by_reading.iter();
        let left = fates.filter(|(_, fate)| matches!(fate, Fate::Settled { .. }));
        for (reading, _) in left {
            seen.state.site.into_iter().for_each(|site| held.mark_over(site, *reading, gateway));
            // One that cannot be carried does not keep the others.
            if let Err(code) = carry(desk, readings, gateway, *reading).await {
                tracing::warn!(?code, %gateway, "a settled reading waits");
            }
        }
    }
    Ok(())
}
