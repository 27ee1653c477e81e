//! Compacts a log: a driver. What is committed and what is garbage are decisions elsewhere.
//!
//! 1. Creating the manifest is the commit. Whoever creates a generation's manifest has won it; a
//!    loser deletes its own segment and begins again.
//! 2. After the commit the highest manifest is looked up once more, and only batches that *its*
//!    indexes hold are deleted: a stalled compactor may have created a number long passed.
//! 3. A segment whose commit is in doubt is left alone: the manifest may still land.

use crate::compaction::{self, Plan};
use crate::error::{Error, WriteFailure, WriteFate};
use crate::limits::{COMMIT_TRIES, COMPACT_TRIES, DELETE_KEYS_MAX, MANIFESTS_KEPT, MISSING_TRIES};
use crate::manifest::Manifest;
use crate::names::{Attempt, BatchName, LogName};
use crate::ports::{Store, StoreErrorKind, System, WriteError};
use crate::segment::NewSegment;
use crate::segment_writer::{Copied, SegmentWriter, write_failed};
use crate::stored_log::{Look, StoredLog};
use crate::view::{self, View};

/// What a compaction did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compaction {
    pub merged_files: u64,
    pub events: u64,
    /// The new object's key; none when there was nothing to write.
    pub new_key: Option<String>,
}

enum Commit {
    Won,
    Lost,
}

struct Compactor<'a, S: Store, Y: System> {
    stored: StoredLog<S>,
    system: &'a Y,
}

/// Merges a log's live batches into a new segment, or several if they are large, if there are two or
/// more batches.
///
/// # Errors
/// [`Error::StoreFailed`], [`Error::WriteFailed`], [`Error::Damaged`], [`Error::Unsupported`] on a
/// store without create-if-absent, [`Error::Conflict`] when other compactors kept winning.
pub fn compact<S: Store, Y: System>(
    store: S,
    system: &Y,
    log: LogName,
) -> Result<Compaction, Error> {
    let mut compactor = Compactor { stored: StoredLog::new(store, log), system };
    for _ in 0..COMPACT_TRIES {
        if let Some(done) = compactor.run()? {
            return Ok(done);
        }
    }
    let log = compactor.stored.name.as_str();
    Err(Error::Conflict(format!(
        "other compactors of log {log} won {COMPACT_TRIES} times: it is being compacted already"
    )))
}

impl<S: Store, Y: System> Compactor<'_, S, Y> {
    /// One attempt. None when another compactor was faster.
    fn run(&mut self) -> Result<Option<Compaction>, Error> {
        let view = self.stored.look(Look::Everything)?;
        let Plan::Absorb { batches, generation } = compaction::plan(&view) else {
            if let Some(manifest) = &view.manifest {
                self.clean(manifest, &view.absorbed, &view);
            }
            return Ok(Some(Compaction::default()));
        };
        self.ensure_exclusive()?;
        let attempt = Attempt(self.system.random_u32());
        let merged_files = u64::try_from(batches.len()).unwrap_or(u64::MAX);
        let mut writer = SegmentWriter::new(&self.stored, generation, attempt);
        let copied = writer.copy(&batches);
        let segments = writer.into_segments();
        match copied {
            Ok(Copied::Whole) => {}
            Ok(Copied::Overtaken) => {
                self.discard(&segments);
                return Ok(None);
            }
            Err(error) => {
                self.discard(&segments);
                return Err(error);
            }
        }
        let Some(first) = segments.first() else {
            let names: Vec<_> = batches.iter().map(|batch| batch.name.to_string()).collect();
            self.delete(&names);
            return Ok(Some(Compaction { merged_files, ..Compaction::default() }));
        };
        let new_key = Some(self.stored.name.key(first.name));
        let base = view.manifest.as_ref();
        let manifest = compaction::next_manifest(base, generation, attempt, &segments)
            .ok_or_else(|| Error::Unsupported("the log has 2^64 events".to_owned()))?;
        if let Commit::Lost = self.commit(&segments, &manifest)? {
            return Ok(None);
        }
        if let Commit::Lost = self.clean_up_after(&segments, manifest, &view)? {
            self.discard(&segments);
            return Ok(None);
        }
        let batches = segments.iter().flat_map(|segment| &segment.batches);
        let events = batches.map(|batch| batch.events).sum();
        Ok(Some(Compaction { merged_files, events, new_key }))
    }

    fn ensure_exclusive(&self) -> Result<(), Error> {
        let folder = self.stored.name.folder();
        self.stored.store.ensure_exclusive(&folder).map_err(|error| match error.kind {
            StoreErrorKind::Unsupported => Error::Unsupported(error.message),
            _ => Error::store("probe", &folder, &error),
        })
    }

    /// Creates the manifest: the commit.
    fn commit(&self, segments: &[NewSegment], manifest: &Manifest) -> Result<Commit, Error> {
        let bytes = manifest.encode().map_err(|error| Error::Unsupported(error.to_string()))?;
        let key = self.stored.name.key(manifest.generation);
        let mut tries = 0;
        loop {
            tries += 1;
            match self.stored.store.create_exclusive(&key, &bytes) {
                Ok(()) => return Ok(Commit::Won),
                Err(WriteError::AlreadyExists) => {
                    return Ok(match self.stored.manifest(manifest.generation)? {
                        Some(found) if found.attempt == manifest.attempt => Commit::Won,
                        Some(_) => {
                            self.discard(segments);
                            Commit::Lost
                        }
                        // Passed long ago and dropped since. It may have been this very attempt,
                        // whose segments are then in force: the next look tells.
                        None => Commit::Lost,
                    });
                }
                // Of the tries before, one may still land: then the segment is needed.
                Err(WriteError::NotWritten(error)) => {
                    let certain = tries == 1;
                    if certain {
                        self.discard(segments);
                    }
                    let fate = if certain { WriteFate::NotWritten } else { WriteFate::Unknown };
                    let failure = WriteFailure::new(&key, fate, &error, 0);
                    return Err(match error.kind {
                        StoreErrorKind::Unsupported => Error::Unsupported(error.message),
                        _ => Error::WriteFailed(failure),
                    });
                }
                Err(WriteError::Unknown(_)) if tries < COMMIT_TRIES => {}
                Err(error) => return Err(write_failed(&key, error)),
            }
        }
    }

    /// Deletes what the manifest in force, this one or a later one, has made superfluous. Lost when
    /// the one in force does not hold the batches: this one was created long after its number had
    /// passed, and counts for nothing.
    fn clean_up_after(
        &mut self,
        segments: &[NewSegment],
        own: Manifest,
        view: &View,
    ) -> Result<Commit, Error> {
        let mine = segments.iter().flat_map(|segment| &segment.batches);
        let mine: Vec<BatchName> = mine.map(|batch| batch.name).collect();
        let candidates = || view.absorbed.iter().chain(&mine).copied();
        let highest = self.stored.highest_generation()?.unwrap_or(own.generation);
        if highest == own.generation {
            self.clean(&own, &candidates().collect::<Vec<_>>(), view);
            return Ok(Commit::Won);
        }
        // Somebody went on from here, or came here long before: its indexes decide.
        for _ in 0..MISSING_TRIES {
            let (Some(current), _) = self.stored.manifest_in_force(Look::Reading)? else { break };
            let Some(held) = self.stored.held_by(&current, candidates())? else { continue };
            self.clean(&current, &held, view);
            let held_mine = mine.iter().any(|batch| held.contains(batch));
            return Ok(if held_mine { Commit::Won } else { Commit::Lost });
        }
        let message = "the manifest in force changes faster than it can be read".to_owned();
        Err(Error::StoreFailed { message, transient: true })
    }

    fn clean(&self, current: &Manifest, absorbed: &[BatchName], view: &View) {
        let garbage = view::garbage(current, &view.others, MANIFESTS_KEPT);
        let names: Vec<_> = absorbed
            .iter()
            .map(ToString::to_string)
            .chain(garbage.iter().map(ToString::to_string))
            .collect();
        self.delete(&names);
    }

    /// Throws away segments that no manifest will ever name.
    fn discard(&self, segments: &[NewSegment]) {
        let names = segments.iter().map(|segment| segment.name);
        let names = names.flat_map(|name| [name.to_string(), name.index().to_string()]);
        self.delete(&names.collect::<Vec<_>>());
    }

    /// Deletes objects of the log. What cannot be deleted is left to the next compaction.
    fn delete(&self, names: &[String]) {
        let keys: Vec<_> = names.iter().map(|name| self.stored.name.key(name)).collect();
        for keys in keys.chunks(DELETE_KEYS_MAX) {
            let failures = self.stored.store.delete(keys);
            if let Some((key, error)) = failures.first() {
                self.system.warn(&format!(
                    "{} of {} objects could not be deleted and are left to the next compaction; \
                     the first is {key}: {}",
                    failures.len(),
                    keys.len(),
                    error.message
                ));
            }
        }
    }
}
