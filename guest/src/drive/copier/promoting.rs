//! Ends a mirror: makes it a log of its own, permanently.
//!
//! 1. What a copy has begun and not committed is deleted before, segments before their indexes: in
//!    a log of its own it would be damage.
//! 2. Generations have no gaps: a stand-in takes the place of each manifest that was not copied.
//! 3. Of each name, only the newest position stays: no reader that has seen an older one commits.
//! 4. All of that comes before the mark. Until it is there, nothing else writes the log.

use super::finishing::older_positions;
use super::new_object::copy_failed;
use crate::decide::log_state::{self, LogState};
use crate::drive::catalog::{Catalog, Scope};
use crate::drive::commit::Committer;
use crate::error::Error;
use crate::format::manifest::StandIn;
use crate::format::mirror::Mirror;
use crate::format::names::{Generation, LogName, MirrorMark, ObjectName, SegmentName};
use crate::format::ordered::Set;
use crate::ports::{Store, System, WriteError};

/// The state of a log that is or was a mirror.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MirrorState {
    /// The name of its source, as its first copy was given it.
    pub source: String,
    /// True once it was promoted.
    pub ended: bool,
}

/// Returns what the marks of a log say. None if it never was a mirror.
///
/// # Errors
/// [`Error::StoreFailed`], [`Error::Damaged`] or [`Error::Unsupported`] for a mark.
pub fn mirror<S: Store>(store: S, log: LogName) -> Result<Option<MirrorState>, Error> {
    let mut catalog = Catalog::new(store, log);
    catalog.list_batch_names(|_| {})?;
    if !catalog.is_mirror() && !catalog.was_mirror() {
        return Ok(None);
    }
    let mark = catalog.mark(MirrorMark::Begun)?;
    let source = mark.map_or_else(String::new, |mark| mark.source);
    Ok(Some(MirrorState { source, ended: catalog.was_mirror() }))
}

/// Ends a mirror. Returns false if it was ended before.
///
/// # Errors
/// [`Error::InvalidInput`] if it is no mirror; [`Error::StoreFailed`], [`Error::WriteFailed`],
/// [`Error::Damaged`], [`Error::Unsupported`].
pub fn promote<S: Store, Y: System>(store: S, system: &Y, log: LogName) -> Result<bool, Error> {
    let mut catalog = Catalog::new(store, log);
    let state = catalog.load(Scope::Full)?;
    if catalog.was_mirror() {
        return Ok(false);
    }
    if !catalog.is_mirror() {
        let log = catalog.name.as_str();
        return Err(Error::InvalidInput(format!(
            "cannot promote the log {log}: it is no mirror; name the target of a copy"
        )));
    }
    let Some(mark) = catalog.mark(MirrorMark::Begun)? else {
        return Err(catalog.missing(MirrorMark::Begun));
    };
    let mut committer = Committer::new(catalog.clone(), system);
    let generation = state.manifest.as_ref().map(|m| m.generation).unwrap_or_default();
    discard_uncommitted(&committer, &state, generation)?;
    let listed: Set<_> = log_state::manifests(&state.others).collect();
    let kept = log_state::kept_below(generation, &state.others).chain([Generation::FIRST]);
    for missing in kept.filter(|kept| *kept < generation && !listed.contains(kept)) {
        committer.stand_in(&StandIn { log: state.log(), generation: missing })?;
    }
    let older = older_positions(&catalog);
    let deleted = committer.delete(&older);
    if let Some(left) = older.iter().find(|older| !deleted.contains(older)) {
        return Err(not_deleted(&catalog.name.key(left)));
    }
    let ended = Mirror { source: mark.source, log: state.log() };
    let bytes = ended.encode().map_err(|error| Error::Unsupported(error.to_string()))?;
    let key = catalog.name.key(MirrorMark::Ended);
    match catalog.store.create(&key, &bytes) {
        Ok(()) | Err(WriteError::AlreadyExists) => Ok(true),
        Err(error) => Err(copy_failed(&key, error)),
    }
}

/// Deletes segments and indexes of later generations than the current one.
fn discard_uncommitted<S: Store, Y: System>(
    committer: &Committer<'_, S, Y>,
    state: &LogState,
    current: Generation,
) -> Result<(), Error> {
    let begun = |name: ObjectName| match name {
        ObjectName::Segment(segment) => Some(segment),
        ObjectName::Index(index) => Some(index.0),
        ObjectName::Batch(_) | ObjectName::Manifest(_) => None,
    };
    let segments = state.others.iter().filter_map(|other| begun(other.name));
    let segments: Set<SegmentName> = segments.filter(|s| s.generation > current).collect();
    if segments.is_empty() {
        return Ok(());
    }
    committer.discard(&segments.into_iter().collect::<Vec<_>>());
    let others = committer.catalog.clone().list_others(Scope::Full)?;
    let is_left = |name| begun(name).is_some_and(|segment| segment.generation > current);
    match others.iter().find(|other| is_left(other.name)) {
        Some(left) => Err(not_deleted(&committer.catalog.name.key(left.name))),
        None => Ok(()),
    }
}

fn not_deleted(key: &str) -> Error {
    let message = format!("cannot promote the mirror: {key} was not deleted; promote it again");
    Error::StoreFailed { message, transient: true }
}
