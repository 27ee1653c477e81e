//! Times as people type them, and positions where a time could stand.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, NaiveDate, NaiveTime};
use stratalog::TrimPoint;

use super::quantities::split_unit;

const TIME_FORM: &str = "write a time as in 2026-01-31T12:00:00Z, a date as in 2026-01-31, \
     or an age as in 90s, 30m, 12h, 7d or 4w";

/// Reads a time, a date or an age as microseconds since 1970.
pub(super) fn parse_time(text: &str) -> Result<u64, String> {
    // A clock before 1970 has bigger problems.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    parse_time_at(text.trim(), now)
}

/// Reads a position, or else a time, a date or an age.
pub(super) fn parse_trim_point(text: &str) -> Result<TrimPoint, String> {
    let text = text.trim();
    if is_position(text) {
        return Ok(TrimPoint::Position(text.to_owned()));
    }
    match parse_time(text) {
        Ok(micros) => Ok(TrimPoint::Time(micros)),
        Err(message) => Err(format!("{message}; or a position, as in 1234")),
    }
}

/// Positions are digits alone, or have one of these characters, which no time has.
fn is_position(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty()
        || text.contains([',', '_', '@'])
}

fn parse_time_at(text: &str, now: Duration) -> Result<u64, String> {
    let micros = if let Some(age) = parse_age(text) {
        let moment = now.checked_sub(age).ok_or_else(|| "it is before 1970".to_owned())?;
        i64::try_from(moment.as_micros()).ok()
    } else if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        Some(time.timestamp_micros())
    } else if let (10, Ok(date)) = (text.len(), NaiveDate::parse_from_str(text, "%Y-%m-%d")) {
        Some(date.and_time(NaiveTime::MIN).and_utc().timestamp_micros())
    } else {
        return Err(TIME_FORM.to_owned());
    };
    micros
        .and_then(|micros| u64::try_from(micros).ok())
        .ok_or_else(|| "it is before 1970".to_owned())
}

/// Reads `90s`, `30m`, `12h`, `7d` or `4w`.
fn parse_age(text: &str) -> Option<Duration> {
    let (number, unit) = split_unit(text);
    let unit_seconds: u64 = match unit.to_ascii_lowercase().as_str() {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    let number: u32 = number.parse().ok()?;
    Some(Duration::from_secs(u64::from(number).saturating_mul(unit_seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_700_000_000);

    #[test]
    fn times_dates_and_ages_are_read() {
        let table = [
            ("2023-11-14T22:13:20Z", Some(1_700_000_000_000_000)),
            ("2023-11-14T23:13:20.000001+01:00", Some(1_700_000_000_000_001)),
            ("2023-11-14", Some(1_699_920_000_000_000)),
            ("1970-01-01", Some(0)),
            ("0s", Some(1_700_000_000_000_000)),
            ("90s", Some(1_699_999_910_000_000)),
            ("30m", Some(1_699_998_200_000_000)),
            ("12h", Some(1_699_956_800_000_000)),
            ("7d", Some(1_699_395_200_000_000)),
            ("7 D", Some(1_699_395_200_000_000)),
            ("1w", Some(1_699_395_200_000_000)),
            ("1969-12-31", None),
            ("100000d", None),
            ("4294967296d", None),
            ("2023-11-14T22:13:20", None),
            ("2023-13-01", None),
            ("2023-1-1", None),
            ("20231114", None),
            ("7", None),
            ("7 months", None),
            ("yesterday", None),
            ("d", None),
            ("", None),
        ];
        for (text, micros) in table {
            assert_eq!(parse_time_at(text, NOW).ok(), micros, "{text:?}");
        }
    }

    #[test]
    fn what_could_be_a_position_is_one() {
        let positions = [
            "0",
            "20260131",
            "340,batch_0001700000000000000_0000000a_3_00+17",
            "7,",
            "d1ccf6e9aaf95334@340",
        ];
        for text in positions {
            assert_eq!(parse_trim_point(text), Ok(TrimPoint::Position(text.to_owned())));
        }
        let table = ["2026-01-31", "2026-01-31T12:00:00+01:00", "30d", "0s"];
        for text in table {
            assert!(matches!(parse_trim_point(text), Ok(TrimPoint::Time(_))), "{text:?}");
        }
        for text in ["", "-1", "soon", "2026/01/31"] {
            assert!(parse_trim_point(text).is_err(), "{text:?}");
        }
    }
}
