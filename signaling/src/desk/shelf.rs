//! All streams of one noun that this node has open.

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

/// One open stream.
struct Open<A: Aggregate> {
    mailbox: mpsc::Sender<Job<A>>,
    watched: watch::Receiver<Arc<Seen<A>>>,
}

type Slot<A> = Arc<OnceCell<Open<A>>>;

/// Streams of one noun, each with its keeper, opened when first asked for.
pub struct Shelf<A: Aggregate> {
    log: Arc<dyn EventLog>,
    clock: Clock,
    bell: Bell,
    open: Mutex<HashMap<StreamId, Slot<A>>>,
}

impl<A: Aggregate> fmt::Debug for Shelf<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf").field("noun", &std::any::type_name::<A>()).finish_non_exhaustive()
    }
}

impl<A: Aggregate> Shelf<A> {
    /// An empty shelf over a log.
    pub fn new(log: Arc<dyn EventLog>, clock: Clock, bell: Bell) -> Self {
        Self { log, clock, bell, open: Mutex::new(HashMap::new()) }
    }

    fn slot(&self, stream: &StreamId) -> Slot<A> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(open.entry(stream.clone()).or_default())
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
        let job = Job { key, command, reply };
        open.mailbox.try_send(job).map_err(|_full| Code::Busy)?;
        answer.await.unwrap_or(Err(Code::Busy))
    }

    /// The newest durable state.
    pub async fn see(&self, stream: &StreamId) -> Result<Arc<Seen<A>>, Code> {
        let slot = self.slot(stream);
        let open = self.opened(&slot, stream).await?;
        Ok(Arc::clone(&open.watched.borrow()))
    }

    /// Follows the newest durable state.
    pub async fn watch(&self, stream: &StreamId) -> Result<watch::Receiver<Arc<Seen<A>>>, Code> {
        let slot = self.slot(stream);
        let open = self.opened(&slot, stream).await?;
        Ok(open.watched.clone())
    }

    /// Closes a stream nobody will ask for soon; its keeper ends with its mailbox.
    pub fn close(&self, stream: &StreamId) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(stream);
    }
}
