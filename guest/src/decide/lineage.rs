//! Decides if a log is an earlier state of another one, or of another history. No I/O.
//!
//! 1. A log has one identity, and a generation one manifest. So two histories differ in the
//!    identity, or in the manifest of a generation that both have.
//! 2. What a log had once it has, or has absorbed. So a batch that the source neither lists nor has
//!    in an index was written elsewhere, unless the source has forgotten it.

use std::fmt;

use crate::decide::log_state::LogState;
use crate::decide::succession::out_of_order;
use crate::format::manifest::Manifest;
use crate::format::names::{BatchName, LogId};

/// The reason why a log is not an earlier state of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Diverged {
    Identity,
    /// It has a later generation.
    Ahead,
    /// Another manifest has its generation.
    Generation,
    /// Its positions are later than those of the source.
    Backward,
    /// The source never had the batch.
    Batch(BatchName),
    /// The source has absorbed and trimmed the batch, and has forgotten it, or never had it.
    Forgotten(BatchName),
}

/// Compares the manifests. `same` is the manifest of the source of the target's generation, if it
/// still exists and had to be read.
pub(crate) fn compare(
    source: Option<&Manifest>,
    target: Option<&Manifest>,
    same: Option<&Manifest>,
) -> Option<Diverged> {
    let target = target?;
    let Some(source) = source else { return Some(Diverged::Ahead) };
    if source.log != target.log && target.log.is_some() {
        return Some(Diverged::Identity);
    }
    if target.generation > source.generation {
        return Some(Diverged::Ahead);
    }
    let is_before = target.generation.0 + 1 == source.generation.0;
    let differs = if target.generation == source.generation {
        source.digest != target.digest
    } else if let (true, Some(previous)) = (is_before, source.previous) {
        target.digest != Some(previous)
    } else {
        same.is_some_and(|same| same.digest != target.digest)
    };
    if differs {
        return Some(Diverged::Generation);
    }
    let is_later = target.generation < source.generation;
    (is_later && out_of_order(target, source).is_some()).then_some(Diverged::Backward)
}

/// Returns true if comparing needs the source's manifest of the target's generation.
pub(crate) fn needs_same(source: Option<&Manifest>, target: Option<&Manifest>) -> bool {
    let generation = |manifest: Option<&Manifest>| manifest.map_or(0, |m| m.generation.0);
    let follows = source.is_some_and(|source| source.previous.is_some());
    let (source, target) = (generation(source), generation(target));
    target > 0 && (target + 1 < source || (target + 1 == source && !follows))
}

/// The reason why a batch of the target is in no state of the source.
pub(crate) fn of_batch(source: &LogState, batch: BatchName) -> Diverged {
    let horizon = source.manifest.as_ref().and_then(|manifest| manifest.horizon);
    match horizon.is_some_and(|horizon| batch.time <= horizon) {
        true => Diverged::Forgotten(batch),
        false => Diverged::Batch(batch),
    }
}

/// A history, for people.
pub(crate) struct History<'a>(pub &'a LogState);

impl fmt::Display for History<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let identity = |log: Option<LogId>| log.map_or("none".to_owned(), |log| log.to_string());
        match &self.0.manifest {
            Some(manifest) => write!(
                f,
                "generation {} by attempt {}, identity {}, next position {}",
                manifest.generation.0,
                manifest.commit_id,
                identity(manifest.log),
                manifest.next_position
            )?,
            None => f.write_str("no generation and no identity")?,
        }
        write!(f, ", {} live", self.0.live.len() + self.0.hidden.len())
    }
}

impl fmt::Display for Diverged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity => f.write_str("they are different logs"),
            Self::Ahead => f.write_str("the target has a later generation"),
            Self::Generation => f.write_str("one generation has two manifests"),
            Self::Backward => f.write_str("the target has later positions"),
            Self::Batch(batch) => write!(f, "the source never had {batch} of the target"),
            Self::Forgotten(batch) => write!(
                f,
                "the source does not know {batch} of the target any more: it was trimmed more than \
                 64 generations ago, or was written elsewhere"
            ),
        }
    }
}
