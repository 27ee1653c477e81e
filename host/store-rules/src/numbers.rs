//! Conversions of numbers, and their forms for people.

/// Converts a length in memory, which always fits.
pub fn to_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Converts a number to a length in memory. One that does not fit exceeds every length.
pub fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Formats a number with its unit: `1 event`, `1,234 events`.
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// Formats an exact size: `64 KiB` if it is a whole number of a unit, otherwise `1,234 bytes`.
pub fn size(bytes: u64) -> String {
    let units = [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.iter().find(|(unit, _)| bytes > 0 && bytes.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{} {name}", grouped(bytes / unit)),
        None => count(bytes, "byte", "bytes"),
    }
}

/// Formats a number, its digits in groups of three.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_groups_of_digits_and_the_unit_that_fits() {
        let sizes = [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1_000, "1,000 bytes"),
            (1_024, "1 KiB"),
            (1_025, "1,025 bytes"),
            (256 << 20, "256 MiB"),
            (4_095 << 20, "4,095 MiB"),
        ];
        for (bytes, text) in sizes {
            assert_eq!(size(bytes), text);
        }
        assert_eq!(count(1_234_567, "event", "events"), "1,234,567 events");
    }
}
