//! Looks once a second at the kits to which something happened, and at those where something is due.
//!
//! One task has the samples of all kits in memory. They are made anew from the subject's stream
//! whenever it is started, and whenever what somebody said changed which readings count.

use super::judge::RECENT;
use super::register::LastSeen;
use super::samples::opened;
use super::{Command, Kit, Kits, Samples, Verdict, carry, judge};
use crate::desk::Desk;
use crate::log::StreamId;
use crate::readings::Readings;
use minato_protocol::kit::{Fired, WITHIN_MAX};
use minato_protocol::{Code, KitId, Span, SubjectId, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;

/// Items read at a time.
const ITEMS: usize = 500;
/// What arrived longer ago is not judged after a start: an outage of weeks is not caught up with.
const LOOK_BACK: Span = Span(2 * WITHIN_MAX.0 + RECENT.0);
/// Kits that were set up elsewhere are found every so many rounds.
const ROUNDS_A_FIND: u32 = 60;
/// One that could not be looked at, or whose room takes nobody, is looked at again after this time.
const AGAIN_AFTER: Span = Span::seconds(5);
/// Steps of one kit in one round; the next ones follow in the next round.
const STEPS_MAX: usize = 64;

/// What one kit's subject is known to have measured.
#[derive(Debug)]
pub(super) struct Memory {
    after: u64,
    shown_version: u64,
    samples: Samples,
}

/// Judges until the task is dropped.
pub async fn watch(desk: Arc<Desk>, readings: Readings, kits: Arc<Kits>) {
    let mut memory_by_kit = HashMap::new();
    let mut round: u32 = 0;
    loop {
        if round.is_multiple_of(ROUNDS_A_FIND)
            && let Err(code) = kits.find(&desk).await
        {
            tracing::warn!(?code, "home kits are looked for again");
        }
        round = round.wrapping_add(1);
        kits.touch_subjects(&readings.take_fresh());
        for (kit, subject) in kits.take_due(desk.clock.now()) {
            let looked = look(&desk, &kits, (kit, subject), &mut memory_by_kit).await;
            if let Err(code) = looked {
                tracing::warn!(?code, %kit, "a home kit waits");
                kits.look_again(kit, desk.clock.now() + AGAIN_AFTER);
            }
            tokio::task::yield_now().await;
        }
        desk.clock.tick().await;
    }
}

pub(super) async fn look(
    desk: &Desk,
    kits: &Kits,
    (kit, subject): (KitId, SubjectId),
    memory_by_kit: &mut HashMap<KitId, Memory>,
) -> Result<(), Code> {
    let memory = remembered(desk, subject, memory_by_kit.remove(&kit)).await?;
    // It stays whatever fails from here on: to make it anew is to read weeks.
    let memory = &*memory_by_kit.entry(kit).or_insert(memory);
    judge_all(desk, kit, &memory.samples).await?;
    let is_open = carry::carry(desk, kit).await?;
    let seen = desk.kits.see(&StreamId::kit(kit)).await?;
    let now = desk.clock.now();
    let found = found(&seen.state, &memory.samples);
    let next = found.due_by_rule.values().min().copied();
    let is_news = kits.with(|all| {
        let Some(known) = all.get_mut(&kit) else { return false };
        // A ticket that is open may be over at any time; the room does not tell.
        known.due = if is_open { Some(now) } else { next };
        let is_news = known.seen != found;
        known.seen = found;
        if seen.state.taken_back && !is_open {
            all.remove(&kit);
        }
        is_news
    });
    if is_news {
        desk.bell.ring();
    }
    Ok(())
}

fn found(state: &Kit, samples: &Samples) -> LastSeen {
    let due = state.in_force().filter_map(|(number, rule)| {
        let last = samples.of(rule.is.what()).last();
        Some((number, judge::due(&state.how_stands(rule), last)?))
    });
    LastSeen { last: samples.last(), doubtful: samples.doubtful, due_by_rule: due.collect() }
}

/// One step after the other, each durable before the next is looked for.
async fn judge_all(desk: &Desk, kit: KitId, samples: &Samples) -> Result<(), Code> {
    let stream = StreamId::kit(kit);
    for _ in 0..STEPS_MAX {
        let seen = desk.kits.see(&stream).await?;
        let Some(command) = next_step(&seen.state, samples, desk.clock.now()) else { break };
        let settled = desk.kits.submit(&stream, None, command).await?;
        // Nothing happened: another was first, or the kit is full. Its state says so next time.
        if settled.events.is_empty() && settled.seen.version == seen.version {
            break;
        }
    }
    Ok(())
}

fn next_step(state: &Kit, samples: &Samples, now: Timestamp) -> Option<Command> {
    state.in_force().find_map(|(number, rule)| {
        let standing = state.how_stands(rule);
        Some(match judge(&standing, samples.of(rule.is.what()), now)? {
            Verdict::Fires { value, before, at } => {
                let saw = Fired { firing: 0, rule: rule.is, value, before, at };
                Command::Fire { rule: number, armed_since: rule.armed_since, saw }
            }
            Verdict::BackToNormal { at } => {
                Command::Settle { rule: number, fired: rule.fired?, at }
            }
        })
    })
}

/// Everything that counts, up to now.
async fn remembered(
    desk: &Desk,
    subject: SubjectId,
    before: Option<Memory>,
) -> Result<Memory, Code> {
    let stream = StreamId::subject(subject);
    let shown = desk.subjects.see(&stream).await?;
    let same = before.filter(|memory| memory.shown_version == shown.state.shown_version);
    let mut memory = match same {
        Some(memory) => memory,
        None => Memory {
            after: first_since(desk, &stream, desk.clock.now() - LOOK_BACK).await?,
            shown_version: shown.state.shown_version,
            samples: Samples::default(),
        },
    };
    loop {
        let items = items_after(desk, &stream, memory.after, ITEMS).await?;
        for recorded in &items {
            memory.after = recorded.seq;
            if let Some(item) = opened(recorded) {
                memory.samples.take_in(&item, recorded.at, &shown.state);
            }
        }
        // A change is looked for within the longest span; what arrives late may be a day older.
        memory.samples.forget_before(desk.clock.now() - WITHIN_MAX - WITHIN_MAX);
        if items.len() < ITEMS {
            break;
        }
    }
    Ok(memory)
}

/// The cursor before the first item that arrived since: a stream of years is not read from its
/// beginning. Items stand in the order in which they arrived.
async fn first_since(desk: &Desk, stream: &StreamId, since: Timestamp) -> Result<u64, Code> {
    let is_before = async |seq: u64| -> Result<bool, Code> {
        let found = items_after(desk, stream, seq, 1).await?;
        Ok(found.first().is_some_and(|item| item.at < since))
    };
    let mut step = 1;
    while is_before(step).await? {
        step *= 2;
    }
    let (mut low, mut high) = (step / 2, step);
    while low < high {
        let middle = low + (high - low) / 2;
        if is_before(middle).await? {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

async fn items_after(
    desk: &Desk,
    stream: &StreamId,
    after: u64,
    count: usize,
) -> Result<Vec<crate::log::RecordedItem>, Code> {
    let read = desk.log.items_after(stream, after, count).await;
    read.map_err(|error| {
        tracing::error!(%error, "readings cannot be read");
        Code::NotDurable
    })
}
