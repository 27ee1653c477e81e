//! Conversions of numbers between the contract and memory.

/// Converts a size in memory, which always fits.
pub fn to_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Converts a size to one in memory. A size that does not fit becomes the largest one.
pub fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
