//! The quota of a granted log: a limit on the bytes and the objects that it has in its store.

mod ledger;
mod objects;
#[cfg(test)]
mod tests;
mod writer;

use super::limits::LimitHit;

pub(super) use ledger::Ledger;
pub(super) use objects::ObjectQuota;
pub(super) use writer::{Accepted, WriterShare};

/// A limit on the bytes and the objects that a granted log may have in its store: see
/// [`Grant::quota`](super::Grant::quota).
///
/// # What counts
///
/// All objects of the log count, also those that others wrote: batches, segments with their
/// indexes, manifests, named positions, and garbage until it is deleted. Logs below the log's name
/// do not count. Events count from their append, so buffers count, too.
///
/// The host lists the log when the plugin first opens it to append, or first commits a position.
/// From then on, it counts what the plugin appends and what is written for it. It lists again:
///
/// - after each quarter of the remaining room that the run has used up, or each sixteenth of the
///   quota if that is more: about ten times while a log fills;
/// - before it refuses a call, if the run has deleted something since, and otherwise at most once
///   per second. So it finds the room that others made. If the run writes during a listing, so that
///   objects may count twice, it waits up to a second for the writes, and lists again, at most
///   three times.
///
/// A listing costs one request for each 1,000 objects.
///
/// # What is refused
///
/// An append that would exceed the quota fails with
/// [`Error::LimitReached`](crate::Error::LimitReached), `limit-reached` in the WIT, and has done
/// nothing. Events that were accepted are always flushed. The calls that make room are not refused:
/// compactions and trims. A compaction writes before it deletes, so for its time the log may have
/// as much again, and an index of the batches. Commits of named positions are refused at the limit
/// below.
///
/// For a plugin that carries its own log, the creates of objects are refused. If the plugin has the
/// right to compact or to trim, its segments, indexes, manifests and markers may exceed the quota,
/// and so may named positions with the right to commit. Their limit is twice the quota, or twice
/// what the log had when the run first wrote to it if that is more. 64 KiB and 16 objects are
/// added, and for all but positions 256 bytes for each object. So a full log can be compacted and
/// trimmed.
///
/// # The bound
///
/// One run alone does not exceed the bytes with events. It may exceed the objects by one for each
/// open log: a batch may be sealed while the next event is accepted. A batch whose write failed in
/// doubt may be in the store twice, which the next listing shows.
///
/// Each label of each run counts for itself, in one process or in several, and sees the writes of
/// others when it lists. So each further run may exceed the quota by what it writes between two
/// listings, which is the largest of a quarter of the room that it found, a sixteenth of the quota,
/// and one call. What others have accepted and not flushed yet is in no listing: runs that buffer
/// at the same time may each fill the room that they found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quota {
    /// The most bytes of all objects.
    pub bytes_max: u64,
    /// The most objects; none for no limit.
    pub objects_max: Option<u64>,
}

impl Quota {
    /// Limits the bytes.
    pub fn bytes(bytes_max: u64) -> Self {
        Self { bytes_max, objects_max: None }
    }

    /// Also limits the number of objects. An untrusted plugin can flush each event to an object of
    /// its own.
    #[must_use]
    pub fn objects(self, objects_max: u64) -> Self {
        Self { objects_max: Some(objects_max), ..self }
    }

    /// Returns the limit that is reached, as a limit of the plugin.
    fn hit(&self, resource: Resource) -> LimitHit {
        let (limit, value) = match resource {
            Resource::Bytes => ("quota_bytes", self.bytes_max),
            Resource::Objects => ("quota_objects", self.objects_max.unwrap_or(u64::MAX)),
        };
        LimitHit { limit, value: value.to_string(), option: "--quota" }
    }
}

/// The space that a log has used of its quota, as a run has counted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QuotaUsage {
    /// The quota.
    pub quota: Quota,
    /// Bytes in the store, those that others wrote included as far as the run has seen them, and
    /// bytes that are accepted and not written yet.
    pub bytes: u64,
    /// Objects in the store, and those that accepted events will be in.
    pub objects: u64,
}

/// A thing that a quota limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resource {
    Bytes,
    Objects,
}

impl Resource {
    /// Returns the action that makes room.
    fn remedy(self) -> &'static str {
        match self {
            Self::Bytes => "trim the log",
            Self::Objects => "compact or trim the log",
        }
    }
}
