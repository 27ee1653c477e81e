use serde_json::Value;

use super::super::budget::LeftOut;
use super::super::calls::{Amount, CallOutcome, Key};
use super::super::redaction::Redaction;
use super::*;
use crate::host::Host;
use crate::numbers::to_u64;
use crate::plugin::usage::Call;
use crate::sandbox::bindings::wasi::logging::logging::Level;
use crate::store::Store;

fn pending(bytes_max: u64) -> Pending {
    let (recorder, redaction) = (Recorder::new(), Redaction::default());
    Pending {
        writer: Writer { run: String::new(), recorder, redaction },
        outputs: Outputs::default(),
        budget: Budget::new(1 << 40, bytes_max, Instant::now()),
        backlog: VecDeque::new(),
        backlog_bytes: 0,
        records: 0,
    }
}

/// Counts a call that ends immediately.
fn call(recorder: &Recorder) {
    let (label, outcome) = ("errors".into(), CallOutcome::Succeeded);
    let key = Key { call: Call::Flush, label, handle: None, outcome };
    let at = (recorder.number(), Instant::now());
    recorder.ended(key, Amount::default(), at);
}

fn kinds(pending: &Pending) -> Vec<String> {
    let parsed = pending.backlog.iter().map(|(record, _)| serde_json::from_str(record).unwrap());
    parsed.map(|record: Value| format!("{} {}", record["record"], record["seq"])).collect()
}

#[test]
fn records_of_an_interval_are_in_the_order_of_their_numbers() {
    let mut pending = pending(1 << 40);
    let recorder = pending.writer.recorder.clone();
    recorder.message(Level::Info, "a");
    call(&recorder);
    recorder.output(Stream::Stdout, b"b\n");
    pending.collect(false);
    assert_eq!(kinds(&pending), [r#""message" 1"#, r#""call" 2"#, r#""output" 3"#]);
    let bytes: usize = pending.backlog.iter().map(|(record, _)| record.len()).sum();
    assert_eq!((pending.backlog_bytes, pending.budget.left_out), (bytes, LeftOut::default()));
    // What was not left out needs no record of that.
    pending.collect(false);
    assert_eq!(pending.backlog.len(), 3);
    // A line that has not ended waits, but not at the end.
    recorder.output(Stream::Stderr, b"c");
    pending.collect(false);
    assert_eq!(pending.backlog.len(), 3);
    pending.collect(true);
    assert_eq!(pending.backlog.len(), 4);
}

/// Output must not displace calls. All bytes of output that are in no record are counted.
#[test]
fn output_is_left_out_before_calls_and_its_bytes_are_counted() {
    const BYTES: usize = 9_000;
    let mut pending = pending(500);
    let recorder = pending.writer.recorder.clone();
    recorder.output(Stream::Stdout, &[b'~'; BYTES]);
    call(&recorder);
    (0..300).for_each(|_| recorder.message(Level::Info, "m"));
    pending.collect(true);
    let records = kinds(&pending);
    assert_eq!(records.first().map(String::as_str), Some(r#""call" 2"#), "{records:?}");
    assert!(!records.iter().any(|record| record.contains("output")), "{records:?}");
    let left_out = pending.budget.left_out;
    assert_eq!((left_out.output_bytes, left_out.calls), (to_u64(BYTES), 0));
    // Three pieces of output, and all messages but one: one found room in the bytes that are left.
    let messages = records.iter().filter(|record| record.contains("message")).count();
    assert_eq!(left_out.records, to_u64(3 + 300 - messages));
    let notice: Value = serde_json::from_str(&pending.writer.dropped(&left_out)).unwrap();
    assert_eq!(notice["output_bytes"], Value::from(BYTES));
    let taken = records.iter().any(|record| record.starts_with(r#""dropped""#));
    assert!(pending.budget.bytes <= 500 && (taken || pending.budget.bytes > 350), "{records:?}");
}

#[test]
fn interval_that_leaves_something_out_ends_with_a_record_of_it() {
    let mut pending = pending(1 << 40);
    let recorder = pending.writer.recorder.clone();
    for number in 1..=2 {
        recorder.output(Stream::Stdout, &vec![b'x'; 64 * 1024 + 1]);
        pending.collect(false);
        let (last, _) = pending.backlog.back().unwrap();
        let last: Value = serde_json::from_str(last).unwrap();
        assert_eq!((&last["record"], &last["output_bytes"]), (&"dropped".into(), &number.into()));
    }
}

#[test]
fn records_that_wait_are_bounded_and_the_rest_is_counted() {
    let mut pending = pending(1 << 40);
    let contents = Contents { calls: 2, output_bytes: 3 };
    for length in [1, BACKLOG_BYTES_MAX - 1, 1] {
        pending.push("x".repeat(length), contents);
    }
    assert_eq!((pending.backlog.len(), pending.backlog_bytes), (2, BACKLOG_BYTES_MAX));
    assert_eq!(pending.budget.left_out, LeftOut { records: 1, calls: 2, output_bytes: 3 });
}

#[tokio::test]
async fn records_that_the_log_takes_wait_no_more() {
    let (host, store) = (Host::new().unwrap(), Store::memory());
    let log = host.open(&store, "record", LogOptions::new()).await.unwrap();
    let mut pending = pending(1 << 40);
    for record in ["1", "2"] {
        pending.push(record.to_owned(), Contents::default());
    }
    pending.append_to(&log).unwrap();
    let left = (pending.backlog.len(), pending.backlog_bytes, pending.records);
    assert_eq!(left, (0, 0, 2));
    assert_eq!(log.close().await.unwrap().events, 2);
    pending.push("3".to_owned(), Contents::default());
    assert!(matches!(pending.append_to(&log), Err(Error::Closed)));
    assert_eq!((pending.backlog.len(), pending.records), (1, 2));
}
