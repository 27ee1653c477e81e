//! Compacts a log: a driver. What is rewritten is decided in `compaction`, the commit is made in
//! `commit`.

use crate::commit::{Commit, Committer};
use crate::compaction::{self, Rewrite};
use crate::error::Error;
use crate::limits::{COMPACT_TRIES, MANIFESTS_KEPT};
use crate::names::{Attempt, BatchName, Generation, LogName, SegmentName};
use crate::options::{CompactInput, CompactOptions};
use crate::part::Part;
use crate::ports::{Store, System};
use crate::segment::NewSegment;
use crate::segment_writer::{Copied, SegmentWriter};
use crate::stored_log::{Look, StoredLog};
use crate::view::{self, View};

/// What a compaction did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compaction {
    /// Batches absorbed.
    pub batches: u64,
    /// Segments merged.
    pub segments: u64,
    /// Events and bytes of the new segments.
    pub events: u64,
    pub bytes: u64,
    /// The first new segment's key; none when there was nothing to write.
    pub new_key: Option<String>,
}

/// What a compaction would do.
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
/// [`Error::InvalidInput`], [`Error::NoLog`], [`Error::StoreFailed`], [`Error::WriteFailed`], [`Error::Damaged`],
/// [`Error::Unsupported`] on a store without create-if-absent, [`Error::Conflict`] when other
/// compactors kept winning.
pub fn compact<S: Store, Y: System>(
    store: S,
    system: &Y,
    log: LogName,
    options: CompactInput,
) -> Result<Compaction, Error> {
    let options = options.check()?;
    let mut committer = Committer::new(StoredLog::new(store, log), system);
    let mut gone: Option<Part> = None;
    for _ in 0..COMPACT_TRIES {
        match attempt(&mut committer, &options)? {
            Attempted::Done(done) => return Ok(done),
            Attempted::Lost => {}
            Attempted::Overtaken(part) => {
                // A segment that was compacted away is not named again: this one is lost.
                if gone.as_ref() == Some(&*part) && !matches!(*part, Part::Batch(_)) {
                    return Err(committer.stored.missing(part.name()));
                }
                gone = Some(*part);
            }
        }
    }
    Err(committer.conflict())
}

/// As [`compact`], of a log that a handle has open: it may have nothing yet, and then nothing is to do.
///
/// # Errors
/// As [`compact`]'s, but [`Error::NoLog`].
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

/// What [`compact`] would do now.
///
/// # Errors
/// As [`compact`]'s, but those of writing.
pub fn plan<S: Store>(
    store: S,
    log: LogName,
    options: CompactInput,
) -> Result<CompactionPlan, Error> {
    let options = options.check()?;
    let mut stored = StoredLog::new(store, log);
    let view = stored.look(Look::Changing)?;
    stored.check_exists(&view)?;
    let rewrites = compaction::plan(&view, &options);
    let (batches, segments) = counts(&rewrites);
    let (garbage_objects, garbage_bytes) = garbage_of(&view);
    Ok(CompactionPlan {
        batches: length(batches),
        segments: length(segments),
        bytes: rewrites.iter().map(|rewrite| rewrite.bytes).fold(0, u64::saturating_add),
        garbage_objects,
        garbage_bytes,
    })
}

/// Objects that a compaction would only delete, and their bytes.
pub(crate) fn garbage_of(view: &View) -> (u64, u64) {
    let others = view.manifest.iter().flat_map(|m| view::garbage(m, &view.others, MANIFESTS_KEPT));
    let sizes = others.map(|other| other.size).chain(view.absorbed.iter().map(|batch| batch.size));
    sizes.fold((0, 0), |(objects, bytes), size| (objects + 1, size.saturating_add(bytes)))
}

enum Attempted {
    Done(Compaction),
    /// Another compactor was faster.
    Lost,
    /// An object was gone.
    Overtaken(Box<Part>),
}

fn attempt<S: Store, Y: System>(
    committer: &mut Committer<'_, S, Y>,
    options: &CompactOptions,
) -> Result<Attempted, Error> {
    let view = committer.stored.look(Look::Changing)?;
    committer.stored.check_exists(&view)?;
    let rewrites = compaction::plan(&view, options);
    if rewrites.is_empty() {
        if let Some(manifest) = &view.manifest {
            let absorbed: Vec<_> = view.absorbed.iter().map(|batch| batch.name).collect();
            committer.clean(manifest, &absorbed, &view);
        }
        return Ok(Attempted::Done(Compaction::default()));
    }
    committer.ensure_exclusive()?;
    let attempt = Attempt(committer.random());
    let base = view.manifest.as_deref();
    let generation = Generation(base.map_or(0, |base| base.generation.0).saturating_add(1));
    let bytes_max = options.segment_bytes_max;
    let mut writer = SegmentWriter::new(&committer.stored, generation, attempt, bytes_max);
    let mut written: Vec<(Rewrite, Vec<NewSegment>)> = Vec::new();
    let mut failed = None;
    let counts = counts(&rewrites);
    for rewrite in rewrites {
        let copied = writer.copy(parts(&rewrite, &view));
        written.push((rewrite, writer.take_segments()));
        match copied {
            Ok(Copied::Whole) => {}
            Ok(Copied::Overtaken(part)) => failed = Some(Ok(Attempted::Overtaken(part))),
            Err(error) => failed = Some(Err(error)),
        }
        if failed.is_some() {
            break;
        }
    }
    let copied = writer.into_written();
    let segments = || written.iter().flat_map(|(_, segments)| segments);
    let names: Vec<SegmentName> = segments().map(|segment| segment.name).collect();
    if let Some(failed) = failed {
        committer.discard(&names);
        return failed;
    }
    let live = || view.live.iter().take(counts.0).map(|batch| batch.name);
    let Some(first) = names.first() else {
        // Batches without events, as old ones can be: there is nothing to keep of them.
        committer.delete(&live().map(|batch| batch.to_string()).collect::<Vec<_>>());
        return Ok(Attempted::Done(Compaction { batches: length(counts.0), ..<_>::default() }));
    };
    let sum = |of: fn(&crate::batch::BatchRecord) -> u64| {
        segments().flat_map(|segment| &segment.batches).map(of).fold(0, u64::saturating_add)
    };
    let done = Compaction {
        batches: length(counts.0),
        segments: length(counts.1),
        events: sum(|batch| batch.events),
        bytes: sum(|batch| batch.bytes),
        new_key: Some(committer.stored.name.key(first)),
    };
    let manifest = compaction::next_manifest(base, attempt, &written)
        .ok_or_else(|| Error::Unsupported("the log has 2^64 events or bytes".to_owned()))?;
    if let Some(damage) = committer.stored.stands_twice(&manifest, &copied) {
        committer.discard(&names);
        return Err(damage);
    }
    let absorbed: Vec<BatchName> = live().collect();
    Ok(match committer.commit(manifest, &names, &absorbed, &view)? {
        Commit::Won => Attempted::Done(done),
        Commit::Lost => Attempted::Lost,
    })
}

/// Batches and segments that are rewritten.
fn counts(rewrites: &[Rewrite]) -> (usize, usize) {
    let sum = |of: fn(&Rewrite) -> usize| rewrites.iter().map(of).fold(0, usize::saturating_add);
    (sum(|rewrite| rewrite.batches), sum(|rewrite| rewrite.segments.len()))
}

fn length(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// What a rewrite copies, in order.
fn parts(rewrite: &Rewrite, view: &View) -> Vec<Part> {
    let segments = view.segments().get(rewrite.segments.clone()).unwrap_or_default();
    let segments = segments.iter().flat_map(|s| [Part::Index(*s), Part::Segment(*s)]);
    let live = view.live.iter().take(rewrite.batches).map(|batch| Part::Batch(*batch));
    segments.chain(live).collect()
}
