//! Calls in progress, each recorded when it ends in any way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use stratalog_store_rules::text::cut;

use super::super::usage::Call;
use super::calls::{Amount, CallOutcome, Key};
use super::shared::Recorder;
use crate::error::{Error, Result};
use crate::sandbox::imports::access::StepOutcomes;

/// A call that may wait. If it is dropped without an outcome, it has trapped, or the run ended.
pub(in crate::plugin) struct CallRecord {
    recorder: Recorder,
    key: Key,
    amount: Amount,
    at: (u64, Instant),
}

impl CallRecord {
    pub(in crate::plugin) fn begin(
        recorder: &Recorder,
        call: Call,
        label: &Arc<str>,
        handle: Option<u64>,
        begun: Instant,
    ) -> Self {
        let key = Key { call, label: label.clone(), handle, outcome: CallOutcome::Unfinished };
        let number = recorder.begin(key.clone(), begun);
        let (recorder, amount) = (recorder.clone(), Amount::default());
        Self { recorder, key, amount, at: (number, begun) }
    }

    /// Returns the number of the call.
    pub(in crate::plugin) fn number(&self) -> u64 {
        self.at.0
    }

    /// Adds the events and the bytes that the call has moved.
    pub(in crate::plugin) fn moved(&mut self, events: u64, bytes: u64) {
        self.amount = Amount { events, bytes };
    }

    pub(in crate::plugin) fn end<T>(mut self, result: &Result<T>) {
        self.key.outcome = match result {
            Ok(_) => CallOutcome::Succeeded,
            Err(error) => failed(error),
        };
    }
}

impl Drop for CallRecord {
    fn drop(&mut self) {
        self.recorder.ended(self.key.clone(), self.amount, self.at);
    }
}

impl Recorder {
    /// Counts a call that was not admitted. The label is what the plugin passed.
    pub(in crate::plugin) fn refused(
        &self,
        call: Call,
        label: &str,
        handle: Option<u64>,
        error: &Error,
    ) {
        let label = cut(label, LABEL_CHARACTERS_MAX).into();
        let key = Key { call, label, handle, outcome: failed(error) };
        self.ended(key, Amount::default(), (self.number(), Instant::now()));
    }
}

/// A label that does not exist may be any text.
const LABEL_CHARACTERS_MAX: usize = 64;

/// A message of an error is cut to this many characters.
const MESSAGE_CHARACTERS_MAX: usize = 300;

fn failed(error: &Error) -> CallOutcome {
    CallOutcome::Failed(error.kind_name(), cut(&error.to_string(), MESSAGE_CHARACTERS_MAX))
}

/// A call on objects by a log component that the plugin carries. Each step is counted when it ends.
pub(in crate::plugin) struct ObjectCall {
    recorder: Recorder,
    key: Key,
    bytes: u64,
    at: (u64, Instant),
    has_ended: AtomicBool,
}

impl ObjectCall {
    /// Begins a call that writes this many bytes.
    pub(in crate::plugin) fn begin(
        recorder: &Recorder,
        call: Call,
        label: &Arc<str>,
        bytes: u64,
        begun: Instant,
    ) -> Self {
        let (label, outcome) = (label.clone(), CallOutcome::Unfinished);
        let key = Key { call, label, handle: None, outcome };
        let at = (recorder.number(), begun);
        let (recorder, has_ended) = (recorder.clone(), AtomicBool::new(false));
        Self { recorder, key, bytes, at, has_ended }
    }
}

impl StepOutcomes for ObjectCall {
    fn ended(&self, bytes: u64, failure: Option<(&'static str, &str)>) {
        // What a create writes counts once.
        let first = !self.has_ended.swap(true, Ordering::Relaxed);
        let bytes = if first { self.bytes.saturating_add(bytes) } else { bytes };
        let outcome = match failure {
            None => CallOutcome::Succeeded,
            Some((kind, message)) => {
                CallOutcome::Failed(kind, cut(message, MESSAGE_CHARACTERS_MAX))
            }
        };
        let key = Key { outcome, ..self.key.clone() };
        self.recorder.ended(key, Amount { events: 0, bytes }, self.at);
    }
}

impl Drop for ObjectCall {
    fn drop(&mut self) {
        if !self.has_ended.load(Ordering::Relaxed) {
            self.recorder.ended(self.key.clone(), Amount::default(), self.at);
        }
    }
}

#[cfg(test)]
mod tests;
