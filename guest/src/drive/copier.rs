//! Copies a log to another store, while it is written, compacted and trimmed. A driver: `copying`
//! decides the steps, and `lineage` which target is refused.
//!
//! 1. The objects are the same bytes under the same names. So positions, times and the identity
//!    stay, and a copy that was interrupted continues with what is missing.
//! 2. The target has a mark before any other object. Only copies write a log with a mark: writers,
//!    compactions, trims, repairs and commits of positions refuse it.
//! 3. The target is listed before the source. So what the target has, the source has or has
//!    absorbed, or the two have different histories. Then nothing is written.
//! 4. Every object is checked before it exists in the target: batches, indexes and segments by
//!    their digests, and a manifest by a listing of all that it names.
//! 5. A source object that is gone was compacted: everything is loaded and decided again.
//! 6. Objects of the target are deleted as after a commit: see `commit`.

use std::collections::VecDeque;

use crate::decide::copying::{self, Step, Work};
use crate::decide::lineage::{self, Diverged, History};
use crate::decide::log_state::{LogState, manifests};
use crate::drive::catalog::{Catalog, Scope};
use crate::drive::commit::Committer;
use crate::drive::named;
use crate::error::Error;
use crate::format::mirror::Mirror;
use crate::format::names::{BatchName, LogId, LogName, MirrorMark, ObjectName, PositionName};
use crate::format::ordered::{Map, Set};
use crate::limits::{MIRROR_SOURCE_BYTES_MAX, MISSING_TRIES};
use crate::ports::{Store, System};

mod batches;
mod finishing;
mod new_object;
mod objects;
mod promoting;

pub use promoting::{MirrorState, mirror, promote};

/// The progress of a copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CopyProgress {
    /// Objects copied, and their bytes.
    pub objects: u64,
    pub bytes: u64,
    /// Those that are to be copied in all, as far as is known.
    pub objects_total: u64,
    pub bytes_total: u64,
    /// The generation of the source that the target has, or will have.
    pub generation: u64,
}

/// The options of a copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopyOptions {
    /// The name of the source for people, which the target's mark keeps.
    pub source: String,
    /// True if nothing is written: only the first progress is returned.
    pub dry_run: bool,
}

/// A copy in progress.
pub struct Copier<S: Store, Y: System> {
    from: Catalog<S>,
    to: Catalog<S>,
    system: Y,
    options: CopyOptions,
    /// The steps that are left of the plan. None before the first.
    steps: Option<VecDeque<Step>>,
    progress: CopyProgress,
    /// True once the mark of the target was read.
    knows_mark: bool,
    /// Plans in a row that came to nothing, since an object was gone.
    vain: u32,
    gone: Option<ObjectName>,
}

/// The outcome of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    Whole,
    /// An object of the source is gone: it is loaded again.
    Overtaken,
}

impl<S: Store, Y: System> Copier<S, Y> {
    /// Prepares to copy a log. Makes no request.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for the options.
    pub fn new(
        from: (S, LogName),
        to: (S, LogName),
        system: Y,
        options: CopyOptions,
    ) -> Result<Self, Error> {
        let source = &options.source;
        if source.len() > MIRROR_SOURCE_BYTES_MAX || source.chars().any(char::is_control) {
            return Err(Error::InvalidInput(format!(
                "the name of the source of a copy has {} bytes or a control character: give it at \
                 most {MIRROR_SOURCE_BYTES_MAX} printable bytes",
                source.len()
            )));
        }
        Ok(Self {
            from: Catalog::new(from.0, from.1),
            to: Catalog::new(to.0, to.1),
            system,
            options,
            steps: None,
            progress: CopyProgress::default(),
            knows_mark: false,
            vain: 0,
            gone: None,
        })
    }

    /// Takes a step. Returns none once the target has all that the source had when the last plan
    /// was made.
    ///
    /// # Errors
    /// [`Error::NoLog`] if there is no source. [`Error::Conflict`] if the target has a history of
    /// its own: nothing was written. [`Error::Damaged`], [`Error::StoreFailed`],
    /// [`Error::WriteFailed`], [`Error::Unsupported`]: a later copy continues.
    pub fn step(&mut self) -> Result<Option<CopyProgress>, Error> {
        let Some(steps) = &mut self.steps else {
            self.plan()?;
            return Ok(Some(self.progress));
        };
        let next = if self.options.dry_run { None } else { steps.pop_front() };
        let Some(Step { work, objects, bytes }) = next else { return Ok(None) };
        match self.carry_out(work)? {
            Done::Whole => {
                self.progress.objects += objects;
                self.progress.bytes = self.progress.bytes.saturating_add(bytes);
                self.vain = 0;
            }
            Done::Overtaken => {
                self.vain += 1;
                if self.vain == MISSING_TRIES {
                    return Err(self.given_up()?);
                }
                self.plan()?;
            }
        }
        Ok(Some(self.progress))
    }

    /// Lists the target again, from the beginning, at the next step: what the source has then is
    /// copied, too.
    pub fn repeat(&mut self) {
        self.steps = None;
        self.progress = CopyProgress::default();
    }

    fn carry_out(&mut self, work: Work) -> Result<Done, Error> {
        match work {
            Work::Segment(segment) => self.copy_segment(&segment),
            Work::Index(segment) => self.copy_retired(&segment),
            Work::Commit(manifest) => self.commit(&manifest),
            Work::Batches(batches) => self.copy_batches(&batches),
            Work::Older(generation) => self.copy_older(generation),
            Work::Position(object) => self.copy_position(&object),
            Work::CleanUp => self.clean_up().map(|()| Done::Whole),
        }
    }

    /// Loads both logs and decides the steps.
    fn plan(&mut self) -> Result<(), Error> {
        loop {
            // Positions first: those are then of events that the load shows.
            let positions = named::list(&self.from.store, &self.from.name, None)?;
            let positions = named::newest(positions.iter());
            let mut target = self.to.load(Scope::Full)?;
            if !self.to.is_mirror() && !self.is_empty(&target) {
                // Another copy may have begun during that list. The mark is its first object: a
                // list that begins now has it.
                target = self.to.load(Scope::Full)?;
            }
            let source = self.from.load(Scope::Full)?;
            self.from.check_exists(&source)?;
            self.from.check_none_gone(&source)?;
            self.check_lineage(&source, &target, &positions)?;
            if !self.to.is_mirror() && !self.options.dry_run {
                self.mark(source.log())?;
                continue;
            }
            let there = named::newest(self.to.positions().iter().map(|(object, _)| object));
            let steps = copying::plan(&source, &target, (&positions, &there));
            let sum = |of: fn(&Step) -> u64| steps.iter().map(of).fold(0, u64::saturating_add);
            self.progress.objects_total = self.progress.objects + sum(|step| step.objects);
            self.progress.bytes_total = self.progress.bytes.saturating_add(sum(|step| step.bytes));
            let manifest = source.manifest.as_ref();
            self.progress.generation = manifest.map_or(0, |manifest| manifest.generation.0);
            self.steps = Some(steps.into());
            return Ok(());
        }
    }

    /// Fails if the target is not a mirror, or not an earlier state of the source.
    fn check_lineage(
        &mut self,
        source: &LogState,
        target: &LogState,
        positions: &Map<PositionName, u64>,
    ) -> Result<(), Error> {
        if self.to.was_mirror() {
            return Err(self.refused(source, target, "it was a mirror, and was promoted"));
        }
        if !self.to.is_mirror() {
            return match self.is_empty(target) {
                true => Ok(()),
                false => Err(self.refused(source, target, "it is a log that is no mirror")),
            };
        }
        if !self.knows_mark {
            if let Some(marked) = self.to.mark(MirrorMark::Begun)?.and_then(|mark| mark.log)
                && source.log() != Some(marked)
            {
                let why = format!("it is a mirror of the log of identity {marked}");
                return Err(self.refused(source, target, &why));
            }
            self.knows_mark = true;
        }
        let (of_source, of_target) = (source.manifest.as_deref(), target.manifest.as_deref());
        let same = match of_target.map(|manifest| manifest.generation) {
            Some(generation)
                if lineage::needs_same(of_source, of_target)
                    && manifests(&source.others).any(|listed| listed == generation) =>
            {
                self.from.manifest(generation)?
            }
            _ => None,
        };
        let found = lineage::compare(of_source, of_target, same.as_ref());
        let found = match found {
            Some(found) => Some(found),
            None => self.foreign_batch(source, target)?,
        };
        if let Some(found) = found {
            return Err(self.refused(source, target, &found.to_string()));
        }
        let there = named::newest(self.to.positions().iter().map(|(object, _)| object));
        let ahead = |known: &Map<PositionName, u64>| {
            there.iter().find(|(name, number)| known.get(name) < Some(number)).map(|(name, _)| name)
        };
        if ahead(positions).is_none() {
            return Ok(());
        }
        // Another copy may have copied a position that is newer than that list.
        let positions = named::list(&self.from.store, &self.from.name, None)?;
        match ahead(&named::newest(positions.iter())) {
            Some(name) => {
                let why = format!("a position was committed under {} there", name.as_str());
                Err(self.refused(source, target, &why))
            }
            None => Ok(()),
        }
    }

    /// Returns true if the target has no object, as it was listed last.
    fn is_empty(&self, target: &LogState) -> bool {
        let has_batches = target.listed().next().is_some();
        !has_batches && target.others.is_empty() && self.to.positions().is_empty()
    }

    /// A batch of the target that the source neither has nor has absorbed.
    fn foreign_batch(
        &mut self,
        source: &LogState,
        target: &LogState,
    ) -> Result<Option<Diverged>, Error> {
        let listed: Set<_> = source.listed().map(|batch| batch.name).collect();
        let unlisted = target.live.iter().chain(&target.hidden).map(|batch| batch.name);
        let unlisted: Vec<_> = unlisted.filter(|name| !listed.contains(name)).collect();
        if unlisted.is_empty() {
            return Ok(None);
        }
        let Some(manifest) = &source.manifest else {
            return self.first_foreign(source, unlisted.into_iter());
        };
        // If the manifest was passed meanwhile, the object that shows it is gone, too.
        let Some(absorbed) = self.from.absorbed_by(manifest, &unlisted)? else { return Ok(None) };
        self.first_foreign(source, unlisted.into_iter().filter(|name| !absorbed.contains(name)))
    }

    /// The first of some batches that has events. A legacy one without any is deleted: compactions
    /// delete such batches and absorb nothing.
    fn first_foreign(
        &self,
        source: &LogState,
        batches: impl Iterator<Item = BatchName>,
    ) -> Result<Option<Diverged>, Error> {
        let mut empty = Vec::new();
        for batch in batches {
            if batch.origin.is_some() {
                return Ok(Some(lineage::of_batch(source, batch)));
            }
            match self.to.get(batch)? {
                // Another copy has deleted it meanwhile.
                None => {}
                Some(bytes) if bytes.iter().all(|byte| *byte == b'\n') => empty.push(batch),
                Some(_) => return Ok(Some(lineage::of_batch(source, batch))),
            }
        }
        if !self.options.dry_run && !empty.is_empty() {
            Committer::new(self.to.clone(), &self.system).delete(&empty);
        }
        Ok(None)
    }

    /// Makes the target a mirror.
    fn mark(&self, log: Option<LogId>) -> Result<(), Error> {
        let mirror = Mirror { source: self.options.source.clone(), log };
        let bytes = mirror.encode().map_err(|error| Error::Unsupported(error.to_string()))?;
        // Another copy may have made it, with another name for the source.
        self.create_or_keep(&self.to.name.key(MirrorMark::Begun), &bytes)
    }

    fn refused(&self, source: &LogState, target: &LogState, why: &str) -> Error {
        let (from, to) = (self.from.name.as_str(), self.to.name.as_str());
        Error::Conflict(format!(
            "cannot copy {from} to {to}: {why}; the source has {}, and the target has {}; nothing \
             was written; copy to another name, or remove the target first",
            History(source),
            History(target)
        ))
    }

    /// The error of loads that kept showing an object that does not exist.
    fn given_up(&self) -> Result<Error, Error> {
        match self.gone {
            Some(ObjectName::Batch(batch)) => Ok(self.from.phantom_batch(batch)),
            Some(object) => self.from.absent(object),
            None => {
                let from = self.from.name.as_str();
                let message = format!(
                    "cannot copy {from}: it was changed during each of {MISSING_TRIES} loads; copy \
                     again"
                );
                Ok(Error::StoreFailed { message, transient: true })
            }
        }
    }
}
