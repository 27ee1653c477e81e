//! Options outside of their bounds.

use crate::bindings::stratalog::log::append_log::{Log, compact, read};
use crate::bindings::stratalog::log::types::{CompactOptions, Options, ReadOptions};
use crate::logs::{Case, Outcome, by_hand, cases, defaults, invalid, log_of, same, tiered, whole};

pub(crate) const CASES: &[Case] = cases![
    threshold_outside_its_bounds_is_refused,
    buffer_no_larger_than_an_event_is_refused,
    creates_outside_their_bounds_are_refused,
    last_together_with_a_start_is_refused,
    fan_in_outside_its_bounds_is_refused,
];

fn threshold_outside_its_bounds_is_refused(log: &str) -> Outcome {
    for wrong in [0, 1_000_001] {
        let options = Options { flush_threshold: Some(wrong), ..defaults() };
        invalid(Log::open(log, options), "flush_threshold")?;
    }
    let options = Options { flush_threshold: Some(1_000_000), ..defaults() };
    same(Log::open(log, options)?.close()?.events, 0)
}

fn buffer_no_larger_than_an_event_is_refused(log: &str) -> Outcome {
    let options = |buffer| Options {
        event_bytes_max: Some(1_000),
        buffer_bytes_max: Some(buffer),
        flush_bytes: Some(1_000),
        ..by_hand()
    };
    invalid(Log::open(log, options(1_000)), "buffer_bytes_max")?;
    same(Log::open(log, options(1_001))?.close()?.events, 0)
}

fn creates_outside_their_bounds_are_refused(log: &str) -> Outcome {
    for wrong in [0, 17] {
        let options = Options { creates_max: Some(wrong), ..defaults() };
        invalid(Log::open(log, options), "creates_max")?;
    }
    let options = Options { creates_max: Some(16), ..defaults() };
    same(Log::open(log, options)?.close()?.events, 0)
}

fn last_together_with_a_start_is_refused(log: &str) -> Outcome {
    log_of(log, &[3])?;
    let options = ReadOptions { start: Some("0".to_owned()), last: Some(2), ..whole() };
    invalid(read(log, &options), "last")
}

fn fan_in_outside_its_bounds_is_refused(log: &str) -> Outcome {
    log_of(log, &[1, 1])?;
    for wrong in [1, 65] {
        invalid(compact(log, CompactOptions { fan_in: Some(wrong), ..tiered() }), "fan_in")?;
    }
    same(compact(log, CompactOptions { fan_in: Some(64), ..tiered() })?.batches, 2)
}
