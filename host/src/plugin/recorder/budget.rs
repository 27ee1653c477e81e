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
    /// Bytes of the plugin's output that were not kept for a record.
    pub(super) output_bytes: u64,
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

    /// Admits a record of this many calls, or counts it as left out.
    pub(super) fn admit(&mut self, record: &str, calls: u64, now: Instant) -> bool {
        let bytes = to_u64(record.len()).saturating_add(1);
        let fits = self.bytes.saturating_add(bytes) <= self.bytes_max;
        if fits && self.rate.take(bytes, now) {
            self.bytes += bytes;
            return true;
        }
        self.leave_out(calls);
        false
    }

    /// Counts a record of this many calls as left out.
    pub(super) fn leave_out(&mut self, calls: u64) {
        self.left_out.records = self.left_out.records.saturating_add(1);
        self.left_out.calls = self.left_out.calls.saturating_add(calls);
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

    #[test]
    fn records_beyond_the_bytes_of_a_run_are_left_out_and_counted() {
        let now = Instant::now();
        let mut budget = Budget::new(1 << 30, 10, now);
        assert!(budget.admit("123", 1, now) && budget.admit("12345", 1, now));
        assert!(!budget.admit("", 7, now) && !budget.admit_notice(""));
        assert_eq!(budget.left_out, LeftOut { records: 1, calls: 7, output_bytes: 0 });
    }

    #[test]
    fn records_beyond_the_bytes_of_a_second_are_left_out() {
        let now = Instant::now();
        let mut budget = Budget::new(8, 1 << 30, now);
        assert!(budget.admit("1234567", 1, now));
        assert!(!budget.admit("1", 2, now) && budget.admit_notice("1"));
        assert!(budget.admit("1", 2, now + std::time::Duration::from_secs(1)));
        assert_eq!(budget.left_out.calls, 2);
    }
}
