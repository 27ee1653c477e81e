//! The limits of the contract, which every adapter keeps.

/// The largest object that is created in one call, in bytes: see `create` in the WIT.
pub const CREATE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The most bytes that one `get` returns: see the WIT.
pub const GET_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The most host bytes that one call reads: see the WIT.
pub const READ_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Keys of one bulk delete, ranges of one ordered read, and ranges that are summarized in one call:
/// see the WIT.
pub const KEYS_MAX: usize = 10_000;

/// The most entries of one page of a listing: see the WIT.
pub const PAGE_ENTRIES_MAX: usize = 10_000;

/// The bounds of one step of an ordered read, in bytes: see the WIT.
pub const CHUNK_BYTES_MIN: u32 = 1024;
pub const CHUNK_BYTES_MAX: u32 = 64 * 1024 * 1024;

/// The longest key, in bytes. S3, Google Cloud Storage and Azure all stop at 1024.
pub const KEY_BYTES_MAX: usize = 1024;

/// Pieces with fewer bytes on average are joined before they are written.
pub const PIECES_JOINED_BYTES: usize = 16 * 1024;

/// A log line is cut here, in bytes.
pub const LOG_LINE_BYTES_MAX: usize = 1024;
