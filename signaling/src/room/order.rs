//! Who comes first. Order is a value computed at an event; waiting alone never changes it.

use minato_protocol::act::Triage;
use minato_protocol::{Span, TicketId, Timestamp};

/// A place: the lane, then a time, then the order of arrival. Smaller is sooner and no two
/// tickets share one.
pub type Rank = (u8, Timestamp, u32);

/// Before everybody. No waiting lifts anybody of a later lane above it.
pub const LANE_EMERGENCY: u8 = 0;
/// Somebody who was already called and lost the doctor through no fault of their own.
pub const LANE_FRONT: u8 = 1;
/// Everybody else: arrival plus a constant a triage level, so that nobody starves.
pub const LANE_QUEUE: u8 = 2;

const STANDARD_AFTER: Span = Span::minutes(20);
const REVISIT_AFTER: Span = Span::minutes(40);

/// The place of somebody who arrived then.
pub fn rank(triage: Triage, arrived: Timestamp, serial: u32) -> Rank {
    match triage {
        Triage::Emergency => (LANE_EMERGENCY, arrived, serial),
        Triage::Urgent => (LANE_QUEUE, arrived, serial),
        Triage::Standard => (LANE_QUEUE, arrived + STANDARD_AFTER, serial),
        Triage::Revisit => (LANE_QUEUE, arrived + REVISIT_AFTER, serial),
    }
}

/// The place of somebody who goes back to the front: behind emergencies, in order of return.
pub fn front(triage: Triage, returned: Timestamp, arrived: Timestamp, serial: u32) -> Rank {
    match triage {
        Triage::Emergency => rank(triage, arrived, serial),
        Triage::Urgent | Triage::Standard | Triage::Revisit => (LANE_FRONT, returned, serial),
    }
}

/// The place after another judgement of urgency: who was put to the front stays there, however the
/// judgement went, unless it is an emergency.
pub fn moved(old: Rank, triage: Triage, arrived: Timestamp, serial: u32) -> Rank {
    if old.0 == LANE_FRONT && triage != Triage::Emergency {
        return old;
    }
    rank(triage, arrived, serial)
}

/// Tickets by rank, with the position of any one in O(√n) and small constants: sorted runs of at
/// most [`RUN_MAX`].
#[derive(Debug, Clone, Default)]
pub struct Queue {
    runs: Vec<Vec<(Rank, TicketId)>>,
    len: usize,
}

const RUN_MAX: usize = 128;

impl Queue {
    /// How many are in the queue.
    pub fn len(&self) -> usize {
        self.len
    }

    fn run_for(&self, rank: Rank) -> usize {
        let after = self.runs.partition_point(|run| run[0].0 <= rank);
        after.saturating_sub(1)
    }

    /// Puts a ticket in its place.
    pub fn insert(&mut self, rank: Rank, ticket: TicketId) {
        self.len += 1;
        if self.runs.is_empty() {
            self.runs.push(vec![(rank, ticket)]);
            return;
        }
        let at = self.run_for(rank);
        let run = &mut self.runs[at];
        let place = run.partition_point(|(other, _)| *other < rank);
        run.insert(place, (rank, ticket));
        if run.len() > RUN_MAX {
            let second = run.split_off(RUN_MAX / 2);
            self.runs.insert(at + 1, second);
        }
    }

    /// Takes a ticket out of its place. A rank that is not there changes nothing.
    pub fn remove(&mut self, rank: Rank) {
        if self.runs.is_empty() {
            return;
        }
        let at = self.run_for(rank);
        let run = &mut self.runs[at];
        let Ok(place) = run.binary_search_by_key(&rank, |(other, _)| *other) else { return };
        run.remove(place);
        self.len -= 1;
        if run.is_empty() {
            self.runs.remove(at);
        }
    }

    /// How many come before a rank.
    pub fn ahead_of(&self, rank: Rank) -> usize {
        if self.runs.is_empty() {
            return 0;
        }
        let at = self.run_for(rank);
        let before: usize = self.runs[..at].iter().map(Vec::len).sum();
        before + self.runs[at].partition_point(|(other, _)| *other < rank)
    }

    /// Tickets, the first one first.
    pub fn iter(&self) -> impl Iterator<Item = TicketId> + '_ {
        self.runs.iter().flatten().map(|(_, ticket)| *ticket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn an_urgent_patient_passes_a_standard_one_who_came_less_than_twenty_minutes_before() {
        let standard = rank(Triage::Standard, Timestamp(0), 0);
        assert!(rank(Triage::Urgent, Timestamp(0) + Span::minutes(19), 1) < standard);
        assert!(rank(Triage::Urgent, Timestamp(0) + Span::minutes(21), 1) > standard);
    }

    #[test]
    fn nobody_passes_an_emergency() {
        let emergency = rank(Triage::Emergency, Timestamp(1_000_000), 9);
        assert!(emergency < rank(Triage::Urgent, Timestamp(0), 0));
        assert!(emergency < front(Triage::Urgent, Timestamp(0), Timestamp(0), 0));
    }

    proptest! {
        #[test]
        fn the_queue_agrees_with_a_sorted_map(steps in prop::collection::vec((any::<bool>(), 0u32..400), 1..1500)) {
            let mut queue = Queue::default();
            let mut model = BTreeMap::new();
            for (add, serial) in steps {
                let rank = (LANE_QUEUE, Timestamp(i64::from(serial % 37)), serial);
                if add && !model.contains_key(&rank) {
                    queue.insert(rank, TicketId(u64::from(serial)));
                    model.insert(rank, TicketId(u64::from(serial)));
                } else if !add {
                    queue.remove(rank);
                    model.remove(&rank);
                }
                prop_assert_eq!(queue.ahead_of(rank), model.range(..rank).count());
                prop_assert_eq!(queue.len(), model.len());
            }
            prop_assert!(queue.iter().eq(model.values().copied()));
        }
    }
}
