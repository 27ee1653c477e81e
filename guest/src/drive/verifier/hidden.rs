//! Finds the batches that no reader is shown: stranded ones, and those behind one that is gone.
//!
//! 1. A batch is stranded if two loads hide it: one at the beginning, and one after all was read.
//!    When the second began, it was not acknowledged, and a batch before it was not in the store.
//!    That one may still land if its writer runs, so a stranded batch is no damage.
//! 2. A batch that is gone is damage. Those behind it were acknowledged, and are not stranded.
//! 3. The events of a batch count if the second load shows it.
//! 4. An index that cannot be read is a finding of its own. Nothing is said about batches then.

use std::rc::Rc;

use super::{Finding, Verifier};
use crate::decide::visibility;
use crate::drive::catalog::Scope;
use crate::drive::interrupted::Interrupted;
use crate::error::Error;
use crate::format::names::{BatchId, BatchName, WriterId};
use crate::format::ordered::{Map, Set};
use crate::mutants::{self, Mutant};
use crate::ports::Store;

impl<S: Store> Verifier<S> {
    /// Records the batches that the first load hides. Makes no request unless a batch before a
    /// listed one is not listed.
    pub(super) fn find_hidden(&mut self) -> Result<(), Error> {
        if visibility::sought(&self.work.batches, &Set::new()).is_empty() {
            return Ok(());
        }
        let manifest = self.work.manifest.clone().map(Rc::new);
        match self.catalog.sort_out(manifest, self.work.batches.clone()) {
            Ok((state, _)) => {
                self.work.hidden.extend(state.hidden.iter().map(|batch| batch.name));
                Ok(())
            }
            Err(Interrupted::Gone(_) | Interrupted::Failed(Error::Damaged(_))) => Ok(()),
            Err(Interrupted::Failed(error)) => Err(error),
        }
    }

    /// Loads the log again if the first load has hidden batches, and reports those that are still
    /// hidden.
    pub(super) fn report_hidden(&mut self) -> Result<(), Error> {
        if self.work.hidden.is_empty() {
            return Ok(());
        }
        if mutants::is(Mutant::VerifyFirstLook) {
            for name in std::mem::take(&mut self.work.hidden) {
                let (object, before) = (self.catalog.name.key(name), String::new());
                self.work.record(Finding::Stranded { object, bytes: 0, before });
            }
            return Ok(());
        }
        let state = match self.catalog.load(Scope::Read) {
            Err(Error::Damaged(_)) => return Ok(()),
            state => state?,
        };
        for gone in &state.gone {
            self.work.record_damage(self.catalog.gone_batch(gone.batch), None);
        }
        let is_gone = |writer| state.gone.iter().any(|gone| gone.batch.writer == writer);
        // The first batch of each writer that is not in the store.
        let mut missing: Map<WriterId, BatchId> = Map::new();
        for batch in &state.hidden {
            let Some(before) = batch.name.predecessor() else { continue };
            let before = *missing.or_insert(before.writer, before);
            if self.work.hidden.contains(&batch.name) && !is_gone(before.writer) {
                let object = self.catalog.name.key(batch.name);
                let before = self.catalog.name.key(before);
                let finding = Finding::Stranded { object, bytes: batch.size, before };
                self.work.record(finding);
            }
        }
        let is_hidden = |name: &BatchName| state.hidden.iter().any(|batch| batch.name == *name);
        for name in std::mem::take(&mut self.work.hidden) {
            if !is_hidden(&name) {
                self.work.show(&name);
            }
        }
        Ok(())
    }
}
