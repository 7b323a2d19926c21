//! A clinic with a box, a bedside patient in a visit, and the doctor who has the patient.

use super::{Broker, Clinic, Screen, Wall, reading_of, site};
use minato_protocol::act::Act;
use minato_protocol::reading::ReadingId;
use minato_protocol::uplink::OutboxEntry;
use minato_protocol::{GatewayId, SubjectId, TicketId, Timestamp, VisitId};
use minato_signaling::access::Secrets;
use minato_signaling::clock::Clock;
use minato_signaling::http::Edge;
use minato_signaling::log::{MemoryLog, StreamId};
use minato_signaling::subject::Item;
use std::sync::Arc;

/// At site 1.
pub(crate) const BOX: GatewayId = GatewayId(1);

pub(crate) struct Ward {
    pub(crate) clinic: Clinic,
    pub(crate) log: Arc<MemoryLog>,
    pub(crate) secrets: Secrets,
    pub(crate) nurse: Screen,
    pub(crate) doctor: Screen,
    pub(crate) ticket: TicketId,
    pub(crate) subject: SubjectId,
    pub(crate) visit: VisitId,
}

impl Ward {
    /// Nurse and doctor look at the patient's readings.
    pub(crate) async fn open() -> Self {
        let (log, secrets) = (Arc::new(MemoryLog::default()), Secrets::random());
        let broker = Broker::start(Arc::clone(&log) as _, Clock::start(), secrets.clone()).await;
        let clinic = Clinic::within(broker, 2).await;
        Wall::enrol(&clinic.broker, BOX, site(1)).await;
        let (nurse, doctor) = (clinic.nurse(1).await, clinic.doctor(1).await);
        let ticket = clinic.in_bed(&nurse, 1).await;
        let (visit, _) = clinic.visit(&doctor, &nurse, ticket).await;
        let subject = clinic.subject_of(ticket).await;
        for screen in [&nurse, &doctor] {
            screen.must(Act::WatchReadings { subject, after: 0 }).await;
        }
        Self { clinic, log, secrets, nurse, doctor, ticket, subject, visit }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clinic.broker.edge.desk.clock.now()
    }

    /// A blood pressure of the patient.
    pub(crate) fn line(&self, seq: u64) -> OutboxEntry {
        reading_of(Some(self.subject), seq, self.now())
    }

    /// Delivered by the box and acknowledged.
    pub(crate) async fn deliver(&self, batch: Vec<OutboxEntry>) {
        let mut wall = Wall::connect(&self.clinic.broker, BOX).await;
        wall.deliver_all(self.now(), batch).await;
    }

    /// What the patient's stream keeps.
    pub(crate) async fn kept(&self) -> Vec<Item> {
        kept_of(&self.clinic.broker, self.subject).await
    }

    pub(crate) async fn ids_kept(&self) -> Vec<ReadingId> {
        self.kept().await.iter().map(|item| item.outcome.id()).collect()
    }
}

/// What a subject's stream keeps.
pub(crate) async fn kept_of(broker: &Broker, subject: SubjectId) -> Vec<Item> {
    let read = move |edge: Arc<Edge>| async move {
        let items = edge.desk.log.items_after(&StreamId::subject(subject), 0, 1_000).await;
        let items = items.expect("readable").into_iter();
        let opened = |body| {
            let pii: minato_protocol::Pii<Item> = serde_json::from_value(body).expect("an item");
            pii.reveal().cloned().expect("not erased")
        };
        items.map(|item| opened(item.body)).collect()
    };
    broker.inside(read).await
}
