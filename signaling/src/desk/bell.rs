//! Rings when something became durable. Who listens looks for itself at what changed.

use minato_protocol::TicketId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// Tickets whose listeners left are forgotten when so many are known, and then at every doubling.
const TICKETS_MIN: usize = 1_024;

/// A bell that many hear. Rings that come together are heard as one.
///
/// A waiting patient hears every change of the room, but may look late: positions come together.
/// What happens to the patient's own ticket rings a bell of its own, which nobody hears late.
#[derive(Debug, Clone)]
pub struct Bell {
    any: Arc<watch::Sender<u64>>,
    tickets: Arc<Mutex<Tickets>>,
}

#[derive(Debug)]
struct Tickets {
    bell_by_ticket: HashMap<TicketId, watch::Sender<()>>,
    swept_at: usize,
}

impl Default for Bell {
    fn default() -> Self {
        let tickets = Tickets { bell_by_ticket: HashMap::new(), swept_at: TICKETS_MIN };
        Self { any: Arc::new(watch::Sender::new(0)), tickets: Arc::new(Mutex::new(tickets)) }
    }
}

impl Bell {
    /// Rings for everybody.
    pub fn ring(&self) {
        self.any.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Hears the rings from now on.
    pub fn listen(&self) -> watch::Receiver<u64> {
        self.any.subscribe()
    }

    /// Rings for whoever is on this ticket.
    pub fn ring_for(&self, ticket: TicketId) {
        let tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bell) = tickets.bell_by_ticket.get(&ticket) {
            bell.send_replace(());
        }
    }

    /// Hears what happens to one ticket from now on.
    pub fn listen_for(&self, ticket: TicketId) -> watch::Receiver<()> {
        let mut tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        if tickets.bell_by_ticket.len() >= tickets.swept_at {
            tickets.bell_by_ticket.retain(|_, bell| bell.receiver_count() > 0);
            tickets.swept_at = TICKETS_MIN.max(tickets.bell_by_ticket.len() * 2);
        }
        tickets.bell_by_ticket.entry(ticket).or_default().subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_to_a_ticket_rings_for_that_ticket_only() {
        let bell = Bell::default();
        let (mut own, other) = (bell.listen_for(TicketId(1)), bell.listen_for(TicketId(2)));
        bell.ring_for(TicketId(1));
        assert!(own.has_changed().unwrap());
        assert!(!other.has_changed().unwrap());
        own.mark_unchanged();
        bell.ring_for(TicketId(3));
        assert!(!own.has_changed().unwrap());
    }

    #[test]
    fn tickets_that_nobody_listens_to_any_more_are_forgotten() {
        let bell = Bell::default();
        let kept = bell.listen_for(TicketId(0));
        for number in 1..50_000 {
            drop(bell.listen_for(TicketId(number)));
        }
        let known = bell.tickets.lock().unwrap().bell_by_ticket.len();
        assert!(known <= TICKETS_MIN, "{known} are known");
        bell.ring_for(TicketId(0));
        assert!(kept.has_changed().unwrap());
    }
}
