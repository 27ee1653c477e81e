//! Metrics of this process, reported to a meter provider of OpenTelemetry.
//!
//! A program that wants them calls [`report_to`] once, at its start. Until then nothing is
//! measured, and each place that would measure costs the load of one pointer. [`METRICS`] lists
//! all metrics. The page `docs/metrics.md` of this package has the same table.
//!
//! ```
//! use opentelemetry_sdk::metrics::SdkMeterProvider;
//! use stratalog::telemetry;
//!
//! // With a reader that exports what it collects.
//! let provider = SdkMeterProvider::builder().build();
//! telemetry::report_to(&provider, telemetry::Prices::default())?;
//! # Ok::<(), telemetry::AlreadyReported>(())
//! ```
//!
//! 1. Every place of the library that measures calls a function of this module. Names, units and
//!    labels are in one table.
//! 2. Without the feature `metrics`, these functions are empty.
//! 3. The values of labels are words of this library, so their number is bounded.

#[cfg(feature = "metrics")]
mod otel;
mod pending;
mod table;

#[cfg(not(feature = "metrics"))]
mod off;

use std::time::{Duration, Instant};

#[cfg(not(feature = "metrics"))]
use off as backend;
#[cfg(feature = "metrics")]
use otel as backend;

#[cfg(feature = "metrics")]
pub use crate::prices::Prices;
#[cfg(feature = "metrics")]
pub use table::{METRICS, Metric, MetricKind};

use crate::numbers::float;
use backend::installed;
pub(crate) use pending::PendingEvents;
pub(crate) use table::OUTCOME;
use table::{CALL, CLASS, DIRECTION, LIMIT, OPERATION, REQUEST, SOURCE, STORE, WORK};

/// The target of the spans of this library, all of the level INFO. A subscriber of `tracing` that
/// takes this target has its traces.
pub const SPANS: &str = "stratalog::spans";

/// The outcome of all that succeeds.
pub(crate) const OK: &str = "ok";

/// Reports the metrics of this process to `provider` from now on. The dollars of requests are those
/// of `prices`.
///
/// # Errors
/// [`AlreadyReported`] at the second call.
#[cfg(feature = "metrics")]
pub fn report_to(
    provider: &dyn opentelemetry::metrics::MeterProvider,
    prices: Prices,
) -> Result<(), AlreadyReported> {
    let meter = provider.meter("stratalog");
    if otel::install(&meter, prices) { Ok(()) } else { Err(AlreadyReported) }
}

/// The metrics of this process are reported already, and cannot be reported elsewhere.
#[cfg(feature = "metrics")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot report the metrics of this process: they are reported to another provider; call \
     report_to once, and give that provider several readers"
)]
pub struct AlreadyReported;

/// Returns whether metrics are reported.
pub(crate) fn is_on() -> bool {
    installed().is_some()
}

/// The moment at which something begins, if metrics are reported.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timer(Option<Instant>);

impl Timer {
    pub(crate) fn start() -> Self {
        Self(is_on().then(Instant::now))
    }

    fn seconds(self) -> Option<f64> {
        self.0.map(|begun| begun.elapsed().as_secs_f64())
    }
}

/// The price class of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// A create or a listing.
    Write,
    /// A read.
    Read,
    /// A delete, or a request that is not about objects.
    Free,
}

impl Class {
    fn name(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Read => "read",
            Self::Free => "free",
        }
    }
}

/// The direction of bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Direction {
    Read,
    Write,
}

/// The kind of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ObjectKind {
    Batch,
    Segment,
    Other,
}

/// The bytes that an instance has read, by the kinds of objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReadBytes {
    pub(crate) batches: u64,
    pub(crate) segments: u64,
    pub(crate) others: u64,
}

impl ReadBytes {
    pub(crate) fn add(&mut self, kind: ObjectKind, bytes: u64) {
        match kind {
            ObjectKind::Batch => self.batches += bytes,
            ObjectKind::Segment => self.segments += bytes,
            ObjectKind::Other => self.others += bytes,
        }
    }
}

/// Counts events that a writer has taken.
pub(crate) fn events_appended(events: u64, bytes: u64) {
    if let Some(it) = installed() {
        it.append_events.add(events, []);
        it.append_io.add(bytes, []);
    }
}

/// Counts what has become durable in one step. Several batches of a step count with their mean.
pub(crate) fn batches_durable(batches: u64, events: u64, bytes: u64) {
    let Some(it) = installed() else { return };
    it.durable_batches.add(batches, []);
    it.durable_events.add(events, []);
    it.durable_io.add(bytes, []);
    for _ in 0..batches {
        it.batch_events.record(float(events) / float(batches), []);
        it.batch_size.record(float(bytes) / float(batches), []);
    }
}

/// Records that a flush has ended.
pub(crate) fn flush_ended(timer: Timer, outcome: &'static str) {
    if let (Some(it), Some(seconds)) = (installed(), timer.seconds()) {
        it.flush_duration.record(seconds, [(OUTCOME, outcome)]);
    }
}

/// Counts events that a reader has returned.
pub(crate) fn page_read(events: u64, bytes: u64) {
    if let Some(it) = installed() {
        it.read_events.add(events, []);
        it.read_io.add(bytes, []);
    }
}

/// Counts a poll of a follower.
pub(crate) fn follower_polled(outcome: &'static str) {
    if let Some(it) = installed() {
        it.follow_polls.add(1, [(OUTCOME, outcome)]);
    }
}

/// Records the age of the newest events that a follower returns.
pub(crate) fn follower_lags(lag: Duration) {
    if let Some(it) = installed() {
        it.follow_lag.record(lag.as_secs_f64(), []);
    }
}

/// Records that a compaction has ended without success.
pub(crate) fn compaction_failed(timer: Timer, outcome: &'static str) {
    if let (Some(it), Some(seconds)) = (installed(), timer.seconds()) {
        it.compaction_duration.record(seconds, [(OUTCOME, outcome)]);
    }
}

/// Records a compaction that has absorbed this many batches, and has made segments of `output`
/// bytes.
pub(crate) fn compacted(timer: Timer, batches: u64, input: ReadBytes, output: u64) {
    let (Some(it), Some(seconds)) = (installed(), timer.seconds()) else { return };
    it.compaction_duration.record(seconds, [(OUTCOME, OK)]);
    it.compaction_batches.add(batches, []);
    for (source, bytes) in
        [("batch", input.batches), ("segment", input.segments), ("other", input.others)]
    {
        it.compaction_input.add(bytes, [(SOURCE, source)]);
    }
    it.compaction_output.add(output, []);
    if batches > 0 && input.batches > 0 {
        it.compaction_amplification.record(float(output) / float(input.batches), []);
    }
}

/// Counts a log that a sweep has worked on.
pub(crate) fn log_kept(work: &'static str) {
    if let Some(it) = installed() {
        it.keep_work.add(1, [(WORK, work)]);
    }
}

/// Records that an operation of a store has ended.
pub(crate) fn operation_ended(
    timer: Timer,
    store: &'static str,
    operation: &'static str,
    outcome: &'static str,
) {
    if let (Some(it), Some(seconds)) = (installed(), timer.seconds()) {
        let labels = [(STORE, store), (OPERATION, operation), (OUTCOME, outcome)];
        it.operation_duration.record(seconds, labels);
    }
}

/// Counts a request to a store on the network, and its price.
pub(crate) fn request_ended(
    store: &'static str,
    request: &'static str,
    class: Class,
    outcome: &'static str,
) {
    let Some(it) = installed() else { return };
    let labels = [(STORE, store), (REQUEST, request), (CLASS, class.name()), (OUTCOME, outcome)];
    it.requests.add(1, labels);
    it.cost.add(backend::price(class), [(CLASS, class.name())]);
}

/// Counts a request that follows a failed one.
pub(crate) fn request_repeated(store: &'static str) {
    if let Some(it) = installed() {
        it.retries.add(1, [(STORE, store)]);
    }
}

/// Counts bytes of objects.
pub(crate) fn bytes_moved(store: &'static str, direction: Direction, bytes: u64) {
    if let Some(it) = installed() {
        let direction = match direction {
            Direction::Read => "read",
            Direction::Write => "write",
        };
        it.store_io.add(bytes, [(STORE, store), (DIRECTION, direction)]);
    }
}

/// Counts a call of a plugin.
pub(crate) fn plugin_called(call: &'static str, outcome: &'static str) {
    if let Some(it) = installed() {
        it.plugin_calls.add(1, [(CALL, call), (OUTCOME, outcome)]);
    }
}

/// Counts a call of a plugin that has failed.
pub(crate) fn plugin_failed(outcome: &'static str) {
    if let Some(it) = installed() {
        it.plugin_failures.add(1, [(OUTCOME, outcome)]);
    }
}

/// Counts a limit that a plugin has reached.
pub(crate) fn plugin_limited(limit: &'static str) {
    if let Some(it) = installed() {
        it.plugin_limits.add(1, [(LIMIT, limit)]);
    }
}

/// Counts a run of a plugin.
pub(crate) fn plugin_ended(end: &'static str) {
    if let Some(it) = installed() {
        it.plugin_runs.add(1, [(OUTCOME, end)]);
    }
}
