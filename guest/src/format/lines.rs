//! Events and packed lines: the rules for an event. Only this file knows them.
//!
//! Packed lines are events joined, each ended by one LF; the same bytes that a batch holds.

use crate::error::{Error, EventFault};
use crate::format::numbers::to_u64;

/// Checks one event.
pub(crate) fn check_event(event: &[u8], bytes_max: u64) -> Result<(), Error> {
    let fault = check_length(event.len(), bytes_max)
        .or_else(|| memchr::memchr(b'\n', event).map(|_| EventFault::LineFeed));
    fault.map_or(Ok(()), |fault| Err(Error::InvalidEvent { line: 0, fault }))
}

/// Checks packed lines and counts them.
pub(crate) fn check_lines(lines: &[u8], bytes_max: u64) -> Result<u64, Error> {
    let mut line = 0;
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', lines) {
        if let Some(fault) = check_length(end - start, bytes_max) {
            return Err(Error::InvalidEvent { line, fault });
        }
        line += 1;
        start = end + 1;
    }
    if start < lines.len() {
        return Err(Error::InvalidEvent { line, fault: EventFault::Unterminated });
    }
    Ok(line)
}

fn check_length(bytes: usize, bytes_max: u64) -> Option<EventFault> {
    let bytes = to_u64(bytes);
    if bytes == 0 {
        Some(EventFault::Empty)
    } else if bytes > bytes_max {
        Some(EventFault::TooLong { bytes, bytes_max })
    } else {
        None
    }
}

/// Counts packed lines.
pub(crate) fn count(lines: &[u8]) -> u64 {
    to_u64(memchr::memchr_iter(b'\n', lines).count())
}

/// Makes packed lines of a legacy batch's bytes: drops empty lines and ends the last one.
pub(crate) fn pack_legacy_lines(mut lines: Vec<u8>) -> Vec<u8> {
    let ended = lines.last().is_none_or(|&byte| byte == b'\n');
    let has_empty =
        lines.first() == Some(&b'\n') || memchr::memmem::find(&lines, b"\n\n").is_some();
    if has_empty {
        // In place: the lines may be as large as memory allows.
        let mut before = b'\n';
        lines.retain(|&byte| {
            let keep = byte != b'\n' || before != b'\n';
            before = byte;
            keep
        });
    }
    if !ended {
        lines.push(b'\n');
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &str, expected: Result<u64, (u64, EventFault)>) {
        let expected = expected.map_err(|(line, fault)| Error::InvalidEvent { line, fault });
        assert_eq!(check_lines(lines.as_bytes(), 5), expected, "{lines:?}");
    }

    #[test]
    fn lines_are_counted_or_the_first_bad_one_is_named() {
        check("", Ok(0));
        check("a\n", Ok(1));
        check("a\nbcdef\n", Ok(2));
        check("a\n\nb\n", Err((1, EventFault::Empty)));
        check("\n", Err((0, EventFault::Empty)));
        check("a\nbcdefg\n", Err((1, EventFault::TooLong { bytes: 6, bytes_max: 5 })));
        check("a\nb", Err((1, EventFault::Unterminated)));
    }

    #[test]
    fn event_is_one_line_of_one_byte_or_more() {
        assert_eq!(check_event(b"abc", 3), Ok(()));
        let fault = |event: &[u8]| match check_event(event, 3) {
            Err(Error::InvalidEvent { line: 0, fault }) => fault,
            other => panic!("{other:?}"),
        };
        assert_eq!(fault(b""), EventFault::Empty);
        assert_eq!(fault(b"a\nb"), EventFault::LineFeed);
        assert_eq!(fault(b"a\n"), EventFault::LineFeed);
        assert_eq!(fault(b"abcd"), EventFault::TooLong { bytes: 4, bytes_max: 3 });
    }

    #[test]
    fn old_lines_lose_their_gaps_and_get_their_last_end() {
        for (legacy, packed) in [
            ("", ""),
            ("\n", ""),
            ("\n\n\n", ""),
            ("a", "a\n"),
            ("a\nb\n", "a\nb\n"),
            ("a\n\nb", "a\nb\n"),
            ("\na\n\n\nb\n\n", "a\nb\n"),
        ] {
            let found = pack_legacy_lines(legacy.as_bytes().to_vec());
            assert_eq!(found, packed.as_bytes(), "{legacy:?}");
        }
    }
}
