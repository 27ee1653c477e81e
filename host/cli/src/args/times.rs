//! Parses times and positions as people type them. The crate `jiff` reads dates, times, zones and
//! durations; words for days and seconds since 1970 are added here.
//!
//! 1. A value without a zone is in this machine's zone (`TZ`), days too.
//! 2. Digits alone are a time only if there are ten of them: seconds since 1970 (2001 to 2286). So
//!    2026 is not a year, 30 is not an age, and neither is a position.
//! 3. The last times that `jiff` has are of 9999-12-30. The day after stands for them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::temporal::Pieces;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::args::durations::{parse_units, unclear_unit};

const TIME_FORM: &str = "write a time as in 2026-01-31T12:00:00Z, a local time as in \
     '2026-01-31 12:00', a day as in 2026-01-31, today or yesterday, an age as in 1h30m or 7d, or \
     seconds since 1970 as in @1700000000";

/// The number of digits of a time without `@`, so that no date or position is taken for one.
const EPOCH_DIGITS: usize = 10;

/// Returns the time zone of times without one, if there is any.
trait Zone: Fn() -> Result<TimeZone, String> {}

impl<F: Fn() -> Result<TimeZone, String>> Zone for F {}

/// Parses a time, a day or an age.
pub(crate) fn parse_time(text: &str) -> Result<SystemTime, String> {
    let micros = parse_time_at(text, Timestamp::now(), &zone_of_process)?;
    UNIX_EPOCH.checked_add(Duration::from_micros(micros)).ok_or_else(|| TIME_FORM.to_owned())
}

/// Returns the time zone of this process.
///
/// # Errors
/// `TZ` is set, and is no known zone. Without `TZ`, a machine that has no zone has UTC.
fn zone_of_process() -> Result<TimeZone, String> {
    let named = std::env::var_os("TZ").filter(|zone| !zone.is_empty());
    let Some(named) = named else { return Ok(TimeZone::system()) };
    TimeZone::try_system().map_err(|_| {
        let named = named.to_string_lossy();
        format!(
            "the time zone TZ={named} is not known here; correct TZ, or write the time with its \
             zone, as in 2026-01-31T12:00:00Z"
        )
    })
}

/// Parses a time for `trim --before`.
pub(crate) fn parse_trim_time(text: &str) -> Result<SystemTime, String> {
    parse_time(text)
        .map_err(|message| format!("{message}; give a position with --before-position, as in 1234"))
}

/// Parses a position for `trim --before-position`. The log checks later that it is its own.
pub(crate) fn parse_position(text: &str) -> Result<String, String> {
    position(text, "--before")
}

/// Parses a position to start at.
pub(crate) fn parse_start(text: &str) -> Result<String, String> {
    position(text, "--since")
}

/// Parses the name of a position.
pub(crate) fn parse_position_name(text: &str) -> Result<String, String> {
    let is_allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
    if (1..=64).contains(&text.len()) && text.bytes().all(is_allowed) {
        return Ok(text.to_owned());
    }
    Err("give 1 to 64 of the characters a-z, 0-9, `-` and `.`".to_owned())
}

fn position(text: &str, option_of_times: &str) -> Result<String, String> {
    let text = text.trim();
    if let Some(number) = ungrouped(text) {
        return Ok(number);
    }
    if text.contains(',') && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b',') {
        return Err(format!("write the number as in 1234 or 1,234: {text} may be several"));
    }
    let is_some = is_position(text).then(|| text.to_owned());
    is_some.ok_or_else(|| {
        format!(
            "write a position as in 1234, or the content of a position file; give a time with \
             {option_of_times}"
        )
    })
}

/// Returns the number of a position with separators, as `stat` prints it: `1,234`.
fn ungrouped(text: &str) -> Option<String> {
    let mut groups = text.split(',');
    let is_number = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let first = groups.next().filter(|first| (1..=3).contains(&first.len()) && is_number(first));
    let are_groups = groups.all(|group| group.len() == 3 && is_number(group));
    (first.is_some() && are_groups && text.contains(',')).then(|| text.replace(',', ""))
}

/// Returns whether the text looks like a position: digits alone, or with a character that a time
/// has at most in the first place.
fn is_position(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty()
        || text.contains([',', '_', '@']) && !text.starts_with('@')
}

/// Parses a time, a day or an age as microseconds since 1970.
fn parse_time_at(text: &str, now: Timestamp, zone: &dyn Zone) -> Result<u64, String> {
    let text = text.trim();
    let early = || "the time is before 1970".to_owned();
    if let Some(micros) = parse_epoch(text) {
        return Ok(micros);
    }
    if let Some(unclear) = unclear_unit(text) {
        return Err(unclear);
    }
    if let Some(age) = text.strip_prefix(['-', '+']).filter(|age| parse_age(age).is_some()) {
        return Err(without_sign(age));
    }
    let time = match parse_age(text) {
        Some(age) => now.checked_sub(age).map_err(|_| early())?,
        None if is_long_age(text) => return Err(early()),
        None => parse_moment(text, now, zone)?.ok_or_else(|| TIME_FORM.to_owned())?,
    };
    u64::try_from(time.as_microsecond()).map_err(|_| early())
}

/// Returns the error of an age that was written with a sign.
pub(crate) fn without_sign(age: &str) -> String {
    format!("write an age without a sign: {age} is that long ago")
}

/// Parses `@1700000000`, `@1700000000.5` or `1700000000` as microseconds.
fn parse_epoch(text: &str) -> Option<u64> {
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = match text.strip_prefix('@') {
        Some(seconds) => seconds,
        None => Some(text).filter(|text| text.len() == EPOCH_DIGITS && is_number(text))?,
    };
    let time = parse_units(&format!("{seconds}s")).filter(|_| seconds.split('.').all(is_number))?;
    let is_whole = time.subsec_nanos().is_multiple_of(1_000);
    u64::try_from(time.as_micros()).ok().filter(|_| is_whole)
}

/// Parses `1h30m`, `7d`, or `2 days ago`.
fn parse_age(text: &str) -> Option<Duration> {
    parse_units(text.strip_suffix("ago").unwrap_or(text))
}

/// Returns whether a text has the form of an age, and more digits than one can have.
fn is_long_age(text: &str) -> bool {
    const DIGITS_MAX: usize = 5;
    let short: String = text
        .split_inclusive(|c: char| !c.is_ascii_digit())
        .map(|part| part.get(part.len().saturating_sub(DIGITS_MAX)..).unwrap_or(part))
        .collect();
    parse_age(text).is_none() && short != text && parse_age(&short).is_some()
}

/// Parses a time with or without a zone, a day, or a word for a day.
fn parse_moment(text: &str, now: Timestamp, zone: &dyn Zone) -> Result<Option<Timestamp>, String> {
    let today = || zone().map(|zone| zone.to_datetime(now).date());
    let local = match text.to_ascii_lowercase().as_str() {
        "now" => return Ok(Some(now)),
        "today" => Some(today()?.into()),
        "yesterday" => today()?.yesterday().ok().map(Date::into),
        _ => match parse_local(text) {
            Some(local) => Some(local),
            None => return Ok(text.parse().ok().or_else(|| at_the_end(text))),
        },
    };
    match local {
        None => Ok(None),
        Some(local) if local.date() == Date::MAX => Ok(Some(Timestamp::MAX)),
        Some(local) => Ok(first_moment(local, &zone()?)),
    }
}

/// Returns the last moment, for a time with a zone on the last day.
fn at_the_end(text: &str) -> Option<Timestamp> {
    let parts = Pieces::parse(text).ok()?;
    (parts.date() == Date::MAX && parts.offset().is_some()).then_some(Timestamp::MAX)
}

/// Parses `2026-01-31`, and `2026-01-31 12:00` also with seconds, their fraction, and a `T` for the
/// space.
fn parse_local(text: &str) -> Option<DateTime> {
    // jiff also accepts 20260131.
    if text.len() == "2026-01-31".len() {
        return text.parse().ok().map(Date::into);
    }
    let forms = ["%F %H:%M", "%F %H:%M:%S%.f", "%FT%H:%M", "%FT%H:%M:%S%.f"];
    forms.iter().find_map(|form| DateTime::strptime(form, text).ok())
}

/// Returns the first moment at which clocks show this time. If they skip it, the moment when they
/// do.
fn first_moment(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let shown = zone.to_ambiguous_timestamp(local);
    let is_skipped = matches!(shown.offset(), AmbiguousOffset::Gap { .. });
    let time = shown.earlier().ok()?;
    match is_skipped {
        true => zone.following(time).next().map(|change| change.timestamp()),
        false => Some(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000;
    /// 9999-12-30T22:00:00.999999Z.
    const LAST: u64 = 253_402_207_200_999_999;

    fn micros(text: &str, zone: &TimeZone) -> Option<u64> {
        parse_time_at(text, Timestamp::from_second(NOW).unwrap(), &|| Ok(zone.clone())).ok()
    }

    #[test]
    fn times_days_and_ages_are_read() {
        // The time is 2023-11-14T22:13:20Z, and already the 15th two hours to the east.
        let east = TimeZone::fixed(jiff::tz::offset(2));
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
            ("9999-12-31", Some(LAST)),
            ("9999-12-31 23:59", Some(LAST)),
            ("9999-12-31T23:59:59Z", Some(LAST)),
            ("9999-12-30T12:00:00Z", Some(LAST - 36_000_999_999)),
            ("10000-01-01", None),
            ("1M", None),
            ("-1h", None),
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
            ("12:30:00", None),
            ("17000000.5", None),
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
        assert_eq!(micros("2023-11-14", &TimeZone::UTC), Some(1_699_920_000_000_000));
        for long in ["99999999d", "99999999999999999999h30m", "100000 weeks ago"] {
            assert_eq!(refusal(long, &east), "the time is before 1970", "{long}");
        }
        assert!(refusal("1M", &east).contains("months"));
        assert!(refusal("-7d", &east).contains("7d is that long ago"));
    }

    fn refusal(text: &str, zone: &TimeZone) -> String {
        let now = Timestamp::from_second(NOW).unwrap();
        parse_time_at(text, now, &|| Ok(zone.clone())).unwrap_err()
    }

    #[test]
    fn zone_is_asked_for_where_a_time_needs_one() {
        let now = Timestamp::from_second(NOW).unwrap();
        let unknown = || Err("no zone".to_owned());
        for text in ["2023-11-14T22:13:20Z", "1h", "@1700000000", "now", "9999-12-31"] {
            assert!(parse_time_at(text, now, &unknown).is_ok(), "{text}");
        }
        for text in ["2023-11-14", "today", "2023-11-14 22:13"] {
            assert_eq!(parse_time_at(text, now, &unknown), Err("no zone".to_owned()), "{text}");
        }
    }

    #[test]
    fn time_that_clocks_skip_or_show_twice_is_the_first_that_fits() {
        // Clocks that skipped 0:00 to 1:00 on this day, and showed 3:00 to 4:00 twice.
        let moved = TimeZone::posix("WINTER0SUMMER,J1/0,J1/4").unwrap();
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
            assert_eq!(micros(text, &moved), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn position_is_no_time_and_a_time_is_no_position() {
        let positions = [
            "0",
            "20260131",
            "1700000000",
            "340,batch_0001700000000000000_0000000a_3_00+17",
            "d1ccf6e9aaf95334@340",
        ];
        for text in positions {
            assert_eq!(parse_position(text), Ok(text.to_owned()));
            assert_eq!(parse_trim_time(text).is_ok(), text == "1700000000", "{text:?}");
        }
        for (text, number) in [("1,234", "1234"), ("12,345,678", "12345678")] {
            assert_eq!(parse_position(text), Ok(number.to_owned()));
        }
        for text in ["1,2", "1,2345", "1234,567", ",123"] {
            assert!(ungrouped(text).is_none(), "{text}");
            assert!(parse_position(text).unwrap_err().contains("as in 1234 or 1,234"), "{text}");
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
