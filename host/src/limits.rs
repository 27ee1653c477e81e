//! What an instance of the component may use: defaults with their reasons.

use std::time::Duration;

/// Limits on every instance of the log's component. The defaults are safe for a component that
/// is not trusted and generous for the one that is embedded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Memory of one instance, in bytes: its linear memory, and what it has read of the store and
    /// the host holds for it. Default 256 MiB: twice what a handle with the largest buffers needs.
    pub memory_bytes_max: usize,
    /// Time one call may compute, waiting for the store not included, besides a second for each 64 MiB
    /// that it gets from the store: a compaction may copy a large log. Default 10 s: a thousand times
    /// what a full buffer needs.
    pub call_compute_max: Duration,
    /// Handles to creates, reads, uploads and held bytes that an instance holds at once. Default 64.
    pub handles_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes_max: 256 * 1024 * 1024,
            call_compute_max: Duration::from_secs(10),
            handles_max: 64,
        }
    }
}

/// How often the engine looks whether a call computes for too long.
pub(crate) const EPOCH_TICK: Duration = Duration::from_millis(10);

/// Bytes that a call gets from the store and may compute on for another second. The embedded
/// component checks and copies ten times as many.
pub(crate) const COMPUTED_BYTES_PER_SECOND: u64 = 64 * 1024 * 1024;

/// What a component may pass to the host in one call, in bytes: the largest object it may create,
/// and room for the names around it.
pub(crate) const HOST_CALL_BYTES_MAX: usize = 128 * 1024 * 1024;

/// The largest object that is created in one call: see `create` in the WIT.
pub(crate) const CREATE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Creates that an instance may have under way; further ones wait. A writer has one.
pub(crate) const CREATES_UNDER_WAY_MAX: usize = 4;

/// Ordered reads of an instance that fetch many objects ahead, which are not counted; further ones
/// fetch one. A reader or a compaction has one.
pub(crate) const READS_AHEAD_MAX: usize = 4;

/// What an ordered read holds of each part asked for, besides its key, in bytes.
pub(crate) const READ_PART_BYTES: usize = 64;

/// Keys of one bulk delete, parts of one ordered read and stretches that are measured at once: see the
/// WIT.
pub(crate) const KEYS_MAX: usize = 10_000;

/// The bounds of one step of an ordered read, in bytes: see the WIT.
pub(crate) const CHUNK_BYTES_MIN: u32 = 1024;
pub(crate) const CHUNK_BYTES_MAX: u32 = 64 * 1024 * 1024;

/// The most held bytes that are read at once: see the WIT.
pub(crate) const READ_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Compiled components in a cache folder, and their bytes: of 50 plugins with a Python interpreter
/// each, or a few versions of as many smaller ones. What was used the longest time ago goes.
pub(crate) const CACHED_MODULES_MAX: usize = 200;
pub(crate) const CACHED_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// A log line of a component is cut here, in bytes.
pub(crate) const LOG_LINE_BYTES_MAX: usize = 1024;

/// Packed events that wait for a handle's instance, in bytes. Beyond it, `append` waits.
pub(crate) const STAGED_BYTES_MAX: usize = 1024 * 1024;

/// Packed events that are handed to the component at once; fewer wait for [`GATHER_TIME`], so that
/// events that come one by one do not cost a call each.
pub(crate) const LARGE_PACK_BYTES: usize = 64 * 1024;

/// How long few packed events wait for more. A flush does not wait.
pub(crate) const GATHER_TIME: Duration = Duration::from_millis(1);

/// Calls that wait for a handle's instance. Beyond it, callers wait.
pub(crate) const COMMANDS_MAX: usize = 256;

/// How long a follower waits before it looks again: at first, so that nobody notices, and at most,
/// so that an idle one does less than 40,000 lists a day.
pub(crate) const FOLLOW_WAIT_MIN: Duration = Duration::from_millis(200);
pub(crate) const FOLLOW_WAIT_MAX: Duration = Duration::from_secs(5);

/// The setting that lowers the address space of an instance of the log's component.
pub(crate) const INSTANCE_MEMORY_OPTION: &str = "memory_bytes_max (--memory-max)";
