//! The rules for events in packed lines, each ended by LF. The component has the same ones: it is
//! passed what was checked here.

use crate::error::{Error, Result};
use crate::numbers::{size, to_u64};
use crate::options::HandleLimits;
use crate::types::{EventFault, InvalidEvent, TooLong};

/// The limits of packed lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineLimits {
    event_bytes_max: u64,
    /// The most bytes of one call.
    pub(super) bytes_max: usize,
}

impl LineLimits {
    pub(super) fn of(limits: &HandleLimits) -> Self {
        let HandleLimits { event_bytes_max, buffer_bytes_max, tick: _ } = *limits;
        Self { event_bytes_max, bytes_max: buffer_bytes_max }
    }

    /// Checks an event without an LF.
    pub(super) fn check_event(&self, event: &[u8]) -> Result<()> {
        self.check(event, 0)?;
        match memchr::memchr(b'\n', event) {
            Some(_) => Err(invalid(0, EventFault::LineFeed)),
            None => Ok(()),
        }
    }

    /// Returns the number of events if every line is one.
    pub(super) fn check_lines(&self, lines: &[u8]) -> Result<u64> {
        if lines.len() > self.bytes_max {
            return Err(Error::InvalidInput(format!(
                "cannot append {} of lines in one call: buffer_bytes_max = {}; append fewer per \
                 call",
                size(to_u64(lines.len())),
                self.bytes_max
            )));
        }
        let (mut line, mut rest) = (0, lines);
        while !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest);
            let (event, after) =
                end.and_then(|end| rest.split_at_checked(end)).unwrap_or((rest, &[]));
            self.check(event, line)?;
            let Some((_, after)) = after.split_first() else {
                return Err(invalid(line, EventFault::Unterminated));
            };
            rest = after;
            line += 1;
        }
        Ok(line)
    }

    /// Checks an event by the component's rules, since only events may be packed.
    fn check(&self, event: &[u8], line: u64) -> Result<()> {
        let bytes = to_u64(event.len());
        let bytes_max = self.event_bytes_max;
        let fault = match bytes {
            0 => EventFault::Empty,
            _ if bytes > bytes_max => EventFault::TooLong(TooLong { bytes, bytes_max }),
            _ => return Ok(()),
        };
        Err(invalid(line, fault))
    }
}

fn invalid(line: u64, fault: EventFault) -> Error {
    Error::InvalidEvent(InvalidEvent { line, fault })
}
