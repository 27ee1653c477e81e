//! What operations answer: plain records.

use bytes::Bytes;

use crate::bindings::exports::stratalog::log::append_log as wit;

/// What a handle has made durable since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Batches created, or confirmed as created by an earlier try.
    pub batches: u64,
    /// Events in them.
    pub events: u64,
    /// Bytes of them, an LF for each event included.
    pub bytes: u64,
}

/// Some events, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The events, each ended by LF; at most 64 MiB, usually about one.
    pub lines: Bytes,
    /// How many.
    pub events: u64,
}

impl Page {
    /// The events without their LFs.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.lines.strip_suffix(b"\n").into_iter().flat_map(|lines| lines.split(|&b| b == b'\n'))
    }
}

/// What a compaction did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compaction {
    /// Batches merged; 0 when there were fewer than two live ones and nothing was to do.
    pub merged_files: u64,
    /// Events in the new object.
    pub events: u64,
    /// The new object, relative to the store's root, the first one where there are several of about
    /// 128 MiB each; none when nothing was written.
    pub new_key: Option<String>,
}

/// A log in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Objects of every kind that follow the naming scheme.
    pub objects: u64,
    /// Batches that no segment has absorbed.
    pub batches: u64,
    /// Segments.
    pub segments: u64,
    /// Events in segments and batches, those of `uncounted_batches` left out.
    pub events: u64,
    /// Live batches of the old naming scheme: their names do not tell their number of events.
    pub uncounted_batches: u64,
    /// Bytes of segments and live batches.
    pub bytes: u64,
    /// Generation of the manifest in force; 0 before the first compaction.
    pub generation: u64,
    /// Time of the oldest batch, in microseconds since 1970.
    pub first_time: Option<u64>,
    /// Time of the newest batch, in microseconds since 1970.
    pub last_time: Option<u64>,
}

impl From<wit::Written> for Written {
    fn from(written: wit::Written) -> Self {
        let wit::Written { batches, events, bytes } = written;
        Self { batches, events, bytes }
    }
}

impl From<wit::Page> for Page {
    fn from(page: wit::Page) -> Self {
        Self { lines: page.lines.into(), events: page.events }
    }
}

impl From<wit::Compaction> for Compaction {
    fn from(done: wit::Compaction) -> Self {
        let wit::Compaction { merged_files, events, new_key } = done;
        Self { merged_files, events, new_key }
    }
}

impl From<wit::Stats> for Stats {
    fn from(stats: wit::Stats) -> Self {
        Self {
            objects: stats.objects,
            batches: stats.batches,
            segments: stats.segments,
            events: stats.events,
            uncounted_batches: stats.uncounted_batches,
            bytes: stats.bytes,
            generation: stats.generation,
            first_time: stats.first_time,
            last_time: stats.last_time,
        }
    }
}
