//! The progress of a reading pass. Decides what it still has to yield. No I/O.
//!
//! 1. Each event is yielded once: sequenced ones by position, live ones by their batch, which the
//!    position remembers until the batch is met in a segment.
//! 2. With a snapshot of a writer's pending events, the batches that this writer sealed later are
//!    skipped, live or absorbed. The snapshot's events are yielded last, unless they were met in
//!    the store, or some that were sealed later.
//! 3. Events whose bytes were lost are passed and counted.
//! 4. The position is directly behind the last event yielded, even in the middle of a batch. Events
//!    skipped by their time count as passed.

use std::ops::Range;

use crate::decide::log_state::LogState;
use crate::decide::overtaken::Overtaken;
use crate::decide::source::Source;
use crate::format::batch::BatchRecord;
use crate::format::index::Index;
use crate::format::manifest::SegmentRecord;
use crate::format::names::{BatchId, BatchName, BatchTime, LogId, WriterId};
use crate::format::position::{Passed, Position};
use crate::format::segment::SegmentRange;
use crate::format::verified_chunk::BatchSpan;
use crate::mutants::{self, Mutant};

/// The pending events of a writer when the pass began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pending {
    pub writer: u64,
    /// The time of the last batch it sealed, in microseconds; 0 if none.
    pub last_time: u64,
    /// The batches that it has sealed and not acknowledged, oldest first.
    pub sealed: Vec<(BatchName, Vec<u8>)>,
    pub lines: Vec<u8>,
}

/// The range of batch times that a pass yields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times {
    pub since: Option<u64>,
    pub until: Option<u64>,
}

impl Times {
    /// Returns true if batches of this time are yielded.
    pub(crate) fn wants(&self, time: BatchTime) -> bool {
        self.since.is_none_or(|since| time.micros() >= since)
            && self.until.is_none_or(|until| time.micros() < until)
    }

    /// Returns if batches between the two times are all wanted, or certainly none. None if only
    /// some may be.
    pub(crate) fn want_all(&self, first: BatchTime, last: BatchTime) -> Option<bool> {
        if self.wants(first) && self.wants(last) {
            return Some(true);
        }
        let none = self.since.is_some_and(|since| last.micros() < since)
            || self.until.is_some_and(|until| first.micros() >= until);
        none.then_some(false)
    }
}

/// A step of a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Read(Source),
    /// A segment to read in part: its index decides the range.
    ReadSome(Box<SegmentRecord>),
    /// A segment to skip.
    Skip(Box<SegmentRecord>),
    /// A live batch to skip. It counts as passed once all before it are read.
    Pass(BatchName),
    /// The place of the first batch that is hidden because this one is gone.
    Gone(BatchId),
}

/// A pass over a log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cursor {
    at: Position,
    times: Times,
    /// The number of events read of a batch that comes in several spans.
    in_batch: Option<(BatchName, u64)>,
    /// The number of events that may still be yielded.
    left: Option<u64>,
    /// The writer whose later batches are skipped, and the time of its last one.
    own: Option<(WriterId, BatchTime)>,
    /// The sealed batches of the snapshot, oldest first.
    sealed: Vec<BatchName>,
    /// The number of them up to the last one that was met in the store.
    sealed_met: usize,
    /// Lost events that were passed since the last `take_lost`.
    lost: u64,
}

impl Cursor {
    pub(crate) fn new(start: Position, times: Times, limit: Option<u64>) -> Self {
        Self { at: start, times, left: limit, ..Self::default() }
    }

    /// Makes the cursor of a pass that yields a writer's pending events.
    pub(crate) fn of_writer(pending: &Pending) -> Self {
        let last_time = BatchTime::new(pending.last_time).unwrap_or(BatchTime::MAX);
        let sealed = pending.sealed.iter().map(|(name, _)| *name).collect();
        Self { own: Some((WriterId(pending.writer), last_time)), sealed, ..Self::default() }
    }

    pub(crate) fn times(&self) -> Times {
        self.times
    }

    /// Returns the number of events that may still be yielded, if there is a limit.
    pub(crate) fn left(&self) -> Option<u64> {
        self.left
    }

    pub(crate) fn position(&self) -> &Position {
        &self.at
    }

    /// Records the identity of the log that the position belongs to.
    pub(crate) fn set_log(&mut self, log: Option<LogId>) {
        self.at.log = log;
    }

    /// Returns true if the limit of events has been yielded.
    pub(crate) fn is_full(&self) -> bool {
        self.left == Some(0)
    }

    /// Returns true if a listed batch was already yielded.
    pub(crate) fn knows(&self, batch: &BatchName) -> bool {
        self.at.passed(batch) == Passed::All
    }

    /// Returns the steps that are left, in order.
    pub(crate) fn plan(&mut self, state: &LogState) -> Vec<Step> {
        self.in_batch = None;
        let mut steps = Vec::new();
        for segment in state.segments() {
            if segment.end() <= self.at.next {
                continue;
            }
            let all = self.times.want_all(segment.first_time, segment.last_time);
            let touched = segment.position < self.at.next || self.at.has_yielded_of(segment);
            steps.push(match all {
                Some(true) if !touched => Step::Read(Source::Segment(Box::new(*segment))),
                Some(false) if !touched => Step::Skip(Box::new(*segment)),
                _ => Step::ReadSome(Box::new(*segment)),
            });
        }
        let mut gone = state.gone.iter().peekable();
        for batch in &state.live {
            while let Some(gone) = gone.next_if(|gone| gone.next < batch.name) {
                steps.push(Step::Gone(gone.batch));
            }
            if !self.is_left(&batch.name) {
                continue;
            }
            if self.times.wants(batch.name.time) {
                steps.push(Step::Read(Source::Batch(*batch)));
            } else if mutants::is(Mutant::PassByTimeEarly) {
                self.at.yield_live(batch.name, None);
            } else {
                steps.push(Step::Pass(batch.name));
            }
        }
        steps.extend(gone.map(|gone| Step::Gone(gone.batch)));
        steps
    }

    /// Returns the batches of a segment to read: from the first to the last wanted. Passes those
    /// before them.
    pub(crate) fn enter(&mut self, segment: &SegmentRecord, index: &Index) -> Option<SegmentRange> {
        let mut range: Option<SegmentRange> = None;
        let mut length = 0;
        let mut offset = 0_u64;
        for (batch, positions) in index.positions(segment) {
            let bytes = offset..offset + batch.bytes;
            offset = bytes.end;
            let wanted = positions.end > self.at.next
                && batch.events_stored() > 0
                && self.times.wants(batch.name.time)
                && self.wants_sequenced(&batch.name);
            match &mut range {
                Some(range) => {
                    range.batches.push(*batch);
                    if wanted {
                        range.bytes.end = bytes.end;
                        length = range.batches.len();
                    }
                }
                None if wanted => {
                    length = 1;
                    range = Some(SegmentRange {
                        segment: *segment,
                        batches: vec![*batch],
                        position: positions.start + batch.trimmed,
                        bytes,
                    });
                }
                None => {
                    self.pass_lost(batch, &positions);
                    self.pass_sequenced(&batch.name, positions.start, positions.end);
                }
            }
        }
        if let Some(range) = &mut range {
            range.batches.truncate(length);
        }
        range
    }

    /// Passes the rest of a segment.
    pub(crate) fn leave(&mut self, segment: &SegmentRecord, index: Option<&Index>) {
        let batches = index.into_iter().flat_map(|index| index.positions(segment));
        for (batch, positions) in batches {
            self.pass_lost(batch, &positions);
            self.pass_sequenced(&batch.name, positions.start, positions.end);
        }
        self.at.next = self.at.next.max(segment.end());
    }

    fn pass_sequenced(&mut self, batch: &BatchName, start: u64, to: u64) {
        self.meet(batch);
        self.at.pass_sequenced(batch, start, to);
    }

    /// Counts the lost events of a batch that were neither yielded while it was live nor passed.
    fn pass_lost(&mut self, batch: &BatchRecord, positions: &Range<u64>) {
        if batch.lost && self.times.wants(batch.name.time) {
            self.lost += self.left_of(batch, positions);
        }
    }

    /// The number of events of a batch in a segment that were neither trimmed nor yielded yet.
    pub(crate) fn left_of(&self, batch: &BatchRecord, positions: &Range<u64>) -> u64 {
        if !self.wants_sequenced(&batch.name) {
            return 0;
        }
        let yielded = self.yielded_of(&batch.name);
        let left = positions.start.saturating_add(yielded.max(batch.trimmed));
        positions.end.saturating_sub(left.max(self.at.next))
    }

    /// Passes a batch of a segment whose events cannot be read.
    pub(crate) fn pass_unread(&mut self, batch: &BatchName, positions: &Range<u64>) {
        self.in_batch = None;
        self.pass_sequenced(batch, positions.start, positions.end);
    }

    /// Returns the number of events recorded as lost that were passed since the last call.
    pub(crate) fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    /// Advances past a span. Returns the range of its events to yield.
    pub(crate) fn pass(&mut self, span: &BatchSpan) -> Range<u64> {
        if self.is_full() {
            return 0..0;
        }
        self.meet(&span.batch);
        if let (Some(positions), Some(batch)) = (&span.positions, span.end.filter(|b| b.lost)) {
            if positions.end > self.at.next {
                self.pass_lost(&batch, positions);
                self.pass_sequenced(&span.batch, positions.start, positions.end);
            }
            return 0..0;
        }
        let before = match self.in_batch.take() {
            Some((batch, events)) if batch == span.batch => events,
            _ => span.trimmed,
        };
        let after = before + span.events;
        if span.end.is_none() {
            self.in_batch = Some((span.batch, after));
        }
        let wanted = self.times.wants(span.batch.time)
            && match &span.positions {
                Some(positions) => {
                    positions.end > self.at.next && self.wants_sequenced(&span.batch)
                }
                None => self.is_left(&span.batch),
            };
        if !wanted {
            if let (Some(positions), Some(_)) = (&span.positions, span.end) {
                self.pass_sequenced(&span.batch, positions.start, positions.end);
            }
            return 0..0;
        }
        // The number of events of the batch yielded so far: while it was live, and by position.
        let partial = self.yielded_of(&span.batch);
        let passed = span.positions.as_ref().map_or(0, |p| self.at.next.saturating_sub(p.start));
        let done = partial.max(passed).max(before).min(after);
        let yielded = self.left.map_or(after, |left| done.saturating_add(left).min(after));
        self.left = self.left.map(|left| left - (yielded - done));
        let whole = span.end.is_some() && yielded == after;
        match &span.positions {
            Some(positions) if whole => {
                self.pass_sequenced(&span.batch, positions.start, positions.end);
            }
            Some(positions) => {
                let reached = positions.start.saturating_add(yielded.max(partial));
                if reached.max(self.at.next) > positions.start {
                    self.pass_sequenced(&span.batch, positions.start, reached);
                }
            }
            None if whole => self.at.yield_live(span.batch, None),
            None if yielded > partial => self.at.yield_live(span.batch, Some(yielded)),
            None => {}
        }
        done - before..yielded - before
    }

    /// Advances past the next event of a span that another cursor has passed: its last wanted one
    /// if `is_last`.
    pub(crate) fn pass_one(&mut self, span: &BatchSpan, is_last: bool) {
        let in_batch = self.in_batch;
        self.left = Some(1);
        self.pass(span);
        if !is_last {
            self.in_batch = in_batch;
        }
    }

    /// Advances past a span, whatever the limit.
    pub(crate) fn pass_unlimited(&mut self, span: &BatchSpan) {
        self.left = None;
        self.pass(span);
    }

    /// Moves to the first event that is left. Returns the number of trimmed events that were
    /// neither yielded nor passed.
    pub(crate) fn overtaken(&mut self, overtaken: Overtaken) -> u64 {
        overtaken.end(&mut self.at)
    }

    /// Moves to a position.
    pub(crate) fn skip_to(&mut self, position: u64) {
        self.at.next = self.at.next.max(position);
    }

    /// Starts behind the first `events` events of a live batch, or behind all of it. All before it
    /// are passed.
    pub(crate) fn skip_live(&mut self, batch: BatchName, events: Option<u64>) {
        self.at.yield_live(batch, events);
    }

    /// Starts behind all of these live batches, oldest first.
    pub(crate) fn skip_all_live(&mut self, batches: Vec<BatchName>) {
        self.at.yield_all_live(batches);
    }

    /// The number of batches of the snapshot that are not yielded again, the oldest ones: up to the
    /// last that was met in the store. Those before it are stored, or were trimmed meanwhile.
    pub(crate) fn met_sealed(&self) -> usize {
        self.sealed_met
    }

    fn meet(&mut self, batch: &BatchName) {
        let place = self.sealed.iter().rposition(|sealed| sealed == batch);
        if let Some(place) = place
            && (place == self.sealed_met || !mutants::is(Mutant::TailByName))
        {
            self.sealed_met = self.sealed_met.max(place + 1);
        }
    }

    /// The number of events of a batch that were yielded while it was live, if not all were.
    fn yielded_of(&self, batch: &BatchName) -> u64 {
        match self.at.passed(batch) {
            Passed::Some(events) => events,
            Passed::None | Passed::All => 0,
        }
    }

    fn wants_sequenced(&self, batch: &BatchName) -> bool {
        self.is_in_time(batch)
            && (mutants::is(Mutant::ForgetSeen) || self.at.passed(batch) != Passed::All)
    }

    /// Returns true if a live batch, or a part of it, was neither yielded nor skipped.
    fn is_left(&self, batch: &BatchName) -> bool {
        self.is_in_time(batch) && self.at.passed(batch) != Passed::All
    }

    /// Returns true unless the batch is a later one of the writer whose snapshot is read.
    fn is_in_time(&self, batch: &BatchName) -> bool {
        let later = self
            .own
            .is_some_and(|(writer, last)| batch.writer() == Some(writer) && batch.time > last);
        !later || mutants::is(Mutant::KeepNewer)
    }
}

#[cfg(test)]
mod tests;
