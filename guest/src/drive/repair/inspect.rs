//! Finds the damage in the segments and live batches of a log, narrowed down as far as possible.
//!
//! 1. A segment is read once, in one request, whatever is damaged in it: its index has the place of
//!    each batch.
//! 2. Consecutive batches that can be read are copied together.
//! 3. Damage that only a listing shows is confirmed by reading the object and listing again.
//! 4. A batch counts as lost only if no whole copy of it is found anywhere.

use super::damaged_batches::{DamagedBatches, damaged_batches};
use super::doubt::{self, Extent};
use super::intruders::Intruders;
use super::losses::{Inspected, Inspection, Loss, base};
use super::{Action, live};
use crate::decide::log_state::LogState;
use crate::drive::catalog::Catalog;
use crate::error::quantities::size;
use crate::error::{Damage, Error};
use crate::format::index::Index;
use crate::format::listed::sizes;
use crate::format::manifest::SegmentRecord;
use crate::format::names::{ObjectName, SegmentName};
use crate::format::ordered::Set;
use crate::mutants::{self, Mutant};
use crate::ports::Store;

/// Reads everything, except the segments in `left_out`. None if an object is gone: the log was
/// compacted.
pub(super) fn inspect<S: Store>(
    catalog: &mut Catalog<S>,
    state: &LogState,
    left_out: &Set<SegmentName>,
    intruders: &Intruders,
) -> Result<Option<Inspected>, Error> {
    let mut inspected = Inspected::default();
    let listed = sizes(&state.others);
    for (number, segment) in state.segments().iter().enumerate() {
        if left_out.contains(&segment.name) {
            continue;
        }
        let Some(index) = catalog.index_of(segment)? else { return Ok(None) };
        let listed = listed.get(&ObjectName::Segment(segment.name)).copied();
        match segment_loss(catalog, state, segment, &index, listed)? {
            Inspection::Whole => {}
            Inspection::Damaged(loss) => inspected.segments.push((number, *loss)),
            Inspection::Overtaken => return Ok(None),
        }
    }
    let is_whole = live::inspect(catalog, state, intruders.first_batch(), &mut inspected)?
        && live::inspect_hidden(catalog, state, &mut inspected)?;
    if !is_whole {
        return Ok(None);
    }
    inspected.find_copies(catalog, state)?;
    Ok(Some(inspected))
}

/// Finds the batches of a segment that cannot be read. The segment was `listed` with this many
/// bytes, or was not listed.
fn segment_loss<S: Store>(
    catalog: &mut Catalog<S>,
    state: &LogState,
    segment: &SegmentRecord,
    index: &Index,
    listed: Option<u64>,
) -> Result<Inspection, Error> {
    let object = ObjectName::Segment(segment.name);
    let DamagedBatches { mut batches, first, extent } = damaged_batches(catalog, segment, index)?;
    if !doubt::confirm(catalog, base(state), object, extent, listed)? {
        return Ok(Inspection::Overtaken);
    }
    let log = catalog.name.clone();
    let damage =
        |expected: String| Damage::new(segment.name, expected, extent.to_string()).with_key(&log);
    let wrong_size = match extent {
        Extent::Gone => Some(damage("an object that the manifest names".to_owned())),
        Extent::Whole(bytes) if bytes == segment.bytes => None,
        Extent::Whole(_) | Extent::Beyond(_) => {
            Some(damage(format!("{}, as the manifest says", size(segment.bytes))))
        }
    };
    let first = first.map(|found| found.with_key(&catalog.name));
    let Some(damage) = wrong_size.or(first) else { return Ok(Inspection::Whole) };
    if extent != Extent::Gone {
        let again = damaged_batches(catalog, segment, index)?;
        if (&again.batches, again.extent) != (&batches, extent) {
            return Err(doubt::read_differently(catalog, object));
        }
    }
    if mutants::is(Mutant::LoseWhole) {
        batches.extend(index.batches.iter().map(|batch| batch.name));
    }
    let damaged = index.batches.iter().filter(|batch| batches.contains(&batch.name));
    let action = if extent == Extent::Gone { Action::Gone } else { Action::SetAside };
    let mut loss = Loss::of(object, damage, action);
    loss.batches = damaged.map(|batch| (batch.name, *batch)).collect();
    loss.trimmed = index.events_before(segment, state.first_position());
    Ok(Inspection::Damaged(Box::new(loss)))
}
