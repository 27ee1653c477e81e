//! Times: the latency of requests, and the offset of the server's clock from ours.
//!
//! Owns: quantiles and the estimate of the offset. Must not know: how a request is made.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime};

use crate::numbers::grouped;
use chrono::{DateTime, Utc};

/// The latency of one kind of request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Latency {
    /// `create`, `get` or `list`.
    pub request: &'static str,
    /// The number of requests, made one after the other.
    pub samples: usize,
    /// Half of the requests took no longer.
    pub p50: Duration,
    /// 99 of 100 requests took no longer.
    pub p99: Duration,
}

impl Latency {
    /// Summarizes the measured times; none without a sample.
    pub(super) fn of(request: &'static str, mut times: Vec<Duration>) -> Option<Self> {
        times.sort_unstable();
        let samples = times.len();
        Some(Self { request, samples, p50: quantile(&times, 50)?, p99: quantile(&times, 99)? })
    }
}

/// Returns the smallest of the sorted times that `percent` of all do not exceed.
fn quantile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// The range in which the server's clock is ahead of ours, behind if negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClockOffset {
    /// At least, in milliseconds.
    pub ahead_ms_min: i64,
    /// At most, in milliseconds.
    pub ahead_ms_max: i64,
}

/// A create, and the time by our clock before and after it.
#[derive(Debug, Clone)]
pub(super) struct TimedCreate {
    pub(super) key: String,
    pub(super) before: SystemTime,
    pub(super) after: SystemTime,
}

impl ClockOffset {
    /// Narrows the offset down by every create with a known server time.
    ///
    /// The server's time of a create lies between our times before and after it, plus the offset. A
    /// server that reports whole seconds is up to one second later.
    pub(super) fn of(
        creates: &[TimedCreate],
        on_server: &BTreeMap<String, DateTime<Utc>>,
    ) -> Option<Self> {
        let is_whole = |time: &DateTime<Utc>| time.timestamp_subsec_millis() == 0;
        let cut_ms = if on_server.values().all(is_whole) { 999 } else { 1 };
        let mut bounds: Option<(i64, i64)> = None;
        for create in creates {
            let Some(time) = on_server.get(&create.key) else { continue };
            let millis = |time: SystemTime| DateTime::<Utc>::from(time).timestamp_millis();
            let server = time.timestamp_millis();
            let least = server.saturating_sub(millis(create.after));
            let most = server.saturating_add(cut_ms).saturating_sub(millis(create.before));
            let (min, max) = bounds.unwrap_or((i64::MIN, i64::MAX));
            bounds = Some((min.max(least), max.min(most)));
        }
        let (min, max) = bounds?;
        // A clock that was set during the check makes them cross.
        Some(Self { ahead_ms_min: min.min(max), ahead_ms_max: max.max(min) })
    }

    /// Returns the bounds of how far one clock is ahead, in milliseconds.
    fn ahead(least: i64, most: i64) -> String {
        let (least, most) = (grouped(least.unsigned_abs()), grouped(most.unsigned_abs()));
        if least == most { format!("{least} ms") } else { format!("{least} to {most} ms") }
    }

    /// Returns whether the offset certainly exceeds `limit` in either direction.
    pub(super) fn exceeds(self, limit: Duration) -> bool {
        let limit = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
        self.ahead_ms_min > limit || self.ahead_ms_max < limit.saturating_neg()
    }
}

impl fmt::Display for ClockOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ahead_ms_min: min, ahead_ms_max: max } = *self;
        if min > 0 {
            write!(f, "the server clock is {} ahead of the local clock", Self::ahead(min, max))
        } else if max < 0 {
            write!(f, "the server clock is {} behind the local clock", Self::ahead(max, min))
        } else {
            let within = grouped(min.unsigned_abs().max(max.unsigned_abs()));
            write!(f, "the server clock and the local clock differ by at most {within} ms")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn quantiles_are_samples_that_a_share_does_not_exceed() {
        let table: [(Vec<u64>, u64, u64); 4] = [
            (vec![7], 7, 7),
            (vec![3, 1], 1, 3),
            ((1..=100).collect(), 50, 99),
            ((1..=200).rev().collect(), 100, 198),
        ];
        for (samples, p50, p99) in table {
            let count = samples.len();
            let times = samples.into_iter().map(ms).collect();
            let latency = Latency::of("get", times).unwrap();
            assert_eq!((latency.samples, latency.p50, latency.p99), (count, ms(p50), ms(p99)));
        }
        assert_eq!(Latency::of("get", vec![]), None);
    }

    #[test]
    fn offset_is_narrowed_down_by_every_create() {
        let epoch = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let server = |millis: i64| DateTime::from_timestamp_millis(1_700_000_000_000 + millis);
        let create = |key: &str, before: u64, after: u64| TimedCreate {
            key: key.to_owned(),
            before: epoch + ms(before),
            after: epoch + ms(after),
        };
        let creates = [create("a", 1_000, 1_100), create("b", 2_000, 2_030)];
        // To the millisecond, the server 5 s ahead.
        let times = [("a", 6_050), ("b", 7_020)];
        let offset = ClockOffset::of(&creates, &on_server(&times, server)).unwrap();
        assert_eq!((offset.ahead_ms_min, offset.ahead_ms_max), (4_990, 5_021));
        assert!(offset.exceeds(ms(4_000)) && !offset.exceeds(ms(5_000)));
        // To the second.
        let times = [("a", 6_000), ("b", 7_000)];
        let offset = ClockOffset::of(&creates, &on_server(&times, server)).unwrap();
        assert_eq!((offset.ahead_ms_min, offset.ahead_ms_max), (4_970, 5_999));
        assert_eq!(ClockOffset::of(&creates, &BTreeMap::new()), None);
    }

    #[test]
    fn offset_is_described_as_people_say_it() {
        let table = [
            (-4, 0, "the server clock and the local clock differ by at most 4 ms"),
            (-3, 12, "the server clock and the local clock differ by at most 12 ms"),
            (4_990, 5_021, "the server clock is 4,990 to 5,021 ms ahead of the local clock"),
            (-30, -7, "the server clock is 7 to 30 ms behind the local clock"),
            (5, 5, "the server clock is 5 ms ahead of the local clock"),
        ];
        for (ahead_ms_min, ahead_ms_max, text) in table {
            assert_eq!(ClockOffset { ahead_ms_min, ahead_ms_max }.to_string(), text);
        }
    }

    fn on_server(
        times: &[(&str, i64)],
        at: impl Fn(i64) -> Option<DateTime<Utc>>,
    ) -> BTreeMap<String, DateTime<Utc>> {
        times.iter().map(|(key, millis)| ((*key).to_owned(), at(*millis).unwrap())).collect()
    }
}
