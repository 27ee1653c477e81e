//! Compacts a log: a driver. What is committed and what is garbage are decisions elsewhere.
//!
//! 1. Creating the manifest is the commit. Whoever creates a generation's manifest has won it; a
//!    loser deletes its own segment and begins again.
//! 2. After the commit the highest manifest is looked up once more, and only batches that *its*
//!    indexes hold are deleted: a stalled compactor may have created a number long passed.
//! 3. A segment whose commit is in doubt is left alone: the manifest may still land.

use std::borrow::Cow;

use crate::batch::BatchRecord;
use crate::compaction::{self, Plan};
use crate::error::{Error, WriteFailure, WriteFate};
use crate::index::Index;
use crate::limits::{COMMIT_TRIES, COMPACT_TRIES, DELETE_KEYS_MAX, MANIFESTS_KEPT};
use crate::manifest::Manifest;
use crate::names::{Attempt, BatchName, LogName, SegmentName};
use crate::parts::{Interrupted, Part, PartsRead};
use crate::ports::{Store, StoreErrorKind, System, Upload, WriteError};
use crate::stored_log::{Look, StoredLog};
use crate::view::{self, ListedBatch, View};

/// What a compaction did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compaction {
    pub merged_files: u64,
    pub events: u64,
    /// The new object's key; none when there was nothing to write.
    pub new_key: Option<String>,
}

/// A segment that was written and is to be committed.
struct NewSegment {
    name: SegmentName,
    batches: Vec<BatchRecord>,
}

enum Written {
    Segment(NewSegment),
    /// All batches were empty.
    Empty,
    /// A batch is gone: somebody compacted it.
    Overtaken,
}

enum Commit {
    Won,
    Lost,
}

struct Compactor<'a, S: Store, Y: System> {
    stored: StoredLog<S>,
    system: &'a Y,
}

/// Merges a log's live batches into one new segment, if there are two or more.
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
        let name = SegmentName { generation, attempt, part: 0 };
        let merged_files = u64::try_from(batches.len()).unwrap_or(u64::MAX);
        let segment = match self.write_segment(name, &batches)? {
            Written::Segment(segment) => segment,
            Written::Empty => {
                let names: Vec<_> = batches.iter().map(|batch| batch.name.to_string()).collect();
                self.delete(&names);
                return Ok(Some(Compaction { merged_files, ..Compaction::default() }));
            }
            Written::Overtaken => return Ok(None),
        };
        let base = view.manifest.as_ref();
        let manifest = compaction::next_manifest(base, name, attempt, &segment.batches)
            .ok_or_else(|| Error::Unsupported("the log has 2^64 events".to_owned()))?;
        if let Commit::Lost = self.commit(&segment, &manifest)? {
            return Ok(None);
        }
        self.clean_up_after(&segment, manifest, &view)?;
        Ok(Some(Compaction {
            merged_files,
            events: segment.batches.iter().map(|batch| batch.events).sum(),
            new_key: Some(self.stored.name.key(name)),
        }))
    }

    fn ensure_exclusive(&self) -> Result<(), Error> {
        let folder = self.stored.name.folder();
        self.stored.store.ensure_exclusive(&folder).map_err(|error| match error.kind {
            StoreErrorKind::Unsupported => Error::Unsupported(error.message),
            _ => Error::store("probe", &folder, &error),
        })
    }

    /// Copies the batches, checked, into a new segment, in bounded memory.
    fn write_segment(&self, name: SegmentName, batches: &[ListedBatch]) -> Result<Written, Error> {
        let log = &self.stored.name;
        let key = log.key(name);
        let parts = batches.iter().map(|batch| Part::Batch(*batch)).collect();
        let mut read = PartsRead::new(self.stored.store.clone(), log.clone(), parts);
        let mut upload: Option<S::Upload> = None;
        let mut records = Vec::with_capacity(batches.len());
        let failed = |error| self.write_failed(&key, error);
        loop {
            let mut lines = Vec::new();
            let more = read.next(|piece| {
                match piece.lines {
                    Cow::Owned(owned) if lines.is_empty() => lines = owned,
                    more => lines.extend_from_slice(&more),
                }
                records.extend(piece.end);
            });
            match more {
                Ok(true) => {}
                Ok(false) => break,
                Err(Interrupted::Gone(_)) => return Ok(Written::Overtaken),
                Err(Interrupted::Failed(error)) => return Err(error),
            }
            if !lines.is_empty() {
                let upload = match &mut upload {
                    Some(upload) => upload,
                    none => none.insert(self.stored.store.start_upload(&key).map_err(failed)?),
                };
                upload.write(&lines).map_err(failed)?;
            }
        }
        let Some(upload) = upload else { return Ok(Written::Empty) };
        landed(upload.finish()).map_err(failed)?;
        let index = Index::new(records);
        let bytes = index.encode().map_err(|error| Error::Unsupported(error.to_string()))?;
        let index_key = log.key(name.index());
        if let Err(error) = landed(self.stored.store.create(&index_key, &bytes)) {
            self.discard(name);
            return Err(self.write_failed(&index_key, error));
        }
        Ok(Written::Segment(NewSegment { name, batches: index.batches }))
    }

    /// Creates the manifest: the commit.
    fn commit(&self, segment: &NewSegment, manifest: &Manifest) -> Result<Commit, Error> {
        let bytes = manifest.encode().map_err(|error| Error::Unsupported(error.to_string()))?;
        let key = self.stored.name.key(manifest.generation);
        let mut tries = 0;
        loop {
            tries += 1;
            match self.stored.store.create_exclusive(&key, &bytes) {
                Ok(()) => return Ok(Commit::Won),
                Err(WriteError::AlreadyExists) => {
                    let found = self.stored.manifest(manifest.generation)?;
                    if found.is_some_and(|found| found.attempt == manifest.attempt) {
                        return Ok(Commit::Won);
                    }
                    self.discard(segment.name);
                    return Ok(Commit::Lost);
                }
                // Of the tries before, one may still land: then the segment is needed.
                Err(WriteError::NotWritten(error)) => {
                    let certain = tries == 1;
                    if certain {
                        self.discard(segment.name);
                    }
                    let fate = if certain { WriteFate::NotWritten } else { WriteFate::Unknown };
                    let failure = WriteFailure::new(&key, fate, &error, 0);
                    return Err(match error.kind {
                        StoreErrorKind::Unsupported => Error::Unsupported(error.message),
                        _ => Error::WriteFailed(failure),
                    });
                }
                Err(WriteError::Unknown(_)) if tries < COMMIT_TRIES => {}
                Err(error) => return Err(self.write_failed(&key, error)),
            }
        }
    }

    /// Deletes what the manifest in force, this one or a later one, has made superfluous.
    fn clean_up_after(
        &mut self,
        segment: &NewSegment,
        own: Manifest,
        view: &View,
    ) -> Result<(), Error> {
        let highest = self.stored.highest_generation()?.unwrap_or(own.generation);
        let absorbed = view.absorbed.iter().copied();
        let mine = segment.batches.iter().map(|batch| batch.name);
        if highest == own.generation {
            self.clean(&own, &absorbed.chain(mine).collect::<Vec<_>>(), view);
            return Ok(());
        }
        // Somebody went on from here, or came here long before: its indexes decide.
        let (Some(current), _) = self.stored.manifest_in_force(Look::Reading)? else {
            return Ok(());
        };
        if let Some(held) = self.stored.held_by(&current, absorbed.chain(mine))? {
            self.clean(&current, &held, view);
        }
        Ok(())
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

    /// Throws away a segment that no manifest will ever name.
    fn discard(&self, name: SegmentName) {
        self.delete(&[name.to_string(), name.index().to_string()]);
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

    fn write_failed(&self, key: &str, error: WriteError) -> Error {
        let (fate, error) = match error {
            WriteError::NotWritten(error) => (WriteFate::NotWritten, error),
            WriteError::Unknown(error) => (WriteFate::Unknown, error),
            WriteError::AlreadyExists => {
                return Error::Conflict(format!("{key} exists already: compact again"));
            }
        };
        match error.kind {
            StoreErrorKind::Unsupported => Error::Unsupported(error.message),
            _ => Error::WriteFailed(WriteFailure::new(key, fate, &error, 0)),
        }
    }
}

/// The outcome of writing a name that is this attempt's alone: an object of that name is an earlier
/// try of it that landed.
fn landed(outcome: Result<(), WriteError>) -> Result<(), WriteError> {
    match outcome {
        Err(WriteError::AlreadyExists) => Ok(()),
        outcome => outcome,
    }
}
