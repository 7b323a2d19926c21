//! Who sits in which of a page's slots: PURE.

use minato_protocol::ParticipantId;

/// The receiving pairs of one page and who is in them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Slots {
    holders: Vec<Option<ParticipantId>>,
}

impl Slots {
    /// As many empty slots as the page offered.
    pub(crate) fn new(count: usize) -> Self {
        Self { holders: vec![None; count] }
    }

    /// Seats exactly these people, in order of arrival. Whoever has a seat keeps it; the others
    /// take the lowest free ones; who finds none waits for the next change.
    ///
    /// Answers with the slots whose holder changed.
    pub(crate) fn seat(&mut self, people: &[ParticipantId]) -> Vec<usize> {
        let before = self.holders.clone();
        for seat in &mut self.holders {
            if seat.is_some_and(|holder| !people.contains(&holder)) {
                *seat = None;
            }
        }
        for person in people {
            if self.of(*person).is_none()
                && let Some(free) = self.holders.iter_mut().find(|seat| seat.is_none())
            {
                *free = Some(*person);
            }
        }
        (0..before.len()).filter(|index| before[*index] != self.holders[*index]).collect()
    }

    /// The slot of a person.
    pub(crate) fn of(&self, person: ParticipantId) -> Option<usize> {
        self.holders.iter().position(|seat| *seat == Some(person))
    }

    /// Who is in a slot.
    pub(crate) fn holder(&self, index: usize) -> Option<ParticipantId> {
        self.holders.get(index).copied().flatten()
    }

    /// Occupied slots by index.
    pub(crate) fn occupied(&self) -> impl Iterator<Item = (usize, ParticipantId)> + '_ {
        self.holders.iter().enumerate().filter_map(|(index, seat)| seat.map(|who| (index, who)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn people(ids: &[u64]) -> Vec<ParticipantId> {
        ids.iter().map(|id| ParticipantId(*id)).collect()
    }

    #[test]
    fn who_stays_keeps_the_slot_when_others_come_and_go() {
        let mut slots = Slots::new(5);
        assert_eq!(slots.seat(&people(&[1, 2])), vec![0, 1]);
        assert_eq!(slots.seat(&people(&[2, 3])), vec![0]);
        assert_eq!(slots.of(ParticipantId(2)), Some(1));
        assert_eq!(slots.of(ParticipantId(3)), Some(0));
    }

    #[test]
    fn a_page_with_fewer_slots_seats_the_next_when_one_leaves() {
        let mut slots = Slots::new(1);
        slots.seat(&people(&[1, 2]));
        assert_eq!(slots.of(ParticipantId(2)), None);
        assert_eq!(slots.seat(&people(&[2])), vec![0]);
    }

    proptest! {
        #[test]
        fn nobody_sits_twice_and_nobody_moves(
            rounds in prop::collection::vec(prop::collection::hash_set(0u64..8, 0..6), 1..20)
        ) {
            let mut slots = Slots::new(5);
            for round in rounds {
                let here: Vec<_> = round.iter().map(|id| ParticipantId(*id)).collect();
                let before = slots.clone();
                slots.seat(&here);
                let mut seated: Vec<_> = slots.occupied().map(|(_, who)| who).collect();
                prop_assert_eq!(seated.len(), here.len().min(5));
                seated.sort_unstable();
                seated.dedup();
                prop_assert_eq!(seated.len(), here.len().min(5));
                for (index, who) in before.occupied().filter(|(_, who)| here.contains(who)) {
                    prop_assert_eq!(slots.of(who), Some(index));
                }
            }
        }
    }
}
