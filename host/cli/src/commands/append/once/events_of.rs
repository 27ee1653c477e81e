//! Takes the events out of whole lines of a file. Knows no file.
//!
//! 1. The same lines and the same rules give the same events, in any run. So a batch that is made
//!    again has the same bytes.

use crate::commands::append::events::Blank;
use crate::numbers::to_usize;

/// The lines that are events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rules {
    pub(super) event_bytes_max: u64,
    /// NUL bytes and lines of white space are data.
    pub(super) binary: bool,
    /// Lines that are no events are left out; otherwise they end the command.
    pub(super) skip_invalid: bool,
}

/// The most to take of some lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) events: u64,
    pub(super) bytes: u64,
}

/// The events taken of some lines.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// The bytes of the lines that were taken or left out.
    pub(super) bytes: usize,
    /// The number of these lines.
    pub(super) lines: u64,
    pub(super) events: u64,
    pub(super) blank: u64,
    /// The lines left out as invalid, by their number from 0, with the reason.
    pub(super) skipped: Vec<(u64, Invalid)>,
    /// The reason why the next line is not taken and ends the command.
    pub(super) stop: Option<Invalid>,
}

/// The reason why a line is no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Invalid {
    TooLong,
    Nul,
}

impl Rules {
    fn check(&self, line: &[u8]) -> Option<Invalid> {
        if line.len() > to_usize(self.event_bytes_max) {
            Some(Invalid::TooLong)
        } else if !self.binary && memchr::memchr(0, line).is_some() {
            Some(Invalid::Nul)
        } else {
            None
        }
    }

    fn is_blank(&self, line: &[u8]) -> bool {
        let blank = if self.binary { Blank::Empty } else { Blank::White };
        blank.is(line)
    }

    /// Adds events of whole lines, each ended by LF, to `events`, as far as there is room. One
    /// is added in any case if there are none yet.
    pub(super) fn take(&self, lines: &[u8], room: Room, events: &mut Vec<u8>) -> Taken {
        let mut taken = Taken::default();
        let mut added = 0;
        for end in memchr::memchr_iter(b'\n', lines) {
            let line = lines.get(taken.bytes..end).unwrap_or_default();
            if self.is_blank(line) {
                taken.blank += 1;
            } else if let Some(invalid) = self.check(line) {
                if !self.skip_invalid {
                    taken.stop = Some(invalid);
                    break;
                }
                taken.skipped.push((taken.lines, invalid));
            } else {
                let bytes = line.len() + 1;
                let is_full = taken.events >= room.events || added + bytes > to_usize(room.bytes);
                if is_full && !events.is_empty() {
                    break;
                }
                events.extend_from_slice(line);
                events.push(b'\n');
                added += bytes;
                taken.events += 1;
            }
            taken.bytes = end + 1;
            taken.lines += 1;
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Room = Room { events: u64::MAX, bytes: u64::MAX };

    fn rules() -> Rules {
        Rules { event_bytes_max: 5, binary: false, skip_invalid: true }
    }

    fn take(rules: Rules, lines: &str, room: Room) -> (Taken, String) {
        let mut events = Vec::new();
        let taken = rules.take(lines.as_bytes(), room, &mut events);
        (taken, String::from_utf8(events).unwrap())
    }

    #[test]
    fn events_are_lines_that_are_neither_blank_nor_invalid() {
        let lines = "a\n\n \t\r\n123456\nb\0\nc\r\n";
        let (taken, events) = take(rules(), lines, ALL);
        assert_eq!(events, "a\nc\r\n");
        assert_eq!((taken.bytes, taken.lines, taken.events, taken.blank), (lines.len(), 6, 2, 2));
        assert_eq!(taken.skipped, [(3, Invalid::TooLong), (4, Invalid::Nul)]);
        let binary = Rules { binary: true, ..rules() };
        assert_eq!(take(binary, " \n\nb\0\n", ALL).1, " \nb\0\n");
    }

    #[test]
    fn invalid_line_stops_before_it() {
        let strict = Rules { skip_invalid: false, ..rules() };
        let (taken, events) = take(strict, "a\nb\n123456\nc\n", ALL);
        assert_eq!((events.as_str(), taken.bytes, taken.lines), ("a\nb\n", 4, 2));
        assert_eq!(taken.stop, Some(Invalid::TooLong));
    }

    #[test]
    fn no_more_is_taken_than_there_is_room_for() {
        let few = |events, bytes| Room { events, bytes };
        assert_eq!(take(rules(), "a\nb\nc\n", few(2, 99)).1, "a\nb\n");
        assert_eq!(take(rules(), "a\nb\nc\n", few(99, 5)).1, "a\nb\n");
        let (taken, events) = take(rules(), "1234\nb\n", few(0, 0));
        assert_eq!((events.as_str(), taken.bytes), ("1234\n", 5), "at least one");
    }
}
