//! Checks a log, object by object, in an instance of its own.

use std::fmt;

use futures::FutureExt as _;
use wasmtime::component::ResourceAny;

use crate::error::{Error, Result};
use crate::sandbox::bindings::exports::stratalog::log::append_log as wit;
use crate::sandbox::calls::Calls;
use crate::sandbox::engine::SharedEngine;
use crate::store::Store;

/// Checks everything there is of a log: manifests, their order, each segment with its index, each
/// live batch, and that no batch is in the log twice; and lists what is left over. Changes nothing.
///
/// Every call is cancel safe: the step that a dropped future would have returned is returned by the
/// next call.
pub struct Verifier {
    calls: Calls<Result<Option<Checked>>>,
    handle: ResourceAny,
}

/// What a step of a verification checked and found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Objects checked so far.
    pub objects: u64,
    /// How many there are to check.
    pub objects_total: u64,
    /// Bytes checked so far.
    pub bytes: u64,
    /// How many there are to check.
    pub bytes_total: u64,
    /// Events checked so far, without trimmed ones.
    pub events: u64,
    /// Trimmed events checked so far that the first segment still holds; see
    /// [`Stats::trimmed_events`](crate::Stats::trimmed_events).
    pub trimmed_events: u64,
    /// What this step found.
    pub findings: Vec<Finding>,
}

/// Something that is not as it should be, or not needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// An object that is not what its name, index or manifest says, or that is gone: restore it.
    Damaged {
        /// The object, relative to the store's root.
        object: String,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// An object that the log does not need. The next compaction deletes it; what is unfinished, a
    /// later write.
    Leftover {
        /// The object, relative to the store's root.
        object: String,
        /// Its bytes.
        bytes: u64,
        /// Why it is not needed.
        reason: LeftoverReason,
    },
}

/// Why an object is not needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftoverReason {
    /// A batch that a segment holds: its delete failed, or its create landed late.
    AbsorbedBatch,
    /// A segment or an index that the manifest in force does not name: of a compaction that crashed
    /// or lost, or merged away.
    UnnamedSegment,
    /// A manifest more than 8 generations below the one in force.
    OldManifest,
    /// A file of a write that is under way in a local folder, or was killed.
    UnfinishedWrite,
}

impl Verifier {
    pub(crate) async fn open(engine: &SharedEngine, store: &Store, name: &str) -> Result<Self> {
        let mut instance = engine.instantiate(store).await?;
        let (guest, instances, time) = instance.begin();
        let handle = time.measure(guest.call_verify(instances, name)).await;
        let handle = handle.map_err(|error| Error::trapped(&error))??;
        Ok(Self { calls: Calls::new(instance), handle })
    }

    /// Does a step of the work, of about 2 MiB; none when all is checked. Damage is a finding, not
    /// an error, and the work goes on behind it.
    ///
    /// Cancel safe: what a dropped call has begun, the next one ends. Meanwhile nothing goes on.
    ///
    /// # Errors
    /// [`Error::StoreFailed`]: call again. [`Error::NoLog`] in the first step. [`Error::Unsupported`] for a manifest of a newer format.
    pub async fn next(&mut self) -> Result<Option<Checked>> {
        let handle = self.handle;
        let checked = self.calls.end_or_make(move |instance| {
            async move {
                let (guest, instances, time) = instance.begin();
                let verifier = guest.verifier();
                let checked = time.measure(verifier.call_next(instances, handle)).await;
                let checked = checked.map_err(|error| Error::trapped(&error))?;
                Ok(checked.map(|checked| checked.map(Checked::from)).map_err(Error::from))
            }
            .boxed()
        });
        checked.await?
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

impl fmt::Display for LeftoverReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AbsorbedBatch => "a batch that a segment holds",
            Self::UnnamedSegment => "a segment or index that the manifest does not name",
            Self::OldManifest => "an old manifest",
            Self::UnfinishedWrite => "a write that is under way or was killed",
        })
    }
}

impl From<wit::Checked> for Checked {
    fn from(checked: wit::Checked) -> Self {
        let wit::Checked {
            objects,
            objects_total,
            bytes,
            bytes_total,
            events,
            trimmed_events,
            findings,
        } = checked;
        let findings = findings.into_iter().map(Finding::from).collect();
        Self { objects, objects_total, bytes, bytes_total, events, trimmed_events, findings }
    }
}

impl From<wit::Finding> for Finding {
    fn from(finding: wit::Finding) -> Self {
        match finding {
            wit::Finding::Damaged(wit::Damage { object, expected, found }) => {
                Self::Damaged { object, expected, found }
            }
            wit::Finding::Leftover(wit::Leftover { object, bytes, reason }) => {
                Self::Leftover { object, bytes, reason: reason.into() }
            }
        }
    }
}

impl From<wit::LeftoverReason> for LeftoverReason {
    fn from(reason: wit::LeftoverReason) -> Self {
        match reason {
            wit::LeftoverReason::AbsorbedBatch => Self::AbsorbedBatch,
            wit::LeftoverReason::UnnamedSegment => Self::UnnamedSegment,
            wit::LeftoverReason::OldManifest => Self::OldManifest,
            wit::LeftoverReason::UnfinishedWrite => Self::UnfinishedWrite,
        }
    }
}
