//! Maps and sets in the order of their keys, in little code.
//!
//! Those of the standard library are trees, of which each type of key and value adds about 3 KB to
//! the component. These are sorted vectors, which add a third of that.
//!
//! 1. Keys rise within a run, and from run to run. No run is empty, and none exceeds `RUN_MAX`.
//! 2. A search takes logarithmic time. So does an insertion, but for moving the entries of one run,
//!    and once in many insertions the list of runs. A key behind all others moves nothing.

use std::borrow::Borrow;
use std::iter::Flatten;
use std::ops::RangeInclusive;
use std::vec::IntoIter;

mod set;

pub(crate) use set::Set;

/// The entries of a run at most: with fewer, many runs are listed; with more, many entries move.
const RUN_MAX: usize = 256;

/// A map in the order of its keys.
#[derive(Clone, Debug)]
pub(crate) struct Map<K, V> {
    runs: Vec<Vec<(K, V)>>,
}

/// The place of an entry, or the one where it belongs.
#[derive(Clone, Copy)]
struct Place {
    run: usize,
    at: usize,
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self { runs: Vec::new() }
    }
}

impl<K, V> Map<K, V> {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn len(&self) -> usize {
        self.runs.iter().map(Vec::len).sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> + Clone {
        self.runs.iter().flatten().map(|(key, value)| (key, value))
    }

    pub(crate) fn keys(&self) -> impl DoubleEndedIterator<Item = &K> + Clone {
        self.runs.iter().flatten().map(|(key, _)| key)
    }

    pub(crate) fn values(&self) -> impl DoubleEndedIterator<Item = &V> + Clone {
        self.runs.iter().flatten().map(|(_, value)| value)
    }

    pub(crate) fn into_keys(self) -> impl DoubleEndedIterator<Item = K> {
        self.runs.into_iter().flatten().map(|(key, _)| key)
    }

    pub(crate) fn into_values(self) -> impl DoubleEndedIterator<Item = V> {
        self.runs.into_iter().flatten().map(|(_, value)| value)
    }

    /// Keeps the entries for which `keep` returns true.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        for run in &mut self.runs {
            run.retain_mut(|(key, value)| keep(key, value));
        }
        self.runs.retain(|run| !run.is_empty());
    }

    fn remove_at(&mut self, place: Place) -> Option<(K, V)> {
        let run = self.runs.get_mut(place.run)?;
        let entry = run.remove(place.at);
        if run.is_empty() {
            self.runs.remove(place.run);
        }
        Some(entry)
    }

    pub(crate) fn clear(&mut self) {
        self.runs.clear();
    }

    pub(crate) fn pop_first(&mut self) -> Option<(K, V)> {
        self.remove_at(Place { run: 0, at: 0 })
    }
}

impl<K: Ord, V> Map<K, V> {
    /// Returns the place of a key, as an error the one where it belongs.
    fn search<Q: Ord + ?Sized>(&self, key: &Q) -> Result<Place, Place>
    where
        K: Borrow<Q>,
    {
        let ends_before =
            |run: &Vec<(K, V)>| run.last().is_some_and(|(last, _)| last.borrow() < key);
        // Most keys come in their order.
        let run = match self.runs.last() {
            Some(last) if ends_before(last) => self.runs.len(),
            _ => self.runs.partition_point(ends_before),
        };
        let entries = self.runs.get(run).map(Vec::as_slice).unwrap_or_default();
        match entries.binary_search_by(|(held, _)| held.borrow().cmp(key)) {
            Ok(at) => Ok(Place { run, at }),
            Err(at) => Err(Place { run, at }),
        }
    }

    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let Place { run, at } = self.search(key).ok()?;
        self.runs.get(run)?.get(at).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let place = self.search(key).ok()?;
        Some(self.value_mut(place))
    }

    pub(crate) fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.search(key).is_ok()
    }

    /// Inserts a value, and returns the one that the key had before.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.search(&key) {
            Ok(place) => Some(std::mem::replace(self.value_mut(place), value)),
            Err(place) => {
                self.add(place, (key, value));
                None
            }
        }
    }

    /// Returns the value of a key. If it has none yet, that is `default`.
    pub(crate) fn or_insert(&mut self, key: K, default: V) -> &mut V {
        let place = match self.search(&key) {
            Ok(place) => place,
            Err(place) => self.add(place, (key, default)),
        };
        self.value_mut(place)
    }

    /// Returns the value of a key. If it has none yet, that is the default of its type.
    pub(crate) fn or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        self.or_insert(key, V::default())
    }

    pub(crate) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let place = self.search(key).ok()?;
        self.remove_at(place).map(|(_, value)| value)
    }

    /// Returns the entries from a key on.
    pub(crate) fn range_from(&self, key: &K) -> impl Iterator<Item = (&K, &V)> + use<'_, K, V> {
        let (Ok(Place { run, at }) | Err(Place { run, at })) = self.search(key);
        let runs = self.runs.get(run..).unwrap_or_default();
        runs.iter().flatten().skip(at).map(|(key, value)| (key, value))
    }

    /// Returns the entries of some keys.
    pub(crate) fn range(&self, keys: RangeInclusive<K>) -> impl Iterator<Item = (&K, &V)> {
        let (first, last) = keys.into_inner();
        self.range_from(&first).take_while(move |(key, _)| **key <= last)
    }

    /// Returns the last entry before a key.
    pub(crate) fn last_before(&self, key: &K) -> Option<(&K, &V)> {
        let (Ok(Place { run, at }) | Err(Place { run, at })) = self.search(key);
        let entry = match at.checked_sub(1) {
            Some(at) => self.runs.get(run)?.get(at)?,
            None => self.runs.get(run.checked_sub(1)?)?.last()?,
        };
        Some((&entry.0, &entry.1))
    }

    /// Adds an entry where it belongs, and returns its place.
    fn add(&mut self, mut place: Place, entry: (K, V)) -> Place {
        if place.run == self.runs.len() {
            match self.runs.last_mut().filter(|last| last.len() < RUN_MAX) {
                Some(last) => {
                    place = Place { run: place.run - 1, at: last.len() };
                    last.push(entry);
                }
                None => self.runs.push(vec![entry]),
            }
        } else if let Some(run) = self.runs.get_mut(place.run) {
            run.insert(place.at, entry);
            if run.len() > RUN_MAX {
                let half = run.len() / 2;
                let second = run.split_off(half);
                self.runs.insert(place.run + 1, second);
                if place.at >= half {
                    place = Place { run: place.run + 1, at: place.at - half };
                }
            }
        }
        place
    }

    #[expect(clippy::indexing_slicing, reason = "a place is that of an entry")]
    fn value_mut(&mut self, place: Place) -> &mut V {
        &mut self.runs[place.run][place.at].1
    }
}

impl<K, V> IntoIterator for Map<K, V> {
    type Item = (K, V);
    type IntoIter = Flatten<IntoIter<Vec<(K, V)>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.runs.into_iter().flatten()
    }
}

impl<K: PartialEq, V: PartialEq> PartialEq for Map<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<K: Eq, V: Eq> Eq for Map<K, V> {}

impl<K: Ord, V> Extend<(K, V)> for Map<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for Map<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::default();
        map.extend(entries);
        map
    }
}

impl<K: Ord, V, const N: usize> From<[(K, V); N]> for Map<K, V> {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

#[cfg(test)]
mod tests;
