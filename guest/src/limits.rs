//! Every limit of the log's logic, with its reason. What the host allows on top is the host's.

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// The longest log name, in bytes: leaves room for the object's own name under the 1,024 bytes that
/// S3 allows a key.
pub const LOG_NAME_BYTES_MAX: usize = 512;

/// Default and largest `flush_threshold`, in events. The default is the one of the logs of old.
pub const FLUSH_THRESHOLD_DEFAULT: u64 = 32;
pub const FLUSH_THRESHOLD_MAX: u64 = 1_000_000;

/// Default `flush_bytes`: large enough that a request's cost is small beside its bytes.
pub const FLUSH_BYTES_DEFAULT: u64 = 4 * MIB;

/// Default and largest `flush_interval`, in milliseconds; the largest is one day.
pub const FLUSH_INTERVAL_MS_DEFAULT: u64 = 1_000;
pub const FLUSH_INTERVAL_MS_MAX: u64 = 86_400_000;

/// Default and largest `event_bytes_max`.
pub const EVENT_BYTES_DEFAULT: u64 = MIB;
pub const EVENT_BYTES_MAX: u64 = 16 * MIB;

/// Default and largest `buffer_bytes_max`. A handle holds at most twice that: one open buffer and
/// one sealed batch.
pub const BUFFER_BYTES_DEFAULT: u64 = 16 * MIB;
pub const BUFFER_BYTES_MAX: u64 = 32 * MIB;

/// The largest batch that is checked whole before any of it is yielded. A writer never makes a
/// larger one; an object of the old naming scheme may be larger and is then read in a stream.
pub const BATCH_BYTES_WHOLE_MAX: u64 = BUFFER_BYTES_MAX;

/// A page is handed out when it holds this much: enough that a call's cost does not count, and
/// little enough that batches of about 1 MiB become a page each, which needs no copy.
pub const PAGE_BYTES_TARGET: u64 = 512 * KIB;

/// The most bytes taken from the store in one call: a page of 1 MiB batches comes in one piece.
pub const CHUNK_BYTES_MAX: u32 = 2 * 1024 * 1024;

/// Stretches measured in one call, as many as the interface allows.
pub const SUMMARIES_MAX: usize = 10_000;

/// The longest line of an old batch that is read in a stream, i.e. the most that is held of it.
pub const LEGACY_LINE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Objects asked for in one call of a listing: ten requests on stores that answer 1,000 at a time.
pub const LIST_PAGE_OBJECTS: u32 = 10_000;

/// Listings made to find the logs below a name that is no log, and logs that are named then: enough
/// for who has mistyped a name, and little for a store with a million.
pub const BELOW_LISTS_MAX: u32 = 32;
pub const BELOW_LOGS_MAX: usize = 16;

/// Entries asked for in each of these: what one request gives on stores that answer 1,000 at a time.
pub const BELOW_PAGE_ENTRIES: u32 = 1_000;

/// Parts of one ordered read, as many as the interface allows.
pub const READ_PARTS_MAX: usize = 10_000;

/// Objects deleted in one call: what one bulk delete request takes on S3.
pub const DELETE_KEYS_MAX: usize = 1_000;

/// Default and largest `batches_max`: batches that one compaction absorbs.
pub const ABSORB_BATCHES_MAX: u64 = 100_000;

/// Default and largest `segment_bytes_max`. The default is small enough for stores that take an
/// object only whole.
pub const SEGMENT_BYTES_DEFAULT: u64 = 128 * MIB;
pub const SEGMENT_BYTES_MAX: u64 = 4 * 1024 * MIB;

/// A segment ends at this many batches: bounds its index, about 170 bytes a batch, which whoever
/// reads the segment holds.
pub const SEGMENT_BATCHES_MAX: u64 = 32_768;

/// Segments of one attempt: their numbers have four digits.
pub const COMMIT_SEGMENTS_MAX: u16 = 9_999;

/// The largest index that is read: more than twice what that many batches need.
pub const INDEX_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Batches in the indexes that are kept for more look-ups.
pub const INDEX_CACHE_BATCHES_MAX: u64 = 100_000;

/// Default, least and largest `fan_in`.
pub const FAN_IN_DEFAULT: u64 = 8;
pub const FAN_IN_MIN: u64 = 2;
pub const FAN_IN_MAX: u64 = 64;

/// Generations for which the index of a trimmed segment is kept, so that a create that lands late
/// is known as absorbed.
pub const RETIRED_GENERATIONS: u64 = 64;

/// The longest position that is read: about 300,000 live batches.
pub const POSITION_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What a step of a verification reads, and how many findings it tells.
pub const VERIFY_STEP_BYTES: u64 = 2 * MIB;
pub const VERIFY_FINDINGS_MAX: usize = 1_000;

/// Manifests kept below the highest, at least: a reader that found one of them can still get it. They
/// are deleted in groups of as many, each with one marker.
pub const MANIFESTS_KEPT: u64 = 8;

/// How often a compaction begins again when another compactor wins.
pub const COMPACT_TRIES: u32 = 4;

/// How often a create whose outcome is unknown is tried again within one compaction.
pub const COMMIT_TRIES: u32 = 3;

/// How often a reader looks again when an object it was told of is gone, without getting further.
pub const MISSING_TRIES: u32 = 8;

/// How far ahead of the clock the newest batch may lie before its time is ignored, in microseconds.
pub const CLOCK_AHEAD_MICROS: u64 = 3_600 * 1_000_000;

/// How long a failed create rests before an append or a tick tries it again, in microseconds. A
/// flush does not wait.
pub const RETRY_REST_MICROS: u64 = 1_000_000;

const _: () = {
    assert!(EVENT_BYTES_DEFAULT < BUFFER_BYTES_DEFAULT);
    assert!(FLUSH_BYTES_DEFAULT <= BUFFER_BYTES_DEFAULT);
    assert!(EVENT_BYTES_MAX < BUFFER_BYTES_MAX);
    assert!(FLUSH_THRESHOLD_DEFAULT <= FLUSH_THRESHOLD_MAX);
    assert!(FLUSH_INTERVAL_MS_DEFAULT <= FLUSH_INTERVAL_MS_MAX);
};
