//! A batch between its seal and its acknowledgement.

use crate::decide::window::{SealedBatch, Stage};
use crate::drive::catalog::Catalog;
use crate::error::WriteFailure;
use crate::format::names::{BatchName, BatchTime};
use crate::mutants::{self, Mutant};
use crate::ports::{HostBytes, Store};

/// A batch that is not acknowledged yet.
pub(super) struct Sealed<S: Store> {
    pub(super) name: BatchName,
    pub(super) lines: S::Bytes,
    pub(super) events: u64,
    pub(super) create: CreateState<S::Create>,
    /// True if an earlier try may have landed, or may still land.
    pub(super) in_doubt: bool,
}

pub(super) enum CreateState<C> {
    /// Not started: the caller records the batch first.
    Held,
    InFlight(C),
    /// The failure is there until a caller has got it.
    Failed {
        at: u64,
        failure: Option<WriteFailure>,
    },
    Stored,
}

impl<S: Store> SealedBatch for Sealed<S> {
    fn number(&self) -> u64 {
        self.name.id().map_or(0, |id| id.number)
    }

    fn bytes(&self) -> u64 {
        self.lines.length()
    }

    fn events(&self) -> u64 {
        self.events
    }

    fn stage(&self) -> Stage {
        match self.create {
            CreateState::Held => Stage::Held,
            CreateState::InFlight(_) => Stage::InFlight,
            CreateState::Failed { .. } => Stage::Failed,
            CreateState::Stored => Stage::Stored,
        }
    }
}

impl<S: Store> Sealed<S> {
    /// Starts a create of the batch, perhaps another one, which waits for this many before it.
    pub(super) fn retry(&mut self, catalog: &Catalog<S>, waiting: u64, last: &mut BatchTime) {
        if mutants::is(Mutant::RenameOnRetry)
            && let Some(time) = last.next(0)
        {
            (*last, self.name.time) = (time, time);
        }
        if !mutants::is(Mutant::WaitingStays) {
            self.name = self.name.waiting_for(waiting);
        }
        let create = catalog.store.start_create(&catalog.name.key(self.name), &self.lines);
        self.create = CreateState::InFlight(create);
    }
}
