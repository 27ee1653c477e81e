//! Compacts a log. A driver: `compaction` decides the rewrites, `change` carries them out.

use crate::decide::boundary::Boundary;
use crate::decide::compaction::{self, Rewrite};
use crate::decide::log_state::{self, LogState};
use crate::decide::options::{CompactInput, CompactOptions};
use crate::drive::catalog::{Catalog, Scope};
use crate::drive::change::{self, Change, Changed};
use crate::drive::commit::{Committer, Goal};
use crate::drive::interrupted::Interrupted;
use crate::error::Error;
use crate::format::batch::BatchRecord;
use crate::format::names::LogName;
use crate::format::numbers::to_u64;
use crate::limits::COMPACT_TRIES;
use crate::mutants::{self, Mutant};
use crate::ports::{Store, System};

/// The result of a compaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compaction {
    /// Batches absorbed.
    pub batches: u64,
    /// Segments merged.
    pub segments: u64,
    /// Events and bytes of the new segments, without lost events.
    pub events: u64,
    pub bytes: u64,
    /// New segments.
    pub new_segments: u64,
    /// The first new segment's key. None when nothing was written.
    pub new_key: Option<String>,
}

/// The plan of a compaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompactionPlan {
    pub batches: u64,
    pub segments: u64,
    pub bytes: u64,
    pub garbage_objects: u64,
    pub garbage_bytes: u64,
}

/// Absorbs a log's live batches and merges its segments, as far as that is due.
///
/// # Errors
/// [`Error::InvalidInput`], [`Error::NoLog`], [`Error::StoreFailed`], [`Error::WriteFailed`],
/// [`Error::Damaged`], [`Error::Unsupported`] on a store without create-if-absent,
/// [`Error::Conflict`] when other compactors kept winning.
pub fn compact<S: Store, Y: System>(
    store: S,
    system: &Y,
    log: LogName,
    options: CompactInput,
) -> Result<Compaction, Error> {
    let options = options.check()?;
    let mut committer = Committer::new(Catalog::new(store, log), system);
    for _ in 0..COMPACT_TRIES {
        if let Some(done) = run_once(&mut committer, &options)? {
            return Ok(done);
        }
    }
    Err(committer.conflict())
}

/// As [`compact`], for a log that a handle has open: the log may have no object yet, and then
/// nothing is due.
///
/// # Errors
/// As [`compact`], except [`Error::NoLog`].
pub fn compact_opened<S: Store, Y: System>(
    store: S,
    system: &Y,
    log: LogName,
    options: CompactInput,
) -> Result<Compaction, Error> {
    match compact(store, system, log, options) {
        Err(Error::NoLog(_)) => Ok(Compaction::default()),
        done => done,
    }
}

/// Plans what [`compact`] would do now.
///
/// # Errors
/// As [`compact`], except those of writing.
pub fn plan<S: Store>(
    store: S,
    log: LogName,
    options: CompactInput,
) -> Result<CompactionPlan, Error> {
    let options = options.check()?;
    let mut catalog = Catalog::new(store, log);
    let mut gone = None;
    let Planned { state, rewrites, .. } = loop {
        match load_plan(&mut catalog, &options) {
            Ok(planned) => break planned,
            // A segment that was compacted away is not named again: this one is lost.
            Err(Interrupted::Gone(again)) if gone.as_ref() == Some(&again) => {
                return Err(catalog.absent(again.name)?);
            }
            Err(Interrupted::Gone(index)) => gone = Some(index),
            Err(Interrupted::Failed(error)) => return Err(error),
        }
    };
    let (batches, segments) = counts(&rewrites);
    let (garbage_objects, garbage_bytes) = garbage_of(&catalog, &state)?;
    Ok(CompactionPlan {
        batches: to_u64(batches),
        segments: to_u64(segments),
        bytes: catalog.total(rewrites.iter().map(|rewrite| rewrite.bytes))?,
        garbage_objects,
        garbage_bytes,
    })
}

/// Counts the objects that a compaction would only delete, and their bytes.
pub(crate) fn garbage_of<S: Store>(
    catalog: &Catalog<S>,
    state: &LogState,
) -> Result<(u64, u64), Error> {
    let others = state.manifest.iter().flat_map(|m| log_state::garbage(m, &state.others));
    let sizes = others.map(|other| other.size).chain(state.absorbed.iter().map(|batch| batch.size));
    Ok((to_u64(sizes.clone().count()), catalog.total(sizes)?))
}

/// The state of a log, and the rewrites that are due.
struct Planned {
    state: LogState,
    boundary: Option<Boundary>,
    rewrites: Vec<Rewrite>,
}

fn load_plan<S: Store>(
    catalog: &mut Catalog<S>,
    options: &CompactOptions,
) -> Result<Planned, Interrupted> {
    let state = catalog.load(Scope::Consistent)?;
    catalog.check_exists(&state)?;
    catalog.check_none_gone(&state)?;
    let boundary = change::cutting(catalog, state.manifest.as_deref(), state.first_position())?;
    let boundary = boundary.filter(|_| !mutants::is(Mutant::CopyTrimmed));
    let rewrites = compaction::plan(&state, boundary.as_ref(), options);
    Ok(Planned { state, boundary, rewrites })
}

/// Compacts once. None if the log was changed in the meantime.
fn run_once<S: Store, Y: System>(
    committer: &mut Committer<'_, S, Y>,
    options: &CompactOptions,
) -> Result<Option<Compaction>, Error> {
    let Planned { state, boundary, rewrites } = match load_plan(&mut committer.catalog, options) {
        Ok(planned) => planned,
        Err(interrupted) => {
            committer.overtaken(interrupted)?;
            return Ok(None);
        }
    };
    if rewrites.is_empty() {
        change::clean_up(committer, &state);
        return Ok(Some(Compaction::default()));
    }
    let (batches, segments) = counts(&rewrites);
    let (batches, segments) = (to_u64(batches), to_u64(segments));
    let change = Change {
        goal: Goal::Compact,
        first_position: state.first_position(),
        rewrites,
        boundary: boundary.as_ref(),
        segment_bytes_max: options.segment_bytes_max,
        inputs: None,
        forgotten: Vec::new(),
    };
    Ok(match change::change(committer, &state, change)? {
        Changed::Done(done) => Some(Compaction {
            batches,
            segments,
            events: done.sum(BatchRecord::events_stored),
            bytes: done.sum(|batch| batch.bytes),
            new_segments: to_u64(done.segments.len()),
            new_key: done.segments.first().map(|new| committer.catalog.name.key(new.name)),
        }),
        Changed::Empty => Some(Compaction { batches, ..Compaction::default() }),
        Changed::Lost => None,
    })
}

/// Counts the batches and segments that are rewritten.
fn counts(rewrites: &[Rewrite]) -> (usize, usize) {
    let sum = |of: fn(&Rewrite) -> usize| rewrites.iter().map(of).sum();
    (sum(|rewrite| rewrite.batches), sum(|rewrite| rewrite.segments.len()))
}
