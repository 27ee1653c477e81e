//! Long ranges: one stream each, until a stream is slower than its reader. From then on the parts
//! of a range are fetched concurrently, each with a request.
//!
//! Owns: the decision, and the length of a part. Must not know: keys, bytes or the store.
//!
//! 1. The bandwidth of a stream is that of the time in which the reader waits for its bytes. A
//!    reader that is slower than the stream never changes anything.
//! 2. Parts take the place of a stream whose rest would take longer than two requests. A read that
//!    has changed to parts keeps to them.
//! 3. With room for one object ahead there are no parts: they would come one after the other.

use std::ops::Range;
use std::time::Duration;

use crate::numbers::to_u64;
use crate::store::ObjectRange;
use crate::store::read::window::OBJECT_AHEAD_BYTES;

/// The length of a part, which is held whole.
pub(crate) fn part_bytes() -> u64 {
    to_u64(OBJECT_AHEAD_BYTES)
}

/// A range to fetch, or a part of one.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// The number of the range.
    pub(crate) number: usize,
    pub(crate) object: ObjectRange,
    /// True if the range ends with it.
    pub(crate) is_last: bool,
}

impl Wanted {
    /// Splits it at an offset from its start. Returns the rest.
    pub(crate) fn split_off(&mut self, bytes: u64) -> Option<Self> {
        let Range { start, end } = self.object.range.clone()?;
        let split = start.checked_add(bytes).filter(|split| *split < end)?;
        let mut rest = self.clone();
        rest.object.range = Some(split..end);
        (self.object.range, self.is_last) = (Some(start..split), false);
        Some(rest)
    }

    /// The number of bytes, if it is known.
    pub(crate) fn bytes(&self) -> Option<u64> {
        self.object.range.as_ref().map(|range| range.end.saturating_sub(range.start))
    }
}

/// The way in which long ranges are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts {
    /// True if the read may use parts, and does not yet.
    may_begin: bool,
    are_used: bool,
    stream: Stream,
}

/// The stream that the reader takes.
#[derive(Clone, Copy, Debug, Default)]
struct Stream {
    /// The time of its request.
    latency: Duration,
    /// The bytes that the reader waited for, after the first ones, and the time.
    bytes: u64,
    waited: Duration,
}

impl Parts {
    /// For a read with room for these bytes ahead of its reader.
    pub(crate) fn new(ahead_bytes_max: usize) -> Self {
        let may_begin = ahead_bytes_max >= 2 * OBJECT_AHEAD_BYTES;
        Self { may_begin, are_used: false, stream: Stream::default() }
    }

    /// Returns true if long ranges are fetched in parts.
    pub(crate) fn are_used(&self) -> bool {
        self.are_used
    }

    /// Records the first bytes of a stream.
    pub(crate) fn opened(&mut self, latency: Duration) {
        self.stream = Stream { latency, ..Stream::default() };
    }

    /// Records that the reader waited for later bytes of a stream, of which others are left.
    /// Returns true if parts take its place.
    pub(crate) fn waited(&mut self, waited: Duration, bytes: usize, left: u64) -> bool {
        let stream = &mut self.stream;
        stream.waited += waited;
        stream.bytes += to_u64(bytes);
        if !self.may_begin || left <= part_bytes() {
            return false;
        }
        let rest =
            stream.waited.as_nanos().saturating_mul(left.into()) / u128::from(stream.bytes.max(1));
        // Two short waits say little of the bandwidth.
        let is_known = stream.waited >= stream.latency / 2;
        self.are_used = is_known && rest > 2 * stream.latency.as_nanos();
        self.may_begin = !self.are_used;
        self.are_used
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::to_usize;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn parts_are_used_once_a_stream_takes_longer_than_two_requests() {
        let latency = Duration::from_millis(20);
        let after = |waited: u64, left: u64| {
            let mut parts = Parts::new(2 * OBJECT_AHEAD_BYTES);
            parts.opened(latency);
            let changes: Vec<_> = (0..4)
                .map(|_| parts.waited(Duration::from_micros(waited), to_usize(MIB), left * MIB))
                .collect();
            changes.iter().position(|changed| *changed)
        };
        // 10 ms for each MiB.
        assert_eq!((after(10_000, 64), after(10_000, 5)), (Some(0), Some(0)));
        // 1 MiB in a time that says little.
        assert_eq!(after(5_000, 64), Some(1));
        // What is left comes within two requests, or is one part.
        assert_eq!((after(6_000, 6), after(10_000, 4)), (None, None));
        // The reader is slower than the stream.
        assert_eq!(after(100, 1_000), None);
    }

    #[test]
    fn parts_stay_and_need_room_for_two() {
        let hour = Duration::from_secs(3_600);
        let mut parts = Parts::new(2 * OBJECT_AHEAD_BYTES);
        assert!(!parts.are_used() && parts.waited(hour, 1, 100 * MIB) && parts.are_used());
        assert!(!parts.waited(hour, 1, 100 * MIB) && parts.are_used());
        let mut narrow = Parts::new(2 * OBJECT_AHEAD_BYTES - 1);
        assert!(!narrow.waited(hour, 1, 100 * MIB) && !narrow.are_used());
    }

    #[test]
    fn ranges_are_split_into_parts() {
        let object = ObjectRange { key: "a".to_owned(), range: Some(10..30) };
        let mut first = Wanted { number: 3, object, is_last: true };
        let rest = first.split_off(15).unwrap();
        assert_eq!((first.object.range.clone(), first.is_last), (Some(10..25), false));
        assert_eq!((rest.object.range.clone(), rest.is_last, rest.number), (Some(25..30), true, 3));
        assert!(first.split_off(15).is_none() && first.bytes() == Some(15));
        let object = ObjectRange { key: "a".to_owned(), range: None };
        let mut unknown = Wanted { number: 0, object, is_last: true };
        assert!(unknown.split_off(1).is_none() && unknown.bytes().is_none());
    }
}
