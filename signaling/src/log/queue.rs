//! The writer's inbox: bounded in bytes, taken in batches, closed for ever when the writer ends.

use super::StoreError;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// What may wait for the writer, in KiB. When it is full, whoever wants to append waits; nothing
/// is dropped.
const QUEUE_KIB_MAX: u32 = 32 << 10;
/// Jobs in one transaction; the others wait for the next.
const BATCH_JOBS_MAX: usize = 512;

/// How much of the queue a job takes.
pub(super) trait Weight {
    fn bytes(&self) -> usize;

    fn kib(&self) -> u32 {
        let kib = u32::try_from(self.bytes() >> 10).unwrap_or(QUEUE_KIB_MAX);
        (kib + 1).min(QUEUE_KIB_MAX)
    }
}

#[derive(Debug)]
pub(super) struct Queue<J> {
    places: Semaphore,
    inbox: Mutex<Inbox<J>>,
    bell: Condvar,
}

#[derive(Debug)]
struct Inbox<J> {
    jobs: VecDeque<J>,
    /// The writer sleeps until so many jobs are there.
    awaited: usize,
    closed: bool,
}

impl<J: Weight> Queue<J> {
    pub(super) fn new() -> Self {
        let inbox = Inbox { jobs: VecDeque::new(), awaited: 1, closed: false };
        let places = Semaphore::new(QUEUE_KIB_MAX as usize);
        Self { places, inbox: Mutex::new(inbox), bell: Condvar::new() }
    }

    /// Hands a job over, waiting for room.
    pub(super) async fn put(&self, job: J) -> Result<(), StoreError> {
        let closed = || StoreError::unavailable("the log's writer has ended");
        self.places.acquire_many(job.kib()).await.map_err(|_| closed())?.forget();
        let mut inbox = self.lock();
        if inbox.closed {
            return Err(closed());
        }
        inbox.jobs.push_back(job);
        if inbox.jobs.len() == inbox.awaited {
            self.bell.notify_one();
        }
        Ok(())
    }

    /// What is there, waiting until something is. Nothing after the end, when all was taken.
    pub(super) fn take(&self) -> Vec<J> {
        self.drain(self.sleep_until(self.lock(), 1, None), BATCH_JOBS_MAX)
    }

    /// More for a batch that has `had` jobs and hopes for `hoped`; nothing when it has them or
    /// when the time is over. Half of the missing ones at a time, so that the first are worked on
    /// while the last arrive.
    pub(super) fn take_more(&self, had: usize, hoped: usize, until: Instant) -> Vec<J> {
        let missing = hoped.min(BATCH_JOBS_MAX).saturating_sub(had);
        if missing == 0 {
            return vec![];
        }
        let inbox = self.sleep_until(self.lock(), missing.div_ceil(2), Some(until));
        self.drain(inbox, BATCH_JOBS_MAX - had)
    }

    fn drain(&self, mut inbox: MutexGuard<'_, Inbox<J>>, count_max: usize) -> Vec<J> {
        let count = inbox.jobs.len().min(count_max);
        let jobs: Vec<J> = inbox.jobs.drain(..count).collect();
        drop(inbox);
        self.places.add_permits(jobs.iter().map(|job| job.kib() as usize).sum());
        jobs
    }

    fn sleep_until<'a>(
        &self,
        mut inbox: MutexGuard<'a, Inbox<J>>,
        count: usize,
        deadline: Option<Instant>,
    ) -> MutexGuard<'a, Inbox<J>> {
        inbox.awaited = count;
        while inbox.jobs.len() < count && !inbox.closed {
            let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
            inbox = match left {
                Some(Duration::ZERO) => break,
                Some(left) => {
                    let woken = self.bell.wait_timeout(inbox, left);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.bell.wait(inbox).unwrap_or_else(PoisonError::into_inner),
            };
        }
        inbox
    }

    /// Nothing comes in any more; what is in it can still be taken.
    pub(super) fn close(&self) {
        self.places.close();
        self.lock().closed = true;
        self.bell.notify_one();
    }

    /// Closes it and drops what is in it: those who wait are told by their broken channel.
    pub(super) fn abandon(&self) {
        self.close();
        self.lock().jobs.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Inbox<J>> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
