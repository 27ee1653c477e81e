//! The posts that an endpoint of OTLP gets.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use rig::plugins;

use crate::binary::{fresh, numbered, ok, run_with, stratalog};

/// A post: its path, its headers and its body.
#[derive(Clone)]
struct Post {
    path: String,
    head: String,
    body: Vec<u8>,
}

/// A collector that keeps what it gets.
struct Collector {
    url: String,
    posts: Arc<Mutex<Vec<Post>>>,
}

impl Collector {
    fn answering(status: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let posts: Arc<Mutex<Vec<Post>>> = Arc::default();
        let kept = posts.clone();
        thread::spawn(move || {
            for connection in listener.incoming() {
                let kept = kept.clone();
                thread::spawn(move || talk(connection.unwrap(), status, &kept));
            }
        });
        Self { url, posts }
    }

    fn posts(&self) -> Vec<Post> {
        self.posts.lock().unwrap().clone()
    }

    /// Returns the sum of a counter in the last post of metrics.
    fn counter(&self, name: &str) -> f64 {
        let posts = self.posts();
        let last = posts.iter().rfind(|post| post.path.ends_with("/v1/metrics")).unwrap();
        let request = ExportMetricsServiceRequest::decode(&*last.body).unwrap();
        let scopes = request.resource_metrics.into_iter().flat_map(|it| it.scope_metrics);
        let mut metrics = scopes.flat_map(|scope| scope.metrics);
        let Some(metric) = metrics.find(|metric| metric.name == name) else { return 0.0 };
        let Some(Data::Sum(sum)) = metric.data else { panic!("{name} is no counter") };
        let values = sum.data_points.into_iter().map(|point| match point.value.unwrap() {
            number_data_point::Value::AsDouble(value) => value,
            number_data_point::Value::AsInt(value) => i32::try_from(value).unwrap().into(),
        });
        values.sum()
    }

    fn spans(&self) -> Vec<Span> {
        let posts = self.posts();
        let traces = posts.iter().filter(|post| post.path.ends_with("/v1/traces"));
        let requests = traces.map(|post| ExportTraceServiceRequest::decode(&*post.body).unwrap());
        let resources = requests.flat_map(|request| request.resource_spans);
        resources.flat_map(|it| it.scope_spans).flat_map(|scope| scope.spans).collect()
    }
}

fn talk(mut connection: TcpStream, status: &str, posts: &Mutex<Vec<Post>>) {
    let mut requests = BufReader::new(connection.try_clone().unwrap());
    loop {
        let (mut head, mut bytes) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if requests.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some(length) = line.to_lowercase().strip_prefix("content-length:") {
                bytes = length.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
            head.push_str(&line);
        }
        let mut body = vec![0; bytes];
        requests.read_exact(&mut body).unwrap();
        let path = head.split(' ').nth(1).unwrap().to_owned();
        posts.lock().unwrap().push(Post { path, head, body });
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        if connection.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn text(span: &Span, key: &str) -> Option<String> {
    let attribute = span.attributes.iter().find(|attribute| attribute.key == key)?;
    match attribute.value.clone()?.value? {
        Value::StringValue(text) => Some(text),
        other => panic!("{key}: {other:?}"),
    }
}

#[test]
fn endpoint_gets_the_metrics_and_the_traces_of_a_command() {
    let collector = Collector::answering("200 OK");
    let (_folder, log) = fresh();
    let url = format!("{}/below/", collector.url);
    let mut command = stratalog(&["append", "--flush-threshold", "2", &log]);
    command.args(["--otlp-endpoint", &url]).env("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a-secret");
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(numbered(0..4).as_bytes()).unwrap();
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.success(), "{said}");
    assert!(!said.contains("a-secret") && !said.contains("warning"), "{said}");
    let posts = collector.posts();
    let paths: BTreeSet<&str> = posts.iter().map(|post| &*post.path).collect();
    assert_eq!(paths, BTreeSet::from(["/below/v1/metrics", "/below/v1/traces"]));
    for post in &posts {
        let head = post.head.to_lowercase();
        assert!(head.contains("content-type: application/x-protobuf"), "{head}");
        assert!(head.contains("x-key: a-secret"), "{head}");
        let body = String::from_utf8_lossy(&post.body);
        assert!(!body.contains("a-secret"), "{body}");
        assert!(body.contains("service.name") && body.contains("stratalog"), "{body}");
    }
    assert_eq!(collector.counter("stratalog.durable.events"), 4.0);
    assert_eq!(collector.counter("stratalog.durable.batches"), 2.0);
    let spans = collector.spans();
    let creates: Vec<&Span> = spans.iter().filter(|span| span.name == "store create").collect();
    assert_eq!(creates.len(), 2, "{spans:#?}");
    for create in creates {
        assert_eq!(text(create, "stratalog.store").as_deref(), Some("folder"));
        assert_eq!(text(create, "stratalog.outcome").as_deref(), Some("ok"));
        assert!(text(create, "stratalog.key").unwrap().contains("batch_"));
        assert!(create.end_time_unix_nano >= create.start_time_unix_nano);
    }
}

#[test]
fn spans_of_a_compaction_belong_to_it() {
    let collector = Collector::answering("200 OK");
    let (_folder, log) = fresh();
    ok(&["append", "--flush-threshold", "1", &log], &numbered(0..3));
    ok(&["compact", &log, "--otlp-endpoint", &collector.url], "");
    let spans = collector.spans();
    let compaction = spans.iter().find(|span| span.name == "compact").unwrap();
    assert_eq!(text(compaction, "stratalog.outcome").as_deref(), Some("ok"));
    let within: Vec<&Span> =
        spans.iter().filter(|span| span.parent_span_id == compaction.span_id).collect();
    for name in ["store list", "store create", "store delete"] {
        assert!(within.iter().any(|span| span.name == name), "no {name} in {spans:#?}");
    }
    assert_eq!(collector.counter("stratalog.compaction.batches"), 3.0);
}

#[test]
fn limits_and_failures_of_a_plugin_are_counted() {
    let collector = Collector::answering("200 OK");
    let (_folder, log) = fresh();
    let plugin = plugins::rust("evil").display().to_string();
    let granted = format!("evil={log}");
    let options = ["--quota", "evil=1KB", "--otlp-endpoint", &collector.url];
    let run = ["run", &plugin, "--log", &granted];
    let ran = run_with(&[&run, &options[..], &["--", "append-on", "20"]].concat(), b"");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(collector.counter("stratalog.plugin.runs"), 1.0);
    assert_eq!(collector.counter("stratalog.plugin.limits"), 1.0);
    // Of the 20 calls, the quota has room for half.
    assert_eq!(collector.counter("stratalog.plugin.failures"), 10.0);
    assert_eq!(collector.counter("stratalog.append.events"), 10.0);
    assert!(collector.spans().iter().any(|span| span.name == "plugin"));
}

#[test]
fn endpoint_that_is_dead_or_refuses_is_one_warning() {
    let refusing = Collector::answering("403 Forbidden");
    let dead = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", dead.local_addr().unwrap());
    drop(dead);
    // It accepts, and never answers: the command does not wait for it for long.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = (format!("http://{}", silent.local_addr().unwrap()), silent);
    for (url, warnings) in [(&refusing.url, 1), (&nobody, 1), (&silent.0, 0)] {
        let (_folder, log) = fresh();
        let begun = Instant::now();
        let ran = run_with(&["append", &log, "--otlp-endpoint", url], b"event\n");
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stderr.contains("1 event in 1 batch"), "{}", ran.stderr);
        let said: Vec<&str> =
            ran.stderr.lines().filter(|line| line.starts_with("warning: ")).collect();
        assert_eq!(said.len(), warnings, "{url} after {:?}: {said:#?}", begun.elapsed());
        assert!(said.iter().all(|line| line.contains(url)), "{said:#?}");
        assert_eq!(ok(&["read", &log], ""), "event\n");
    }
    drop(silent);
}
