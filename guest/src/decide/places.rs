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

/// Consecutive events of one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchEvents {
    pub events: u64,
    /// The time of the batch, in microseconds since 1970. None for events that are in no batch yet.
    pub time: Option<u64>,
}

/// A step of the cursor that made a page.
#[derive(Clone, Debug)]
enum Move {
    Enter(Box<SegmentRecord>, Rc<Index>),
    Leave(Box<SegmentRecord>, Option<Rc<Index>>),
    Pass(BatchName),
    Span {
        span: BatchSpan,
        yielded: u64,
    },
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
    walk: Option<Walk>,
}

/// A cursor within the page.
#[derive(Clone, Debug)]
struct Walk {
    cursor: Cursor,
    /// The number of moves done, and of events yielded by the next one.
    moves: usize,
    of_move: u64,
    /// The number of events yielded.
    events: u64,
}

impl Places {
    /// Begins a page, or begins it again after a load, before the first event.
    pub(crate) fn clear(&mut self) {
        self.moves.clear();
        self.walk = None;
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
    pub(crate) fn spans(&mut self, spans: Vec<BatchSpan>, yielded: &[Range<u64>]) {
        let yielded = yielded.iter().map(|range| range.end - range.start);
        let spans = spans.into_iter().zip(yielded);
        self.moves.extend(spans.map(|(span, yielded)| Move::Span { span, yielded }));
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
        for step in &self.moves {
            let (batch, events, time) = match step {
                Move::Span { span, yielded } => (Some(span.batch), *yielded, Some(span.batch.time)),
                Move::Pending { events, time } => (None, *events, *time),
                Move::Enter(..) | Move::Leave(..) | Move::Pass(_) => continue,
            };
            if events == 0 {
                continue;
            }
            match batches.last_mut() {
                Some(of) if batch.is_some() && batch == last => of.events += events,
                _ => batches.push(BatchEvents { events, time: time.map(BatchTime::micros) }),
            }
            last = batch;
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
            of_move: 0,
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
                Move::Span { span, yielded } if self.of_move < *yielded => {
                    self.of_move += 1;
                    self.events += 1;
                    let is_last = self.of_move == *yielded;
                    self.cursor.pass_one(span, is_last);
                    if is_last {
                        self.end_move();
                    }
                    return Some(());
                }
                Move::Span { span, .. } => self.cursor.pass_unlimited(span),
                Move::Enter(segment, index) => _ = self.cursor.enter(segment, index),
                Move::Leave(segment, index) => self.cursor.leave(segment, index.as_deref()),
                Move::Pass(batch) => self.cursor.skip_live(*batch, None),
                Move::Pending { .. } => {}
            }
            self.end_move();
        }
    }

    fn end_move(&mut self) {
        self.moves += 1;
        self.of_move = 0;
    }
}
