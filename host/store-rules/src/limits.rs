//! The limits of the contract between a store and the log's component: see the WIT.

/// The longest key, in bytes, without the root. S3, Google Cloud Storage and Azure all stop at
/// 1024.
pub const KEY_BYTES_MAX: usize = 1024;

/// The largest object that is created in one call.
pub const CREATE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The most bytes that one `get` returns, in one piece of memory.
pub const GET_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The most objects of one listing page: about 2 MiB of keys and sizes.
pub const LIST_LIMIT_MAX: usize = 10_000;

/// Keys of one bulk delete, ranges of one ordered read, and ranges that are summarized in one call.
pub const KEYS_MAX: usize = 10_000;

/// The bounds of one step of an ordered read, in bytes.
pub const CHUNK_BYTES_MIN: u32 = 1024;
pub const CHUNK_BYTES_MAX: u32 = 64 * 1024 * 1024;

/// The most host bytes that one call reads.
pub const READ_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Pieces of host bytes with fewer bytes on average are joined before they are written.
pub const PIECES_JOINED_BYTES: usize = 16 * 1024;

/// A log line is cut here, in bytes.
pub const LOG_LINE_BYTES_MAX: usize = 1024;
