//! A set of batch names that may be large and is copied often.
//!
//! 1. The names are a sorted base, which copies share, and the few changes since.
//! 2. A change takes logarithmic time, and a share of making a new base. A copy takes the time of
//!    the changes alone.

use std::rc::Rc;

use crate::format::names::BatchName;
use crate::format::ordered::Set;

/// The changes after which a new base is made, if the set is small. A copy clones as many at most.
const CHANGES_MAX: usize = 4_096;

/// Otherwise, the part of the base.
const BASE_PARTS: usize = 16;

/// A set of batch names.
#[derive(Clone, Debug, Default)]
pub(crate) struct BatchSet {
    /// Sorted.
    base: Rc<Vec<BatchName>>,
    /// Names that the base lacks.
    added: Set<BatchName>,
    /// Names of the base that are not in the set.
    removed: Set<BatchName>,
}

impl BatchSet {
    pub(crate) fn contains(&self, batch: &BatchName) -> bool {
        self.added.contains(batch) || (self.in_base(batch) && !self.removed.contains(batch))
    }

    pub(crate) fn insert(&mut self, batch: BatchName) {
        if self.in_base(&batch) {
            self.removed.remove(&batch);
        } else {
            self.added.insert(batch);
            self.rebase_if_due();
        }
    }

    pub(crate) fn remove(&mut self, batch: &BatchName) {
        if self.in_base(batch) {
            self.removed.insert(*batch);
            self.rebase_if_due();
        } else {
            self.added.remove(batch);
        }
    }

    /// Inserts many names, in any order.
    pub(crate) fn insert_all(&mut self, mut batches: Vec<BatchName>) {
        batches.extend(self.iter());
        batches.sort_unstable();
        batches.dedup();
        batches.shrink_to_fit();
        *self = Self { base: Rc::new(batches), ..Self::default() };
    }

    pub(crate) fn len(&self) -> usize {
        self.base.len() + self.added.len() - self.removed.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the names, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = BatchName> {
        self.merged(0, self.added.iter())
    }

    /// Returns the first name that is not less than `from`.
    pub(crate) fn first_from(&self, from: BatchName) -> Option<BatchName> {
        let start = self.base.partition_point(|batch| *batch < from);
        self.merged(start, self.added.range_from(&from)).next()
    }

    /// Returns the names of the base from a place on, and some of those added, in order.
    fn merged<'a>(
        &'a self,
        start: usize,
        added: impl Iterator<Item = &'a BatchName>,
    ) -> impl Iterator<Item = BatchName> {
        let kept = self.base.iter().skip(start).filter(|batch| !self.removed.contains(batch));
        let (mut kept, mut added) = (kept.peekable(), added.peekable());
        std::iter::from_fn(move || match (kept.peek(), added.peek()) {
            (Some(one), Some(other)) if other < one => added.next().copied(),
            (None, Some(_)) => added.next().copied(),
            _ => kept.next().copied(),
        })
    }

    fn in_base(&self, batch: &BatchName) -> bool {
        self.base.binary_search(batch).is_ok()
    }

    fn rebase_if_due(&mut self) {
        let changes_max = CHANGES_MAX.max(self.base.len() / BASE_PARTS);
        if self.added.len() + self.removed.len() > changes_max {
            let mut base = Vec::with_capacity(self.len());
            base.extend(self.iter());
            *self = Self { base: Rc::new(base), ..Self::default() };
        }
    }
}

impl PartialEq for BatchSet {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for BatchSet {}

impl FromIterator<BatchName> for BatchSet {
    fn from_iter<I: IntoIterator<Item = BatchName>>(batches: I) -> Self {
        let mut set = Self::default();
        set.insert_all(batches.into_iter().collect());
        set
    }
}

impl<const N: usize> From<[BatchName; N]> for BatchSet {
    fn from(batches: [BatchName; N]) -> Self {
        batches.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::format::names::BatchTime;

    fn batch(number: usize) -> BatchName {
        let time = BatchTime::new(u64::try_from(number).unwrap()).unwrap();
        BatchName { time, origin: None }
    }

    /// Any number of changes gives the set that a plain one has.
    #[test]
    fn set_is_that_of_its_changes() {
        let mut set = BatchSet::default();
        let mut expected = BTreeSet::new();
        let mut random = 7_usize;
        for round in 0..40_000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223) % (1 << 32);
            let name = batch(random / 65_536 % 9_000);
            if (random / 512).is_multiple_of(3) {
                set.remove(&name);
                expected.remove(&name);
            } else {
                set.insert(name);
                expected.insert(name);
            }
            assert_eq!(set.contains(&name), expected.contains(&name));
            assert_eq!(set.len(), expected.len());
            if round % 2_000 == 0 {
                assert!(set.iter().eq(expected.iter().copied()));
                let found = set.first_from(name);
                assert_eq!(found, expected.range(name..).next().copied());
            }
        }
        let copy = set.clone();
        set.insert_all(vec![batch(10_001), batch(10_000), batch(1), batch(10_000)]);
        expected.extend([batch(10_001), batch(10_000), batch(1)]);
        assert!(set.iter().eq(expected.iter().copied()));
        assert!(!copy.contains(&batch(10_000)) && copy != set && !set.is_empty());
        assert_eq!(set, expected.into_iter().collect());
    }

    #[test]
    fn copy_shares_the_base() {
        for (names, changes_max) in [(50_000, CHANGES_MAX), (160_000, 10_000)] {
            let mut set: BatchSet = (0..names).map(batch).collect();
            let copy = set.clone();
            (0..changes_max).for_each(|number| set.remove(&batch(number)));
            assert!(Rc::ptr_eq(&set.base, &copy.base));
            set.remove(&batch(changes_max));
            assert!(!Rc::ptr_eq(&set.base, &copy.base));
            assert_eq!((set.removed.len(), set.len()), (0, names - changes_max - 1));
        }
    }
}
