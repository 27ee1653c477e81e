//! Repairs a current manifest that cannot be read.
//!
//! 1. It is rebuilt where that is proven: it follows from the manifest before it and the segments
//!    of its generation, and agrees with the rest of its bytes. Or one byte of it was changed, and
//!    its own digest identifies that byte.
//! 2. Nothing is deleted before the log has moved on: the next generation is committed with the
//!    same contents. A delete of the garbage of the damaged manifest is then right, at any time.
//!    Only then the damaged object is replaced; `older` finds a crash in between.
//! 3. Otherwise the log may continue from the manifest before, if no event is lost by that. The
//!    manifest is whole, all that it names exists, and each batch of a segment of the damaged
//!    generation is still listed or in an index of that manifest.
//! 4. Positions: none was used for events that only the damaged manifest named, if it was torn when
//!    it was written, i.e. is shorter than a manifest. One whose bytes were changed later is left.

use super::replay::Traces;
use super::{Action, Step, aside, doubt};
use crate::decide::log_state;
use crate::decide::retirement::Needed;
use crate::drive::catalog::{Catalog, Scope};
use crate::drive::commit::Committer;
use crate::error::Error;
use crate::format::index::batches_of;
use crate::format::listed::{ListedOther, sizes};
use crate::format::manifest::{self, Manifest, SegmentRecord};
use crate::format::names::{BatchName, CommitId, Digest, Generation, ObjectName, SegmentName};
use crate::format::ordered::{Map, Set};
use crate::format::segment::NewSegment;
use crate::mutants::{self, Mutant};
use crate::ports::{Store, System};

/// Repairs the current manifest, if it is damaged.
pub(super) fn repair<S: Store, Y: System>(
    committer: &mut Committer<'_, S, Y>,
    dry_run: bool,
) -> Result<Option<Step>, Error> {
    let others = committer.catalog.list_others(Scope::Full)?;
    let Some(highest) = log_state::manifests(&others).max() else { return Ok(None) };
    let damage = match committer.catalog.manifest(highest) {
        Ok(_) => return Ok(None),
        Err(Error::Damaged(damage)) => damage,
        Err(error) => return Err(error),
    };
    let step = |action| Some(Step { damage: damage.clone(), action, events_lost: 0 });
    let object = ObjectName::Manifest(highest);
    let Some(bytes) = committer.catalog.get(object)? else { return Ok(None) };
    if Manifest::decode(highest, &bytes).is_ok() {
        return Err(doubt::read_differently(&committer.catalog, object));
    }
    // The listing that showed the manifest may have been made before its segments existed.
    let others = committer.catalog.list_others(Scope::Full)?;
    let remains = Remains::load(&mut committer.catalog, highest, bytes, others)?;
    if let Some((manifest, bytes)) = remains.rebuilt() {
        if !dry_run {
            if mutants::is(Mutant::RebuildInPlace) {
                aside::replace(committer, &object, &bytes)?;
            }
            committer.supersede(&manifest)?;
            aside::replace(committer, &object, &bytes)?;
        }
        return Ok(step(Action::Rebuild));
    }
    if let Err(why) = remains.may_step_back() {
        let why = format!(
            "{why}, and the previous manifest and the segments of this generation do not \
             determine its content; restore the manifest from a copy of the store, or move it \
             out of the log's folder and repair again to continue from the previous manifest"
        );
        return Ok(step(Action::Nothing(why)));
    }
    if !dry_run {
        aside::set_aside(&committer.catalog, &object)?;
        // What is deleted was read three times.
        match committer.catalog.manifest(highest) {
            Err(Error::Damaged(_)) => _ = committer.delete(&[object]),
            Ok(_) => return Err(doubt::read_differently(&committer.catalog, object)),
            Err(error) => return Err(error),
        }
    }
    Ok(step(Action::StepBack))
}

/// The remains of a commit whose manifest is damaged.
struct Remains {
    generation: Generation,
    /// The bytes of the manifest.
    bytes: Vec<u8>,
    /// The manifest before. An error with the reason if it cannot be read.
    base: Result<Option<Manifest>, &'static str>,
    /// Manifests, segments and indexes that are listed, with their sizes.
    others: Map<ObjectName, u64>,
    /// Batches that are listed.
    batches: Set<BatchName>,
    /// Batches in the indexes of the manifest before, trimmed ones included, as far as these exist.
    absorbed: Set<BatchName>,
    /// True if all those indexes exist.
    is_absorbed_known: bool,
    /// The segments of each commit of the generation. None if one or its index cannot be read.
    outputs: Map<CommitId, Option<Vec<NewSegment>>>,
}

impl Remains {
    fn load<S: Store>(
        catalog: &mut Catalog<S>,
        generation: Generation,
        bytes: Vec<u8>,
        others: Vec<ListedOther>,
    ) -> Result<Self, Error> {
        let before = Generation(generation.0 - 1);
        let base = match before.0 {
            0 => Ok(None),
            _ => match catalog.manifest(before) {
                Ok(Some(manifest)) => Ok(Some(manifest)),
                Ok(None) => Err("the previous manifest is gone"),
                Err(Error::Damaged(_)) => Err("the previous manifest is damaged, too"),
                Err(error) => return Err(error),
            },
        };
        let mut batches = Set::new();
        catalog.list_batch_names(|batch| _ = batches.insert(batch))?;
        let (mut absorbed, mut is_absorbed_known) = (Set::new(), true);
        for segment in base.iter().flatten().flat_map(Manifest::records) {
            match catalog.index_of(segment) {
                Ok(Some(index)) => absorbed.extend(index.batches.iter().map(|batch| batch.name)),
                Ok(None) | Err(Error::Damaged(_)) => is_absorbed_known = false,
                Err(error) => return Err(error),
            }
        }
        let sizes = sizes(&others);
        let outputs = outputs(catalog, generation, &sizes)?;
        let others = sizes;
        Ok(Self { generation, bytes, base, others, batches, absorbed, is_absorbed_known, outputs })
    }

    fn is_listed(&self, segment: &SegmentRecord) -> bool {
        self.others.get(&ObjectName::Segment(segment.name)) == Some(&segment.bytes)
            && self.others.contains_key(&ObjectName::Index(segment.name.index()))
    }

    /// The original manifest, if it is proven, and its bytes.
    fn rebuilt(&self) -> Option<(Manifest, Vec<u8>)> {
        let decoded =
            |bytes: Vec<u8>| Some((Manifest::decode(self.generation, &bytes).ok()?, bytes));
        if let Some(mended) = manifest::mended(&self.bytes).and_then(decoded) {
            return Some(mended);
        }
        let mut found: Map<Vec<u8>, bool> = Map::new();
        for (manifest, is_followed) in self.possible() {
            let Ok(bytes) = manifest.encode() else { continue };
            if mutants::is(Mutant::RebuildUnproven) {
                return decoded(bytes);
            }
            let agrees = agrees(&self.bytes, &bytes);
            let is_there = manifest.segments.iter().all(|segment| self.is_listed(segment));
            if agrees && is_there {
                found.insert(bytes, is_followed);
            }
        }
        let (bytes, is_followed) = found.pop_first().filter(|_| found.is_empty())?;
        let is_proven = is_followed || names_commit(&self.bytes);
        is_proven.then_some(bytes).and_then(decoded)
    }

    /// Every manifest that is possible, each with true if an object that it made garbage is gone.
    fn possible(&self) -> Vec<(Manifest, bool)> {
        let Ok(Some(base)) = &self.base else { return Vec::new() };
        let said = number_after(&self.bytes, b"\"first_position\":");
        let none = commit_id_in(&self.bytes).filter(|_| said.is_some());
        let none = none.filter(|commit_id| !self.outputs.contains_key(commit_id));
        let outputs = self.outputs.iter();
        let outputs = outputs.filter_map(|(commit_id, of)| Some((*commit_id, of.as_deref()?)));
        let firsts = Set::from([said.unwrap_or(base.first_position), base.first_position]);
        let mut found = Vec::new();
        for (commit_id, outputs) in outputs.chain(none.map(|commit_id| (commit_id, &[][..]))) {
            for first_position in firsts.iter() {
                let traces = Traces {
                    base,
                    commit_id,
                    first_position: *first_position,
                    outputs,
                    is_there: &|segment| self.is_listed(segment),
                    is_absorbed: &|batch| self.absorbed.contains(batch),
                };
                let batches = outputs.iter().flat_map(|output| &output.batches);
                let mut new = batches.clone().filter(|batch| !self.absorbed.contains(&batch.name));
                let is_gone = new.any(|batch| !self.batches.contains(&batch.name))
                    || base.segments.iter().any(|segment| !self.is_listed(segment));
                let new = batches.filter(|batch| !self.absorbed.contains(&batch.name));
                let listed = self.batches.iter().copied().chain(new.map(|batch| batch.name));
                let needed = Needed::by(listed);
                let is_listed = |segment: SegmentName| {
                    self.others.contains_key(&ObjectName::Index(segment.index()))
                };
                let manifests = traces.manifests().into_iter();
                let manifests =
                    manifests.flat_map(|all| all.with_records_dropped(&needed, &is_listed));
                found.extend(manifests.map(|manifest| (manifest, is_gone)));
            }
        }
        found
    }

    /// Passes if the log is whole without its current manifest. An error with the reason if it may
    /// not be.
    fn may_step_back(&self) -> Result<(), &'static str> {
        if mutants::is(Mutant::StepBackUnproven) {
            return Ok(());
        }
        if self.bytes.ends_with(b"}") {
            return Err("the manifest was whole once, so readers may keep positions that only \
                        this manifest explains");
        }
        let base = self.base.as_ref().map_err(|why| *why)?;
        let mut segments = base.iter().flat_map(|manifest| &manifest.segments);
        if !segments.all(|segment| self.is_listed(segment)) {
            return Err("a segment that the previous manifest names is gone");
        }
        for outputs in self.outputs.values() {
            let Some(outputs) = outputs else {
                return Err("a segment that only this manifest names, or its index, is damaged, \
                            too");
            };
            let batches = outputs.iter().flat_map(|output| &output.batches);
            let mut gone = batches.filter(|batch| !self.batches.contains(&batch.name)).peekable();
            if gone.peek().is_some() && !self.is_absorbed_known {
                return Err("an index that the previous manifest names is gone");
            }
            if !gone.all(|batch| self.absorbed.contains(&batch.name)) {
                return Err("batches that only this manifest makes part of the log are deleted");
            }
        }
        Ok(())
    }
}

/// The segments that attempts at a generation wrote; none where one or its index cannot be read.
pub(super) fn outputs<S: Store>(
    catalog: &Catalog<S>,
    generation: Generation,
    sizes: &Map<ObjectName, u64>,
) -> Result<Map<CommitId, Option<Vec<NewSegment>>>, Error> {
    let mut outputs: Map<CommitId, Option<Vec<NewSegment>>> = Map::new();
    let name = |commit_id, part| SegmentName { generation, commit_id, part };
    let (first, last) = (name(CommitId(0), 0), name(CommitId(u32::MAX), u16::MAX));
    for (object, size) in sizes.range(ObjectName::Segment(first)..=ObjectName::Segment(last)) {
        let ObjectName::Segment(name) = *object else { continue };
        let output = output(catalog, name, *size)?;
        let of = outputs.or_insert(name.commit_id, Some(Vec::new()));
        *of = of.take().zip(output).map(|(mut of, output)| {
            of.push(output);
            of
        });
    }
    let (first, last) = (ObjectName::Index(first.index()), ObjectName::Index(last.index()));
    for object in sizes.range(first..=last).map(|(object, _)| *object) {
        if let ObjectName::Index(index) = object
            && !sizes.contains_key(&ObjectName::Segment(index.0))
        {
            // Its segment is gone.
            outputs.insert(index.0.commit_id, None);
        }
    }
    Ok(outputs)
}

/// The segment that an index describes. None if the index cannot be read, or is of another segment.
fn output<S: Store>(
    catalog: &Catalog<S>,
    name: SegmentName,
    size: u64,
) -> Result<Option<NewSegment>, Error> {
    let Some(bytes) = catalog.get(name.index())? else { return Ok(None) };
    let Some(batches) = batches_of(&bytes) else { return Ok(None) };
    let sum = batches.iter().try_fold(0_u64, |sum, batch| sum.checked_add(batch.bytes));
    let output = NewSegment { name, batches, index: Some(Digest::of(&bytes)) };
    Ok((sum == Some(size)).then_some(output))
}

/// Returns true if a manifest may have become the bytes found: cut short, or changed in some bytes
/// but not in its digest.
fn agrees(found: &[u8], manifest: &[u8]) -> bool {
    let is_torn = found.len() < manifest.len() && manifest.starts_with(found);
    let digest = manifest.get(manifest.len().saturating_sub(manifest::END_BYTES)..);
    let is_changed = found.len() == manifest.len() && digest.is_some_and(|d| found.ends_with(d));
    is_torn || is_changed || found.starts_with(manifest)
}

/// Returns true if the remains of a manifest identify its commit.
fn names_commit(bytes: &[u8]) -> bool {
    commit_id_in(bytes).is_some()
}

fn commit_id_in(bytes: &[u8]) -> Option<CommitId> {
    let digits = after(bytes, b"\"attempt\":\"")?;
    let (digits, rest) = digits.split_at_checked(8)?;
    rest.starts_with(b"\"").then_some(())?;
    CommitId::parse(digits)
}

fn number_after(bytes: &[u8], field: &[u8]) -> Option<u64> {
    let text = after(bytes, field)?;
    let (digits, _) = text.split_at_checked(memchr::memchr(b',', text)?)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn after<'b>(bytes: &'b [u8], field: &[u8]) -> Option<&'b [u8]> {
    bytes.get(memchr::memmem::find(bytes, field)?.checked_add(field.len())?..)
}
