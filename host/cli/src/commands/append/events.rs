//! Separates events from blank lines. Knows no log and does no I/O.

use bytes::Bytes;

use crate::numbers::{to_u64, to_usize};

/// Whole lines, each ended by LF. All but the blank ones are events.
pub(crate) struct Lines {
    all: Bytes,
    events: Bytes,
    blank: Blank,
    /// The number of blank lines.
    blank_lines: u64,
}

/// The definition of a blank line.
#[derive(Clone, Copy)]
pub(crate) enum Blank {
    /// Without bytes: no event is empty.
    Empty,
    /// Only spaces, tabs and the like, such as the CR of CRLF.
    White,
}

impl Lines {
    pub(crate) fn of(all: Bytes, blank: Blank) -> Self {
        let mut events = Vec::new();
        let mut blank_lines: u64 = 0;
        // The start of the lines that are not copied yet, and of the current line.
        let (mut kept, mut start) = (0, 0);
        for end in memchr::memchr_iter(b'\n', &all) {
            let next = end + 1;
            if blank.is(all.get(start..end).unwrap_or_default()) {
                events.extend_from_slice(all.get(kept..start).unwrap_or_default());
                blank_lines += 1;
                kept = next;
            }
            start = next;
        }
        let events = if blank_lines == 0 {
            all.clone()
        } else {
            events.extend_from_slice(all.get(kept..).unwrap_or_default());
            events.into()
        };
        Self { all, events, blank, blank_lines }
    }

    /// Returns the events, each ended by LF.
    pub(crate) fn events(&self) -> Bytes {
        self.events.clone()
    }

    /// Returns the events without LF, each with the number of its line, from 1.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let lines = self.all.split(|byte| *byte == b'\n');
        let numbered = (1..).zip(lines).take(to_usize(self.count()));
        numbered.filter(|(_, line)| !self.blank.is(line))
    }

    /// Returns the number of lines.
    pub(crate) fn count(&self) -> u64 {
        number_of(&self.all)
    }

    /// Returns the number of blank lines.
    pub(crate) fn blank(&self) -> u64 {
        self.blank_lines
    }
}

impl Blank {
    pub(crate) fn is(self, line: &[u8]) -> bool {
        match self {
            Self::Empty => line.is_empty(),
            Self::White => line.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0x0b),
        }
    }
}

/// Returns the number of whole lines.
pub(crate) fn number_of(lines: &[u8]) -> u64 {
    to_u64(memchr::memchr_iter(b'\n', lines).count())
}

/// Returns the length of the lines before the first with a NUL byte, and the length of that line.
pub(crate) fn first_with_nul(lines: &[u8]) -> Option<(usize, usize)> {
    let nul = memchr::memchr(0, lines)?;
    let (before, after) = lines.split_at_checked(nul)?;
    let start = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
    let end = memchr::memchr(b'\n', after).map_or(lines.len(), |end| nul + end + 1);
    Some((start, end - start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_are_no_events_and_are_counted() {
        let table = [
            ("", "", 0, "", 0),
            ("a\nb\n", "a\nb\n", 0, "a\nb\n", 0),
            ("\n", "", 1, "", 1),
            ("\n\na\n\nb\n\n", "a\nb\n", 4, "a\nb\n", 4),
            (" a \n \t\r\n\r\nb\r\n", " a \nb\r\n", 2, " a \n \t\r\n\r\nb\r\n", 0),
            ("a\n\x0b\x0c\n\u{a0}\n", "a\n\u{a0}\n", 1, "a\n\x0b\x0c\n\u{a0}\n", 0),
        ];
        for (text, white, white_lines, empty, empty_lines) in table {
            let lines = Lines::of(Bytes::from(text), Blank::White);
            assert_eq!((lines.events(), lines.blank()), (white.into(), white_lines), "{text:?}");
            let lines = Lines::of(Bytes::from(text), Blank::Empty);
            assert_eq!((lines.events(), lines.blank()), (empty.into(), empty_lines), "{text:?}");
        }
    }

    #[test]
    fn events_keep_the_numbers_of_their_lines() {
        let lines = Lines::of(Bytes::from("\na\n\n\nb\nc\n \n"), Blank::White);
        let numbered: Vec<_> = lines.numbered().collect();
        assert_eq!(numbered, [(2, &b"a"[..]), (5, b"b"), (6, b"c")]);
        assert_eq!(lines.count(), 7);
    }

    #[test]
    fn first_line_with_a_nul_byte_is_found() {
        let table = [
            ("a\nb\n", None),
            ("\0\n", Some((0, 2))),
            ("a\nb\0c\nd\0\n", Some((2, 4))),
            ("a\n\0\nb\n", Some((2, 2))),
        ];
        for (lines, expected) in table {
            assert_eq!(first_with_nul(lines.as_bytes()), expected, "{lines:?}");
        }
    }
}
