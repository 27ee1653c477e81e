//! Parses sizes and durations as people type them.

use std::ops::RangeInclusive;
use std::time::Duration;

use indicatif::HumanCount;
use stratalog::LogOptions;
use stratalog::store::{RETRY_MAX_LIMIT, TIMEOUT_LIMIT, TIMEOUT_MIN};

/// The bytes of a mebibyte.
pub(crate) const MIB: u64 = 1024 * 1024;

const SIZE_FORM: &str = "write a number of bytes, or one with K, M, G or T (or KiB and so on) for \
     steps of 1,024, with KB, MB, GB or TB for steps of 1,000, as in 64KiB";

const DURATION_FORM: &str = "write numbers with w, d, h, m, s or ms, as in 500ms, 1.5s or 1h30m";

/// The units of a duration, in lower case, in milliseconds.
const TIME_UNITS: [(&[&str], u64); 6] = [
    (&["ms", "millisecond", "milliseconds"], 1),
    (&["s", "sec", "secs", "second", "seconds"], 1_000),
    (&["m", "min", "mins", "minute", "minutes"], 60_000),
    (&["h", "hr", "hrs", "hour", "hours"], 3_600_000),
    (&["d", "day", "days"], 86_400_000),
    (&["w", "week", "weeks"], 604_800_000),
];

/// The digits after the point of a size or a duration.
const FRACTION_DIGITS_MAX: usize = 6;

/// The units of a size, in lower case. Single letters and those with `ib` count in steps of 1,024,
/// as tools do. Those with `b` count in steps of 1,000.
const SIZE_UNITS: [(&[&str], u64); 9] = [
    (&["", "b", "byte", "bytes"], 1),
    (&["k", "kib"], 1 << 10),
    (&["m", "mib"], 1 << 20),
    (&["g", "gib"], 1 << 30),
    (&["t", "tib"], 1 << 40),
    (&["kb"], 1_000),
    (&["mb"], 1_000_000),
    (&["gb"], 1_000_000_000),
    (&["tb"], 1_000_000_000_000),
];

/// Parses `123`, `123B`, `64KiB`, `64K`, `4MB` or `1.5 GiB`, in any case. Quotes are accepted: a
/// shell keeps the inner ones of two pairs.
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    let too_large = || "it is more than any store has".to_owned();
    let (whole, rest) = split_unit(unquoted(text));
    let (fraction, unit) = match rest.strip_prefix('.') {
        Some(rest) => split_unit(rest),
        None => ("", rest),
    };
    let unit = unit.to_ascii_lowercase();
    let units = SIZE_UNITS.iter().find(|(names, _)| names.contains(&unit.as_str()));
    let (_, unit_bytes) = units.ok_or_else(|| SIZE_FORM.to_owned())?;
    let broken = rest.starts_with('.') && (fraction.is_empty() || *unit_bytes == 1);
    if whole.is_empty() || broken || fraction.len() > FRACTION_DIGITS_MAX {
        return Err(SIZE_FORM.to_owned());
    }
    let whole: u64 = whole.parse().map_err(|_| too_large())?;
    let bytes = whole.checked_mul(*unit_bytes).ok_or_else(too_large)?;
    // At most 10^6 times 10^12, which fits. Fractions of a byte are dropped.
    let (mut part, mut scale) = (0, 1);
    for digit in fraction.bytes() {
        part = part * 10 + u64::from(digit - b'0');
        scale *= 10;
    }
    bytes.checked_add(part * unit_bytes / scale).ok_or_else(too_large)
}

/// Removes one pair of quotes.
fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let within = |quote| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    within('"').or_else(|| within('\'')).unwrap_or(text)
}

/// Parses `500ms`, `1.5s`, `1h30m` or `0`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    match text.trim() {
        "0" => Ok(Duration::ZERO),
        text => parse_units(text).ok_or_else(|| format!("{DURATION_FORM}; or 0")),
    }
}

/// Parses numbers with units, the larger unit first: `1h30m`, `1.5 h`, `2 days`.
pub(crate) fn parse_units(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    let mut unit_before = Duration::MAX;
    while !rest.is_empty() || unit_before == Duration::MAX {
        let number_ends = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at(number_ends);
        let behind = behind.trim_start();
        let unit_ends = behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(unit_ends);
        let unit = unit.to_ascii_lowercase();
        let (_, millis) = TIME_UNITS.iter().find(|(names, _)| names.contains(&unit.as_str()))?;
        let unit = Duration::from_millis(*millis);
        if unit >= unit_before {
            return None;
        }
        total = total.checked_add(times(unit, number)?)?;
        (unit_before, rest) = (unit, behind.trim_start());
    }
    Some(total)
}

/// Multiplies a unit by a decimal number, as in `1.5`.
fn times(unit: Duration, number: &str) -> Option<Duration> {
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return None,
        None => (number, ""),
    };
    if fraction.len() > FRACTION_DIGITS_MAX || fraction.contains('.') {
        return None;
    }
    let mut total = unit.checked_mul(whole.parse().ok()?)?;
    let mut part = unit;
    for digit in fraction.bytes() {
        part /= 10;
        total = total.checked_add(part.checked_mul(u32::from(digit - b'0'))?)?;
    }
    Some(total)
}

/// Parses a number within a range.
pub(crate) fn number_within<T>(
    range: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<T, String> + Clone
where
    T: TryFrom<u64>,
{
    move |text| {
        let outside =
            || format!("give a number from {} to {}", range.start(), HumanCount(*range.end()));
        let number = text.trim().parse().ok().filter(|number| range.contains(number));
        number.and_then(|number| T::try_from(number).ok()).ok_or_else(outside)
    }
}

/// Parses the number of retries of a request.
pub(crate) fn retries() -> impl Fn(&str) -> Result<usize, String> + Clone {
    number_within(0..=u64::try_from(RETRY_MAX_LIMIT).unwrap_or(u64::MAX))
}

/// Parses a size within a range.
pub(crate) fn size_within<T>(
    range: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<T, String> + Clone
where
    T: TryFrom<u64>,
{
    move |text| {
        let bytes = parse_size(text)?;
        let within = range.contains(&bytes).then(|| T::try_from(bytes).ok()).flatten();
        within.ok_or_else(|| {
            let (least, most) = (shown_size(*range.start()), shown_size(*range.end()));
            format!("it is not between {least} and {most}")
        })
    }
}

/// Formats a size in the largest unit of which it is a whole number.
fn shown_size(bytes: u64) -> String {
    let units = [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.iter().find(|(unit, _)| bytes > 0 && bytes.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{}{name}", bytes / unit),
        None => format!("{bytes}"),
    }
}

/// Parses the interval between flushes.
pub(crate) fn parse_interval(text: &str) -> Result<Duration, String> {
    const LEAST: Duration = Duration::from_millis(1);
    let interval = parse_duration(text)?;
    if interval.is_zero() || (LEAST..=LogOptions::FLUSH_INTERVAL_MAX).contains(&interval) {
        return Ok(interval);
    }
    Err("it is not between 1ms and 24h, and not 0 for never".to_owned())
}

/// Parses the time limit of a store operation.
pub(crate) fn parse_timeout(text: &str) -> Result<Duration, String> {
    let timeout = parse_units(text).ok_or_else(|| DURATION_FORM.to_owned())?;
    if (TIMEOUT_MIN..=TIMEOUT_LIMIT).contains(&timeout) {
        return Ok(timeout);
    }
    Err("it is not between 1s and 4m".to_owned())
}

/// Splits `64 KiB` into `64` and `KiB`.
fn split_unit(text: &str) -> (&str, &str) {
    let text = text.trim();
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    (number, unit.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        let table = [
            ("0", None),
            ("1", Some(1)),
            ("17", Some(17)),
            ("17B", Some(17)),
            ("64KiB", Some(65_536)),
            ("64 kib", Some(65_536)),
            ("4MiB", Some(4_194_304)),
            ("3GiB", Some(3_221_225_472)),
            ("4095MiB", Some(4_293_918_720)),
            ("4096MiB", None),
            ("4GiB", None),
            ("18446744073709551615GiB", None),
            ("99999999999999999999", None),
            ("4294967296", None),
            ("4M", Some(4_194_304)),
            ("4m", Some(4_194_304)),
            ("4 M", Some(4_194_304)),
            ("4MB", Some(4_000_000)),
            ("4 mb", Some(4_000_000)),
            ("64k", Some(65_536)),
            ("64kB", Some(64_000)),
            ("1G", Some(1_073_741_824)),
            ("2GB", Some(2_000_000_000)),
            ("512 bytes", Some(512)),
            ("\"4 MiB\"", Some(4_194_304)),
            ("'4M'", Some(4_194_304)),
            (" 4MiB ", Some(4_194_304)),
            ("1.5MiB", Some(1_572_864)),
            ("0.001 kB", Some(1)),
            ("1.0000001M", None),
            ("1.5", None),
            ("1.5B", None),
            ("1.MiB", None),
            (".5MiB", None),
            ("1.5.5MiB", None),
            ("MiB", None),
            ("-1", None),
            ("4MiB\"", None),
            ("\"", None),
            ("4 Mi", None),
            ("1e6", None),
            ("1,000", None),
            ("4\u{2167}", None),
            ("", None),
        ];
        for (text, bytes) in table {
            assert_eq!(size_within::<u32>(1..=u64::from(u32::MAX))(text).ok(), bytes, "{text:?}");
        }
    }

    #[test]
    fn durations_are_read_with_their_units() {
        let table = [
            ("0", Some(0)),
            ("0s", Some(0)),
            ("500ms", Some(500)),
            ("2s", Some(2_000)),
            ("5m", Some(300_000)),
            ("24h", Some(86_400_000)),
            ("1h30m", Some(5_400_000)),
            ("1d 2h 3m 4s 5ms", Some(93_784_005)),
            ("1.5s", Some(1_500)),
            ("0.25 min", Some(15_000)),
            ("2 days", Some(172_800_000)),
            ("1W", Some(604_800_000)),
            ("2", None),
            ("30m1h", None),
            ("1m1m", None),
            ("1h30", None),
            ("1.s", None),
            (".5s", None),
            ("1.2.3s", None),
            ("4294967296w", None),
            ("1 month", None),
            ("-1s", None),
            ("s", None),
            ("", None),
        ];
        for (text, millis) in table {
            assert_eq!(parse_duration(text).ok(), millis.map(Duration::from_millis), "{text:?}");
        }
    }

    #[test]
    fn what_is_out_of_range_is_refused_with_the_range() {
        let number = number_within::<u32>(1..=1_000_000);
        assert_eq!(number("1000000"), Ok(1_000_000));
        for text in ["0", "1000001", "-1", "x", ""] {
            assert_eq!(number(text), Err("give a number from 1 to 1,000,000".to_owned()));
        }
        let number = number_within::<u64>(0..=u64::MAX);
        assert_eq!(number("18446744073709551615"), Ok(u64::MAX));
        let all = Err("give a number from 0 to 18,446,744,073,709,551,615".to_owned());
        assert_eq!(number("18446744073709551616"), all);
        let size = size_within::<u32>(1..=32 << 20);
        assert_eq!(size("32M"), Ok(33_554_432));
        for text in ["0", "33MiB", "8G"] {
            assert_eq!(size(text), Err("it is not between 1 and 32MiB".to_owned()), "{text}");
        }
        assert!(parse_interval("25h").is_err() && parse_interval("0.5ms").is_err());
        assert_eq!(parse_interval("0"), Ok(Duration::ZERO));
        for text in ["0", "5", "0s"] {
            let message = parse_timeout(text).unwrap_err();
            assert!(!message.contains("or 0"), "{text}: {message}");
        }
        assert!(parse_duration("5").unwrap_err().ends_with("; or 0"));
    }
}
