//! Where a reading pass stands, and so what it still has to yield: decisions only, no I/O.
//!
//! 1. Each event is yielded once: sequenced ones by position, live ones by the exact name of their
//!    batch, which is remembered until the batch is met again in a segment.
//! 2. With a snapshot of a writer's pending state, what that writer sealed later is left out, live
//!    or absorbed; what the snapshot holds is yielded last, unless it was met in the store.

use std::collections::{BTreeMap, BTreeSet};

use crate::names::{BatchName, BatchTime, WriterId};
use crate::part::{Part, Piece};
use crate::view::View;

/// What a writer held when the pass began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pending {
    pub writer: u32,
    /// The time of the last batch it sealed, in microseconds; 0 if none.
    pub last_time: u64,
    pub sealed: Option<(BatchName, Vec<u8>)>,
    pub lines: Vec<u8>,
}

/// A pass over a log.
#[derive(Debug, Default)]
pub(crate) struct Cursor {
    /// The next sequenced position to yield.
    position: u64,
    /// Live batches that were yielded and not met in a segment yet.
    yielded: BTreeSet<BatchName>,
    /// Batches too large to be checked whole that were yielded in part.
    partial: BTreeMap<BatchName, Partial>,
    /// The writer whose later batches are left out, and the time of its last one.
    own: Option<(WriterId, BatchTime)>,
    sealed: Option<BatchName>,
    /// Whether the sealed batch of the snapshot was met in the store.
    sealed_met: bool,
}

/// How far a batch was yielded, and how far it was read this time, in bytes of its lines.
#[derive(Debug, Default)]
struct Partial {
    yielded: usize,
    read: usize,
}

impl Cursor {
    pub(crate) fn new(pending: Option<&Pending>) -> Self {
        let own = pending.map(|pending| {
            let last_time = BatchTime::new(pending.last_time).unwrap_or(BatchTime::MAX);
            (WriterId(pending.writer), last_time)
        });
        let sealed = pending.and_then(|pending| pending.sealed.as_ref()).map(|(name, _)| *name);
        Self { own, sealed, ..Self::default() }
    }

    /// What is left to read of a log, in order.
    pub(crate) fn plan(&mut self, view: &View) -> Vec<Part> {
        self.partial.values_mut().for_each(|partial| partial.read = 0);
        let mut parts = Vec::new();
        for segment in view.segments() {
            if segment.position.saturating_add(segment.events) > self.position {
                parts.push(Part::Index(*segment));
                parts.push(Part::Segment(*segment));
            }
        }
        let left = view.live.iter().filter(|batch| self.wants(&batch.name));
        parts.extend(left.map(|batch| Part::Batch(*batch)));
        parts
    }

    /// Takes note of a piece that was read; returns from which byte on it is to be yielded.
    pub(crate) fn pass(&mut self, piece: &Piece<'_>) -> Option<usize> {
        let wanted = match piece.position_end {
            Some(end) => end > self.position && self.wants(&piece.batch),
            None => self.wants(&piece.batch),
        };
        self.sealed_met |= self.sealed == Some(piece.batch);
        let in_part = piece.end.is_none() || self.partial.contains_key(&piece.batch);
        let from = match wanted {
            true if in_part => self.pass_in_part(piece.batch, piece.lines.len()),
            true => Some(0),
            false => None,
        };
        if piece.end.is_some() {
            self.partial.remove(&piece.batch);
            match piece.position_end {
                Some(end) => {
                    self.yielded.remove(&piece.batch);
                    self.position = self.position.max(end);
                }
                None => {
                    self.yielded.insert(piece.batch);
                }
            }
        }
        from
    }

    fn pass_in_part(&mut self, batch: BatchName, bytes: usize) -> Option<usize> {
        let partial = self.partial.entry(batch).or_default();
        let start = partial.read;
        partial.read = start.saturating_add(bytes);
        let from = partial.yielded.saturating_sub(start);
        partial.yielded = partial.yielded.max(partial.read);
        (from < bytes).then_some(from)
    }

    /// Whether the snapshot's sealed batch has been met in the store, so that it is not yielded
    /// again.
    pub(crate) fn met_sealed(&self) -> bool {
        self.sealed_met
    }

    fn wants(&self, batch: &BatchName) -> bool {
        let later = self
            .own
            .is_some_and(|(writer, last)| batch.writer() == Some(writer) && batch.time > last);
        !later && !self.yielded.contains(batch)
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::batch::{BatchRecord, digest, seal};
    use crate::events;
    use crate::view::ListedBatch;

    fn name(time: u64, writer: u32) -> BatchName {
        seal(BatchTime::new(time).unwrap(), WriterId(writer), 1, b"x\n")
    }

    /// What the cursor yields of a piece.
    fn pass(
        cursor: &mut Cursor,
        batch: BatchName,
        end: Option<u64>,
        lines: &str,
        last: bool,
    ) -> Option<String> {
        let bytes = lines.as_bytes();
        let record = BatchRecord {
            name: batch,
            events: events::count(bytes),
            bytes: bytes.len().try_into().unwrap(),
            digest: digest(bytes),
        };
        let from = cursor.pass(&Piece {
            batch,
            position_end: end,
            lines: Cow::Borrowed(bytes),
            events: record.events,
            end: last.then_some(record),
        });
        from.map(|from| lines[from..].to_owned())
    }

    #[test]
    fn a_live_batch_that_is_absorbed_later_is_yielded_once() {
        let mut cursor = Cursor::new(None);
        let (first, second) = (name(1, 1), name(2, 1));
        assert_eq!(pass(&mut cursor, second, None, "b\n", true).as_deref(), Some("b\n"));
        // Both were compacted meanwhile.
        assert_eq!(pass(&mut cursor, first, Some(1), "a\n", true).as_deref(), Some("a\n"));
        assert_eq!(pass(&mut cursor, second, Some(2), "b\n", true), None);
        assert_eq!(pass(&mut cursor, first, Some(1), "a\n", true), None);
    }

    #[test]
    fn a_writers_later_batches_are_left_out_and_its_sealed_one_is_met() {
        let sealed = name(5, 1);
        let pending = Pending {
            writer: 1,
            last_time: 5,
            sealed: Some((sealed, b"s\n".to_vec())),
            lines: Vec::new(),
        };
        let mut cursor = Cursor::new(Some(&pending));
        assert_eq!(pass(&mut cursor, name(6, 1), None, "new\n", true), None);
        assert_eq!(pass(&mut cursor, name(6, 1), Some(1), "new\n", true), None);
        assert!(pass(&mut cursor, name(6, 2), None, "other\n", true).is_some());
        assert!(!cursor.met_sealed());
        assert!(pass(&mut cursor, sealed, None, "s\n", true).is_some());
        assert!(cursor.met_sealed());
    }

    #[test]
    fn a_batch_yielded_in_part_goes_on_where_it_stopped_even_in_a_segment() {
        let mut cursor = Cursor::new(None);
        let (old, other) = (name(1, 1), name(2, 1));
        assert_eq!(pass(&mut cursor, old, None, "a\nb\n", false).as_deref(), Some("a\nb\n"));
        let view = View { live: vec![ListedBatch { name: old, size: 6 }], ..View::default() };
        assert_eq!(cursor.plan(&view).len(), 1);
        assert!(pass(&mut cursor, other, Some(1), "o\n", false).is_some());
        assert_eq!(pass(&mut cursor, old, Some(4), "a\n", false), None);
        assert_eq!(pass(&mut cursor, old, Some(4), "b\nc\n", true).as_deref(), Some("c\n"));
        assert_eq!(pass(&mut cursor, old, Some(4), "a\nb\nc\n", true), None);
    }
}
