//! Repairs a log: a driver. Damaged objects are set aside, and the log goes on without their events.
//!
//! 1. Nothing is lost that could still be read: an object is set aside, under a name that the log
//!    ignores, before anything stands in its place.
//! 2. What was lost is recorded. The events keep their positions, and a reader that comes to them
//!    is told how many are missing.
//! 3. An object is rebuilt only where its digest proves that it is the same again.
//! 4. What cannot be repaired is reported, and left as it is.

use crate::change::{self, Change, Changed, Cutting};
use crate::commit::{Committer, Goal};
use crate::compaction::{self, Rewrite};
use crate::error::{Damage, Error};
use crate::limits::COMPACT_TRIES;
use crate::names::{LogName, ObjectName, SegmentName};
use crate::ports::{Store, System};
use crate::segment_writer::Source;
use crate::stored_log::{Look, StoredLog};
use crate::view::{ListedBatch, View};

mod aside;
mod content;
mod current;
mod index;
mod inspect;
mod measured;
mod older;
mod orphans;
mod replay;

use index::Indexes;
use inspect::{Inspected, Loss};

/// What is done about a damaged object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is set aside, and the events in it that cannot be read are recorded as lost.
    SetAside,
    /// It is set aside and written again, the same as it was. Of the current manifest the next
    /// generation, which says the same, is created before.
    Rebuild,
    /// It is set aside, and the log goes on from the manifest before it, which has all its events. Or it
    /// is gone, and what only it told is put back.
    StepBack,
    /// The index of a trimmed segment is set aside, and the log goes on without it: a batch that was in
    /// it and whose create lands after this is taken for a new one. Or the log goes on by some
    /// generations, so that an older manifest is not needed any more.
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
    for _ in 0..COMPACT_TRIES {
        let stored = StoredLog::new(store.clone(), log.clone());
        if attempt(&mut Committer::new(stored, system), dry_run, &mut repaired)? {
            return Ok(repaired);
        }
    }
    let log = log.as_str();
    Err(Error::Conflict(format!(
        "log {log} was compacted {COMPACT_TRIES} times meanwhile: try again"
    )))
}

impl Repaired {
    /// Takes note of steps. Whether the repair ends behind them: what comes next depends on them, and
    /// they were not taken.
    fn ends_with(&mut self, steps: impl IntoIterator<Item = Step>, dry_run: bool) -> bool {
        let before = self.steps.len();
        self.steps.extend(steps);
        let mut new = self.steps.iter().skip(before);
        new.any(|step| dry_run || matches!(step.action, Action::Nothing(_)))
    }
}

/// Repairs what is damaged now. False if somebody else has changed the log meanwhile.
fn attempt<S: Store, Y: System>(
    committer: &mut Committer<'_, S, Y>,
    dry_run: bool,
    repaired: &mut Repaired,
) -> Result<bool, Error> {
    if repaired.ends_with(current::repair(committer, dry_run)?, dry_run) {
        return Ok(true);
    }
    if repaired.ends_with(orphans::repair(committer, dry_run)?, dry_run) {
        return Ok(true);
    }
    // Nothing else depends on these.
    let Some(older) = older::repair(committer, dry_run)? else { return Ok(false) };
    repaired.steps.extend(older);
    let Some(indexes) = index::repair(committer, dry_run)? else { return Ok(false) };
    let Indexes { steps, forgotten } = indexes;
    let is_forgotten = |step: &Step| step.action == Action::Forget;
    let (forgets, done): (Vec<_>, Vec<_>) = steps.into_iter().partition(is_forgotten);
    if repaired.ends_with(done, dry_run) {
        repaired.steps.extend(forgets);
        return Ok(true);
    }
    forgotten.iter().for_each(|segment| committer.stored.forget(*segment));
    let view = committer.stored.look(Look::Everything)?;
    let Some(inspected) = inspect::inspect(&mut committer.stored, &view)? else { return Ok(false) };
    let generation = view.manifest.as_ref().map(|manifest| manifest.generation);
    let found = !(inspected.segments.is_empty() && inspected.live.is_empty());
    if found && committer.stored.highest_generation()? > generation.unwrap_or_default() {
        // What is gone was perhaps compacted.
        return Ok(false);
    }
    let steps: Vec<_> = forgets.into_iter().chain(inspected.steps()).collect();
    if steps.is_empty() || dry_run || carry_out(committer, &view, inspected, forgotten)? {
        repaired.steps.extend(steps);
        return Ok(true);
    }
    Ok(false)
}

impl Inspected {
    fn steps(&self) -> Vec<Step> {
        let segments = self.segments.iter().map(|(_, loss)| loss);
        let segments = segments.chain(self.live.iter());
        let steps = segments.map(|Loss { damage, events, .. }| Step {
            damage: damage.clone(),
            action: Action::SetAside,
            events_lost: *events,
        });
        steps.collect()
    }
}

/// Sets damaged objects aside, and commits a manifest that records what was lost. False if somebody
/// else changed the log meanwhile.
fn carry_out<S: Store, Y: System>(
    committer: &mut Committer<'_, S, Y>,
    view: &View,
    inspected: Inspected,
    forgotten: Vec<SegmentName>,
) -> Result<bool, Error> {
    for segment in &forgotten {
        aside::set_aside(&committer.stored, &ObjectName::Index(segment.index()))?;
    }
    for loss in inspected.segments.iter().map(|(_, loss)| loss).chain(&inspected.live) {
        aside::set_aside(&committer.stored, &loss.object)?;
    }
    let first_position = view.first_position();
    let manifest = view.manifest.as_deref();
    let boundary = match change::cutting(&mut committer.stored, manifest, first_position)? {
        Cutting::Nothing => None,
        Cutting::At(boundary) => Some(boundary),
        Cutting::Gone(_) => return Ok(false),
    };
    let (mut rewrites, mut sources) = (Vec::new(), Vec::new());
    for (number, loss) in &inspected.segments {
        let Some(segment) = view.segments().get(*number) else { continue };
        // What a lazy trim has left in it is not written again.
        let cut = boundary.as_ref().filter(|cut| cut.slice.segment.name == segment.name);
        let alone = || Rewrite::alone(*number, segment);
        rewrites.push(cut.map_or_else(alone, |cut| Rewrite::cut(*number, cut)));
        let index = committer.stored.index_of(segment)?;
        let Some(index) = index else { return Ok(false) };
        sources.push(inspect::sources_of(segment, &index, loss, first_position));
    }
    if let Some(last) = inspected.live.last() {
        // All live batches up to the last that is damaged: the order of the log stays.
        let is_last = |batch: &ListedBatch| ObjectName::Batch(batch.name) == last.object;
        let count = view.live.iter().position(is_last).map_or(0, |at| at.saturating_add(1));
        let absorbed = view.live.get(..count).unwrap_or_default();
        rewrites.push(compaction::absorb(view, absorbed.len()));
        sources.push(inspect::sources_of_live(absorbed, &inspected.live));
    }
    let change = Change {
        goal: Goal::Compact,
        first_position,
        rewrites,
        boundary: boundary.as_ref(),
        segment_bytes_max: u64::MAX,
        sources: Some(sources),
        forgotten,
    };
    Ok(match change::change(committer, view, change)? {
        Changed::Done(_) | Changed::Empty => true,
        Changed::Lost | Changed::Overtaken(_) => false,
    })
}

/// What is copied of a rewrite.
type Sources = Vec<Source>;
