//! Quotas: what a granted log may have in its store, and what a plugin can still do on a full one.

use stratalog::plugin::{Grant, LogsCtx, LogsCtxBuilder, PluginLimits, Quota, Right, Rights};
use stratalog::store::ListedObject;

use super::composed::joined;
use super::stage::{SECRET_NAME, Stage, numbered};

fn granting(stage: &Stage, rights: Rights, quota: Quota) -> LogsCtxBuilder {
    let grant = Grant::new(&stage.host, &stage.store, SECRET_NAME).rights(rights).quota(quota);
    LogsCtx::builder().limits(stage.engine.limits()).grant("errors", grant)
}

/// Returns the objects of the log.
fn objects(stage: &Stage) -> Vec<ListedObject> {
    let prefix = format!("{SECRET_NAME}/");
    stage.runtime.block_on(stage.store.list(&prefix, None, 10_000)).unwrap().objects
}

fn bytes(stage: &Stage) -> u64 {
    objects(stage).iter().map(|object| object.size).sum()
}

fn lists(stage: &Stage) -> usize {
    let requests = stage.faulty.faults.requests();
    requests.iter().filter(|request| request.starts_with("list ")).count()
}

#[test]
fn append_beyond_the_quota_is_refused_and_others_are_flushed() {
    let stage = Stage::new();
    let script = ["open=errors=1000", "append=a=100", "append=b", "leave"];
    let (outcome, said) =
        stage.run(granting(&stage, Rights::default(), Quota::bytes(103)), &script);
    // 10 events of 4 bytes, and 12 of 5.
    assert_eq!(
        said[1..],
        [
            "append=a=100: limit-reached: the log errors has 100 bytes, and the call needs 5 bytes \
             more: quota_bytes = 103 bytes is reached; raise it with --quota, or trim the log",
            "append=b: done",
            "leave: done",
        ]
    );
    assert!(outcome.unflushed.is_empty(), "{outcome:?}");
    assert_eq!(stage.events(), [numbered("a", 22), vec!["b".to_owned()]].concat());
    assert_eq!(bytes(&stage), 102);
    let hits: Vec<_> = outcome.usage.limits_hit.iter().map(|hit| hit.limit).collect();
    assert_eq!(hits, ["quota_bytes"]);
    let used = &outcome.usage.quotas["errors"];
    assert_eq!((used.bytes, used.objects, used.quota), (102, 1, Quota::bytes(103)));
    // The next run finds what this one has written.
    let (_, said) = stage.run(granting(&stage, Rights::default(), Quota::bytes(103)), &script);
    assert!(said[1].contains("the log errors has 102 bytes"), "{said:?}");
}

#[test]
fn lines_beyond_the_quota_are_refused_as_a_whole() {
    let stage = Stage::new();
    let quota = Quota::bytes(500_000);
    let script = ["open=errors", "append-packed=10000", "close"];
    let (_, said) = stage.run(granting(&stage, Rights::default(), quota), &script);
    let refused = "append-packed=10000: limit-reached: the log errors has ";
    assert!(said[1].starts_with(refused), "{said:?}");
    assert_eq!(said[2], "close: 2000 events");
}

#[test]
fn refused_event_uses_nothing_of_the_quota() {
    let stage = Stage::new();
    // An event has at least one byte.
    let script = ["open=errors=1000", "append=", "append=a", "close"];
    let (outcome, said) = stage.run(granting(&stage, Rights::default(), Quota::bytes(2)), &script);
    assert!(said[1].contains("invalid-event"), "{said:?}");
    assert_eq!(said[2..], ["append=a: done", "close: 1 events"]);
    assert_eq!(outcome.usage.quotas["errors"].bytes, 2);
}

/// Each flush makes an object: a batch in the buffer counts as one.
#[test]
fn objects_beyond_the_quota_are_refused_until_a_compaction() {
    for compact in ["compact", "compact=errors"] {
        let stage = Stage::new();
        let quota = Quota::bytes(1_000_000).objects(6);
        let mut script = vec!["open=errors=1000"];
        script.extend(["append=a", "flush"].repeat(5));
        script.extend(["append=b", "append=c", "flush", "append=d", compact, "append=e", "close"]);
        let (outcome, said) = stage.run(granting(&stage, Rights::all(), quota), &script);
        assert_eq!(
            said[11..14],
            ["append=b: done", "append=c: done", "flush: 7 events"],
            "{compact}: {said:?}"
        );
        assert_eq!(
            said[14],
            "append=d: limit-reached: the log errors has 6 objects, and the call needs 1 more: \
             quota_objects = 6 is reached; raise it with --quota, or compact or trim the log"
        );
        assert!(said[15].contains(": 6 files"), "{said:?}");
        assert_eq!(said[16..], ["append=e: done", "close: 8 events"], "{compact}");
        // A segment, its index, a manifest and a batch.
        assert_eq!(objects(&stage).len(), 4, "{compact}");
        assert_eq!(outcome.usage.limits_hit[0].limit, "quota_objects");
    }
}

/// The objects of a compaction are no batches of the writer that asked for it.
#[test]
fn compaction_by_a_writer_hides_none_of_its_events() {
    let stage = Stage::new();
    let mut script = vec!["open=errors=1000000"];
    script.extend(["append=a", "flush"].repeat(8));
    script.extend(["compact", "append=a=100000", "close"]);
    let (_, said) = stage.run(granting(&stage, Rights::all(), Quota::bytes(10_000)), &script);
    assert_eq!(said[17], "compact: 8 files");
    assert!(said[18].contains(": limit-reached: "), "{said:?}");
    let bytes = bytes(&stage);
    assert!((9_990..=10_000).contains(&bytes), "{bytes}");
}

#[test]
fn trim_of_a_full_log_makes_room() {
    let stage = Stage::new();
    let script = [
        "open=errors=1000000",
        "append=a=100000",
        "flush",
        "append=longer-than-the-room",
        "trim=errors=10",
        "append=b=100",
        "close",
    ];
    let (outcome, said) = stage.run(granting(&stage, Rights::all(), Quota::bytes(5_000)), &script);
    assert!(said[3].contains(": limit-reached: "), "{said:?}");
    assert!(said[4].ends_with(" events"), "{said:?}");
    assert_eq!(said[5], "append=b=100: done");
    assert_eq!(stage.events().len(), 110);
    assert!(outcome.usage.quotas["errors"].bytes <= 5_000, "{outcome:?}");
}

/// The quota was lowered, or others wrote.
#[test]
fn log_beyond_its_quota_can_be_compacted_and_trimmed() {
    for of in [|| Stage::new(), || Stage::of(PluginLimits::default(), joined())] {
        let stage: Stage = of();
        let mut script = vec!["open=errors=10000"];
        script.extend(["append=a=1000", "flush"].repeat(10));
        stage.run(stage.granting(Rights::default()), &script);
        let script = ["compact=errors", "trim=errors=5", "open=errors=1000", "append=b", "close"];
        let quota = Quota::bytes(20_000).objects(8);
        let (_, said) = stage.run(granting(&stage, Rights::all(), quota), &script);
        assert_eq!(said[0], "compact=errors: 10 files into Some(\"a segment\")");
        assert_eq!(said[1], "trim=errors=5: 9995 events");
        assert_eq!(said[3..], ["append=b: done", "close: 1 events"]);
    }
}

#[test]
fn carried_log_has_a_quota_and_can_be_compacted_when_full() {
    let stage = Stage::of(PluginLimits::default(), joined());
    let mut script = vec!["open=errors=1000"];
    script.extend(["append=a", "flush"].repeat(6));
    script.extend(["append=b", "flush", "compact", "flush", "close"]);
    let quota = Quota::bytes(1_000_000).objects(6);
    let (outcome, said) = stage.run(granting(&stage, Rights::all(), quota), &script);
    assert!(
        said[14].starts_with("flush: write-failed: ")
            && said[14].contains("the log errors has 6 objects, and the call needs 1 more"),
        "{said:?}"
    );
    assert_eq!(said[15..], ["compact: 6 files", "flush: 7 events", "close: 7 events"]);
    assert_eq!(outcome.usage.limits_hit[0].limit, "quota_objects");
    assert_eq!(stage.events().len(), 7);
}

#[test]
fn commits_have_a_limit_beyond_the_quota() {
    let stage = Stage::new();
    let script = ["open=errors=1000", "append=a=10", "close"];
    stage.run(stage.granting(Rights::default()), &script);
    let script: Vec<_> = (0..40).map(|name| format!("commit=errors=n{name}=1")).collect();
    let script: Vec<_> = script.iter().map(String::as_str).collect();
    let rights = Rights::none().and(Right::Read).and(Right::Commit);
    let quota = Quota::bytes(1_000_000).objects(1);
    let (_, said) = stage.run(granting(&stage, rights, quota), &script);
    assert!(said[0].ends_with("committed"), "{said:?}");
    assert!(said[39].contains("quota_objects = 1 is reached"), "{said:?}");
    // Twice the quota and 16 more.
    assert!((10..=18).contains(&objects(&stage).len()), "{}", objects(&stage).len());
}

/// A listing when the log is opened, and one for each step on the way to the quota: a quarter of
/// the room, at least a sixteenth of the quota.
#[test]
fn quota_costs_ten_listings_while_a_log_fills() {
    let script = ["open=errors=1000000", "append=a=100000", "close"];
    let stage = Stage::new();
    stage.run(stage.granting(Rights::default()), &script);
    let without = lists(&stage);
    let stage = Stage::new();
    let (outcome, _) =
        stage.run(granting(&stage, Rights::default(), Quota::bytes(100_000)), &script);
    assert_eq!(outcome.usage.limits_hit.len(), 1);
    let more = lists(&stage) - without;
    // At 25,000, 43,750, 57,813, 68,360, 76,270, 82,520, 88,770 and 95,020 bytes. On a slow
    // machine the last listing is more than a second old when there is no room.
    assert!((9..=10).contains(&more), "{more} listings");
    let (_, said) =
        stage.run(granting(&stage, Rights::default(), Quota::bytes(1)), &["read=errors"]);
    assert!(said[0].starts_with("read=errors: "), "{said:?}");
    let read = lists(&stage);
    stage.run(stage.granting(Rights::default()), &["read=errors"]);
    assert_eq!(read, lists(&stage), "a plugin that only reads costs no listing");
}

#[test]
fn append_fails_as_the_store_if_the_log_cannot_be_listed() {
    use rig::faults::{Call, Fault};

    let stage = Stage::new();
    stage.faulty.faults.arm(Call::List, [Fault::Lost]);
    let script = ["open=errors=1000", "open=errors=1000", "append=a", "close"];
    let (_, said) = stage.run(granting(&stage, Rights::default(), Quota::bytes(1_000)), &script);
    assert!(said[0].contains("store-failed"), "{said:?}");
    assert_eq!(said[1..], ["open=errors=1000: done", "append=a: done", "close: 1 events"]);
}
