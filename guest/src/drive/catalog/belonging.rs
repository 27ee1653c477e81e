//! Checks that a position belongs to this log, if the position does not have its log's identity.
//!
//! 1. A position is refused only if it certainly belongs to another log. It names batches, the
//!    manifest's indexes contain all batches ever absorbed, and none of the named batches is live
//!    or in them.
//! 2. A load may happen during a compaction, and a listing is not a snapshot, so two loads must
//!    agree to refuse. An index that cannot be read refuses nothing.

use super::{Catalog, Interrupted, Scope};
use crate::decide::log_state::LogState;
use crate::error::Error;
use crate::format::position::Position;
use crate::ports::Store;

impl<S: Store> Catalog<S> {
    /// Refuses a position of another log. Makes no request unless the position has no identity and
    /// none of the batches that it names is live.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] that names both logs, as far as they are known.
    pub(crate) fn check_position(
        &mut self,
        position: &Position,
        state: &LogState,
    ) -> Result<(), Error> {
        position.check_log(&self.name, state.log())?;
        if position.log.is_some() || self.has_some_of(position, state)? == Some(true) {
            return Ok(());
        }
        let again = self.load(Scope::Read)?;
        match self.has_some_of(position, &again)? {
            Some(false) => Err(position.of_another(&self.name, again.log())),
            Some(true) | None => Ok(()),
        }
    }

    /// Returns true if a batch that the position names is in the log, or none must be. None if the
    /// indexes do not tell.
    fn has_some_of(
        &mut self,
        position: &Position,
        state: &LogState,
    ) -> Result<Option<bool>, Error> {
        let mut listed = state.listed();
        if !position.names_certain_batches() || listed.any(|batch| position.names(&batch.name)) {
            return Ok(Some(true));
        }
        let Some(manifest) = &state.manifest else { return Ok(Some(false)) };
        if !manifest.covers_all_positions() {
            return Ok(None);
        }
        let mut found = Some(false);
        for segment in manifest.records().filter(|segment| position.has_yielded_of(segment)) {
            match self.index(segment) {
                Ok(index) if index.batches.iter().any(|batch| position.names(&batch.name)) => {
                    return Ok(Some(true));
                }
                Ok(_) => {}
                Err(Interrupted::Gone(_) | Interrupted::Failed(Error::Damaged(_))) => found = None,
                Err(Interrupted::Failed(error)) => return Err(error),
            }
        }
        Ok(found)
    }
}
