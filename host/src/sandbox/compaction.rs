//! The calls of an instance that compact, measured.
//!
//! 1. An instance compacts once. What it has read then is the input of that compaction.

use tracing::{Instrument as _, field};

use crate::sandbox::instance::{CallError, Called, Instance};
use crate::telemetry::{self, OUTCOME, Timer};
use crate::types::{CompactOptions, Compaction, CompactionPlan};

impl Instance {
    /// Compacts a log.
    pub(crate) async fn compact(
        &mut self,
        name: &str,
        options: &CompactOptions,
    ) -> Called<Compaction> {
        let timer = Timer::start();
        let span = tracing::info_span!(
            target: telemetry::SPANS,
            "compact",
            stratalog.log = name,
            stratalog.outcome = field::Empty,
        );
        let called = self.try_call(|exports, store| {
            exports.stratalog_log_append_log().call_compact(store, name, *options)
        });
        let compacted = called.instrument(span.clone()).await;
        span.record(OUTCOME, outcome_of(&compacted));
        match &compacted {
            Ok(done) => {
                let read = self.wasm_store.data().in_flight.read;
                telemetry::compacted(timer, done.batches, read, done.bytes);
            }
            failed => telemetry::compaction_failed(timer, outcome_of(failed)),
        }
        compacted
    }

    /// Returns what [`Instance::compact`] would do.
    pub(crate) async fn plan_compaction(
        &mut self,
        name: &str,
        options: &CompactOptions,
    ) -> Called<CompactionPlan> {
        self.try_call(|exports, store| {
            exports.stratalog_log_append_log().call_plan_compaction(store, name, *options)
        })
        .await
    }
}

/// Returns the word for the end of a call, for metrics.
fn outcome_of<T>(called: &Called<T>) -> &'static str {
    match called {
        Ok(_) => telemetry::OK,
        Err(CallError::Returned(error) | CallError::Trapped(error)) => error.kind_name(),
    }
}
