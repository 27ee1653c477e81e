//! The logs below a folder, found by the names of their objects.
//!
//! 1. The component knows the names. Here the store is listed, and the entries are passed on.
//! 2. Nothing is read but listings, and memory does not grow with the number of logs.
//! 3. Every call is cancel safe: a page that was listed, or passed to the component, is kept.

mod deep;
mod direct;
#[cfg(test)]
pub(crate) mod synthetic;

use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::time::SystemTime;

use crate::error::{Error, Result, store_failure};
use crate::sandbox::engine::SharedEngine;
use crate::sandbox::survey::SurveyedLog;
use crate::store::{Store, StoreError};
use crate::times;
use crate::types::StoreFailure;
use deep::Deep;
use direct::Direct;

/// The most entries of a page, which the component gets in one call.
const PAGE_ENTRIES: usize = 1_000;

/// The selection of logs, and the treatment of folders that may not be listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListOptions {
    shallow: bool,
    skip_denied: bool,
}

impl ListOptions {
    /// Creates options with all defaults: all logs below the folder, with what their names tell.
    pub fn new() -> Self {
        Self::default()
    }

    /// Finds only the logs directly in the folder, and only their names.
    ///
    /// The folder is listed by delimiter, and then the beginning of each folder in it. So the cost
    /// depends on the number of these folders, not on the number of objects.
    #[must_use]
    pub fn shallow(mut self, shallow: bool) -> Self {
        self.shallow = shallow;
        self
    }

    /// Leaves out folders that the caller may not list, instead of failing.
    /// [`Logs::take_denied`] returns the reasons.
    #[must_use]
    pub fn skip_denied(mut self, skip_denied: bool) -> Self {
        self.skip_denied = skip_denied;
        self
    }
}

/// A log that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ListedLog {
    /// The name of the log below the store's root.
    pub name: String,
    /// The counts that the names of its objects give; none in a shallow listing.
    pub counts: Option<NameCounts>,
}

/// The counts of a log, as far as the names and the sizes of its objects tell.
///
/// They do not tell which batches a segment has absorbed, nor how many events a segment has:
/// [`Host::stat`](crate::Host::stat) does, with one get. Only objects directly in the log's folder
/// count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct NameCounts {
    /// The number of events, those of hidden batches included. None if the names do not tell: the
    /// log has been compacted, or `uncounted_batches` is not 0.
    pub events: Option<u64>,
    /// The bytes of batches and segments.
    pub bytes: u64,
    /// The number of batches.
    ///
    /// All are live if the log was never compacted. Otherwise some may be absorbed: a compaction
    /// deletes them right after its commit, and the next one those that a killed compaction left.
    pub batches: u64,
    /// The number of events in these batches, as their names say.
    pub batch_events: u64,
    /// The number of batches whose names do not contain their number of events
    /// (`batch_TIME.jsonl`).
    pub uncounted_batches: u64,
    /// The bytes of the batches.
    pub batch_bytes: u64,
    /// The number of segments up to the current generation. After a compaction or a trim, some may
    /// be replaced and not deleted yet.
    pub segments: u64,
    /// The bytes of these segments.
    pub segment_bytes: u64,
    /// The number of segments of a later generation: of a compaction that is in progress, was
    /// killed, or has committed during the listing.
    pub uncommitted_segments: u64,
    /// The generation of the highest manifest; 0 before the first compaction.
    pub generation: u64,
    /// The time of the first batch that is an object. Events in segments are older, as a rule.
    pub first_batch_time: Option<SystemTime>,
    /// The time of the last batch that is an object; none if all are absorbed.
    pub last_batch_time: Option<SystemTime>,
    /// The number of names of positions, forgotten ones included.
    pub positions: u64,
    /// True if the log is a mirror, which only copies write: see
    /// [`Host::copy`](crate::Host::copy).
    pub mirror: bool,
    /// The number of batches, manifests, segments and indexes.
    pub objects: u64,
    /// The number of files of writes that are in flight or were killed. Only a folder has them.
    pub unfinished_objects: u64,
    /// The number of other objects in the log's folder, which the log leaves alone.
    pub foreign_objects: u64,
    /// The number of entries under the name of an object of the log that are none, such as links.
    /// That is damage.
    pub misplaced_entries: u64,
}

impl From<SurveyedLog> for ListedLog {
    fn from(log: SurveyedLog) -> Self {
        let counts = NameCounts {
            events: log.events,
            bytes: log.bytes,
            batches: log.batches,
            batch_events: log.batch_events,
            uncounted_batches: log.uncounted_batches,
            batch_bytes: log.batch_bytes,
            segments: log.segments,
            segment_bytes: log.segment_bytes,
            uncommitted_segments: log.uncommitted_segments,
            generation: log.generation,
            first_batch_time: log.first_batch_time.and_then(times::of_micros),
            last_batch_time: log.last_batch_time.and_then(times::of_micros),
            positions: log.positions,
            mirror: log.mirror,
            objects: log.objects,
            unfinished_objects: log.unfinished_objects,
            foreign_objects: log.foreign_objects,
            misplaced_entries: log.misplaced_entries,
        };
        Self { name: log.name, counts: Some(counts) }
    }
}

/// The logs below a folder of a store, in the order of their keys: a log comes behind the logs
/// below its folder. Made by [`Host::logs`](crate::Host::logs).
pub struct Logs {
    store: Store,
    /// The name of the folder that is searched; empty for the root.
    folder: String,
    source: Source,
    found: VecDeque<ListedLog>,
    denied: Vec<StoreError>,
    is_log: bool,
}

enum Source {
    Deep(Box<Deep>),
    Direct(Box<Direct>),
    Ended,
    /// The component has failed.
    Failed(Error),
}

/// The findings of a step of a search.
#[derive(Default)]
struct Step {
    logs: Vec<ListedLog>,
    /// The reasons for folders that were left out.
    denied: Vec<StoreError>,
    /// True if this was the last step.
    ended: bool,
}

impl Logs {
    pub(crate) async fn open(
        engine: &SharedEngine,
        store: &Store,
        folder: &str,
        options: ListOptions,
    ) -> Result<Self> {
        if !store.root_exists().await.map_err(Error::of_store)? {
            let root = store.description();
            return Err(Error::InvalidInput(format!(
                "there is no folder {root}; name a folder with logs"
            )));
        }
        let folder = folder.trim_matches('/').to_owned();
        let key = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let instance = engine.instantiate(store).await?;
        let skip_denied = options.skip_denied;
        let source = match options.shallow {
            true => Source::Direct(Box::new(Direct::new(instance, store, &key, skip_denied))),
            false => Source::Deep(Box::new(Deep::open(instance, store, &key, skip_denied).await?)),
        };
        let (store, found, denied) = (store.clone(), VecDeque::new(), Vec::new());
        Ok(Self { store, folder, source, found, denied, is_log: false })
    }

    /// Returns the next log; none when all were returned.
    ///
    /// Cancel safe. After [`Error::StoreFailed`], the next call continues where this one failed.
    ///
    /// # Errors
    /// [`Error::StoreFailed`] if a folder cannot be listed, and [`Error::Guest`].
    pub async fn next(&mut self) -> Result<Option<ListedLog>> {
        loop {
            if let Some(log) = self.found.pop_front() {
                if log.name != self.folder {
                    return Ok(Some(log));
                }
                self.is_log = true;
                continue;
            }
            let step = match &mut self.source {
                Source::Deep(deep) => deep.step().await,
                Source::Direct(direct) => direct.step().await,
                Source::Ended => return Ok(None),
                Source::Failed(error) => return Err(error.clone()),
            };
            match step {
                Ok(Step { logs, denied, ended }) => {
                    self.found.extend(logs);
                    self.denied.extend(denied);
                    if ended {
                        self.source = Source::Ended;
                    }
                }
                Err(error @ Error::StoreFailed(_)) => return Err(error),
                Err(error) => self.source = Source::Failed(error),
            }
        }
    }

    /// Returns the store of the logs.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Returns true if the folder that is searched is itself a log, as far as it was listed. That
    /// log is not among those that are returned.
    pub fn is_log(&self) -> bool {
        self.is_log
    }

    /// Returns the reasons for the folders that were left out since the last call: see
    /// [`ListOptions::skip_denied`].
    pub fn take_denied(&mut self) -> Vec<StoreFailure> {
        let denied = mem::take(&mut self.denied).into_iter();
        denied.map(store_failure).collect()
    }
}

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logs")
            .field("store", &self.store)
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
