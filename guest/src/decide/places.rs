//! The events of a page, one by one: the batches they are of, and the positions between them.
//!
//! 1. The moves that made the page are kept. A copy of the cursor makes them again, one event at a
//!    time, so that a position inside the page is the one of a pass that ends there.
//! 2. Positions are asked for in order. A position before the last one begins the walk again.

use std::ops::Range;
use std::rc::Rc;

use crate::decide::cursor::Cursor;
use crate::format::index::Index;
use crate::format::manifest::SegmentRecord;
use crate::format::names::{BatchName, BatchTime};
use crate::format::position::Position;
use crate::format::verified_chunk::BatchSpan;
use crate::limits::PAGE_SPANS_MAX;

/// Consecutive events of one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchEvents {
    pub events: u64,
    /// The time of the batch, in microseconds since 1970. None for events that are in no batch yet.
    pub time: Option<u64>,
}

/// A step of the cursor that made a page.
#[derive(Debug)]
enum Move {
    Enter(Box<SegmentRecord>, Rc<Index>),
    Leave(Box<SegmentRecord>, Option<Rc<Index>>),
    Pass(BatchName),
    /// Spans, each with the range of its events yielded.
    Spans(Vec<BatchSpan>, Vec<Range<u64>>),
    /// Events of a writer's memory, which have no positions.
    Pending {
        events: u64,
        time: Option<BatchTime>,
    },
}

/// The moves that made a page.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// The cursor before the first move.
    start: Cursor,
    moves: Vec<Move>,
    /// The number of spans.
    spans: usize,
    walk: Option<Walk>,
}

/// A cursor within the page.
#[derive(Clone, Debug)]
struct Walk {
    cursor: Cursor,
    /// The number of moves done, of spans done of the next one, and of events yielded by its next
    /// span.
    moves: usize,
    spans: usize,
    of_span: u64,
    /// The number of events yielded.
    events: u64,
}

impl Places {
    /// Begins a page, or begins it again after a load, before the first event.
    pub(crate) fn clear(&mut self) {
        // What is kept of a page of many small batches may be large.
        self.moves = Vec::new();
        self.spans = 0;
        self.walk = None;
    }

    /// Returns true if the page must end, since more would take too much memory.
    pub(crate) fn is_full(&self) -> bool {
        self.spans >= PAGE_SPANS_MAX
    }

    pub(crate) fn enter(&mut self, at: &Cursor, segment: &SegmentRecord, index: &Rc<Index>) {
        self.push(at, Move::Enter(Box::new(*segment), index.clone()));
    }

    pub(crate) fn leave(
        &mut self,
        at: &Cursor,
        segment: &SegmentRecord,
        index: Option<&Rc<Index>>,
    ) {
        self.push(at, Move::Leave(Box::new(*segment), index.cloned()));
    }

    pub(crate) fn pass(&mut self, at: &Cursor, batch: BatchName) {
        self.push(at, Move::Pass(batch));
    }

    /// Keeps the cursor before spans, if nothing is kept yet.
    pub(crate) fn begin(&mut self, at: &Cursor) {
        if self.moves.is_empty() {
            self.start.clone_from(at);
        }
    }

    /// Keeps the spans that the cursor has passed, each with the range of its events yielded.
    pub(crate) fn spans(&mut self, spans: Vec<BatchSpan>, yielded: Vec<Range<u64>>) {
        self.spans += spans.len();
        self.moves.push(Move::Spans(spans, yielded));
    }

    pub(crate) fn pending(&mut self, events: u64, time: Option<BatchTime>) {
        self.moves.push(Move::Pending { events, time });
    }

    fn push(&mut self, at: &Cursor, step: Move) {
        self.begin(at);
        self.moves.push(step);
    }

    /// Returns the batches of the page's events, in order.
    pub(crate) fn batches(&self) -> Vec<BatchEvents> {
        let mut batches: Vec<BatchEvents> = Vec::new();
        let mut last = None;
        let mut add = |batch: Option<BatchName>, events, time: Option<BatchTime>| {
            match batches.last_mut() {
                _ if events == 0 => return,
                Some(of) if batch.is_some() && batch == last => of.events += events,
                _ => batches.push(BatchEvents { events, time: time.map(BatchTime::micros) }),
            }
            last = batch;
        };
        for step in &self.moves {
            match step {
                Move::Spans(spans, yielded) => {
                    for (span, yielded) in spans.iter().zip(yielded) {
                        let time = Some(span.batch.time);
                        add(Some(span.batch), yielded.end - yielded.start, time);
                    }
                }
                Move::Pending { events, time } => add(None, *events, *time),
                Move::Enter(..) | Move::Leave(..) | Move::Pass(_) => {}
            }
        }
        batches
    }

    /// Returns the position right behind the event with this number in the page. None if the page
    /// has no such event.
    pub(crate) fn position_behind(&mut self, event: u64) -> Option<&Position> {
        let begun = self.walk.take().filter(|walk| walk.events <= event);
        let walk = self.walk.insert(begun.unwrap_or_else(|| Walk {
            cursor: self.start.clone(),
            moves: 0,
            spans: 0,
            of_span: 0,
            events: 0,
        }));
        while walk.events <= event {
            walk.step(&self.moves)?;
        }
        Some(walk.cursor.position())
    }
}

impl Walk {
    /// Moves behind the next event. None behind the last move.
    fn step(&mut self, moves: &[Move]) -> Option<()> {
        loop {
            match moves.get(self.moves)? {
                Move::Spans(spans, yielded) => {
                    if let Some(next) = spans.get(self.spans).zip(yielded.get(self.spans)) {
                        if self.step_in(next) {
                            return Some(());
                        }
                        continue;
                    }
                }
                Move::Enter(segment, index) => _ = self.cursor.enter(segment, index),
                Move::Leave(segment, index) => self.cursor.leave(segment, index.as_deref()),
                Move::Pass(batch) => self.cursor.skip_live(*batch, None),
                Move::Pending { .. } => {}
            }
            self.moves += 1;
            self.spans = 0;
        }
    }

    /// Moves behind the next event of a span, or past a span without one. Returns true for an
    /// event.
    fn step_in(&mut self, (span, yielded): (&BatchSpan, &Range<u64>)) -> bool {
        let has_next = self.of_span < yielded.end - yielded.start;
        if has_next {
            self.of_span += 1;
            self.events += 1;
        }
        let is_last = self.of_span == yielded.end - yielded.start;
        match has_next {
            true => self.cursor.pass_one(span, is_last),
            false => self.cursor.pass_unlimited(span),
        }
        if is_last {
            self.spans += 1;
            self.of_span = 0;
        }
        has_next
    }
}
