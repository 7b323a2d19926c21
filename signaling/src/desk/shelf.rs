//! All streams of one noun that this node has open, and which of them may be closed.

use super::bell::Bell;
use super::keeper::{Job, Keeper, MAILBOX_MAX, Seen, Settled, unpack};
use crate::aggregate::{Aggregate, CommandKey};
use crate::clock::Clock;
use crate::log::{EventLog, StreamId};
use minato_protocol::Code;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OnceCell, mpsc, oneshot, watch};

/// Keepers of one noun in memory. When there are more, those unused for longest end, down to three
/// quarters: each is made anew from the log when it is asked for. Whoever is at work stays,
/// beyond the bound if need be; their number is bounded by the connections.
pub const KEEPERS_MAX: usize = 4_096;

/// One open stream.
struct Open<A: Aggregate> {
    mailbox: mpsc::Sender<Job<A>>,
    watched: watch::Receiver<Arc<Seen<A>>>,
}

type Slot<A> = Arc<OnceCell<Open<A>>>;

/// A place on the shelf.
struct Place<A: Aggregate> {
    slot: Slot<A>,
    /// The number of its last use; a higher one is later.
    used: u64,
}

impl<A: Aggregate> Place<A> {
    /// Nobody asks and no job is on its way. Whoever uses a stream holds its slot, and a slot is
    /// handed out under the lock of the places only.
    fn is_idle(&self) -> bool {
        Arc::strong_count(&self.slot) == 1
    }
}

struct Places<A: Aggregate> {
    by_stream: HashMap<StreamId, Place<A>>,
    uses: u64,
    /// With more than so many places, idle ones are looked for.
    tidy_beyond: usize,
}

impl<A: Aggregate> Places<A> {
    fn slot(&mut self, stream: &StreamId) -> Slot<A> {
        self.uses += 1;
        let fresh = || Place { slot: Slot::default(), used: 0 };
        let place = self.by_stream.entry(stream.clone()).or_insert_with(fresh);
        place.used = self.uses;
        Arc::clone(&place.slot)
    }

    fn tidy(&mut self, keepers_max: usize) {
        let idle = self.by_stream.iter().filter(|(_, place)| place.is_idle());
        let mut idle: Vec<(u64, StreamId)> =
            idle.map(|(stream, place)| (place.used, stream.clone())).collect();
        idle.sort_unstable_by_key(|(used, _)| *used);
        let surplus = self.by_stream.len().saturating_sub(keepers_max / 4 * 3);
        for (_, stream) in idle.into_iter().take(surplus) {
            self.by_stream.remove(&stream);
        }
        // Where most are in use it is not looked again at every new one.
        self.tidy_beyond = keepers_max.max(self.by_stream.len().saturating_add(keepers_max / 4));
    }
}

/// Streams of one noun, each with its keeper, opened when first asked for.
pub struct Shelf<A: Aggregate> {
    log: Arc<dyn EventLog>,
    clock: Clock,
    bell: Bell,
    keepers_max: usize,
    places: Mutex<Places<A>>,
}

impl<A: Aggregate> fmt::Debug for Shelf<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf").field("noun", &std::any::type_name::<A>()).finish_non_exhaustive()
    }
}

impl<A: Aggregate> Shelf<A> {
    /// An empty shelf over a log, for at most [`KEEPERS_MAX`] idle keepers.
    pub fn new(log: Arc<dyn EventLog>, clock: Clock, bell: Bell) -> Self {
        Self::bounded(log, clock, bell, KEEPERS_MAX)
    }

    /// A shelf for few and long streams that are looked at all the time: none is closed.
    pub fn unbounded(log: Arc<dyn EventLog>, clock: Clock, bell: Bell) -> Self {
        Self::bounded(log, clock, bell, usize::MAX)
    }

    fn bounded(log: Arc<dyn EventLog>, clock: Clock, bell: Bell, keepers_max: usize) -> Self {
        let places = Places { by_stream: HashMap::new(), uses: 0, tidy_beyond: keepers_max };
        Self { log, clock, bell, keepers_max, places: Mutex::new(places) }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Places<A>) -> T) -> T {
        change(&mut self.places.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many keepers are in memory.
    pub fn keepers(&self) -> usize {
        self.with(|places| places.by_stream.len())
    }

    fn slot(&self, stream: &StreamId) -> Slot<A> {
        self.with(|places| {
            let slot = places.slot(stream);
            if places.by_stream.len() > places.tidy_beyond {
                places.tidy(self.keepers_max);
            }
            slot
        })
    }

    async fn opened<'a>(&self, slot: &'a Slot<A>, stream: &StreamId) -> Result<&'a Open<A>, Code> {
        slot.get_or_try_init(|| async {
            let log = Arc::clone(&self.log);
            let (clock, bell) = (self.clock.clone(), self.bell.clone());
            let (keeper, watched) = Keeper::load(log, clock, bell, stream.clone()).await?;
            let (mailbox, jobs) = mpsc::channel(MAILBOX_MAX);
            tokio::spawn(keeper.serve(jobs));
            Ok(Open { mailbox, watched })
        })
        .await
    }

    /// Carries a command out, once a key. Answers after it is durable.
    pub async fn submit(
        &self,
        stream: &StreamId,
        key: Option<CommandKey>,
        command: A::Command,
    ) -> Result<Settled<A>, Code> {
        self.hand_in(stream, key, Some(command)).await
    }

    /// What a press brought that was carried out before: its first event, from the log, so that
    /// whoever asks again gets the same answer whatever happened since. `KeyReused`: the key was
    /// another command's.
    pub async fn brought_before(
        &self,
        stream: &StreamId,
        key: CommandKey,
    ) -> Result<Option<A::Event>, Code> {
        let Some(version) = self.hand_in(stream, Some(key), None).await?.before else {
            return Ok(None);
        };
        let read = self.log.read_after(stream, version.saturating_sub(1), 1).await;
        let found = read.map_err(|error| {
            tracing::error!(%stream, %error, "stream cannot be read");
            Code::NotDurable
        })?;
        let events = found.into_iter().filter_map(|recorded| unpack::<A>(recorded.body));
        // A command that changed nothing left no event: what stands there is another's.
        Ok(events.filter(|(by, _)| *by == Some(key)).map(|(_, event)| event).next())
    }

    async fn hand_in(
        &self,
        stream: &StreamId,
        key: Option<CommandKey>,
        command: Option<A::Command>,
    ) -> Result<Settled<A>, Code> {
        let slot = self.slot(stream);
        let open = self.opened(&slot, stream).await?;
        let (reply, answer) = oneshot::channel();
        let job = Job { key, command, reply, _in_use: Arc::clone(&slot) as _ };
        open.mailbox.try_send(job).map_err(|_full| Code::Busy)?;
        answer.await.unwrap_or(Err(Code::Busy))
    }

    /// The newest durable state.
    pub async fn see(&self, stream: &StreamId) -> Result<Arc<Seen<A>>, Code> {
        let slot = self.slot(stream);
        let open = self.opened(&slot, stream).await?;
        Ok(Arc::clone(&open.watched.borrow()))
    }
}

#[cfg(test)]
#[path = "shelf_tests.rs"]
mod tests;
