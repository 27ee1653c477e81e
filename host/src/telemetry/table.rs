//! The table of all metrics: one line each, with its name, unit, labels and meaning.
//!
//! 1. Names and units follow the OpenTelemetry conventions.
//! 2. The values of a label are a fixed set of words of this library. None is taken from a log's
//!    name, a key, a URL or a message.
//! 3. The page `host/docs/metrics.md` has the same table, as a test checks.

use super::backend::{Counter, Gauge, Histogram, Sum};

/// The kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricKind {
    /// A number that only grows.
    Counter,
    /// A distribution.
    Histogram,
    /// A current value.
    Gauge,
}

/// A metric that this library reports.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Metric {
    /// The name by the conventions of OpenTelemetry. Exporters for Prometheus change it.
    pub name: &'static str,
    /// Its kind.
    pub kind: MetricKind,
    /// The unit, in UCUM.
    pub unit: &'static str,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// One sentence for people.
    pub meaning: &'static str,
    /// The upper bounds of a histogram's buckets.
    pub(super) bounds: &'static [f64],
}

/// The outcome: `ok`, or the kind of the failure.
pub(crate) const OUTCOME: &str = "stratalog.outcome";
/// The kind of store: `memory`, `folder`, `s3`, `gs`, `az`, `webdav` or `custom`.
pub(super) const STORE: &str = "stratalog.store";
/// An operation of a store.
pub(super) const OPERATION: &str = "stratalog.operation";
/// The purpose of a request.
pub(super) const REQUEST: &str = "stratalog.request";
/// The price class of a request.
pub(super) const CLASS: &str = "stratalog.class";
/// `read` or `write`.
pub(super) const DIRECTION: &str = "stratalog.direction";
/// The kind of object that a compaction reads.
pub(super) const SOURCE: &str = "stratalog.source";
/// The work of a sweep.
pub(super) const WORK: &str = "stratalog.work";
/// A call of a plugin, by its name in the WIT.
pub(super) const CALL: &str = "stratalog.call";
/// A limit on plugins, by its field.
pub(super) const LIMIT: &str = "stratalog.limit";

/// Seconds, from a local disk to the longest time limit of a store.
const SECONDS: &[f64] = &[
    0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
    300.0,
];
/// Bytes, from 256 to 64 MiB.
const BYTES: &[f64] = &[
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
const COUNTS: &[f64] =
    &[1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0, 100_000.0, 1_000_000.0];
const RATIOS: &[f64] = &[1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 32.0];
const NONE: &[f64] = &[];

/// Declares the metrics: the table, and the instruments of the same names.
macro_rules! metrics {
    ($($field:ident: $instrument:ident($kind:ident, $bounds:ident),
        $name:literal, $unit:literal, [$($label:ident),*], $meaning:literal;)*) => {
        /// All metrics of this library, in the order of the manual.
        pub static METRICS: &[Metric] = &[$(Metric {
            name: $name,
            kind: MetricKind::$kind,
            unit: $unit,
            labels: &[$($label),*],
            meaning: $meaning,
            bounds: $bounds,
        }),*];

        /// The instruments of a process.
        #[allow(dead_code, reason = "the provider asks for a gauge")]
        pub(super) struct Instruments {
            $(pub(super) $field: $instrument,)*
        }

        #[cfg(feature = "metrics")]
        impl Instruments {
            /// Makes the instruments, in the order of the table.
            pub(super) fn new(meter: &opentelemetry::metrics::Meter) -> Self {
                let mut metrics = METRICS.iter();
                Self { $($field: $instrument::new(meter, metrics.next()),)* }
            }
        }
    };
}

metrics! {
    append_events: Counter(Counter, NONE), "stratalog.append.events", "{event}", [],
        "Events that writers have taken.";
    append_io: Counter(Counter, NONE), "stratalog.append.io", "By", [],
        "Bytes of these events, with a line feed for each.";
    durable_events: Counter(Counter, NONE), "stratalog.durable.events", "{event}", [],
        "Events that have become durable.";
    durable_io: Counter(Counter, NONE), "stratalog.durable.io", "By", [],
        "Bytes of these events, with a line feed for each.";
    durable_batches: Counter(Counter, NONE), "stratalog.durable.batches", "{batch}", [],
        "Batches that have become durable.";
    durable_lag: Histogram(Histogram, SECONDS), "stratalog.durable.lag", "s", [],
        "Time from the moment at which a writer takes events until they are durable.";
    pending_age: Gauge(Gauge, NONE), "stratalog.pending.age", "s", [],
        "Age of the oldest event of all writers that is not durable yet; 0 if there is none.";
    batch_events: Histogram(Histogram, COUNTS), "stratalog.batch.events", "{event}", [],
        "Events of a durable batch.";
    batch_size: Histogram(Histogram, BYTES), "stratalog.batch.size", "By", [],
        "Bytes of a durable batch.";
    flush_duration: Histogram(Histogram, SECONDS), "stratalog.flush.duration", "s", [OUTCOME],
        "Time that a flush waits.";
    read_events: Counter(Counter, NONE), "stratalog.read.events", "{event}", [],
        "Events that readers have returned.";
    read_io: Counter(Counter, NONE), "stratalog.read.io", "By", [],
        "Bytes of these events, with a line feed for each.";
    follow_polls: Counter(Counter, NONE), "stratalog.follow.polls", "{poll}", [OUTCOME],
        "Polls of followers: `events`, `nothing` or the kind of the failure.";
    follow_lag: Histogram(Histogram, SECONDS), "stratalog.follow.lag", "s", [],
        "Age of the newest batch of a page when a follower returns it.";
    compaction_duration: Histogram(Histogram, SECONDS), "stratalog.compaction.duration", "s",
        [OUTCOME], "Time of a compaction.";
    compaction_batches: Counter(Counter, NONE), "stratalog.compaction.batches", "{batch}", [],
        "Batches that compactions have absorbed.";
    compaction_input: Counter(Counter, NONE), "stratalog.compaction.input", "By", [SOURCE],
        "Bytes that successful compactions have read: of `batch`, `segment` or `other` objects.";
    compaction_output: Counter(Counter, NONE), "stratalog.compaction.output", "By", [],
        "Bytes of the segments that compactions have made.";
    compaction_amplification: Histogram(Histogram, RATIOS), "stratalog.compaction.amplification",
        "1", [], "Bytes that a compaction has made for each byte of a batch that it has absorbed.";
    keep_work: Counter(Counter, NONE), "stratalog.keep.work", "{log}", [WORK],
        "Logs that sweeps have `compacted`, `trimmed` or `verified`, or that `failed`.";
    operation_duration: Histogram(Histogram, SECONDS), "stratalog.store.operation.duration", "s",
        [STORE, OPERATION, OUTCOME], "Time of an operation of a store, its retries included.";
    requests: Counter(Counter, NONE), "stratalog.store.requests", "{request}",
        [STORE, REQUEST, CLASS, OUTCOME], "Requests to a store on the network, retries included.";
    retries: Counter(Counter, NONE), "stratalog.store.retries", "{request}", [STORE],
        "The requests of these that follow a failed one of the same operation.";
    store_io: Counter(Counter, NONE), "stratalog.store.io", "By", [STORE, DIRECTION],
        "Bytes of objects that were read from a store, or written to it.";
    cost: Sum(Counter, NONE), "stratalog.store.cost", "{USD}", [CLASS],
        "Dollars for the requests, by the prices that are set.";
    plugin_calls: Counter(Counter, NONE), "stratalog.plugin.calls", "{call}", [CALL, OUTCOME],
        "Calls of plugins to their logs: `admitted`, `denied` or `limit-reached`.";
    plugin_failures: Counter(Counter, NONE), "stratalog.plugin.failures", "{call}", [OUTCOME],
        "Admitted calls of plugins that failed, by the kind of the failure.";
    plugin_limits: Counter(Counter, NONE), "stratalog.plugin.limits", "{limit}", [LIMIT],
        "Limits on plugins that were reached.";
    plugin_runs: Counter(Counter, NONE), "stratalog.plugin.runs", "{run}", [OUTCOME],
        "Runs of plugins that have ended, by their ends.";
}
