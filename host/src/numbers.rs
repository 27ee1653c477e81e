//! Conversions of numbers, and their forms for people. One rule for arithmetic holds in the whole
//! crate:
//!
//! 1. Own counters and lengths use plain `+` and `-`: an overflow is a bug and panics.
//! 2. Numbers from a store or a component are checked before they are used. Where they are only
//!    shown, they saturate.
//! 3. Otherwise saturation is for limits, rates and clocks.

pub(crate) use stratalog_store_rules::numbers::{count, grouped, size, to_u64, to_usize};
