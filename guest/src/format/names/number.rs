//! The numbers in names. A listing has several for each object, so no step calls another function.

/// A decimal number of 64 bits without leading zeros.
pub(crate) fn plain(text: &[u8]) -> Option<u64> {
    let has_zeros = text.len() > 1 && text.first() == Some(&b'0');
    decimal(text, text.len()).filter(|_| !has_zeros)
}

/// Exactly `digits` decimal digits.
pub(crate) fn decimal(text: &[u8], digits: usize) -> Option<u64> {
    number::<10>(text, digits)
}

/// Exactly `digits` lower-case hexadecimal digits.
pub(super) fn hex(text: &[u8], digits: usize) -> Option<u64> {
    number::<16>(text, digits)
}

fn number<const RADIX: u64>(text: &[u8], digits: usize) -> Option<u64> {
    if text.len() != digits || text.is_empty() {
        return None;
    }
    let mut number = 0_u64;
    for &byte in text {
        let digit = match byte {
            b'0'..=b'9' => u64::from(byte - b'0'),
            b'a'..=b'f' if RADIX == 16 => u64::from(byte - b'a') + 10,
            _ => return None,
        };
        if number > u64::MAX / RADIX {
            return None;
        }
        // The product fits, as just seen. A checked one costs a call in WebAssembly.
        number = number.wrapping_mul(RADIX).checked_add(digit)?;
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_is_read_as_far_as_64_bits_reach() {
        for number in [0, 9, 10, u64::MAX / 10, u64::MAX / 10 + 1, u64::MAX - 1, u64::MAX] {
            let (text, digits) = (number.to_string(), format!("{number:016x}"));
            assert_eq!(plain(text.as_bytes()), Some(number));
            assert_eq!(decimal(format!("{number:020}").as_bytes(), 20), Some(number));
            assert_eq!(hex(digits.as_bytes(), 16), Some(number));
        }
        for text in ["18446744073709551616", "18446744073709551620", "99999999999999999999"] {
            assert_eq!(plain(text.as_bytes()), None, "{text}");
        }
        assert_eq!(hex(b"10000000000000000", 17), None);
    }

    #[test]
    fn number_has_its_digits_and_nothing_else() {
        assert_eq!(
            (plain(b"0"), plain(b"00"), plain(b"01"), plain(b"")),
            (Some(0), None, None, None)
        );
        assert_eq!(
            (decimal(b"007", 3), decimal(b"07", 3), decimal(b"0007", 3)),
            (Some(7), None, None)
        );
        for text in [&b"+1"[..], b"-1", b" 1", b"1 ", b"1_0", b"a", b"\xff", "\u{661}".as_bytes()] {
            assert_eq!(plain(text), None, "{text:?}");
        }
        assert_eq!(
            (hex(b"0a", 2), hex(b"0A", 2), hex(b"0g", 2), hex(b"+a", 2)),
            (Some(10), None, None, None)
        );
        assert_eq!((hex(b"", 0), decimal(b"", 0)), (None, None));
    }
}
