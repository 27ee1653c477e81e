//! Trims a log: a driver. Gives up events at its beginning by a manifest that names fewer segments.
//!
//! 1. Positions never move back, and no event changes its place.
//! 2. Only what a segment holds can be trimmed: a live batch stays, whatever its time.
//! 3. The indexes of trimmed segments stay for a while, so that a batch whose create lands late is
//!    known as absorbed and not read again.

use crate::commit::{Commit, Committer};
use crate::error::Error;
use crate::index::Index;
use crate::limits::COMPACT_TRIES;
use crate::manifest::{Manifest, Retired, SegmentRecord};
use crate::names::{Attempt, LogName};
use crate::ports::{Store, System};
use crate::position::Position;
use crate::stored_log::{Look, StoredLog};
use crate::view::View;

/// Up to where to trim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrimPoint {
    /// Everything before a position, as a reader gave it.
    Position(String),
    /// What stands before the first event that was sealed at this time or later, in microseconds.
    Time(u64),
    /// All but the last so many events.
    KeepEvents(u64),
}

/// What a trim did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trimmed {
    pub events: u64,
    /// Segments dropped whole, and their bytes.
    pub segments: u64,
    pub bytes: u64,
    pub first_position: u64,
    /// Live batches before the point.
    pub live_batches: u64,
}

/// Where to trim, understood.
enum Point {
    Position(Position),
    Time(u64),
    KeepEvents(u64),
}

/// Trims a log.
///
/// # Errors
/// [`Error::InvalidInput`] for a position that is not one; otherwise as a compaction.
pub fn trim<S: Store, Y: System>(
    store: S,
    system: &Y,
    log: LogName,
    until: TrimPoint,
) -> Result<Trimmed, Error> {
    let point = match until {
        TrimPoint::Position(text) => Point::Position(Position::decode(&text)?),
        TrimPoint::Time(time) => Point::Time(time),
        TrimPoint::KeepEvents(events) => Point::KeepEvents(events),
    };
    let mut committer = Committer::new(StoredLog::new(store, log), system);
    for _ in 0..COMPACT_TRIES {
        let view = committer.stored.look(Look::Changing)?;
        committer.stored.check_exists(&view)?;
        if let Point::Position(position) = &point {
            position.check_log(&committer.stored.name, view.log())?;
        }
        let Some(first) = first_left(&mut committer.stored, &point, &view)? else { continue };
        let live_batches = live_before(&point, &view);
        let Some((manifest, trimmed)) = next_manifest(&view, first, Attempt(committer.random()))
        else {
            let first_position = view.first_position();
            return Ok(Trimmed { first_position, live_batches, ..Trimmed::default() });
        };
        committer.ensure_exclusive()?;
        if committer.commit(manifest, &[], &[], &view)? == Commit::Won {
            return Ok(Trimmed { live_batches, ..trimmed });
        }
    }
    Err(committer.conflict())
}

/// The position of the first event that is to be left. None if an index is gone: look again.
fn first_left<S: Store>(
    stored: &mut StoredLog<S>,
    point: &Point,
    view: &View,
) -> Result<Option<u64>, Error> {
    let next = view.next_position();
    Ok(Some(match point {
        Point::Position(position) if position.next > next => {
            return Err(Error::InvalidInput(format!(
                "position {} is beyond what is compacted, which ends at {next}: compact first",
                position.next
            )));
        }
        Point::Position(position) => position.next,
        Point::KeepEvents(events) => {
            let live = view.live.iter().filter_map(|batch| batch.name.origin);
            let live = live.map(|origin| origin.events).fold(0, u64::saturating_add);
            next.saturating_sub(events.saturating_sub(live))
        }
        Point::Time(time) => {
            let newer = view.segments().iter().filter(|s| s.last_time.micros() >= *time);
            for segment in newer {
                if segment.first_time.micros() >= *time && segment.position >= view.first_position()
                {
                    return Ok(Some(segment.position));
                }
                let Some(index) = stored.index_of(segment)? else { return Ok(None) };
                if let Some(position) = first_since(*time, view.first_position(), segment, &index) {
                    return Ok(Some(position));
                }
            }
            next
        }
    }))
}

/// The position of the first event of a segment that was sealed at this time or later and is not
/// trimmed yet.
fn first_since(time: u64, first: u64, segment: &SegmentRecord, index: &Index) -> Option<u64> {
    let mut end = segment.position;
    index.batches.iter().find_map(|batch| {
        let start = end;
        end = end.saturating_add(batch.events);
        let is_left = end > start && end > first;
        (is_left && batch.name.time.micros() >= time).then_some(start.max(first))
    })
}

/// Live batches that the point lies behind of.
fn live_before(point: &Point, view: &View) -> u64 {
    let mut left = match point {
        Point::KeepEvents(events) => *events,
        Point::Position(_) | Point::Time(_) => 0,
    };
    let before = view.live.iter().rev().filter(|batch| match point {
        Point::Position(position) => position.yielded.contains(&batch.name),
        Point::Time(time) => batch.name.time.micros() < *time,
        Point::KeepEvents(_) => {
            let kept = left > 0;
            left = left.saturating_sub(batch.name.origin.map_or(0, |origin| origin.events));
            !kept
        }
    });
    u64::try_from(before.count()).unwrap_or(u64::MAX)
}

/// The manifest without what stands before a position. None if there is nothing before it.
fn next_manifest(view: &View, first: u64, attempt: Attempt) -> Option<(Manifest, Trimmed)> {
    let base = view.manifest.as_deref()?;
    let events = first.checked_sub(base.first_position).filter(|events| *events > 0)?;
    let mut next = Manifest::after(Some(base), attempt);
    next.first_position = first;
    next.segments.retain(|segment| segment.end() > first);
    let dropped: Vec<_> = base.segments.iter().filter(|segment| segment.end() <= first).collect();
    let generation = next.generation;
    let retired = dropped.iter().map(|segment| Retired { segment: **segment, generation });
    next.retired.extend(retired);
    let trimmed = Trimmed {
        events,
        segments: u64::try_from(dropped.len()).unwrap_or(u64::MAX),
        bytes: dropped.iter().map(|segment| segment.bytes).fold(0, u64::saturating_add),
        first_position: first,
        live_batches: 0,
    };
    Some((next, trimmed))
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::manifest::tests::{empty, segment_record, stored};
    use crate::names::{Generation, SegmentName};

    fn view() -> View {
        let first = segment_record(3, 6);
        let name = SegmentName { part: 1, ..first.name };
        let second = SegmentRecord { position: 3, name, ..first };
        let manifest = Manifest { next_position: 6, segments: vec![first, second], ..empty(7) };
        View { manifest: Some(Rc::new(stored(manifest))), ..View::default() }
    }

    #[test]
    fn a_segment_is_dropped_when_all_of_it_is_before_the_point() {
        for (first, left, dropped) in [(2, 2, 0), (3, 1, 1), (5, 1, 1), (6, 0, 2)] {
            let (next, trimmed) = next_manifest(&view(), first, Attempt(2)).unwrap();
            assert_eq!((next.segments.len(), next.retired.len()), (left, dropped), "{first}");
            assert_eq!((next.first_position, next.next_position), (first, 6));
            assert_eq!((trimmed.events, trimmed.first_position), (first, first));
            let bytes = next.encode().unwrap();
            assert_eq!(Manifest::decode(Generation(8), &bytes), Ok(stored(next)));
        }
        assert_eq!(next_manifest(&view(), 0, Attempt(2)), None);
    }

    #[test]
    fn retired_indexes_are_kept_for_64_generations() {
        let (mut manifest, _) = next_manifest(&view(), 3, Attempt(2)).unwrap();
        for kept in 1..=64 {
            manifest = Manifest::after(Some(&manifest), Attempt(kept));
            assert_eq!(manifest.retired.len(), 1);
        }
        assert_eq!(Manifest::after(Some(&manifest), Attempt(0)).retired.len(), 0);
    }
}
