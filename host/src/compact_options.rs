//! How to compact.

use crate::sandbox::bindings::exports::stratalog::log::append_log as wit;

/// How much a compaction rewrites, and how large its segments become. What is not set takes the
/// component's default, which the documentation of each method names.
///
/// Ranges are checked by the component; [`Error::InvalidInput`](crate::Error) names the option that
/// is out of range.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompactOptions {
    full: bool,
    fan_in: Option<u32>,
    segment_bytes_max: Option<u64>,
    batches_max: Option<u32>,
}

impl CompactOptions {
    /// All defaults: absorbs the live batches, and merges segments tier by tier, with the
    /// smaller ones that stand before larger ones.
    pub fn new() -> Self {
        Self::default()
    }

    /// Merges all segments as far as `segment_bytes_max` lets, which rewrites up to the whole log.
    /// Without it each byte is rewritten at most about log(the log's size) / log(`fan_in`) times in
    /// the log's life.
    #[must_use]
    pub fn full(mut self, full: bool) -> Self {
        self.full = full;
        self
    }

    /// Merges so many neighbours of one size tier into one of the next: 2 to 64, default 8.
    #[must_use]
    pub fn fan_in(mut self, segments: u32) -> Self {
        self.fan_in = Some(segments);
        self
    }

    /// The largest segment that is made, in bytes: 1 to 4 GiB, default 128 MiB, at most what the
    /// store takes in one object. A single batch that is larger makes a larger one.
    #[must_use]
    pub fn segment_bytes_max(mut self, bytes: u64) -> Self {
        self.segment_bytes_max = Some(bytes);
        self
    }

    /// Absorbs at most so many batches at once, the oldest first: 1 to 100,000, default 100,000.
    #[must_use]
    pub fn batches_max(mut self, batches: u32) -> Self {
        self.batches_max = Some(batches);
        self
    }

    pub(crate) fn to_wit(&self) -> wit::CompactOptions {
        wit::CompactOptions {
            full: self.full,
            fan_in: self.fan_in,
            segment_bytes_max: self.segment_bytes_max,
            batches_max: self.batches_max,
        }
    }
}
