//! The limits of an instance of the component: defaults with their reasons.

use std::time::Duration;

/// Limits on every instance of the log's component. The defaults are safe for a component that is
/// not trusted, and generous for the embedded one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Memory of one instance, in bytes: its linear memory, and what it has read or listed and the
    /// host keeps for it. Default 256 MiB: twice the need of a handle with the largest buffers.
    pub memory_bytes_max: usize,
    /// Time that one call may compute. Waiting for the store is not included. Each 64 MiB that the
    /// call gets from the store add a second, since a compaction may copy a large log. Default 10
    /// s: a thousand times the need of a full buffer.
    pub call_compute_max: Duration,
    /// Handles to listings, creates, reads, uploads and host bytes that an instance may have at a
    /// time. Default 64.
    pub handles_max: usize,
}

impl Limits {
    /// The least address space, in bytes, that a process needs to compile a component. With less it
    /// would end at the next request for memory, so no component is compiled.
    pub const ADDRESS_SPACE_BYTES_MIN: u64 = 640 * 1024 * 1024;

    /// The largest `memory_bytes_max` that the command line accepts. An instance has one memory of
    /// less than 4 GiB.
    pub const MEMORY_BYTES_MAX: u32 = 4095 * 1024 * 1024;
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

/// The largest file of a component. Those with an interpreter in them have a fifth of this.
pub(crate) const COMPONENT_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// The interval at which the engine checks whether a call computes for too long.
pub(crate) const EPOCH_TICK: Duration = Duration::from_millis(10);

/// Bytes from the store that allow a call to compute for another second. The embedded component
/// checks and copies ten times as many.
pub(crate) const COMPUTED_BYTES_PER_SECOND: u64 = 64 * 1024 * 1024;

/// Bytes that a component may pass to the host in one call: the largest object it may create, and
/// room for the names around it.
pub(crate) const HOST_CALL_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Creates of an instance that may be in flight; further ones wait. A writer has at most as many.
pub(crate) const CREATES_IN_FLIGHT_MAX: usize = 16;

/// Ordered reads of an instance that may fetch many objects ahead. These objects are not counted.
/// Further reads fetch one. A reader or a compaction has one such read.
pub(crate) const READS_AHEAD_MAX: usize = 4;

/// The bytes that an ordered read takes for each requested range, besides its key.
pub(crate) const READ_RANGE_BYTES: usize = 64;

/// Compiled components in a cache folder, and their bytes: 50 plugins with a Python interpreter
/// each, or a few versions of as many smaller ones. The least recently used ones are removed.
pub(crate) const CACHED_MODULES_MAX: usize = 200;
pub(crate) const CACHED_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Writers with an instance: one of these takes 7 of the 65,530 memory maps that a process may have
/// by default.
pub(crate) const LIVE_LOGS_DEFAULT: usize = 1_000;

/// Further writers whose store has not taken their events for [`STEP_OUTSIDE_AFTER`]. With all of
/// these, and those above, most memory maps are taken.
pub(crate) const OUTSIDE_SEATS_MAX: usize = 5_000;
pub(crate) const STEP_OUTSIDE_AFTER: Duration = Duration::from_secs(5);

/// Readers with an instance are as many as writers. These are further ones whose store has not
/// answered for [`STEP_OUTSIDE_AFTER`].
pub(crate) const OUTSIDE_READERS_MAX: usize = 500;

/// The time that a writer or a reader waits for an instance while none becomes free.
pub(crate) const SEAT_WAIT_MAX: Duration = Duration::from_secs(30);

/// A writer is parked when it has rested for this time, and a follower when it waits for this time
/// before a poll. To continue it takes less than a millisecond.
pub(crate) const PARK_AFTER: Duration = Duration::from_secs(5);

/// Packed events that wait for a handle's instance, in bytes. Above this, `append` waits.
pub(crate) const PACKED_BYTES_MAX: usize = 1024 * 1024;

/// Packed events that are passed to the component immediately. Fewer wait for [`LINGER_TIME`], so
/// that events that arrive one by one do not cost a call each.
pub(crate) const LARGE_PACK_BYTES: usize = 64 * 1024;

/// The time that few packed events wait for more. A flush does not wait.
pub(crate) const LINGER_TIME: Duration = Duration::from_millis(1);

/// Calls that wait for a handle's instance. Above this, callers wait.
pub(crate) const COMMANDS_MAX: usize = 256;

/// The time that a follower waits before its next poll. The first wait is too short to notice. The
/// longest one keeps an idle follower below 40,000 lists a day.
pub(crate) const FOLLOW_WAIT_MIN: Duration = Duration::from_millis(200);
pub(crate) const FOLLOW_WAIT_MAX: Duration = Duration::from_secs(5);
const _: () = assert!(FOLLOW_WAIT_MAX.as_millis() >= PARK_AFTER.as_millis());

/// The setting that lowers the address space of an instance of the log's component.
pub(crate) const INSTANCE_MEMORY_OPTION: &str = "memory_bytes_max (--memory-max)";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::{grouped, to_u64};

    #[test]
    fn pages_name_the_limits_of_the_host() {
        let readme = include_str!("../../README.md");
        let embedding = include_str!("../docs/embedding.md");
        let seconds = |wait: Duration| wait.as_secs_f64();
        let waits = (seconds(FOLLOW_WAIT_MIN), seconds(FOLLOW_WAIT_MAX));
        let cached_gib = CACHED_BYTES_MAX >> 30;
        let (rest, live) = (PARK_AFTER.as_secs(), grouped(to_u64(LIVE_LOGS_DEFAULT)));
        for (page, text) in [
            (readme, format!("growing intervals of {} s to {} s.", waits.0, waits.1)),
            (readme, format!("at most {CACHED_MODULES_MAX} files and {cached_gib} GiB")),
            (embedding, format!("One that has rested for {rest} s gives it back")),
            (embedding, format!("At most {live} logs have an instance at a time")),
            (embedding, format!("give its instance back for {} s", SEAT_WAIT_MAX.as_secs())),
        ] {
            let words = page.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(words.contains(&text), "no page says {text:?}");
        }
    }
}
