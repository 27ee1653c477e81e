//! Conversions and sums of numbers. One rule for arithmetic holds in all of the logic:
//!
//! 1. Own counters, and numbers that decoding has checked, use plain `+` and `-`: an overflow is a
//!    bug and traps.
//! 2. Numbers from the store that are not checked yet use `checked_*`: an overflow is damage.
//! 3. Saturation is for limits, clocks and numbers that callers give.

/// Converts a length in memory, which always fits.
pub(crate) fn to_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Converts a number to a length in memory. One that does not fit exceeds every length.
pub(crate) fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The sum. None if it needs more than 64 bits.
pub(crate) fn sum(numbers: impl IntoIterator<Item = u64>) -> Option<u64> {
    numbers.into_iter().try_fold(0_u64, u64::checked_add)
}

/// Appends a number in decimal.
pub(crate) fn push_decimal(text: &mut String, number: u64) {
    text.push_str(itoa::Buffer::new().format(number));
}

/// Appends a number in decimal with 19 digits, as names have times.
pub(crate) fn push_padded(text: &mut String, number: u64) {
    const ZEROS: &str = "0000000000000000000";
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(number);
    text.push_str(ZEROS.get(digits.len()..).unwrap_or_default());
    text.push_str(digits);
}

/// Appends a number in hexadecimal with 16 digits, as names have identities.
pub(crate) fn push_hex(text: &mut String, number: u64) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [b'0'; 16];
    for (byte, shift) in digits.iter_mut().zip((0..64).step_by(4).rev()) {
        *byte = DIGITS.get(to_usize((number >> shift) & 0xf)).copied().unwrap_or_default();
    }
    text.push_str(std::str::from_utf8(&digits).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::{push_decimal, push_hex, push_padded};

    #[test]
    fn numbers_are_written_as_formatters_write_them() {
        for shift in 0..64 {
            for number in [0, 1, u64::MAX >> shift, 1 << shift, 0x0123_4567_89ab_cdef >> shift] {
                let mut text = String::new();
                push_decimal(&mut text, number);
                push_padded(&mut text, number);
                push_hex(&mut text, number);
                assert_eq!(text, format!("{number}{number:019}{number:016x}"));
            }
        }
    }
}
