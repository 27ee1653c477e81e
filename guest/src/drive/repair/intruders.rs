//! Entries in an object's place that are not objects: a link, a folder, a pipe. The log does not
//! follow them, and only people move them away. The rest of the log is repaired as far as that is
//! safe.
//!
//! 1. In the place of the current manifest, or of a later one, an intruder hides which segments are
//!    the log: nothing is repaired.
//! 2. In the place of a batch it hides events that precede those of later batches: none of these
//!    gets a position before it.

use super::{Action, Step};
use crate::decide::log_state;
use crate::drive::catalog::{Catalog, Scope};
use crate::error::{Damage, Error};
use crate::format::names::{BatchName, Generation, ObjectName, SegmentName};
use crate::format::ordered::Map;
use crate::ports::Store;

/// The advice for the user.
const CURE: &str = "this entry may hold the data or point to it; move the entry away, put the \
                    object back if you have a copy, and repair again";

/// The entries listed in place of objects.
pub(super) struct Intruders {
    found: Map<ObjectName, Damage>,
    /// The highest listed manifest.
    highest: Option<Generation>,
}

impl Intruders {
    /// Lists everything. An error if there is no log.
    pub(super) fn load<S: Store>(catalog: &mut Catalog<S>) -> Result<Self, Error> {
        let mut batches = 0_u64;
        catalog.list_batch_names(|_| batches += 1)?;
        let others = catalog.list_others(Scope::Full)?;
        let highest = log_state::manifests(&others).max();
        let found = catalog.take_intruders().into_iter().filter_map(|damage| {
            let name = catalog.name.object(&damage.object).and_then(ObjectName::parse)?;
            Some((name, damage))
        });
        let found: Map<_, _> = found.collect();
        if batches == 0 && others.is_empty() && found.is_empty() {
            catalog.check_is_there()?;
        }
        Ok(Self { found, highest })
    }

    /// Returns true if no repair is possible while they are there.
    pub(super) fn hide_the_log(&self) -> bool {
        let is_later = |generation: &Generation| Some(*generation) > self.highest;
        self.found.keys().any(|name| match name {
            ObjectName::Manifest(generation) => is_later(generation),
            _ => false,
        })
    }

    pub(super) fn contains(&self, name: ObjectName) -> bool {
        self.found.contains_key(&name)
    }

    /// Returns true if one stands in place of a segment or its index.
    pub(super) fn contains_segment(&self, segment: SegmentName) -> bool {
        let (index, segment) = (ObjectName::Index(segment.index()), ObjectName::Segment(segment));
        self.contains(segment) || self.contains(index)
    }

    /// The first batch in whose place one stands.
    pub(super) fn first_batch(&self) -> Option<BatchName> {
        self.batches().next()
    }

    /// The batches in whose places they stand, in order.
    pub(super) fn batches(&self) -> impl Iterator<Item = BatchName> {
        self.found.keys().filter_map(|name| match name {
            ObjectName::Batch(batch) => Some(*batch),
            _ => None,
        })
    }

    pub(super) fn steps(&self) -> impl Iterator<Item = Step> + '_ {
        self.found.values().map(|damage| Step {
            damage: damage.clone(),
            action: Action::Nothing(CURE.to_owned()),
            events_lost: 0,
        })
    }
}
