//! Parses times and positions as people type them.
//!
//! 1. A value without a zone is in this machine's zone (`TZ`), days too.
//! 2. Digits alone are a time only if there are ten of them: seconds since 1970 (2001 to 2286). So
//!    2026 is not a year, 30 is not an age, and neither is a position.

use std::time::Duration;

use chrono::{
    DateTime, Days, Local, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc,
};

use crate::args::sizes::parse_units;

const TIME_FORM: &str = "write a time as in 2026-01-31T12:00:00Z, a local time as in \
     '2026-01-31 12:00', a day as in 2026-01-31, today or yesterday, an age as in 1h30m or 7d, or \
     seconds since 1970 as in @1700000000";

/// The number of digits of a time without `@`, so that no date or position is taken for one.
const EPOCH_DIGITS: usize = 10;

/// The digits after the point of seconds since 1970: microseconds.
const FRACTION_DIGITS_MAX: usize = 6;

/// Parses a time, a day or an age as microseconds since 1970.
pub(crate) fn parse_time(text: &str) -> Result<u64, String> {
    parse_time_at(text, Utc::now(), &Local)
}

/// Parses a time for `trim --before`.
pub(crate) fn parse_trim_time(text: &str) -> Result<u64, String> {
    parse_time(text).map_err(|message| {
        format!("{message}; a position is given with --before-position, as in 1234")
    })
}

/// Parses a position for `trim --before-position`. The log checks later that it is its own.
pub(crate) fn parse_position(text: &str) -> Result<String, String> {
    position(text, "--before")
}

/// Parses a position to start at.
pub(crate) fn parse_start(text: &str) -> Result<String, String> {
    position(text, "--since")
}

fn position(text: &str, option_of_times: &str) -> Result<String, String> {
    let text = text.trim();
    let is_some = is_position(text).then(|| text.to_owned());
    is_some.ok_or_else(|| {
        format!(
            "write a position as in 1234, or as it stands in a position file; a time is given with \
             {option_of_times}"
        )
    })
}

/// Returns whether the text looks like a position: digits alone, or with a character that a time
/// has at most in the first place.
fn is_position(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty()
        || text.contains([',', '_', '@']) && !text.starts_with('@')
}

fn parse_time_at(text: &str, now: DateTime<Utc>, zone: &impl TimeZone) -> Result<u64, String> {
    let text = text.trim();
    let early = || "it is before 1970".to_owned();
    if let Some(micros) = parse_epoch(text) {
        return Ok(micros);
    }
    let time = if let Some(age) = parse_age(text) {
        let age = TimeDelta::from_std(age).map_err(|_| early())?;
        now.checked_sub_signed(age).ok_or_else(early)?
    } else if let Some(time) = parse_moment(text, now, zone)? {
        time
    } else {
        return Err(TIME_FORM.to_owned());
    };
    u64::try_from(time.timestamp_micros()).map_err(|_| early())
}

/// Parses `@1700000000`, `@1700000000.5` or `1700000000` as microseconds.
fn parse_epoch(text: &str) -> Option<u64> {
    let (seconds, fraction) = match text.strip_prefix('@') {
        Some(typed) => typed.split_once('.').unwrap_or((typed, "0")),
        None if text.len() == EPOCH_DIGITS => (text, "0"),
        None => return None,
    };
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !is_number(seconds) || !is_number(fraction) || fraction.len() > FRACTION_DIGITS_MAX {
        return None;
    }
    let micros: u64 = format!("{fraction:0<FRACTION_DIGITS_MAX$}").parse().ok()?;
    seconds.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(micros)
}

/// Parses `1h30m`, `7d`, or `2 days ago`.
fn parse_age(text: &str) -> Option<Duration> {
    let age = text.strip_suffix("ago").map_or(text, str::trim_end);
    parse_units(age)
}

/// Parses a time with or without a zone, a day, or a word for a day.
fn parse_moment(
    text: &str,
    now: DateTime<Utc>,
    zone: &impl TimeZone,
) -> Result<Option<DateTime<Utc>>, String> {
    let today = || now.with_timezone(zone).date_naive();
    let beginning = match text.to_ascii_lowercase().as_str() {
        "now" => return Ok(Some(now)),
        "today" => Some(today()),
        "yesterday" => today().checked_sub_days(Days::new(1)),
        // chrono also accepts 2026-1-1.
        _ if text.len() == "2026-01-31".len() => NaiveDate::parse_from_str(text, "%Y-%m-%d").ok(),
        _ => None,
    };
    let local = match beginning {
        Some(day) => Some(day.and_time(NaiveTime::MIN)),
        None => parse_local(text),
    };
    match (local, DateTime::parse_from_rfc3339(text)) {
        (Some(local), _) => match first_moment(local, zone) {
            Some(time) => Ok(Some(time)),
            None => Err("it is no time in this machine's zone".to_owned()),
        },
        (None, Ok(time)) => Ok(Some(time.to_utc())),
        (None, Err(_)) => Ok(None),
    }
}

/// Parses `2026-01-31 12:00`, also with seconds and their fraction, and with a `T` for the space.
fn parse_local(text: &str) -> Option<NaiveDateTime> {
    ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
}

/// Returns the first moment at which clocks show this time. If they skip it, what they show next.
fn first_moment(local: NaiveDateTime, zone: &impl TimeZone) -> Option<DateTime<Utc>> {
    const STEP: TimeDelta = TimeDelta::minutes(15);
    // A zone can skip a whole day.
    const STEPS_MAX: i32 = 24 * 4;
    (0..=STEPS_MAX).find_map(|step| {
        let shown = local.checked_add_signed(STEP.checked_mul(step)?)?;
        zone.from_local_datetime(&shown).earliest().map(|time| time.to_utc())
    })
}

#[cfg(test)]
mod tests {
    use chrono::{FixedOffset, MappedLocalTime, Timelike as _};

    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn micros(text: &str, zone: &impl TimeZone) -> Option<u64> {
        parse_time_at(text, DateTime::from_timestamp(NOW, 0).unwrap(), zone).ok()
    }

    #[test]
    fn times_days_and_ages_are_read() {
        // The time is 2023-11-14T22:13:20Z, and already the 15th two hours to the east.
        let east = FixedOffset::east_opt(7_200).unwrap();
        let table = [
            ("2023-11-14T22:13:20Z", Some(1_700_000_000_000_000)),
            ("2023-11-14 22:13:20Z", Some(1_700_000_000_000_000)),
            ("2023-11-14T23:13:20.000001+01:00", Some(1_700_000_000_000_001)),
            ("2023-11-15T00:13:20", Some(1_700_000_000_000_000)),
            ("2023-11-15 00:13:20.5", Some(1_700_000_000_500_000)),
            ("2023-11-15 00:13", Some(1_699_999_980_000_000)),
            ("2023-11-15T00:13", Some(1_699_999_980_000_000)),
            ("2023-11-14", Some(1_699_912_800_000_000)),
            ("today", Some(1_699_999_200_000_000)),
            ("Yesterday", Some(1_699_912_800_000_000)),
            ("now", Some(1_700_000_000_000_000)),
            ("1970-01-02", Some(79_200_000_000)),
            ("0s", Some(1_700_000_000_000_000)),
            ("90s", Some(1_699_999_910_000_000)),
            ("30m", Some(1_699_998_200_000_000)),
            ("1h30m", Some(1_699_994_600_000_000)),
            ("1h 30m", Some(1_699_994_600_000_000)),
            ("1.5h", Some(1_699_994_600_000_000)),
            ("12h", Some(1_699_956_800_000_000)),
            ("7d", Some(1_699_395_200_000_000)),
            ("7 D", Some(1_699_395_200_000_000)),
            ("7 days ago", Some(1_699_395_200_000_000)),
            ("1w", Some(1_699_395_200_000_000)),
            ("@1700000000", Some(1_700_000_000_000_000)),
            ("@1700000000.25", Some(1_700_000_000_250_000)),
            ("@0", Some(0)),
            ("1700000000", Some(1_700_000_000_000_000)),
            ("1969-12-31", None),
            ("100000d", None),
            ("99999999999999999999d", None),
            ("2023-13-01", None),
            ("2023-1-1", None),
            ("2023-11-14 25:00", None),
            ("20231114", None),
            ("1700000000000", None),
            ("@", None),
            ("@-1", None),
            ("@1.", None),
            ("@1.1234567", None),
            ("@99999999999999999999", None),
            ("7", None),
            ("7 months", None),
            ("30m1h", None),
            ("1h1h", None),
            ("tomorrow", None),
            ("ago", None),
            ("d", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(micros(text, &east), expected, "{text:?}");
        }
        assert_eq!(micros("2023-11-14", &Utc), Some(1_699_920_000_000_000));
    }

    /// Clocks one hour behind UTC that changed twice on the first day of 2023. They skipped 0:00 to
    /// 1:00, and showed 3:00 to 4:00 twice.
    #[derive(Clone, Copy)]
    struct Moved;

    impl TimeZone for Moved {
        type Offset = FixedOffset;

        fn from_offset(_: &FixedOffset) -> Self {
            Self
        }

        fn offset_from_local_date(&self, _: &NaiveDate) -> MappedLocalTime<FixedOffset> {
            MappedLocalTime::None
        }

        fn offset_from_local_datetime(&self, at: &NaiveDateTime) -> MappedLocalTime<FixedOffset> {
            let (summer, winter) = (FixedOffset::east_opt(3_600), FixedOffset::east_opt(0));
            let (summer, winter) = (summer.unwrap(), winter.unwrap());
            match at.hour() {
                0 => MappedLocalTime::None,
                1..3 => MappedLocalTime::Single(summer),
                3 => MappedLocalTime::Ambiguous(summer, winter),
                _ => MappedLocalTime::Single(winter),
            }
        }

        fn offset_from_utc_date(&self, _: &NaiveDate) -> FixedOffset {
            FixedOffset::east_opt(0).unwrap()
        }

        fn offset_from_utc_datetime(&self, _: &NaiveDateTime) -> FixedOffset {
            FixedOffset::east_opt(0).unwrap()
        }
    }

    #[test]
    fn a_time_that_clocks_skip_or_show_twice_is_the_first_that_fits() {
        // 2023-01-01T00:00:00Z.
        const MIDNIGHT: u64 = 1_672_531_200_000_000;
        const HOUR: u64 = 3_600_000_000;
        let table = [
            ("2023-01-01", MIDNIGHT),
            ("2023-01-01 00:30", MIDNIGHT),
            ("2023-01-01 01:00", MIDNIGHT),
            ("2023-01-01 03:00", MIDNIGHT + 2 * HOUR),
            ("2023-01-01 04:00", MIDNIGHT + 4 * HOUR),
        ];
        for (text, expected) in table {
            assert_eq!(micros(text, &Moved), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn a_position_is_no_time_and_a_time_is_no_position() {
        let positions = [
            "0",
            "20260131",
            "1700000000",
            "340,batch_0001700000000000000_0000000a_3_00+17",
            "7,",
            "d1ccf6e9aaf95334@340",
        ];
        for text in positions {
            assert_eq!(parse_position(text), Ok(text.to_owned()));
            assert_eq!(parse_trim_time(text).is_ok(), text == "1700000000", "{text:?}");
        }
        let table = ["2026-01-31", "2026-01-31T12:00:00+01:00", "30d", "0s", "@1700000000"];
        for text in table {
            assert!(parse_trim_time(text).is_ok(), "{text:?}");
            let message = parse_position(text).unwrap_err();
            assert!(message.contains("1234") && message.contains("--before"), "{message}");
            assert!(parse_start(text).unwrap_err().contains("--since"));
        }
        for text in ["", "-1", "soon", "2026/01/31", "2026", "30"] {
            let message = parse_trim_time(text).unwrap_err();
            for form in ["2026-01-31", "1h30m", "@1700000000", "--before-position"] {
                assert!(message.contains(form), "{text:?}: {message}");
            }
        }
    }
}
