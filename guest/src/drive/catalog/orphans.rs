//! Finds a commit whose manifest is gone.
//!
//! A compaction writes segments of the generation after the current one. It deletes the batches and
//! segments that they replace only after its manifest exists. So each batch of such a segment is
//! still listed or in an index that the current manifest names. Otherwise the manifest of that
//! commit is gone. Batches without events, as legacy ones can be, do not count: they are deleted
//! without a commit.
//!
//! A create is atomic, so a killed compaction leaves whole indexes. An illegible index of that
//! generation is damage, and its segment may be part of the log. So may a segment of that
//! generation without an index: an index is created before its segment, and deleted after it.

use super::Catalog;
use crate::decide::agreement::{self, Disagreement};
use crate::error::Error;
use crate::format::batch::BatchRecord;
use crate::format::index;
use crate::format::listed::{ListedBatch, ListedOther};
use crate::format::manifest::Manifest;
use crate::format::names::{Generation, ObjectName, SegmentName};
use crate::format::ordered::Set;
use crate::mutants::{self, Mutant};
use crate::ports::Store;

impl<S: Store> Catalog<S> {
    /// Returns evidence that a later manifest than this, the highest listed one, existed. `batches`
    /// were listed before it, `others` with it.
    pub(crate) fn missing_manifest(
        &mut self,
        manifest: Option<&Manifest>,
        batches: &[ListedBatch],
        others: &[ListedOther],
    ) -> Result<Option<Disagreement>, Error> {
        // A copy puts segments there before the manifest of a much later generation.
        if self.is_mirror() {
            return Ok(None);
        }
        match agreement::beyond_next(manifest, others) {
            Some(found) => Ok(Some(found)),
            None => match without_index(manifest, others) {
                Some(found) => Ok(Some(found)),
                None => self.orphan(manifest, batches, others),
            },
        }
    }

    /// The first index of the next generation with a batch that is nowhere else. Reads only the
    /// indexes of that generation.
    fn orphan(
        &mut self,
        manifest: Option<&Manifest>,
        batches: &[ListedBatch],
        others: &[ListedOther],
    ) -> Result<Option<Disagreement>, Error> {
        let next = next_after(manifest);
        let indexes = others.iter().filter_map(|other| match other.name {
            ObjectName::Index(index) if index.0.generation == next => Some(index),
            _ => None,
        });
        let mut indexes = indexes.peekable();
        if indexes.peek().is_none() {
            return Ok(None);
        }
        let listed: Set<_> = batches.iter().map(|batch| batch.name).collect();
        let segments = others.iter().filter_map(|other| match other.name {
            ObjectName::Segment(segment) => Some(segment),
            _ => None,
        });
        let segments: Set<SegmentName> = segments.collect();
        for name in indexes {
            // Its owner has discarded one that is gone.
            let Some(bytes) = self.get(name)? else { continue };
            let Some(records) = index::batches_of(&bytes) else {
                return Ok(Some(Disagreement::Unreadable(ObjectName::Index(name))));
            };
            let absorbed = records.iter().filter(|record| record.events > 0);
            let absorbed = absorbed.map(|record| record.name);
            let absorbed: Vec<_> = absorbed.filter(|batch| !listed.contains(batch)).collect();
            let in_index = match manifest {
                Some(manifest) => self.absorbed_by(manifest, &absorbed)?,
                None => Some(Set::new()),
            };
            // None if the log has changed in the meantime: the next load shows it.
            let Some(in_index) = in_index else { continue };
            if let Some(batch) = absorbed.into_iter().find(|batch| !in_index.contains(batch)) {
                let object = ObjectName::Index(name);
                return Ok(Some(Disagreement::Orphan { object, batch }));
            }
            // Without its segment, it may be what a killed commit has left.
            if name.0.part == 0
                && !self.overlooks_cuts
                && segments.contains(&name.0)
                && let Some(segment) = self.kept_of(manifest, &segments, records.first())?
            {
                let object = ObjectName::Index(name);
                return Ok(Some(Disagreement::Kept { object, segment }));
            }
        }
        Ok(None)
    }

    /// Sets if a trim that would follow from what it has cut counts as not committed from now on.
    pub(crate) fn overlook_cuts(&mut self, overlooks: bool) {
        self.overlooks_cuts = overlooks;
    }

    /// The segment that a trim has cut before the first batch of a new one, if it is not listed.
    /// Its bytes are deleted only after the manifest that names the new one exists.
    fn kept_of(
        &mut self,
        manifest: Option<&Manifest>,
        listed: &Set<SegmentName>,
        first: Option<&BatchRecord>,
    ) -> Result<Option<SegmentName>, Error> {
        let Some(first) = first else { return Ok(None) };
        for segment in manifest.into_iter().flat_map(|manifest| &manifest.segments) {
            if listed.contains(&segment.name) || !segment.covers(first.name.time) {
                continue;
            }
            let Some(index) = self.index_of(segment)? else { continue };
            if index.cut_before(segment, first).is_some() {
                return Ok(Some(segment.name));
            }
        }
        Ok(None)
    }
}

fn next_after(manifest: Option<&Manifest>) -> Generation {
    Generation(manifest.map_or(0, |manifest| manifest.generation.0).saturating_add(1))
}

/// A segment of the next generation without an index. A segment is written after its index, and
/// deleted before it.
fn without_index(manifest: Option<&Manifest>, others: &[ListedOther]) -> Option<Disagreement> {
    if mutants::is(Mutant::SegmentAlone) {
        return None;
    }
    let next = next_after(manifest);
    agreement::without_index(others, |generation| generation == next).map(Disagreement::Alone)
}
