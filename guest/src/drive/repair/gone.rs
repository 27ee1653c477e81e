//! Goes past confirmed batches that do not exist any more. Without that, the later batches of their
//! writers would stay hidden.
//!
//! 1. The first batch behind one that is gone is absorbed with all visible ones before it, in the
//!    order of names. An index has it then, and the others follow.
//! 2. Only a batch that was confirmed is passed. One that may still land is waited for.
//! 3. The number of lost events is recorded nowhere: at least one.
//! 4. An object that never was a batch may have the name of one that was confirmed. That one is
//!    gone, too. While something else stands in the place of a batch, the batch may return.

use super::intruders::Intruders;
use super::losses::Inspected;
use super::{Action, Step};
use crate::decide::log_state::LogState;
use crate::decide::visibility::Gone;
use crate::drive::catalog::Catalog;
use crate::format::listed::ListedBatch;
use crate::format::names::{BatchName, ObjectName};
use crate::mutants::{self, Mutant};
use crate::ports::Store;

/// Adds the first batch behind each one that is gone to the live ones. One in whose place an
/// intruder stands is not gone.
pub(super) fn show_next(state: &mut LogState, intruders: &Intruders) {
    if mutants::is(Mutant::StepOverUnconfirmed)
        && let Some(next) = state.hidden.first().map(|batch| batch.name)
    {
        state.gone.extend(next.predecessor().map(|batch| Gone { batch, next }));
    }
    state.gone.retain(|gone| !intruders.batches().any(|batch| batch.id() == Some(gone.batch)));
    for Gone { next, .. } in &state.gone {
        let is_next = |batch: &mut ListedBatch| batch.name == *next;
        state.live.extend(state.hidden.extract_if(.., is_next));
    }
    state.live.sort_unstable();
}

/// Adds the confirmed batches whose names only objects have that never were batches.
pub(super) fn add_foreign(state: &mut LogState, inspected: &Inspected) {
    let foreign = || {
        inspected.foreign.iter().filter_map(|loss| match loss.object {
            ObjectName::Batch(batch) => Some(batch),
            _ => None,
        })
    };
    let names: Vec<_> = state.live.iter().map(|batch| batch.name).collect();
    let is_foreign = |name: &BatchName| foreign().any(|batch| batch == *name);
    for batch in foreign().filter_map(|batch| batch.id()) {
        let was_confirmed = state.listed().any(|listed| listed.name.shows_confirmed(&batch));
        let next = names.iter().find(|name| name.predecessor() == Some(batch) && !is_foreign(name));
        if let Some(next) = next.filter(|_| was_confirmed) {
            state.gone.push(Gone { batch, next: *next });
        }
    }
}

/// The last batch to absorb so that all that are gone are passed, as far as they can be.
pub(super) fn last(state: &LogState, inspected: &Inspected) -> Option<BatchName> {
    let passed = state.gone.iter().filter(|gone| !is_blocked(gone, state, inspected));
    passed.map(|gone| gone.next).max()
}

/// The steps of a repair.
pub(super) fn steps<S: Store>(
    catalog: &Catalog<S>,
    state: &LogState,
    inspected: &Inspected,
) -> Vec<Step> {
    let step = |gone: &Gone| {
        let damage = catalog.gone_batch(gone.batch);
        if is_blocked(gone, state, inspected) {
            let why = "an earlier batch cannot be read; repair or restore that one first";
            return Step { damage, action: Action::Nothing(why.to_owned()), events_lost: 0 };
        }
        Step { damage, action: Action::Gone, events_lost: 1 }
    };
    state.gone.iter().map(step).collect()
}

/// Returns true if a batch before the next one stays as it is: no later one gets a position.
fn is_blocked(gone: &Gone, state: &LogState, inspected: &Inspected) -> bool {
    let is_left = |batch: &BatchName| {
        inspected.left.iter().any(|loss| loss.object == ObjectName::Batch(*batch))
    };
    let mut before = state.live.iter().map(|batch| batch.name).filter(|name| *name <= gone.next);
    before.any(|name| is_left(&name))
}
