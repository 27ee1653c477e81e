//! Counts a log from its listing and its manifest.

use crate::error::Error;
use crate::names::{Generation, LogName};
use crate::ports::Store;
use crate::stored_log::{Look, StoredLog};

/// A log in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    pub objects: u64,
    pub batches: u64,
    pub segments: u64,
    pub events: u64,
    /// Live batches whose names do not tell their number of events.
    pub uncounted_batches: u64,
    pub bytes: u64,
    pub generation: Generation,
    pub first_time: Option<u64>,
    pub last_time: Option<u64>,
}

/// Counts a log without reading its events.
///
/// # Errors
/// [`Error::StoreFailed`], [`Error::Damaged`] or [`Error::Unsupported`].
pub fn stat<S: Store>(store: S, log: LogName) -> Result<Stats, Error> {
    let view = StoredLog::new(store, log).look(Look::Everything)?;
    let count = |objects: usize| u64::try_from(objects).unwrap_or(u64::MAX);
    let origins = || view.live.iter().filter_map(|batch| batch.name.origin);
    let segments = view.segments();
    let counted = origins().count();
    let times = || {
        let live = view.live.iter().map(|batch| batch.name.time);
        live.chain(segments.iter().flat_map(|segment| [segment.first_time, segment.last_time]))
    };
    let sum = |numbers: &mut dyn Iterator<Item = u64>| numbers.fold(0, u64::saturating_add);
    Ok(Stats {
        objects: count(view.live.len() + view.absorbed.len() + view.others.len()),
        batches: count(view.live.len()),
        segments: count(segments.len()),
        events: sum(&mut segments
            .iter()
            .map(|segment| segment.events)
            .chain(origins().map(|origin| origin.events))),
        uncounted_batches: count(view.live.len() - counted),
        bytes: sum(&mut segments
            .iter()
            .map(|segment| segment.bytes)
            .chain(view.live.iter().map(|batch| batch.size))),
        generation: view.manifest.as_ref().map(|m| m.generation).unwrap_or_default(),
        first_time: times().min().map(|time| time.micros()),
        last_time: times().max().map(|time| time.micros()),
    })
}
