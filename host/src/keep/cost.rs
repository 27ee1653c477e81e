//! Estimates what a log costs a month at a store that is paid by use.

use std::time::Duration;

use crate::log::NameCounts;
use crate::numbers::float;
use crate::prices::Prices;

const MONTH: Duration = Duration::from_hours(730);

/// The keys in a page of a listing, which is one request.
const PAGE_KEYS: f64 = 1_000.0;

const GIB: f64 = 1_073_741_824.0;

impl Prices {
    /// Returns what a log costs a month as it is: its bytes, its share of one listing in each
    /// interval, and its writes at the rate of the batches that are there. A transfer out of a
    /// cloud is not included.
    pub fn month(&self, counts: &NameCounts, every: Duration) -> f64 {
        let months = |time: Duration| time.as_secs_f64() / MONTH.as_secs_f64();
        let sweeps = 1.0 / months(every.max(Duration::from_secs(1)));
        let lists = float(counts.objects) / PAGE_KEYS * sweeps;
        let times = counts.first_batch_time.zip(counts.last_batch_time);
        let span = times.and_then(|(first, last)| last.duration_since(first).ok());
        // The batches of less than an hour tell no rate.
        let span = span.filter(|span| *span >= Duration::from_hours(1));
        let writes = span.map_or(0.0, |span| float(counts.batches) / months(span));
        let requests = (lists + writes) / 1_000.0 * self.writes;
        float(counts.bytes) / GIB * self.storage + requests
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn month_is_bytes_listings_and_writes() {
        let prices = Prices::new(0.5, 2.0);
        let close = |actual: f64, expected: f64| (actual - expected).abs() < 1e-9;
        let hourly = Duration::from_hours(1);
        let bytes = NameCounts { bytes: 8 << 30, ..NameCounts::default() };
        assert!(close(prices.month(&bytes, hourly), 4.0));
        // 730 listings of a page and a half.
        let listed = NameCounts { objects: 1_500, ..NameCounts::default() };
        assert!(close(prices.month(&listed, hourly), 730.0 * 1.5 / 1_000.0 * 2.0));
        // A batch each hour.
        let written = NameCounts {
            batches: 730,
            first_batch_time: Some(UNIX_EPOCH),
            last_batch_time: Some(UNIX_EPOCH + MONTH),
            ..NameCounts::default()
        };
        assert!(close(prices.month(&written, hourly), 730.0 / 1_000.0 * 2.0));
        let burst = NameCounts { last_batch_time: Some(UNIX_EPOCH), ..written };
        assert!(close(prices.month(&burst, hourly), 0.0));
    }
}
