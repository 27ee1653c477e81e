//! Joins neighbours where a size tier has enough of them, and those in a gap before a larger one.
//!
//! 1. The result is that of one join after the other: of the first neighbours of the lowest tier
//!    that has enough or, if none has, of the first gap.
//! 2. A joined unit is larger than its parts, so it separates all that they separated. A join thus
//!    leaves no new neighbours but those of the joined unit, in its tier.
//! 3. The work grows with the number of units. By 2, one pass joins all neighbours of a tier, from
//!    the lowest tier up. Then one pass joins all gaps, each with the neighbours that it completes.

use std::iter;

use super::Rewrite;
use crate::decide::options::CompactOptions;

/// The rank of a final segment, above all tiers.
const FINAL: u32 = u32::MAX;

/// A rewrite, and its tier or `FINAL`.
struct Unit {
    rewrite: Rewrite,
    tier: u32,
}

impl Unit {
    fn new(rewrite: Rewrite, options: &CompactOptions) -> Self {
        let tier = rewrite.tier(options).unwrap_or(FINAL);
        Self { rewrite, tier }
    }
}

/// Joins neighbours until no tier has enough of them in a row and none stand in a gap.
pub(super) fn join_tiers(units: Vec<Rewrite>, options: &CompactOptions) -> Vec<Rewrite> {
    let mut units: Vec<_> = units.into_iter().map(|unit| Unit::new(unit, options)).collect();
    let mut next = lowest(&units, 0);
    while let Some(tier) = next {
        units = join_groups(units, tier, options);
        next = lowest(&units, tier + 1);
    }
    Gaps::new(units, options).join_all()
}

/// The lowest tier from this one on that has a unit.
fn lowest(units: &[Unit], from: u32) -> Option<u32> {
    units.iter().map(|unit| unit.tier).filter(|tier| (from..FINAL).contains(tier)).min()
}

/// Joins the neighbours of a tier where there are enough, with the smaller ones between them.
fn join_groups(units: Vec<Unit>, tier: u32, options: &CompactOptions) -> Vec<Unit> {
    let mut passed: Vec<Unit> = Vec::with_capacity(units.len());
    // The first of the neighbours passed last, and their number.
    let (mut first, mut members) = (None, 0);
    for unit in units {
        count_step();
        if unit.tier > tier {
            (first, members) = (None, 0);
        } else if unit.tier == tier {
            first.get_or_insert(passed.len());
            members += 1;
        }
        passed.push(unit);
        if let Some(start) = first.filter(|_| members >= options.fan_in) {
            (first, members) = (None, 0);
            for unit in join(passed.split_off(start), options) {
                count_step();
                if unit.tier == tier {
                    first.get_or_insert(passed.len());
                    members += 1;
                }
                passed.push(unit);
            }
        }
    }
    passed
}

/// Joins as many neighbours as fit into one segment. Returns the joined unit and the others.
fn join(
    group: Vec<Unit>,
    options: &CompactOptions,
) -> impl DoubleEndedIterator<Item = Unit> + use<> {
    let mut rest = group.into_iter();
    let joined = rest.next().map(|first| {
        let mut joined = first.rewrite;
        while let Some(next) = rest.as_slice().first()
            && joined.fits(&next.rewrite, options)
        {
            count_step();
            joined.join(&next.rewrite);
            rest.next();
        }
        Unit::new(joined, options)
    });
    joined.into_iter().chain(rest)
}

/// The pass that joins gaps, over units of which no tier has enough neighbours.
struct Gaps<'a> {
    /// The units passed, without a gap.
    passed: Stack,
    /// The units to come, the next one on top.
    coming: Stack,
    options: &'a CompactOptions,
}

impl<'a> Gaps<'a> {
    fn new(units: Vec<Unit>, options: &'a CompactOptions) -> Self {
        let mut coming = Stack::default();
        units.into_iter().rev().for_each(|unit| coming.push(unit));
        Self { passed: Stack::default(), coming, options }
    }

    fn join_all(mut self) -> Vec<Rewrite> {
        while let Some(unit) = self.coming.pop() {
            match self.take_gap(unit) {
                Ok(mut group) => loop {
                    self.join(group);
                    match self.take_group() {
                        Some(completed) => group = completed,
                        None => break,
                    }
                },
                Err(unit) => self.passed.push(unit),
            }
        }
        self.passed.units.into_iter().map(|(unit, _)| unit.rewrite).collect()
    }

    /// Joins as many of the neighbours as fit. The joined unit is the next to come.
    fn join(&mut self, group: Vec<Unit>) {
        join(group, self.options).rev().for_each(|unit| self.coming.push(unit));
    }

    /// Takes the smaller units directly before a unit: together with that one, if it is written
    /// anyway. Returns the unit if these are not to be joined.
    fn take_gap(&mut self, unit: Unit) -> Result<Vec<Unit>, Unit> {
        let is_written = unit.rewrite.is_written();
        let start = self.passed.nearest(unit.tier).map_or(0, |at| at + 1);
        let is_due = match self.passed.units.get(start..) {
            Some([(only, _)]) => is_written && only.rewrite.fits(&unit.rewrite, self.options),
            Some([_, _, ..]) => true,
            Some([]) | None => false,
        };
        if !is_due {
            return Err(unit);
        }
        let mut group = self.passed.take_from(start);
        if is_written {
            group.push(unit);
        } else {
            self.coming.push(unit);
        }
        Ok(group)
    }

    /// Takes the neighbours of the next unit in its tier, with the smaller ones between them. None
    /// if there are not enough.
    fn take_group(&mut self) -> Option<Vec<Unit>> {
        let unit = self.coming.pop()?;
        if unit.tier == FINAL {
            self.coming.push(unit);
            return None;
        }
        let before: Vec<_> = self.passed.members(unit.tier).collect();
        let others = usize::try_from(self.options.fan_in - 1).unwrap_or(usize::MAX);
        let missing = others.saturating_sub(before.len());
        let after: Vec<_> = self.coming.members(unit.tier).take(missing).collect();
        if after.len() < missing {
            self.coming.push(unit);
            return None;
        }
        let start = before.last().copied().unwrap_or(self.passed.units.len());
        let mut group = self.passed.take_from(start);
        group.push(unit);
        if let Some(end) = after.last() {
            group.extend(self.coming.take_from(*end).into_iter().rev());
        }
        Some(group)
    }
}

/// Units, each with the place of the nearest one below it that is not smaller.
#[derive(Default)]
struct Stack {
    units: Vec<(Unit, Option<usize>)>,
}

impl Stack {
    fn push(&mut self, unit: Unit) {
        let beyond = self.nearest(unit.tier);
        self.units.push((unit, beyond));
    }

    fn pop(&mut self) -> Option<Unit> {
        self.units.pop().map(|(unit, _)| unit)
    }

    /// Takes the units from a place up to the top.
    fn take_from(&mut self, at: usize) -> Vec<Unit> {
        self.units.split_off(at).into_iter().map(|(unit, _)| unit).collect()
    }

    /// The place of the uppermost unit of at least this tier.
    fn nearest(&self, tier: u32) -> Option<usize> {
        let mut at = self.units.len().checked_sub(1);
        while let Some((unit, beyond)) = at.and_then(|at| self.units.get(at))
            && unit.tier < tier
        {
            count_step();
            at = *beyond;
        }
        at
    }

    /// The places of the units of a tier above all larger ones, from the top down.
    fn members(&self, tier: u32) -> impl Iterator<Item = usize> {
        let member = move |at: &usize| self.units.get(*at).filter(|(unit, _)| unit.tier == tier);
        let is_member = move |at: &usize| member(at).is_some();
        iter::successors(self.nearest(tier).filter(is_member), move |at| {
            count_step();
            member(at)?.1.filter(is_member)
        })
    }
}

/// Counts a step of the work, for the tests.
fn count_step() {
    #[cfg(test)]
    tests::STEPS.with(|steps| steps.set(steps.get() + 1));
}

#[cfg(test)]
mod tests;
