//! Ranges of numbers, such as times, and the first range that covers a number.
//!
//! 1. The ranges have an order of their own, whatever numbers they cover.
//! 2. A search takes a number of steps that grows with the logarithm of the number of ranges,
//!    however many of them overlap. Removed ranges take no steps in later searches.

use std::ops::RangeInclusive;

/// Ranges, known by their places in the order given.
#[derive(Debug, Default)]
pub(crate) struct Covering {
    /// The starts of intervals, each covered as a whole or not at all by any range.
    starts: Vec<u64>,
    /// A binary tree whose leaves, the second half, are the intervals. The parent of node n is node
    /// n / 2. A range is in the nodes that make it up, two of a level at most. Each node has its
    /// ranges in reverse order, without some of the removed ones.
    nodes: Vec<Vec<usize>>,
    removed: Vec<bool>,
}

impl Covering {
    /// Takes ranges in order.
    pub(crate) fn new(ranges: &[RangeInclusive<u64>]) -> Self {
        let after = |range: &RangeInclusive<u64>| range.end().saturating_add(1);
        let mut starts: Vec<u64> = Vec::with_capacity(ranges.len() * 2);
        for range in ranges {
            starts.extend([*range.start(), after(range)]);
        }
        starts.sort_unstable();
        starts.dedup();
        let leaves = starts.len();
        let mut nodes = vec![Vec::new(); leaves * 2];
        for (place, range) in ranges.iter().enumerate().rev() {
            let leaf = |start| starts.partition_point(|other| *other < start) + leaves;
            let (mut from, mut to) = (leaf(*range.start()), leaf(after(range)));
            while from < to {
                let left = (from % 2 == 1).then_some(from);
                let right = (to % 2 == 1).then(|| to - 1);
                for node in left.into_iter().chain(right) {
                    nodes.get_mut(node).into_iter().for_each(|node| node.push(place));
                }
                (from, to) = (from.div_ceil(2), to / 2);
            }
        }
        Self { starts, nodes, removed: vec![false; ranges.len()] }
    }

    /// Returns the place of the first range that covers a number and was not removed.
    pub(crate) fn first(&mut self, number: u64) -> Option<usize> {
        let interval = self.starts.partition_point(|start| *start <= number).checked_sub(1)?;
        let mut node = interval + self.starts.len();
        let mut first: Option<usize> = None;
        while node > 0 {
            let Some(places) = self.nodes.get_mut(node) else { break };
            while let Some(place) = places.last().copied() {
                if self.removed.get(place) == Some(&false) {
                    first = Some(first.map_or(place, |first| first.min(place)));
                    break;
                }
                places.pop();
            }
            node /= 2;
        }
        first
    }

    /// Removes the range at a place.
    pub(crate) fn remove(&mut self, place: usize) {
        if let Some(removed) = self.removed.get_mut(place) {
            *removed = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::compaction::tests::Random;

    fn random_ranges(random: &mut Random, count: u64, numbers: u64) -> Vec<RangeInclusive<u64>> {
        let longest = 1 + random.below(numbers);
        let mut range = || {
            let start = random.below(numbers);
            start..=start + random.below(longest)
        };
        (0..count).map(|_| range()).collect()
    }

    #[test]
    fn first_range_is_that_of_a_scan() {
        for seed in 0..2_000 {
            let mut random = Random(seed);
            let (count, numbers) = (random.below(30), 1 + random.below(40));
            let ranges = random_ranges(&mut random, count, numbers);
            let mut covering = Covering::new(&ranges);
            let mut left: Vec<_> = ranges.into_iter().enumerate().collect();
            for _ in 0..100 {
                let number = random.below(numbers * 2 + 2);
                let scanned = left.iter().find(|(_, range)| range.contains(&number));
                let scanned = scanned.map(|(place, _)| *place);
                assert_eq!(covering.first(number), scanned, "seed {seed}");
                if let Some(place) = scanned.filter(|_| random.below(3) == 0) {
                    covering.remove(place);
                    left.retain(|(other, _)| *other != place);
                }
            }
        }
    }

    #[test]
    fn ranges_may_reach_the_last_number_and_may_be_none() {
        assert_eq!(Covering::new(&[]).first(7), None);
        let mut covering = Covering::new(&[3..=3, 2..=9_999_999_999_999_999_999]);
        assert_eq!(
            [1, 2, 3, 4].map(|number| covering.first(number)),
            [None, Some(1), Some(0), Some(1)]
        );
        assert_eq!(covering.first(9_999_999_999_999_999_999), Some(1));
        assert_eq!(covering.first(u64::MAX), None);
    }

    #[test]
    fn places_kept_grow_with_the_ranges_however_they_overlap() {
        for count in [1_000_u64, 10_000, 100_000] {
            let nested = (0..count).map(|at| at..=2 * count - at);
            let neighbours = (0..count).map(|at| 3 * at..=3 * at + 2);
            let equal = (0..count).map(|_| 5..=count);
            let levels = usize::try_from((2 * count).ilog2() + 2).unwrap();
            for ranges in [nested.collect(), neighbours.collect(), equal.collect::<Vec<_>>()] {
                let covering = Covering::new(&ranges);
                let places: usize = covering.nodes.iter().map(Vec::len).sum();
                assert!(places <= 2 * levels * ranges.len(), "{count}: {places}");
            }
        }
    }
}
