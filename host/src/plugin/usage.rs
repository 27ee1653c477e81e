//! What a plugin has used, counted call by call.

use std::collections::BTreeMap;
use std::time::Duration;

use super::limits::LimitHit;
use super::rights::Right;

/// What a run has used. Times are real; all else counts from its start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// From the start to the end, without flushing what the plugin left behind.
    pub time: Duration,
    /// What the plugin computed of it, its share of host calls that did not wait included.
    pub computed: Duration,
    /// The most bytes that were held for it: see
    /// [`PluginLimits::memory_bytes_max`](super::PluginLimits::memory_bytes_max).
    pub memory_bytes_peak: usize,
    /// Calls to its logs by their names in the WIT, e.g. `log.append`; denied and limited ones, too.
    pub calls: BTreeMap<&'static str, u64>,
    /// Events that its appends were told are taken.
    pub events_appended: u64,
    /// Bytes of those, an LF each included.
    pub bytes_appended: u64,
    /// Events that its readers returned.
    pub events_read: u64,
    /// Bytes of those, an LF each included.
    pub bytes_read: u64,
    /// Log messages that were passed on.
    pub log_lines: u64,
    /// Log messages that were dropped.
    pub log_lines_dropped: u64,
    /// Limits that were reached, each once.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    Compact,
    PlanCompaction,
    PlanTrim,
    Trim,
    Verify,
    VerifierNext,
    Stat,
    CreateObject,
    CommitObject,
    GetObject,
    ListObjects,
    DeleteObjects,
}

impl Call {
    /// Its name, and the rights of which one is needed.
    fn of(self) -> (&'static str, &'static [Right]) {
        use Right::{Append, Compact, Read, Trim};
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
            Self::Compact => ("compact", &[Compact]),
            Self::PlanCompaction => ("plan-compaction", &[Read]),
            Self::PlanTrim => ("plan-trim", &[Read]),
            Self::Trim => ("trim", &[Trim]),
            Self::Verify => ("verify", &[Read]),
            Self::VerifierNext => ("verifier.next", &[Read]),
            Self::Stat => ("stat", &[Read]),
            // Of a log component that the plugin carries: it lists to open, reads to compact, and
            // only a compaction or a trim deletes.
            Self::CreateObject => ("object-store.create", &[Append, Compact, Trim]),
            Self::CommitObject => ("object-store.create-exclusively", &[Compact, Trim]),
            Self::GetObject => ("object-store.get", &[Read, Compact, Trim]),
            Self::ListObjects => ("object-store.list", &[Append, Read, Compact, Trim]),
            Self::DeleteObjects => ("object-store.delete", &[Compact, Trim]),
        }
    }

    /// Every call, in the order of their numbers.
    const ALL: [Self; 25] = [
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
        Self::Compact,
        Self::PlanCompaction,
        Self::PlanTrim,
        Self::Trim,
        Self::Verify,
        Self::VerifierNext,
        Self::Stat,
        Self::CreateObject,
        Self::CommitObject,
        Self::GetObject,
        Self::ListObjects,
        Self::DeleteObjects,
    ];

    pub(crate) fn name(self) -> &'static str {
        self.of().0
    }

    /// Any one of these allows it.
    pub(crate) fn allowed_by(self) -> &'static [Right] {
        self.of().1
    }
}

/// How often each call was made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls([u64; Call::ALL.len()]);

impl Calls {
    pub(crate) fn count(&mut self, call: Call) {
        #[expect(clippy::as_conversions, reason = "the number of a variant without fields")]
        if let Some(count) = self.0.get_mut(call as usize) {
            *count = count.saturating_add(1);
        }
    }

    /// Those that were made, by name.
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
