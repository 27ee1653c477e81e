//! Parses a line of an access log in the combined format, strictly.
//!
//! `HOST IDENT USER [TIME] "METHOD TARGET PROTOCOL" STATUS BYTES "REFERER" "AGENT"`
//!
//! Any other line is not understood: it is counted, never guessed at. Servers write control
//! characters as escapes, so a line with a control character is not from a server.

use std::str::Chars;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// One request and its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Access<'a> {
    /// In RFC 3339, with the server's own offset.
    pub(crate) time: String,
    pub(crate) host: &'a str,
    pub(crate) method: &'a str,
    /// The target without its query.
    pub(crate) path: &'a str,
    /// 100 to 599.
    pub(crate) status: u16,
}

/// Parses a line without its line ending; none if it is not understood.
pub(crate) fn parse(line: &[u8]) -> Option<Access<'_>> {
    let line = std::str::from_utf8(line).ok()?;
    if line.chars().any(char::is_control) {
        return None;
    }
    let mut rest = Rest(line);
    let host = rest.word()?;
    rest.word()?;
    rest.word()?;
    let time = time(rest.between('[', ']')?)?;
    rest.literal(" ")?;
    let (method, path) = request(rest.quoted()?)?;
    rest.literal(" ")?;
    let status = rest.word()?;
    let bytes = rest.word()?;
    rest.quoted()?;
    rest.literal(" ")?;
    rest.quoted()?;
    let is_size = bytes == "-" || all_digits(bytes);
    let is_status = status.len() == 3 && matches!(status.chars().next()?, '1'..='5');
    if !rest.0.is_empty() || !is_size || !is_status || !all_digits(status) {
        return None;
    }
    Some(Access { time, host, method, path, status: status.parse().ok()? })
}

/// Parses `10/Oct/2000:13:55:36 -0700`.
fn time(text: &str) -> Option<String> {
    let (date, clock) = text.split_once(':')?;
    let (clock, offset) = clock.split_once(' ')?;
    let mut parts = date.split('/');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let mut units = clock.split(':');
    let (hour, minute, second) = (units.next()?, units.next()?, units.next()?);
    let (sign, offset) = (offset.get(..1)?, offset.get(1..)?);
    let fits = number(day, 2, 1, 31)
        && number(year, 4, 0, 9999)
        && number(hour, 2, 0, 23)
        && number(minute, 2, 0, 59)
        && number(second, 2, 0, 60)
        && number(offset, 4, 0, 9999)
        && matches!(sign, "+" | "-")
        && parts.next().is_none()
        && units.next().is_none();
    let (hours, minutes) = (offset.get(..2)?, offset.get(2..)?);
    fits.then(|| format!("{year}-{month:02}-{day}T{hour}:{minute}:{second}{sign}{hours}:{minutes}"))
}

/// Parses `GET /path?query HTTP/1.1`.
fn request(text: &str) -> Option<(&str, &str)> {
    let mut words = text.split(' ');
    let (method, target, protocol) = (words.next()?, words.next()?, words.next()?);
    let version = protocol.strip_prefix("HTTP/")?;
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    let fits = !method.is_empty()
        && method.bytes().all(|byte| byte.is_ascii_uppercase())
        && !target.is_empty()
        && number(major, 1, 0, 9)
        && number(minor, 1, 0, 9)
        && words.next().is_none();
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    fits.then_some((method, path))
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns whether the text is a number of this many digits in this range.
fn number(text: &str, digits: usize, from: u16, to: u16) -> bool {
    let value = text.parse().is_ok_and(|value: u16| (from..=to).contains(&value));
    text.len() == digits && all_digits(text) && value
}

/// The rest of a line.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    /// Takes anything but spaces, and the space after it.
    fn word(&mut self) -> Option<&'a str> {
        let (word, rest) = self.0.split_once(' ')?;
        self.0 = rest;
        (!word.is_empty()).then_some(word)
    }

    fn literal(&mut self, text: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    fn between(&mut self, open: char, close: char) -> Option<&'a str> {
        let (inside, rest) = self.0.strip_prefix(open)?.split_once(close)?;
        self.0 = rest;
        Some(inside)
    }

    /// Takes `"..."`, where a backslash and a printable ASCII character form one escape.
    fn quoted(&mut self) -> Option<&'a str> {
        let text = self.0.strip_prefix('"')?;
        let mut chars: Chars<'_> = text.chars();
        loop {
            let behind = chars.as_str();
            match chars.next()? {
                '"' => {
                    self.0 = chars.as_str();
                    return text.get(..text.len() - behind.len());
                }
                '\\' if !chars.next()?.is_ascii_graphic() => return None,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = concat!(
        r#"192.0.2.7 - frank [10/Oct/2000:13:55:36 -0700] "POST /pay?card=1 HTTP/1.1" 502 2326 "#,
        r#""-" "curl/8 \"x\"""#
    );

    #[test]
    fn combined_line_is_taken_apart() {
        let expected = Access {
            time: "2000-10-10T13:55:36-07:00".to_owned(),
            host: "192.0.2.7",
            method: "POST",
            path: "/pay",
            status: 502,
        };
        assert_eq!(parse(LINE.as_bytes()), Some(expected));
        for (from, to) in [("2326", "-"), ("HTTP/1.1", "HTTP/2"), ("curl", "Zoë"), ("/pay", "*")] {
            assert!(parse(LINE.replace(from, to).as_bytes()).is_some(), "{from} {to}");
        }
    }

    #[test]
    fn line_with_anything_out_of_place_is_not_understood() {
        let table = [
            ("192.0.2.7 ", ""),
            ("192", " 192"),
            ("frank", "fr ank"),
            ("frank [", "frank  ["),
            ("10/Oct", "0/Oct"),
            ("10/Oct", "32/Oct"),
            ("Oct", "oct"),
            ("2000:13", "2000:24"),
            ("36 -0700", "61 -0700"),
            ("36 -0700", "36 0700"),
            ("36 -0700", "36 -07000"),
            ("-0700]", "-0700"),
            ("POST /pay", "POST  /pay"),
            ("POST", "post"),
            ("POST /pay?card=1 HTTP/1.1", "-"),
            ("HTTP/1.1", "HTTP/1.1.1"),
            ("HTTP/1.1", "SPDY/1"),
            ("502", "600"),
            ("502", "0502"),
            ("502", "+50"),
            ("2326", "23a6"),
            ("\"-\"", "-"),
            ("\\\"x\\\"\"", "\\\"x\\\""),
            ("x\\\"\"", "x\\\"\" more"),
            ("curl", "\u{1b}[2J"),
            ("curl", "\u{9b}2J"),
            ("curl", "cu\\\u{e9}"),
        ];
        for (from, to) in table {
            let line = LINE.replace(from, to);
            assert_ne!(line, LINE);
            assert_eq!(parse(line.as_bytes()), None, "{line:?}");
        }
        assert_eq!(parse(b""), None);
        assert_eq!(parse(&LINE.as_bytes().repeat(2)), None);
        let latin1: Vec<u8> =
            LINE.bytes().map(|byte| if byte == b'c' { 0xe9 } else { byte }).collect();
        assert_eq!(parse(&latin1), None);
    }
}
