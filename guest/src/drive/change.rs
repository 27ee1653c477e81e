//! Carries out a change of a log: writes the new segments, then commits the manifest that names
//! them. A driver, for compactions and trims.

use crate::decide::boundary::{Boundary, Cut};
use crate::decide::compaction::{self, Rewrite};
use crate::decide::log_state::LogState;
use crate::decide::retirement::Needed;
use crate::decide::source::Source;
use crate::drive::catalog::Catalog;
use crate::drive::commit::{Commit, Committer, Goal};
use crate::drive::interrupted::Interrupted;
use crate::drive::segment_writer::{Input, SegmentWriter};
use crate::error::Error;
use crate::format::batch::BatchRecord;
use crate::format::manifest::Manifest;
use crate::format::names::{BatchName, CommitId, Generation, SegmentName};
use crate::format::ordered::Set;
use crate::format::segment::NewSegment;
use crate::ports::{Store, System};

/// A change of a log.
pub(crate) struct Change<'a> {
    pub goal: Goal,
    /// The new first position of the log.
    pub first_position: u64,
    /// In the order of the log.
    pub rewrites: Vec<Rewrite>,
    /// The kept part of the segment that the first position cuts, if that is rewritten.
    pub boundary: Option<&'a Boundary>,
    pub segment_bytes_max: u64,
    /// The inputs of each rewrite, if it does not copy all of its sources.
    pub inputs: Option<Vec<Vec<Input>>>,
    /// Trimmed segments whose records are dropped.
    pub forgotten: Vec<SegmentName>,
}

/// The outcome of a change.
pub(crate) enum Changed {
    Done(Done),
    /// The batches to absorb have no events, as legacy ones can: they are deleted, and nothing is
    /// committed.
    Empty,
    /// Another compactor won, or has deleted an object to copy.
    Lost,
}

/// A change that was committed.
pub(crate) struct Done {
    pub segments: Vec<NewSegment>,
    /// The position behind the events of the new segments, if they are current.
    pub next_position: Option<u64>,
}

impl Done {
    /// The sum over all batches of the new segments.
    pub(crate) fn sum(&self, of: fn(&BatchRecord) -> u64) -> u64 {
        let batches = self.segments.iter().flat_map(|segment| &segment.batches);
        batches.map(of).sum()
    }
}

/// Cuts the segment that the first position lies in. None if it cuts none, or nothing is kept.
pub(crate) fn cutting<S: Store>(
    catalog: &mut Catalog<S>,
    manifest: Option<&Manifest>,
    first_position: u64,
) -> Result<Option<Boundary>, Interrupted> {
    let segment = manifest.and_then(|manifest| Boundary::segment(manifest, first_position));
    let Some(segment) = segment else { return Ok(None) };
    let index = catalog.require_index(segment)?;
    Ok(Boundary::new(first_position, segment, &index))
}

/// Removes the garbage of crashes and failed deletes when nothing else is due: batches that are
/// absorbed, and objects that the manifest does not name. The state must be of the scope
/// `Consistent`.
pub(crate) fn clean_up<S: Store, Y: System>(committer: &Committer<'_, S, Y>, state: &LogState) {
    if let Some(manifest) = &state.manifest {
        let absorbed: Vec<_> = state.absorbed.iter().map(|batch| batch.name).collect();
        committer.clean(manifest, &absorbed, &state.others);
    }
}

/// Changes a log.
pub(crate) fn change<S: Store, Y: System>(
    committer: &mut Committer<'_, S, Y>,
    state: &LogState,
    change: Change<'_>,
) -> Result<Changed, Error> {
    committer.ensure_exclusive()?;
    let commit_id = CommitId(committer.random());
    let base = state.manifest.as_deref();
    let Change { goal, first_position, rewrites, boundary, segment_bytes_max, .. } = change;
    let Change { inputs, forgotten, .. } = change;
    let mut inputs = inputs.map(Vec::into_iter);
    let absorbed: usize = rewrites.iter().map(|rewrite| rewrite.batches).sum();
    let is_trim = rewrites.is_empty();
    let generation = Generation(base.map_or(0, |base| base.generation.0) + 1);
    let mut writer =
        SegmentWriter::new(&committer.catalog, generation, commit_id, segment_bytes_max);
    let mut written: Vec<(Rewrite, Vec<NewSegment>)> = Vec::new();
    let mut copied = Ok(());
    for rewrite in rewrites {
        let cut = boundary.filter(|_| rewrite.cut).map(|boundary| Cut::at(boundary.first));
        let whole = || vec![Input::Sources(sources(&rewrite, state, boundary))];
        let inputs = inputs.as_mut().and_then(Iterator::next).unwrap_or_else(whole);
        copied = writer.copy(inputs, cut);
        written.push((rewrite, writer.take_segments()));
        if copied.is_err() {
            break;
        }
    }
    let batches = writer.into_written();
    let segments = || written.iter().flat_map(|(_, segments)| segments);
    let names: Vec<SegmentName> = segments().map(|segment| segment.name).collect();
    if let Err(interrupted) = copied {
        committer.discard(&names);
        committer.overtaken(interrupted)?;
        return Ok(Changed::Lost);
    }
    let absorbed: Vec<BatchName> =
        state.live.iter().take(absorbed).map(|batch| batch.name).collect();
    if names.is_empty() && !is_trim {
        committer.delete(&absorbed);
        return Ok(Changed::Empty);
    }
    let mut manifest = compaction::next_manifest(base, commit_id, first_position, &written)
        .ok_or_else(|| {
            Error::Unsupported(format!(
                "the events or bytes of the log {} do not fit in 64 bits; start another log",
                committer.catalog.name.as_str()
            ))
        })?;
    manifest.drop_old(&Needed::by(state.listed().map(|batch| batch.name)));
    let forgotten: Set<_> = forgotten.into_iter().collect();
    manifest.drop_retired(|retired| forgotten.contains(&retired.segment.name));
    if let Some(damage) = committer.catalog.duplicate_batch(&manifest, &batches) {
        committer.discard(&names);
        return Err(damage);
    }
    if let Err(error) = committer.check_kept(&segments().collect::<Vec<_>>()) {
        committer.discard(&names);
        // Another commit of this generation has deleted the objects that no manifest names.
        let is_lost = committer.catalog.highest_generation()? >= generation;
        return if is_lost { Ok(Changed::Lost) } else { Err(error) };
    }
    let next_position = manifest.next_position;
    let next_position = match committer.commit(goal, manifest, &names, &absorbed, state)? {
        Commit::Won => Some(next_position),
        Commit::Passed => None,
        Commit::Lost => return Ok(Changed::Lost),
    };
    let segments = written.into_iter().flat_map(|(_, segments)| segments).collect();
    Ok(Changed::Done(Done { segments, next_position }))
}

/// The sources of a rewrite, in order.
fn sources(rewrite: &Rewrite, state: &LogState, boundary: Option<&Boundary>) -> Vec<Source> {
    let segments = state.segments().get(rewrite.segments.clone()).unwrap_or_default();
    let cut = boundary.filter(|_| rewrite.cut);
    let segments = segments.iter().map(|segment| match cut {
        Some(cut) if cut.kept.segment.name == segment.name => cut.source(),
        _ => Source::Segment(Box::new(*segment)),
    });
    let live = state.live.iter().take(rewrite.batches).map(|batch| Source::Batch(*batch));
    segments.chain(live).collect()
}
