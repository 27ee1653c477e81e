//! The open buffer of a writer. Decides when it is due.

use crate::decide::options::Options;
use crate::format::host_bytes;
use crate::format::numbers::to_u64;
use crate::ports::HostBytes;

/// Fewer bytes are copied in: a handle to them would take more memory than they do.
const HOST_BYTES_MIN: u64 = 4 * 1024;

/// At this size the lines move to the host: a growing vector takes up to three times its contents,
/// and its memory is never returned.
const LINES_BYTES_MAX: usize = 64 * 1024;

/// Events appended since the last batch was sealed.
pub(crate) struct Buffer<B> {
    /// Bytes appended by handle or moved to the host, and all before them.
    on_host: Option<B>,
    /// Later bytes.
    lines: Vec<u8>,
    pub events: u64,
    /// The clock at the first event, in microseconds.
    opened: Option<u64>,
}

/// The events of a buffer, to fill another one with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenEvents<B> {
    /// All bytes, in order.
    pub lines: B,
    pub events: u64,
    /// The clock at the first event, in microseconds.
    pub opened: u64,
}

impl<B> From<OpenEvents<B>> for Buffer<B> {
    fn from(open: OpenEvents<B>) -> Self {
        let OpenEvents { lines, events, opened } = open;
        Self { on_host: Some(lines), lines: Vec::new(), events, opened: Some(opened) }
    }
}

impl<B> Default for Buffer<B> {
    fn default() -> Self {
        Self { on_host: None, lines: Vec::new(), events: 0, opened: None }
    }
}

impl<B: HostBytes> Buffer<B> {
    pub(crate) fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// Adds checked packed lines. An empty buffer takes them without a copy.
    pub(crate) fn push_lines(&mut self, lines: Vec<u8>, events: u64, now: impl FnOnce() -> u64) {
        if events > 0 {
            self.opened.get_or_insert_with(now);
            if self.lines.is_empty() {
                self.lines = lines;
            } else {
                self.lines.extend_from_slice(&lines);
            }
            self.events += events;
            self.move_if_large();
        }
    }

    /// Adds packed lines that the host has checked.
    pub(crate) fn push_host_bytes(&mut self, lines: B, events: u64, now: impl FnOnce() -> u64) {
        if events > 0 {
            self.opened.get_or_insert_with(now);
            if lines.length() < HOST_BYTES_MIN {
                self.lines.extend_from_slice(&lines.read());
            } else {
                self.move_to_host();
                self.append_on_host(lines);
            }
            // The caller counted them.
            self.events = self.events.saturating_add(events);
            self.move_if_large();
        }
    }

    /// Adds one checked event.
    pub(crate) fn push(&mut self, event: &[u8], now: impl FnOnce() -> u64) {
        self.opened.get_or_insert_with(now);
        self.lines.extend_from_slice(event);
        self.lines.push(b'\n');
        self.events += 1;
        self.move_if_large();
    }

    /// Takes all bytes, in order. None if the buffer is empty.
    pub(crate) fn take(&mut self) -> Option<B> {
        self.move_to_host();
        (self.events, self.opened) = (0, None);
        self.on_host.take()
    }

    /// Takes all bytes, with what another buffer must know of them. None if the buffer is empty.
    pub(crate) fn take_open(&mut self) -> Option<OpenEvents<B>> {
        let (events, opened) = (self.events, self.opened?);
        self.take().map(|lines| OpenEvents { lines, events, opened })
    }

    /// Returns a copy of all bytes, in order.
    pub(crate) fn read(&self) -> Vec<u8> {
        let mut lines = self.on_host.as_ref().map(HostBytes::read).unwrap_or_default();
        lines.extend_from_slice(&self.lines);
        lines
    }

    fn move_if_large(&mut self) {
        if self.lines.len() >= LINES_BYTES_MAX {
            self.move_to_host();
        }
    }

    fn move_to_host(&mut self) {
        if !self.lines.is_empty() {
            let lines = B::new(&self.lines);
            self.lines.clear();
            self.append_on_host(lines);
        }
    }

    fn append_on_host(&mut self, lines: B) {
        self.on_host = Some(host_bytes::join(self.on_host.take(), lines));
    }

    pub(crate) fn bytes(&self) -> u64 {
        let lines = to_u64(self.lines.len());
        self.on_host.as_ref().map_or(0, HostBytes::length) + lines
    }

    /// Returns true if `bytes` more would exceed the limit.
    pub(crate) fn is_full_for(&self, bytes: u64, options: &Options) -> bool {
        self.bytes() + bytes > options.buffer_bytes_max
    }

    /// Returns true if it is due by its size.
    pub(crate) fn is_due(&self, options: &Options) -> bool {
        self.events >= options.flush_threshold || self.bytes() >= options.flush_bytes
    }

    /// Returns true if it is due by its age. It is also due if the clock has stepped back, since
    /// waiting for the clock to catch up could take forever.
    pub(crate) fn is_old(&self, options: &Options, now: u64) -> bool {
        self.due_in(options, now) == Some(0)
    }

    /// Returns the microseconds until it is due by its age. None if it never is.
    pub(crate) fn due_in(&self, options: &Options, now: u64) -> Option<u64> {
        let (opened, interval) = (self.opened?, options.flush_interval?);
        Some(now.checked_sub(opened).map_or(0, |age| interval.saturating_sub(age)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::options::OptionsInput;

    fn options() -> Options {
        let input = OptionsInput {
            flush_threshold: Some(3),
            flush_bytes: Some(10),
            flush_interval_ms: Some(1),
            event_bytes_max: Some(19),
            buffer_bytes_max: Some(20),
            creates_max: None,
        };
        input.check().unwrap()
    }

    #[test]
    fn buffer_is_due_by_events_or_by_bytes() {
        let mut buffer = Buffer::<Vec<u8>>::default();
        buffer.push(b"a", || 0);
        buffer.push(b"b", || 0);
        assert!(!buffer.is_due(&options()));
        buffer.push(b"c", || 0);
        assert!(buffer.is_due(&options()));
        let mut buffer = Buffer::<Vec<u8>>::default();
        buffer.push_lines(b"123456789\n".to_vec(), 1, || 0);
        assert!(buffer.is_due(&options()));
    }

    #[test]
    fn buffer_is_old_by_its_first_event_or_a_clock_that_stepped_back() {
        let mut buffer = Buffer::<Vec<u8>>::default();
        assert!(!buffer.is_old(&options(), u64::MAX));
        buffer.push(b"a", || 5_000);
        buffer.push(b"b", || 5_999);
        assert!(!buffer.is_old(&options(), 5_999));
        assert!(buffer.is_old(&options(), 6_000));
        assert!(buffer.is_old(&options(), 4_999));
        let due = [5_000, 5_999, 7_000, 0].map(|now| buffer.due_in(&options(), now));
        assert_eq!(due, [Some(1_000), Some(1), Some(0), Some(0)]);
        let never = Options { flush_interval: None, ..options() };
        assert_eq!((buffer.is_old(&never, u64::MAX), buffer.due_in(&never, 0)), (false, None));
    }

    #[test]
    fn buffer_is_filled_with_the_events_of_another() {
        let mut buffer = Buffer::<Vec<u8>>::default();
        assert_eq!(buffer.take_open(), None);
        buffer.push_host_bytes(b"many\n".repeat(1_000), 1_000, || 7);
        buffer.push(b"a", || 8);
        let open = buffer.take_open().unwrap();
        assert_eq!((open.events, open.opened, open.lines.len()), (1_001, 7, 5_002));
        assert!(buffer.is_empty());
        let mut filled = Buffer::from(open.clone());
        assert_eq!((filled.bytes(), filled.due_in(&options(), 7)), (5_002, Some(1_000)));
        filled.push(b"b", || 9);
        assert_eq!(filled.events, 1_002);
        assert_eq!(filled.take(), Some([open.lines, b"b\n".to_vec()].concat()));
    }

    #[test]
    fn buffer_is_full_beyond_its_bytes() {
        let mut buffer = Buffer::<Vec<u8>>::default();
        buffer.push_lines(b"123456789\n".to_vec(), 1, || 0);
        assert!(!buffer.is_full_for(10, &options()));
        assert!(buffer.is_full_for(11, &options()));
    }

    #[test]
    fn events_keep_their_order_however_they_came() {
        let mut buffer = Buffer::<Vec<u8>>::default();
        let many = b"many\n".repeat(2_000);
        buffer.push(b"a", || 0);
        buffer.push_host_bytes(b"b\nc\n".to_vec(), 2, || 0);
        assert_eq!(buffer.on_host, None, "to hold few bytes would take more than they are");
        buffer.push_host_bytes(many.clone(), 2_000, || 0);
        buffer.push_host_bytes(b"d\n".to_vec(), 1, || 0);
        buffer.push_lines(b"e\n".to_vec(), 1, || 0);
        buffer.push_host_bytes(many.clone(), 2_000, || 0);
        buffer.push(b"f", || 0);
        let all = [b"a\nb\nc\n", &many[..], b"d\ne\n", &many, b"f\n"].concat();
        assert_eq!((buffer.read(), buffer.events), (all.clone(), 4_006));
        assert_eq!(buffer.take(), Some(all));
        assert!(buffer.is_empty());
        assert_eq!((buffer.read(), buffer.take()), (Vec::new(), None));
    }
}
