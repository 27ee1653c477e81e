use std::cell::Cell;
use std::ops::Range;

use super::*;
use crate::decide::compaction::tests::Random;
use crate::decide::options::CompactInput;
use crate::limits::SEGMENT_BATCHES_MAX;

thread_local! {
    pub(super) static STEPS: Cell<u64> = const { Cell::new(0) };
}

/// The same decisions, one join after the other: the specification.
mod spec {
    use super::*;

    pub(super) fn join_tiers(mut units: Vec<Rewrite>, options: &CompactOptions) -> Vec<Rewrite> {
        while let Some(group) = group(&units, options).or_else(|| gap(&units, options)) {
            let mut members = units.drain(group.clone());
            let mut joined = members.next().unwrap();
            members.for_each(|unit| joined.join(&unit));
            units.insert(group.start, joined);
        }
        units
    }

    /// The first neighbours to join, of the lowest tier that has enough.
    fn group(units: &[Rewrite], options: &CompactOptions) -> Option<Range<usize>> {
        let tiers = || units.iter().map(|unit| unit.tier(options));
        let highest = tiers().flatten().max()?;
        (0..=highest).find_map(|tier| {
            // The beginning of the neighbours of this tier and below, from its first member on.
            let mut start = None;
            let mut members = 0;
            for (at, of) in tiers().enumerate() {
                match of {
                    Some(of) if of == tier => {
                        start.get_or_insert(at);
                        members += 1;
                    }
                    Some(of) if of < tier => {}
                    _ => (start, members) = (None, 0),
                }
                if let Some(first) = start.filter(|_| members >= options.fan_in) {
                    return within_limits(units, first..at + 1, options);
                }
            }
            None
        })
    }

    /// The first neighbours to join because a higher tier stands behind them: together with that
    /// one, if it is written anyway.
    fn gap(units: &[Rewrite], options: &CompactOptions) -> Option<Range<usize>> {
        units.iter().enumerate().find_map(|(at, wall)| {
            let smaller = units.iter().take(at).rev();
            let smaller = smaller.take_while(|unit| is_below(unit, wall, options));
            let start = at - smaller.count();
            let end = if wall.is_written() { at + 1 } else { at };
            within_limits(units, start..end, options)
        })
    }

    fn is_below(unit: &Rewrite, wall: &Rewrite, options: &CompactOptions) -> bool {
        let wall = wall.tier(options);
        unit.tier(options).is_some_and(|tier| wall.is_none_or(|wall| tier < wall))
    }

    /// As many of the neighbours as fit into one segment. None if that is a single one.
    fn within_limits(
        units: &[Rewrite],
        group: Range<usize>,
        options: &CompactOptions,
    ) -> Option<Range<usize>> {
        let mut members = units.iter().enumerate().take(group.end).skip(group.start);
        let (start, first) = members.next()?;
        let mut joined = first.clone();
        let mut end = start;
        for (at, unit) in members {
            if !joined.fits(unit, options) {
                break;
            }
            joined.join(unit);
            end = at;
        }
        (end > start).then(|| start..end + 1)
    }
}

/// Segments of these bytes and numbers of batches.
fn units(sizes: impl IntoIterator<Item = (u64, u64)>) -> Vec<Rewrite> {
    let sizes = sizes.into_iter().enumerate();
    let unit =
        |(at, (bytes, size))| Rewrite { segments: at..at + 1, batches: 0, bytes, size, cut: false };
    sizes.map(unit).collect()
}

/// Units as a log may have them: the first may be cut, and the last may be live batches.
fn random_units(random: &mut Random, segment_bytes_max: u64) -> Vec<Rewrite> {
    let length = random.below(60);
    // Few sizes make many groups, and any size makes many gaps.
    let variety = 1 + random.below(6);
    let sizes: Vec<u64> = (0..variety).map(|_| random.size() % segment_bytes_max + 1).collect();
    let has_many_batches = random.below(4) == 0;
    let mut one = || {
        let at = usize::try_from(random.below(variety + 1)).unwrap();
        let bytes = sizes.get(at).copied().unwrap_or_else(|| random.size());
        let batches = if has_many_batches { SEGMENT_BATCHES_MAX } else { 3 };
        (bytes, 1 + random.below(batches))
    };
    let mut units = units((0..length).map(|_| one()));
    let (live, cut) = (one(), random.below(2) == 0);
    if let Some(first) = units.first_mut() {
        first.cut = cut;
    }
    if random.below(2) == 0 {
        let (at, (bytes, size)) = (units.len(), live);
        let (bytes, batches) = (bytes * (1 + random.below(4)), usize::try_from(size).unwrap());
        units.push(Rewrite { segments: at..at, batches, bytes, size, cut: false });
    }
    units
}

#[test]
fn joins_are_those_of_one_after_the_other() {
    for seed in 0..50_000 {
        let mut random = Random(seed);
        let fan_in = [2, 2, 3, 4, 8, 64][usize::try_from(random.below(6)).unwrap()];
        let segment_bytes_max = 1 << (4 + random.below(14));
        let input = CompactInput {
            fan_in: Some(fan_in),
            segment_bytes_max: Some(segment_bytes_max),
            ..CompactInput::default()
        };
        let options = input.check().unwrap();
        let units = random_units(&mut random, segment_bytes_max);
        let expected = spec::join_tiers(units.clone(), &options);
        assert_eq!(join_tiers(units, &options), expected, "seed {seed}");
    }
}

/// The sizes of `count` segments, by their numbers.
type Shape = fn(u64) -> u64;

/// Logs of which most is to join: by groups, by gaps, or within the limits only.
const SHAPES: [(&str, Shape); 8] = [
    ("equal", |_| 100),
    ("rising", |at| 1 + at % 5_000),
    ("of all tiers", |at| 1 << at.trailing_zeros().min(12)),
    ("of all tiers, without groups", |at| {
        let places = (0..8).take_while(|place| at % 7_u64.pow(place + 1) == 0).count();
        8_u64.pow(u32::try_from(places).unwrap())
    }),
    ("two before a larger one", |at| if at % 3 == 2 { 5_000 } else { 1 + at % 5 }),
    ("gaps that complete groups", |at| {
        [9, 70, 600, 70, 9, 9, 5_000][usize::try_from(at % 7).unwrap()]
    }),
    ("close to final", |at| if at % 9 == 0 { 60_000 } else { 1 + at % 100 }),
    ("random", |at| Random(at).size()),
];

/// The steps for `count` segments of a shape.
fn steps(shape: Shape, count: u64, fan_in: u32) -> u64 {
    let input = CompactInput {
        fan_in: Some(fan_in),
        segment_bytes_max: Some(1 << 17),
        ..CompactInput::default()
    };
    let options = input.check().unwrap();
    STEPS.set(0);
    let joined = join_tiers(units((0..count).map(|at| (shape(at), 1))), &options);
    assert!(joined.len() <= usize::try_from(count).unwrap());
    STEPS.get()
}

#[test]
fn work_grows_with_the_number_of_segments() {
    for (name, shape) in SHAPES {
        for fan_in in [2, 8, 64] {
            let counts = [20_000, 40_000, 80_000];
            let steps = counts.map(|count| steps(shape, count, fan_in));
            for pair in steps.windows(2) {
                let is_linear = pair[1] * 10 < pair[0] * 22;
                assert!(is_linear, "{name}, fan-in {fan_in}: {steps:?}");
            }
            assert!(steps[2] < 40 * 80_000, "{name}, fan-in {fan_in}: {steps:?}");
        }
    }
}
