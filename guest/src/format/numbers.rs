//! Conversions and sums of numbers. One rule for arithmetic holds in all of the logic:
//!
//! 1. Own counters, and numbers that decoding has checked, use plain `+` and `-`: an overflow is a
//!    bug and traps.
//! 2. Numbers from the store that are not checked yet use `checked_*`: an overflow is damage.
//! 3. Saturation is for limits, clocks and numbers that callers give.

/// Converts a length in memory, which always fits.
pub(crate) fn to_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Converts a number to a length in memory. One that does not fit exceeds every length.
pub(crate) fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The sum. None if it needs more than 64 bits.
pub(crate) fn sum(numbers: impl IntoIterator<Item = u64>) -> Option<u64> {
    numbers.into_iter().try_fold(0_u64, u64::checked_add)
}
