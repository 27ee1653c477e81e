//! Every limit of the log's logic, with its reason. The host may set stricter limits.

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// The longest log name, in bytes: leaves room for the object's own name under the 1,024 bytes that
/// S3 allows a key.
pub const LOG_NAME_BYTES_MAX: usize = 512;

/// Default and largest `flush_threshold`, in events. The default is that of legacy logs.
pub const FLUSH_THRESHOLD_DEFAULT: u64 = 32;
pub const FLUSH_THRESHOLD_MAX: u64 = 1_000_000;

/// Default `flush_bytes`: large enough that the cost of a request is small relative to its bytes.
pub const FLUSH_BYTES_DEFAULT: u64 = 4 * MIB;

/// Default and largest `flush_interval`, in milliseconds; the largest is one day.
pub const FLUSH_INTERVAL_MS_DEFAULT: u64 = 1_000;
pub const FLUSH_INTERVAL_MS_MAX: u64 = 86_400_000;

/// Default and largest `event_bytes_max`.
pub const EVENT_BYTES_DEFAULT: u64 = MIB;
pub const EVENT_BYTES_MAX: u64 = 16 * MIB;

/// Default and largest `buffer_bytes_max`. A handle holds at most twice this: one open buffer, and
/// the sealed batches.
pub const BUFFER_BYTES_DEFAULT: u64 = 16 * MIB;
pub const BUFFER_BYTES_MAX: u64 = 32 * MIB;

/// Default and largest `creates_max`: the most creates of a handle in flight. At the default, a
/// batch a quarter of a create's time apart from the next is not held up by it.
pub const CREATES_DEFAULT: u64 = 4;
pub const CREATES_MAX: u64 = 16;

/// The largest batch that is checked whole before any of it is yielded. A writer never makes a
/// larger one. A legacy batch may be larger and is then read line by line.
pub const BATCH_BYTES_WHOLE_MAX: u64 = BUFFER_BYTES_MAX;

/// A page is returned when it holds this much: enough that the cost of a call is negligible, and
/// little enough that batches of about 1 MiB become a page each, which needs no copy.
pub const PAGE_BYTES_TARGET: u64 = 512 * KIB;

/// A page has about this many batches at most. About 400 bytes are kept for each until the next
/// page is asked for.
pub const PAGE_SPANS_MAX: usize = 8192;

/// Positions of events are returned in texts of about this size. One position is mostly about 50
/// bytes, and much longer if many writers have live batches.
pub const POSITIONS_BYTES_TARGET: usize = 16 * 1024;

/// The most bytes taken from the store in one call: a part of a segment, if the store has it in one
/// piece.
pub const CHUNK_BYTES_MAX: u32 = 4 * 1024 * 1024;

/// Byte ranges summarized in one call, as many as the interface allows.
pub const SUMMARIES_MAX: usize = 10_000;

/// The longest line of a legacy batch that is read line by line, which bounds the memory for it.
pub const LEGACY_LINE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Objects requested in one call of a listing: ten requests on stores that return 1,000 each.
pub const LIST_PAGE_OBJECTS: u32 = 10_000;

/// Listings made to find logs below a name that is no log, and the most logs reported: enough for a
/// mistyped name, and cheap on a store with a million logs.
pub const BELOW_LISTS_MAX: u32 = 32;
pub const BELOW_LOGS_MAX: usize = 16;

/// Entries requested in each of these listings: one request on stores that return 1,000 each.
pub const BELOW_PAGE_ENTRIES: u32 = 1_000;

/// A larger segment is requested as the bytes that its manifest records.
pub const READ_WHOLE_BYTES_MAX: u64 = 64 * MIB;

/// Ranges of one ordered read, as many as the interface allows.
pub const READ_RANGES_MAX: usize = 10_000;

/// Ranges of the first ordered read after one that was interrupted. It doubles from read to read.
/// Thus N damaged objects cost little more than N requests.
pub const READ_RANGES_AFTER_RESTART: usize = 64;

/// Objects deleted in one call: what one bulk delete request takes on S3.
pub const DELETE_KEYS_MAX: usize = 1_000;

/// Default and largest `batches_max`: the most batches that one compaction absorbs.
pub const ABSORB_BATCHES_MAX: u64 = 100_000;

/// Default and largest `segment_bytes_max`. The default is small enough for stores that accept an
/// object only whole.
pub const SEGMENT_BYTES_DEFAULT: u64 = 128 * MIB;
pub const SEGMENT_BYTES_MAX: u64 = 4 * 1024 * MIB;

/// A segment of at most this many bytes is created in one call, concurrently with others.
pub const SEGMENT_BYTES_SMALL_MAX: u64 = MIB;

/// Segments of a commit that are complete and not durable yet, and the bytes of them and their
/// indexes: each has two creates in flight one after the other, and a host takes four of a log
/// concurrently.
pub const FINISHING_SEGMENTS_MAX: usize = 8;
pub const FINISHING_BYTES_MAX: u64 = 4 * MIB;

/// The most batches in a segment. Bounds its index, about 170 bytes per batch, which a reader of
/// the segment holds in memory.
pub const SEGMENT_BATCHES_MAX: u64 = 32_768;

/// Segments of one commit: their numbers have four digits.
pub const COMMIT_SEGMENTS_MAX: u16 = 9_999;

/// The largest index that is read: more than twice the size of an index of that many batches.
pub const INDEX_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Batches in the indexes that are cached.
pub const INDEX_CACHE_BATCHES_MAX: u64 = 100_000;

/// Default, least and largest `fan_in`.
pub const FAN_IN_DEFAULT: u64 = 8;
pub const FAN_IN_MIN: u64 = 2;
pub const FAN_IN_MAX: u64 = 64;

/// Generations for which the index of a trimmed segment is kept, so that a batch whose create lands
/// late is recognized as absorbed.
pub const RETIRED_GENERATIONS: u64 = 64;

/// The longest position that is read: about 300,000 live batches.
pub const POSITION_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes read in one step of a verification, and the most findings that one step returns.
pub const VERIFY_STEP_BYTES: u64 = 2 * MIB;
pub const VERIFY_FINDINGS_MAX: usize = 1_000;

/// Batches, and their bytes, in one step of a copy: progress is reported after each step.
pub const COPY_BATCHES_MAX: usize = 1_000;
pub const COPY_BYTES_MAX: u64 = 64 * MIB;

/// Batches of a copy whose creates are in flight.
pub const COPY_CREATES_MAX: usize = 16;

/// The longest name of a source in a mirror mark: a URL with a log's name fits.
pub const MIRROR_SOURCE_BYTES_MAX: usize = 2_048;

/// Manifests kept below the highest, at least: a reader that listed one of them can still read it.
/// They are deleted in groups of this many, each with one marker.
pub const MANIFESTS_KEPT: u64 = 8;

/// Runs of a compaction before it reports that other compactors keep winning.
pub const COMPACT_TRIES: u32 = 4;

/// Tries of a create whose outcome is unknown, within one compaction.
pub const COMMIT_TRIES: u32 = 3;

/// The longest name of a position.
pub const POSITION_NAME_BYTES_MAX: usize = 64;

/// The newest objects of a named position, which are kept: an open finds the newest if fewer
/// commits than this are confirmed while it lists them.
pub const POSITIONS_KEPT: u64 = 16;

/// Tries of a commit of a position, each after an earlier one of the same reader has landed.
pub const POSITION_TRIES: u32 = 4;

/// Times a reader reloads the log because a listed object is gone, without making progress.
pub const MISSING_TRIES: u32 = 8;

/// The newest batches that a poll of a follower covers.
pub const POLL_BATCHES: usize = 500;

/// Objects in the one page of a poll.
pub const POLL_PAGE_OBJECTS: u32 = 1_000;

/// Polls of a follower up to the next load, in a log of more live batches than a poll covers: one
/// for each [`POLL_PAGE_OBJECTS`] batches, within these limits. So these loads take no more list
/// requests than the polls. A batch that sorts before those is seen this many polls late at most.
pub const FULL_LOAD_POLLS_MIN: usize = 8;
pub const FULL_LOAD_POLLS_MAX: usize = 64;

/// Lead of the newest batch over the clock beyond which its time is ignored, in microseconds.
pub const CLOCK_AHEAD_MICROS: u64 = 3_600 * 1_000_000;

/// Rest of a failed create before an append or a tick retries it, in microseconds. A flush retries
/// immediately.
pub const RETRY_REST_MICROS: u64 = 1_000_000;

const _: () = {
    assert!(READ_RANGES_AFTER_RESTART <= READ_RANGES_MAX);
    assert!(EVENT_BYTES_DEFAULT < BUFFER_BYTES_DEFAULT);
    assert!(FLUSH_BYTES_DEFAULT <= BUFFER_BYTES_DEFAULT);
    assert!(EVENT_BYTES_MAX < BUFFER_BYTES_MAX);
    assert!(FLUSH_THRESHOLD_DEFAULT <= FLUSH_THRESHOLD_MAX);
    assert!(FLUSH_INTERVAL_MS_DEFAULT <= FLUSH_INTERVAL_MS_MAX);
};
