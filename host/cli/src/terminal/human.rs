//! Formats numbers and times for people.

use std::fmt;
use std::io::{self, ErrorKind};
use std::time::{SystemTime, UNIX_EPOCH};

use indicatif::{HumanBytes, HumanCount};
use jiff::Timestamp;
pub(crate) use stratalog_store_rules::text::visible;

/// Formats a number with its unit, such as `1 event` or `1,234 events`.
pub(crate) fn count(number: u64, one: &str, many: &str) -> impl fmt::Display {
    let unit = if number == 1 { one } else { many };
    format!("{} {unit}", HumanCount(number))
}

/// Formats a number alone, its digits in groups of three.
pub(crate) fn grouped(number: u64) -> impl fmt::Display {
    HumanCount(number)
}

/// Formats a size in a unit that fits, such as `34 B` or `95.21 KiB`.
pub(crate) fn size(bytes: u64) -> impl fmt::Display {
    HumanBytes(bytes)
}

/// Formats a size to the byte, and from 1 KiB on also in a unit that fits.
pub(crate) fn exact_size(bytes: u64) -> String {
    match bytes {
        0..1024 => grouped(bytes).to_string(),
        _ => format!("{} ({})", grouped(bytes), size(bytes)),
    }
}

/// Describes an error at a path in the words of this program.
pub(crate) fn cause(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::IsADirectory => "it is a folder; name a file".to_owned(),
        ErrorKind::NotADirectory => {
            "a part of the path is not a folder; correct the path".to_owned()
        }
        _ => error.to_string(),
    }
}

/// Formats a time as RFC 3339 in UTC. A time outside the calendar is a number.
pub(crate) fn time(time: SystemTime) -> String {
    match Timestamp::try_from(time) {
        Ok(time) => format!("{time:.6}"),
        Err(_) => {
            let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
            format!("{} microseconds after 1970", since.as_micros())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn time_is_rfc_3339_in_utc_with_microseconds() {
        let of = |micros| time(UNIX_EPOCH + Duration::from_micros(micros));
        assert_eq!(of(1_738_324_800_000_001), "2025-01-31T12:00:00.000001Z");
        assert_eq!(of(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(of(u64::MAX), "18446744073709551615 microseconds after 1970");
    }

    #[test]
    fn count_has_the_unit_that_fits() {
        assert_eq!(count(1, "event", "events").to_string(), "1 event");
        assert_eq!(count(1_234, "event", "events").to_string(), "1,234 events");
    }
}
