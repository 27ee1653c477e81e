//! Deletes what a commit has made superfluous.

use crate::decide::agreement;
use crate::decide::log_state::{self, LogState};
use crate::drive::catalog::{NotListed, Scope};
use crate::error::quantities::{count, grouped};
use crate::error::{Error, of_the_object};
use crate::format::listed::ListedOther;
use crate::format::manifest::Manifest;
use crate::format::names::{BatchName, Marker, ObjectName, SegmentName};
use crate::format::numbers::to_u64;
use crate::format::ordered::Set;
use crate::limits::{DELETE_KEYS_MAX, MISSING_TRIES};
use crate::mutants::{self, Mutant};
use crate::ports::{Store, System, WriteError};
use std::fmt;

use super::{Commit, Committer, Goal};

impl<S: Store, Y: System> Committer<'_, S, Y> {
    /// Deletes the garbage of the current manifest, this one or a later one. Lost if this one was
    /// created long after its number was passed: then it counts for nothing.
    pub(super) fn clean_up_after(
        &mut self,
        goal: Goal,
        own: &Manifest,
        segments: &[SegmentName],
        absorbed: &[BatchName],
        state: &LogState,
    ) -> Result<Commit, Error> {
        let absorbed_batches = state.absorbed.iter().map(|batch| batch.name);
        let twins = state.twins.iter().map(|twin| twin.name);
        let twins = twins.filter(|twin| absorbed.binary_search(twin).is_ok());
        let candidates = absorbed_batches.chain(absorbed.iter().copied()).chain(twins);
        let candidates: Vec<_> = candidates.collect();
        self.catalog.record_generation(own.generation);
        let (mut passed, mut used_before) = (false, None);
        // A listing before the commit may be old by now: everything is listed again, and must
        // agree. That listing also shows the rest of the garbage.
        for _ in 0..MISSING_TRIES {
            let listed = match self.catalog.list_current(Scope::Full) {
                Ok(listed) => listed,
                Err(NotListed::Failed(error)) => return Err(error),
                Err(NotListed::WentBack(_)) if mutants::is(Mutant::TrustAfterCommit) => {
                    self.clean(own, &candidates, &state.others);
                    return Ok(Commit::Won);
                }
                Err(NotListed::WentBack(why)) => return Ok(self.leave_all(own, &why)),
            };
            let highest = listed.highest.unwrap_or(own.generation);
            if mutants::is(Mutant::DeleteOwn) {
                self.clean(own, &candidates, &listed.others);
                return Ok(Commit::Won);
            }
            let is_passed = highest > own.generation;
            passed |= is_passed;
            match self.catalog.marker(highest) {
                Ok(None) => {}
                Ok(Some(_)) if mutants::is(Mutant::ReuseGeneration) => {}
                Ok(Some(marker)) => {
                    used_before = Some((highest, marker));
                    continue;
                }
                Err(error) => return Ok(self.leave_all(own, &error)),
            }
            let current =
                if is_passed { self.catalog.manifest(highest)? } else { Some(own.clone()) };
            let Some(current) = current else { continue };
            if agreement::disagreement(Some(&current), &listed.others).is_some()
                && !mutants::is(Mutant::TrustAfterCommit)
            {
                continue;
            }
            if !is_passed {
                self.clean(own, &candidates, &listed.others);
                return Ok(Commit::Won);
            }
            // A later manifest is based on this one, or came long before: its indexes decide.
            let Some(in_index) = self.catalog.absorbed_by(&current, &candidates)? else {
                continue;
            };
            let garbage = candidates.iter().filter(|batch| in_index.contains(batch));
            self.clean(&current, &garbage.copied().collect::<Vec<_>>(), &listed.others);
            // The segments were trimmed since, so their indexes are still needed.
            let new: Set<SegmentName> = segments.iter().copied().collect();
            let is_named = current.records().any(|segment| new.contains(&segment.name));
            let counts = is_named
                || match goal {
                    Goal::Compact => absorbed.iter().any(|batch| in_index.contains(batch)),
                    // Others continued from there, or have trimmed as much themselves.
                    Goal::Trim => {
                        current.first_position >= own.first_position
                            && current.trimmed_events() <= own.trimmed_events()
                    }
                };
            if counts && !is_named {
                self.discard(segments);
                return Ok(Commit::Passed);
            }
            return Ok(if counts { Commit::Won } else { Commit::Lost });
        }
        if let Some((generation, marker)) = used_before {
            return Err(self.catalog.used_before(generation, marker));
        }
        let folder = self.catalog.name.folder();
        let message = format!(
            "cannot rely on the listing of {folder}: no listing agrees with the current manifest"
        );
        let error = Error::StoreFailed { message, transient: true };
        if passed { Err(error) } else { Ok(self.leave_all(own, &error)) }
    }

    /// Keeps the commit, and leaves its garbage to the next compaction.
    fn leave_all(&self, own: &Manifest, why: &Error) -> Commit {
        self.system
            .warn(&format!("{why}; nothing is deleted after the commit of {}", own.generation));
        Commit::Won
    }

    /// Deletes the garbage of the current manifest: batches that it absorbed, and listed objects
    /// that it does not name.
    pub(crate) fn clean(&self, current: &Manifest, absorbed: &[BatchName], others: &[ListedOther]) {
        let mut garbage = log_state::garbage(current, others);
        let unmarked = self.mark_passed(&garbage);
        garbage
            .retain(|garbage| marker_of(garbage).is_none_or(|marker| !unmarked.contains(&marker)));
        let absorbed = absorbed.iter().map(|batch| ObjectName::Batch(*batch));
        let names = absorbed.chain(garbage.iter().map(|garbage| garbage.name));
        let names = names.filter(|name| !self.spared.contains(name));
        self.delete(&names.collect::<Vec<_>>());
    }

    /// Stores the markers of manifests to be deleted. Returns the markers that could not be stored.
    fn mark_passed(&self, garbage: &[ListedOther]) -> Set<Marker> {
        let mut markers: Set<_> = garbage.iter().filter_map(marker_of).collect();
        if mutants::is(Mutant::DeleteUnmarked) {
            return Set::new();
        }
        markers.retain(|marker| {
            let key = self.catalog.name.key(marker);
            match self.catalog.store.create(&key, &[]) {
                Ok(()) | Err(WriteError::AlreadyExists) => false,
                Err(WriteError::NotWritten(error) | WriteError::Unknown(error)) => {
                    let error = Error::store("create", &key, &error);
                    self.system
                        .warn(&format!("{error}; the next compaction deletes old manifests"));
                    true
                }
            }
        });
        markers
    }

    /// Deletes segments that no manifest will ever name, and then their indexes: a segment without
    /// an index is damage.
    pub(crate) fn discard(&self, segments: &[SegmentName]) {
        let deleted = self.delete(segments);
        self.delete(&deleted.iter().map(|segment| segment.index()).collect::<Vec<_>>());
    }

    /// Deletes objects of the log, and returns those that it could delete. The others are left to
    /// the next compaction.
    pub(crate) fn delete<'n, N: fmt::Display>(&self, names: &'n [N]) -> Vec<&'n N> {
        let mut deleted = Vec::new();
        for names in names.chunks(DELETE_KEYS_MAX) {
            let keys: Vec<_> = names.iter().map(|name| self.catalog.name.key(name)).collect();
            let failures = self.catalog.store.delete(&keys);
            if let Some((key, error)) = failures.first() {
                self.system.warn(&format!(
                    "cannot delete {} of {}, first {key}: {}; the next compaction deletes them",
                    grouped(to_u64(failures.len())),
                    count(to_u64(keys.len()), "object", "objects"),
                    of_the_object(&error.message, key)
                ));
            }
            let failed: Set<_> = failures.iter().map(|(key, _)| key).collect();
            let done = names.iter().zip(&keys).filter(|(_, key)| !failed.contains(key));
            deleted.extend(done.map(|(name, _)| name));
        }
        deleted
    }
}

/// The marker that must exist before the object is deleted, if it is a manifest.
fn marker_of(object: &ListedOther) -> Option<Marker> {
    match object.name {
        ObjectName::Manifest(generation) => Some(generation.marker()),
        _ => None,
    }
}
