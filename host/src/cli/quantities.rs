//! Sizes and durations as people type them.

use std::time::Duration;

use stratalog::store::{TIMEOUT_LIMIT, TIMEOUT_MIN};

const SIZE_FORM: &str = "write a number of bytes, or one with KiB, MiB or GiB, as in 64KiB";
const DURATION_FORM: &str = "write a number with ms, s, m or h, as in 500ms, or 0";

/// Reads `123`, `123B`, `64KiB`, `4MiB` or `1GiB`, in any case.
pub(super) fn parse_size(text: &str) -> Result<u64, String> {
    let (number, unit) = split_unit(text);
    let unit_bytes: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kib" => 1024,
        "mib" => 1024 * 1024,
        "gib" => 1024 * 1024 * 1024,
        _ => return Err(SIZE_FORM.to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| SIZE_FORM.to_owned())?;
    number.checked_mul(unit_bytes).ok_or_else(|| "it is more than any store has".to_owned())
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
            ("4294967296", None),
            ("4MB", None),
            ("MiB", None),
            ("-1", None),
            ("1.5MiB", None),
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
