//! A batch between its seal and its confirmation by the store.

use crate::drive::catalog::Catalog;
use crate::format::names::{BatchName, BatchTime};
use crate::mutants::{self, Mutant};
use crate::ports::Store;

/// A batch that is not confirmed yet.
pub(super) struct Sealed<S: Store> {
    pub(super) name: BatchName,
    pub(super) lines: S::Bytes,
    pub(super) events: u64,
    pub(super) create: CreateState<S::Create>,
    /// True if an earlier try may have landed, or may still land.
    pub(super) in_doubt: bool,
}

pub(super) enum CreateState<C> {
    InFlight(C),
    Failed { at: u64 },
}

impl<S: Store> Sealed<S> {
    pub(super) fn retry(&mut self, catalog: &Catalog<S>, last: &mut BatchTime) {
        if mutants::is(Mutant::RenameOnRetry)
            && let Some(time) = last.next(0)
        {
            (*last, self.name.time) = (time, time);
        }
        let create = catalog.store.start_create(&catalog.name.key(self.name), &self.lines);
        self.create = CreateState::InFlight(create);
    }
}
