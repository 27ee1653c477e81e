//! Finds the damage among the live batches of a log.
//!
//! 1. The name of a damaged batch is believed if a writer may have made it. The object's bytes do
//!    not contradict it, and no batch has more events than fit into the largest one.
//! 2. No batch gets a position while an earlier one cannot be inspected.

use super::Action;
use super::doubt::{self, Extent};
use super::losses::{Inspected, Inspection, Loss, base};
use crate::decide::log_state::LogState;
use crate::decide::source::{Request, Source};
use crate::drive::catalog::Catalog;
use crate::drive::interrupted::Interrupted;
use crate::drive::source_reader::SourceReader;
use crate::error::quantities::count;
use crate::error::{Damage, Error};
use crate::format::batch::{BatchRecord, summarize};
use crate::format::listed::ListedBatch;
use crate::format::names::{BatchName, Digest, ObjectName, Origin};
use crate::limits::BATCH_BYTES_WHOLE_MAX;
use crate::ports::{HostBytes, Store};

/// The most events of a batch: each has at least a byte and a line feed. The object itself may have
/// been cut short since.
const EVENTS_MAX: u64 = BATCH_BYTES_WHOLE_MAX / 2;

/// Reads the live batches. Leaves those from `left_from` on, the first one that an intruder
/// replaces. Returns false if one is gone: the log was compacted.
pub(super) fn inspect<S: Store>(
    catalog: &mut Catalog<S>,
    state: &LogState,
    mut left_from: Option<BatchName>,
    inspected: &mut Inspected,
) -> Result<bool, Error> {
    let mut events = state.next_position();
    let batches = state.live.iter().map(|batch| Source::Batch(*batch));
    let mut read = SourceReader::new(catalog, batches.collect(), Request::Whole);
    while let Some((batch, fault)) = next_fault(&mut read)? {
        let loss = match batch_loss(catalog, state, batch, fault)? {
            Inspection::Whole => continue,
            Inspection::Damaged(loss) => *loss,
            Inspection::Overtaken => return Ok(false),
        };
        let lost = loss.batches.values().map(|batch| batch.events).next();
        match (lost.and_then(|lost| events.checked_add(lost)), &loss.action) {
            _ if left_from.is_some_and(|from| from <= batch.name) => {
                let why = "an earlier batch cannot be read; repair or restore that one first";
                let action = Action::Nothing(why.to_owned());
                inspected.left.push(Loss::of(loss.object, loss.damage, action));
            }
            (_, Action::Nothing(_)) => {
                left_from = Some(batch.name);
                inspected.left.push(loss);
            }
            (Some(next), _) => {
                events = next;
                inspected.live.push(loss);
            }
            (None, _) => {
                let Loss { object, damage, action, .. } = loss;
                inspected.foreign.push(Loss::of(object, damage, action));
            }
        }
    }
    Ok(true)
}

/// Reads the batches behind a gap, and leaves all as they are. Returns false if one is gone.
pub(super) fn inspect_hidden<S: Store>(
    catalog: &mut Catalog<S>,
    state: &LogState,
    inspected: &mut Inspected,
) -> Result<bool, Error> {
    let batches = state.hidden.iter().map(|batch| Source::Batch(*batch));
    let mut read = SourceReader::new(catalog, batches.collect(), Request::Whole);
    while let Some((batch, fault)) = next_fault(&mut read)? {
        match batch_loss(catalog, state, batch, fault)? {
            Inspection::Whole => {}
            Inspection::Damaged(loss) => {
                let action = Action::Nothing(HIDDEN.to_owned());
                inspected.left.push(Loss::of(loss.object, loss.damage, action));
            }
            Inspection::Overtaken => return Ok(false),
        }
    }
    Ok(true)
}

/// The reason to leave a batch behind a gap.
const HIDDEN: &str = "an earlier batch of its writer is not in the store, so it has no place yet";

enum Fault {
    /// A damaged batch. The number of events of a legacy one is unknown.
    Damaged(Damage),
    Gone,
}

/// Reads on up to the next batch that cannot be read. Returns that one.
fn next_fault<S: Store>(read: &mut SourceReader<S>) -> Result<Option<(ListedBatch, Fault)>, Error> {
    loop {
        let fault = match read.next() {
            Ok(Some(_)) => continue,
            Ok(None) => return Ok(None),
            Err(Interrupted::Failed(Error::Damaged(damage))) => Fault::Damaged(damage),
            Err(Interrupted::Failed(error)) => return Err(error),
            Err(Interrupted::Gone(_)) => Fault::Gone,
        };
        read.restart();
        return Ok(match read.leave_out() {
            Some(Source::Batch(batch)) => Some((batch, fault)),
            _ => None,
        });
    }
}

/// Finds the damage of a batch by reading its object.
fn batch_loss<S: Store>(
    catalog: &mut Catalog<S>,
    state: &LogState,
    batch: ListedBatch,
    fault: Fault,
) -> Result<Inspection, Error> {
    let object = ObjectName::Batch(batch.name);
    let key = catalog.name.key(object);
    let (extent, bytes) = match fault {
        Fault::Damaged(_) => doubt::get(&catalog.store, &key, BATCH_BYTES_WHOLE_MAX)?,
        Fault::Gone => (Extent::Gone, S::Bytes::new(&[])),
    };
    if !doubt::confirm(catalog, base(state), object, extent, Some(batch.size))? {
        return Ok(Inspection::Overtaken);
    }
    let damage = match fault {
        Fault::Damaged(damage) if extent != Extent::Gone => damage,
        // Legacy batches without events are deleted this way, and any user may delete a file.
        _ => return Ok(Inspection::Overtaken),
    };
    let loss = match batch.name.origin {
        None => Loss::of(object, damage, Action::Nothing(LEGACY.to_owned())),
        Some(origin) if is_whole(origin, &bytes) => {
            return Err(doubt::read_differently(catalog, object));
        }
        Some(origin) if is_foreign(origin, &bytes) => {
            Loss::of(object, foreign(origin, damage), Action::SetAside)
        }
        Some(origin) => {
            let record = BatchRecord::whole(batch.name, origin.events, 0, origin.digest);
            let loss = Loss::of(object, damage, Action::SetAside);
            Loss { batches: [(batch.name, record)].into(), ..loss }
        }
    };
    Ok(Inspection::Damaged(Box::new(loss)))
}

/// The reason to leave a legacy batch.
const LEGACY: &str = "the name of a legacy batch does not record its number of events; move the \
                      batch away";

fn is_whole<B: HostBytes>(origin: Origin, bytes: &B) -> bool {
    let found = summarize(bytes);
    Digest(found.digest) == origin.digest && found.line_feeds == origin.events
}

/// Returns true if no writer can have given the object its name.
fn is_foreign<B: HostBytes>(origin: Origin, bytes: &B) -> bool {
    // The bytes are those of a renamed batch.
    let found = summarize(bytes);
    let is_renamed = Digest(found.digest) == origin.digest && found.line_feeds != origin.events;
    is_renamed || origin.events > EVENTS_MAX
}

fn foreign(origin: Origin, damage: Damage) -> Damage {
    let found = {
        let events = count(origin.events, "event", "events");
        format!("{}: no batch has {events} in such bytes", damage.found)
    };
    Damage { found, ..damage }
}
