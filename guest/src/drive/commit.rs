//! Commits a manifest and deletes what it replaces. A driver, for compactions and trims.
//!
//! 1. Creating the manifest is the commit. The creator of a generation's manifest has won it; a
//!    loser deletes its own segments and starts again.
//! 2. After the commit the highest manifest is listed once more, and only batches that *its*
//!    indexes contain are deleted: a stalled compactor may have created a number long passed.
//! 3. A segment whose commit is in doubt is left alone: the manifest may still land.
//! 4. Nothing is deleted unless the listing after the commit shows the committed manifest, or a
//!    later one, and agrees with it: see `agreement`. A listing before the commit may be out of
//!    date.
//! 5. Manifests are deleted only after the marker of their group is stored. A manifest whose marker
//!    exists justifies no delete: its number was used before, whatever is listed.
//! 6. A commit writes the current format. On a log of format 1 it takes the missing digests from
//!    checked indexes, and gives the log its identity.

use crate::decide::log_state::LogState;
use crate::decide::source::{Source, SourceObject};
use crate::drive::catalog::Catalog;
use crate::drive::interrupted::Interrupted;
use crate::drive::segment_writer::write_failed;
use crate::error::{Error, WriteFailure, WriteFate};
use crate::format::manifest::{Manifest, Retired, StandIn};
use crate::format::names::{BatchName, Digest, LogId, ObjectName, SegmentName};
use crate::format::ordered::Set;
use crate::format::segment::NewSegment;
use crate::limits::{COMMIT_TRIES, COMPACT_TRIES};
use crate::ports::{Store, StoreErrorKind, System, WriteError};

mod cleaning;

/// The outcome of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Commit {
    Won,
    /// The number was passed, but the goal is reached: by others, or by this commit and changes
    /// based on it. The places of its segments are unknown.
    Passed,
    Lost,
}

/// The goal of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// Fewer objects.
    Compact,
    /// A later first position.
    Trim,
}

/// Changes a log by manifests.
pub(crate) struct Committer<'a, S: Store, Y: System> {
    pub(crate) catalog: Catalog<S>,
    system: &'a Y,
    /// The object that was gone last, although it was listed.
    gone: Option<Box<SourceObject>>,
    /// Objects that no clean-up deletes, although no manifest names them.
    spared: Set<ObjectName>,
}

impl<'a, S: Store, Y: System> Committer<'a, S, Y> {
    pub(crate) fn new(catalog: Catalog<S>, system: &'a Y) -> Self {
        Self { catalog, system, gone: None, spared: Set::new() }
    }

    /// Excludes these objects from every later clean-up.
    pub(crate) fn spare(&mut self, objects: Set<ObjectName>) {
        self.spared = objects;
    }

    pub(crate) fn random(&self) -> u32 {
        self.system.random_u32()
    }

    /// The error of a change that others won every time.
    pub(crate) fn conflict(&self) -> Error {
        let log = self.catalog.name.as_str();
        Error::Conflict(format!(
            "other compactors of the log {log} committed first, {COMPACT_TRIES} times in a row; try \
             again later"
        ))
    }

    /// Records that a listed object is gone: the log was compacted, and another load shows the
    /// result. An error if the same object was gone before, since no load names it after that. Any
    /// other interruption is an error, too.
    pub(crate) fn overtaken(&mut self, interrupted: Interrupted) -> Result<(), Error> {
        let gone = match interrupted {
            Interrupted::Gone(gone) => gone,
            Interrupted::Failed(error) => return Err(error),
        };
        if self.gone.as_ref() != Some(&gone) {
            self.gone = Some(gone);
            return Ok(());
        }
        Err(match &gone.source {
            Source::Batch(batch) => self.catalog.phantom_batch(batch.name),
            Source::Segment(_) | Source::SegmentRange(_) => self.catalog.absent(gone.name)?,
        })
    }

    /// Checks that the store has the segments of the new manifest, with all their bytes, and their
    /// indexes: it may have confirmed a write that it did not keep.
    pub(crate) fn check_kept(&self, segments: &[&NewSegment]) -> Result<(), Error> {
        let Some(first) = segments.first() else { return Ok(()) };
        let kept = self.catalog.list_commit(first.name)?;
        for segment in segments {
            let bytes = segment.batches.iter().map(|batch| batch.bytes);
            let expected = bytes.sum::<u64>();
            let index = ObjectName::Index(segment.name.index());
            let found = kept.get(&ObjectName::Segment(segment.name)).copied();
            if found != Some(expected) || !kept.contains_key(&index) {
                let found = match found {
                    Some(found) if found == expected => "no index".to_owned(),
                    Some(found) => format!("{found} bytes"),
                    None => "no such object".to_owned(),
                };
                return Err(self.catalog.not_kept(segment.name, expected, &found));
            }
        }
        Ok(())
    }

    /// Refuses a store without create-if-absent.
    pub(crate) fn ensure_exclusive(&self) -> Result<(), Error> {
        let folder = self.catalog.name.folder();
        self.catalog.store.ensure_exclusive(&folder).map_err(|error| match error.kind {
            StoreErrorKind::Unsupported => Error::Unsupported(error.message),
            _ => Error::store("probe", &folder, &error),
        })
    }

    /// Commits a manifest that names the new segments, which absorbed the batches. Deletes the
    /// objects that it makes garbage.
    pub(crate) fn commit(
        &mut self,
        goal: Goal,
        mut manifest: Manifest,
        segments: &[SegmentName],
        absorbed: &[BatchName],
        state: &LogState,
    ) -> Result<Commit, Error> {
        let completed = self.complete(&mut manifest);
        if !matches!(completed, Ok(Commit::Won)) {
            self.discard(segments);
            return completed;
        }
        if self.create(&manifest, segments)? == Commit::Lost {
            return Ok(Commit::Lost);
        }
        let commit = self.clean_up_after(goal, &manifest, segments, absorbed, state)?;
        if commit == Commit::Lost {
            self.discard(segments);
        }
        Ok(commit)
    }

    /// Adds the fields that a base of format 1, or none, does not have: the log's identity and the
    /// digests of the indexes. An index of a trimmed segment may be gone. Lost if the log was
    /// compacted in the meantime.
    fn complete(&mut self, manifest: &mut Manifest) -> Result<Commit, Error> {
        if manifest.log.is_none() {
            let [high, low] = [self.random(), self.random()].map(u64::from);
            manifest.log = Some(LogId(high << 32 | low));
        }
        for segment in manifest.segments.iter_mut().filter(|segment| segment.index.is_none()) {
            segment.index = self.catalog.index_digest(segment)?;
            if segment.index.is_none() {
                let base = manifest.generation.0 - 1;
                if self.catalog.highest_generation()?.0 > base {
                    return Ok(Commit::Lost);
                }
                return Err(self.catalog.missing(segment.name.index()));
            }
        }
        for Retired { segment, .. } in &mut manifest.retired {
            if segment.index.is_none() {
                segment.index = self.catalog.index_digest(segment)?;
            }
        }
        manifest.drop_retired(|retired| retired.segment.index.is_none());
        Ok(Commit::Won)
    }

    /// Commits the next generation with the same contents as the current manifest, and deletes
    /// nothing. None if others have committed already.
    pub(crate) fn supersede(&mut self, current: &Manifest) -> Result<Option<Manifest>, Error> {
        self.ensure_exclusive()?;
        let mut next = Manifest::after(Some(current), current.commit_id);
        if self.create(&next, &[])? == Commit::Lost {
            return Ok(None);
        }
        let bytes = next.encode().map_err(|error| Error::Unsupported(error.to_string()))?;
        next.digest = Some(Digest::of(&bytes));
        Ok(Some(next))
    }

    /// Creates a manifest that is gone. False if another one has its generation.
    pub(crate) fn create_again(&mut self, manifest: &Manifest) -> Result<bool, Error> {
        self.ensure_exclusive()?;
        Ok(self.create(manifest, &[])? == Commit::Won)
    }

    /// Creates a stand-in for a manifest that is gone. False if another one has its generation.
    pub(crate) fn stand_in(&mut self, stand_in: &StandIn) -> Result<bool, Error> {
        self.ensure_exclusive()?;
        let bytes = stand_in.encode().map_err(|error| Error::Unsupported(error.to_string()))?;
        let key = self.catalog.name.key(stand_in.generation);
        match self.catalog.store.create_exclusive(&key, &bytes) {
            Ok(()) => Ok(true),
            Err(WriteError::AlreadyExists) => Ok(false),
            Err(error) => Err(write_failed(&key, error)),
        }
    }

    /// Creates the manifest: the commit.
    fn create(&mut self, manifest: &Manifest, segments: &[SegmentName]) -> Result<Commit, Error> {
        let bytes = manifest.encode().map_err(|error| Error::Unsupported(error.to_string()))?;
        let key = self.catalog.name.key(manifest.generation);
        let mut tries = 0;
        loop {
            tries += 1;
            match self.catalog.store.create_exclusive(&key, &bytes) {
                Ok(()) => return Ok(Commit::Won),
                Err(WriteError::AlreadyExists) => {
                    // From here on no listing without it, or a later one, is believed.
                    self.catalog.record_generation(manifest.generation);
                    return Ok(match self.catalog.manifest(manifest.generation)? {
                        Some(found) if found.commit_id == manifest.commit_id => Commit::Won,
                        Some(_) => {
                            // An earlier try may have landed and been passed, and another's
                            // manifest may have taken the number long after: then the segments are
                            // current.
                            if tries == 1 {
                                self.discard(segments);
                            }
                            Commit::Lost
                        }
                        // Passed long ago and deleted since. It may have been this very commit,
                        // whose segments are then current: the next load shows it.
                        None => Commit::Lost,
                    });
                }
                // One of the earlier tries may still land: then the segments are needed.
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
}
