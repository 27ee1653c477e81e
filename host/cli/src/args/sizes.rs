//! Parses numbers and sizes as people type them.
//!
//! The sizes are parsed here and not by `parse-size` or `bytesize`. To these, K and KB are one
//! unit, and here they differ. They also take what may be a mistake, such as 1.5 bytes. A layer for
//! that is as long as this.

use std::ops::RangeInclusive;

use stratalog::store::RETRY_MAX_LIMIT;

use crate::numbers::to_u64;
use crate::terminal::human::{count, grouped};

/// The bytes of a mebibyte.
pub(crate) const MIB: u64 = 1024 * 1024;

const SIZE_FORM: &str = "write a number of bytes, or one with K, M, G or T (or KiB and so on) for \
     steps of 1,024, with KB, MB, GB or TB for steps of 1,000, as in 64KiB";

/// The digits after the point of a size.
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
    let too_large = || "the size does not fit in 64 bits".to_owned();
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

/// Parses a number within a range.
pub(crate) fn number_within<T>(
    range: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<T, String> + Clone
where
    T: TryFrom<u64>,
{
    move |text| {
        let outside =
            || format!("give a number from {} to {}", range.start(), grouped(*range.end()));
        let number = text.trim().parse().ok().filter(|number| range.contains(number));
        number.and_then(|number| T::try_from(number).ok()).ok_or_else(outside)
    }
}

/// Parses the number of retries of a request.
pub(crate) fn retries() -> impl Fn(&str) -> Result<usize, String> + Clone {
    number_within(0..=to_u64(RETRY_MAX_LIMIT))
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
            format!("give a size from {least} to {most}")
        })
    }
}

/// Formats a size in the largest unit of which it is a whole number.
pub(crate) fn shown_size(bytes: u64) -> String {
    let units = [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.iter().find(|(unit, _)| bytes > 0 && bytes.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{}{name}", bytes / unit),
        None => format!("{bytes}"),
    }
}

/// Formats the value of an option for a message: as it can be typed, or to the byte.
pub(crate) fn limit_size(bytes: u64) -> String {
    match shown_size(bytes) {
        text if text.ends_with('B') => text,
        _ => count(bytes, "byte", "bytes").to_string(),
    }
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
    fn number_out_of_range_is_refused_with_the_range() {
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
            assert_eq!(size(text), Err("give a size from 1 to 32MiB".to_owned()), "{text}");
        }
    }
}
