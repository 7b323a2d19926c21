//! What the writer is asked to do, and the answer it gives when that is durable.

use super::codec::Sealed;
use super::queue::Weight;
use super::*;
use tokio::sync::oneshot;

/// What somebody waits for, and what will be said once it is durable.
#[derive(Debug)]
pub(super) struct Reply<T> {
    to: oneshot::Sender<T>,
    pub(super) said: Option<T>,
}

impl<T> Reply<T> {
    pub(super) fn new() -> (Self, oneshot::Receiver<T>) {
        let (to, answer) = oneshot::channel();
        (Self { to, said: None }, answer)
    }

    // Whoever asked may be gone: the record is durable all the same.
    fn send(self) {
        if let Some(said) = self.said {
            let _ = self.to.send(said);
        }
    }
}

#[derive(Debug)]
pub(super) enum Job {
    Events {
        stream: StreamId,
        expected: u64,
        events: Vec<Sealed>,
        reply: Reply<Result<u64, AppendError>>,
    },
    Items {
        stream: StreamId,
        items: Vec<Sealed>,
        reply: Reply<Result<UnorderedAppended, StoreError>>,
    },
    Snapshot {
        stream: StreamId,
        fold: u32,
        version: u64,
        body: Vec<u8>,
        reply: Reply<Result<(), StoreError>>,
    },
    Beat {
        now: Timestamp,
        reply: Reply<Result<(), StoreError>>,
    },
    /// The pages the file may have; true at once, whatever becomes of the transaction.
    Quota {
        pages: u32,
        reply: Reply<Result<(), StoreError>>,
    },
}

impl Weight for Job {
    fn bytes(&self) -> usize {
        match self {
            Self::Events { events: records, .. } | Self::Items { items: records, .. } => {
                records.iter().map(|record| record.body.len() + 64).sum()
            }
            Self::Snapshot { body, .. } => body.len(),
            Self::Beat { .. } | Self::Quota { .. } => 0,
        }
    }
}

impl Job {
    pub(super) fn fail(&mut self, error: StoreError) {
        match self {
            Self::Events { reply, .. } => reply.said = Some(Err(error.into())),
            Self::Items { reply, .. } => reply.said = Some(Err(error)),
            Self::Snapshot { reply, .. } | Self::Beat { reply, .. } | Self::Quota { reply, .. } => {
                reply.said = Some(Err(error));
            }
        }
    }

    pub(super) fn answer(self) {
        match self {
            Self::Events { reply, .. } => reply.send(),
            Self::Items { reply, .. } => reply.send(),
            Self::Snapshot { reply, .. } | Self::Beat { reply, .. } | Self::Quota { reply, .. } => {
                reply.send();
            }
        }
    }

    /// What to ring when it has become durable.
    pub(super) fn ring(&self) -> Option<Ring> {
        match self {
            Self::Events { stream, events, reply, .. } => match &reply.said {
                Some(Ok(version)) if !events.is_empty() => {
                    Some(Ring::Events { stream: stream.clone(), version: *version })
                }
                _ => None,
            },
            Self::Items { stream, reply, .. } => match &reply.said {
                Some(Ok(done)) if !done.added.is_empty() => {
                    Some(Ring::Items { stream: stream.clone(), last_seq: done.last_seq })
                }
                _ => None,
            },
            Self::Snapshot { .. } | Self::Beat { .. } | Self::Quota { .. } => None,
        }
    }
}
