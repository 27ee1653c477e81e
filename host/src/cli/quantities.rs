//! Sizes and durations as people type them.

use std::time::Duration;

use stratalog::store::{TIMEOUT_LIMIT, TIMEOUT_MIN};

const SIZE_FORM: &str = "write a number of bytes, or one with K, M, G or T (or KiB and so on) for \
     steps of 1,024, with KB, MB, GB or TB for steps of 1,000, as in 64KiB";

const DURATION_FORM: &str = "write a number with ms, s, m or h, as in 500ms, or 0";

/// Digits behind the point of a size.
const FRACTION_DIGITS_MAX: usize = 6;

/// The units of a size, in small letters: letters alone and those with `ib` count in steps of 1,024,
/// as tools do, those with `b` in steps of 1,000.
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

/// Reads `123`, `123B`, `64KiB`, `64K`, `4MB` or `1.5 GiB`, in any case, also in quotes, which a
/// shell leaves where they are quoted once more.
pub(super) fn parse_size(text: &str) -> Result<u64, String> {
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
    // At most 10^6 times 10^12: it fits. What is less than a byte is left out.
    let (mut part, mut scale) = (0, 1);
    for digit in fraction.bytes() {
        part = part * 10 + u64::from(digit - b'0');
        scale *= 10;
    }
    bytes.checked_add(part * unit_bytes / scale).ok_or_else(too_large)
}

/// Takes off one pair of quotes.
fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let within = |quote| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    within('"').or_else(|| within('\'')).unwrap_or(text)
}

/// Reads a size of less than 4 GiB.
pub(super) fn parse_bytes(text: &str) -> Result<u32, String> {
    u32::try_from(parse_size(text)?).map_err(|_| "it is more than 4095MiB".to_owned())
}

/// Reads a size of memory: less than the component's code needs is refused at once.
pub(super) fn parse_memory(text: &str) -> Result<u32, String> {
    const LEAST: u32 = 4 * 1024 * 1024;
    let bytes = parse_bytes(text)?;
    if bytes < LEAST { Err("it is less than 4MiB".to_owned()) } else { Ok(bytes) }
}

/// Reads `500ms`, `2s`, `5m`, `1h` or `0`.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split_unit(text);
    let number: u32 = number.parse().map_err(|_| DURATION_FORM.to_owned())?;
    let unit_millis: u64 = match unit.to_ascii_lowercase().as_str() {
        "" if number == 0 => 0,
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(DURATION_FORM.to_owned()),
    };
    // 32 bits times 22 bits.
    Ok(Duration::from_millis(u64::from(number).saturating_mul(unit_millis)))
}

/// Reads the time limit of an operation of the store.
pub(super) fn parse_timeout(text: &str) -> Result<Duration, String> {
    let timeout = parse_duration(text)?;
    if (TIMEOUT_MIN..=TIMEOUT_LIMIT).contains(&timeout) {
        return Ok(timeout);
    }
    Err("it is not between 1s and 4m".to_owned())
}

/// Splits `64 KiB` into `64` and `KiB`.
pub(super) fn split_unit(text: &str) -> (&str, &str) {
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
            ("0", Some(0)),
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
            assert_eq!(parse_bytes(text).ok(), bytes, "{text:?}");
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
            ("2", None),
            ("2 days", None),
            ("s", None),
            ("", None),
        ];
        for (text, millis) in table {
            assert_eq!(parse_duration(text).ok(), millis.map(Duration::from_millis), "{text:?}");
        }
    }
}
