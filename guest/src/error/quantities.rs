//! Formats numbers for people, in errors and messages.

/// Formats a number for people, with its unit: `1 event`, `1,234 events`.
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// Formats an exact size for people: `1 byte`, `1,234 bytes`.
pub(crate) fn size(bytes: u64) -> String {
    count(bytes, "byte", "bytes")
}

/// Formats a number for people, its digits in groups of three.
pub(crate) fn grouped(number: u64) -> String {
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
    fn numbers_for_people_have_groups_of_digits_and_the_unit_that_fits() {
        let table = [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1_000, "1,000 bytes")];
        for (bytes, text) in table {
            assert_eq!(size(bytes), text);
        }
        assert_eq!(grouped(u64::MAX), "18,446,744,073,709,551,615");
    }
}
