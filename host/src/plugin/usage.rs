//! The usage of a plugin, counted call by call.

use std::collections::BTreeMap;
use std::time::Duration;

use super::limits::LimitHit;
use super::quota::QuotaUsage;
use super::rights::Right;

/// The usage of a run. Times are measured; everything else counts from the start of the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// From the start to the end, without the flushes after the end.
    pub time: Duration,
    /// The part of that time in which the plugin computed, including host calls that did not wait.
    pub computed: Duration,
    /// The highest number of bytes in memory for it: see
    /// [`PluginLimits::memory_bytes_max`](super::PluginLimits::memory_bytes_max).
    pub memory_bytes_peak: usize,
    /// Calls to its logs by their names in the WIT, e.g. `log.append`, including denied and limited
    /// ones.
    pub calls: BTreeMap<&'static str, u64>,
    /// The calls of those that were denied: the plugin has no log of that label, or not the right.
    pub calls_denied: u64,
    /// Events whose appends returned success.
    pub events_appended: u64,
    /// Bytes of those events, with an LF for each.
    pub bytes_appended: u64,
    /// Events that its readers returned.
    pub events_read: u64,
    /// Bytes of those events, with an LF for each.
    pub bytes_read: u64,
    /// Log messages that were passed on.
    pub log_lines: u64,
    /// Log messages that were dropped.
    pub log_lines_dropped: u64,
    /// The space that logs have used of their quotas, by label: of those that the run wrote to.
    pub quotas: BTreeMap<String, QuotaUsage>,
    /// Limits that were reached, each listed once.
    pub limits_hit: Vec<LimitHit>,
}

impl Usage {
    pub(crate) fn hit(&mut self, hit: &LimitHit) {
        if !self.limits_hit.contains(hit) {
            self.limits_hit.push(hit.clone());
        }
    }
}

/// A call to a log, by its name in the WIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    Open,
    Append,
    AppendLines,
    Flush,
    Tick,
    Pending,
    ReadAll,
    LogCompact,
    FileCount,
    Close,
    Read,
    ReaderNext,
    ReaderPosition,
    ReaderBatches,
    ReaderPositions,
    ReaderCommit,
    ReadNamed,
    NamedPositions,
    ForgetPosition,
    Compact,
    PlanCompaction,
    PlanTrim,
    Trim,
    Verify,
    VerifierNext,
    Stat,
    CreateObject,
    CommitObject,
    CommitPosition,
    DeletePositions,
    GetPosition,
    GetObject,
    ListObjects,
    DeleteObjects,
}

impl Call {
    /// Returns its name and its rights, of which one is needed.
    fn of(self) -> (&'static str, &'static [Right]) {
        use Right::{Append, Commit, Compact, Read, Trim};
        match self {
            Self::Open => ("log.open", &[Append]),
            Self::Append => ("log.append", &[Append]),
            Self::AppendLines => ("log.append-lines", &[Append]),
            Self::Flush => ("log.flush", &[Append]),
            Self::Tick => ("log.tick", &[Append]),
            Self::Pending => ("log.pending", &[Append]),
            Self::ReadAll => ("log.read-all", &[Read]),
            Self::LogCompact => ("log.compact", &[Compact]),
            Self::FileCount => ("log.file-count", &[Read]),
            Self::Close => ("log.close", &[Append]),
            Self::Read => ("read", &[Read]),
            Self::ReaderNext => ("reader.next", &[Read]),
            Self::ReaderPosition => ("reader.position", &[Read]),
            Self::ReaderBatches => ("reader.batches", &[Read]),
            Self::ReaderPositions => ("reader.positions", &[Read]),
            Self::ReaderCommit => ("reader.commit", &[Commit]),
            Self::ReadNamed => ("read-named", &[Read]),
            Self::NamedPositions => ("named-positions", &[Read]),
            Self::ForgetPosition => ("forget-position", &[Commit]),
            Self::Compact => ("compact", &[Compact]),
            Self::PlanCompaction => ("plan-compaction", &[Read]),
            Self::PlanTrim => ("plan-trim", &[Read]),
            Self::Trim => ("trim", &[Trim]),
            Self::Verify => ("verify", &[Read]),
            Self::VerifierNext => ("verifier.next", &[Read]),
            Self::Stat => ("stat", &[Read]),
            // Calls of a log component that the plugin carries: it lists to open and reads to
            // compact, and deletes only for a compaction or a trim.
            Self::CreateObject => ("object-store.create", &[Append, Compact, Trim]),
            Self::CommitObject => ("object-store.create-exclusively", &[Compact, Trim]),
            // Those of named positions alone.
            Self::CommitPosition => ("object-store.create-position", &[Commit]),
            Self::DeletePositions => ("object-store.delete-positions", &[Commit]),
            Self::GetPosition => ("object-store.get-position", &[Read, Trim, Commit]),
            Self::GetObject => ("object-store.get", &[Read, Compact, Trim]),
            Self::ListObjects => ("object-store.list", &[Append, Read, Compact, Trim, Commit]),
            Self::DeleteObjects => ("object-store.delete", &[Compact, Trim]),
        }
    }

    /// Every call, in the order of their numbers.
    const ALL: [Self; 34] = [
        Self::Open,
        Self::Append,
        Self::AppendLines,
        Self::Flush,
        Self::Tick,
        Self::Pending,
        Self::ReadAll,
        Self::LogCompact,
        Self::FileCount,
        Self::Close,
        Self::Read,
        Self::ReaderNext,
        Self::ReaderPosition,
        Self::ReaderBatches,
        Self::ReaderPositions,
        Self::ReaderCommit,
        Self::ReadNamed,
        Self::NamedPositions,
        Self::ForgetPosition,
        Self::Compact,
        Self::PlanCompaction,
        Self::PlanTrim,
        Self::Trim,
        Self::Verify,
        Self::VerifierNext,
        Self::Stat,
        Self::CreateObject,
        Self::CommitObject,
        Self::CommitPosition,
        Self::DeletePositions,
        Self::GetPosition,
        Self::GetObject,
        Self::ListObjects,
        Self::DeleteObjects,
    ];

    pub(crate) fn name(self) -> &'static str {
        self.of().0
    }

    /// Returns the rights of which any one allows the call.
    pub(crate) fn allowed_by(self) -> &'static [Right] {
        self.of().1
    }
}

/// The number of calls of each kind.
#[derive(Clone, Debug)]
pub(crate) struct Calls([u64; Call::ALL.len()]);

impl Default for Calls {
    fn default() -> Self {
        Self([0; Call::ALL.len()])
    }
}

impl Calls {
    pub(crate) fn count(&mut self, call: Call) {
        #[expect(clippy::as_conversions, reason = "the number of a variant without fields")]
        if let Some(count) = self.0.get_mut(call as usize) {
            *count += 1;
        }
    }

    /// Returns the calls that were made, by name.
    pub(crate) fn by_name(&self) -> BTreeMap<&'static str, u64> {
        let calls = Call::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0);
        calls.map(|(call, count)| (call.name(), count)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_call_is_counted_under_its_own_name() {
        for call in Call::ALL {
            let mut calls = Calls::default();
            calls.count(call);
            calls.count(call);
            assert_eq!(calls.by_name(), BTreeMap::from([(call.name(), 2)]));
        }
    }
}
