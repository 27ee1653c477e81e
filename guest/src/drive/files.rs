//! Lists the objects, or ranges of them, that are the events of a log now.
//!
//! 1. The list is of one state of the log, and in the order of a reader: segments by position, then
//!    live batches. It leaves out trimmed events, batches behind a gap, and batches that a segment
//!    contains.
//! 2. A range begins and ends between two events, and has no lost ones. So the event number N of a
//!    range of a segment has the position of the first one plus N.
//! 3. An index is read only of a segment of which some events are left out. Of a batch that a trim
//!    has cut, the trimmed events are read.

use std::rc::Rc;

use crate::decide::cursor::Times;
use crate::decide::log_state::LogState;
use crate::decide::source::Source;
use crate::drive::catalog::{Catalog, Scope};
use crate::drive::interrupted::Interrupted;
use crate::drive::source_reader::count_first;
use crate::error::Error;
use crate::format::index::Index;
use crate::format::listed::ListedBatch;
use crate::format::manifest::SegmentRecord;
use crate::format::names::{BatchTime, LogName, ObjectName};
use crate::format::segment::SegmentRange;
use crate::limits::MISSING_TRIES;
use crate::ports::Store;

/// The most files that one call returns.
const PAGE: usize = 1_000;

/// An object of a log, or a range of it, with events that readers are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub object: ObjectName,
    /// Bytes of the whole object.
    pub size: u64,
    /// Offset and number of the bytes of the events.
    pub offset: u64,
    pub bytes: u64,
    /// The number of events in the object before the offset.
    pub events_before: u64,
    /// None for a live batch whose name does not have it.
    pub events: Option<u64>,
    /// The position of the first event. None for a live batch.
    pub position: Option<u64>,
    /// The times of the first and the last batch.
    pub first_time: BatchTime,
    pub last_time: BatchTime,
}

/// The files of a log, page by page.
pub struct Files {
    log: LogName,
    segments: std::vec::IntoIter<File>,
    live: std::vec::IntoIter<ListedBatch>,
    times: Times,
}

impl Files {
    /// Lists the files of a log with the batches of times from `since` until before `until`.
    ///
    /// # Errors
    /// [`Error::NoLog`], [`Error::StoreFailed`], [`Error::Damaged`] or [`Error::Unsupported`].
    pub fn list<S: Store>(
        store: S,
        log: LogName,
        since: Option<u64>,
        until: Option<u64>,
    ) -> Result<Self, Error> {
        let times = Times { since, until };
        let mut catalog = Catalog::new(store, log.clone());
        let mut tries = 0;
        loop {
            let state = catalog.load(Scope::Full)?;
            catalog.check_exists(&state)?;
            catalog.check_none_gone(&state)?;
            match of_segments(&mut catalog, &state, times) {
                Ok(segments) => {
                    let (segments, live) = (segments.into_iter(), state.live.into_iter());
                    return Ok(Self { log, segments, live, times });
                }
                // The log was compacted, unless the object stays gone.
                Err(Interrupted::Gone(gone)) if tries == MISSING_TRIES => {
                    return Err(catalog.absent(gone.name)?);
                }
                Err(Interrupted::Gone(_)) => tries += 1,
                Err(Interrupted::Failed(error)) => return Err(error),
            }
        }
    }

    /// Returns the key of a file's object in the store.
    pub fn key(&self, file: &File) -> String {
        self.log.key(file.object)
    }

    /// Returns the next files, at most 1,000, or none at the end.
    pub fn next_page(&mut self) -> Vec<File> {
        let times = self.times;
        let live = self.live.by_ref().filter(|batch| times.wants(batch.name.time));
        self.segments.by_ref().chain(live.map(of_batch)).take(PAGE).collect()
    }
}

fn of_batch(batch: ListedBatch) -> File {
    let (name, size) = (batch.name, batch.size);
    File {
        object: ObjectName::Batch(name),
        size,
        offset: 0,
        bytes: size,
        events_before: 0,
        events: name.origin.map(|origin| origin.events),
        position: None,
        first_time: name.time,
        last_time: name.time,
    }
}

fn of_segments<S: Store>(
    catalog: &mut Catalog<S>,
    state: &LogState,
    times: Times,
) -> Result<Vec<File>, Interrupted> {
    let first = state.first_position();
    let mut files = Vec::new();
    for segment in state.segments().iter().filter(|segment| first < segment.end()) {
        let is_whole = first <= segment.position && segment.lost == 0;
        match times.want_all(segment.first_time, segment.last_time) {
            Some(false) => {}
            Some(true) if is_whole => files.push(of_segment(segment)),
            _ => {
                let index = catalog.require_index(segment)?;
                ranges(catalog, segment, &index, (first, times), &mut files)?;
            }
        }
    }
    Ok(files)
}

fn of_segment(segment: &SegmentRecord) -> File {
    File {
        object: ObjectName::Segment(segment.name),
        size: segment.bytes,
        offset: 0,
        bytes: segment.bytes,
        events_before: 0,
        events: Some(segment.events),
        position: Some(segment.position),
        first_time: segment.first_time,
        last_time: segment.last_time,
    }
}

/// Adds the ranges of a segment with the wanted events from the position `first` on.
fn ranges<S: Store>(
    catalog: &Catalog<S>,
    segment: &SegmentRecord,
    index: &Rc<Index>,
    (first, times): (u64, Times),
    files: &mut Vec<File>,
) -> Result<(), Interrupted> {
    let (mut offset, mut events_before) = (0_u64, 0_u64);
    let mut open: Option<File> = None;
    for (batch, positions) in index.positions(segment) {
        let (start, position) = (offset, positions.start + batch.trimmed);
        let (stored, before) = (batch.events_stored(), events_before);
        offset += batch.bytes;
        events_before += stored;
        if stored == 0 || positions.end <= first || !times.wants(batch.name.time) {
            files.extend(open.take());
            continue;
        }
        let cut = match first.saturating_sub(position) {
            0 => (0, 0),
            trimmed => {
                let batch = SegmentRange {
                    segment: *segment,
                    batches: vec![*batch],
                    position,
                    bytes: start..offset,
                };
                count_first(catalog, Source::range(batch), trimmed)?
            }
        };
        let time = batch.name.time;
        let file = open.get_or_insert_with(|| File {
            offset: start + cut.1,
            bytes: 0,
            events_before: before + cut.0,
            events: Some(0),
            position: Some(position + cut.0),
            first_time: time,
            last_time: time,
            ..of_segment(segment)
        });
        file.bytes = offset - file.offset;
        file.events = Some(events_before - file.events_before);
        file.first_time = file.first_time.min(time);
        file.last_time = file.last_time.max(time);
    }
    files.extend(open);
    Ok(())
}
