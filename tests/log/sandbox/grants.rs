//! Rights: the allowed calls of a plugin, and the facts that it can learn.

use rig::faults::{Call, Fault};
use stratalog::plugin::{Right, Rights};

use super::stage::{SECRET_NAME, SECRET_STORE, Stage};

#[test]
fn plugin_appends_flushes_and_reads_its_log_by_label() {
    let stage = Stage::new();
    let script =
        ["open=errors=1000", "append=a=3", "flush", "append=b", "read-all", "file-count", "close"];
    let (outcome, said) = stage.run(stage.granting(Rights::default()), &script);
    assert_eq!(
        said,
        [
            "open=errors=1000: done",
            "append=a=3: done",
            "flush: 3 events",
            "append=b: done",
            "read-all: 4 events, 0 missed",
            "file-count: 1 objects",
            "close: 4 events",
        ]
    );
    assert_eq!(outcome.end.to_string(), "exited with code 0");
    let usage = outcome.usage;
    let calls: Vec<_> = usage.calls.iter().map(|(name, count)| format!("{name} {count}")).collect();
    assert_eq!(
        calls,
        [
            "log.append 4",
            "log.close 1",
            "log.file-count 1",
            "log.flush 1",
            "log.open 1",
            "log.read-all 1",
            "reader.next 2",
        ]
    );
    assert_eq!((usage.events_appended, usage.bytes_appended), (4, 14));
    assert_eq!((usage.events_read, usage.bytes_read), (4, 14));
    assert!(usage.memory_bytes_peak > 64 * 1024 && usage.time >= usage.computed, "{usage:?}");
    assert!(usage.limits_hit.is_empty() && outcome.unflushed.is_empty());
    assert_eq!(stage.events(), ["a 0", "a 1", "a 2", "b"]);
}

/// Makes each call with the one right that allows it, and with all the others.
#[test]
fn call_without_its_right_is_denied_before_any_effect() {
    let table = [
        (Right::Append, "open=errors", "log.open"),
        (Right::Read, "read=errors", "read"),
        (Right::Read, "stat=errors", "stat"),
        (Right::Read, "verify=errors", "verify"),
        (Right::Compact, "compact=errors", "compact"),
        (Right::Read, "plan-trim=errors=1", "plan-trim"),
        (Right::Trim, "trim=errors=1", "trim"),
        (Right::Read, "read-named=errors=app", "read-named"),
        (Right::Read, "names=errors", "named-positions"),
        (Right::Commit, "forget-name=errors=app", "forget-position"),
    ];
    let stage = Stage::new();
    for (right, word, call) in table {
        let others = Right::ALL.into_iter().filter(|other| *other != right);
        let others = others.fold(Rights::none(), Rights::and);
        // Forgets the earlier requests.
        stage.faulty.faults.requests();
        let (outcome, said) = stage.run(stage.granting(others), &[word]);
        let right_name = right.name();
        let denied = format!(
            "{word}: denied: {call} on the log errors needs the right to {right_name}; granted: {others}"
        );
        assert_eq!(said, [denied]);
        assert_eq!(outcome.end.to_string(), "exited with code 0");
        let requests = stage.faulty.faults.requests();
        assert!(requests.is_empty(), "{word} reached the store: {requests:?}");
        let (_, said) = stage.run(stage.granting(Rights::none().and(right)), &[word]);
        assert!(!said[0].contains("denied"), "{said:?}");
    }
}

#[test]
fn methods_of_an_open_log_need_their_own_rights() {
    let stage = Stage::new();
    let script = ["open=errors=1000", "append=a", "read-all", "file-count", "compact", "close"];
    let (_, said) = stage.run(stage.granting(Rights::none().and(Right::Append)), &script);
    assert_eq!(
        said,
        [
            "open=errors=1000: done",
            "append=a: done",
            "read-all: denied: log.read-all on the log errors needs the right to read; granted: append",
            "file-count: denied: log.file-count on the log errors needs the right to read; \
             granted: append",
            "compact: denied: log.compact on the log errors needs the right to compact; \
             granted: append",
            "close: 1 events",
        ]
    );
}

/// Reading stores nothing: a commit needs a right that is not granted by default.
#[test]
fn commit_of_a_position_needs_its_own_right() {
    let stage = Stage::new();
    let prepare = ["open=errors=1000", "append=a=6", "close"];
    let (_, said) = stage.run(stage.granting(Rights::default()), &prepare);
    assert!(said.iter().all(|said| !said.contains("denied")), "{said:?}");
    let script = ["commit=errors=app=2"];
    let (outcome, said) = stage.run(stage.granting(Rights::default()), &script);
    assert_eq!(
        said,
        [
            "commit=errors=app=2: denied: reader.commit on the log errors needs the right to commit; \
          granted: append,read"
        ]
    );
    assert_eq!(outcome.usage.calls.get("reader.commit"), Some(&1));
    let script = [
        "commit=errors=app=2",
        "names=errors",
        "read-named=errors=app",
        "commit=errors=app=3",
        "read-named=errors=app",
        "forget-name=errors=app",
        "forget-name=errors=app",
        "names=errors",
        "read-named=errors=app",
        "read-named=errors=App",
    ];
    let rights = Rights::none().and(Right::Read).and(Right::Commit);
    let (_, said) = stage.run(stage.granting(rights), &script);
    assert_eq!(
        said[..9],
        [
            "commit=errors=app=2: 2 events, 0 missed, committed",
            "names=errors: app 2",
            "read-named=errors=app: 4 events, 0 missed",
            "commit=errors=app=3: 3 events, 0 missed, committed",
            "read-named=errors=app: 1 events, 0 missed",
            "forget-name=errors=app: true",
            "forget-name=errors=app: false",
            "names=errors: ",
            "read-named=errors=app: 6 events, 0 missed",
        ]
    );
    assert!(said[9].contains("1 to 64 of the characters a-z, 0-9"), "{}", said[9]);
}

#[test]
fn only_granted_labels_open() {
    let stage = Stage::new();
    let others = ["error", "hidden-team/app", "../errors", "errors/", "s3://hidden-bucket", ""];
    let script: Vec<_> = others.iter().map(|label| format!("open={label}")).collect();
    let script: Vec<_> = script.iter().map(String::as_str).collect();
    let (_, said) = stage.run(stage.granting(Rights::all()), &script);
    for (label, said) in others.iter().zip(said) {
        let denied = format!(
            "open={label}: denied: no log is granted under the label {label:?}; granted: errors"
        );
        assert_eq!(said, denied);
    }
    assert!(stage.faulty.faults.requests().is_empty());
}

/// The store's name, the log's name and the cause stay in the host.
#[test]
fn plugin_learns_labels_and_nothing_behind_them() {
    let stage = Stage::new();
    let everything = ["open=errors", "append=a", "flush", "append=b", "flush", "compact=errors"];
    let (_, mut said) = stage.run(stage.granting(Rights::all()), &everything);
    for (call, fault, script) in [
        (Call::List, Fault::Lost, ["open=errors", "stat=errors"]),
        (Call::Get, Fault::Lost, ["read=errors", "compact=errors"]),
        (Call::Create, Fault::Refused, ["open=errors", "append=c"]),
    ] {
        stage.faulty.faults.arm(call, std::iter::repeat_n(fault, 8));
        let script = [&script[..], &["flush", "read=errors"]].concat();
        said.extend(stage.run(stage.granting(Rights::all()), &script).1);
        stage.faulty.faults.disarm();
    }
    let failed = |kind: &str| said.iter().any(|line| line.contains(kind));
    assert!(failed("store-failed: ") && failed("write-failed: "), "{said:#?}");
    for line in &said {
        for hidden in [SECRET_STORE, SECRET_NAME, "hidden", "faulty", "the policy"] {
            assert!(!line.contains(hidden), "{line}");
        }
    }
}

#[test]
fn labels_must_be_labels() {
    let stage = Stage::new();
    let grant = stratalog::plugin::Grant::new(&stage.host, &stage.store, "x");
    let error = stage.granting(Rights::all()).grant("a/b", grant).build().unwrap_err();
    let expected = "\"a/b\" is not a label for a log: use 1 to 64 letters, digits, - _ or .";
    assert_eq!(error.to_string(), expected);
}

/// The neighbours of a missing log, next to it or below, stay in the host.
#[test]
fn absent_log_is_reported_by_its_label() {
    let stage = Stage::new();
    let below = format!("{SECRET_NAME}/below/batch_0001600000000000001.jsonl");
    stage.runtime.block_on(stage.store.create(&below, "old".into(), false)).unwrap();
    let script = ["read=errors", "stat=errors", "verify=errors", "compact=errors", "trim=errors=1"];
    let (outcome, said) = stage.run(stage.granting(Rights::all()), &script);
    let expected = script.map(|word| format!("{word}: no-log: errors, below it []"));
    assert_eq!(said, expected);
    assert_eq!(outcome.end.to_string(), "exited with code 0");
    let script = ["open=errors", "compact", "read-all", "append=a", "flush", "read=errors"];
    let (_, said) = stage.run(stage.granting(Rights::all()), &script);
    assert_eq!(said[1..3], ["compact: 0 files", "read-all: 0 events, 0 missed"]);
    assert_eq!(said[5], "read=errors: 1 events, 0 missed");
}
