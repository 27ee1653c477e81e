//! Finds copies of batches that cannot be read in their place.
//!
//! 1. A batch counts as lost only after all other objects that may contain it were tried: the
//!    listed batch of its name or of its other name, objects set aside, and each segment whose
//!    index has it, unnamed and trimmed ones included.
//! 2. Objects that may help to recover a lost batch are set aside, and the commit that records the
//!    loss does not delete them. These are its damaged copies, too, and segments whose index cannot
//!    be read.

use super::aside;
use crate::decide::log_state::LogState;
use crate::drive::batch_copy::BatchCopy;
use crate::drive::catalog::Catalog;
use crate::error::Error;
use crate::format::batch::BatchRecord;
use crate::format::index::batches_of;
use crate::format::names::{BatchName, IndexName, ObjectName, SegmentName};
use crate::format::ordered::{Map, Set};
use crate::ports::{Store, StoreErrorKind};

/// Places where batches may stand.
#[derive(Default)]
pub(super) struct Copies {
    found: Map<BatchName, Vec<BatchCopy>>,
    /// Listed objects that may contain the batches, by batch.
    holders: Map<BatchName, Set<ObjectName>>,
    /// Unnamed segments whose contents are unknown.
    unknown: Set<ObjectName>,
}

/// A segment that no manifest names, or that was set aside.
struct Spare {
    name: SegmentName,
    key: String,
    /// True if it stands under its own name.
    is_listed: bool,
}

impl Copies {
    /// Finds places of these batches.
    pub(super) fn of<S: Store>(
        catalog: &Catalog<S>,
        state: &LogState,
        wanted: &Set<BatchName>,
    ) -> Result<Self, Error> {
        let mut copies = Self::default();
        if wanted.is_empty() {
            return Ok(copies);
        }
        let listed = state.absorbed.iter().chain(&state.twins);
        for batch in listed.filter(|batch| wanted.contains(&batch.name)) {
            copies.add_batch(batch.name, catalog.name.key(batch.name));
            copies.add_holder(batch.name, ObjectName::Batch(batch.name));
        }
        let set_aside = aside::listed(catalog)?;
        let mut indexes: Map<IndexName, Vec<String>> = Map::new();
        let named: Set<_> = state.segments().iter().map(|segment| segment.name).collect();
        let listed = state.others.iter().filter_map(|other| match other.name {
            ObjectName::Segment(name) if !named.contains(&name) => {
                Some(Spare { name, key: catalog.name.key(name), is_listed: true })
            }
            _ => None,
        });
        let mut spares: Vec<_> = listed.collect();
        for (object, key) in set_aside {
            match object {
                ObjectName::Batch(name) if wanted.contains(&name) => copies.add_batch(name, key),
                ObjectName::Segment(name) => spares.push(Spare { name, key, is_listed: false }),
                ObjectName::Index(name) => indexes.or_default(name).push(key),
                _ => {}
            }
        }
        for spare in spares {
            let indexes = indexes.get(&spare.name.index()).map_or(&[][..], Vec::as_slice);
            copies.add_segment(catalog, &spare, indexes, wanted)?;
        }
        Ok(copies)
    }

    fn add_batch(&mut self, name: BatchName, key: String) {
        // The record is filled in when it is known.
        let record = BatchRecord::whole(name, 0, 0, crate::format::names::Digest(0));
        let copy = BatchCopy { key, range: None, trimmed: 0, position: None, record };
        self.found.or_default(name).push(copy);
    }

    fn add_holder(&mut self, batch: BatchName, object: ObjectName) {
        self.holders.or_default(batch).insert(object);
    }

    /// Adds the batches of a segment, from its own index or those that were set aside.
    fn add_segment<S: Store>(
        &mut self,
        catalog: &Catalog<S>,
        spare: &Spare,
        set_aside: &[String],
        wanted: &Set<BatchName>,
    ) -> Result<(), Error> {
        let index = ObjectName::Index(spare.name.index());
        let keys = std::iter::once(catalog.name.key(index)).chain(set_aside.iter().cloned());
        let mut is_known = false;
        for key in keys {
            let Some(batches) = get(catalog, &key)?.as_deref().and_then(batches_of) else {
                continue;
            };
            is_known = true;
            let mut offset = 0_u64;
            for record in batches {
                // No record of the manifest bounds the sums of this index.
                let Some(end) = offset.checked_add(record.bytes) else { break };
                let range = offset..end;
                offset = range.end;
                if record.lost || !wanted.contains(&record.name) {
                    continue;
                }
                let (key, trimmed) = (spare.key.clone(), record.trimmed);
                let copy = BatchCopy { key, range: Some(range), trimmed, position: None, record };
                let copies = self.found.or_default(record.name);
                if !copies.contains(&copy) {
                    copies.push(copy);
                }
                if spare.is_listed {
                    self.add_holder(record.name, ObjectName::Segment(spare.name));
                    self.add_holder(record.name, index);
                }
            }
        }
        if spare.is_listed && !is_known {
            self.unknown.extend([ObjectName::Segment(spare.name), index]);
        }
        Ok(())
    }

    /// The first copy of a batch with the record's digest.
    pub(super) fn of_batch<S: Store>(
        &self,
        store: &S,
        record: &BatchRecord,
    ) -> Result<Option<BatchCopy>, Error> {
        for copy in self.found.get(&record.name).into_iter().flatten() {
            let copy = BatchCopy { record: *record, ..copy.clone() };
            if copy.read(store)?.is_some() {
                return Ok(Some(copy));
            }
        }
        Ok(None)
    }

    /// Listed objects that may help to recover lost batches.
    pub(super) fn holders(&self, lost: &Set<BatchName>) -> Set<ObjectName> {
        if lost.is_empty() {
            return Set::new();
        }
        let holders = lost.iter().filter_map(|batch| self.holders.get(batch)).flat_map(Set::iter);
        holders.chain(self.unknown.iter()).copied().collect()
    }
}

fn get<S: Store>(catalog: &Catalog<S>, key: &str) -> Result<Option<Vec<u8>>, Error> {
    match catalog.store.get(key) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) => match error.kind {
            StoreErrorKind::NotFound | StoreErrorKind::NotAnObject => Ok(None),
            _ => Err(Error::store("read", key, &error)),
        },
    }
}
