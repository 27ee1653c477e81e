//! Times as RFC 3339 has them.

use std::fmt;

const SECONDS_PER_DAY: u64 = 86_400;

/// The last second of the year 9999: RFC 3339 has no later one.
const SECONDS_MAX: u64 = 253_402_300_799;

/// A time in microseconds since 1970. Displays as a time of UTC, such as
/// `2026-01-31T12:00:00.000000Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timestamp(pub u64);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, micros) = (self.0 / 1_000_000, self.0 % 1_000_000);
        let seconds = seconds.min(SECONDS_MAX);
        let (year, month, day) = date(seconds / SECONDS_PER_DAY);
        let second = seconds % SECONDS_PER_DAY;
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
    }
}

/// Returns the date of a day since 1970. The years of the calculation begin in March, so that the
/// leap day is the last one.
fn date(days: u64) -> (u64, u64, u64) {
    const DAYS_BEFORE_1970: u64 = 719_468;
    const DAYS_OF_400_YEARS: u64 = 146_097;
    let days = days + DAYS_BEFORE_1970;
    let (era, day) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + later, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_display_as_rfc_3339() {
        let cases = [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_400_000_001, "2000-02-29T00:00:00.000001Z"),
            (951_868_799_999_999, "2000-02-29T23:59:59.999999Z"),
            (1_709_164_800_000_000, "2024-02-29T00:00:00.000000Z"),
            (1_767_225_599_500_000, "2025-12-31T23:59:59.500000Z"),
            (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"),
            (u64::MAX, "9999-12-31T23:59:59.551615Z"),
        ];
        for (micros, expected) in cases {
            assert_eq!(Timestamp(micros).to_string(), expected);
        }
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut before = (1969, 12, 31);
        for day in 0..150_000 {
            let (year, month, day) = date(day);
            let is_next = (year, month) == (before.0, before.1) && day == before.2 + 1;
            let is_first = day == 1
                && before.2 >= 28
                && ((year, month) == (before.0, before.1 + 1)
                    || (year, month, before.1) == (before.0 + 1, 1, 12));
            assert!(is_next || is_first, "{before:?} {:?}", (year, month, day));
            before = (year, month, day);
        }
    }
}
