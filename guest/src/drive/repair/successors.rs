//! Makes the manifests again that are gone above the highest listed one.
//!
//! 1. A manifest follows from the one before it and the segments of its generation, as in
//!    `current`. The newest is made again only if something that it made superfluous is gone: that
//!    proves that it existed. For any other, segments of a later generation prove that.
//! 2. It has the same bytes as before, so positions stay, and a trim stays done. A stand-in in its
//!    place stays: the manifest after it follows nevertheless.
//! 3. A generation without segments gets a stand-in. The next manifest is made again only if it
//!    joins the first new batch to the last absorbed one. So no position is missing between them.
//! 4. An attempt without all its segments proves nothing if its batches are all elsewhere. Of
//!    several whole ones that absorb and lose nothing, the one that trims least is taken: no event
//!    has another position by that, and none that is left is lost.
//! 5. Where this proves nothing, `orphans` puts back the batches. Nothing is done if a later
//!    segment has no legible index.

use super::current::outputs;
use super::replay::Traces;
use super::{Action, Step, doubt};
use crate::drive::catalog::{Catalog, Scope, StoredManifest};
use crate::drive::commit::Committer;
use crate::error::{Damage, Error};
use crate::format::batch::BatchRecord;
use crate::format::index::{Index, batches_of};
use crate::format::listed::{ListedOther, sizes};
use crate::format::manifest::{Manifest, SegmentRecord, StandIn};
use crate::format::names::{BatchName, CommitId, Digest, Generation, ObjectName, SegmentName};
use crate::format::ordered::{Map, Set};
use crate::format::segment::NewSegment;
use crate::ports::{Store, System};

/// The object that takes the place of a missing manifest.
enum Successor {
    /// With the number of events that it records as lost, and that the one before does not.
    Manifest(Manifest, u64),
    StandIn(StandIn),
}

/// Makes the newest manifests again, if they are gone and follow from what is left. None if another
/// process has changed the log meanwhile.
pub(super) fn repair<S: Store, Y: System>(
    committer: &mut Committer<'_, S, Y>,
    dry_run: bool,
) -> Result<Option<Vec<Step>>, Error> {
    let damage = match committer.catalog.load(Scope::Full) {
        Err(Error::Damaged(damage)) => damage,
        Ok(_) | Err(Error::NoLog(_)) => return Ok(Some(Vec::new())),
        Err(error) => return Err(error),
    };
    let others = committer.catalog.list_others(Scope::Full)?;
    let Some(base) = newest(&committer.catalog, &others)? else { return Ok(Some(Vec::new())) };
    // The damage is that of an index, not of a manifest that is gone.
    if committer.catalog.is_index_of(&base, &damage) {
        return Ok(Some(Vec::new()));
    }
    let highest = crate::decide::log_state::manifests(&others).max().unwrap_or_default();
    if !doubt::is_current(&mut committer.catalog, highest)? {
        return Ok(None);
    }
    let Some(mut history) = History::load(&mut committer.catalog, base, &others)? else {
        return Ok(Some(Vec::new()));
    };
    let successors = history.successors(&committer.catalog)?;
    let mut steps = Vec::new();
    for successor in successors {
        let (generation, action, events_lost) = match &successor {
            // A killed repair has reported none of its losses.
            Successor::Manifest(manifest, lost) => (manifest.generation, Action::Rebuild, *lost),
            Successor::StandIn(stand_in) => (stand_in.generation, Action::StandIn, 0),
        };
        if generation <= highest {
            continue;
        }
        let object = committer.catalog.name.key(generation);
        let damage = match damage.object == object {
            true => damage.clone(),
            false => Damage::new(object, "a manifest", "no such object"),
        };
        steps.push(Step { damage, action, events_lost });
        if dry_run {
            continue;
        }
        let is_created = match successor {
            Successor::Manifest(manifest, _) => committer.create_again(&manifest)?,
            Successor::StandIn(stand_in) => committer.stand_in(&stand_in)?,
        };
        if !is_created {
            return Ok(None);
        }
    }
    Ok(Some(steps))
}

/// The highest manifest that can be read, if nothing but stand-ins is above it.
fn newest<S: Store>(
    catalog: &Catalog<S>,
    others: &[ListedOther],
) -> Result<Option<Manifest>, Error> {
    let generations: Set<_> = crate::decide::log_state::manifests(others).collect();
    for generation in generations.into_iter().rev() {
        match catalog.stored_manifest(generation) {
            Ok(StoredManifest::Whole(manifest)) => return Ok(Some(manifest)),
            Ok(StoredManifest::StandIn(_)) => {}
            Ok(StoredManifest::Gone) | Err(Error::Damaged(_)) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// The remains of the commits after a manifest.
struct History {
    base: Manifest,
    sizes: Map<ObjectName, u64>,
    batches: Set<BatchName>,
    /// Batches by segment, as far as the indexes are there.
    indexes: Map<SegmentName, Vec<BatchRecord>>,
    /// The segments of the base whose indexes cannot be read.
    unread: Vec<SegmentRecord>,
    /// The segments of each batch in them.
    places: Map<BatchName, Vec<SegmentName>>,
    /// The last generation of which there is a segment.
    last: Generation,
}

impl History {
    /// None if there are no segments after the manifest.
    fn load<S: Store>(
        catalog: &mut Catalog<S>,
        base: Manifest,
        others: &[ListedOther],
    ) -> Result<Option<Self>, Error> {
        let generations = others.iter().filter_map(|other| match other.name {
            ObjectName::Segment(segment) => Some(segment.generation),
            _ => None,
        });
        let Some(last) = generations.max().filter(|last| *last > base.generation) else {
            return Ok(None);
        };
        let mut batches = Set::new();
        catalog.list_batch_names(|batch| _ = batches.insert(batch))?;
        let sizes = sizes(others);
        let (indexes, unread, places) = (Map::new(), Vec::new(), Map::new());
        let mut history = Self { base, sizes, batches, indexes, unread, places, last };
        for segment in history.base.records().copied().collect::<Vec<_>>() {
            match catalog.index_of(&segment) {
                Ok(Some(index)) => history.add_index(segment.name, index.batches.clone()),
                Ok(None) | Err(Error::Damaged(_)) => history.unread.push(segment),
                Err(error) => return Err(error),
            }
        }
        Ok(Some(history))
    }

    fn add_index(&mut self, segment: SegmentName, batches: Vec<BatchRecord>) {
        for batch in &batches {
            self.places.or_default(batch.name).push(segment);
        }
        self.indexes.insert(segment, batches);
    }

    /// Returns what takes the places of the manifests after the base, as far as it is proven.
    fn successors<S: Store>(&mut self, catalog: &Catalog<S>) -> Result<Vec<Successor>, Error> {
        let (mut before, mut successors) = (self.base.clone(), Vec::new());
        // Generations without segments since the manifest before.
        let mut skipped: Vec<Successor> = Vec::new();
        for number in self.base.generation.0.saturating_add(1)..=self.last.0 {
            let generation = Generation(number);
            let outputs = outputs(catalog, generation, &self.sizes)?;
            if outputs.is_empty() {
                let stand_in = StandIn { log: self.base.log, generation };
                let bytes = stand_in.encode();
                let bytes = bytes.map_err(|error| Error::Unsupported(error.to_string()))?;
                before = Manifest { generation, digest: Some(Digest::of(&bytes)), ..before };
                skipped.push(Successor::StandIn(stand_in));
                continue;
            }
            let named = names(&before);
            let mut found: Map<Vec<u8>, (Manifest, Vec<NewSegment>)> = Map::new();
            for (commit_id, outputs) in outputs {
                let Some(outputs) = outputs else {
                    let is_last = generation == self.last;
                    if is_last && self.is_elsewhere(catalog, &named, generation, commit_id)? {
                        continue;
                    }
                    // It may be part of the log, and without the gap it would be taken for garbage.
                    return Ok(Vec::new());
                };
                for first_position in self.first_positions(&before, &outputs) {
                    let traces = Traces {
                        base: &before,
                        commit_id,
                        first_position,
                        outputs: &outputs,
                        // A later commit may have replaced it.
                        is_there: &|segment| generation < self.last || self.is_listed(segment.name),
                        is_absorbed: &|batch| {
                            self.is_absorbed(&named, batch) || self.may_be_absorbed(batch)
                        },
                    };
                    for manifest in traces.manifests() {
                        let manifest = manifest.without_unlisted(&|segment| {
                            self.sizes.contains_key(&ObjectName::Index(segment.index()))
                        });
                        let is_proven = generation < self.last
                            || self.is_followed(&before, &named, &manifest, &outputs);
                        let is_joined = skipped.is_empty() || self.joins(&before, &named, &outputs);
                        if is_proven
                            && is_joined
                            && let Ok(bytes) = manifest.encode()
                        {
                            found.insert(bytes, (manifest, outputs.clone()));
                        }
                    }
                }
            }
            let absorbs = |manifest: &Manifest| manifest.next_position > before.next_position;
            let settled = match found.len() {
                1 => found.pop_first(),
                _ if generation < self.last || found.values().any(|(one, _)| absorbs(one)) => None,
                _ => {
                    let whole = |outputs: &[NewSegment]| self.new_losses(&named, outputs) == 0;
                    let found = found.into_iter().filter(|(_, (_, outputs))| whole(outputs));
                    found.min_by_key(|(_, (manifest, _))| manifest.first_position)
                }
            };
            let Some((bytes, (manifest, outputs))) = settled else { return Ok(successors) };
            let events_lost = self.new_losses(&named, &outputs);
            for output in outputs {
                self.add_index(output.name, output.batches);
            }
            before = Manifest { digest: Some(Digest::of(&bytes)), ..manifest.clone() };
            successors.append(&mut skipped);
            successors.push(Successor::Manifest(manifest, events_lost));
        }
        Ok(successors)
    }

    /// Returns whether the indexes of an attempt can be read, and their batches are all elsewhere.
    fn is_elsewhere<S: Store>(
        &self,
        catalog: &Catalog<S>,
        named: &Set<SegmentName>,
        generation: Generation,
        commit_id: CommitId,
    ) -> Result<bool, Error> {
        let objects = self.sizes.iter().filter_map(|(object, _)| match object {
            ObjectName::Segment(segment) => Some(*segment),
            ObjectName::Index(index) => Some(index.0),
            _ => None,
        });
        let is_own = |segment: &SegmentName| {
            (segment.generation, segment.commit_id) == (generation, commit_id)
        };
        for segment in objects.filter(is_own) {
            let bytes = catalog.get(segment.index())?;
            let Some(batches) = bytes.as_deref().and_then(batches_of) else { return Ok(false) };
            let is_there = |batch: &BatchRecord| {
                self.batches.contains(&batch.name) || self.is_absorbed(named, &batch.name)
            };
            if !batches.iter().all(|batch| batch.events == 0 || is_there(batch)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The number of events that new segments record as lost, and that the named ones do not.
    fn new_losses(&self, named: &Set<SegmentName>, outputs: &[NewSegment]) -> u64 {
        let before = named.iter().filter_map(|segment| self.indexes.get(segment)).flatten();
        let before: Set<_> = before.filter(|batch| batch.lost).map(|batch| batch.name).collect();
        let lost = outputs.iter().flat_map(|output| &output.batches).filter(|batch| batch.lost);
        lost.filter(|batch| !before.contains(&batch.name)).map(|batch| batch.events).sum()
    }

    fn is_listed(&self, segment: SegmentName) -> bool {
        self.sizes.contains_key(&ObjectName::Segment(segment))
            && self.sizes.contains_key(&ObjectName::Index(segment.index()))
    }

    /// Returns whether the index of a named segment contains the batch.
    fn is_absorbed(&self, named: &Set<SegmentName>, batch: &BatchName) -> bool {
        let mut places = self.places.get(batch).into_iter().flatten();
        places.any(|segment| named.contains(segment))
    }

    /// Returns true if a segment of the base, whose index cannot be read, may contain the batch.
    fn may_be_absorbed(&self, batch: &BatchName) -> bool {
        self.unread.iter().any(|segment| segment.covers(batch.time))
    }

    /// Returns where the log may begin after a commit: at its old first position, or at the first
    /// new segment.
    fn first_positions(&self, before: &Manifest, outputs: &[NewSegment]) -> Set<u64> {
        let first = outputs.first().and_then(|output| output.batches.first());
        let places = first.and_then(|first| self.places.get(&first.name));
        let places: Set<SegmentName> = places.into_iter().flatten().copied().collect();
        let segments = before.segments.iter().filter(|segment| places.contains(&segment.name));
        let cuts = segments.filter_map(|segment| {
            let index = Index::new(self.indexes.get(&segment.name)?.clone());
            index.cut_before(segment, first?)
        });
        cuts.chain([before.first_position]).collect()
    }

    /// Returns whether something is gone that the manifest made superfluous.
    fn is_followed(
        &self,
        before: &Manifest,
        named: &Set<SegmentName>,
        manifest: &Manifest,
        outputs: &[NewSegment],
    ) -> bool {
        let left: Set<_> = manifest.segments.iter().map(|segment| segment.name).collect();
        let mut replaced = before.segments.iter().filter(|old| !left.contains(&old.name));
        let batches = outputs.iter().flat_map(|output| &output.batches);
        let mut new = batches.filter(|batch| !self.is_absorbed(named, &batch.name));
        replaced.any(|segment| !self.is_listed(segment.name))
            || new.any(|batch| !self.batches.contains(&batch.name))
    }

    /// Returns whether the first new batch stands in one segment with the last that was absorbed
    /// before.
    fn joins(&self, before: &Manifest, named: &Set<SegmentName>, outputs: &[NewSegment]) -> bool {
        let last = before.segments.last().and_then(|segment| self.indexes.get(&segment.name));
        let last = last.and_then(|batches| batches.last());
        let is_new = |batch: &BatchRecord| !self.is_absorbed(named, &batch.name);
        let joined = outputs.iter().find(|output| output.batches.iter().any(is_new));
        let Some(joined) = joined else { return true };
        let is_last = |batch: &BatchRecord| last.is_some_and(|last| last.name == batch.name);
        joined.batches.iter().any(is_last) && joined.batches.iter().all(|batch| batch.trimmed == 0)
    }
}

/// The segments that a manifest names, trimmed ones included.
fn names(manifest: &Manifest) -> Set<SegmentName> {
    manifest.records().map(|segment| segment.name).collect()
}
