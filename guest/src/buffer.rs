//! What a writer holds in memory: the open buffer, and when it is due. Decisions only.

use crate::options::Options;

/// Events appended since the last batch was sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Buffer {
    pub lines: Vec<u8>,
    pub events: u64,
    /// The clock when the first of them came, in microseconds.
    opened: Option<u64>,
}

impl Buffer {
    pub(crate) fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// Adds packed lines that were checked. Into an empty buffer they go without a copy.
    pub(crate) fn push_lines(&mut self, lines: Vec<u8>, events: u64, now: impl FnOnce() -> u64) {
        if events > 0 {
            self.opened.get_or_insert_with(now);
            if self.lines.is_empty() {
                self.lines = lines;
            } else {
                self.lines.extend_from_slice(&lines);
            }
            self.events += events;
        }
    }

    /// Adds one event that was checked.
    pub(crate) fn push(&mut self, event: &[u8], now: impl FnOnce() -> u64) {
        self.opened.get_or_insert_with(now);
        self.lines.extend_from_slice(event);
        self.lines.push(b'\n');
        self.events += 1;
    }

    /// Whether `bytes` more would be too many.
    pub(crate) fn is_full_for(&self, bytes: usize, options: &Options) -> bool {
        let total = self.lines.len().saturating_add(bytes);
        u64::try_from(total).is_ok_and(|total| total > options.buffer_bytes_max)
    }

    /// Whether it is to be sealed for its size.
    pub(crate) fn is_due(&self, options: &Options) -> bool {
        self.events >= options.flush_threshold
            || u64::try_from(self.lines.len()).is_ok_and(|bytes| bytes >= options.flush_bytes)
    }

    /// Whether it is to be sealed for its age. A clock that has stepped back tells no age: then it
    /// is, since waiting for the clock to catch up could take for ever.
    pub(crate) fn is_old(&self, options: &Options, now: u64) -> bool {
        let (Some(opened), Some(interval)) = (self.opened, options.flush_interval) else {
            return false;
        };
        now.checked_sub(opened).is_none_or(|age| age >= interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::OptionsInput;

    fn options() -> Options {
        let input = OptionsInput {
            flush_threshold: Some(3),
            flush_bytes: Some(10),
            flush_interval_ms: Some(1),
            event_bytes_max: Some(19),
            buffer_bytes_max: Some(20),
        };
        input.check().unwrap()
    }

    #[test]
    fn a_buffer_is_due_by_events_or_by_bytes() {
        let mut buffer = Buffer::default();
        buffer.push(b"a", || 0);
        buffer.push(b"b", || 0);
        assert!(!buffer.is_due(&options()));
        buffer.push(b"c", || 0);
        assert!(buffer.is_due(&options()));
        let mut buffer = Buffer::default();
        buffer.push_lines(b"123456789\n".to_vec(), 1, || 0);
        assert!(buffer.is_due(&options()));
    }

    #[test]
    fn a_buffer_is_old_by_its_first_event_or_by_a_clock_that_stepped_back() {
        let mut buffer = Buffer::default();
        assert!(!buffer.is_old(&options(), u64::MAX));
        buffer.push(b"a", || 5_000);
        buffer.push(b"b", || 5_999);
        assert!(!buffer.is_old(&options(), 5_999));
        assert!(buffer.is_old(&options(), 6_000));
        assert!(buffer.is_old(&options(), 4_999));
    }

    #[test]
    fn a_buffer_is_full_beyond_its_bytes() {
        let mut buffer = Buffer::default();
        buffer.push_lines(b"123456789\n".to_vec(), 1, || 0);
        assert!(!buffer.is_full_for(10, &options()));
        assert!(buffer.is_full_for(11, &options()));
    }
}
