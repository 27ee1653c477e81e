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
        let number = oldest.number();
        match &oldest.create {
            CreateState::InFlight(create) => {
                let outcome = create.wait();
                self.on_create_done(number, outcome)
            }
            CreateState::Failed { .. } | CreateState::Stored => Ok(()),
        }
    }

    /// Processes the outcomes of creates that are done.
    pub(super) fn poll(&mut self) {
        self.finish(PendingCreate::poll);
    }

    /// Processes the outcome of each create in flight, if `outcome` returns one.
    pub(super) fn finish(
        &mut self,
        outcome: impl Fn(&S::Create) -> Option<Result<(), WriteError>>,
    ) {
        let done = |sealed: &Sealed<S>| match &sealed.create {
            CreateState::InFlight(create) => Some((sealed.number(), outcome(create)?)),
            CreateState::Failed { .. } | CreateState::Stored => None,
        };
        let done: Vec<_> = self.sealed.iter().filter_map(done).collect();
        for (number, outcome) in done {
            if let Err(error) = self.on_create_done(number, outcome) {
                self.system.warn(&error.to_string());
            }
        }
    }

    /// Records the outcome of a create, and acknowledges what is stored without a gap.
    fn on_create_done(
        &mut self,
        number: u64,
        outcome: Result<(), WriteError>,
    ) -> Result<(), Error> {
        let unconfirmed = self.unacknowledged();
        let now = self.system.now_micros();
        let (store, log) = (&self.catalog.store, &self.catalog.name);
        let Some(sealed) = self.sealed.get_mut(number) else { return Ok(()) };
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
            sealed.create = CreateState::Failed { at: now };
            let object = log.key(sealed.name);
            return Err(Error::WriteFailed(WriteFailure::new(&object, fate, &error, unconfirmed)));
        }
        sealed.create = CreateState::Stored;
        while let Some(stored) = self.sealed.acknowledge() {
            self.written.batches += 1;
            self.written.events += stored.events;
            self.written.bytes += stored.lines.length();
        }
        Ok(())
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
            if let CreateState::Failed { at } = sealed.create
                && is_due(at)
            {
                sealed.retry(catalog, waiting, last_time);
            }
        });
    }
}
