//! Who comes first. Order is a value computed at an event; waiting alone never changes it.

use crate::sorted::Sorted;
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

/// Tickets by rank.
pub type Queue = Sorted<Rank, TicketId>;

#[cfg(test)]
mod tests {
    use super::*;

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
}
