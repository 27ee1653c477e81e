//! Metrics and traces of commands: `--metrics-listen` and `--otlp-endpoint`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStderr};

use rig::plugins;
use rig::tools::workspace;
use rig::waits::until;

use crate::binary::{check, end_of, fresh, numbered, ok, run_with, stratalog};
use crate::bucket::{self, Answer};

mod otlp;

const LISTEN: [&str; 2] = ["--metrics-listen", "127.0.0.1:0"];

/// A command that serves its metrics.
struct Serving {
    child: Child,
    stderr: BufReader<ChildStderr>,
    /// HOST:PORT.
    address: String,
}

impl Serving {
    /// Starts a command, and waits until it names the address.
    fn start(arguments: &[&str]) -> Self {
        let mut child = stratalog(&[arguments, &LISTEN].concat()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("metrics are at") {
            line.clear();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "stderr names no address");
        }
        let (_, rest) = line.trim().split_once("metrics are at http://").unwrap();
        let address = rest.strip_suffix("/metrics").unwrap().to_owned();
        Self { child, stderr, address }
    }

    fn get(&self, path: &str) -> String {
        get(&self.address, path)
    }

    /// Returns the samples, by their names with labels.
    fn samples(&self) -> BTreeMap<String, f64> {
        samples(&self.get("/metrics"))
    }

    fn value(&self, sample: &str) -> f64 {
        self.samples().get(sample).copied().unwrap_or_default()
    }

    /// Ends the input, and returns the exit code and the rest of stderr.
    fn end(mut self) -> (Option<i32>, String) {
        drop(self.child.stdin.take());
        let code = end_of(&mut self.child).code();
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
        (code, said)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn get(address: &str, path: &str) -> String {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n"))
}

fn samples(answer: &str) -> BTreeMap<String, f64> {
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(head.contains("content-type: text/plain; version=0.0.4"), "{answer}");
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let samples = lines.map(|line| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        (name.to_owned(), value.parse().unwrap())
    });
    samples.collect()
}

#[test]
fn append_from_a_pipe_serves_its_metrics_while_it_runs() {
    let (_folder, log) = fresh();
    let mut serving = Serving::start(&["append", "--flush-interval", "1ms", &log]);
    let mut input = serving.child.stdin.take().unwrap();
    for (event, events) in [("12345\n", 1.0), ("123\n", 2.0)] {
        input.write_all(event.as_bytes()).unwrap();
        until("the event is durable", || serving.value("stratalog_durable_events_total") == events);
    }
    let samples = serving.samples();
    for (sample, value) in [
        ("stratalog_append_events_total", 2.0),
        ("stratalog_append_io_bytes_total", 10.0),
        ("stratalog_durable_io_bytes_total", 10.0),
        ("stratalog_durable_batches_total", 2.0),
        ("stratalog_batch_size_bytes_count", 2.0),
        ("stratalog_batch_size_bytes_sum", 10.0),
        ("stratalog_durable_lag_seconds_count", 2.0),
        ("stratalog_pending_age_seconds", 0.0),
    ] {
        assert_eq!(samples.get(sample), Some(&value), "{sample}: {samples:#?}");
    }
    let written = "stratalog_store_io_bytes_total{stratalog_direction=\"write\",\
                   stratalog_store=\"folder\"}";
    assert_eq!(samples.get(written), Some(&10.0), "{samples:#?}");
    assert!(samples.keys().all(|sample| !sample.contains(&log)), "{samples:#?}");
    // Names that the page of the manual does not have.
    let page = fs::read_to_string(workspace().join("host/docs/metrics.md")).unwrap();
    let of_library = samples.keys().filter(|sample| sample.starts_with("stratalog_"));
    for sample in of_library {
        let name = sample.split('{').next().unwrap();
        let name = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| name.strip_suffix(end))
            .unwrap_or(name);
        assert!(page.contains(&format!("`{name}`")), "the page does not have {name}");
    }
    drop(input);
    let address = serving.address.clone();
    let (code, said) = serving.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("2 events in 2 batches"), "{said}");
    assert!(TcpStream::connect(&address).is_err(), "the server outlives the command");
}

#[test]
fn server_of_metrics_serves_nothing_else_and_outlives_bad_scrapers() {
    let (_folder, log) = fresh();
    let mut serving = Serving::start(&["append", "--flush-interval", "1ms", &log]);
    let mut input = serving.child.stdin.take().unwrap();
    assert!(serving.get("/").starts_with("HTTP/1.1 404 "));
    assert!(serving.get("/metrics/x").starts_with("HTTP/1.1 404 "));
    let post = format!("POST /metrics HTTP/1.1\r\nHost: {}\r\n\r\n", serving.address);
    assert!(ask(&serving.address, &post).starts_with("HTTP/1.1 405 "));
    let garbage = ask(&serving.address, "\0\u{1}garbage\r\n\r\n");
    assert!(garbage.is_empty() || garbage.starts_with("HTTP/1.1 400 "), "{garbage}");
    // They send nothing, part of a header, or a request whose answer they never read.
    let slow: Vec<_> = (0..40)
        .map(|number| {
            let mut stream = TcpStream::connect(&serving.address).unwrap();
            let sent: &[u8] = match number % 3 {
                0 => b"",
                1 => b"GET /metr",
                _ => b"GET /metrics HTTP/1.1\r\n\r\n",
            };
            stream.write_all(sent).unwrap();
            stream
        })
        .collect();
    input.write_all(b"event\n").unwrap();
    // The slow ones are ended by their time limit, and the next scraper has its turn.
    until("the event is durable", || serving.value("stratalog_durable_events_total") == 1.0);
    drop(input);
    let (code, said) = serving.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("warning"), "{said}");
    drop(slow);
}

#[test]
fn address_that_is_in_use_fails_before_anything_is_done() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (_folder, log) = fresh();
    let words = ["cannot listen on", &address, "--metrics-listen", "in use", "port 0"];
    check(&["append", &log, "--metrics-listen", &address], "event\n", 1, &words);
    check(&["stat", &log], "", 5, &["there is no log at"]);
}

#[test]
fn options_without_effect_and_bad_values_are_refused() {
    let (_folder, log) = fresh();
    check(&["append", &log, "--prices", "1,2"], "", 2, &["--metrics-listen", "--otlp-endpoint"]);
    check(&["append", &log, "--metrics-listen", "9464"], "", 2, &["9464", "as in 127.0.0.1:9464"]);
    let secret = "http://me:hunter2@127.0.0.1:1";
    let ran = run_with(&["append", &log, "--otlp-endpoint", secret], b"");
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("OTEL_EXPORTER_OTLP_HEADERS"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
    check(&["stat", &log, "--metrics-listen", "127.0.0.1:0"], "", 2, &["--metrics-listen"]);
}

/// Returns the sum of the samples whose names contain all these words.
fn sum(samples: &BTreeMap<String, f64>, words: &[&str]) -> f64 {
    let fits = |name: &str| words.iter().all(|word| name.contains(word));
    samples.iter().filter(|(name, _)| fits(name)).map(|(_, value)| value).sum()
}

#[test]
fn requests_are_counted_with_their_outcomes_prices_and_retries() {
    let puts = std::sync::atomic::AtomicUsize::new(0);
    let server = bucket::serve(move |request| {
        if request.starts_with("PUT") {
            let before = puts.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            return Answer::Status(if before == 0 {
                "500 Internal"
            } else {
                "200 OK\r\netag: \"e\""
            });
        }
        bucket::EMPTY
    });
    let (secret, endpoint) = ("very-secret-key-0123", format!("aws_endpoint={server}"));
    let secret_option = format!("aws_secret_access_key={secret}");
    let store = [&*endpoint, "aws_access_key_id=id", &secret_option, "aws_allow_http=true"];
    let options: Vec<&str> = store.iter().flat_map(|option| ["--store-option", option]).collect();
    let append = ["append", "s3://bucket/log", "--flush-interval", "1ms", "--prices", "0,1000,10"];
    let mut serving = Serving::start(&[&append, &options[..]].concat());
    let mut input = serving.child.stdin.take().unwrap();
    input.write_all(b"event\n").unwrap();
    until("the event is durable", || serving.value("stratalog_durable_events_total") == 1.0);
    let samples = serving.samples();
    let requests = |words: &[&str]| {
        sum(
            &samples,
            &[&["stratalog_store_requests_total", "stratalog_store=\"s3\""], words].concat(),
        )
    };
    assert_eq!(requests(&["request=\"put\"", "outcome=\"server-error\""]), 1.0, "{samples:#?}");
    assert_eq!(requests(&["request=\"put\"", "outcome=\"ok\"", "class=\"write\""]), 1.0);
    let lists = requests(&["request=\"list\"", "outcome=\"ok\"", "class=\"write\""]);
    assert!(lists >= 1.0, "{samples:#?}");
    assert_eq!(sum(&samples, &["stratalog_store_retries_total"]), 1.0);
    // A dollar for each.
    let cost = sum(&samples, &["stratalog_store_cost_total", "class=\"write\""]);
    assert_eq!(cost, 2.0 + lists, "{samples:#?}");
    let text = serving.get("/metrics");
    for word in [secret, "bucket/log", &server] {
        assert!(!text.contains(word), "{word}: {text}");
    }
    drop(input);
    assert_eq!(serving.end().0, Some(0));
}

#[test]
fn keep_counts_the_logs_that_it_has_worked_on() {
    let (folder, log) = fresh();
    ok(&["append", "--flush-threshold", "1", &log], &numbered(0..4));
    let root = folder.path().to_str().unwrap();
    let serving =
        Serving::start(&["keep", "--logs", "log", "--compact-batches", "2", "--every", "1w", root]);
    until("the log is compacted", || {
        serving.value("stratalog_keep_work_total{stratalog_work=\"compacted\"}") == 1.0
    });
    let samples = serving.samples();
    assert_eq!(samples["stratalog_compaction_batches_total"], 4.0);
    let bytes = f64::from(u32::try_from(numbered(0..4).len()).unwrap());
    assert_eq!(samples["stratalog_compaction_output_bytes_total"], bytes);
    let input = "stratalog_compaction_input_bytes_total{stratalog_source=\"batch\"}";
    assert_eq!(samples[input], bytes);
    assert_eq!(sum(&samples, &["stratalog_compaction_amplification", "_sum"]), 1.0);
}

#[test]
fn run_counts_the_calls_and_the_denials_of_a_plugin() {
    let (_folder, log) = fresh();
    let plugin = plugins::rust("evil").display().to_string();
    let granted = format!("evil={log}");
    let arguments = ["run", &plugin, "--log", &granted, "--grant", "evil=read"];
    // `run` takes what follows `--` as the plugin's own.
    let mut child =
        stratalog(&[&arguments, &LISTEN[..], &["--", "buffers-small"]].concat()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("metrics are at") {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0);
    }
    let address = line.trim().rsplit_once("http://").unwrap().1.trim_end_matches("/metrics");
    let denied = "stratalog_plugin_calls_total{stratalog_call=\"log.open\",\
                  stratalog_outcome=\"denied\"}";
    until("the plugin is denied", || {
        samples(&get(address, "/metrics")).get(denied).copied() == Some(1.0)
    });
    drop(child.stdin.take());
    end_of(&mut child);
}
