//! Counts the objects, events and bytes of a log from its listing and its manifest.

use crate::decide::compaction;
use crate::decide::log_state::LogState;
use crate::drive::catalog::{Catalog, Scope};
use crate::drive::compactor::garbage_of;
use crate::drive::interrupted::Interrupted;
use crate::error::Error;
use crate::format::manifest::SegmentRecord;
use crate::format::names::{Generation, LogId, LogName};
use crate::format::numbers::to_u64;
use crate::format::ordered::Map;
use crate::limits::{FAN_IN_DEFAULT, MISSING_TRIES};
use crate::ports::Store;

/// The counts of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    pub objects: u64,
    pub batches: u64,
    /// Live batches behind a gap, which no reader is shown. Only `objects` counts them, too.
    pub hidden_batches: u64,
    pub segments: u64,
    pub events: u64,
    /// Events that a repair recorded as lost. They have positions and are not in `events`.
    pub lost_events: u64,
    /// Live batches whose names do not have their number of events.
    pub uncounted_batches: u64,
    pub bytes: u64,
    /// Trimmed events that the first segment still holds. They are not in `events`.
    pub trimmed_events: u64,
    pub generation: Generation,
    /// The identity of the log. None before the first compaction, and in format 1.
    pub log: Option<LogId>,
    pub first_time: Option<u64>,
    pub last_time: Option<u64>,
    pub first_position: u64,
    pub next_position: u64,
    /// Segments by size, smallest first.
    pub tiers: Vec<Tier>,
    pub garbage_objects: u64,
    pub garbage_bytes: u64,
    /// Objects left by writes in progress, or by killed ones.
    pub unfinished_objects: u64,
    pub unfinished_bytes: u64,
    pub absorbed_bytes: u64,
    pub compacted_bytes: u64,
}

/// Segments of one size tier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tier {
    pub tier: u32,
    pub segments: u64,
    pub bytes: u64,
}

/// Counts a log without reading its events.
///
/// # Errors
/// [`Error::NoLog`], [`Error::StoreFailed`], [`Error::Damaged`] or [`Error::Unsupported`].
pub fn stat<S: Store>(store: S, log: LogName) -> Result<Stats, Error> {
    let mut catalog = Catalog::new(store, log);
    let mut tries = 0;
    let (state, lost_events, lost_trimmed) = loop {
        let state = catalog.load(Scope::Full)?;
        catalog.check_exists(&state)?;
        catalog.check_none_gone(&state)?;
        match lost(&mut catalog, &state) {
            Ok((lost, trimmed)) => break (state, lost, trimmed),
            // The log was compacted, unless the index stays gone.
            Err(Interrupted::Gone(index)) if tries == MISSING_TRIES => {
                return Err(catalog.absent(index.name)?);
            }
            Err(Interrupted::Gone(_)) => tries += 1,
            Err(Interrupted::Failed(error)) => return Err(error),
        }
    };
    let (garbage_objects, garbage_bytes) = garbage_of(&catalog, &state)?;
    let origins = || state.live.iter().filter_map(|batch| batch.name.origin);
    let segments = state.segments();
    let counted = origins().count();
    let times = || {
        let live = state.live.iter().map(|batch| batch.name.time);
        live.chain(segments.iter().flat_map(|segment| [segment.first_time, segment.last_time]))
    };
    let sequenced = state.next_position() - state.first_position() - lost_events;
    let bytes = segments.iter().map(|segment| segment.bytes);
    Ok(Stats {
        objects: to_u64(state.listed().count() + state.twins.len() + state.others.len()),
        batches: to_u64(state.live.len()),
        hidden_batches: to_u64(state.hidden.len()),
        segments: to_u64(segments.len()),
        events: catalog.total(origins().map(|origin| origin.events).chain([sequenced]))?,
        lost_events,
        uncounted_batches: to_u64(state.live.len() - counted),
        bytes: catalog.total(bytes.chain(state.live.iter().map(|batch| batch.size)))?,
        trimmed_events: state.manifest.as_ref().map_or(0, |manifest| manifest.trimmed_events())
            - lost_trimmed,
        generation: state.manifest.as_ref().map(|m| m.generation).unwrap_or_default(),
        log: state.log(),
        first_time: times().min().map(|time| time.micros()),
        last_time: times().max().map(|time| time.micros()),
        first_position: state.first_position(),
        next_position: state.next_position(),
        tiers: tiers(segments),
        garbage_objects,
        garbage_bytes,
        unfinished_objects: to_u64(catalog.unfinished().len()),
        unfinished_bytes: catalog.total(catalog.unfinished().values().copied())?,
        absorbed_bytes: state.manifest.as_ref().map_or(0, |manifest| manifest.absorbed_bytes),
        compacted_bytes: state.manifest.as_ref().map_or(0, |manifest| manifest.compacted_bytes),
    })
}

/// Counts the lost events that are not trimmed, and those that are.
fn lost<S: Store>(catalog: &mut Catalog<S>, state: &LogState) -> Result<(u64, u64), Interrupted> {
    let first = state.first_position();
    Ok((catalog.lost_in(state, &(first..u64::MAX))?, catalog.lost_in(state, &(0..first))?))
}

fn tiers(segments: &[SegmentRecord]) -> Vec<Tier> {
    let mut tiers: Map<u32, Tier> = Map::new();
    for segment in segments {
        let tier = compaction::tier(segment.bytes, FAN_IN_DEFAULT);
        let sum = tiers.or_insert(tier, Tier { tier, ..Tier::default() });
        sum.segments += 1;
        sum.bytes += segment.bytes;
    }
    tiers.into_values().collect()
}
