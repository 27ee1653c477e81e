//! A token bucket: N per second on average, with a burst of one second.
//!
//! A caller that finds a token may take more than there are, and leaves a debt. So one large call
//! is admitted, and the calls after it pay for it.

use std::time::{Duration, Instant};

pub(crate) struct Rate {
    per_second: u64,
    /// In billionths of a token; below zero is a debt.
    tokens: i128,
    filled: Instant,
}

const BILLION: i128 = 1_000_000_000;

impl Rate {
    pub(crate) fn new(per_second: u64, now: Instant) -> Self {
        Self { per_second, tokens: i128::from(per_second) * BILLION, filled: now }
    }

    /// Takes this many tokens, or none if there is not even one.
    pub(crate) fn take(&mut self, count: u64, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.filled);
        if passed > Duration::ZERO {
            self.filled = now;
            let most = i128::from(self.per_second) * BILLION;
            // 64 bits times a time of at most a few hundred years: far from 128.
            let nanos = i128::try_from(passed.as_nanos()).unwrap_or(most);
            let more = nanos.saturating_mul(i128::from(self.per_second));
            self.tokens = self.tokens.saturating_add(more).min(most);
        }
        if self.tokens < BILLION {
            return false;
        }
        self.tokens = self.tokens.saturating_sub(i128::from(count) * BILLION);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_worth_is_granted_immediately_and_more_as_time_passes() {
        let start = Instant::now();
        let mut rate = Rate::new(100, start);
        assert_eq!((0..150).filter(|_| rate.take(1, start)).count(), 100);
        let later = start + Duration::from_millis(250);
        assert_eq!((0..150).filter(|_| rate.take(1, later)).count(), 25);
        let much_later = start + Duration::from_secs(1000);
        assert_eq!((0..150).filter(|_| rate.take(1, much_later)).count(), 100);
        // A clock that stands still or steps back adds no token.
        assert!(!rate.take(1, start));
    }

    #[test]
    fn large_call_is_let_through_and_paid_for() {
        let start = Instant::now();
        let mut rate = Rate::new(100, start);
        assert!(rate.take(500, start));
        assert!(!rate.take(1, start + Duration::from_secs(4)));
        assert!(rate.take(1, start + Duration::from_millis(4_010)));
        assert!(!Rate::new(0, start).take(1, start + Duration::from_secs(9)));
    }
}
