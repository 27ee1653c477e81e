use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::calls::{Amount, Key};
use super::super::texts::Stream;
use super::*;
use crate::host::Host;
use crate::plugin::quota::QuotaUsage;
use crate::plugin::usage::Call;
use crate::store::Store;

const SECRET: &str = "sesame-open-1";

fn writer() -> Writer {
    let redaction = Redaction::new([SECRET.to_owned()].iter());
    Writer { run: "0123456789abcdef".to_owned(), recorder: Recorder::new(), redaction }
}

/// Returns a record without what is in each one, which is checked.
fn parsed(record: &str, kind: &str) -> Value {
    let mut record: Value = serde_json::from_str(record).unwrap();
    let fields = record.as_object_mut().unwrap();
    let mut field = |name: &str| fields.remove(name).unwrap();
    let head = [field("v"), field("record"), field("run")];
    assert_eq!(head, [json!(1), json!(kind), json!("0123456789abcdef")]);
    let time = field("time");
    // In UTC with microseconds.
    assert!(time.as_str().is_some_and(|time| time.len() == 27 && time.ends_with('Z')), "{time}");
    record
}

fn log(label: &str, quota: Option<Quota>) -> GrantedLog {
    let rights = Rights::none().and(Right::Append).and(Right::Trim);
    GrantedLog { label: label.to_owned(), log: format!("s3://b/{label}"), rights, quota }
}

fn record() -> Record {
    Record::new(&Host::new().unwrap(), &Store::memory(), "record")
}

#[test]
fn first_record_has_all_that_was_granted() {
    let quotas = [None, Some(Quota::bytes(10)), Some(Quota::bytes(10).objects(2))];
    let logs = ["a", "b", "c"].into_iter().zip(quotas).map(|(label, quota)| log(label, quota));
    let limits = PluginLimits { time_max: Some(Duration::from_secs(90)), ..Default::default() };
    let granted = Granted {
        plugin: format!("{SECRET}.wasm"),
        sha256: "00ff".to_owned(),
        logs: logs.collect(),
        limits: limits.clone(),
    };
    let record = record().arguments(["a", SECRET]).environment("TOKEN", SECRET).folder("/f", "in");
    let written = parsed(&writer().granted(&granted, &record), "granted");
    let log = |label: &str, quota: Value| {
        let log = format!("s3://b/{label}");
        let mut log = json!({ "label": label, "log": log, "rights": ["append", "trim"] });
        if !quota.is_null() {
            log["quota"] = quota;
        }
        log
    };
    let logs = [
        log("a", Value::Null),
        log("b", json!({ "bytes_max": 10 })),
        log("c", json!({ "bytes_max": 10, "objects_max": 2 })),
    ];
    let mut expected = json!({
        "seq": 0, "plugin": "***.wasm", "sha256": "00ff", "arguments": ["a", "***"],
        "environment": ["TOKEN"], "folders": ["in"], "logs": logs,
    });
    // One that is not set is none.
    expected["limits"] = written["limits"].clone();
    assert_eq!(written, expected);
    let limits_written = written["limits"].as_object().unwrap();
    assert_eq!(limits_written["time_max"], json!("90s"));
    assert_eq!(limits_written["handles_max"], json!(limits.handles_max));
    assert!(!limits_written.contains_key("fuel"), "{limits_written:?}");
}

/// A list takes what fits, and counts the rest.
#[test]
fn lists_of_the_first_record_are_bounded() {
    let plugin = || (String::new(), String::new());
    let (text, of_log) = ("x".repeat(1_000), "y".repeat(1_000));
    let logs: Vec<_> = (0..600).map(|_| log(&of_log, None)).collect();
    let one = writer().log(&logs[0]).len() + 1;
    let (plugin, sha256) = plugin();
    let granted = Granted { plugin, sha256, logs, limits: PluginLimits::default() };
    let record = record().arguments(vec![text; 200]).environment("A", "").environment("B", "");
    let written = parsed(&writer().granted(&granted, &record), "granted");
    // With quotes and a comma.
    let fit = LIST_BYTES_MAX / 1_003;
    assert_eq!(written["arguments"].as_array().unwrap().len(), fit);
    assert_eq!(written["arguments_left_out"], json!(200 - fit));
    assert_eq!(written["logs"].as_array().unwrap().len(), LOGS_BYTES_MAX / one);
    assert_eq!(written["logs_left_out"], json!(600 - LOGS_BYTES_MAX / one));
    assert!(written.get("environment_left_out").is_none(), "{}", written["environment"]);
}

#[test]
fn list_takes_what_fits_exactly_and_also_after_what_does_not() {
    let mut object = Object::new();
    let values = ["12", "1234567", "1", "12", "3"].map(str::to_owned);
    list(&mut object, "l", values.into_iter(), 8);
    assert_eq!(object.end(), r#"{"l":[12,1,12],"l_left_out":2}"#);
}

#[test]
fn call_is_recorded_with_its_sums_and_its_last_call() {
    let writer = writer();
    let at = |seconds| writer.recorder.begun() + Duration::from_secs(seconds);
    let message = format!("needs {SECRET} {}", "x".repeat(2_000));
    let group = |handle, outcome| Group {
        key: Key { call: Call::AppendLines, label: "errors".into(), handle, outcome },
        count: 4,
        amount: Amount { events: 5, bytes: 60 },
        first: (7, at(1)),
        last: (12, at(3)),
    };
    let failed = group(Some(2), CallOutcome::Failed("denied", message));
    let raw: Value = serde_json::from_str(&writer.call(&failed)).unwrap();
    let mut written = parsed(&writer.call(&failed), "call");
    let message = written["message"].take();
    let message = message.as_str().unwrap();
    assert!(message.starts_with("needs *** xxx") && message.ends_with("x…"), "{message}");
    assert_eq!(message.chars().count(), TEXT_CHARACTERS_MAX + 1);
    let expected = json!({
        "seq": 7, "call": "log.append-lines", "label": "errors", "handle": 2, "outcome": "denied",
        "message": null, "count": 4, "events": 5, "bytes": 60, "last_seq": 12,
        "last_time": raw["last_time"],
    });
    assert_eq!(written, expected);
    let time = |name: &str| {
        let time = raw[name].as_str().unwrap();
        chrono::DateTime::parse_from_rfc3339(time).unwrap()
    };
    assert_eq!((time("last_time") - time("time")).num_seconds(), 2);
    for (outcome, name) in [
        (CallOutcome::Succeeded, "ok"),
        (CallOutcome::Unfinished, "unfinished"),
        (CallOutcome::Waiting, "waiting"),
    ] {
        let written = parsed(&writer.call(&group(None, outcome)), "call");
        assert_eq!(written["outcome"], json!(name));
        assert!(written.get("handle").is_none() && written.get("message").is_none(), "{written}");
    }
}

fn ready(kind: TextKind, text: &str, bytes: usize) -> Ready {
    Ready { kind, at: (3, Instant::now()), text: text.to_owned(), bytes }
}

#[test]
fn message_is_recorded_with_its_level_and_cut() {
    let text = "ü".repeat(TEXT_CHARACTERS_MAX + 1);
    for (level, name) in [
        (Level::Trace, "trace"),
        (Level::Debug, "debug"),
        (Level::Info, "info"),
        (Level::Warn, "warn"),
        (Level::Error, "error"),
        (Level::Critical, "critical"),
    ] {
        let written = writer().said(&ready(TextKind::Message(level), &text, 5_000));
        let [(message, 0)] = &written[..] else { panic!("{written:?}") };
        let cut = format!("{}…", "ü".repeat(TEXT_CHARACTERS_MAX));
        assert_eq!(parsed(message, "message"), json!({ "seq": 3, "level": name, "text": cut }));
    }
}

/// The bytes are those of the plugin, and stand in the first piece. What is left out later is
/// counted piece by piece.
#[test]
fn output_is_recorded_in_pieces_with_the_bytes_of_all() {
    let text = format!("{}ü{}", "x".repeat(OUTPUT_BYTES_MAX - 1), "y".repeat(OUTPUT_BYTES_MAX));
    let output = |stream, text: &str, bytes| {
        let written = writer().said(&ready(TextKind::Output(stream), text, bytes));
        let parts: Vec<_> = written.iter().map(|(_, bytes)| *bytes).collect();
        let written: Vec<_> = written.iter().map(|(record, _)| parsed(record, "output")).collect();
        (written, parts)
    };
    let piece = |stream: &str, text: &str, bytes: usize| json!({ "seq": 3, "stream": stream, "text": text, "bytes": bytes });
    let (written, parts) = output(Stream::Stderr, &text, 8_500);
    let cuts = [OUTPUT_BYTES_MAX - 1, 2 * OUTPUT_BYTES_MAX - 1];
    let expected = [
        piece("stderr", &text[..cuts[0]], 8_500),
        piece("stderr", &text[cuts[0]..cuts[1]], 0),
        piece("stderr", &text[cuts[1]..], 0),
    ];
    assert_eq!(written, expected);
    assert_eq!(parts, [4_095, 4_096, 309]);
    // One whose secret is shorter than its mark.
    assert_eq!(output(Stream::Stdout, "***", 2), (vec![piece("stdout", "***", 2)], vec![2]));
}

#[test]
fn last_record_has_the_end_the_usage_and_what_was_left_out() {
    let left_out = LeftOut { records: 1, calls: 2, output_bytes: 3 };
    let of_left_out = json!({ "records": 1, "calls": 2, "output_bytes": 3 });
    let writer = writer();
    assert_eq!(parsed(&writer.dropped(&left_out), "dropped"), of_left_out);
    let dropped = parsed(&writer.end(None, &left_out), "end");
    assert_eq!(dropped, json!({ "end": "dropped", "left_out": of_left_out }));

    let hit = PluginLimits::default().hit(Limit::Memory);
    let of_hit = json!({
        "limit": "memory_bytes_max", "value": hit.value.parse::<u64>().unwrap(),
        "option": "--plugin-memory-max",
    });
    let quota = Quota::bytes(10).objects(2);
    let used = |bytes| QuotaUsage { quota, bytes, objects: 1 };
    let labels = (0..=QUOTAS_MAX).map(|number| format!("log-{number:04}"));
    let usage = Usage {
        time: Duration::from_millis(1_500),
        computed: Duration::from_millis(250),
        memory_bytes_peak: 20,
        calls: [("log.append", 21)].into(),
        calls_denied: 22,
        events_appended: 23,
        bytes_appended: 24,
        events_read: 25,
        bytes_read: 26,
        log_lines: 27,
        log_lines_dropped: 28,
        quotas: labels.map(|label| (label, used(9))).collect(),
        limits_hit: vec![hit.clone()],
    };
    let frame = |function: Option<&str>, module: Option<&str>, offset| Frame {
        function: function.map(str::to_owned),
        module: module.map(str::to_owned),
        index: 5,
        offset,
    };
    let (long, name) = ("f".repeat(201), "f".repeat(200));
    let mut ended = Ended {
        end: ExitReason::Exited(3),
        frames: Vec::new(),
        usage,
        unflushed: vec![format!("{SECRET}: 1 event")],
        output_bytes_dropped: 4,
    };
    let mut written = parsed(&writer.end(Some(&ended), &left_out), "end");
    let quotas = written["usage"]["quotas"].take();
    let quotas = quotas.as_object().unwrap();
    assert_eq!(quotas.len(), QUOTAS_MAX);
    let of_quota = json!({ "bytes": 9, "objects": 1, "bytes_max": 10, "objects_max": 2 });
    assert!(quotas.values().all(|used| *used == of_quota), "{quotas:?}");
    let usage = json!({
        "time_seconds": 1.5, "computed_seconds": 0.25, "memory_bytes_peak": 20,
        "calls": { "log.append": 21 }, "calls_denied": 22, "events_appended": 23,
        "bytes_appended": 24, "events_read": 25, "bytes_read": 26, "log_lines": 27,
        "log_lines_dropped": 28, "quotas": null, "quotas_left_out": 1, "limits_hit": [of_hit],
    });
    let expected = json!({
        "end": "exited", "exit_code": 3, "unflushed": ["***: 1 event"], "output_bytes_dropped": 4,
        "usage": usage, "left_out": of_left_out,
    });
    assert_eq!(written, expected);

    ended.end = ExitReason::Trapped(format!("at {SECRET}"));
    ended.frames = vec![frame(Some(&long), Some(SECRET), Some(7)), frame(None, None, None)];
    let written = parsed(&writer.end(Some(&ended), &left_out), "end");
    assert_eq!((&written["end"], &written["trap"]), (&json!("trapped"), &json!("at ***")));
    assert!(written.get("exit_code").is_none(), "{written}");
    let frames = json!([
        { "function": format!("{name}…"), "module": "***", "index": 5, "offset": 7 },
        { "index": 5 },
    ]);
    assert_eq!(written["backtrace"], frames);

    ended.end = ExitReason::LimitReached(hit);
    let written = parsed(&writer.end(Some(&ended), &left_out), "end");
    assert_eq!((&written["end"], &written["limit"]), (&json!("limit-reached"), &of_hit));
}
