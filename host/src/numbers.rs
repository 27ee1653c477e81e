//! Conversions of numbers, and their forms for people. One rule for arithmetic holds in the whole
//! crate:
//!
//! 1. Own counters and lengths use plain `+` and `-`: an overflow is a bug and panics.
//! 2. Numbers from a store or a component are checked before they are used. Where they are only
//!    shown, they saturate.
//! 3. Otherwise saturation is for limits, rates and clocks.

pub(crate) use stratalog_store_rules::numbers::{count, grouped, size, to_u64, to_usize};

/// Returns a number as a float, of which it keeps the leading digits.
pub(crate) fn float(number: u64) -> f64 {
    let high = u32::try_from(number >> 32).unwrap_or(u32::MAX);
    let low = u32::try_from(number & u64::from(u32::MAX)).unwrap_or(u32::MAX);
    f64::from(high) * 4_294_967_296.0 + f64::from(low)
}
