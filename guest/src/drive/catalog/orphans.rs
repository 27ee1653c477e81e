//! Finds a commit whose manifest is gone.
//!
//! A compaction writes segments of the generation after the current one. It deletes the batches and
//! segments that they replace only after its manifest exists. So each batch of such a segment is
//! still listed or in an index that the current manifest names. Otherwise the manifest of that
//! commit is gone. Batches without events, as legacy ones can be, do not count: they are deleted
//! without a commit.

use std::collections::BTreeSet;

use super::Catalog;
use crate::decide::agreement::{self, Disagreement};
use crate::error::Error;
use crate::format::index;
use crate::format::listed::{ListedBatch, ListedOther};
use crate::format::manifest::Manifest;
use crate::format::names::ObjectName;
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
        match agreement::beyond_next(manifest, others) {
            Some(found) => Ok(Some(found)),
            None => self.orphan(manifest, batches, others),
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
        let next = manifest.map_or(0, |manifest| manifest.generation.0) + 1;
        let indexes = others.iter().filter_map(|other| match other.name {
            ObjectName::Index(index) if index.0.generation.0 == next => Some(index),
            _ => None,
        });
        let mut indexes = indexes.peekable();
        if indexes.peek().is_none() {
            return Ok(None);
        }
        let listed: BTreeSet<_> = batches.iter().map(|batch| batch.name).collect();
        for name in indexes {
            // Its owner has discarded one that is gone.
            let Some(bytes) = self.get(name)? else { continue };
            let absorbed = index::readable_batches(&bytes);
            let absorbed: Vec<_> = absorbed.filter(|batch| !listed.contains(batch)).collect();
            let in_index = match manifest {
                Some(manifest) => self.absorbed_by(manifest, absorbed.iter().copied())?,
                None => Some(Vec::new()),
            };
            // None if the log has changed in the meantime: the next load shows it.
            let Some(in_index) = in_index else { continue };
            if let Some(batch) = absorbed.into_iter().find(|batch| !in_index.contains(batch)) {
                let object = ObjectName::Index(name);
                return Ok(Some(Disagreement::Orphan { object, batch }));
            }
        }
        Ok(None)
    }
}
