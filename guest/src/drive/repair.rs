//! Repairs a log: a driver. Damaged objects are set aside, and the log goes on without their events.
//!
//! 1. Nothing is lost that could still be read: an object is set aside, under a name that the log
//!    ignores, before anything stands in its place.
//! 2. What was lost is recorded. The events keep their positions, and a reader that comes to them
//!    is told how many are missing.
//! 3. An object is rebuilt only where its digest proves that it is the same again.
//! 4. What cannot be repaired is reported, and left as it is. The rest is repaired beside it.
//! 5. Nothing is declared damaged by a listing alone, and nothing lost while a whole copy of it is in
//!    the store.

use crate::decide::compaction::{self, Rewrite};
use crate::decide::log_state::LogState;
use crate::drive::catalog::{Catalog, Scope};
use crate::drive::change::{self, Change, Changed, Cutting};
use crate::drive::commit::{Committer, Goal};
use crate::drive::segment_writer::Input;
use crate::error::{Damage, Error};
use crate::format::listed::ListedBatch;
use crate::format::names::{Generation, LogName, ObjectName, SegmentName};
use crate::limits::COMPACT_TRIES;
use crate::ports::{Store, System};

mod aside;
mod content;
mod copies;
mod current;
mod damaged_batches;
mod doubt;
mod index;
mod inspect;
mod intruders;
mod live;
mod losses;
mod older;
mod orphans;
mod replay;

use index::Indexes;
use intruders::Intruders;
use losses::{Inspected, Loss};

/// What is done about a damaged object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is set aside. Of its events those that stand somewhere else, too, are copied from there, and the
    /// others are recorded as lost. What never was a batch is set aside and has none.
    SetAside,
    /// It is gone, so there is nothing to set aside; the rest as for `SetAside`.
    Gone,
    /// It is set aside, if it is there, and written again, the same as it was. Of the current manifest
    /// the next generation, which says the same, is created before.
    Rebuild,
    /// It is set aside, and the log goes on from the manifest before it, which has all its events. Or it
    /// is gone, and what only it told is put back.
    StepBack,
    /// It is an older manifest: it is set aside, if it is there, and a stand-in takes its place.
    StandIn,
    /// The index of a trimmed segment is set aside, if it is there, and the log goes on without it. A batch
    /// that was in it and whose create lands after this is taken for a new one.
    Forget,
    /// Nothing; why.
    Nothing(String),
}

/// A damaged object, and what a repair does about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub damage: Damage,
    pub action: Action,
    pub events_lost: u64,
}

/// What a repair found and, unless it was to change nothing, did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    pub steps: Vec<Step>,
}

/// Repairs a log; with `dry_run`, says what a repair would do. The steps are in the order in which
/// they are taken.
///
/// # Errors
/// As a compaction's, but not for the damage that it is about.
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
        "log {log} changed {COMPACT_TRIES} times while it was looked at: repair it again"
    )))
}

impl Repaired {
    /// Takes note of steps; of one that an earlier attempt has taken, or could not take, once.
    fn add(&mut self, steps: impl IntoIterator<Item = Step>) {
        for step in steps {
            if !self.steps.contains(&step) {
                self.steps.push(step);
            }
        }
    }

    /// Takes note of a step on which all that comes next depends. Whether the repair ends behind it.
    fn ends_with(&mut self, step: Option<Step>, dry_run: bool) -> bool {
        let Some(step) = step else { return false };
        let ends = dry_run || matches!(step.action, Action::Nothing(_));
        self.add([step]);
        ends
    }
}

/// Repairs what is damaged now. False if somebody else has changed the log meanwhile.
fn run_once<S: Store, Y: System>(
    committer: &mut Committer<'_, S, Y>,
    dry_run: bool,
    repaired: &mut Repaired,
) -> Result<bool, Error> {
    committer.catalog.forget(&[]);
    let intruders = Intruders::load(&mut committer.catalog)?;
    repaired.add(intruders.steps());
    if intruders.hide_the_log() {
        return Ok(true);
    }
    if repaired.ends_with(current::repair(committer, dry_run)?, dry_run) {
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
    let state = match committer.catalog.load(Scope::Full) {
        // Whether a listed batch is live, only an index tells that is left as it is.
        Err(Error::Damaged(_)) if !left.is_empty() => return Ok(true),
        state => state?,
    };
    let inspected = inspect::inspect(&mut committer.catalog, &state, &left, &intruders)?;
    let Some(inspected) = inspected else { return Ok(false) };
    let is_whole = inspected.losses().next().is_none();
    if !is_whole && committer.catalog.highest_generation()? > losses::base(&state) {
        // What is gone was perhaps compacted.
        return Ok(false);
    }
    let steps: Vec<_> = forgets.into_iter().chain(inspected.losses().map(Loss::step)).collect();
    if steps.is_empty() || dry_run || carry_out(committer, state, inspected, forgotten)? {
        repaired.add(steps);
        return Ok(true);
    }
    Ok(false)
}

/// Sets damaged objects aside, and commits a manifest that records what was lost. False if somebody
/// else changed the log meanwhile.
fn carry_out<S: Store, Y: System>(
    committer: &mut Committer<'_, S, Y>,
    mut state: LogState,
    inspected: Inspected,
    forgotten: Vec<SegmentName>,
) -> Result<bool, Error> {
    set_aside(committer, &inspected, &forgotten)?;
    committer.delete(&foreign_names(&inspected));
    // What never was a batch is not absorbed, and what may be of use for lost ones is not deleted.
    let is_foreign = |name: ObjectName| inspected.foreign.iter().any(|loss| loss.object == name);
    state.live.retain(|batch| !is_foreign(ObjectName::Batch(batch.name)));
    committer.spare(inspected.holders.clone());
    let first_position = state.first_position();
    let manifest = state.manifest.as_deref();
    let boundary = match change::cutting(&mut committer.catalog, manifest, first_position)? {
        Cutting::Nothing => None,
        Cutting::At(boundary) => Some(boundary),
        Cutting::Gone(_) => return Ok(false),
    };
    let (mut rewrites, mut inputs) = (Vec::new(), Vec::new());
    for (number, loss) in &inspected.segments {
        let Some(segment) = state.segments().get(*number) else { continue };
        // What a lazy trim has left in it is not written again.
        let cut = boundary.as_ref().filter(|cut| cut.kept.segment.name == segment.name);
        let alone = || Rewrite::alone(*number, segment);
        rewrites.push(cut.map_or_else(alone, |cut| Rewrite::cut(*number, cut)));
        let index = committer.catalog.index_of(segment)?;
        let Some(index) = index else { return Ok(false) };
        inputs.push(losses::inputs_of(segment, &index, loss, first_position));
    }
    if let Some(last) = inspected.live.last() {
        // All live batches up to the last that is damaged: the order of the log stays.
        let is_last = |batch: &ListedBatch| ObjectName::Batch(batch.name) == last.object;
        let count = state.live.iter().position(is_last).map_or(0, |at| at.saturating_add(1));
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
        Changed::Lost | Changed::Overtaken(_) => false,
    })
}

/// Sets aside what is damaged, and what may be of use for what is lost.
fn set_aside<S: Store, Y: System>(
    committer: &Committer<'_, S, Y>,
    inspected: &Inspected,
    forgotten: &[SegmentName],
) -> Result<(), Error> {
    let mut objects = inspected.holders.clone();
    objects.extend(forgotten.iter().map(|segment| ObjectName::Index(segment.index())));
    let changed = inspected.losses().filter(|loss| !matches!(loss.action, Action::Nothing(_)));
    objects.extend(changed.map(|loss| loss.object));
    // The index tells which batch stands where in a segment.
    let segments = inspected.segments.iter().filter_map(|(_, loss)| match loss.object {
        ObjectName::Segment(segment) if loss.action == Action::SetAside => Some(segment),
        _ => None,
    });
    objects.extend(segments.map(|segment| ObjectName::Index(segment.index())));
    objects.iter().try_for_each(|object| aside::set_aside(&committer.catalog, object))
}

/// The objects that never were batches.
fn foreign_names(inspected: &Inspected) -> Vec<String> {
    inspected.foreign.iter().map(|loss| loss.object.to_string()).collect()
}

/// What is copied of a rewrite.
type Inputs = Vec<Input>;
