//! A sorted map whose copies share what did not change: a copy costs little, and two copies tell
//! quickly where they differ.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Keys and values in sorted runs of at most `RUN` entries. To copy the map takes one pointer, to
/// look for a key O(log n); a change after a copy copies one run and the list of the runs.
///
/// Long runs make positions ([`Sorted::before`]) and that list short, short ones changes cheap.
#[derive(Debug, Clone)]
pub struct Sorted<K, V, const RUN: usize = 128> {
    /// None of them is empty.
    runs: Arc<Vec<Run<K, V>>>,
    len: usize,
}

type Run<K, V> = Arc<Vec<(K, V)>>;

impl<K, V, const RUN: usize> Default for Sorted<K, V, RUN> {
    fn default() -> Self {
        Self { runs: Arc::default(), len: 0 }
    }
}

impl<K: Ord, V, const RUN: usize> Sorted<K, V, RUN> {
    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The run in which a key is, or would be put.
    fn run_of(&self, key: &K) -> usize {
        let first = |run: &Run<K, V>| run.first().is_some_and(|(first, _)| first <= key);
        self.runs.partition_point(first).saturating_sub(1)
    }

    /// Run and place of a key that is there.
    fn find(&self, key: &K) -> Option<(usize, usize)> {
        let at = self.run_of(key);
        let place = self.runs.get(at)?.binary_search_by(|(other, _)| other.cmp(key)).ok()?;
        Some((at, place))
    }

    /// A key's value.
    pub fn get(&self, key: &K) -> Option<&V> {
        let (at, place) = self.find(key)?;
        Some(&self.runs.get(at)?.get(place)?.1)
    }

    /// Whether a key is there.
    pub fn contains_key(&self, key: &K) -> bool {
        self.find(key).is_some()
    }

    /// How many keys come before this one.
    pub fn before(&self, key: &K) -> usize {
        let at = self.run_of(key);
        let whole: usize = self.runs.iter().take(at).map(|run| run.len()).sum();
        whole + self.runs.get(at).map_or(0, |run| run.partition_point(|(other, _)| other < key))
    }

    /// Keys and values, the smallest key first.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.runs.iter().flat_map(|run| run.iter().map(|(key, value)| (key, value)))
    }

    /// The keys, the smallest first.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// The values, by key.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// What is not the very same as in an older copy: each such key with its value here, or without
    /// one where it is gone. Looks into the runs only that are not shared.
    pub fn changes_since<'a>(
        &'a self,
        older: &Self,
        is_same: impl Fn(&V, &V) -> bool,
    ) -> Vec<(K, Option<&'a V>)>
    where
        K: Clone,
    {
        let (new, old) = self.unshared(older);
        let (mut new, mut old) = (entries(new).peekable(), entries(old).peekable());
        let mut changes = Vec::new();
        loop {
            let order = match (new.peek(), old.peek()) {
                (None, None) => return changes,
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some((here, _)), Some((there, _))) => here.cmp(there),
            };
            let here = if order.is_le() { new.next() } else { None };
            let there = if order.is_ge() { old.next() } else { None };
            match (here, there) {
                (Some((_, value)), Some((_, before))) if is_same(value, before) => {}
                (Some((key, value)), _) => changes.push((key.clone(), Some(value))),
                (None, Some((key, _))) => changes.push((key.clone(), None)),
                (None, None) => {}
            }
        }
    }

    /// The runs of both that are not one and the same, in order. A run that is shared is met on both
    /// sides together, because whichever side ends earlier goes on first.
    fn unshared<'a, 'b>(&'a self, older: &'b Self) -> (Runs<'a, K, V>, Runs<'b, K, V>) {
        let (mut new, mut old) = (self.runs.iter().peekable(), older.runs.iter().peekable());
        let (mut only_new, mut only_old) = (Vec::new(), Vec::new());
        loop {
            match (new.peek(), old.peek()) {
                (None, None) => return (only_new, only_old),
                (Some(here), Some(there)) if Arc::ptr_eq(here, there) => {
                    new.next();
                    old.next();
                }
                (Some(here), there) if there.is_none_or(|there| ends(here) <= ends(there)) => {
                    only_new.extend(new.next().map(|run| run.as_slice()));
                }
                (_, _) => only_old.extend(old.next().map(|run| run.as_slice())),
            }
        }
    }
}

type Runs<'a, K, V> = Vec<&'a [(K, V)]>;

fn ends<K, V>(run: &Run<K, V>) -> Option<&K> {
    run.last().map(|(key, _)| key)
}

fn entries<K, V>(runs: Runs<'_, K, V>) -> impl Iterator<Item = (&K, &V)> {
    runs.into_iter().flatten().map(|(key, value)| (key, value))
}

impl<K: Ord + Clone, V: Clone, const RUN: usize> Sorted<K, V, RUN> {
    /// A key's value, to be changed. The other copies keep theirs.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let (at, place) = self.find(key)?;
        let run = Arc::make_mut(Arc::make_mut(&mut self.runs).get_mut(at)?);
        run.get_mut(place).map(|(_, value)| value)
    }

    /// Puts a value in; gives the one that was there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let at = self.run_of(&key);
        let runs = Arc::make_mut(&mut self.runs);
        let Some(run) = runs.get_mut(at).map(Arc::make_mut) else {
            runs.push(Arc::new(vec![(key, value)]));
            self.len = 1;
            return None;
        };
        match run.binary_search_by(|(other, _)| other.cmp(&key)) {
            Ok(place) => run.get_mut(place).map(|(_, old)| std::mem::replace(old, value)),
            Err(place) => {
                run.insert(place, (key, value));
                self.len += 1;
                if run.len() > RUN {
                    let second = run.split_off(run.len() / 2);
                    runs.insert(at + 1, Arc::new(second));
                }
                None
            }
        }
    }

    /// Takes a key out; gives its value. A key that is not there changes nothing.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let (at, place) = self.find(key)?;
        let runs = Arc::make_mut(&mut self.runs);
        let run = Arc::make_mut(runs.get_mut(at)?);
        let (_, value) = run.remove(place);
        self.len -= 1;
        if run.is_empty() {
            runs.remove(at);
        }
        Some(value)
    }
}

impl<K: Ord + Clone, V: Clone, const RUN: usize> FromIterator<(K, V)> for Sorted<K, V, RUN> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut sorted = Self::default();
        for (key, value) in entries {
            sorted.insert(key, value);
        }
        sorted
    }
}

impl<K: Ord + Serialize, V: Serialize, const RUN: usize> Serialize for Sorted<K, V, RUN> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, K, V, const RUN: usize> Deserialize<'de> for Sorted<K, V, RUN>
where
    K: Ord + Clone + Deserialize<'de>,
    V: Clone + Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(BTreeMap::deserialize(deserializer)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Put in or changed, or taken out; now and then a copy is taken.
    #[derive(Debug, Clone)]
    enum Step {
        Put(u16, u8),
        Change(u16, u8),
        Take(u16),
        Copy,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0u16..300, any::<u8>()).prop_map(|(key, value)| Step::Put(key, value)),
            2 => (0u16..300, any::<u8>()).prop_map(|(key, value)| Step::Change(key, value)),
            3 => (0u16..300).prop_map(Step::Take),
            1 => Just(Step::Copy),
        ]
    }

    type Model = BTreeMap<u16, u8>;

    fn differences(new: &Model, old: &Model) -> Vec<(u16, Option<u8>)> {
        let keys: std::collections::BTreeSet<u16> = new.keys().chain(old.keys()).copied().collect();
        let differ = keys.into_iter().filter(|key| new.get(key) != old.get(key));
        differ.map(|key| (key, new.get(&key).copied())).collect()
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_sorted_map_and_so_do_the_differences_from_every_older_copy(
            steps in prop::collection::vec(step(), 1..900)
        ) {
            let mut sorted = Sorted::<u16, u8, 8>::default();
            let mut model = Model::new();
            let mut copies = vec![(sorted.clone(), model.clone())];
            for step in steps {
                match step {
                    Step::Put(key, value) => {
                        prop_assert_eq!(sorted.insert(key, value), model.insert(key, value));
                    }
                    Step::Change(key, value) => {
                        if let Some(here) = sorted.get_mut(&key) {
                            *here = value;
                        }
                        model.entry(key).and_modify(|here| *here = value);
                    }
                    Step::Take(key) => {
                        prop_assert_eq!(sorted.remove(&key), model.remove(&key));
                        prop_assert_eq!(sorted.before(&key), model.range(..key).count());
                    }
                    Step::Copy => copies.push((sorted.clone(), model.clone())),
                }
                prop_assert_eq!(sorted.len(), model.len());
            }
            prop_assert!(sorted.iter().eq(model.iter()));
            prop_assert!(sorted.runs.iter().all(|run| (1..=8).contains(&run.len())));
            for (copy, model_then) in &copies {
                prop_assert!(copy.iter().eq(model_then.iter()), "a copy was changed");
                let changes = sorted.changes_since(copy, |new, old| new == old);
                let changes: Vec<_> =
                    changes.into_iter().map(|(key, value)| (key, value.copied())).collect();
                prop_assert_eq!(changes, differences(&model, model_then));
            }
        }
    }

    #[test]
    fn one_change_among_thousands_is_found_without_looking_at_the_others() {
        let before: Sorted<u32, u32, 32> = (0..5_000).map(|key| (key, 0)).collect();
        let mut after = before.clone();
        after.insert(2_500, 1);
        let looked_at = std::cell::Cell::new(0);
        let is_same = |new: &u32, old: &u32| {
            looked_at.set(looked_at.get() + 1);
            new == old
        };
        assert_eq!(after.changes_since(&before, is_same), [(2_500, Some(&1))]);
        assert!(looked_at.get() <= 32, "{} were looked at", looked_at.get());
    }

    #[test]
    fn it_is_stored_as_a_map_and_read_back() {
        let sorted: Sorted<u8, String> =
            [(2, "b".to_owned()), (1, "a".to_owned())].into_iter().collect();
        let text = serde_json::to_string(&sorted).unwrap();
        assert_eq!(text, r#"{"1":"a","2":"b"}"#);
        let read: Sorted<u8, String> = serde_json::from_str(&text).unwrap();
        assert!(read.iter().eq(sorted.iter()));
    }
}
