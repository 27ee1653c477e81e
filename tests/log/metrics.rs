//! Metrics: each event is counted with its value, and the page lists each metric.
//!
//! A process reports its metrics once, so each test that reads values runs alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::{Arc, Weak};
use std::time::Duration;

use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics};
use opentelemetry_sdk::metrics::reader::MetricReader;
use opentelemetry_sdk::metrics::{
    InstrumentKind, ManualReader, Pipeline, SdkMeterProvider, Temporality,
};
use rig::alone::alone;
use rig::faults::{Call, Fault};
use rig::subject::{Kind, World};
use rig::tools::workspace;
use stratalog::telemetry::{METRICS, Metric, MetricKind, Prices, report_to};
use stratalog::{CompactOptions, Host, LogOptions, store::Store};
use tokio::runtime::Runtime;

/// A reader that the test and the provider share.
#[derive(Clone, Debug)]
struct Reader(Arc<ManualReader>);

impl MetricReader for Reader {
    fn register_pipeline(&self, pipeline: Weak<Pipeline>) {
        self.0.register_pipeline(pipeline);
    }

    fn collect(&self, metrics: &mut ResourceMetrics) -> OTelSdkResult {
        self.0.collect(metrics)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn temporality(&self, kind: InstrumentKind) -> Temporality {
        self.0.temporality(kind)
    }
}

/// The metrics of this process.
struct Metrics {
    reader: Reader,
    _provider: SdkMeterProvider,
}

impl Metrics {
    fn report() -> Self {
        let reader = Reader(Arc::new(ManualReader::builder().build()));
        let provider = SdkMeterProvider::builder().with_reader(reader.clone()).build();
        report_to(&provider, Prices::new(0.0, 2.0)).unwrap();
        Self { reader, _provider: provider }
    }

    /// Returns all values, by the name and the labels: sums and gauges as they are, of a
    /// distribution the number and the sum.
    fn read(&self) -> BTreeMap<String, (u64, f64)> {
        let mut all = ResourceMetrics::default();
        self.reader.collect(&mut all).unwrap();
        let mut values = BTreeMap::new();
        for metric in all.scope_metrics().flat_map(|scope| scope.metrics()) {
            let name = |mut labels: Vec<String>| {
                labels.sort();
                match labels.is_empty() {
                    true => metric.name().to_owned(),
                    false => format!("{}{{{}}}", metric.name(), labels.join(",")),
                }
            };
            macro_rules! insert {
                ($data:expr) => {
                    match $data {
                        MetricData::Sum(sum) => {
                            for point in sum.data_points() {
                                let labels = point.attributes().map(label).collect();
                                values.insert(name(labels), (1, point.value() as f64));
                            }
                        }
                        MetricData::Gauge(gauge) => {
                            for point in gauge.data_points() {
                                let labels = point.attributes().map(label).collect();
                                values.insert(name(labels), (1, point.value() as f64));
                            }
                        }
                        MetricData::Histogram(histogram) => {
                            for point in histogram.data_points() {
                                let labels = point.attributes().map(label).collect();
                                let value = (point.count(), point.sum() as f64);
                                values.insert(name(labels), value);
                            }
                        }
                        MetricData::ExponentialHistogram(_) => panic!("{}", metric.name()),
                    }
                };
            }
            match metric.data() {
                AggregatedMetrics::F64(data) => insert!(data),
                AggregatedMetrics::U64(data) => insert!(data),
                AggregatedMetrics::I64(data) => insert!(data),
            }
        }
        values
    }

    fn value(&self, name: &str) -> f64 {
        self.read().get(name).map_or(0.0, |(_, value)| *value)
    }

    fn count(&self, name: &str) -> u64 {
        self.read().get(name).map_or(0, |(count, _)| *count)
    }
}

/// Returns `name=value`, without the prefix that all names have.
fn label(label: &opentelemetry::KeyValue) -> String {
    format!("{}={}", label.key.as_str().trim_start_matches("stratalog."), label.value)
}

#[test]
fn metrics_of_a_log_have_the_values_of_what_happened() {
    alone(
        concat!(module_path!(), "::metrics_of_a_log_have_the_values_of_what_happened"),
        count_a_log,
    );
}

fn count_a_log() {
    Runtime::new().unwrap().block_on(async {
        let metrics = Metrics::report();
        let (host, store) = (Host::new().unwrap(), Store::memory());
        let options = LogOptions::new().flush_interval(Duration::ZERO);
        let log = host.open(&store, "secret-name", options).await.unwrap();
        assert_eq!(metrics.value("stratalog.pending.age"), 0.0);
        log.append("1234567").await.unwrap();
        log.append_lines("ab\ncd\n").await.unwrap();
        log.flush().await.unwrap();
        log.append("x").await.unwrap();
        log.flush().await.unwrap();
        // A flush of nothing is one, too.
        log.flush().await.unwrap();
        let all = metrics.read();
        for (name, value) in [
            ("stratalog.append.events", (1, 4.0)),
            ("stratalog.append.io", (1, 16.0)),
            ("stratalog.durable.events", (1, 4.0)),
            ("stratalog.durable.io", (1, 16.0)),
            ("stratalog.durable.batches", (1, 2.0)),
            ("stratalog.batch.events", (2, 4.0)),
            ("stratalog.batch.size", (2, 16.0)),
            ("stratalog.pending.age", (1, 0.0)),
            ("stratalog.store.io{direction=write,store=memory}", (1, 16.0)),
        ] {
            assert_eq!(all.get(name), Some(&value), "{name}: {all:#?}");
        }
        assert_eq!(metrics.count("stratalog.flush.duration{outcome=ok}"), 3);
        assert_eq!(metrics.count("stratalog.durable.lag"), 2);
        let created =
            "stratalog.store.operation.duration{operation=create,outcome=ok,store=memory}";
        assert_eq!(metrics.count(created), 2);
        // A store in memory gets no requests, and costs nothing.
        assert!(!all.keys().any(|name| name.contains("requests") || name.contains("cost")));

        log.append("pending").await.unwrap();
        log.file_count().await.unwrap();
        assert!(metrics.value("stratalog.pending.age") > 0.0);
        drop(log);

        let compacted = host.compact(&store, "secret-name", &CompactOptions::new()).await.unwrap();
        let all = metrics.read();
        let absorbed = compacted.batches as f64;
        assert!(absorbed >= 2.0);
        assert_eq!(all["stratalog.compaction.batches"].1, absorbed);
        assert_eq!(all["stratalog.compaction.output"].1, compacted.bytes as f64);
        assert_eq!(all["stratalog.compaction.input{source=batch}"].1, compacted.bytes as f64);
        assert_eq!(all["stratalog.compaction.input{source=segment}"].1, 0.0);
        // Each byte of a batch was copied once.
        assert_eq!(all["stratalog.compaction.amplification"], (1, 1.0));
        assert_eq!(all["stratalog.compaction.duration{outcome=ok}"].0, 1);

        let mut reader = host.read(&store, "secret-name").await.unwrap();
        let (mut events, mut bytes) = (0, 0);
        while let Some(page) = reader.next().await.unwrap() {
            (events, bytes) = (events + page.events, bytes + page.lines.len());
        }
        assert!(events >= 4);
        assert_eq!(metrics.value("stratalog.read.events"), events as f64);
        assert_eq!(metrics.value("stratalog.read.io"), bytes as f64);
        assert_eq!(metrics.count("stratalog.follow.lag"), 0);
        let reader = host.read(&store, "secret-name").await.unwrap();
        let mut follow = reader.follow().unwrap();
        follow.next().await.unwrap();
        assert_eq!(metrics.count("stratalog.follow.lag"), 1);
        assert_eq!(metrics.value("stratalog.follow.polls{outcome=events}"), 1.0);

        host.compact(&store, "none", &CompactOptions::new()).await.unwrap_err();
        assert_eq!(metrics.count("stratalog.compaction.duration{outcome=no-log}"), 1);
        let names: Vec<String> = metrics.read().into_keys().collect();
        assert!(names.iter().all(|name| !name.contains("secret")), "{names:#?}");
        check_against_the_table(&metrics);
    });
}

/// Every metric with a value is in the table, with these labels.
fn check_against_the_table(metrics: &Metrics) {
    for name in metrics.read().into_keys() {
        let (name, labels) = name.split_once('{').unwrap_or((&name, ""));
        let metric = METRICS.iter().find(|metric| metric.name == name).unwrap();
        let labels = labels.trim_end_matches('}').split(',').filter(|label| !label.is_empty());
        let mut labels: Vec<String> =
            labels.map(|label| format!("stratalog.{}", label.split_once('=').unwrap().0)).collect();
        let mut known: Vec<String> =
            metric.labels.iter().map(|label| (*label).to_owned()).collect();
        labels.sort();
        known.sort();
        assert_eq!(labels, known, "{name}");
    }
}

#[test]
fn failure_of_a_store_is_an_outcome_and_the_lag_grows_meanwhile() {
    alone(
        concat!(module_path!(), "::failure_of_a_store_is_an_outcome_and_the_lag_grows_meanwhile"),
        || {
            let metrics = Metrics::report();
            let world = World::new(Kind::Component);
            let log = world.open("log");
            log.append("event").unwrap();
            world.faults.arm(Call::Create, [Fault::Refused]);
            log.flush().unwrap_err();
            assert_eq!(metrics.count("stratalog.flush.duration{outcome=write-failed}"), 1);
            assert_eq!(metrics.count("stratalog.flush.duration{outcome=ok}"), 0);
            let failed = "stratalog.store.operation.duration{operation=create,\
                          outcome=permission-denied,store=custom}";
            assert_eq!(metrics.count(failed), 1, "{:#?}", metrics.read());
            assert_eq!(metrics.value("stratalog.durable.events"), 0.0);
            let age = metrics.value("stratalog.pending.age");
            assert!(age > 0.0);
            assert!(metrics.value("stratalog.pending.age") > age);
            log.flush().unwrap();
            assert_eq!(metrics.value("stratalog.durable.events"), 1.0);
            assert_eq!(metrics.value("stratalog.append.events"), 1.0);
            assert_eq!(metrics.count("stratalog.durable.lag"), 1);
            assert_eq!(metrics.value("stratalog.pending.age"), 0.0);
            log.close().unwrap();
            check_against_the_table(&metrics);
        },
    );
}

#[test]
fn metrics_are_reported_to_one_provider() {
    alone(concat!(module_path!(), "::metrics_are_reported_to_one_provider"), || {
        let _metrics = Metrics::report();
        let other = SdkMeterProvider::builder().build();
        let error = report_to(&other, Prices::default()).unwrap_err();
        assert!(error.to_string().contains("call report_to once"), "{error}");
    });
}

#[test]
fn page_has_the_table_of_the_metrics() {
    let page = fs::read_to_string(workspace().join("host/docs/metrics.md")).unwrap();
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `stratalog.")).collect();
    let expected: Vec<String> = METRICS.iter().map(row).collect();
    assert_eq!(rows, expected, "the rows:\n{}", expected.join("\n"));
}

fn row(metric: &Metric) -> String {
    let kind = match metric.kind {
        MetricKind::Counter => "counter",
        MetricKind::Histogram => "histogram",
        MetricKind::Gauge => "gauge",
        other => panic!("{other:?}"),
    };
    let labels: Vec<String> = metric
        .labels
        .iter()
        .map(|label| format!("`{}`", label.trim_start_matches("stratalog.")))
        .collect();
    format!(
        "| `{}` | `{}` | {kind} | `{}` | {} | {} |",
        metric.name,
        of_prometheus(metric),
        metric.unit,
        labels.join(", "),
        metric.meaning
    )
}

/// Returns the name of a metric in Prometheus.
fn of_prometheus(metric: &Metric) -> String {
    let unit = match metric.unit {
        "s" => "_seconds",
        "By" => "_bytes",
        "1" => "_ratio",
        _ => "",
    };
    let end = if metric.kind == MetricKind::Counter { "_total" } else { "" };
    format!("{}{unit}{end}", metric.name.replace('.', "_"))
}

#[test]
fn dashboard_shows_every_metric_and_no_other() {
    let file = workspace().join("host/docs/grafana-dashboard.json");
    let dashboard: serde_json::Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let charts = panels.iter().filter(|panel| panel["type"] != "row");
    let mut shown = BTreeSet::new();
    for panel in charts {
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{panel}");
        for target in targets {
            let expression = target["expr"].as_str().unwrap();
            shown.extend(metrics_in(expression));
            assert!(expression.contains(r#"{job=~"$job""#), "{expression}");
        }
    }
    let known: BTreeSet<String> = METRICS.iter().map(of_prometheus).collect();
    assert_eq!(shown, known);
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len());
}

/// Returns the metrics that an expression selects, and checks its labels.
fn metrics_in(expression: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut rest = expression;
    let mut metrics = BTreeSet::new();
    while let Some(at) = rest.find("stratalog_") {
        let word = &rest[at..];
        let end = word.find(|c| !is_part(c)).unwrap_or(word.len());
        let (name, after) = word.split_at(end);
        if after.starts_with('{') {
            let ends = ["_bucket", "_sum", "_count"];
            let base = ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
            metrics.insert(base.to_owned());
        } else {
            let labels = METRICS.iter().flat_map(|metric| metric.labels);
            let known = labels.into_iter().any(|label| label.replace('.', "_") == name);
            assert!(known, "no label is {name}: {expression}");
        }
        rest = after;
    }
    metrics
}
