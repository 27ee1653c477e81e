//! Conversions of numbers. One rule for arithmetic holds in the whole crate:
//!
//! 1. Own counters and lengths use plain `+` and `-`: an overflow is a bug and panics.
//! 2. Numbers from a store or a component are checked before they are used. Where they are only
//!    shown, they saturate.
//! 3. Otherwise saturation is for limits, rates and clocks.

/// Converts a length in memory, which always fits.
pub(crate) fn to_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Converts a number to a length in memory. One that does not fit exceeds every length.
pub(crate) fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
