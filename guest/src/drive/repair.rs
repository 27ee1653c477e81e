//! Repairs a log. A driver: damaged objects are set aside, and the log continues without their
//! events.
//!
//! 1. No readable data is lost: an object is set aside, under a name that the log ignores, before
//!    anything replaces it.
//! 2. Losses are recorded. The events keep their positions, and a reader reports the number missing
//!    when it reaches them.
//! 3. An object is rebuilt only where its digest proves that the bytes are the original ones.
//! 4. An object that cannot be repaired is reported and left as it is. The rest is repaired.
//! 5. No object counts as damaged by a listing alone, and no batch as lost while the store has a
//!    whole copy of it.

use crate::decide::compaction::{self, Rewrite};
use crate::decide::log_state::LogState;
use crate::drive::catalog::{Catalog, Scope};
use crate::drive::change::{self, Change, Changed};
use crate::drive::commit::{Committer, Goal};
use crate::drive::interrupted::unless_gone;
use crate::drive::segment_writer::Input;
use crate::error::{Damage, Error};
use crate::format::listed::ListedBatch;
use crate::format::names::{Generation, LogName, ObjectName, SegmentName};
use crate::format::ordered::{Map, Set};
use crate::limits::COMPACT_TRIES;
use crate::ports::{Store, System};

mod aside;
mod content;
mod copies;
mod current;
pub(in crate::drive) mod damaged_batches;
mod doubt;
mod gone;
mod index;
mod inspect;
mod intruders;
mod live;
mod losses;
mod named;
mod older;
mod orphans;
mod replay;
mod successors;

use index::Indexes;
use intruders::Intruders;
use losses::{Inspected, Loss};

/// The action on a damaged object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The object is set aside. Of its events, those with a copy elsewhere are copied from there,
    /// and the others are recorded as lost. An object that never was a batch is set aside and has
    /// no events.
    SetAside,
    /// The object is gone, so nothing is set aside; the rest as for `SetAside`.
    Gone,
    /// The object is set aside, if it exists, and written again with its original bytes. If it is
    /// the current manifest, the next generation with the same contents is committed before.
    Rebuild,
    /// The manifest is set aside, and the log continues from the one before it, which has all its
    /// events. Or the manifest is gone, and the batches that only it named are put back.
    StepBack,
    /// The older manifest is set aside, if it exists, and a stand-in takes its place.
    StandIn,
    /// The index of a trimmed segment is set aside, if it exists, and the log continues without it.
    /// A batch of it whose create lands later counts as new.
    Forget,
    /// No action, with the reason.
    Nothing(String),
}

/// A damaged object, and the action of a repair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub damage: Damage,
    pub action: Action,
    pub events_lost: u64,
}

/// The steps that a repair took or, with `dry_run`, would take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    pub steps: Vec<Step>,
    /// The places of the steps, by the name of the object.
    places: Map<String, Vec<usize>>,
}

/// Repairs a log. With `dry_run`, reports the steps without taking them. The steps are in order.
///
/// # Errors
/// As for a compaction, except for the damage to be repaired.
pub fn repair<S: Store, Y: System>(
    store: S,
    system: &Y,
    log: LogName,
    dry_run: bool,
) -> Result<Repaired, Error> {
    let mut repaired = Repaired::default();
    let catalog = Catalog::new(store, log).collecting_intruders();
    let mut committer = Committer::new(catalog, system);
    for _ in 0..COMPACT_TRIES {
        if run_once(&mut committer, dry_run, &mut repaired)? {
            return Ok(repaired);
        }
    }
    let log = committer.catalog.name.as_str();
    Err(Error::Conflict(format!(
        "the log {log} changed {COMPACT_TRIES} times during the repair; repair the log again"
    )))
}

impl Repaired {
    /// Records steps. One that an earlier run has taken, or could not take, is recorded once.
    fn add(&mut self, steps: impl IntoIterator<Item = Step>) {
        for step in steps {
            let places = self.places.or_default(step.damage.object.clone());
            if !places.iter().any(|place| self.steps.get(*place) == Some(&step)) {
                places.push(self.steps.len());
                self.steps.push(step);
            }
        }
    }

    /// Records a step on which all later ones depend. Returns true if the repair ends after it.
    fn ends_with(&mut self, step: Option<Step>, dry_run: bool) -> bool {
        let Some(step) = step else { return false };
        let ends = dry_run || matches!(step.action, Action::Nothing(_));
        self.add([step]);
        ends
    }
}

/// Repairs the current damage. Returns false if the log was changed in the meantime.
fn run_once<S: Store, Y: System>(
    committer: &mut Committer<'_, S, Y>,
    dry_run: bool,
    repaired: &mut Repaired,
) -> Result<bool, Error> {
    committer.catalog.forget(&[]);
    committer.catalog.overlook_cuts(false);
    let intruders = Intruders::load(&mut committer.catalog)?;
    if !dry_run {
        committer.catalog.check_writable("repair")?;
    }
    repaired.add(intruders.steps());
    repaired.add(named::steps(&committer.catalog)?);
    if intruders.hide_the_log() {
        return Ok(true);
    }
    if repaired.ends_with(current::repair(committer, dry_run)?, dry_run) {
        return Ok(true);
    }
    let Some(steps) = successors::repair(committer, dry_run)? else { return Ok(false) };
    let ends = dry_run && !steps.is_empty();
    repaired.add(steps);
    if ends {
        return Ok(true);
    }
    if repaired.ends_with(orphans::repair(committer, dry_run)?, dry_run) {
        return Ok(true);
    }
    let (current, _) = committer.catalog.current_manifest(Scope::Full)?;
    let generation = current.map_or(Generation::default(), |manifest| manifest.generation);
    if !doubt::is_current(&mut committer.catalog, generation)? {
        return Ok(false);
    }
    let Some(steps) = older::repair(committer, &intruders, dry_run)? else { return Ok(false) };
    repaired.add(steps);
    let Some(indexes) = index::repair(committer, &intruders, dry_run)? else { return Ok(false) };
    let Indexes { steps, forgotten, left } = indexes;
    let is_forgotten = |step: &Step| step.action == Action::Forget;
    let (forgets, done): (Vec<_>, Vec<_>) = steps.into_iter().partition(is_forgotten);
    let ends = dry_run && done.iter().any(|step| step.action == Action::Rebuild);
    repaired.add(done);
    if ends {
        repaired.add(forgets);
        return Ok(true);
    }
    committer.catalog.forget(&forgotten);
    let mut state = match committer.catalog.load(Scope::Full) {
        // Only an index that stays damaged decides if a listed batch is live.
        Err(Error::Damaged(_)) if !left.is_empty() => return Ok(true),
        state => state?,
    };
    gone::show_next(&mut state, &intruders);
    let inspected = inspect::inspect(&mut committer.catalog, &state, &left, &intruders)?;
    let Some(inspected) = inspected else { return Ok(false) };
    gone::add_foreign(&mut state, &inspected);
    let is_whole = inspected.losses().next().is_none();
    if !is_whole && committer.catalog.highest_generation()? > losses::base(&state) {
        // The missing objects were perhaps compacted.
        return Ok(false);
    }
    let passed = gone::steps(&committer.catalog, &state, &inspected);
    let steps = forgets.into_iter().chain(inspected.losses().map(Loss::step)).chain(passed);
    let steps: Vec<_> = steps.collect();
    if steps.is_empty() || dry_run || carry_out(committer, state, inspected, forgotten)? {
        repaired.add(steps);
        return Ok(true);
    }
    Ok(false)
}

/// Sets damaged objects aside, and commits a manifest that records the losses. Returns false if the
/// log was changed in the meantime.
fn carry_out<S: Store, Y: System>(
    committer: &mut Committer<'_, S, Y>,
    mut state: LogState,
    inspected: Inspected,
    forgotten: Vec<SegmentName>,
) -> Result<bool, Error> {
    set_aside(committer, &inspected, &forgotten)?;
    if let Some(object) = inspected.lost_and_whole(&committer.catalog, &state)? {
        return Err(doubt::read_differently(&committer.catalog, object));
    }
    committer.delete(&foreign_names(&inspected));
    // Objects that never were batches are not absorbed, and possible copies of lost ones are kept.
    let foreign: Set<_> = inspected.foreign.iter().map(|loss| loss.object).collect();
    state.live.retain(|batch| !foreign.contains(&ObjectName::Batch(batch.name)));
    committer.spare(inspected.holders.clone());
    let first_position = state.first_position();
    let manifest = state.manifest.as_deref();
    // Of a segment that stays as it is, the index may be gone.
    let mut rewritten = inspected.segments.iter().filter_map(|(at, _)| state.segments().get(*at));
    let boundary = match rewritten.any(|segment| segment.position < first_position) {
        true => change::cutting(&mut committer.catalog, manifest, first_position),
        false => Ok(None),
    };
    let Some(boundary) = unless_gone(boundary)? else { return Ok(false) };
    let (mut rewrites, mut inputs) = (Vec::new(), Vec::new());
    for (number, loss) in &inspected.segments {
        let Some(segment) = state.segments().get(*number) else { continue };
        // Events that a lazy trim has left in it are not written again.
        let cut = boundary.as_ref().filter(|cut| cut.kept.segment.name == segment.name);
        let alone = || Rewrite::alone(*number, segment);
        rewrites.push(cut.map_or_else(alone, |cut| Rewrite::cut(*number, cut)));
        let index = committer.catalog.index_of(segment)?;
        let Some(index) = index else { return Ok(false) };
        inputs.push(losses::inputs_of(segment, &index, loss, first_position));
    }
    let damaged = inspected.live.last().map(|last| last.object);
    let last = damaged.max(gone::last(&state, &inspected).map(ObjectName::Batch));
    if let Some(last) = last {
        // All live batches up to the last that is damaged or behind one that is gone, which keeps
        // the order of the log.
        let is_taken = |batch: &ListedBatch| ObjectName::Batch(batch.name) <= last;
        let count = state.live.partition_point(is_taken);
        let absorbed = state.live.get(..count).unwrap_or_default();
        rewrites.push(compaction::absorb(&state, absorbed.len()));
        inputs.push(losses::inputs_of_live(absorbed, &inspected.live));
    }
    if rewrites.is_empty() && forgotten.is_empty() {
        return Ok(true);
    }
    let change = Change {
        goal: Goal::Compact,
        first_position,
        rewrites,
        boundary: boundary.as_ref(),
        segment_bytes_max: u64::MAX,
        inputs: Some(inputs),
        forgotten,
    };
    Ok(match change::change(committer, &state, change)? {
        Changed::Done(_) | Changed::Empty => true,
        Changed::Lost => false,
    })
}

/// Sets aside the damaged objects, and possible copies of lost batches.
fn set_aside<S: Store, Y: System>(
    committer: &Committer<'_, S, Y>,
    inspected: &Inspected,
    forgotten: &[SegmentName],
) -> Result<(), Error> {
    let mut objects: Vec<_> = inspected.holders.iter().copied().collect();
    objects.extend(forgotten.iter().map(|segment| ObjectName::Index(segment.index())));
    let changed = inspected.losses().filter(|loss| !matches!(loss.action, Action::Nothing(_)));
    objects.extend(changed.map(|loss| loss.object));
    // The index has the place of each batch in the segment.
    let segments = inspected.segments.iter().filter_map(|(_, loss)| match loss.object {
        ObjectName::Segment(segment) if loss.action == Action::SetAside => Some(segment),
        _ => None,
    });
    objects.extend(segments.map(|segment| ObjectName::Index(segment.index())));
    // A batch may have two objects, which have different names and are equal.
    objects.sort_by_cached_key(ToString::to_string);
    objects.dedup_by_key(|object| object.to_string());
    objects.iter().try_for_each(|object| aside::set_aside(&committer.catalog, object))
}

/// The names of objects that never were batches.
fn foreign_names(inspected: &Inspected) -> Vec<String> {
    inspected.foreign.iter().map(|loss| loss.object.to_string()).collect()
}

/// The inputs of a rewrite.
type Inputs = Vec<Input>;
