//! Trims a log: removes events at its beginning by a manifest that names fewer segments. A driver.
//!
//! 1. Positions never move back, and no event changes its position.
//! 2. No object that the log names holds a trimmed event afterwards: the segment at the boundary is
//!    rewritten without them. A lazy trim leaves that to the next compaction.
//! 3. Only sequenced events can be trimmed: live batches that the point covers are absorbed first,
//!    by a separate commit. A crash between the two leaves a compacted log.
//! 4. The indexes of trimmed segments stay for a while, so that a batch whose create lands late is
//!    recognized as absorbed and not read again.

use crate::decide::boundary::Boundary;
use crate::decide::compaction;
use crate::decide::log_state::LogState;
use crate::decide::source::Source;
use crate::drive::catalog::{Catalog, Scope};
use crate::drive::change::{self, Change, Changed};
use crate::drive::commit::{Committer, Goal};
use crate::drive::interrupted::{Interrupted, unless_gone};
use crate::drive::source_reader::count_first;
use crate::error::Error;
use crate::format::manifest::SegmentRecord;
use crate::format::names::{LogName, PositionName, SegmentName};
use crate::format::numbers::{to_u64, to_usize};
use crate::format::ordered::Set;
use crate::limits::{ABSORB_BATCHES_MAX, COMPACT_TRIES, SEGMENT_BYTES_DEFAULT};
use crate::mutants::{self, Mutant};
use crate::ports::{Store, System};
use aim::{Aim, Point, To};
use hold::Hold;

mod aim;
mod hold;

/// The point up to which to trim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrimPoint {
    /// All events before a position that a reader returned.
    Position(String),
    /// All events before the first one sealed at this time or later, in microseconds.
    Time(u64),
    /// All but the last N events.
    KeepEvents(u64),
}

/// The options of a trim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrimOptions {
    /// Leave trimmed events in the segment at the boundary to the next compaction.
    pub lazy: bool,
    /// Remove no event that a named position of the log has not passed.
    pub keep_unread: bool,
}

/// The result of a trim, or its plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrimResult {
    pub events: u64,
    /// Segments dropped whole, except those that this trim made.
    pub segments: u64,
    /// Bytes that the log no longer names.
    pub bytes: u64,
    /// Bytes of the new segment at the boundary. 0 if there is none.
    pub rewritten_bytes: u64,
    /// Live batches absorbed first.
    pub absorbed_batches: u64,
    pub first_position: u64,
    /// Live batches that the point covers but that stay, behind events that it does not cover.
    pub live_batches: u64,
    /// The name of the position that kept the trim from its point.
    pub held_by: Option<PositionName>,
}

/// Trims a log.
///
/// # Errors
/// [`Error::InvalidInput`] for an invalid position, or one of another log. Otherwise as for a
/// compaction.
pub fn trim<S: Store, Y: System>(
    store: S,
    system: &Y,
    log: LogName,
    until: TrimPoint,
    options: TrimOptions,
) -> Result<TrimResult, Error> {
    let mut point = Point::new(until)?;
    let hold = Hold::new(&store, &log, options)?;
    let mut committer = Committer::new(Catalog::new(store, log), system);
    let mut before = Before::default();
    // A log of batches without events alone has no object left once they are deleted.
    let mut is_there = false;
    let mut tries = 0;
    while tries < COMPACT_TRIES {
        let state = committer.catalog.load(Scope::Consistent)?;
        if !is_there {
            committer.catalog.check_exists(&state)?;
            is_there = true;
        }
        committer.catalog.check_none_gone(&state)?;
        let aim = point.aim(&mut committer.catalog, &state);
        let aim = aim.and_then(|aim| hold.apply(aim, &mut committer.catalog, &state));
        let Some((aim, holder)) = unless_gone(aim)? else {
            tries += 1;
            continue;
        };
        // Once the batches are absorbed, the point is where the holder put it.
        before.held_by = holder.or(before.held_by);
        let to = match aim.to {
            To::Position(position) => position.max(state.first_position()),
            To::KeepOfAbsorbed(kept) => {
                match absorb(&mut committer, &state, &aim, &mut before)? {
                    Some(end) => point = Point::At(end.saturating_sub(kept)),
                    None => tries += 1,
                }
                continue;
            }
        };
        if to > state.next_position() {
            // The absorbed events are not at the expected position: decide again.
            tries += 1;
            continue;
        }
        before.live_batches = before.live_batches.max(aim.live_batches);
        let step = TrimStep::new(&mut committer.catalog, &state, to, options);
        let Some(step) = unless_gone(step)? else {
            tries += 1;
            continue;
        };
        if step.is_nothing() {
            change::clean_up(&committer, &state);
            return Ok(before.and(TrimResult { first_position: to, ..TrimResult::default() }));
        }
        match step.commit(&mut committer, &state, &before)? {
            Some(trimmed) => return Ok(before.and(trimmed)),
            None => tries += 1,
        }
    }
    Err(committer.catalog.given_up(committer.conflict())?)
}

/// Plans what [`trim`] would do now.
///
/// # Errors
/// As [`trim`], except those of writing.
pub fn plan<S: Store>(
    store: S,
    log: LogName,
    until: TrimPoint,
    options: TrimOptions,
) -> Result<TrimResult, Error> {
    let point = Point::new(until)?;
    let hold = Hold::new(&store, &log, options)?;
    let mut catalog = Catalog::new(store, log);
    for _ in 0..COMPACT_TRIES {
        if let Some(planned) = unless_gone(plan_once(&mut catalog, &point, &hold, options))? {
            return Ok(planned);
        }
    }
    let name = catalog.name.as_str();
    let message = format!(
        "compactions change the log {name} faster than the log can be loaded; try again later"
    );
    Err(catalog.given_up(Error::StoreFailed { message, transient: true })?)
}

/// The work done before the trim itself.
#[derive(Default)]
struct Before {
    batches: u64,
    live_batches: u64,
    segments: Vec<SegmentName>,
    held_by: Option<PositionName>,
}

impl Before {
    fn and(&self, trimmed: TrimResult) -> TrimResult {
        let (absorbed_batches, live_batches) = (self.batches, self.live_batches);
        TrimResult { absorbed_batches, live_batches, held_by: self.held_by.clone(), ..trimmed }
    }
}

/// Absorbs the live batches that the point covers. Returns the position of their end. None if the
/// log must be loaded again: more of them are left, or another compactor won.
fn absorb<S: Store, Y: System>(
    committer: &mut Committer<'_, S, Y>,
    state: &LogState,
    aim: &Aim,
    before: &mut Before,
) -> Result<Option<u64>, Error> {
    let batches = to_usize(ABSORB_BATCHES_MAX).min(aim.batches);
    let change = Change {
        goal: Goal::Compact,
        first_position: state.first_position(),
        rewrites: vec![compaction::absorb(state, batches)],
        boundary: None,
        segment_bytes_max: SEGMENT_BYTES_DEFAULT,
        inputs: None,
        forgotten: Vec::new(),
    };
    Ok(match change::change(committer, state, change)? {
        Changed::Done(done) => {
            before.batches += to_u64(batches);
            before.segments.extend(done.segments.iter().map(|segment| segment.name));
            before.live_batches = aim.live_batches;
            done.next_position.filter(|_| batches == aim.batches)
        }
        Changed::Empty => {
            before.batches += to_u64(batches);
            None
        }
        Changed::Lost => None,
    })
}

/// The trim itself: from one manifest to the next.
struct TrimStep {
    to: u64,
    /// Events to drop, and the number of them that were lost before.
    events: u64,
    lost: u64,
    dropped: Vec<SegmentRecord>,
    /// The part of the segment at the boundary to rewrite.
    boundary: Option<Boundary>,
}

impl TrimStep {
    fn new<S: Store>(
        catalog: &mut Catalog<S>,
        state: &LogState,
        to: u64,
        options: TrimOptions,
    ) -> Result<Self, Interrupted> {
        let is_lazy = options.lazy || mutants::is(Mutant::LeaveBoundary);
        let manifest = state.manifest.as_deref().filter(|_| !is_lazy);
        let boundary = change::cutting(catalog, manifest, to)?;
        let dropped = state.segments().iter().filter(|segment| segment.end() <= to).copied();
        let gone = state.first_position()..to;
        let lost = catalog.lost_in(state, &gone)?;
        let events = to - state.first_position();
        Ok(Self { to, events, lost, dropped: dropped.collect(), boundary })
    }

    /// Returns true if nothing changes.
    fn is_nothing(&self) -> bool {
        self.events == 0 && self.boundary.is_none()
    }

    /// Commits the step. None if another compactor won.
    fn commit<S: Store, Y: System>(
        &self,
        committer: &mut Committer<'_, S, Y>,
        state: &LogState,
        before: &Before,
    ) -> Result<Option<TrimResult>, Error> {
        let cut = self.boundary.iter().filter_map(|boundary| compaction::cut(state, boundary));
        let change = Change {
            goal: Goal::Trim,
            first_position: self.to,
            rewrites: cut.collect(),
            boundary: self.boundary.as_ref(),
            segment_bytes_max: u64::MAX,
            inputs: None,
            forgotten: Vec::new(),
        };
        Ok(match change::change(committer, state, change)? {
            Changed::Done(done) => {
                let new: Set<SegmentName> = before.segments.iter().copied().collect();
                let is_own = |segment: &SegmentRecord| new.contains(&segment.name);
                let own = self.dropped.iter().filter(|segment| is_own(segment)).count();
                let trimmed = self.trimmed(done.sum(|batch| batch.bytes));
                Some(TrimResult { segments: trimmed.segments - to_u64(own), ..trimmed })
            }
            Changed::Empty | Changed::Lost => None,
        })
    }

    fn trimmed(&self, rewritten_bytes: u64) -> TrimResult {
        let at_boundary = self.boundary.iter().map(|boundary| boundary.kept.segment.bytes);
        let bytes = self.dropped.iter().map(|segment| segment.bytes).chain(at_boundary);
        TrimResult {
            events: self.events - self.lost,
            segments: to_u64(self.dropped.len()),
            bytes: bytes.sum::<u64>().saturating_sub(rewritten_bytes),
            rewritten_bytes,
            first_position: self.to,
            ..TrimResult::default()
        }
    }
}

fn plan_once<S: Store>(
    catalog: &mut Catalog<S>,
    point: &Point,
    hold: &Hold,
    options: TrimOptions,
) -> Result<TrimResult, Interrupted> {
    let state = catalog.load(Scope::Consistent)?;
    catalog.check_exists(&state)?;
    catalog.check_none_gone(&state)?;
    let aim = point.aim(catalog, &state)?;
    let (aim, held_by) = hold.apply(aim, catalog, &state)?;
    let planned = match aim.to {
        To::Position(position) => plan_step(catalog, &state, position, options)?,
        To::KeepOfAbsorbed(kept) => plan_absorbing(catalog, &state, &aim, kept, options)?,
    };
    Ok(TrimResult { live_batches: aim.live_batches, held_by, ..planned })
}

fn plan_step<S: Store>(
    catalog: &mut Catalog<S>,
    state: &LogState,
    position: u64,
    options: TrimOptions,
) -> Result<TrimResult, Interrupted> {
    let to = position.max(state.first_position());
    let step = TrimStep::new(catalog, state, to, options)?;
    let Some(boundary) = &step.boundary else { return Ok(step.trimmed(0)) };
    // Only a batch that is cut must be read, to count the bytes that stay.
    let (_, gone) = match boundary.cut() {
        Some((range, events)) => count_first(catalog, Source::range(range), events)?,
        None => (0, 0),
    };
    Ok(step.trimmed(boundary.bytes().saturating_sub(gone)))
}

/// Plans absorbing and then trimming.
fn plan_absorbing<S: Store>(
    catalog: &mut Catalog<S>,
    state: &LogState,
    aim: &Aim,
    kept: u64,
    options: TrimOptions,
) -> Result<TrimResult, Interrupted> {
    let (mut events, mut bytes, mut last) = (0_u64, 0_u64, None);
    for batch in state.live.iter().take(aim.batches) {
        let size = match batch.name.origin {
            Some(origin) => (origin.events, batch.size),
            None => count_first(catalog, Source::Batch(*batch), u64::MAX)?,
        };
        (events, bytes) = (catalog.total([events, size.0])?, catalog.total([bytes, size.1])?);
        last = Some((*batch, size));
    }
    let mut rewritten_bytes = 0;
    if let Some((batch, (of_last, bytes_of_last))) = last.filter(|_| kept > 0) {
        let gone = of_last.saturating_sub(kept);
        let (_, gone) = count_first(catalog, Source::Batch(batch), gone)?;
        rewritten_bytes = bytes_of_last.saturating_sub(gone);
    }
    if options.lazy && kept > 0 {
        // The new segment of the batches stays whole.
        (bytes, rewritten_bytes) = (0, 0);
    }
    let events = events.saturating_sub(kept);
    let lost = catalog.lost_in(state, &(state.first_position()..u64::MAX))?;
    let segments = state.segments().iter().map(|segment| segment.bytes);
    Ok(TrimResult {
        events: catalog.total([events, state.next_position() - state.first_position()])? - lost,
        segments: to_u64(state.segments().len()),
        bytes: catalog.total(segments.chain([bytes]))?.saturating_sub(rewritten_bytes),
        rewritten_bytes,
        absorbed_batches: to_u64(aim.batches),
        first_position: catalog.total([state.next_position(), events])?,
        ..TrimResult::default()
    })
}
