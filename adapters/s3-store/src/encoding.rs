//! The forms of texts and numbers in requests of S3.

use std::fmt::Write as _;
use std::time::Duration;

const SECONDS_OF_A_DAY: u64 = 86_400;

/// Encodes a text for a URL, as signatures need it: only unreserved characters stay.
pub fn uri(text: &str, keeps_slash: bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            b'/' if keeps_slash => encoded.push('/'),
            byte => _ = write!(encoded, "%{byte:02X}"),
        }
    }
    encoded
}

/// Returns the bytes in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len() * 2);
    bytes.iter().for_each(|byte| _ = write!(digits, "{byte:02x}"));
    digits
}

/// Returns a text for the content of an element of XML.
pub fn xml(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

/// Returns a time since 1970 as `20130524T000000Z`. Its first 8 characters are the date.
pub fn timestamp(since_1970: Duration) -> String {
    let seconds = since_1970.as_secs();
    let (year, month, day) = date_of(seconds / SECONDS_OF_A_DAY);
    let second = seconds % SECONDS_OF_A_DAY;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// Returns year, month and day of a number of days since 1970.
fn date_of(days: u64) -> (u64, u64, u64) {
    // Eras of 400 years, which begin in March: the leap day is the last day of a year.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_characters_stay_in_a_url() {
        assert_eq!(uri("a b/größe~#1", true), "a%20b/gr%C3%B6%C3%9Fe~%231");
        assert_eq!(uri("a/b+c=d&%", false), "a%2Fb%2Bc%3Dd%26%25");
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        let cases = [
            (0, "19700101T000000Z"),
            (951_782_400, "20000229T000000Z"),
            (1_369_353_600, "20130524T000000Z"),
            (1_709_251_199, "20240229T235959Z"),
            (4_107_542_400, "21000301T000000Z"),
        ];
        for (seconds, shown) in cases {
            assert_eq!(timestamp(Duration::from_secs(seconds)), shown);
        }
    }
}
