//! The creates of a writer's sealed batches: outcomes and retries.

use super::Writer;
use super::sealed::{CreateState, Sealed};
use crate::decide::window::SealedBatch;
use crate::drive::existing;
use crate::error::{Error, WriteFailure, WriteFate};
use crate::limits::RETRY_REST_MICROS;
use crate::ports::{HostBytes, PendingCreate, Store, System, WriteError};

impl<S: Store, Y: System> Writer<S, Y> {
    /// Waits until the oldest sealed batch is stored, and acknowledges it. Returns the error of a
    /// create that has failed.
    pub(super) fn wait_oldest(&mut self) -> Result<(), Error> {
        let Some(oldest) = self.sealed.front() else { return Ok(()) };
        if let CreateState::InFlight(create) = &oldest.create {
            let (number, outcome) = (oldest.number(), create.wait());
            self.record(number, outcome);
        }
        self.report_oldest()
    }

    /// Returns the failure of the oldest batch, unless it was returned before.
    pub(super) fn report_oldest(&mut self) -> Result<(), Error> {
        let events_pending = self.unacknowledged();
        let oldest = self.sealed.front_mut().map(|oldest| &mut oldest.create);
        if let Some(CreateState::Failed { failure, .. }) = oldest
            && let Some(failure) = failure.take()
        {
            self.reported = Some(failure.clone());
            return Err(Error::WriteFailed(WriteFailure { events_pending, ..failure }));
        }
        Ok(())
    }

    /// Records the outcomes of creates that are done. Logs the failure of all but the oldest, which
    /// a caller reports.
    pub(super) fn poll(&mut self) {
        let mut failures = self.finish(PendingCreate::poll);
        let oldest = self.sealed.front().map(SealedBatch::number);
        failures.retain(|(number, _)| Some(*number) != oldest);
        self.warn_of(&failures);
    }

    /// Records the outcomes of creates that are done, and logs failures.
    pub(super) fn poll_and_warn(&mut self) {
        let failures = self.finish(PendingCreate::poll);
        self.warn_of(&failures);
    }

    pub(super) fn warn_of(&mut self, failures: &[(u64, WriteFailure)]) {
        for (_, failure) in failures {
            self.system.warn(&failure.to_string());
            self.reported = Some(failure.clone());
        }
    }

    /// Records the outcome of each create in flight, if `outcome` returns one. Returns the failures
    /// by number of the batch.
    pub(super) fn finish(
        &mut self,
        outcome: impl Fn(&S::Create) -> Option<Result<(), WriteError>>,
    ) -> Vec<(u64, WriteFailure)> {
        let done = |sealed: &Sealed<S>| match &sealed.create {
            CreateState::InFlight(create) => Some((sealed.number(), outcome(create)?)),
            CreateState::Held | CreateState::Failed { .. } | CreateState::Stored => None,
        };
        let done: Vec<_> = self.sealed.iter().filter_map(done).collect();
        let record = |(number, outcome)| Some((number, self.record(number, outcome)?));
        done.into_iter().filter_map(record).collect()
    }

    /// Records the outcome of a create, and acknowledges what is stored without a gap. Returns the
    /// failure, and keeps it for a caller that waits for the batch.
    fn record(&mut self, number: u64, outcome: Result<(), WriteError>) -> Option<WriteFailure> {
        let unconfirmed = self.unacknowledged();
        let now = self.system.now_micros();
        let (store, log) = (&self.catalog.store, &self.catalog.name);
        let sealed = self.sealed.get_mut(number)?;
        let outcome = match outcome {
            Ok(()) => Ok(()),
            // The name is this batch's alone: an object of that name is an earlier try that landed.
            Err(WriteError::AlreadyExists) => {
                existing::check_batch(store, log, sealed.name, sealed.lines.length())
                    .map_err(|error| (WriteFate::Unknown, error))
            }
            Err(WriteError::NotWritten(error)) if !sealed.in_doubt => {
                Err((WriteFate::NotWritten, error))
            }
            Err(WriteError::NotWritten(error) | WriteError::Unknown(error)) => {
                Err((WriteFate::Unknown, error))
            }
        };
        if let Err((fate, error)) = outcome {
            sealed.in_doubt |= fate == WriteFate::Unknown;
            let failure = WriteFailure::new(&log.key(sealed.name), fate, &error, unconfirmed);
            sealed.create = CreateState::Failed { at: now, failure: Some(failure.clone()) };
            return Some(failure);
        }
        sealed.create = CreateState::Stored;
        while let Some(stored) = self.sealed.acknowledge() {
            self.written.batches += 1;
            self.written.events += stored.events;
            self.written.bytes += stored.lines.length();
        }
        None
    }

    /// Retries every create that has failed.
    pub(super) fn retry_failed(&mut self) {
        self.retry(|_| true);
    }

    /// Retries every create that failed a while ago.
    pub(super) fn retry_rested(&mut self, now: u64) {
        self.retry(|at| now.abs_diff(at) >= RETRY_REST_MICROS);
    }

    fn retry(&mut self, is_due: impl Fn(u64) -> bool) {
        let Self { sealed, catalog, last_time, .. } = self;
        sealed.retry_failed(|sealed, waiting| {
            if let CreateState::Failed { at, .. } = sealed.create
                && is_due(at)
            {
                sealed.retry(catalog, waiting, last_time);
            }
        });
    }
}
