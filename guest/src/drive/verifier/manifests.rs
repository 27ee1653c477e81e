//! Checks the kept manifests, the indexes of trimmed segments, and the listing against the current
//! manifest.

use super::kept::Place;
use super::{Finding, Verifier};
use crate::decide::log_state;
use crate::decide::succession::{of_another_log, out_of_order};
use crate::drive::catalog::StoredManifest;
use crate::error::{Damage, Error};
use crate::format::manifest::{Manifest, Retired, StandIn};
use crate::format::names::{Generation, LogId};
use crate::limits::MISSING_TRIES;
use crate::ports::Store;

impl<S: Store> Verifier<S> {
    /// Checks that no later manifest than the highest existed. Returns false if the log
    /// is loaded again.
    pub(super) fn check_current(&mut self) -> Result<bool, Error> {
        let manifest = self.work.manifest.as_ref();
        if manifest.is_none() && self.work.generation > Generation::default() {
            // It is damaged, and its contents are unknown.
            return Ok(true);
        }
        let (batches, others) = (&self.work.batches, &self.work.others);
        let found = match self.catalog.missing_manifest(manifest, batches, others) {
            // The damaged index is reported elsewhere.
            Err(Error::Damaged(_)) => None,
            found => found?,
        };
        let Some(found) = found else { return Ok(true) };
        self.doubts += 1;
        if self.doubts < MISSING_TRIES {
            return Ok(false);
        }
        match self.catalog.contradicted(manifest, found)? {
            Error::Damaged(damage) => self.work.record(Finding::Damaged(damage)),
            error => return Err(error),
        }
        Ok(true)
    }

    /// Checks the kept manifests in order. Returns false if the log is loaded again.
    pub(super) fn check_manifests(&mut self) -> Result<bool, Error> {
        let highest = log_state::manifests(&self.work.others).max().unwrap_or_default();
        self.work.generation = highest;
        let mut kept: Vec<_> = log_state::kept_below(highest, &self.work.others).collect();
        kept.reverse();
        kept.extend(Some(highest).filter(|highest| *highest > Generation::default()));
        let mut before: Option<Manifest> = None;
        let mut log: Option<LogId> = None;
        // A listing may omit a manifest that was created during it, and show the next.
        for generation in kept {
            self.work.checked.objects_total += 1;
            let manifest = match self.catalog.stored_manifest(generation) {
                Ok(StoredManifest::Whole(manifest)) => manifest,
                Ok(StoredManifest::StandIn(stand_in)) => {
                    if self.has_changed()? {
                        return Ok(false);
                    }
                    self.check_stand_in(stand_in, log);
                    before = None;
                    continue;
                }
                // A copy creates those below the current one after it.
                Ok(StoredManifest::Gone)
                    if log_state::may_be_deleted(generation, highest)
                        || self.catalog.is_mirror() =>
                {
                    before = None;
                    continue;
                }
                Ok(StoredManifest::Gone) => {
                    if self.has_changed()? {
                        return Ok(false);
                    }
                    // The first copy may have made its mark since the batches were listed.
                    self.catalog.list_batch_names(|_| {})?;
                    if self.catalog.is_mirror() {
                        before = None;
                        continue;
                    }
                    self.record_damage(
                        Damage::new(generation, "a manifest", "no such object"),
                        None,
                    );
                    before = None;
                    continue;
                }
                Err(Error::Damaged(damage)) => {
                    self.work.record_damage(damage, None);
                    before = None;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let contradiction = before.as_ref().and_then(|before| out_of_order(before, &manifest));
            if let Some(damage) =
                contradiction.or_else(|| of_another_log(log, manifest.generation, manifest.log))
            {
                // A stalled compactor may have created a number that was passed and dropped.
                if self.has_changed()? {
                    return Ok(false);
                }
                self.record_damage(damage, None);
            }
            self.work.checked.objects += 1;
            log = log.or(manifest.log);
            before = Some(manifest);
        }
        // Without the current one the segments of the log are unknown.
        self.work.manifest = before.filter(|manifest| manifest.generation == highest);
        Ok(true)
    }

    /// Checks the indexes of trimmed segments. Returns false if the log is loaded again.
    pub(super) fn check_retired(&mut self) -> Result<bool, Error> {
        let retired = self.work.manifest.iter().flat_map(|manifest| manifest.retired.clone());
        for Retired { segment, .. } in retired.collect::<Vec<_>>() {
            self.work.checked.objects_total += 1;
            match self.catalog.index_of(&segment) {
                Ok(Some(index)) => {
                    self.work.checked.objects += 1;
                    for (batch, positions) in index.positions(&segment) {
                        let (start, segment) = (positions.start, segment.name);
                        let place = Place { start, segment };
                        self.work.record_place(batch, place, &self.catalog.name);
                    }
                }
                Ok(None) => {
                    if self.has_changed()? {
                        return Ok(false);
                    }
                    self.missing(segment.name.index(), None);
                }
                Err(Error::Damaged(damage)) => {
                    self.work.record_damage(damage, None);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Checks a stand-in for an older manifest: it has only the identity of the log, and another
    /// manifest is current.
    pub(super) fn check_stand_in(&mut self, stand_in: StandIn, log: Option<LogId>) {
        self.work.checked.objects += 1;
        if stand_in.generation == self.work.generation
            && let Error::Damaged(damage) = self.catalog.ends_in_stand_in(stand_in.generation)
        {
            self.work.record_damage(damage, None);
        }
        let damage =
            of_another_log(log.and(stand_in.log).and(log), stand_in.generation, stand_in.log);
        if let Some(damage) = damage {
            self.record_damage(damage, None);
        }
    }
}
