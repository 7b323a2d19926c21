//! Sends pulse waves to those who are in a visit: the gateway joins the relay as a participant
//! without a face, with one unordered data channel. What is late or lost is not sent again.

mod participant;

use crate::dial::Dialer;
use crate::uplink::MediaOrder;
use minato_protocol::reading::WaveBlock;
use minato_protocol::{SubjectId, VisitId};
use participant::Participant;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::AbortHandle;

/// Blocks that wait for a visit's channel, about three seconds of two devices; a visit that is
/// slower misses the oldest.
pub(crate) const BLOCKS_WAITING_MAX: usize = 32;
/// Visits joined at a time; a further one is refused and asked for again later.
const VISITS_MAX: usize = 16;
/// A lost visit is reported after this pause, so that a broken relay is not stormed.
const REPORT_AFTER: Duration = Duration::from_secs(1);

/// A block and whose wave it is.
pub(crate) type WornBlock = (SubjectId, Arc<WaveBlock>);

/// Joins and leaves visits as the broker says.
#[derive(Debug)]
pub(crate) struct Waves {
    dialer: Dialer,
    blocks: broadcast::Sender<WornBlock>,
    /// At most 32 wait; a report that finds no room is dropped, and the broker grants anew when the
    /// link comes back.
    lost: mpsc::Sender<VisitId>,
    /// Numbers need the line: what is measured meanwhile is not sent.
    rest: watch::Receiver<bool>,
    visits: BTreeMap<VisitId, Joined>,
}

#[derive(Debug)]
struct Joined {
    subject: SubjectId,
    alive: Arc<AtomicBool>,
    task: AbortHandle,
}

impl Drop for Joined {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Waves {
    /// In no visit yet.
    pub(crate) fn new(
        dialer: Dialer,
        blocks: broadcast::Sender<WornBlock>,
        lost: mpsc::Sender<VisitId>,
        rest: watch::Receiver<bool>,
    ) -> Self {
        Self { dialer, blocks, lost, rest, visits: BTreeMap::new() }
    }

    /// Obeys until nobody can order any more.
    pub(crate) async fn run(mut self, mut orders: mpsc::Receiver<MediaOrder>) {
        while let Some(order) = orders.recv().await {
            match order {
                MediaOrder::Join { visit, subject, relay_url, token } => {
                    self.join(visit, subject, relay_url, token);
                }
                // Dropping it ends the task, which says goodbye to the relay.
                MediaOrder::Leave { visit } => drop(self.visits.remove(&visit)),
            }
        }
    }

    /// A grant for a visit that is joined already is a repetition and is not used.
    fn join(&mut self, visit: VisitId, subject: SubjectId, relay_url: String, token: String) {
        self.visits.retain(|_, joined| joined.alive.load(Ordering::Acquire));
        if self.visits.get(&visit).is_some_and(|joined| joined.subject == subject) {
            return;
        }
        if self.visits.len() >= VISITS_MAX && !self.visits.contains_key(&visit) {
            tracing::warn!(%visit, "too many visits at once for this gateway's waves");
            let _ = self.lost.try_send(visit);
            return;
        }
        let alive = Arc::new(AtomicBool::new(true));
        let task = tokio::spawn(attend(Attendance {
            visit,
            subject,
            relay_url,
            token,
            dialer: self.dialer.clone(),
            blocks: self.blocks.subscribe(),
            lost: self.lost.clone(),
            rest: self.rest.clone(),
            alive: alive.clone(),
        }));
        self.visits.insert(visit, Joined { subject, alive, task: task.abort_handle() });
    }
}

struct Attendance {
    visit: VisitId,
    subject: SubjectId,
    relay_url: String,
    token: String,
    dialer: Dialer,
    blocks: broadcast::Receiver<WornBlock>,
    lost: mpsc::Sender<VisitId>,
    rest: watch::Receiver<bool>,
    alive: Arc<AtomicBool>,
}

async fn attend(mut attendance: Attendance) {
    let visit = attendance.visit;
    let joined =
        Box::pin(Participant::join(&attendance.dialer, &attendance.relay_url, &attendance.token))
            .await;
    match joined {
        Ok(participant) => {
            tracing::info!(%visit, "joined the relay for waves");
            forward(&participant, &mut attendance).await;
            tracing::info!(%visit, "the relay is gone");
        }
        Err(error) => tracing::info!(%visit, %error, "the relay was not joined"),
    }
    tokio::time::sleep(REPORT_AFTER).await;
    attendance.alive.store(false, Ordering::Release);
    let _ = attendance.lost.try_send(visit);
}

/// Only the waves of the visit's own patient go into a visit.
async fn forward(participant: &Participant, attendance: &mut Attendance) {
    loop {
        let block = tokio::select! {
            () = participant.lost() => return,
            block = attendance.blocks.recv() => block,
        };
        match block {
            Ok((subject, block)) if subject == attendance.subject => {
                if !*attendance.rest.borrow() {
                    participant.send(&block).await;
                }
            }
            Ok(_) => {}
            Err(broadcast::error::RecvError::Lagged(missed)) => {
                tracing::debug!(missed, "wave blocks were too slow and are gone");
            }
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}
