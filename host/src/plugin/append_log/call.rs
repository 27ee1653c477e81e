//! An admitted call: the one place that ends calls, with their record and the plugin's error.

use super::{CallResult, wit};
use crate::error::{Error, Result};
use crate::plugin::recorder::CallRecord;
use crate::sandbox::imports::access::KeyScope;
use crate::telemetry;

/// A call that was admitted, and its record. If it is dropped instead of ended, it is recorded as
/// unfinished.
pub(super) struct AdmittedCall {
    pub(super) label: KeyScope,
    pub(super) record: Option<CallRecord>,
}

impl AdmittedCall {
    /// Returns the number of the call, which names a handle that it opens.
    pub(super) fn number(&self) -> u64 {
        self.record.as_ref().map_or(0, CallRecord::number)
    }

    /// Adds the events and the bytes that the call has moved.
    pub(super) fn moved(&mut self, events: u64, bytes: u64) {
        if let Some(record) = &mut self.record {
            record.moved(events, bytes);
        }
    }

    /// Ends the call; returns its result for the plugin.
    pub(super) fn end<T>(self, result: Result<T>) -> CallResult<T> {
        let label = self.label.clone();
        Ok(self.note(result).map_err(|error| label.refuse(error)))
    }

    /// Ends a call that commits a named position, or forgets one.
    pub(super) fn end_commit<T>(self, result: Result<T>) -> CallResult<T> {
        let label = self.label.clone();
        Ok(self.note(result).map_err(|error| label.refuse_commit(error)))
    }

    /// Ends a call that has no error of its own in the WIT; returns its result.
    pub(super) fn note<T>(self, result: Result<T>) -> Result<T> {
        if let Err(error) = &result {
            telemetry::plugin_failed(error.kind_name());
        }
        if let Some(record) = self.record {
            record.end(&result);
        }
        result
    }

    /// Ends the call with a failure.
    pub(super) fn fail<T>(self, error: Error) -> Result<T, wit::Error> {
        let label = self.label.clone();
        self.note(Err(error)).map_err(|error| label.refuse(error))
    }
}
