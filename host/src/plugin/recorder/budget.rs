//! The bytes that a record may take, each second and in all.

use std::time::Instant;

use super::super::rate::Rate;
use crate::numbers::to_u64;

/// The numbers of all that was left out of a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LeftOut {
    /// Records for which there was no room.
    pub(super) records: u64,
    /// Calls of those records.
    pub(super) calls: u64,
    /// Bytes of the plugin's output that are in no record.
    pub(super) output_bytes: u64,
}

/// The calls and the bytes of output that a record is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) calls: u64,
    pub(super) output_bytes: u64,
}

impl LeftOut {
    /// Counts a record with these contents.
    pub(super) fn add(&mut self, contents: Contents) {
        let Contents { calls, output_bytes } = contents;
        self.records = self.records.saturating_add(1);
        self.calls = self.calls.saturating_add(calls);
        self.output_bytes = self.output_bytes.saturating_add(output_bytes);
    }
}

pub(super) struct Budget {
    rate: Rate,
    bytes_max: u64,
    /// Bytes of admitted records.
    pub(super) bytes: u64,
    /// All that was left out so far.
    pub(super) left_out: LeftOut,
}

impl Budget {
    pub(super) fn new(bytes_per_second: u64, bytes_max: u64, now: Instant) -> Self {
        let (rate, left_out) = (Rate::new(bytes_per_second, now), LeftOut::default());
        Self { rate, bytes_max, bytes: 0, left_out }
    }

    /// Admits a record, or counts it as left out.
    pub(super) fn admit(&mut self, record: &str, contents: Contents, now: Instant) -> bool {
        let bytes = to_u64(record.len()).saturating_add(1);
        let fits = self.bytes.saturating_add(bytes) <= self.bytes_max;
        if fits && self.rate.take(bytes, now) {
            self.bytes += bytes;
            return true;
        }
        self.left_out.add(contents);
        false
    }

    /// Admits a record about what was left out, which no rate holds back.
    pub(super) fn admit_notice(&mut self, record: &str) -> bool {
        let bytes = to_u64(record.len()).saturating_add(1);
        let fits = self.bytes.saturating_add(bytes) <= self.bytes_max;
        if fits {
            self.bytes += bytes;
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(calls: u64) -> Contents {
        Contents { calls, output_bytes: 0 }
    }

    #[test]
    fn records_beyond_the_bytes_of_a_run_are_left_out_and_counted() {
        let now = Instant::now();
        let mut budget = Budget::new(1 << 30, 10, now);
        assert!(budget.admit("123", calls(1), now) && budget.admit("12345", calls(1), now));
        let contents = Contents { calls: 7, output_bytes: 9 };
        assert!(!budget.admit("", contents, now) && !budget.admit_notice(""));
        assert_eq!(budget.left_out, LeftOut { records: 1, calls: 7, output_bytes: 9 });
    }

    #[test]
    fn records_of_what_was_left_out_count_too() {
        let mut budget = Budget::new(1 << 30, 10, Instant::now());
        assert!(budget.admit_notice("1234"));
        assert!(!budget.admit_notice("12345"));
        assert!(budget.admit_notice("1234"));
        assert_eq!((budget.bytes, budget.left_out), (10, LeftOut::default()));
    }

    #[test]
    fn records_beyond_the_bytes_of_a_second_are_left_out() {
        let now = Instant::now();
        let mut budget = Budget::new(8, 1 << 30, now);
        assert!(budget.admit("1234567", calls(1), now));
        assert!(!budget.admit("1", calls(2), now) && budget.admit_notice("1"));
        assert!(budget.admit("1", calls(2), now + std::time::Duration::from_secs(1)));
        assert_eq!(budget.left_out.calls, 2);
    }
}
