//! Decides the first position after a trim: a caller's point, applied to the current log.
//!
//! 1. A trim drops a prefix of the log: it ends before the first event to keep, whatever follows
//!    that.
//! 2. Live batches follow all compacted events, in the order of their names. Those that the point
//!    covers are absorbed first, oldest first, since only events with positions can be trimmed.

use crate::decide::log_state::LogState;
use crate::decide::source::Source;
use crate::drive::catalog::Catalog;
use crate::drive::interrupted::Interrupted;
use crate::drive::source_reader::count_first;
use crate::drive::trimmer::TrimPoint;
use crate::error::Error;
use crate::format::index::Index;
use crate::format::listed::ListedBatch;
use crate::format::manifest::SegmentRecord;
use crate::format::numbers::to_u64;
use crate::format::position::{Passed, Position};
use crate::ports::Store;

/// The point up to which to trim, validated.
#[derive(Clone, Debug)]
pub(super) enum Point {
    /// All events before a compacted event.
    At(u64),
    Position(Position),
    Time(u64),
    KeepEvents(u64),
}

/// The aim of a trim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Aim {
    /// The number of live batches to absorb first, oldest first.
    pub batches: usize,
    /// The new first position if there are none; otherwise the number of their events to keep.
    pub to: To,
    /// Live batches that the point covers but that stay, behind events that it does not cover.
    pub live_batches: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    Position(u64),
    KeepOfAbsorbed(u64),
}

impl Aim {
    fn at(position: u64, live_batches: u64) -> Self {
        Self { batches: 0, to: To::Position(position), live_batches }
    }

    fn absorb(batches: usize, kept: u64, named: u64) -> Self {
        let live_batches = named.saturating_sub(to_u64(batches));
        Self { batches, to: To::KeepOfAbsorbed(kept), live_batches }
    }
}

impl Point {
    pub(super) fn new(point: TrimPoint) -> Result<Self, Error> {
        Ok(match point {
            TrimPoint::Position(text) => Self::Position(Position::decode(&text)?),
            TrimPoint::Time(time) => Self::Time(time),
            TrimPoint::KeepEvents(events) => Self::KeepEvents(events),
        })
    }

    /// Decides the aim of this point.
    pub(super) fn aim<S: Store>(
        &self,
        catalog: &mut Catalog<S>,
        state: &LogState,
    ) -> Result<Aim, Interrupted> {
        if let Self::Position(position) = self {
            catalog.check_position(position, state)?;
        }
        match self {
            Self::At(position) => Ok(Aim::at(*position, 0)),
            Self::Position(position) if position.next > state.next_position() => {
                beyond(position, catalog, state)
            }
            Self::Position(position) => behind_passed(position, catalog, state),
            Self::Time(time) => since(*time, catalog, state),
            Self::KeepEvents(events) => keep(*events, catalog, state),
        }
    }
}

/// Aims at a bare position that live batches will have.
fn beyond<S: Store>(
    position: &Position,
    catalog: &Catalog<S>,
    state: &LogState,
) -> Result<Aim, Interrupted> {
    let next = &position.next;
    let mut end = state.next_position();
    let batches = if position.is_bare() { &state.live[..] } else { &[] };
    for (batch, number) in batches.iter().zip(1..) {
        let events = events_of(catalog, batch)?;
        end = catalog.total([end, events])?;
        if end >= *next {
            return Ok(Aim::absorb(number, end - next, 0));
        }
    }
    let log = catalog.name.as_str();
    Err(Error::InvalidInput(format!(
        "position {next} is beyond the end of the log {log}, position {end}; pass a position up to \
         {end}"
    ))
    .into())
}

/// Aims behind the events that a reader had passed, up to the first that it had not.
fn behind_passed<S: Store>(
    position: &Position,
    catalog: &mut Catalog<S>,
    state: &LogState,
) -> Result<Aim, Interrupted> {
    let mut at = position.next.max(state.first_position());
    for segment in state.segments().iter().filter(|segment| segment.end() > position.next) {
        if at < segment.position || !position.has_yielded_of(segment) {
            break;
        }
        let index = catalog.require_index(segment)?;
        at = pass(position, at, segment, &index);
        if at < segment.end() {
            break;
        }
    }
    let is_named = |batch: &&ListedBatch| position.passed(&batch.name) != Passed::None;
    let named = to_u64(state.live.iter().filter(is_named).count());
    if at < state.next_position() {
        return Ok(Aim::at(at, named));
    }
    let is_passed = |batch: &&ListedBatch| position.passed(&batch.name) == Passed::All;
    let whole = state.live.iter().take_while(is_passed).count();
    if let Some(batch) = state.live.get(whole)
        && let Passed::Some(passed) = position.passed(&batch.name)
    {
        let events = events_of(catalog, batch)?;
        return Ok(Aim::absorb(whole + 1, events.saturating_sub(passed), named));
    }
    Ok(match whole {
        0 => Aim::at(at, named),
        _ => Aim::absorb(whole, 0, named),
    })
}

/// Returns the end of the events of a segment that were passed, from a position on.
fn pass(position: &Position, mut at: u64, segment: &SegmentRecord, index: &Index) -> u64 {
    for (batch, positions) in index.positions(segment) {
        if positions.end <= at {
            continue;
        }
        let passed = position.passed(&batch.name).count(positions.end - positions.start);
        at = at.max(positions.start + passed);
        if at < positions.end {
            return at;
        }
    }
    at
}

/// Aims at the first event sealed at this time or later.
fn since<S: Store>(
    time: u64,
    catalog: &mut Catalog<S>,
    state: &LogState,
) -> Result<Aim, Interrupted> {
    let first = state.first_position();
    let older = state.live.iter().take_while(|batch| batch.name.time.micros() < time).count();
    let newer = state.segments().iter().filter(|segment| segment.last_time.micros() >= time);
    for segment in newer {
        if segment.first_time.micros() >= time && segment.position >= first {
            return Ok(Aim::at(segment.position, to_u64(older)));
        }
        let index = catalog.require_index(segment)?;
        let mut batches = index.positions(segment);
        let is_newer = batches.find(|(batch, positions)| {
            batch.events > 0 && positions.end > first && batch.name.time.micros() >= time
        });
        if let Some((batch, positions)) = is_newer {
            let start = positions.start + batch.trimmed;
            return Ok(Aim::at(start.max(first), to_u64(older)));
        }
    }
    Ok(match older {
        0 => Aim::at(state.next_position(), 0),
        _ => Aim::absorb(older, 0, 0),
    })
}

/// Aims at the last `kept` events that can be read.
fn keep<S: Store>(
    kept: u64,
    catalog: &mut Catalog<S>,
    state: &LogState,
) -> Result<Aim, Interrupted> {
    let mut left = kept;
    for (number, batch) in state.live.iter().enumerate().rev() {
        if left == 0 {
            return Ok(Aim::absorb(number + 1, 0, 0));
        }
        let events = events_of(catalog, batch)?;
        if events > left {
            return Ok(Aim::absorb(number + 1, left, 0));
        }
        left -= events;
    }
    Ok(Aim::at(catalog.position_of_last(state, left)?, 0))
}

/// The number of events of a live batch, which is read if its name does not have it.
fn events_of<S: Store>(catalog: &Catalog<S>, batch: &ListedBatch) -> Result<u64, Interrupted> {
    if let Some(origin) = batch.name.origin {
        return Ok(origin.events);
    }
    Ok(count_first(catalog, Source::Batch(*batch), u64::MAX)?.0)
}
